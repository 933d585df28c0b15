/* Every function of cep.h that returns a status, with valid arguments for it. */
#ifndef FUNCTIONS_H
#define FUNCTIONS_H

#include "cep.h"

/* The pointers that functions take. Handles come first. */
enum {
    NETWORK,
    GRADIENT,
    THEOREM,
    STEP,
    X,
    TARGETS,
    NETWORK_OPTIONS,
    RULE,
    THEOREM_OPTIONS,
    NAME,
    STATE,
    RANDOM,
    METRICS, /* or a count; results from here on */
    RESULT,
    POINTERS,
    HANDLES = STEP + 1,
    NUMBER = POINTERS /* a bit of `used`: whether the function takes a number */
};

enum { ROWS = 3, INPUTS = 4, OUTPUTS = 3, RESULT_SIZE = 512 };

/* Valid arguments, and the memory that some of them point to. */
typedef struct arguments {
    void *pointers[POINTERS];
    cep_matrix x;
    cep_targets targets;
    cep_options options[3]; /* NETWORK_OPTIONS, RULE, THEOREM_OPTIONS */
    cep_option items[3][8];
    cep_random_state random;
    cep_metrics metrics;
    _Alignas(16) char result[RESULT_SIZE];
} arguments;

typedef struct function {
    const char *name;
    cep_status (*call)(void **pointers, int64_t number);
    void (*release)(void *result); /* releases the result; NULL if none is needed */
    int64_t number;                /* a valid one */
    unsigned used;                 /* bits: the pointers, and NUMBER */
} function;

/* cep_step_summarize and cep_step_tensor come first: they work in a step function only. The place of
 * cep_network_copy. */
enum { STEP_FUNCTIONS = 2, NETWORK_COPY = 4 };
extern const function functions[];
extern const int function_count;

/* Creates a network, a gradient and a theorem. `dtype` is a word; `setting` and `dt` are options of the network.
 */
void create_arguments(arguments *a, const char *dtype, const char *feedback, const char *setting,
                      const double *dt);

void destroy_arguments(arguments *a);

/* Calls a function and releases what it writes. If it fails, checks that it writes nothing. */
cep_status call(const function *function, arguments *a, int64_t number, const char *what);

#endif
