#include "lent.h"

#include <stdlib.h>

static void *memory[32];
static int memory_count;

void *lend(size_t size) { return memory[memory_count++] = malloc(size); }

void give_back(void) {
    while (memory_count > 0)
        free(memory[--memory_count]);
}

/* What is read of so many: nothing where a call has to refuse the number. */
static int64_t readable(int64_t count) { return count < 1 || count > 1000 ? 0 : count; }

cep_matrix any_matrix(bytes *in, int64_t rows, int64_t columns) {
    cep_matrix matrix = {NULL, any_choice(in, 2), rows, columns};
    if (rarely(in))
        matrix.rows = any_count(in, 6);
    if (rarely(in))
        matrix.columns = any_count(in, 6);
    size_t width = matrix.dtype == CEP_FLOAT32 ? sizeof(float) : sizeof(double);
    int64_t count = readable(matrix.rows) * readable(matrix.columns);
    size_t shift = rarely(in) ? 1 : 0;
    char *data = lend((size_t)count * width + shift);
    if (!rarely(in))
        matrix.data = data + shift;
    /* Few bytes for many values. */
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

const cep_targets *any_targets(bytes *in, int64_t rows, int64_t units) {
    cep_targets *targets = lend(sizeof *targets);
    targets->values = any_matrix(in, rows, units);
    targets->label_count = rarely(in) ? any_count(in, 6) : rows;
    int64_t count = readable(targets->label_count);
    int64_t *labels = lend((size_t)count * sizeof *labels);
    for (int64_t i = 0; i < count; i++)
        labels[i] = i % units;
    if (rarely(in) && count > 0)
        labels[count - 1] = any_count(in, units);
    targets->labels = choose(in, 2) ? labels : NULL;
    return rarely(in) ? NULL : targets;
}

typedef struct rates {
    const double *values;
    int64_t count;
} rates;

static rates any_rates(bytes *in, int64_t connections) {
    rates rates = {NULL, rarely(in) ? any_count(in, connections) : connections};
    int64_t count = readable(rates.count);
    double *values = lend((size_t)count * sizeof *values);
    double rate = any_number(in);
    for (int64_t k = 0; k < count; k++)
        values[k] = rate;
    if (rarely(in) && count > 0)
        values[count - 1] = any_number(in);
    if (!rarely(in))
        rates.values = values;
    return rates;
}

const cep_rule *any_rule(bytes *in, int64_t connections) {
    cep_rule *rule = lend(sizeof *rule);
    cep_rule_default(rule);
    rule->kind = any_choice(in, 4);
    rule->free_steps = any_count(in, 6);
    rule->nudged_steps = any_count(in, 4);
    rule->beta = any_number(in);
    rule->beta_sign = any_choice(in, 3);
    rule->accumulate = any_choice(in, 2);
    rule->write_every_step = any_choice(in, 2);
    rule->last_steps = any_index(in, 4);
    if (rarely(in))
        rule->tolerance = any_number(in);
    rule->max_iterations = any_count(in, 100);
    rates weights = any_rates(in, connections), biases = any_rates(in, connections);
    rule->learning_rates = weights.values;
    rule->learning_rate_count = weights.count;
    if (choose(in, 2)) {
        rule->bias_learning_rates = biases.values;
        rule->bias_learning_rate_count = biases.count;
    }
    return rarely(in) ? NULL : rule;
}

const cep_theorem_conditions *any_conditions(bytes *in, int64_t connections) {
    cep_theorem_conditions *conditions = lend(sizeof *conditions);
    rates weights = any_rates(in, connections), biases = any_rates(in, connections);
    *conditions = (cep_theorem_conditions){
        .free_steps = any_count(in, 6),
        .nudged_steps = any_count(in, 4),
        .beta = any_number(in),
        .learning_rates = weights.values,
        .learning_rate_count = weights.count,
        .as_recorded = any_choice(in, 2),
    };
    if (choose(in, 2)) {
        conditions->bias_learning_rates = biases.values;
        conditions->bias_learning_rate_count = biases.count;
    }
    return rarely(in) ? NULL : conditions;
}
