/* Numbers as large as they can be, and networks that hold what no number is: any status will do, and no trap. */
#include <float.h>
#include <math.h>
#include <stdio.h>

#include "arguments.h"
#include "checks.h"
#include "program.h"

static int32_t stop(const cep_progress_report *report, void *context) {
    (void)report;
    (void)context;
    return 1;
}

/* A long call ends at the first report. */
static const cep_progress stopping = {.function = stop};

static void any_of(cep_status status, cep_status first, cep_status second, const char *function,
                   const char *what) {
    check(status == first || status == second, function, what, cep_last_error());
}

static void check_steps(world *world) {
    arguments a;
    set_good_arguments(&a, world, CEP_RULE_EP);
    a.steps = INT64_MAX;
    any_of(cep_free_phase(a.network, a.x, a.steps, 0, stopping, a.result), CEP_OK, CEP_STOPPED, "cep_free_phase",
           "the most steps");
    any_of(cep_nudged_phase(a.network, a.targets, a.beta, a.steps, stopping, a.result), CEP_OK, CEP_STOPPED,
           "cep_nudged_phase", "the most steps");
    any_of(cep_evaluate(a.network, a.x, a.targets, a.steps, stopping, a.metrics), CEP_OK, CEP_STOPPED,
           "cep_evaluate", "the most steps");
    any_of(cep_predict(a.network, a.x, a.steps, stopping, a.result, ROWS), CEP_OK, CEP_STOPPED, "cep_predict",
           "the most steps");
    /* From 2^29 steps on what is kept of them is more than a machine has; their rows are more than are counted. */
    for (int64_t steps = INT64_C(1) << 29; steps > 0; steps = steps < INT64_MAX / 2 + 1 ? steps * 2 : -1) {
        a.conditions_storage.free_steps = steps;
        a.conditions_storage.nudged_steps = steps;
        check_status(cep_theorem_check(a.network, a.x, a.targets, a.conditions, stopping, a.result),
                     CEP_OUT_OF_MEMORY, "steps", "cep_theorem_check", "more steps than can be kept");
    }
}

static void check_rules(world *world) {
    arguments a;
    void *gradient;
    for (cep_rule_kind kind = CEP_RULE_EP; kind <= CEP_RULE_RBP; kind++) {
        /* Bits: huge free steps, huge nudged steps, an option. */
        for (int i = 0; i < 8; i++) {
            set_good_arguments(&a, world, kind);
            a.progress = stopping;
            if (i & 1) {
                a.rule_storage.free_steps = INT64_MAX;
            }
            if (i & 2) {
                a.rule_storage.nudged_steps = i & 4 ? INT64_MAX : INT64_C(1) << 61;
                a.rule_storage.max_iterations = INT64_MAX;
            }
            a.rule_storage.accumulate = a.rule_storage.write_every_step = i & 4;
            a.batch_size = INT64_MAX;
            a.part_storage.batch_count = INT64_MAX;
            cep_status status = cep_train_batch(a.network, a.x, a.targets, a.rule, a.progress, a.result);
            check(status >= CEP_OK && status <= CEP_STOPPED, "cep_train_batch", "the most steps",
                  cep_last_error());
            status = cep_train_epoch(a.network, a.x, a.targets, a.rule, a.batch_size, UINT64_MAX, a.part,
                                     a.progress, a.result);
            check(status >= CEP_OK && status <= CEP_STOPPED, "cep_train_epoch", "the most steps",
                  cep_last_error());
            status = cep_gradient_estimate(a.network, a.x, a.targets, a.rule, a.progress, a.metrics,
                                           (cep_gradient **)&gradient);
            check(status >= CEP_OK && status <= CEP_STOPPED, "cep_gradient_estimate", "the most steps",
                  cep_last_error());
            if (status == CEP_OK) {
                cep_gradient_destroy(gradient);
            }
        }
        /* Numbers that products of are not numbers. */
        for (int i = 0; i < 3; i++) {
            set_good_arguments(&a, world, kind);
            a.rates[0] = a.rates[1] = a.bias_rates[0] = a.bias_rates[1] = i == 0 ? FLT_MAX : 0.1;
            a.rule_storage.beta = i == 1 ? FLT_MAX : i == 2 ? 1e-37 : 0.5;
            cep_status status = cep_train_batch(a.network, a.x, a.targets, a.rule, a.progress, a.result);
            any_of(status, CEP_OK, CEP_DIVERGED, "cep_train_batch", "the largest numbers");
        }
    }
}

/* What is written through arrays is not checked when it is written. */
static void check_what_arrays_hold(void) {
    static const double numbers[] = {NAN, INFINITY, -INFINITY, FLT_MAX, -FLT_MAX, 1e300, 5e-324};
    arguments a;
    for (int i = 0; i < 4 * (int)(sizeof numbers / sizeof numbers[0]) * 8; i++) {
        world world;
        make_world(&world, i & 1 ? CEP_FLOAT64 : CEP_FLOAT32, i & 2 ? CEP_UNTIED : CEP_TIED);
        const cep_array_layout *layout = &world.layouts[i / 4 % 8 % world.array_count];
        cep_matrix memory = {layout->data, layout->dtype, layout->shape[0], layout->shape[1]};
        set_value(&memory, memory.rows * memory.columns - 1, numbers[i / 32]);
        set_good_arguments(&a, &world, CEP_RULE_EP);
        cep_phase_outcome outcome;
        cep_metrics metrics;
        double degrees, energies[ROWS];
        any_of(cep_free_phase(a.network, a.x, 3, 1, a.progress, &outcome), CEP_OK, CEP_DIVERGED, "cep_free_phase",
               "what arrays hold");
        any_of(cep_nudged_phase(a.network, a.targets, 0.5, 3, a.progress, &outcome), CEP_OK, CEP_DIVERGED,
               "cep_nudged_phase", "what arrays hold");
        any_of(cep_evaluate(a.network, a.x, a.targets, 3, a.progress, &metrics), CEP_OK, CEP_DIVERGED,
               "cep_evaluate", "what arrays hold");
        any_of(cep_predict(a.network, a.x, 3, a.progress, a.result, ROWS), CEP_OK, CEP_DIVERGED, "cep_predict",
               "what arrays hold");
        any_of(cep_energy(a.network, energies, ROWS), CEP_OK, CEP_INVALID_ARGUMENT, "cep_energy",
               "what arrays hold");
        any_of(cep_feedback_angle(a.network, 1, &degrees), CEP_OK, CEP_OK, "cep_feedback_angle",
               "what arrays hold");
        cep_theorem *theorem;
        cep_status status = cep_theorem_check(a.network, a.x, a.targets, a.conditions, a.progress, &theorem);
        any_of(status, CEP_OK, CEP_DIVERGED, "cep_theorem_check", "what arrays hold");
        if (status == CEP_OK) {
            cep_theorem_destroy(theorem);
        }
        for (cep_rule_kind kind = CEP_RULE_EP; kind <= CEP_RULE_RBP; kind++) {
            set_good_arguments(&a, &world, kind);
            any_of(cep_train_batch(a.network, a.x, a.targets, a.rule, a.progress, &metrics), CEP_OK, CEP_DIVERGED,
                   "cep_train_batch", "what arrays hold");
        }
        destroy_world(&world);
    }
}

static void check_networks(world *world) {
    arguments a;
    cep_network *network;
    set_good_arguments(&a, world, CEP_RULE_EP);
    a.options_storage.seed = UINT64_MAX;
    a.options_storage.time_step = 5e-324;
    a.options_storage.tolerance = world->dtype == CEP_FLOAT32 ? FLT_MAX : DBL_MAX;
    check_status(cep_network_create(a.options, &network), CEP_OK, "", "cep_network_create", "the largest numbers");
    cep_network_destroy(network);
    a.options_storage.setting = CEP_REAL_TIME;
    any_of(cep_network_create(a.options, &network), CEP_OK, CEP_INVALID_ARGUMENT, "cep_network_create",
           "the smallest time step");
    if (world->dtype == CEP_FLOAT64) {
        cep_network_destroy(network);
    }
    a.options_storage.setting = CEP_PROTOTYPICAL;
    a.options_storage.tolerance = 1e300;
    any_of(cep_network_create(a.options, &network), CEP_OK, CEP_INVALID_ARGUMENT, "cep_network_create",
           "a tolerance beyond float32");
    if (world->dtype == CEP_FLOAT64) {
        cep_network_destroy(network);
    }
    for (int layer = 0; layer < 3; layer++) {
        set_good_arguments(&a, world, CEP_RULE_EP);
        a.sizes[layer] = a.sizes[(layer + 1) % 3] = INT32_MAX;
        check_status(cep_network_create(a.options, &network), CEP_OUT_OF_MEMORY, "2147483647",
                     "cep_network_create", "the largest layers");
    }
}

void check_extremes(void) {
    for (int i = 0; i < 4; i++) {
        world world;
        make_world(&world, i & 1 ? CEP_FLOAT64 : CEP_FLOAT32, i & 2 ? CEP_UNTIED : CEP_TIED);
        check_steps(&world);
        check_rules(&world);
        check_networks(&world);
        destroy_world(&world);
    }
    check_what_arrays_hold();
}
