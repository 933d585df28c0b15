/* Fuzzing of cep.h: bytes become a sequence of calls, valid and invalid, on two networks.
 *
 * No call may trap, hang, or use memory outside its own (AddressSanitizer checks), and the conventions of cep.h
 * hold: a failed call leaves a message, writes no result and does not change the parameters; reading a network does
 * not change it; training leaves no finite parameter infinite; a step is valid only while its function runs; a copy
 * equals its original. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "inputs.h"
#include "invariants.h"

enum { CALLS = 32, SLOTS = 3 };

/* What a step function reads from each step, and the last step. */
typedef struct probe {
    const char *name;
    int64_t index;
    bool has_result;
    int64_t steps; /* the step at which it stops the work */
    const cep_step *step;
    cep_tensor tensor;
} probe;

typedef struct fuzzing {
    fixture networks[2];
    cep_tensor slots[SLOTS];
    byte_reader in;
    fixture *now;   /* the network of the present call */
    bool uses_copy; /* whether the call works on a copy of the network, which is not busy then */
    probe probe;
} fuzzing;

/* ---- Before and after ---- */

static memory_snapshot take_snapshot(const fuzzing *all) {
    return snapshot_of(all->now, &all->networks[all->now == all->networks]);
}

static void expect(const fuzzing *all, memory_snapshot before, cep_status status, changes allowed) {
    expect_changes(before, take_snapshot(all), status, allowed);
}

/* A result for a call to write, or NULL. */
#define RESULT(type, name)                                                                                        \
    type name##_memory;                                                                                           \
    memset(&name##_memory, unwritten, sizeof name##_memory);                                                      \
    type *name = rarely(&all->in) ? NULL : &name##_memory

#define EXPECT_UNWRITTEN(status, name) expect_unwritten(status, &name##_memory, sizeof name##_memory)

/* ---- Progress ---- */

/* Stops long calls, and makes a call that must be refused because the network is busy. */
static int32_t stop(const cep_progress_report *report, void *context) {
    fuzzing *all = context;
    double energy;
    if (report->done < 0 || report->done > report->total)
        fail_invariant("progress is part of the total");
    if (checked(cep_energy(all->now->network, &energy, 1)) != CEP_BUSY && !all->uses_copy)
        fail_invariant("a network in use is busy");
    return 1;
}

/* The memory of a tensor can be read. */
static void read_all(const cep_tensor *tensor) {
    volatile uint8_t sum = 0;
    for (size_t i = 0; i < size_of(tensor); i++)
        sum += ((const uint8_t *)tensor->data)[i];
}

static int32_t observe(const cep_step *step, void *context) {
    fuzzing *all = context;
    probe *self = &all->probe;
    self->step = step;
    cep_step_summary summary;
    if (checked(cep_step_summarize(step, &summary)) != CEP_OK)
        fail_invariant("a step can be summarized in its function");
    if (summary.step < 0 || !(summary.residual >= 0) || (summary.step == 0 && summary.residual != 0))
        fail_invariant("a step has a number and a residual");
    cep_tensor tensor = {0};
    cep_status status = checked(cep_step_tensor(step, self->name, self->index, self->has_result ? &tensor : NULL));
    if ((status == CEP_OK) != (tensor.memory != NULL))
        fail_invariant("a tensor is written if the call succeeds");
    if (status == CEP_OK) {
        read_all(&tensor);
        cep_tensor_release(&self->tensor);
        self->tensor = tensor;
    }
    cep_network *copy;
    if (!all->uses_copy && checked(cep_network_copy(all->now->network, &copy)) != CEP_BUSY)
        fail_invariant("a network in use is busy");
    return self->steps-- == 0;
}

static cep_progress progress(fuzzing *all) {
    cep_progress progress = {.function = stop, .context = all};
    if (choose(&all->in, 2)) {
        all->probe = (probe){any_tensor_name(&all->in),
                             any_index(&all->in, all->now->layer_count + 1),
                             !rarely(&all->in),
                             next_byte(&all->in),
                             NULL,
                             {0}};
        progress.step = observe;
    }
    return progress;
}

/* ---- Arguments ---- */

static cep_network *network(fuzzing *all) { return rarely(&all->in) ? NULL : all->now->network; }

static const cep_matrix *inputs(fuzzing *all, int64_t rows) {
    cep_matrix *x = allocate_input(sizeof *x);
    *x = any_matrix(&all->in, rows, all->now->sizes[0]);
    const cep_tensor *own = &all->slots[choose(&all->in, SLOTS)];
    if (rarely(&all->in) && own->data != NULL)
        *x = (cep_matrix){own->data, own->dtype, own->shape[0], own->rank > 1 ? own->shape[1] : 1};
    return rarely(&all->in) ? NULL : x;
}

static const cep_targets *targets(fuzzing *all, int64_t rows) {
    return any_targets(&all->in, rows, all->now->sizes[all->now->layer_count - 1]);
}

static const cep_options *rule(fuzzing *all) { return any_rule(&all->in, all->now->connection_count); }

static int64_t steps(fuzzing *all) { return any_count(&all->in, 6); }

/* Few, or more than the engine computes at once. */
static int64_t rows(fuzzing *all) {
    return rarely(&all->in) ? 128 + choose(&all->in, 6) : 1 + choose(&all->in, 6);
}

static int64_t index_of(fuzzing *all) { return any_index(&all->in, all->now->layer_count + 1); }

static void keep(fuzzing *all, cep_tensor tensor) {
    cep_tensor *slot = &all->slots[choose(&all->in, SLOTS)];
    cep_tensor_release(slot);
    *slot = tensor;
}

/* Keeps the last tensor of the step function, and checks that the step is invalid now. */
static void end_probe(fuzzing *all) {
    probe *self = &all->probe;
    cep_step_summary summary;
    cep_tensor tensor;
    if (self->step != NULL && (checked(cep_step_summarize(self->step, &summary)) != CEP_INVALID_ARGUMENT ||
                               checked(cep_step_tensor(self->step, "states", 0, &tensor)) != CEP_INVALID_ARGUMENT))
        fail_invariant("a step is valid only while its function runs");
    if (self->tensor.memory != NULL)
        keep(all, self->tensor);
    *self = (probe){0};
}

/* ---- Calls ---- */

static void create_again(fuzzing *all) {
    destroy(all->now);
    create(all->now, &all->in);
}

/* The copy replaces the other network. */
static void copy_network(fuzzing *all) {
    memory_snapshot before = take_snapshot(all);
    cep_network *copy = NULL;
    cep_status status = checked(cep_network_copy(network(all), rarely(&all->in) ? NULL : &copy));
    expect(all, before, status, NOTHING);
    if ((status == CEP_OK) != (copy != NULL))
        fail_invariant("a copy is written if the call succeeds");
    if (copy == NULL)
        return;
    fixture *other = &all->networks[all->now == all->networks];
    destroy(other);
    adopt(other, copy, all->now);
    if (!same(parameters_of(other), parameters_of(all->now)) || !same(states_of(other), states_of(all->now)))
        fail_invariant("a copy has the same parameters and states");
    cep_random_state states[2];
    if (checked(cep_get_random_state(all->now->network, &states[0])) != CEP_OK ||
        checked(cep_get_random_state(copy, &states[1])) != CEP_OK ||
        memcmp(&states[0], &states[1], sizeof states[0]) != 0)
        fail_invariant("a copy has the same random state");
}

static void take_tensor(fuzzing *all) {
    cep_tensor tensor = {0};
    const char *name = any_tensor_name(&all->in);
    int64_t index = index_of(all);
    if (checked(cep_network_tensor(network(all), name, index, rarely(&all->in) ? NULL : &tensor)) == CEP_OK) {
        keep(all, tensor);
    } else if (tensor.memory != NULL) {
        fail_invariant("a call that fails writes no tensor");
    }
}

static void write_tensor(fuzzing *all) {
    const cep_tensor *tensor = &all->slots[choose(&all->in, SLOTS)];
    if (tensor->data == NULL)
        return;
    int64_t place = choose(&all->in, count_of(tensor));
    double value = any_number(&all->in);
    if (tensor->dtype == CEP_FLOAT32) {
        ((float *)tensor->data)[place] = (float)value;
    } else {
        ((double *)tensor->data)[place] = value;
    }
}

static void release_tensor(fuzzing *all) { keep(all, (cep_tensor){0}); }

static void list_tensors(fuzzing *all) {
    bool of_devices = choose(&all->in, 2);
    int64_t capacity = rarely(&all->in) ? -1 : choose(&all->in, 8), count = -1;
    cep_parameter *listed = allocate_input(capacity > 0 ? (size_t)capacity * sizeof *listed : 0);
    cep_status status = checked((of_devices ? cep_network_devices : cep_network_parameters)(
        network(all), rarely(&all->in) ? NULL : listed, capacity, rarely(&all->in) ? NULL : &count));
    int64_t known = of_devices ? all->now->device_count : all->now->parameter_count;
    if (status == CEP_OK ? count != known : count != -1)
        fail_invariant("tensors are counted if the call succeeds");
}

static void pulse_response(fuzzing *all) {
    byte_reader *in = &all->in;
    int64_t count = choose(in, 9), given = rarely(in) ? any_index(in, 1) : count;
    size_t size = (size_t)count * sizeof(int64_t);
    int64_t *directions = allocate_input(size);
    for (int64_t k = 0; k < count; k++)
        directions[k] = rarely(in) ? any_index(in, 2) : choose(in, 2) * 2 - 1;
    double *weights = allocate_input(size);
    memset(weights, unwritten, size);
    cep_status status = checked(cep_pulse_response(rarely(in) ? NULL : any_synapse(in),
                                                   rarely(in) ? NULL : directions, given > count ? -given : given,
                                                   any_number(in), next_byte(in), rarely(in) ? NULL : weights));
    expect_unwritten(status, weights, size);
}

static void optimizer(fuzzing *all) {
    RESULT(cep_optimizer_summary, summary);
    memory_snapshot before = take_snapshot(all);
    cep_status status = checked(cep_optimizer_prepare(network(all), rule(all)));
    expect(all, before, status, NOTHING);
    if (rarely(&all->in))
        checked(cep_optimizer_set_steps(network(all), any_count(&all->in, 100)));
    EXPECT_UNWRITTEN(checked(cep_optimizer_summarize(network(all), summary)), summary);
    static const char *const states[] = {"velocity", "first_moment", "second_moment", "", NULL};
    cep_tensor tensor = {0};
    const char *state = states[choose(&all->in, 5)], *name = any_tensor_name(&all->in);
    if (checked(cep_optimizer_tensor(network(all), state, name, index_of(all), &tensor)) == CEP_OK)
        keep(all, tensor);
}

static void free_phase(fuzzing *all) {
    RESULT(cep_phase_outcome, outcome);
    memory_snapshot before = take_snapshot(all);
    int64_t batch = rarely(&all->in) || all->now->batch == 0 ? rows(all) : all->now->batch;
    cep_status status = checked(cep_free_phase(network(all), inputs(all, batch), steps(all),
                                               (int32_t)choose(&all->in, 3), progress(all), outcome));
    expect(all, before, status, STATES);
    EXPECT_UNWRITTEN(status, outcome);
    if (status == CEP_OK)
        all->now->batch = batch;
}

static void nudged_phase(fuzzing *all) {
    RESULT(cep_phase_outcome, outcome);
    memory_snapshot before = take_snapshot(all);
    int64_t batch = all->now->batch == 0 ? rows(all) : all->now->batch;
    cep_status status = checked(cep_nudged_phase(network(all), targets(all, batch), any_number(&all->in),
                                                 steps(all), progress(all), outcome));
    expect(all, before, status, STATES);
    EXPECT_UNWRITTEN(status, outcome);
}

static void train_batch(fuzzing *all) {
    RESULT(cep_metrics, metrics);
    memory_snapshot before = take_snapshot(all);
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
    memory_snapshot before = take_snapshot(all);
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
    memory_snapshot before = take_snapshot(all);
    int64_t samples = rows(all);
    cep_status status = checked(cep_evaluate(network(all), inputs(all, samples), targets(all, samples), steps(all),
                                             progress(all), metrics));
    expect(all, before, status, NOTHING);
    EXPECT_UNWRITTEN(status, metrics);
    if (status == CEP_OK && (metrics->errors < 0 || metrics->errors > metrics->samples)) {
        fail_invariant("there are at most as many errors as samples");
    }
}

static void predict(fuzzing *all) {
    int64_t samples = rows(all), length = rarely(&all->in) ? rows(all) : samples;
    int64_t *classes = allocate_input((size_t)length * sizeof *classes);
    memset(classes, unwritten, (size_t)length * sizeof *classes);
    memory_snapshot before = take_snapshot(all);
    cep_status status = checked(cep_predict(network(all), inputs(all, samples), steps(all), progress(all),
                                            rarely(&all->in) ? NULL : classes, length));
    expect(all, before, status, NOTHING);
    expect_unwritten(status, classes, (size_t)length * sizeof *classes);
    for (int64_t i = 0; status == CEP_OK && i < length; i++) {
        if (classes[i] < 0 || classes[i] >= all->now->sizes[all->now->layer_count - 1])
            fail_invariant("a class is a unit");
    }
}

static void check_samples(fuzzing *all) {
    memory_snapshot before = take_snapshot(all);
    int64_t samples = rows(all);
    cep_status status = checked(cep_check_samples(network(all), inputs(all, samples), targets(all, samples)));
    expect(all, before, status, NOTHING);
}

static void gradient(fuzzing *all) {
    RESULT(cep_metrics, metrics);
    memory_snapshot before = take_snapshot(all);
    int64_t batch = rows(all);
    cep_gradient *gradient = NULL;
    cep_status status = checked(cep_gradient_estimate(network(all), inputs(all, batch), targets(all, batch),
                                                      rule(all), progress(all), metrics, &gradient));
    expect(all, before, status, NOTHING);
    EXPECT_UNWRITTEN(status, metrics);
    if ((status == CEP_OK) != (gradient != NULL))
        fail_invariant("a gradient is written if the call succeeds");
    cep_tensor tensor = {0};
    const char *name = any_tensor_name(&all->in);
    if (checked(cep_gradient_tensor(gradient, name, index_of(all), &tensor)) == CEP_OK)
        keep(all, tensor);
    cep_gradient_destroy(gradient);
}

static void theorem(fuzzing *all) {
    memory_snapshot before = take_snapshot(all);
    int64_t batch = rows(all);
    all->uses_copy = true;
    cep_theorem *theorem = NULL;
    cep_status status = checked(cep_theorem_check(network(all), inputs(all, batch), targets(all, batch),
                                                  any_theorem_options(&all->in, all->now->connection_count),
                                                  progress(all), &theorem));
    expect(all, before, status, NOTHING);
    all->uses_copy = false;
    RESULT(cep_theorem_summary, summary);
    EXPECT_UNWRITTEN(checked(cep_theorem_summarize(theorem, summary)), summary);
    RESULT(cep_theorem_curves, curves);
    const char *name = any_tensor_name(&all->in);
    status = checked(cep_theorem_compare(theorem, name, index_of(all), curves));
    EXPECT_UNWRITTEN(status, curves);
    if (status == CEP_OK) {
        keep(all, curves->updates);
        keep(all, curves->gradients);
    }
    cep_theorem_destroy(theorem);
}

static void energy(fuzzing *all) {
    int64_t length = rarely(&all->in) || all->now->batch == 0 ? rows(all) : all->now->batch;
    double *energies = allocate_input((size_t)length * sizeof *energies);
    memset(energies, unwritten, (size_t)length * sizeof *energies);
    memory_snapshot before = take_snapshot(all);
    cep_status status = checked(cep_energy(network(all), rarely(&all->in) ? NULL : energies, length));
    expect(all, before, status, NOTHING);
    expect_unwritten(status, energies, (size_t)length * sizeof *energies);
}

static void feedback_angle(fuzzing *all) {
    RESULT(double, degrees);
    memory_snapshot before = take_snapshot(all);
    int64_t connection = any_index(&all->in, all->now->layer_count);
    cep_status status = checked(cep_feedback_angle(network(all), connection, degrees));
    expect(all, before, status, NOTHING);
    EXPECT_UNWRITTEN(status, degrees);
    if (status == CEP_OK && (*degrees < 0 || *degrees > 180))
        fail_invariant("an angle is 0 to 180 degrees");
}

static void random_state(fuzzing *all) {
    RESULT(cep_random_state, state);
    EXPECT_UNWRITTEN(checked(cep_get_random_state(network(all), state)), state);
    cep_random_state wanted = {{0, 0, 0, next_byte(&all->in)}};
    if (checked(cep_set_random_state(network(all), rarely(&all->in) ? NULL : &wanted)) != CEP_OK)
        return;
    if (wanted.words[3] == 0)
        fail_invariant("a random state of zeros is refused");
    checked(cep_get_random_state(all->now->network, &state_memory));
    if (memcmp(&state_memory, &wanted, sizeof wanted) != 0)
        fail_invariant("a random state is read as it was set");
}

static void set_threads(fuzzing *all) {
    /* More than two threads only take longer. */
    int64_t count = any_count(&all->in, 2);
    cep_status status = checked(cep_set_num_threads(count));
    if ((status == CEP_OK) != (cep_get_num_threads() == count))
        fail_invariant("the number of threads is read as it was set");
}

static void (*const calls[])(fuzzing *) = {
    free_phase,     nudged_phase, train_batch, train_epoch,    evaluate,     predict,      check_samples,
    gradient,       theorem,      energy,      feedback_angle, random_state, take_tensor,  write_tensor,
    release_tensor, create_again, set_threads, list_tensors,   optimizer,    copy_network, pulse_response,
};

/* By default AddressSanitizer ends the process if it is asked for too much memory. */
const char *__asan_default_options(void) { return "allocator_may_return_null=1"; }

/* Memory that Swift's run time never frees. */
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
        end_probe(&all);
        free_inputs();
    }
    for (int i = 0; i < SLOTS; i++)
        cep_tensor_release(&all.slots[i]);
    for (int i = 0; i < 2; i++)
        destroy(&all.networks[i]);
    free_inputs();
    return 0;
}
