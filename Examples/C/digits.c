/* Trains a network by C-EP on 1,797 handwritten digits: digits FILE [SEED], with FILE =
 * Examples/Digits/digits.csv.
 *
 * C99 and C++11. python/tests/test_c_program.py compiles and runs it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cep.h"

enum { PIXELS = 64, CLASSES = 10, SAMPLES = 1797, TEST_SAMPLES = 360, EPOCHS = 15, MOST_PARAMETERS = 16 };

/* Ends the program if a call failed, with the name of its status and its message. */
static void check(cep_status status) {
    if (status != CEP_OK) {
        fprintf(stderr, "%s: %s\n", cep_status_name(status), cep_last_error());
        exit(1);
    }
}

/* Options have a name and one of three values: a word, numbers or integers. */
static cep_option word(const char *name, const char *text) {
    cep_option option = {name, text, NULL, NULL, 0};
    return option;
}

static cep_option numbers(const char *name, const double *values, int64_t count) {
    cep_option option = {name, NULL, values, NULL, count};
    return option;
}

static cep_option integers(const char *name, const int64_t *values, int64_t count) {
    cep_option option = {name, NULL, NULL, values, count};
    return option;
}

/* Reads lines of 64 pixels of 0 to 16 and a digit. */
static void read_digits(const char *path, float *pixels, int64_t *labels) {
    FILE *file = fopen(path, "r");
    for (int i = 0; i < SAMPLES; i++) {
        for (int j = 0; j <= PIXELS; j++) {
            int value;
            if (file == NULL || fscanf(file, "%d,", &value) != 1) {
                fprintf(stderr, "%s: cannot read the digits\n", path);
                exit(1);
            }
            if (j < PIXELS)
                pixels[i * PIXELS + j] = (float)value / 16;
            else
                labels[i] = value;
        }
    }
    fclose(file);
}

/* Prints the names and shapes of the parameters. */
static void print_parameters(cep_network *network) {
    cep_parameter parameters[MOST_PARAMETERS];
    int64_t count;
    check(cep_network_parameters(network, parameters, MOST_PARAMETERS, &count));
    for (int64_t k = 0; k < count; k++) {
        cep_tensor tensor;
        check(cep_network_tensor(network, parameters[k].name, parameters[k].index, &tensor));
        printf("%s %d:", parameters[k].name, (int)parameters[k].index);
        for (int axis = 0; axis < tensor.rank; axis++)
            printf(" %d", (int)tensor.shape[axis]);
        printf("\n");
        cep_tensor_release(&tensor);
    }
}

int main(int argc, char **argv) {
    static float pixels[SAMPLES * PIXELS];
    static int64_t labels[SAMPLES];
    if (argc < 2 || cep_version_number() != CEP_VERSION_NUMBER) {
        fprintf(stderr, "usage: digits FILE [SEED], with version %s of the engine\n", CEP_VERSION);
        return 1;
    }
    read_digits(argv[1], pixels, labels);

    /* The first rows are the test set. Matrices and targets point to memory of the program. */
    const int64_t rows = SAMPLES - TEST_SAMPLES;
    cep_matrix test_x = {pixels, CEP_FLOAT32, TEST_SAMPLES, PIXELS};
    cep_matrix x = {pixels + TEST_SAMPLES * PIXELS, CEP_FLOAT32, rows, PIXELS};
    cep_targets test_targets, targets;
    memset(&test_targets, 0, sizeof test_targets);
    targets = test_targets;
    test_targets.labels = labels, test_targets.label_count = TEST_SAMPLES;
    targets.labels = labels + TEST_SAMPLES, targets.label_count = rows;

    /* All other options have their defaults. */
    const int64_t sizes[] = {PIXELS, 128, CLASSES}, seed = argc > 2 ? atol(argv[2]) : 0;
    cep_option network_items[] = {integers("sizes", sizes, 3), integers("seed", &seed, 1)};
    cep_options network_options = {network_items, 2};
    cep_network *network;
    check(cep_network_create(&network_options, &network));
    print_parameters(network);

    const int64_t free_steps = 50, nudged_steps = 10;
    const double beta = 0.5, learning_rates[] = {0.03, 0.008};
    cep_option rule_items[] = {word("rule", "cep"), integers("free_steps", &free_steps, 1),
                               integers("nudged_steps", &nudged_steps, 1), numbers("beta", &beta, 1),
                               numbers("learning_rates", learning_rates, 2)};
    cep_options rule = {rule_items, 5};
    cep_progress no_progress = {NULL, NULL, NULL};
    for (int epoch = 1; epoch <= EPOCHS; epoch++) {
        cep_metrics training, test;
        check(cep_train_epoch(network, &x, &targets, &rule, 20, (uint64_t)epoch, NULL, no_progress, &training));
        check(cep_evaluate(network, &test_x, &test_targets, free_steps, no_progress, &test));
        printf("epoch %d: training error %.1f %%, test error %.1f %%\n", epoch,
               100.0 * (double)training.errors / (double)training.samples,
               100.0 * (double)test.errors / (double)test.samples);
    }
    cep_network_destroy(network);
    return 0;
}
