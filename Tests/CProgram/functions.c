#include "functions.h"

#include <string.h>

#include "checks.h"

static int32_t stop(const cep_progress_report *report, void *context) {
    (void)report, (void)context;
    return 1;
}

/* Ends a long call at its first report. */
static const cep_progress stopping = {.function = stop};

static void release_network(void *result) { cep_network_destroy(*(cep_network **)result); }
static void release_gradient(void *result) { cep_gradient_destroy(*(cep_gradient **)result); }
static void release_theorem(void *result) { cep_theorem_destroy(*(cep_theorem **)result); }
static void release_tensor(void *result) { cep_tensor_release(result); }

static void release_curves(void *result) {
    cep_theorem_curves *curves = result;
    cep_tensor_release(&curves->updates);
    cep_tensor_release(&curves->gradients);
}

static const int64_t directions[] = {1, 1, -1, 1};

/* F(function, release, valid number or -1, pointers that it uses, arguments) */
#define BIT(name) (1u << (name))
#define P(name) pointers[name]
#define NET BIT(NETWORK)
#define DATA (BIT(X) | BIT(TARGETS))
#define FUNCTIONS(F)                                                                                              \
    F(cep_step_summarize, NULL, -1, BIT(STEP) | BIT(RESULT), P(STEP), P(RESULT))                                  \
    F(cep_step_tensor, release_tensor, 1, BIT(STEP) | BIT(NAME) | BIT(RESULT), P(STEP), P(NAME), number,          \
      P(RESULT))                                                                                                  \
    F(cep_set_num_threads, NULL, 2, 0, number)                                                                    \
    F(cep_network_create, release_network, -1, BIT(NETWORK_OPTIONS) | BIT(RESULT), P(NETWORK_OPTIONS), P(RESULT)) \
    F(cep_network_copy, release_network, -1, NET | BIT(RESULT), P(NETWORK), P(RESULT))                            \
    F(cep_free_phase, NULL, 3, NET | BIT(X) | BIT(RESULT), P(NETWORK), P(X), number, 0, stopping, P(RESULT))      \
    F(cep_energy, NULL, ROWS, NET | BIT(RESULT), P(NETWORK), P(RESULT), number)                                   \
    F(cep_nudged_phase, NULL, 3, NET | BIT(TARGETS) | BIT(RESULT), P(NETWORK), P(TARGETS), 0.5, number, stopping, \
      P(RESULT))                                                                                                  \
    F(cep_network_tensor, release_tensor, 1, NET | BIT(NAME) | BIT(RESULT), P(NETWORK), P(NAME), number,          \
      P(RESULT))                                                                                                  \
    F(cep_network_parameters, NULL, 4, NET | BIT(METRICS) | BIT(RESULT), P(NETWORK), P(RESULT),                   \
      number > 4 ? 4 : number, P(METRICS))                                                                        \
    F(cep_network_devices, NULL, 4, NET | BIT(METRICS) | BIT(RESULT), P(NETWORK), P(RESULT),                      \
      number > 4 ? 4 : number, P(METRICS))                                                                        \
    F(cep_pulse_response, NULL, 4, BIT(RESULT), "constant_step:dw_min=0.1", directions, number > 4 ? 4 : number,  \
      0, 1, P(RESULT))                                                                                            \
    F(cep_train_batch, NULL, -1, NET | DATA | BIT(RULE) | BIT(RESULT), P(NETWORK), P(X), P(TARGETS), P(RULE),     \
      stopping, P(RESULT))                                                                                        \
    F(cep_train_epoch, NULL, 2, NET | DATA | BIT(RULE) | BIT(RESULT), P(NETWORK), P(X), P(TARGETS), P(RULE),      \
      number, 7, NULL, stopping, P(RESULT))                                                                       \
    F(cep_get_random_state, NULL, -1, NET | BIT(RESULT), P(NETWORK), P(RESULT))                                   \
    F(cep_set_random_state, NULL, -1, NET | BIT(RANDOM), P(NETWORK), P(RANDOM))                                   \
    F(cep_optimizer_prepare, NULL, -1, NET | BIT(RULE), P(NETWORK), P(RULE))                                      \
    F(cep_optimizer_summarize, NULL, -1, NET | BIT(RESULT), P(NETWORK), P(RESULT))                                \
    F(cep_optimizer_set_steps, NULL, 5, NET, P(NETWORK), number)                                                  \
    F(cep_optimizer_tensor, release_tensor, 1, NET | BIT(STATE) | BIT(NAME) | BIT(RESULT), P(NETWORK), P(STATE),  \
      P(NAME), number, P(RESULT))                                                                                 \
    F(cep_check_samples, NULL, -1, NET | DATA, P(NETWORK), P(X), P(TARGETS))                                      \
    F(cep_evaluate, NULL, 3, NET | DATA | BIT(RESULT), P(NETWORK), P(X), P(TARGETS), number, stopping, P(RESULT)) \
    F(cep_predict, NULL, 3, NET | BIT(X) | BIT(RESULT), P(NETWORK), P(X), number, stopping, P(RESULT), ROWS)      \
    F(cep_gradient_estimate, release_gradient, -1, NET | DATA | BIT(RULE) | BIT(METRICS) | BIT(RESULT),           \
      P(NETWORK), P(X), P(TARGETS), P(RULE), stopping, P(METRICS), P(RESULT))                                     \
    F(cep_gradient_tensor, release_tensor, 1, BIT(GRADIENT) | BIT(NAME) | BIT(RESULT), P(GRADIENT), P(NAME),      \
      number, P(RESULT))                                                                                          \
    F(cep_theorem_check, release_theorem, -1, NET | DATA | BIT(THEOREM_OPTIONS) | BIT(RESULT), P(NETWORK), P(X),  \
      P(TARGETS), P(THEOREM_OPTIONS), stopping, P(RESULT))                                                        \
    F(cep_theorem_summarize, NULL, -1, BIT(THEOREM) | BIT(RESULT), P(THEOREM), P(RESULT))                         \
    F(cep_theorem_compare, release_curves, 1, BIT(THEOREM) | BIT(NAME) | BIT(RESULT), P(THEOREM), P(NAME),        \
      number, P(RESULT))                                                                                          \
    F(cep_feedback_angle, NULL, 1, NET | BIT(RESULT), P(NETWORK), number, P(RESULT))

#define DEFINE(name, release, number_, used, ...)                                                                 \
    static cep_status call_##name(void **pointers, int64_t number) {                                              \
        (void)pointers, (void)number;                                                                             \
        return name(__VA_ARGS__);                                                                                 \
    }
#define ENTRY(name, release, number, used, ...)                                                                   \
    {#name, call_##name, release, number, (used) | (number < 0 ? 0 : BIT(NUMBER))},

FUNCTIONS(DEFINE)
const function functions[] = {FUNCTIONS(ENTRY)};
const int function_count = sizeof functions / sizeof *functions;

cep_status call(const function *function, arguments *a, int64_t number, const char *what) {
    memset(a->result, 0xa5, RESULT_SIZE);
    cep_status status = function->call(a->pointers, number);
    check(status >= CEP_OK && status <= CEP_BUSY, function->name, what);
    if (status == CEP_OK && function->release != NULL)
        function->release(a->result);
    for (int i = 0; status != CEP_OK && i < RESULT_SIZE; i++) {
        if (a->result[i] != (char)0xa5) {
            check(0, function->name, "a failed call has written a result");
            break;
        }
    }
    return status;
}

static const float inputs[ROWS * INPUTS] = {0.1F, 0.9F, 0.2F, 0, 0.5F, 0.3F, 1, 0.7F, 0, 0.8F, 0.4F, 0.6F};
static const int64_t labels[ROWS] = {2, 0, 1}, sizes[] = {INPUTS, 5, OUTPUTS}, steps[] = {6, 3};
static const double rates[] = {0.2, 0.1}, beta = 0.5;

void create_arguments(arguments *a, const char *dtype, const char *feedback, const char *setting,
                      const double *dt) {
    *a = (arguments){
        .x = {inputs, CEP_FLOAT32, ROWS, INPUTS},
        .targets = {labels, ROWS, {0}},
        .random = {{1, 2, 3, 4}},
        .items = {{{.name = "sizes", .integers = sizes, .count = 3},
                   {.name = "dtype", .text = dtype},
                   {.name = "feedback", .text = feedback},
                   {.name = "setting", .text = setting},
                   {.name = "dt", .numbers = dt, .count = 1}},
                  {{.name = "free_steps", .integers = &steps[0], .count = 1},
                   {.name = "nudged_steps", .integers = &steps[1], .count = 1},
                   {.name = "beta", .numbers = &beta, .count = 1},
                   {.name = "learning_rates", .numbers = rates, .count = 2},
                   {.name = "rule", .text = "cep"},
                   {.name = "optimizer", .text = "adam"}}},
    };
    memcpy(a->items[2], a->items[1], sizeof a->items[1]);
    const int64_t counts[] = {5, 6, 4};
    for (int k = 0; k < 3; k++)
        a->options[k] = (cep_options){a->items[k], counts[k]};
    void *pointers[POINTERS] = {NULL,           NULL,           NULL,           NULL,           &a->x,
                                &a->targets,    &a->options[0], &a->options[1], &a->options[2], "biases",
                                "first_moment", &a->random,     &a->metrics,    a->result};
    memcpy(a->pointers, pointers, sizeof pointers);

    cep_progress none = {0};
    cep_phase_outcome outcome;
    void **p = a->pointers;
    check_status(cep_network_create(&a->options[0], (cep_network **)&p[NETWORK]), CEP_OK, "cep_network_create",
                 "valid options");
    check_status(cep_gradient_estimate(p[NETWORK], &a->x, &a->targets, &a->options[1], none, &a->metrics,
                                       (cep_gradient **)&p[GRADIENT]),
                 CEP_OK, "cep_gradient_estimate", "valid arguments");
    check_status(
        cep_theorem_check(p[NETWORK], &a->x, &a->targets, &a->options[2], none, (cep_theorem **)&p[THEOREM]),
        CEP_OK, "cep_theorem_check", "valid arguments");
    check_status(cep_free_phase(p[NETWORK], &a->x, 3, 0, none, &outcome), CEP_OK, "cep_free_phase", "");
    check_status(cep_optimizer_prepare(p[NETWORK], &a->options[1]), CEP_OK, "cep_optimizer_prepare", "");
}

void destroy_arguments(arguments *a) {
    cep_network_destroy(a->pointers[NETWORK]);
    cep_gradient_destroy(a->pointers[GRADIENT]);
    cep_theorem_destroy(a->pointers[THEOREM]);
}
