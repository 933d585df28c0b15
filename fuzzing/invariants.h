/* The invariants that cep.h guarantees for every call. */
#ifndef INVARIANTS_H
#define INVARIANTS_H

#include "cep.h"
#include "fixture.h"

/* Checks that the status is known, and that there is a message unless it is CEP_OK. Returns the status. */
cep_status checked(cep_status status);

/* Results are filled with this byte, to see whether a call has written them. */
static const uint8_t unwritten = 0xa5;

/* Checks that a call that failed has written no result. */
void expect_unwritten(cep_status status, const void *result, size_t size);

/* The changes to a network that a call may make. */
typedef enum changes {
    NOTHING,      /* neither parameters nor states */
    STATES,       /* states */
    PARAMETERS,   /* parameters too if the call succeeds */
    WHOLE_BATCHES /* parameters too if the call stops or diverges */
} changes;

/* The memory of the network that a call uses, and of another one. */
typedef struct memory_snapshot {
    snapshot parameters, states, others;
    bool finite;
} memory_snapshot;

memory_snapshot snapshot_of(const fixture *network, const fixture *other);

/* Checks that a call with this status has made no other changes. */
void expect_changes(memory_snapshot before, memory_snapshot after, cep_status status, changes allowed);

#endif
