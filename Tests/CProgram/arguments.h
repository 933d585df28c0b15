/* Arguments that every function takes as they are, in one place: a check spoils one of them, and makes a call. */
#ifndef ARGUMENTS_H
#define ARGUMENTS_H

#include "cep.h"

enum { ROWS = 3, INPUTS = 4, HIDDEN = 5, OUTPUTS = 3, ROOM = 8, RESULT_BYTES = 256, MOST_ARRAYS = 9 };

/* Handles that are good, handles that are not any more, and what the network was like. */
typedef struct {
    cep_dtype dtype;
    cep_feedback feedback;
    cep_network *network, *destroyed_network;
    cep_array *array, *released_array;
    cep_gradient *gradient, *destroyed_gradient;
    cep_theorem *theorem, *destroyed_theorem;
    int array_count;
    cep_array *arrays[MOST_ARRAYS];
    cep_array_layout layouts[MOST_ARRAYS];
    unsigned char before[MOST_ARRAYS][1024];
} world;

/* Makes networks of these kinds, with states, and everything that can be had from them. */
void make_world(world *world, cep_dtype dtype, cep_feedback feedback);
void destroy_world(world *world);
void remake_world(world *world);

/* Keeps parameters and states as they are; says whether they still are. */
void remember_network(world *world);
int network_is_unchanged(const world *world);

/* What calls take. Pointers lead to the storage behind them, which has room for more than they say. */
typedef struct {
    const world *world;
    cep_network *network;
    cep_array *array;
    cep_gradient *gradient;
    cep_theorem *theorem;
    const cep_network_options *options;
    const cep_matrix *x;
    const cep_targets *targets;
    const cep_rule *rule;
    const cep_theorem_conditions *conditions;
    const cep_epoch_part *part;
    const cep_random_state *random_state;
    int64_t steps, batch_size, index, connection, class_count, energy_count, thread_count;
    double beta;
    cep_array_kind kind;
    cep_progress progress;
    void *result;  /* where the call writes */
    void *metrics; /* where it writes beside */

    cep_network_options options_storage;
    int64_t sizes[ROOM];
    cep_matrix x_storage;
    double inputs[ROOM * ROOM];
    cep_targets targets_storage;
    int64_t labels[ROOM];
    double values[ROOM * ROOM];
    cep_rule rule_storage;
    double rates[ROOM], bias_rates[ROOM];
    cep_theorem_conditions conditions_storage;
    cep_epoch_part part_storage;
    cep_random_state random_storage;
    cep_option option_storage;
    double option_number;
    double result_storage[RESULT_BYTES / 8], metrics_storage[RESULT_BYTES / 8];
    double copy_storage[RESULT_BYTES / 8]; /* for what is misaligned */
} arguments;

/* Sets all of them to what works, with a rule of the kind given. */
void set_good_arguments(arguments *arguments, const world *world, cep_rule_kind kind);

/* Whether neither result has been written to. */
int results_are_untouched(const arguments *arguments);

/* One option by its name: a word, or a number if there is no word. Both lists of options are said to have one. */
const cep_option *named(arguments *arguments, const char *name, const char *text, double number);

/* A copy of a struct at an address that no struct is at. */
const void *misaligned(arguments *arguments, const void *value, size_t size);

/* Has y as values, rather than labels. */
void give_values(arguments *arguments);

/* Sets a value of a matrix, of whatever type it is. */
void set_value(cep_matrix *matrix, int64_t index, double value);

/* Sets a value where x was, wherever it may be now. */
void set_input(arguments *arguments, int64_t index, double value);

#endif
