#include "cep.h"

#include "cep_message.h"

int32_t cep_version_number(void) { return CEP_VERSION_NUMBER; }

const char *cep_version(void) { return CEP_VERSION; }

const char *cep_status_name(cep_status status) {
    static const char *const names[] = {"OK",       "invalid argument", "invalid state", "out of memory",
                                        "diverged", "stopped",          "busy"};
    return status >= CEP_OK && status <= CEP_BUSY ? names[status] : "unknown status";
}

static _Thread_local char message[CEP_MESSAGE_CAPACITY];

const char *cep_last_error(void) { return message; }

char *cep_message_storage(void) { return message; }
