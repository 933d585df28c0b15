/* Fuzzing of cep.h: bytes become a sequence of calls, good and bad, on two networks.
 *
 * Whatever the calls, none traps, hangs, or touches memory that is not its own (AddressSanitizer looks), and what
 * cep.h promises of all of them holds: a call that fails says why, writes no result and leaves the parameters as
 * they were; looking at a network does not change it; training leaves no parameter infinite that was finite. Steps
 * are there while their function runs, and a copy is what it was copied from. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lent.h"
#include "promises.h"
#include "subject.h"

enum { CALLS = 32, SLOTS = 3 };

/* What a step function takes of each step, and the last one it saw. */
typedef struct watching {
    int32_t kind;
    int64_t index;
    bool has_room;
    int64_t moments; /* after which it stops the work */
    const cep_step *step;
    cep_array *array;
} watching;

typedef struct fuzzing {
    subject networks[2];
    cep_array *slots[SLOTS];
    bytes in;
    subject *now; /* the one that a call is about */
    watching watching;
} fuzzing;

/* ---- Before and after -------------------------------------------------------------------------------- */

static moment look(const fuzzing *all) { return look_at(all->now, &all->networks[all->now == all->networks]); }

static void expect(const fuzzing *all, moment before, cep_status status, changes allowed) {
    expect_changes(before, look(all), status, allowed);
}

/* A result for a call to write, or NULL; of a type of its own for each. */
#define RESULT(type, name)                                                                                        \
    type name##_memory;                                                                                           \
    memset(&name##_memory, unwritten, sizeof name##_memory);                                                      \
    type *name = rarely(&all->in) ? NULL : &name##_memory

#define EXPECT_UNWRITTEN(status, name) expect_unwritten(status, &name##_memory, sizeof name##_memory)

/* ---- Progress --------------------------------------------------------------------------------- */

/* Ends what would take long, and asks for what is not to be had meanwhile. */
static int32_t stop(const cep_progress_report *report, void *context) {
    fuzzing *all = context;
    double energy;
    if (report->done < 0 || report->done > report->total)
        broken("progress is part of the whole");
    if (checked(cep_energy(all->now->network, &energy, 1)) != CEP_BUSY)
        broken("a network that works is busy");
    return 1;
}

/* Whoever has an array may read all of it. */
static void read_through(const cep_array *array) {
    cep_array_layout layout = layout_of(array);
    volatile uint8_t sum = 0;
    for (size_t i = 0; i < size_of(&layout); i++)
        sum += ((const uint8_t *)layout.data)[i];
}

static int32_t watch(const cep_step *step, void *context) {
    fuzzing *all = context;
    watching *self = &all->watching;
    self->step = step;
    cep_step_summary summary;
    if (checked(cep_step_summarize(step, &summary)) != CEP_OK)
        broken("a step can be summarized while it is the last one");
    if (summary.step < 0 || !(summary.residual >= 0) || (summary.step == 0 && summary.residual != 0))
        broken("a step has a number and a residual");
    cep_array *array = NULL;
    cep_status status = checked(cep_step_array(step, self->kind, self->index, self->has_room ? &array : NULL));
    if ((status == CEP_OK) != (array != NULL))
        broken("there is an array where the call succeeds");
    if (array != NULL) {
        read_through(array);
        cep_array_release(self->array);
        self->array = array;
    }
    cep_network *copy;
    if (checked(cep_network_copy(all->now->network, &copy)) != CEP_BUSY)
        broken("a network that works is busy");
    return self->moments-- == 0;
}

static cep_progress progress(fuzzing *all) {
    cep_progress progress = {.function = stop, .context = all};
    if (choose(&all->in, 2)) {
        all->watching = (watching){any_choice(&all->in, 4),
                                   any_index(&all->in, all->now->layer_count + 1),
                                   !rarely(&all->in),
                                   next_byte(&all->in),
                                   NULL,
                                   NULL};
        progress.step = watch;
    }
    return progress;
}

/* ---- What calls are given --------------------------------------------------------------------- */

static cep_network *network(fuzzing *all) { return rarely(&all->in) ? NULL : all->now->network; }

static const cep_matrix *inputs(fuzzing *all, int64_t rows) {
    cep_matrix *x = lend(sizeof *x);
    *x = any_matrix(&all->in, rows, all->now->sizes[0]);
    const cep_array *own = all->slots[choose(&all->in, SLOTS)];
    if (rarely(&all->in) && own != NULL) {
        cep_array_layout layout = layout_of(own);
        *x = (cep_matrix){layout.data, layout.dtype, layout.shape[0], layout.shape[1]};
    }
    return rarely(&all->in) ? NULL : x;
}

static const cep_targets *targets(fuzzing *all, int64_t rows) {
    return any_targets(&all->in, rows, all->now->sizes[all->now->layer_count - 1]);
}

static const cep_rule *rule(fuzzing *all) { return any_rule(&all->in, all->now->layer_count - 1); }

static int64_t steps(fuzzing *all) { return any_count(&all->in, 6); }

/* Few, or more than are worked on at once. */
static int64_t rows(fuzzing *all) {
    return rarely(&all->in) ? 128 + choose(&all->in, 6) : 1 + choose(&all->in, 6);
}

static void keep(fuzzing *all, cep_array *array) {
    cep_array **slot = &all->slots[choose(&all->in, SLOTS)];
    cep_array_release(*slot);
    *slot = array;
}

/* Keeps what a step function took; the step has gone. */
static void stop_watching(fuzzing *all) {
    watching *self = &all->watching;
    cep_step_summary summary;
    cep_array *array;
    if (self->step != NULL && (checked(cep_step_summarize(self->step, &summary)) != CEP_INVALID_ARGUMENT ||
                               checked(cep_step_array(self->step, CEP_STATES, 0, &array)) != CEP_INVALID_ARGUMENT))
        broken("a step is there while its function runs, and no longer");
    if (self->array != NULL)
        keep(all, self->array);
    *self = (watching){0};
}

/* ---- Calls ------------------------------------------------------------------------------------ */

static void make_again(fuzzing *all) {
    destroy(all->now);
    create(all->now, &all->in);
}

/* The copy takes the place of the other network. */
static void copy_network(fuzzing *all) {
    moment before = look(all);
    cep_network *copy = NULL;
    cep_status status = checked(cep_network_copy(network(all), rarely(&all->in) ? NULL : &copy));
    expect(all, before, status, NOTHING);
    if ((status == CEP_OK) != (copy != NULL))
        broken("there is a copy where the call succeeds");
    if (copy == NULL)
        return;
    subject *other = &all->networks[all->now == all->networks];
    destroy(other);
    adopt(other, copy, all->now);
    if (!same(parameters_of(other), parameters_of(all->now)) || !same(states_of(other), states_of(all->now)))
        broken("a copy has the parameters and the states");
    cep_random_state states[2];
    if (checked(cep_get_random_state(all->now->network, &states[0])) != CEP_OK ||
        checked(cep_get_random_state(copy, &states[1])) != CEP_OK ||
        memcmp(&states[0], &states[1], sizeof states[0]) != 0)
        broken("a copy has the random state");
}

static void take_array(fuzzing *all) {
    cep_array *array = NULL;
    int32_t kind = any_choice(&all->in, 4);
    int64_t index = any_index(&all->in, all->now->layer_count + 1);
    if (checked(cep_network_array(network(all), kind, index, rarely(&all->in) ? NULL : &array)) == CEP_OK) {
        keep(all, array);
    } else if (array != NULL) {
        broken("nothing is written where an array cannot be had");
    }
}

static void write_through(fuzzing *all) {
    const cep_array *array = all->slots[choose(&all->in, SLOTS)];
    if (array == NULL)
        return;
    cep_array_layout layout = layout_of(array);
    int64_t place = choose(&all->in, layout.shape[0] * layout.shape[1]);
    double value = any_number(&all->in);
    if (layout.dtype == CEP_FLOAT32) {
        ((float *)layout.data)[place] = (float)value;
    } else {
        ((double *)layout.data)[place] = value;
    }
}

static void release_array(fuzzing *all) { keep(all, NULL); }

static void free_phase(fuzzing *all) {
    RESULT(cep_phase_outcome, outcome);
    moment before = look(all);
    int64_t batch = rarely(&all->in) || all->now->batch == 0 ? rows(all) : all->now->batch;
    cep_status status = checked(cep_free_phase(network(all), inputs(all, batch), steps(all),
                                               any_choice(&all->in, 2), progress(all), outcome));
    expect(all, before, status, STATES);
    EXPECT_UNWRITTEN(status, outcome);
    if (status == CEP_OK)
        all->now->batch = batch;
}

static void nudged_phase(fuzzing *all) {
    RESULT(cep_phase_outcome, outcome);
    moment before = look(all);
    int64_t batch = all->now->batch == 0 ? rows(all) : all->now->batch;
    cep_status status = checked(cep_nudged_phase(network(all), targets(all, batch), any_number(&all->in),
                                                 steps(all), progress(all), outcome));
    expect(all, before, status, STATES);
    EXPECT_UNWRITTEN(status, outcome);
}

static void train_batch(fuzzing *all) {
    RESULT(cep_metrics, metrics);
    moment before = look(all);
    int64_t batch = rows(all);
    cep_status status = checked(
        cep_train_batch(network(all), inputs(all, batch), targets(all, batch), rule(all), progress(all), metrics));
    expect(all, before, status, PARAMETERS);
    EXPECT_UNWRITTEN(status, metrics);
    if (status == CEP_OK)
        all->now->batch = batch;
}

static void train_epoch(fuzzing *all) {
    RESULT(cep_metrics, metrics);
    moment before = look(all);
    int64_t samples = rows(all);
    cep_epoch_part part = {any_index(&all->in, 3), any_index(&all->in, 3), any_count(&all->in, 3),
                           any_number(&all->in)};
    cep_status status = checked(cep_train_epoch(network(all), inputs(all, samples), targets(all, samples),
                                                rule(all), any_count(&all->in, 4), next_byte(&all->in),
                                                choose(&all->in, 2) ? &part : NULL, progress(all), metrics));
    expect(all, before, status, WHOLE_BATCHES);
    EXPECT_UNWRITTEN(status, metrics);
    all->now->batch = 0;
}

static void evaluate(fuzzing *all) {
    RESULT(cep_metrics, metrics);
    moment before = look(all);
    int64_t samples = rows(all);
    cep_status status = checked(cep_evaluate(network(all), inputs(all, samples), targets(all, samples), steps(all),
                                             progress(all), metrics));
    expect(all, before, status, NOTHING);
    EXPECT_UNWRITTEN(status, metrics);
    if (status == CEP_OK && (metrics->errors < 0 || metrics->errors > metrics->samples)) {
        broken("no more predictions are wrong than there are");
    }
}

static void predict(fuzzing *all) {
    int64_t samples = rows(all), room = rarely(&all->in) ? rows(all) : samples;
    int64_t *classes = lend((size_t)room * sizeof *classes);
    memset(classes, unwritten, (size_t)room * sizeof *classes);
    moment before = look(all);
    cep_status status = checked(cep_predict(network(all), inputs(all, samples), steps(all), progress(all),
                                            rarely(&all->in) ? NULL : classes, room));
    expect(all, before, status, NOTHING);
    expect_unwritten(status, classes, (size_t)room * sizeof *classes);
    for (int64_t i = 0; status == CEP_OK && i < room; i++) {
        if (classes[i] < 0 || classes[i] >= all->now->sizes[all->now->layer_count - 1])
            broken("a class is a unit");
    }
}

static void check_samples(fuzzing *all) {
    moment before = look(all);
    int64_t samples = rows(all);
    cep_status status = checked(cep_check_samples(network(all), inputs(all, samples), targets(all, samples)));
    expect(all, before, status, NOTHING);
}

static void gradient(fuzzing *all) {
    RESULT(cep_metrics, metrics);
    moment before = look(all);
    int64_t batch = rows(all);
    cep_gradient *gradient = NULL;
    cep_status status = checked(cep_gradient_estimate(network(all), inputs(all, batch), targets(all, batch),
                                                      rule(all), progress(all), metrics, &gradient));
    expect(all, before, status, NOTHING);
    EXPECT_UNWRITTEN(status, metrics);
    if ((status == CEP_OK) != (gradient != NULL))
        broken("there is a gradient where the call succeeds");
    cep_array *array = NULL;
    int32_t kind = any_choice(&all->in, 4);
    int64_t index = any_index(&all->in, all->now->layer_count);
    if (checked(cep_gradient_array(gradient, kind, index, &array)) == CEP_OK)
        keep(all, array);
    cep_gradient_destroy(gradient);
}

static void theorem(fuzzing *all) {
    moment before = look(all);
    int64_t batch = rows(all);
    cep_theorem *theorem = NULL;
    cep_status status =
        checked(cep_theorem_check(network(all), inputs(all, batch), targets(all, batch),
                                  any_conditions(&all->in, all->now->layer_count - 1), progress(all), &theorem));
    expect(all, before, status, NOTHING);
    RESULT(cep_theorem_summary, summary);
    EXPECT_UNWRITTEN(checked(cep_theorem_summarize(theorem, summary)), summary);
    RESULT(cep_theorem_curves, curves);
    int32_t kind = any_choice(&all->in, 4);
    status = checked(cep_theorem_compare(theorem, kind, any_count(&all->in, all->now->layer_count), curves));
    EXPECT_UNWRITTEN(status, curves);
    if (status == CEP_OK) {
        keep(all, curves->updates);
        keep(all, curves->gradients);
    }
    cep_theorem_destroy(theorem);
}

static void energy(fuzzing *all) {
    int64_t room = rarely(&all->in) || all->now->batch == 0 ? rows(all) : all->now->batch;
    double *energies = lend((size_t)room * sizeof *energies);
    memset(energies, unwritten, (size_t)room * sizeof *energies);
    moment before = look(all);
    cep_status status = checked(cep_energy(network(all), rarely(&all->in) ? NULL : energies, room));
    expect(all, before, status, NOTHING);
    expect_unwritten(status, energies, (size_t)room * sizeof *energies);
}

static void feedback_angle(fuzzing *all) {
    RESULT(double, degrees);
    moment before = look(all);
    int64_t connection = any_index(&all->in, all->now->layer_count);
    cep_status status = checked(cep_feedback_angle(network(all), connection, degrees));
    expect(all, before, status, NOTHING);
    EXPECT_UNWRITTEN(status, degrees);
    if (status == CEP_OK && (*degrees < 0 || *degrees > 180))
        broken("an angle is 0 to 180 degrees");
}

static void random_state(fuzzing *all) {
    RESULT(cep_random_state, state);
    EXPECT_UNWRITTEN(checked(cep_get_random_state(network(all), state)), state);
    cep_random_state wanted = {{0, 0, 0, next_byte(&all->in)}};
    if (checked(cep_set_random_state(network(all), rarely(&all->in) ? NULL : &wanted)) != CEP_OK)
        return;
    if (wanted.words[3] == 0)
        broken("a random state of zeros is refused");
    checked(cep_get_random_state(all->now->network, &state_memory));
    if (memcmp(&state_memory, &wanted, sizeof wanted) != 0)
        broken("a random state is as it was set");
}

static void set_threads(fuzzing *all) {
    /* More than two only cost time here. */
    int64_t count = any_count(&all->in, 2);
    cep_status status = checked(cep_set_num_threads(count));
    if ((status == CEP_OK) != (cep_get_num_threads() == count))
        broken("there are as many threads as were set");
}

static void (*const calls[])(fuzzing *) = {
    free_phase,    nudged_phase,  train_batch,   train_epoch, evaluate,       predict,
    check_samples, gradient,      theorem,       energy,      feedback_angle, random_state,
    take_array,    write_through, release_array, make_again,  set_threads,    copy_network,
};

/* Asked for too much memory, AddressSanitizer would end the process rather than say that there is none. */
const char *__asan_default_options(void) { return "allocator_may_return_null=1"; }

/* What Swift's run time keeps for good. */
const char *__lsan_default_suppressions(void) { return "leak:swift_getTypeName"; }

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzzing all = {.in = {data, size}};
    cep_set_num_threads(1);
    create(&all.networks[0], &all.in);
    for (int call = 0; call < CALLS && all.in.left > 0; call++) {
        all.now = &all.networks[rarely(&all.in)];
        if (all.now->network == NULL)
            create(all.now, &all.in);
        if (all.now->network != NULL)
            calls[choose(&all.in, sizeof calls / sizeof *calls)](&all);
        stop_watching(&all);
        give_back();
    }
    for (int i = 0; i < SLOTS; i++)
        cep_array_release(all.slots[i]);
    for (int i = 0; i < 2; i++)
        destroy(&all.networks[i]);
    return 0;
}
