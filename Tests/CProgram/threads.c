/* Networks of several threads, one network of two, and networks that a progress function uses. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arguments.h"
#include "checks.h"
#include "program.h"

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define UNDER_THREAD_SANITIZER 1
#endif
#endif

enum { THREADS = 4, EPOCHS = 30 };

/* ---- Each thread its own network ---- */

typedef struct {
    int fails;
    cep_metrics metrics;
    char message[1024];
} own_work;

static void *train_own(void *context) {
    own_work *work = context;
    world world;
    arguments a;
    make_world(&world, CEP_FLOAT32, CEP_TIED);
    set_good_arguments(&a, &world, CEP_RULE_CEP);
    for (uint64_t epoch = 0; epoch < EPOCHS; epoch++) {
        work->fails += cep_train_epoch(a.network, a.x, a.targets, a.rule, 2, epoch, NULL, a.progress,
                                       &work->metrics) != CEP_OK;
    }
    /* A message of this thread alone. */
    cep_set_num_threads(-(int64_t)(uintptr_t)work % 1000000);
    snprintf(work->message, sizeof work->message, "%s", cep_last_error());
    destroy_world(&world);
    return NULL;
}

static void check_own_networks(void) {
    pthread_t threads[THREADS];
    own_work alone = {0}, works[THREADS] = {{0}};
    train_own(&alone);
    for (int i = 0; i < THREADS; i++) {
        pthread_create(&threads[i], NULL, train_own, &works[i]);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        check(works[i].fails == 0, "cep_train_epoch", "a network of the thread's own", "a failure");
        check(works[i].metrics.loss_sum == alone.metrics.loss_sum, "cep_train_epoch",
              "a network of the thread's own", "another loss than alone");
        char own[32];
        snprintf(own, sizeof own, "got %lld", (long long)(-(int64_t)(uintptr_t)&works[i] % 1000000));
        check(strstr(works[i].message, own) != NULL, "cep_last_error", "a message of the thread's own",
              works[i].message);
    }
}

/* ---- One network, and who comes second ---- */

/* A phase that takes as long as it is let. */
typedef struct {
    world world;
    cep_network *slow;
    void (*during)(void *self);  /* once, from the progress function */
    void *(*beside)(void *self); /* once, on another thread, which the progress function waits for */
    int reports;
} long_call;

static int32_t report(const cep_progress_report *report, void *context) {
    long_call *self = context;
    (void)report;
    self->reports++;
    if (self->during != NULL) {
        self->during(self);
    }
    if (self->beside != NULL) {
        pthread_t thread;
        pthread_create(&thread, NULL, self->beside, self);
        pthread_join(thread, NULL);
    }
    return 17;
}

static void *use(void *context) {
    long_call *self = context;
    arguments a;
    set_good_arguments(&a, &self->world, CEP_RULE_EP);
    a.network = self->slow;
    const char *words = "in use by another thread";
#define BUSY(function, ...)                                                                                       \
    check_status(function(__VA_ARGS__), CEP_BUSY, words, #function, "a network in use");                          \
    check(results_are_untouched(&a), #function, "a network in use", "something was written")
    BUSY(cep_network_array, a.network, a.kind, a.index, a.result);
    BUSY(cep_free_phase, a.network, a.x, 1, 0, a.progress, a.result);
    BUSY(cep_nudged_phase, a.network, a.targets, 0.5, 1, a.progress, a.result);
    BUSY(cep_train_batch, a.network, a.x, a.targets, a.rule, a.progress, a.result);
    BUSY(cep_train_epoch, a.network, a.x, a.targets, a.rule, 2, 0, NULL, a.progress, a.result);
    BUSY(cep_get_random_state, a.network, a.result);
    BUSY(cep_set_random_state, a.network, a.random_state);
    BUSY(cep_check_samples, a.network, a.x, a.targets);
    BUSY(cep_evaluate, a.network, a.x, a.targets, 1, a.progress, a.result);
    BUSY(cep_predict, a.network, a.x, 1, a.progress, a.result, ROWS);
    BUSY(cep_gradient_estimate, a.network, a.x, a.targets, a.rule, a.progress, a.metrics, a.result);
    BUSY(cep_theorem_check, a.network, a.x, a.targets, a.conditions, a.progress, a.result);
    BUSY(cep_energy, a.network, a.result, ROWS);
    BUSY(cep_feedback_angle, a.network, 1, a.result);
    return NULL;
}

static void use_meanwhile(void *context) { use(context); }

/* The call goes on with a network that nobody can name any more. */
static void destroy_meanwhile(void *context) {
    long_call *self = context;
    cep_network_destroy(self->slow);
    cep_phase_outcome outcome;
    arguments a;
    set_good_arguments(&a, &self->world, CEP_RULE_EP);
    check_status(cep_free_phase(self->slow, a.x, 1, 0, a.progress, &outcome), CEP_INVALID_ARGUMENT,
                 "it was released", "cep_network_destroy", "a network in use");
}

static void *destroy_beside(void *context) {
    destroy_meanwhile(context);
    return NULL;
}

static void check_long_call(void (*during)(void *), void *(*beside)(void *)) {
    long_call self = {.during = during, .beside = beside};
    make_world(&self.world, CEP_FLOAT64, CEP_TIED);
    arguments a;
    set_good_arguments(&a, &self.world, CEP_RULE_EP);
    a.options_storage.setting = CEP_REAL_TIME;
    a.options_storage.time_step = 1e-9;
    check_status(cep_network_create(a.options, &self.slow), CEP_OK, "", "cep_network_create", "a slow network");
    cep_progress progress = {.function = report, .context = &self};
    check_status(cep_free_phase(self.slow, a.x, INT64_MAX, 0, progress, a.result), CEP_STOPPED, "asked to stop",
                 "cep_free_phase", "a progress function that stops");
    check(self.reports == 1 && results_are_untouched(&a), "cep_free_phase", "a progress function that stops",
          "it went on");
    cep_network_destroy(self.slow);
    destroy_world(&self.world);
}

/* ---- Labels that are written while they are used ---- */

static int32_t spoil_labels(const cep_progress_report *report, void *context) {
    (void)report;
    for (int i = 0; i < ROWS; i++) {
        ((int64_t *)context)[i] = INT64_C(1) << 40;
    }
    return 0;
}

static void check_changing_labels(void) {
    world world;
    arguments a;
    make_world(&world, CEP_FLOAT32, CEP_TIED);
    set_good_arguments(&a, &world, CEP_RULE_EP);
    a.options_storage.setting = CEP_REAL_TIME;
    a.options_storage.time_step = 1e-6;
    cep_network *slow;
    check_status(cep_network_create(a.options, &slow), CEP_OK, "", "cep_network_create", "a slow network");
    a.rule_storage.free_steps = 500000;
    cep_progress progress = {.function = spoil_labels, .context = a.labels};
    check_status(cep_train_epoch(slow, a.x, a.targets, a.rule, 1, 0, NULL, progress, a.result),
                 CEP_INVALID_ARGUMENT, "label 1099511627776", "cep_train_epoch", "labels that change");
    cep_network_destroy(slow);
    destroy_world(&world);
}

/* ---- Processes that begin while others work ---- */

#ifndef UNDER_THREAD_SANITIZER /* it knows no threads of a child's */

static atomic_int forking;

static void *make_and_destroy(void *context) {
    (void)context;
    while (atomic_load(&forking)) {
        world world;
        make_world(&world, CEP_FLOAT32, CEP_TIED);
        destroy_world(&world);
    }
    return NULL;
}

static void check_forks(void) {
    pthread_t thread;
    atomic_store(&forking, 1);
    pthread_create(&thread, NULL, make_and_destroy, NULL);
    for (int i = 0; i < 20; i++) {
        pid_t child = fork();
        if (child == 0) {
            alarm(20);
            world world;
            make_world(&world, CEP_FLOAT32, CEP_TIED);
            destroy_world(&world);
            _exit(0);
        }
        int status = -1;
        waitpid(child, &status, 0);
        check(status == 0, "cep_network_create", "in a child", "the child did not end well");
    }
    atomic_store(&forking, 0);
    pthread_join(thread, NULL);
}

#else
static void check_forks(void) {}
#endif

void check_threads(void) {
    check_own_networks();
    check_long_call(use_meanwhile, NULL);
    check_long_call(NULL, use);
    check_long_call(destroy_meanwhile, NULL);
    check_long_call(NULL, destroy_beside);
    check_changing_labels();
    check_forks();
}
