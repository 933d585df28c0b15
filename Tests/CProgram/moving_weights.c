/* Steps at which weights move: what one thread takes of them, and what several do. */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "arguments.h"
#include "checks.h"
#include "program.h"

/* Connection 1 has so many weights that it takes a while to compute them. */
enum { WIDE = 1500, CONNECTIONS = 3, MOMENTS = 4, LOOKERS = 3 };

typedef struct watch {
    void (*look)(struct watch *self);       /* called at every moment at which weights move */
    cep_array *alone[MOMENTS][CONNECTIONS]; /* what one thread takes, while nobody else does */
    const cep_step *step;
    int64_t moment;
    int moments;
    int refusals;
} watch;

/* What a thread takes, for the thread that began it to judge. */
typedef struct {
    watch *watch;
    const cep_step *step;
    int64_t moment;
    cep_status status[CONNECTIONS];
    cep_array *arrays[CONNECTIONS];
    int writes_where_refused;
    atomic_int is_done;
    pthread_t thread;
} taking;

static const char *const name = "cep_step_array";

/* ---- Training that is watched ---- */

static int32_t show(const cep_step *step, void *context) {
    watch *self = context;
    cep_step_summary summary;
    check_status(cep_step_summarize(step, &summary), CEP_OK, "", "cep_step_summarize", "a moment");
    if (summary.weights_move) {
        self->step = step;
        self->moment = summary.step;
        self->moments++;
        self->look(self);
    }
    return 0;
}

static void set_wide_arguments(arguments *a, const world *world) {
    set_good_arguments(a, world, CEP_RULE_CEP);
    a->sizes[1] = a->sizes[2] = WIDE;
    a->sizes[3] = OUTPUTS;
    a->options_storage.layer_count = CONNECTIONS + 1;
    a->rule_storage.learning_rate_count = a->rule_storage.bias_learning_rate_count = CONNECTIONS;
    a->rule_storage.nudged_steps = MOMENTS - 1;
}

static int same_values(const cep_array *array, const cep_array *other) {
    cep_array_layout a, b;
    return cep_array_describe(array, &a) == CEP_OK && cep_array_describe(other, &b) == CEP_OK &&
           memcmp(a.data, b.data, (size_t)(a.shape[0] * a.shape[1]) * sizeof(float)) == 0;
}

/* A batch of a network that is the same each time. */
static void train(watch *self, void (*look)(watch *self)) {
    world world;
    arguments a;
    make_world(&world, CEP_FLOAT32, CEP_TIED);
    set_wide_arguments(&a, &world);
    cep_network *network;
    check_status(cep_network_create(a.options, &network), CEP_OK, "", "cep_network_create", "a wide network");
    self->look = look;
    self->moments = 0;
    cep_progress progress = {.step = show, .context = self};
    check_status(cep_train_batch(network, a.x, a.targets, a.rule, progress, a.result), CEP_OK, "",
                 "cep_train_batch", "watched");
    check(self->moments == MOMENTS, "cep_train_batch", "watched", "another number of moments");
    for (int64_t k = 0; k < CONNECTIONS; k++) {
        cep_array *left;
        check_status(cep_network_array(network, CEP_WEIGHTS, k, &left), CEP_OK, "", "cep_network_array",
                     "trained");
        check(same_values(left, self->alone[MOMENTS - 1][k]), name, "the last moment", "not what the phase left");
        cep_array_release(left);
    }
    cep_network_destroy(network);
    destroy_world(&world);
}

/* ---- One thread ---- */

static void take_alone(watch *self) {
    cep_array *array;
    for (int64_t k = 0; k < CONNECTIONS; k++) {
        cep_array **kept = &self->alone[self->moment][k];
        check_status(cep_step_array(self->step, CEP_WEIGHTS, k, kept), CEP_OK, "", name, "weights that move");
        check(self->moment == 0 || !same_values(*kept, self->alone[self->moment - 1][k]), name,
              "weights that move", "those of the moment before");
        check_status(cep_step_array(self->step, CEP_WEIGHTS, k, &array), CEP_OK, "", name, "the same again");
        check(same_values(array, *kept), name, "the same again", "other weights");
        cep_array_release(array);
        check_status(cep_step_array(self->step, CEP_BIASES, k, &array), CEP_OK, "", name, "biases that move");
        cep_array_release(array);
    }
    check_status(cep_step_array(self->step, CEP_FEEDBACK_WEIGHTS, 1, &array), CEP_INVALID_ARGUMENT,
                 "no feedback weights of its own", name, "feedback of a tied network");
    check_status(cep_step_array(self->step, CEP_WEIGHTS, CONNECTIONS, &array), CEP_INVALID_ARGUMENT,
                 "no connection 3", name, "a connection too many");
    check_status(cep_step_array(self->step, CEP_WEIGHTS, -1, &array), CEP_INVALID_ARGUMENT, "no connection -1",
                 name, "index -1");
    check_status(cep_step_array(self->step, 77, 0, &array), CEP_INVALID_ARGUMENT, "77", name, "an unknown kind");
}

/* ---- Several threads ---- */

/* Tries until no other thread is taking an array. */
static void insist(taking *self, int64_t connection) {
    cep_array *const untouched = (cep_array *)self;
    cep_array *array = untouched;
    cep_status status;
    while ((status = cep_step_array(self->step, CEP_WEIGHTS, connection, &array)) == CEP_BUSY) {
        self->writes_where_refused += array != untouched;
    }
    self->status[connection] = status;
    self->arrays[connection] = array;
}

static void *take_all(void *context) {
    for (int64_t k = 0; k < CONNECTIONS; k++) {
        insist(context, k);
    }
    return NULL;
}

static void begin(taking *self, watch *watch, void *(*take)(void *)) {
    *self = (taking){.watch = watch, .step = watch->step, .moment = watch->moment};
    check(pthread_create(&self->thread, NULL, take, self) == 0, name, "several threads", "no thread");
}

static void judge(taking *self, int64_t connection) {
    const char *what = "several threads";
    check(self->writes_where_refused == 0, name, what, "written where it was refused");
    check(self->status[connection] == CEP_OK, name, what, "a failure");
    check(same_values(self->arrays[connection], self->watch->alone[self->moment][connection]), name, what,
          "other weights than alone");
    cep_array_release(self->arrays[connection]);
}

static void take_in_threads(watch *self) {
    taking takings[LOOKERS];
    for (int i = 0; i < LOOKERS; i++) {
        begin(&takings[i], self, take_all);
    }
    for (int i = 0; i < LOOKERS; i++) {
        pthread_join(takings[i].thread, NULL);
        for (int64_t k = 0; k < CONNECTIONS; k++) {
            judge(&takings[i], k);
        }
    }
}

/* ---- A step function that returns while another thread computes ---- */

static taking late[MOMENTS];

static void *take_most(void *context) {
    taking *self = context;
    insist(self, 1);
    atomic_store(&self->is_done, 1);
    return NULL;
}

static void leave_it_to_another(watch *self) {
    taking *other = &late[self->moment];
    begin(other, self, take_most);
    while (!atomic_load(&other->is_done)) {
        cep_array *array;
        cep_status status = cep_step_array(self->step, CEP_WEIGHTS, 0, &array);
        if (status != CEP_OK) {
            check_status(status, CEP_BUSY, "the step is in use by another thread", name, "a step in use");
            self->refusals++;
            return;
        }
        cep_array_release(array);
    }
}

static void check_late_threads(watch *self) {
    train(self, leave_it_to_another);
    for (int i = 0; i < MOMENTS; i++) {
        pthread_join(late[i].thread, NULL);
        judge(&late[i], 1);
    }
}

void check_moving_weights(void) {
    watch watch = {0};
    train(&watch, take_alone);
    train(&watch, take_in_threads);
    for (int i = 0; i < 100 && watch.refusals == 0; i++) {
        check_late_threads(&watch);
    }
    check(watch.refusals > 0, name, "a step in use", "taken by two threads at a time");
    for (int i = 0; i < MOMENTS; i++) {
        for (int64_t k = 0; k < CONNECTIONS; k++) {
            cep_array_release(watch.alone[i][k]);
        }
    }
}
