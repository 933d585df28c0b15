#include "subject.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "promises.h"

void broken(const char *promise) {
    fprintf(stderr, "broken: %s (last error: %s)\n", promise, cep_last_error());
    abort();
}

size_t size_of(const cep_array_layout *layout) {
    return (size_t)(layout->shape[0] * layout->shape[1]) *
           (layout->dtype == CEP_FLOAT32 ? sizeof(float) : sizeof(double));
}

cep_array_layout layout_of(const cep_array *array) {
    cep_array_layout layout;
    if (cep_array_describe(array, &layout) != CEP_OK)
        broken("an array can be described");
    return layout;
}

static void keep_parameters(subject *subject) {
    for (int kind = CEP_WEIGHTS; kind <= CEP_FEEDBACK_WEIGHTS; kind++) {
        for (int64_t k = 0; k < subject->layer_count - 1; k++) {
            cep_array **place = &subject->parameters[subject->parameter_count];
            cep_status status = checked(cep_network_array(subject->network, kind, k, place));
            if (status == CEP_OK)
                subject->parameter_count++;
            if (status != CEP_OK && kind != CEP_FEEDBACK_WEIGHTS)
                broken("a connection has weights and biases");
        }
    }
}

void create(subject *subject, bytes *in) {
    /* Too few, or so many that none of the sizes is read. */
    static const int64_t wrong_layer_counts[] = {0, 1, 2, -1, INT64_MIN, INT64_MAX, 1000001};
    cep_network_options options;
    cep_network_options_default(&options);
    int64_t layer_count = 3 + choose(in, LARGEST_LAYER_COUNT - 2);
    for (int64_t k = 0; k < layer_count; k++)
        subject->sizes[k] = any_count(in, 7);
    /* So large that it is worth a second thread. */
    if (rarely(in))
        subject->sizes[choose(in, layer_count)] = 300;
    options.sizes = rarely(in) ? NULL : subject->sizes;
    options.layer_count = rarely(in) ? wrong_layer_counts[choose(in, 7)] : layer_count;
    options.setting = any_choice(in, 2);
    options.activation = any_choice(in, 6);
    options.feedback = any_choice(in, 2);
    options.dtype = any_choice(in, 2);
    options.seed = next_byte(in);
    if (rarely(in))
        options.time_step = any_number(in);
    options.clamp = any_choice(in, 2);
    options.follows_energy = any_choice(in, 2);
    options.feedback_angle = 60 * any_number(in);
    options.relaxation = any_choice(in, 2);
    if (rarely(in))
        options.tolerance = any_number(in);

    cep_network *network = NULL;
    if (checked(cep_network_create(rarely(in) ? NULL : &options, &network)) != CEP_OK) {
        if (network != NULL)
            broken("nothing is written where a network cannot be made");
        return;
    }
    subject->network = network;
    subject->layer_count = layer_count;
    keep_parameters(subject);
}

void adopt(subject *subject, cep_network *network, const struct subject *like) {
    subject->network = network;
    subject->layer_count = like->layer_count;
    subject->batch = like->batch;
    memcpy(subject->sizes, like->sizes, sizeof like->sizes);
    keep_parameters(subject);
}

void destroy(subject *subject) {
    cep_network_destroy(subject->network);
    for (int i = 0; i < subject->parameter_count; i++)
        cep_array_release(subject->parameters[i]);
    memset(subject, 0, sizeof *subject);
}

static void append(snapshot *snapshot, const cep_array *array) {
    cep_array_layout layout = layout_of(array);
    size_t size = size_of(&layout);
    snapshot->content = realloc(snapshot->content, snapshot->size + size);
    memcpy(snapshot->content + snapshot->size, layout.data, size);
    snapshot->size += size;
}

snapshot parameters_of(const subject *subject) {
    snapshot result = {NULL, 0};
    for (int i = 0; i < subject->parameter_count; i++)
        append(&result, subject->parameters[i]);
    return result;
}

snapshot states_of(const subject *subject) {
    snapshot result = {NULL, 0};
    cep_array *layer;
    for (int64_t k = 0; k < subject->layer_count; k++) {
        cep_status status = checked(cep_network_array(subject->network, CEP_STATES, k, &layer));
        if (status == CEP_INVALID_STATE && k == 0)
            break;
        if (status != CEP_OK)
            broken("either all layers have states or none has");
        append(&result, layer);
        cep_array_release(layer);
    }
    return result;
}

bool same(snapshot first, snapshot second) {
    bool result =
        first.size == second.size && (first.size == 0 || memcmp(first.content, second.content, first.size) == 0);
    free(first.content);
    free(second.content);
    return result;
}

bool all_finite(const subject *subject) {
    for (int i = 0; i < subject->parameter_count; i++) {
        cep_array_layout layout = layout_of(subject->parameters[i]);
        for (int64_t j = 0; j < layout.shape[0] * layout.shape[1]; j++) {
            double value = layout.dtype == CEP_FLOAT32 ? ((float *)layout.data)[j] : ((double *)layout.data)[j];
            if (!isfinite(value))
                return false;
        }
    }
    return true;
}
