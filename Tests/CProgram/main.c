/* Calls every function of cep.h with valid arguments, NULL, handles of other kinds, unknown names and extreme numbers,
 * and from several threads. Prints how often each function was checked; the last line counts passed and failed checks.
 * tools/c_program.sh builds and runs it. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "checks.h"
#include "functions.h"

void check_threads(void);

static int uses(const function *function, int bit) { return function->used >> bit & 1; }

/* Calls a function that must refuse its arguments. */
static void refuse(const function *function, arguments *a, int64_t number, const char *what) {
    check_status(call(function, a, number, what), CEP_INVALID_ARGUMENT, function->name, what);
}

/* Calls a function with another pointer, which it must refuse. */
static void refuse_pointer(const function *function, arguments *a, int bit, void *pointer, const char *what) {
    void *valid = a->pointers[bit];
    a->pointers[bit] = pointer;
    refuse(function, a, function->number, what);
    a->pointers[bit] = valid;
}

/* ---- One argument wrong ---- */

static void check_pointers(const function *function, arguments *a) {
    static char zeros[64], text[] = "this is text, not a handle";
    cep_network *released;
    check_status(cep_network_copy(a->pointers[NETWORK], &released), CEP_OK, "cep_network_copy", "to release");
    cep_network_destroy(released);
    for (int bit = 0; bit < POINTERS; bit++) {
        if (!uses(function, bit))
            continue;
        refuse_pointer(function, a, bit, NULL, "NULL");
        if (bit < HANDLES) {
            refuse_pointer(function, a, bit, zeros, "a handle of zeros");
            refuse_pointer(function, a, bit, text, "a handle that is text");
            refuse_pointer(function, a, bit, released, "a handle that was released");
            refuse_pointer(function, a, bit, a->pointers[bit == NETWORK ? GRADIENT : NETWORK], "another handle");
        }
        if (bit == NAME || bit == STATE) {
            refuse_pointer(function, a, bit, "", "an empty name");
            refuse_pointer(function, a, bit, "\xff nonsense", "an unknown name");
        }
    }
}

static void check_numbers(const function *function, arguments *a) {
    refuse(function, a, INT64_MIN, "INT64_MIN");
    refuse(function, a, -1, "-1");
    if (uses(function, NAME)) {
        refuse(function, a, 77, "an unknown index");
        refuse(function, a, INT64_MAX, "INT64_MAX");
    } else {
        call(function, a, INT64_MAX, "INT64_MAX");
    }
}

static void check_options(const function *function, arguments *a, int bit) {
    static const int64_t one = 1, wrong_counts[] = {INT64_MIN, -1, INT64_MAX};
    cep_options *options = &a->options[bit - NETWORK_OPTIONS], valid = *options;
    a->items[bit - NETWORK_OPTIONS][options->count++] = (cep_option){"nonsense", NULL, NULL, &one, 1};
    refuse(function, a, function->number, "an unknown option");
    for (int i = 0; i < 3; i++) {
        options->count = wrong_counts[i];
        refuse(function, a, function->number, "a wrong number of options");
    }
    *options = valid;
}

static void check_rows(const function *function, arguments *a) {
    static const int64_t wrong_counts[] = {INT64_MIN, -1, 0, INT64_MAX};
    for (int i = 0; i < 4; i++) {
        a->x.rows = wrong_counts[i];
        if (uses(function, X))
            refuse(function, a, function->number, "a wrong number of rows");
        a->x.rows = ROWS;
        a->targets.label_count = wrong_counts[i];
        if (uses(function, TARGETS))
            refuse(function, a, function->number, "a wrong number of labels");
        a->targets.label_count = ROWS;
    }
}

static void check_function(const function *function, arguments *a) {
    check_status(call(function, a, function->number, "valid arguments"), CEP_OK, function->name,
                 "valid arguments");
    check_pointers(function, a);
    if (uses(function, NUMBER))
        check_numbers(function, a);
    for (int bit = NETWORK_OPTIONS; bit <= THEOREM_OPTIONS; bit++) {
        if (uses(function, bit))
            check_options(function, a, bit);
    }
    check_rows(function, a);
    check_status(call(function, a, function->number, "valid again"), CEP_OK, function->name, "valid again");
}

/* ---- Steps ---- */

static int32_t observe(const cep_step *step, void *context) {
    arguments *a = context;
    a->pointers[STEP] = (void *)step;
    for (int i = 0; i < STEP_FUNCTIONS; i++)
        check_function(&functions[i], a);
    return 0;
}

static void check_steps(arguments *a) {
    /* A separate network, because the arguments include one that is not in use. */
    cep_network *network;
    cep_phase_outcome outcome;
    check_status(cep_network_copy(a->pointers[NETWORK], &network), CEP_OK, "cep_network_copy", "to observe");
    check_status(cep_free_phase(network, &a->x, 2, 0, (cep_progress){.step = observe, .context = a}, &outcome),
                 CEP_OK, "cep_free_phase", "with a step function");
    cep_network_destroy(network);
    for (int i = 0; i < STEP_FUNCTIONS; i++)
        refuse(&functions[i], a, functions[i].number, "a step that has passed");
}

/* ---- Extreme numbers ---- */

/* Calls return for any numbers; their status is not checked. */
static void check_extremes(arguments *a) {
    static const double numbers[] = {NAN, INFINITY, -INFINITY, FLT_MAX, -DBL_MAX, 1e-45};
    static const int64_t counts[] = {INT64_MIN, -1, 0, INT64_MAX};
    for (int k = 0; k < 16; k++) { /* free_steps and nudged_steps, of the rule and of the theorem */
        cep_option *option = &a->items[k & 1 ? 1 : 2][k >> 1 & 1], valid = *option;
        option->integers = &counts[k >> 2];
        for (int f = STEP_FUNCTIONS; f < function_count; f++) {
            if (uses(&functions[f], k & 1 ? RULE : THEOREM_OPTIONS))
                call(&functions[f], a, functions[f].number, "an extreme number of steps");
        }
        *option = valid;
    }
    /* The next update increments the count. */
    cep_optimizer_set_steps(a->pointers[NETWORK], INT64_C(1) << 53);
    for (int f = STEP_FUNCTIONS; f < function_count; f++)
        call(&functions[f], a, functions[f].number, "the most updates");
    cep_parameter parameters[8];
    int64_t count = 0;
    check_status(cep_network_parameters(a->pointers[NETWORK], parameters, 8, &count), CEP_OK,
                 "cep_network_parameters", "all parameters");
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        for (int64_t k = 0; k < count; k++) {
            cep_tensor tensor;
            check_status(
                cep_network_tensor(a->pointers[NETWORK], parameters[k].name, parameters[k].index, &tensor), CEP_OK,
                "cep_network_tensor", "a parameter");
            if (tensor.dtype == CEP_FLOAT32)
                *(float *)tensor.data = (float)numbers[i];
            else
                *(double *)tensor.data = numbers[i];
            for (int f = STEP_FUNCTIONS; f < function_count; f++)
                call(&functions[f], a, functions[f].number, "extreme values");
            memset(tensor.data, 0, tensor.dtype == CEP_FLOAT32 ? 4 : 8);
            cep_tensor_release(&tensor);
        }
    }
}

/* ---- Functions without a status ---- */

static void check_functions_without_status(arguments *a) {
    static char text[] = "this is text, not a handle";
    void *handles[] = {NULL, text, a->pointers[NETWORK], a->pointers[GRADIENT], a->pointers[THEOREM]};
    for (int i = 0; i < 5; i++) {
        if (i != 2)
            cep_network_destroy(handles[i]);
        if (i != 3)
            cep_gradient_destroy(handles[i]);
        if (i != 4)
            cep_theorem_destroy(handles[i]);
        cep_tensor tensor = {.memory = handles[i], .rank = 1};
        cep_tensor_release(&tensor);
        check(tensor.memory == NULL && tensor.rank == 0, "cep_tensor_release", "a tensor of another kind");
    }
    cep_tensor_release(NULL);
    const char *released[] = {"cep_network_destroy", "cep_gradient_destroy", "cep_theorem_destroy"};
    for (int i = 0; i < 3; i++) /* Handles that were not released still work. */
        check(call(&functions[NETWORK_COPY], a, 0, "") == CEP_OK, released[i], "another handle is released");
    check(cep_version_number() == CEP_VERSION_NUMBER, "cep_version_number", "the header");
    check(strcmp(cep_version(), CEP_VERSION) == 0, "cep_version", "the header");
    check(strcmp(cep_status_name(CEP_BUSY), "busy") == 0, "cep_status_name", "CEP_BUSY");
    check(strcmp(cep_status_name(-1), "unknown status") == 0, "cep_status_name", "-1");
    check(strcmp(cep_option_words("feedback"), "tied,untied") == 0, "cep_option_words", "feedback");
    check(cep_option_words("nonsense") == NULL && cep_option_words(NULL) == NULL, "cep_option_words", "unknown");
    check(cep_instruction_set()[0] != 0, "cep_instruction_set", "a name");
    check_status(cep_set_num_threads(2), CEP_OK, "cep_set_num_threads", "2");
    check(cep_get_num_threads() == 2, "cep_get_num_threads", "as it was set");
    check(cep_set_num_threads(0) == CEP_INVALID_ARGUMENT && strstr(cep_last_error(), "got 0") != NULL,
          "cep_last_error", "the message of the last failure");
}

int main(void) {
    static const double dt = 0.2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (int i = 0; i < 4; i++) {
        arguments a;
        create_arguments(&a, i & 1 ? "float64" : "float32", i & 2 ? "untied" : "tied", "prototypical", &dt);
        for (int f = STEP_FUNCTIONS; f < function_count; f++) {
            if (strcmp(functions[f].name, "cep_energy") != 0 || !(i & 2)) /* untied networks have no energy */
                check_function(&functions[f], &a);
        }
        check_steps(&a);
        check_functions_without_status(&a);
        check_extremes(&a);
        destroy_arguments(&a);
    }
    check_threads();
    return print_checks() > 0;
}
