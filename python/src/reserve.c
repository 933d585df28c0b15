/* Memory for the small objects of the engine, for when there is no other.
 *
 * Swift's run time asks for memory for objects, for short arrays, and for the description of a type where the type
 * is first used, and ends the process where it is refused. The linker leads what this library asks for through the
 * functions below (setup.py names them): what cannot be had is taken from pieces that are kept back for this, and
 * memory that is given back while pieces are missing is kept in their place.
 *
 * A call begins only while all pieces are there (begin_call), so that one that runs out of memory can end, and the
 * next ones raise MemoryError until there is memory again. What depends on layers, batches and data is asked for
 * aligned to 64 bytes, and refused as ever: the engine makes an error of it.
 *
 * Pieces are memory of malloc like any other. Whoever is handed one gives it back by free and need not know. */
#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "extension.h"

/* 64 kB of pieces of each kind, of 64, 128, ... 8192 bytes: 512 kB in all. A thread that uses everything for the
 * first time has 30 kB of small objects at most, and 16 kB later on. Each kind is twice as large as the one before
 * because an array fills its piece, and doubles when it grows. */
enum { KIND_COUNT = 8, PIECE_COUNT = 2040 };
static size_t bytes_of(int kind) { return (size_t)64 << kind; }
static int count_of(int kind) { return 1024 >> kind; }
static int first_of(int kind) { return 2048 - (2048 >> kind); }

static _Atomic(void *) pieces[PIECE_COUNT]; /* NULL where one is missing */
static atomic_int present[KIND_COUNT];      /* how many are there, of each kind */

/* Of a thread's own variables this library has a block of about 1 kB. The loader takes it when the thread first
 * uses one of them, and ends the process where there is none. */
enum { THREAD_BYTES = 4096 };

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *old, size_t bytes);
int __real_posix_memalign(void **memory, size_t alignment, size_t bytes);
void __real_free(void *memory);
void *__real__Znwm(size_t bytes);

/* A piece of at least so many bytes, or NULL. */
static void *take(size_t bytes) {
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        if (bytes_of(kind) < bytes) {
            continue;
        }
        for (int i = 0; i < count_of(kind); i++) {
            void *piece = atomic_exchange(&pieces[first_of(kind) + i], NULL);
            if (piece != NULL) {
                atomic_fetch_sub(&present[kind], 1);
                return piece;
            }
        }
    }
    return NULL;
}

/* Keeps memory as the i-th piece of a kind. Returns whether that was missing. */
static int keep_at(int kind, int i, void *memory) {
    void *missing = NULL;
    int kept = atomic_compare_exchange_strong(&pieces[first_of(kind) + i], &missing, memory);
    if (kept) {
        atomic_fetch_add(&present[kind], 1);
    }
    return kept;
}

/* Keeps memory as a piece of a kind. Returns whether one was missing. */
static int keep(void *memory, int kind) {
    for (int i = 0; i < count_of(kind); i++) {
        if (keep_at(kind, i, memory)) {
            return 1;
        }
    }
    return 0;
}

static int is_missing(int kind) {
    return atomic_load_explicit(&present[kind], memory_order_relaxed) < count_of(kind);
}

int fill_reserve(void) {
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        for (int i = 0; is_missing(kind) && i < count_of(kind); i++) {
            if (atomic_load(&pieces[first_of(kind) + i]) != NULL) {
                continue;
            }
            void *memory = __real_malloc(bytes_of(kind));
            if (memory == NULL) {
                return 0;
            }
            if (!keep_at(kind, i, memory)) {
                __real_free(memory);
            }
        }
    }
    void *memory = __real_malloc(THREAD_BYTES);
    if (memory == NULL) {
        return 0;
    }
    __real_free(memory);
    cep_last_error(); /* one of these variables */
    return 1;
}

void *__wrap_malloc(size_t bytes) {
    void *memory = __real_malloc(bytes);
    return memory != NULL ? memory : take(bytes);
}

void *__wrap_calloc(size_t count, size_t bytes) {
    void *memory = __real_calloc(count, bytes);
    if (memory == NULL && (bytes == 0 || count <= SIZE_MAX / bytes)) {
        memory = take(count * bytes);
        if (memory != NULL) {
            memset(memory, 0, count * bytes);
        }
    }
    return memory;
}

void *__wrap_realloc(void *old, size_t bytes) {
    void *memory = __real_realloc(old, bytes);
    if (memory == NULL && bytes > 0) {
        memory = take(bytes);
        if (memory != NULL && old != NULL) {
            size_t before = malloc_usable_size(old);
            memcpy(memory, old, before < bytes ? before : bytes);
            __real_free(old);
        }
    }
    return memory;
}

int __wrap_posix_memalign(void **memory, size_t alignment, size_t bytes) {
    int status = __real_posix_memalign(memory, alignment, bytes);
    if (status == ENOMEM && alignment <= _Alignof(max_align_t)) {
        void *piece = take(bytes);
        if (piece != NULL) {
            *memory = piece;
            status = 0;
        }
    }
    return status;
}

/* C++'s operator new, of which operator delete is free. */
void *__wrap__Znwm(size_t bytes) {
    void *memory = __wrap_malloc(bytes > 0 ? bytes : 1);
    return memory != NULL ? memory : __real__Znwm(bytes);
}

void __wrap_free(void *memory) {
    for (int kind = KIND_COUNT - 1; memory != NULL && kind >= 0; kind--) {
        if (is_missing(kind)) {
            size_t bytes = malloc_usable_size(memory);
            /* Much larger than a piece is not kept in its place. */
            if (bytes >= bytes_of(kind) && bytes < 2 * bytes_of(kind) && keep(memory, kind)) {
                return;
            }
        }
    }
    __real_free(memory);
}
