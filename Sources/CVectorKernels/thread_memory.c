#define _GNU_SOURCE
#include <stdlib.h>

#include "vector_kernels.h"

static _Thread_local volatile char used;

int cep_claim_thread_memory(void) {
    /* The block for a library's variables of a thread is about 1 kB here. What is aligned to 64 bytes may be
     * refused, also where there is a reserve for the rest (python/src/reserve.c). */
    void *memory = NULL;
    if (posix_memalign(&memory, 64, 4096) != 0) {
        return 0;
    }
    free(memory);
    used = 1;
    return 1;
}
