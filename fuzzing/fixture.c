#include "fixture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inputs.h"
#include "invariants.h"

void fail_invariant(const char *invariant) {
    fprintf(stderr, "failed invariant: %s (last error: %s)\n", invariant, cep_last_error());
    abort();
}

int64_t count_of(const cep_tensor *tensor) {
    int64_t count = 1;
    for (int32_t axis = 0; axis < tensor->rank; axis++)
        count *= tensor->shape[axis];
    return count;
}

size_t size_of(const cep_tensor *tensor) {
    return (size_t)count_of(tensor) * (tensor->dtype == CEP_FLOAT32 ? sizeof(float) : sizeof(double));
}

/* Takes each tensor that one of the functions lists. */
static int64_t take(fixture *fixture, cep_status (*list)(cep_network *, cep_parameter *, int64_t, int64_t *),
                    cep_tensor *tensors, int64_t most) {
    cep_parameter listed[MOST_DEVICES];
    int64_t count = 0;
    if (checked(list(fixture->network, listed, most, &count)) != CEP_OK || count > most)
        fail_invariant("the tensors of a network can be listed");
    for (int64_t k = 0; k < count; k++) {
        cep_status status =
            checked(cep_network_tensor(fixture->network, listed[k].name, listed[k].index, &tensors[k]));
        if (status != CEP_OK)
            fail_invariant("each listed name is that of a tensor");
        if (tensors == fixture->parameters)
            fixture->connection_count = listed[k].index + 1;
    }
    return count;
}

static void take_tensors(fixture *fixture) {
    fixture->parameter_count = take(fixture, cep_network_parameters, fixture->parameters, MOST_PARAMETERS);
    fixture->device_count = take(fixture, cep_network_devices, fixture->devices, MOST_DEVICES);
}

void create(fixture *fixture, byte_reader *in) {
    int64_t layer_count = 3 + choose(in, MOST_LAYERS - 2);
    for (int64_t k = 0; k < layer_count; k++)
        fixture->sizes[k] = any_count(in, 7);
    /* Large enough for the engine to use a second thread. */
    if (rarely(in))
        fixture->sizes[choose(in, layer_count)] = 300;
    const cep_options *options = any_network_options(in, fixture->sizes, layer_count);
    cep_network *network = NULL;
    if (checked(cep_network_create(options, &network)) != CEP_OK) {
        if (network != NULL)
            fail_invariant("a call that fails writes no network");
        return;
    }
    fixture->network = network;
    /* The option rarely has fewer sizes than this. */
    for (int64_t i = 0; i < options->count; i++) {
        if (strcmp(options->items[i].name, "sizes") == 0)
            fixture->layer_count = options->items[i].count;
    }
    take_tensors(fixture);
}

void adopt(fixture *fixture, cep_network *network, const struct fixture *like) {
    fixture->network = network;
    fixture->layer_count = like->layer_count;
    fixture->batch = like->batch;
    memcpy(fixture->sizes, like->sizes, sizeof like->sizes);
    take_tensors(fixture);
}

void destroy(fixture *fixture) {
    cep_network_destroy(fixture->network);
    for (int64_t i = 0; i < fixture->parameter_count; i++)
        cep_tensor_release(&fixture->parameters[i]);
    for (int64_t i = 0; i < fixture->device_count; i++)
        cep_tensor_release(&fixture->devices[i]);
    memset(fixture, 0, sizeof *fixture);
}

static void append(snapshot *snapshot, const cep_tensor *tensor) {
    size_t size = size_of(tensor);
    snapshot->content = realloc(snapshot->content, snapshot->size + size);
    memcpy(snapshot->content + snapshot->size, tensor->data, size);
    snapshot->size += size;
}

snapshot parameters_of(const fixture *fixture) {
    snapshot result = {NULL, 0};
    for (int64_t i = 0; i < fixture->parameter_count; i++)
        append(&result, &fixture->parameters[i]);
    for (int64_t i = 0; i < fixture->device_count; i++)
        append(&result, &fixture->devices[i]);
    return result;
}

snapshot states_of(const fixture *fixture) {
    snapshot result = {NULL, 0};
    cep_tensor layer;
    for (int64_t k = 0; checked(cep_network_tensor(fixture->network, "states", k, &layer)) == CEP_OK; k++) {
        append(&result, &layer);
        cep_tensor_release(&layer);
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

bool all_finite(const fixture *fixture) {
    for (int64_t i = 0; i < fixture->parameter_count; i++) {
        const cep_tensor *tensor = &fixture->parameters[i];
        for (int64_t j = 0; j < count_of(tensor); j++) {
            double value = tensor->dtype == CEP_FLOAT32 ? ((float *)tensor->data)[j] : ((double *)tensor->data)[j];
            if (!isfinite(value))
                return false;
        }
    }
    return true;
}
