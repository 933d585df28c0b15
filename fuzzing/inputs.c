#include "inputs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ALLOCATIONS = 512, MOST_OPTIONS = 28 };

static void *memory[MOST_ALLOCATIONS];
static int memory_count;

void *allocate_input(size_t size) {
    if (memory_count == MOST_ALLOCATIONS)
        abort();
    return memory[memory_count++] = malloc(size);
}

void free_inputs(void) {
    while (memory_count > 0)
        free(memory[--memory_count]);
}

/* The number of values to read if this number is given: none if a call must refuse it. */
static int64_t readable(int64_t count) { return count < 1 || count > 1000 ? 0 : count; }

/* ---- Data ---- */

cep_matrix any_matrix(byte_reader *in, int64_t rows, int64_t columns) {
    cep_matrix matrix = {NULL, (cep_dtype)choose(in, 2), rows, columns};
    if (rarely(in))
        matrix.dtype = next_byte(in) - 128;
    if (rarely(in))
        matrix.rows = any_count(in, 6);
    if (rarely(in))
        matrix.columns = any_count(in, 6);
    size_t width = matrix.dtype == CEP_FLOAT32 ? sizeof(float) : sizeof(double);
    int64_t count = readable(matrix.rows) * readable(matrix.columns);
    size_t shift = rarely(in) ? 1 : 0;
    char *data = allocate_input((size_t)count * width + shift);
    if (!rarely(in))
        matrix.data = data + shift;
    /* A few bytes determine many values. */
    double values[] = {any_number(in), any_number(in), any_number(in)};
    for (int64_t i = 0; i < count && shift == 0; i++) {
        if (width == sizeof(float)) {
            ((float *)data)[i] = (float)values[i % 3];
        } else {
            ((double *)data)[i] = values[i % 3];
        }
    }
    return matrix;
}

const cep_targets *any_targets(byte_reader *in, int64_t rows, int64_t units) {
    cep_targets *targets = allocate_input(sizeof *targets);
    targets->values = any_matrix(in, rows, units);
    targets->label_count = rarely(in) ? any_count(in, 6) : rows;
    int64_t count = readable(targets->label_count);
    int64_t *labels = allocate_input((size_t)count * sizeof *labels);
    for (int64_t i = 0; i < count; i++)
        labels[i] = i % units;
    if (rarely(in) && count > 0)
        labels[count - 1] = any_count(in, units);
    targets->labels = choose(in, 2) ? labels : NULL;
    return rarely(in) ? NULL : targets;
}

/* ---- Options ---- */

static const char *const option_names[] = {
    "sizes",
    "setting",
    "activation",
    "feedback",
    "feedback_angle",
    "dtype",
    "seed",
    "dt",
    "clamp",
    "relaxation",
    "follows_energy",
    "tolerance",
    "loss",
    "readout",
    "nudging",
    "connections",
    "connection_kinds",
    "synapses",
    "bias_synapses",
    "neurons",
    "read_noise",
    "read_noise_every",
    "feedback_mismatch",
    "rule",
    "free_steps",
    "nudged_steps",
    "beta",
    "beta_sign",
    "accumulate",
    "write_every_step",
    "last_steps",
    "max_iterations",
    "learning_rates",
    "bias_learning_rates",
    "optimizer",
    "momentum",
    "beta1",
    "beta2",
    "epsilon",
    "weight_decay",
    "as_recorded",
};

static const char *random_text(byte_reader *in) {
    char *text = allocate_input(4);
    for (int i = 0; i < 3; i++)
        text[i] = (char)next_byte(in);
    text[3] = 0;
    return text;
}

/* A copy of exactly this size. */
static const void *copy(const void *values, size_t size) {
    void *result = allocate_input(size);
    if (size > 0)
        memcpy(result, values, size);
    return result;
}

typedef struct option_list {
    byte_reader *in;
    cep_option items[MOST_OPTIONS];
    int64_t count;
} option_list;

static cep_option *add(option_list *list, const char *name) {
    cep_option *item = &list->items[list->count++];
    *item = (cep_option){.name = name};
    return item;
}

static void add_integers(option_list *list, const char *name, const int64_t *values, int64_t count) {
    cep_option *item = add(list, name);
    item->integers = copy(values, (size_t)count * sizeof *values);
    item->count = count;
}

static void add_integer(option_list *list, const char *name, int64_t value) {
    add_integers(list, name, &value, 1);
}

static void add_number(option_list *list, const char *name, double value) {
    cep_option *item = add(list, name);
    item->numbers = copy(&value, sizeof value);
    item->count = 1;
}

static void add_flag(option_list *list, const char *name) {
    add_integer(list, name, rarely(list->in) ? any_index(list->in, 4) : choose(list->in, 2));
}

/* One of the words that the option takes, rarely random text. */
static void add_word(option_list *list, const char *name) {
    const char *words = cep_option_words(name);
    if (words == NULL || rarely(list->in)) {
        add(list, name)->text = random_text(list->in);
        return;
    }
    int64_t count = 1;
    for (const char *c = words; *c != 0; c++)
        count += *c == ',';
    for (int64_t skipped = choose(list->in, count); skipped > 0; skipped--)
        words = strchr(words, ',') + 1;
    size_t length = strcspn(words, ",");
    char *word = allocate_input(length + 1);
    memcpy(word, words, length);
    word[length] = 0;
    add(list, name)->text = word;
}

const char *any_synapse(byte_reader *in) {
    static const char *const words[] = {
        "ideal",
        "bounded:w_min=-2:w_max=2",
        "bounded:w_min=-0.1:w_max=0.1:clip_initial=1",
        "quantized:bits=4:w_min=-2:w_max=2:rounding=stochastic",
        "constant_step:dw_min=0.01:w_max=2:w_min=-2:dw_min_dtod=0.3:w_max_dtod=2:lifetime=9:lifetime_dtod=0.5",
        "linear_step:dw_min=0.01:gamma_up=0.5:gamma_down=2:gamma_up_dtod=1:mult_noise=0:dw_min_std=5",
        "linear_step:dw_min=0.01:w_max_dtod=1:rounding=nearest",
        "soft_bounds:dw_min=0.1:up_down=-3:write_noise_std=2:rounding=truncate",
        "exponential_step:dw_min=0.01:A_up=-1:A_down=-0.1:gamma_up=5:gamma_down=5:a=-0.5:b=-0.5:diffusion=0.1",
        "power_step:dw_min=1:pow_gamma=1.7:pow_gamma_dtod=2:max_pulses=3",
    };
    if (!rarely(in))
        return words[choose(in, sizeof words / sizeof *words)];
    /* A parameter with any number. */
    static const char *const parameters[] = {"dw_min_std", "up_down",   "w_max",   "w_min_dtod",
                                             "lifetime",   "diffusion", "rounding"};
    char *text = allocate_input(64);
    snprintf(text, 64, "soft_bounds:dw_min=0.1:%s=%.3g", parameters[choose(in, 7)], any_number(in));
    return rarely(in) ? random_text(in) : text;
}

/* Neurons, reads and synapses that are not ideal, some of them. */
static void add_hardware(option_list *list) {
    byte_reader *in = list->in;
    static const char *const neurons[] = {"state_noise=0.1", "state_bits=3", "state_noise=0.01:state_bits=16",
                                          "gain_dtod=0.3:offset_dtod=0.1"};
    if (choose(in, 2))
        add(list, "synapses")->text = any_synapse(in);
    if (choose(in, 4) == 0)
        add(list, "bias_synapses")->text = any_synapse(in);
    if (choose(in, 4) == 0)
        add(list, "neurons")->text = rarely(in) ? random_text(in) : neurons[choose(in, 4)];
    if (choose(in, 4) == 0)
        add_number(list, "read_noise", any_number(in));
    if (choose(in, 4) == 0)
        add_word(list, "read_noise_every");
    if (rarely(in))
        add_number(list, "feedback_mismatch", any_number(in));
}

/* One for each connection. */
static void add_rates(option_list *list, const char *name, int64_t connections) {
    byte_reader *in = list->in;
    int64_t count = rarely(in) ? any_count(in, connections) : connections, values = readable(count);
    double *rates = allocate_input((size_t)values * sizeof *rates), rate = any_number(in);
    for (int64_t k = 0; k < values; k++)
        rates[k] = rate;
    if (rarely(in) && values > 0)
        rates[values - 1] = any_number(in);
    cep_option *item = add(list, name);
    item->numbers = rarely(in) ? NULL : rates;
    item->count = count;
}

/* A random name with a random value. */
static void add_any(option_list *list) {
    byte_reader *in = list->in;
    const char *name = rarely(in) ? rarely(in) ? NULL : random_text(in)
                                  : option_names[choose(in, sizeof option_names / sizeof *option_names)];
    switch (choose(in, 5)) {
    case 0:
        add_integer(list, name, any_index(in, 3));
        break;
    case 1:
        add_number(list, name, any_number(in));
        break;
    case 2:
        add(list, name)->text = random_text(in);
        break;
    case 3:
        add_integers(list, name, (int64_t[]){any_index(in, 4), any_index(in, 4)}, 2);
        break;
    default:
        add(list, name)->count = any_count(in, 2);
    }
}

/* Copies the options into memory of exactly their size, rarely with an error. */
static const cep_options *finish(option_list *list) {
    byte_reader *in = list->in;
    if (rarely(in))
        add_any(list);
    if (rarely(in))
        list->items[choose(in, list->count)] = list->items[choose(in, list->count)];
    if (rarely(in)) {
        list->count--;
        list->items[choose(in, list->count)] = list->items[list->count];
    }
    cep_options options = {copy(list->items, (size_t)list->count * sizeof *list->items), list->count};
    if (rarely(in) && rarely(in)) {
        options.count = any_count(in, list->count);
        if (options.count > list->count && options.count <= 1000)
            options.count = list->count;
    }
    return rarely(in) && rarely(in) ? NULL : copy(&options, sizeof options);
}

const cep_options *any_network_options(byte_reader *in, const int64_t *sizes, int64_t count) {
    static const char *const dtypes[] = {"float32", "float64"};
    option_list list = {.in = in};
    add_integers(&list, "sizes", sizes, rarely(in) ? choose(in, count) : count);
    add_word(&list, "setting");
    add_word(&list, "activation");
    add_word(&list, "feedback");
    add_word(&list, "relaxation");
    add(&list, "dtype")->text = dtypes[choose(in, 2)];
    add_integer(&list, "seed", next_byte(in));
    add_flag(&list, "clamp");
    add_flag(&list, "follows_energy");
    add_number(&list, "feedback_angle", 60 * any_number(in));
    if (rarely(in))
        add_number(&list, "dt", any_number(in));
    if (rarely(in))
        add_number(&list, "tolerance", any_number(in));
    if (rarely(in))
        add_word(&list, "loss");
    if (rarely(in))
        add_flag(&list, "readout");
    if (rarely(in))
        add_word(&list, "nudging");
    if (choose(in, 4) == 0) {
        const int64_t pairs[] = {any_index(in, 3), any_index(in, count), any_index(in, 3), any_index(in, count)};
        add_integers(&list, "connections", pairs, 2 + 2 * choose(in, 2));
    }
    if (choose(in, 2))
        add_hardware(&list);
    return finish(&list);
}

const cep_options *any_rule(byte_reader *in, int64_t connections) {
    option_list list = {.in = in};
    add_word(&list, "rule");
    const char *rule = list.items[0].text;
    bool has_phases = strcmp(rule, "bptt") != 0 && strcmp(rule, "rbp") != 0;
    add_integer(&list, "free_steps", any_count(in, 6));
    add_rates(&list, "learning_rates", connections);
    if (has_phases) {
        add_integer(&list, "nudged_steps", any_count(in, 4));
        add_number(&list, "beta", any_number(in));
        add_word(&list, "beta_sign");
        add_flag(&list, strcmp(rule, "ep") == 0 ? "accumulate" : "write_every_step");
    } else if (strcmp(rule, "bptt") == 0) {
        add_integer(&list, "last_steps", any_count(in, 4));
    } else {
        add_integer(&list, "max_iterations", any_count(in, 100));
        if (rarely(in))
            add_number(&list, "tolerance", any_number(in));
    }
    if (choose(in, 2))
        add_rates(&list, "bias_learning_rates", connections);
    if (choose(in, 4) == 0) {
        add_word(&list, "optimizer");
        add_rates(&list, "weight_decay", choose(in, 2) ? 1 : connections);
        if (choose(in, 2))
            add_number(&list, rarely(in) ? "beta1" : "momentum", any_number(in));
    }
    return finish(&list);
}

const cep_options *any_theorem_options(byte_reader *in, int64_t connections) {
    option_list list = {.in = in};
    add_integer(&list, "free_steps", any_count(in, 6));
    add_integer(&list, "nudged_steps", any_count(in, 4));
    add_number(&list, "beta", any_number(in));
    add_rates(&list, "learning_rates", connections);
    add_flag(&list, "as_recorded");
    if (choose(in, 2))
        add_rates(&list, "bias_learning_rates", connections);
    return finish(&list);
}

const char *any_tensor_name(byte_reader *in) {
    static const char *const names[] = {"weights", "biases", "feedback_weights", "states"};
    static const char *const hardware[] = {
        "counters", "weights.counters", "biases.counters",  "weights.write_noise", "weights.w_max",
        "gains",    "weights.lifetime", "weights.gamma_up", "weights.pow_gamma",   "weights.",
        "offsets",  "weights.dw_min",
    };
    if (rarely(in))
        return rarely(in) ? NULL : random_text(in);
    if (choose(in, 4) == 0)
        return hardware[choose(in, sizeof hardware / sizeof *hardware)];
    return names[choose(in, 4)];
}
