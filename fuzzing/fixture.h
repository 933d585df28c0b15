/* A network under test, and what it holds at a moment: to see what calls change, and what they must not. */
#ifndef SUBJECT_H
#define SUBJECT_H

#include "bytes.h"
#include "cep.h"

enum { LARGEST_LAYER_COUNT = 5, LARGEST_PARAMETER_COUNT = 3 * (LARGEST_LAYER_COUNT - 1) };

typedef struct subject {
    cep_network *network; /* NULL where there is none */
    int64_t layer_count;
    int64_t sizes[LARGEST_LAYER_COUNT];
    int64_t batch; /* of the last phase that ended; 0 before */
    cep_array *parameters[LARGEST_PARAMETER_COUNT];
    int parameter_count;
} subject;

/* Says what a call has broken, and ends the process the way the fuzzer notices. */
void broken(const char *promise);

/* Makes a network as the bytes say, or a failing attempt at one. */
void create(subject *subject, bytes *in);

/* Takes over a network, of the kind that another one is of. */
void adopt(subject *subject, cep_network *network, const struct subject *like);

/* Releases the network and all arrays taken from it. */
void destroy(subject *subject);

/* Bytes an array has. */
size_t size_of(const cep_array_layout *layout);

/* The layout of an array. */
cep_array_layout layout_of(const cep_array *array);

/* Copies of arrays, one after the other. */
typedef struct snapshot {
    uint8_t *content;
    size_t size;
} snapshot;

snapshot parameters_of(const subject *subject);

/* Of all layers; empty before the first phase. */
snapshot states_of(const subject *subject);

/* Whether both are the same, to the last bit; frees them. */
bool same(snapshot first, snapshot second);

/* Whether all parameters are finite. */
bool all_finite(const subject *subject);

#endif
