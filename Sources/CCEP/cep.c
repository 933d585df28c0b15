#include "cep.h"

#include "cep_message.h"

const char *cep_version(void) { return CEP_VERSION; }

static _Thread_local char message[CEP_MESSAGE_CAPACITY];

const char *cep_last_error(void) { return message; }

char *cep_message_storage(void) { return message; }
