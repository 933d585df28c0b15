/* What cep.h promises of every call. */
#ifndef PROMISES_H
#define PROMISES_H

#include "cep.h"
#include "subject.h"

/* Checks that there is such a status, and a message where it is not CEP_OK. */
cep_status checked(cep_status status);

/* What results are filled with, so that it shows whether a call has written them. */
static const uint8_t unwritten = 0xa5;

/* Checks that a call that failed has written no result. */
void expect_unwritten(cep_status status, const void *result, size_t size);

/* What a call may change of a network. */
typedef enum changes {
    NOTHING,      /* parameters and states stay as they are */
    STATES,       /* parameters do */
    PARAMETERS,   /* they do unless the call succeeds */
    WHOLE_BATCHES /* they do not where it is stopped, or diverges, in the middle either */
} changes;

/* What networks hold: the one that a call is about, and another one. */
typedef struct moment {
    snapshot parameters, states, others;
    bool finite;
} moment;

moment look_at(const subject *network, const subject *other);

/* Checks that from one moment to the next no more has changed than a call may change that ended like this. */
void expect_changes(moment before, moment after, cep_status status, changes allowed);

#endif
