/* What a step function is given, and what it may hand to the functions that look at it. */
#include <stddef.h>

#include "arguments.h"
#include "checks.h"
#include "program.h"

typedef struct {
    arguments *a;
    int moments;
    const cep_step *latest;
} watch;

static void check_summaries(const cep_step *step, arguments *a) {
    const char *name = "cep_step_summarize";
    cep_step_summary *room = (cep_step_summary *)a->result_storage;
    check_status(cep_step_summarize(step, room), CEP_OK, "", name, "a moment");
    check(room->step >= 0 && room->weights_move == 0, name, "a moment", "another summary");
    check_status(cep_step_summarize(NULL, room), CEP_INVALID_ARGUMENT, "step is NULL", name, "NULL");
    check_status(cep_step_summarize(step, NULL), CEP_INVALID_ARGUMENT, "summary is NULL", name, "no room");
    check_status(cep_step_summarize(step, (cep_step_summary *)((char *)room + 1)), CEP_INVALID_ARGUMENT,
                 "not aligned", name, "misaligned room");
    check_status(cep_step_summarize((const cep_step *)a->network, room), CEP_INVALID_ARGUMENT, "not a step", name,
                 "a network");
    cep_step_summary *weights = (cep_step_summary *)a->world->layouts[0].data;
    check_status(cep_step_summarize(step, weights), CEP_INVALID_ARGUMENT, "overlaps", name, "over weights");
}

static void check_arrays(const cep_step *step, arguments *a) {
    const char *name = "cep_step_array";
    cep_array **room = (cep_array **)a->result_storage;
    const cep_array_kind kinds[] = {CEP_STATES, CEP_WEIGHTS, CEP_BIASES};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        check_status(cep_step_array(step, kinds[i], 1, room), CEP_OK, "", name, "an array of a moment");
        cep_array_release(*room);
        check_status(cep_step_array(step, kinds[i], -1, room), CEP_INVALID_ARGUMENT, "", name, "index -1");
        check_status(cep_step_array(step, kinds[i], INT64_MAX, room), CEP_INVALID_ARGUMENT, "", name,
                     "a huge index");
    }
    check_status(cep_step_array(step, 77, 1, room), CEP_INVALID_ARGUMENT, "77", name, "an unknown kind");
    check_status(cep_step_array(NULL, CEP_STATES, 1, room), CEP_INVALID_ARGUMENT, "step is NULL", name, "NULL");
    check_status(cep_step_array(step, CEP_STATES, 1, NULL), CEP_INVALID_ARGUMENT, "array is NULL", name,
                 "no room");
    check_status(cep_step_array(step, CEP_STATES, 1, (cep_array **)((char *)room + 1)), CEP_INVALID_ARGUMENT,
                 "not aligned", name, "misaligned room");
    check_status(cep_step_array((const cep_step *)a->array, CEP_STATES, 1, room), CEP_INVALID_ARGUMENT,
                 "not a step", name, "an array");
    cep_array **weights = (cep_array **)a->world->layouts[0].data;
    check_status(cep_step_array(step, CEP_STATES, 1, weights), CEP_INVALID_ARGUMENT, "overlaps", name,
                 "over weights");
    check_status(cep_step_array(step, CEP_STATES, 1, room), CEP_OK, "", name, "states");
    cep_array *states = *room;
    cep_array_layout layout;
    check_status(cep_array_describe(states, &layout), CEP_OK, "", "cep_array_describe", "states of a moment");
    check_status(cep_step_array(step, CEP_STATES, 1, (cep_array **)layout.data), CEP_INVALID_ARGUMENT, "overlaps",
                 name, "over states");
    cep_array_release(states);
}

static int32_t look(const cep_step *step, void *context) {
    watch *watch = context;
    check_summaries(step, watch->a);
    check_arrays(step, watch->a);
    /* The phase is using the network. */
    cep_phase_outcome *room = (cep_phase_outcome *)watch->a->metrics_storage;
    check_status(cep_free_phase(watch->a->network, watch->a->x, 1, 0, (cep_progress){0}, room), CEP_BUSY, "",
                 "cep_free_phase", "from a step function");
    watch->latest = step;
    watch->moments++;
    return 0;
}

static int32_t stop(const cep_step *step, void *context) {
    (void)step;
    (void)context;
    return 1;
}

void check_moments(void) {
    world world;
    arguments a;
    make_world(&world, CEP_FLOAT64, CEP_TIED);
    set_good_arguments(&a, &world, CEP_RULE_EP);
    watch watch = {&a, 0, NULL};
    cep_phase_outcome outcome;
    cep_progress progress = {.step = look, .context = &watch};
    check_status(cep_free_phase(a.network, a.x, 3, 0, progress, &outcome), CEP_OK, "", "cep_free_phase",
                 "watched");
    check(watch.moments == outcome.steps + 1, "cep_free_phase", "watched", "another number of moments");

    cep_step_summary summary;
    check_status(cep_step_summarize(watch.latest, &summary), CEP_INVALID_ARGUMENT, "released",
                 "cep_step_summarize", "a moment that has passed");
    cep_array *array;
    check_status(cep_step_array(watch.latest, CEP_STATES, 1, &array), CEP_INVALID_ARGUMENT, "released",
                 "cep_step_array", "a moment that has passed");

    remember_network(&world);
    progress.step = stop;
    check_status(cep_train_batch(a.network, a.x, a.targets, a.rule, progress, a.metrics), CEP_STOPPED, "",
                 "cep_train_batch", "stopped by the step function");
    destroy_world(&world);
}
