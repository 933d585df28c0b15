/* A network under test, and copies of its memory, to see what calls change. */
#ifndef FIXTURE_H
#define FIXTURE_H

#include "byte_reader.h"
#include "cep.h"

enum { MOST_LAYERS = 5, MOST_PARAMETERS = 32, MOST_DEVICES = 256 };

typedef struct fixture {
    cep_network *network; /* NULL if it was not made */
    int64_t layer_count;  /* of sizes */
    int64_t sizes[MOST_LAYERS];
    int64_t batch; /* of the last phase that ended; 0 before */
    int64_t connection_count;
    cep_tensor parameters[MOST_PARAMETERS];
    int64_t parameter_count;
    cep_tensor devices[MOST_DEVICES];
    int64_t device_count;
} fixture;

/* Prints the invariant that a call has violated, and ends the process so that the fuzzer notices. */
void fail_invariant(const char *invariant);

/* Creates a network from bytes, or fails to. */
void create(fixture *fixture, byte_reader *in);

/* Takes ownership of a network with the sizes of another one. */
void adopt(fixture *fixture, cep_network *network, const struct fixture *like);

/* Releases the network and all tensors taken from it. */
void destroy(fixture *fixture);

/* The number of values of a tensor. */
int64_t count_of(const cep_tensor *tensor);

/* The size of a tensor in bytes. */
size_t size_of(const cep_tensor *tensor);

/* Copies of tensors, one after the other. */
typedef struct snapshot {
    uint8_t *content;
    size_t size;
} snapshot;

/* Of the network, and of its devices. */
snapshot parameters_of(const fixture *fixture);

/* The states of all layers; empty before the first phase. */
snapshot states_of(const fixture *fixture);

/* Whether both are equal, bit for bit. Frees them. */
bool same(snapshot first, snapshot second);

/* Whether all parameters are finite. */
bool all_finite(const fixture *fixture);

#endif
