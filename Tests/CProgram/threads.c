/* Networks of several threads, one network of two threads, and steps whose tensors several threads take. */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "checks.h"
#include "functions.h"

void check_threads(void);

enum { THREADS = 3 };

static const double dt = 0.2, slow_dt = 1e-9;

/* ---- Each thread its own network ---- */

static void *train(void *loss) {
    arguments a;
    create_arguments(&a, "float32", "tied", "prototypical", &dt);
    for (uint64_t epoch = 0; epoch < 20; epoch++)
        check_status(cep_train_epoch(a.pointers[NETWORK], &a.x, &a.targets, &a.options[1], 2, epoch, NULL,
                                     (cep_progress){0}, &a.metrics),
                     CEP_OK, "cep_train_epoch", "a network of this thread");
    *(double *)loss = a.metrics.loss_sum;
    destroy_arguments(&a);
    return NULL;
}

static void check_own_networks(void) {
    pthread_t threads[THREADS];
    double alone, losses[THREADS];
    train(&alone);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, train, &losses[i]);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        check(losses[i] == alone, "cep_train_epoch", "the same loss in each thread");
    }
}

/* ---- One network of two threads ---- */

static void *use(void *context) {
    arguments *a = context;
    for (int f = STEP_FUNCTIONS; f < function_count; f++) {
        /* The names of the parameters and of the devices do not change. */
        int is_list = strcmp(functions[f].name, "cep_network_parameters") == 0 ||
                      strcmp(functions[f].name, "cep_network_devices") == 0;
        if (functions[f].used & 1 << NETWORK && !is_list)
            check_status(call(&functions[f], a, functions[f].number, "a network in use"), CEP_BUSY,
                         functions[f].name, "a network in use");
    }
    return NULL;
}

static void *destroy(void *context) {
    arguments *a = context;
    cep_network_destroy(a->pointers[NETWORK]);
    check_status(call(&functions[NETWORK_COPY], a, 0, "destroyed"), CEP_INVALID_ARGUMENT, "cep_network_destroy",
                 "in use");
    return NULL;
}

typedef struct second_call {
    arguments *arguments;
    void *(*call)(void *arguments);
} second_call;

static int32_t report(const cep_progress_report *report, void *context) {
    (void)report;
    second_call *second = context;
    pthread_t thread;
    second->call(second->arguments);
    pthread_create(&thread, NULL, second->call, second->arguments);
    pthread_join(thread, NULL);
    return 1;
}

static void check_second_calls(void *(*call)(void *arguments)) {
    arguments a;
    create_arguments(&a, "float64", "tied", "real-time", &slow_dt);
    cep_phase_outcome outcome;
    cep_progress progress = {.function = report, .context = &(second_call){&a, call}};
    check_status(cep_free_phase(a.pointers[NETWORK], &a.x, INT64_MAX, 0, progress, &outcome), CEP_STOPPED,
                 "cep_free_phase", "stopped by its progress function");
    destroy_arguments(&a);
}

/* ---- Tensors of a step, taken by several threads ---- */

typedef struct taking {
    const cep_step *step;
    cep_tensor weights;
} taking;

static void *take(void *context) {
    taking *self = context;
    cep_status status;
    while ((status = cep_step_tensor(self->step, "weights", 1, &self->weights)) == CEP_BUSY)
        ;
    check_status(status, CEP_OK, "cep_step_tensor", "several threads");
    return NULL;
}

static int32_t take_in_threads(const cep_step *step, void *context) {
    pthread_t threads[THREADS];
    taking takings[THREADS];
    (void)context;
    for (int i = 0; i < THREADS; i++) {
        takings[i].step = step;
        pthread_create(&threads[i], NULL, take, &takings[i]);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < THREADS; i++) {
        check(memcmp(takings[i].weights.data, takings[0].weights.data, 5 * OUTPUTS * sizeof(float)) == 0,
              "cep_step_tensor", "the same weights in each thread");
    }
    for (int i = 0; i < THREADS; i++)
        cep_tensor_release(&takings[i].weights);
    return 0;
}

void check_threads(void) {
    check_own_networks();
    check_second_calls(use);
    check_second_calls(destroy);
    arguments a;
    create_arguments(&a, "float32", "tied", "prototypical", &dt);
    a.options[1].count--; /* plain SGD: the weights of a step are computed when they are taken */
    check_status(cep_train_batch(a.pointers[NETWORK], &a.x, &a.targets, &a.options[1],
                                 (cep_progress){.step = take_in_threads}, &a.metrics),
                 CEP_OK, "cep_train_batch", "steps of several threads");
    destroy_arguments(&a);
}
