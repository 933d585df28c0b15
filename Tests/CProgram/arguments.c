#include "arguments.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { UNTOUCHED = 0x77 };

static void must(cep_status status) {
    if (status != CEP_OK) {
        printf("what must work does not: %s\n", cep_last_error());
        exit(1);
    }
}

static void make_handles(arguments *a, cep_network **network, cep_array **array, cep_gradient **gradient,
                         cep_theorem **theorem) {
    cep_phase_outcome outcome;
    cep_metrics metrics;
    must(cep_network_create(a->options, network));
    must(cep_free_phase(*network, a->x, 2, 0, a->progress, &outcome));
    must(cep_network_array(*network, CEP_WEIGHTS, 0, array));
    must(cep_optimizer_prepare(*network, a->rule));
    must(cep_gradient_estimate(*network, a->x, a->targets, a->rule, a->progress, &metrics, gradient));
    must(cep_theorem_check(*network, a->x, a->targets, a->conditions, a->progress, theorem));
}

static void keep_array(world *world, cep_array_kind kind, int64_t index) {
    int i = world->array_count++;
    must(cep_network_array(world->network, kind, index, &world->arrays[i]));
    must(cep_array_describe(world->arrays[i], &world->layouts[i]));
}

void make_world(world *world, cep_dtype dtype, cep_feedback feedback) {
    memset(world, 0, sizeof *world);
    world->dtype = dtype;
    world->feedback = feedback;
    arguments a;
    set_good_arguments(&a, world, CEP_RULE_EP);
    make_handles(&a, &world->destroyed_network, &world->released_array, &world->destroyed_gradient,
                 &world->destroyed_theorem);
    cep_network_destroy(world->destroyed_network);
    cep_array_release(world->released_array);
    cep_gradient_destroy(world->destroyed_gradient);
    cep_theorem_destroy(world->destroyed_theorem);
    make_handles(&a, &world->network, &world->array, &world->gradient, &world->theorem);
    for (int64_t k = 0; k < 2; k++) {
        keep_array(world, CEP_WEIGHTS, k);
        keep_array(world, CEP_BIASES, k);
    }
    if (feedback == CEP_UNTIED) {
        keep_array(world, CEP_FEEDBACK_WEIGHTS, 1);
    }
    for (int64_t layer = 0; layer < 3; layer++) {
        keep_array(world, CEP_STATES, layer);
    }
    remember_network(world);
}

void destroy_world(world *world) {
    for (int i = 0; i < world->array_count; i++) {
        cep_array_release(world->arrays[i]);
    }
    cep_network_destroy(world->network);
    cep_array_release(world->array);
    cep_gradient_destroy(world->gradient);
    cep_theorem_destroy(world->theorem);
}

void remake_world(world *world) {
    destroy_world(world);
    make_world(world, world->dtype, world->feedback);
}

static size_t bytes(const cep_array_layout *layout) {
    return (size_t)(layout->shape[0] * layout->shape[1]) * (layout->dtype == CEP_FLOAT32 ? 4 : 8);
}

void remember_network(world *world) {
    for (int i = 0; i < world->array_count; i++) {
        memcpy(world->before[i], world->layouts[i].data, bytes(&world->layouts[i]));
    }
}

int network_is_unchanged(const world *world) {
    for (int i = 0; i < world->array_count; i++) {
        if (memcmp(world->before[i], world->layouts[i].data, bytes(&world->layouts[i])) != 0) {
            return 0;
        }
    }
    return 1;
}

void set_value(cep_matrix *matrix, int64_t index, double value) {
    if (matrix->dtype == CEP_FLOAT32) {
        ((float *)matrix->data)[index] = (float)value;
    } else {
        ((double *)matrix->data)[index] = value;
    }
}

void set_input(arguments *a, int64_t index, double value) {
    cep_matrix inputs = {.data = a->inputs, .dtype = a->world->dtype};
    set_value(&inputs, index, value);
}

void set_good_arguments(arguments *a, const world *world, cep_rule_kind kind) {
    memset(a, 0, sizeof *a);
    memset(a->result_storage, UNTOUCHED, sizeof a->result_storage);
    memset(a->metrics_storage, UNTOUCHED, sizeof a->metrics_storage);
    a->world = world;
    a->network = world->network;
    a->array = world->array;
    a->gradient = world->gradient;
    a->theorem = world->theorem;
    a->options = &a->options_storage;
    a->x = &a->x_storage;
    a->targets = &a->targets_storage;
    a->rule = &a->rule_storage;
    a->conditions = &a->conditions_storage;
    a->part = &a->part_storage;
    a->random_state = &a->random_storage;
    a->steps = 2;
    a->batch_size = 2;
    a->connection = 1;
    a->class_count = ROWS;
    a->energy_count = ROWS;
    a->thread_count = 2;
    a->beta = 0.5;
    a->kind = CEP_WEIGHTS;
    a->index = 1;
    a->result = a->result_storage;
    a->metrics = a->metrics_storage;

    a->sizes[0] = INPUTS;
    a->sizes[1] = HIDDEN;
    a->sizes[2] = OUTPUTS;
    cep_network_options_default(&a->options_storage);
    a->options_storage.sizes = a->sizes;
    a->options_storage.layer_count = 3;
    a->options_storage.dtype = world->dtype;
    a->options_storage.feedback = world->feedback;

    a->x_storage = (cep_matrix){.data = a->inputs, .dtype = world->dtype, .rows = ROWS, .columns = INPUTS};
    for (int i = 0; i < ROOM * ROOM; i++) {
        set_input(a, i, (double)(i * 37 % 101) / 100);
    }
    for (int i = 0; i < ROOM; i++) {
        a->labels[i] = i % OUTPUTS;
        a->rates[i] = 0.1;
        a->bias_rates[i] = 0.05;
    }
    a->targets_storage.labels = a->labels;
    a->targets_storage.label_count = ROWS;

    cep_rule_default(&a->rule_storage);
    a->rule_storage.kind = kind;
    a->rule_storage.free_steps = kind == CEP_RULE_RBP ? 200 : 3;
    a->rule_storage.nudged_steps = 2;
    a->rule_storage.beta = 0.5;
    a->rule_storage.learning_rates = a->rates;
    a->rule_storage.learning_rate_count = 2;
    a->rule_storage.bias_learning_rates = a->bias_rates;
    a->rule_storage.bias_learning_rate_count = 2;

    if (kind == CEP_RULE_EP) {
        static const double momentum = 0.9;
        static const cep_option option = {"momentum", NULL, &momentum, 1};
        a->rule_storage.more = &option;
        a->rule_storage.more_count = 1;
    }

    a->conditions_storage.free_steps = 4;
    a->conditions_storage.nudged_steps = 2;
    a->conditions_storage.beta = 0.1;
    a->conditions_storage.learning_rates = a->rates;
    a->conditions_storage.learning_rate_count = 2;

    for (int i = 0; i < 4; i++) {
        a->random_storage.words[i] = (uint64_t)i + 1;
    }
}

int results_are_untouched(const arguments *a) {
    for (int i = 0; i < RESULT_BYTES; i++) {
        if (((const unsigned char *)a->result_storage)[i] != UNTOUCHED ||
            ((const unsigned char *)a->metrics_storage)[i] != UNTOUCHED) {
            return 0;
        }
    }
    return 1;
}

const cep_option *named(arguments *a, const char *name, const char *text, double number) {
    a->option_number = number;
    a->option_storage = (cep_option){name, text, text == NULL ? &a->option_number : NULL, text == NULL};
    a->options_storage.more_count = 1;
    a->rule_storage.more_count = 1;
    return &a->option_storage;
}

const void *misaligned(arguments *a, const void *value, size_t size) {
    return memcpy((char *)a->copy_storage + 4 + 1, value, size);
}

void give_values(arguments *a) {
    a->targets_storage.labels = NULL;
    a->targets_storage.values =
        (cep_matrix){.data = a->values, .dtype = a->world->dtype, .rows = ROWS, .columns = OUTPUTS};
}
