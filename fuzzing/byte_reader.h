/* What a fuzzer's bytes are read as: numbers that are mostly of use, and now and then of none. */
#ifndef BYTES_H
#define BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct bytes {
    const uint8_t *next;
    size_t left;
} bytes;

/* The next byte; 0 when all have been read. */
uint8_t next_byte(bytes *in);

/* 0 ... count - 1. */
int64_t choose(bytes *in, int64_t count);

/* Whether something rare is to be done: one time in sixteen. */
bool rarely(bytes *in);

/* Mostly 1 ... highest, else one that is too small or too large for anything. */
int64_t any_count(bytes *in, int64_t highest);

/* Mostly 0 ... count - 1, else one that is too small or too large for anything. */
int64_t any_index(bytes *in, int64_t count);

/* Mostly 0 ... count - 1, else a number that stands for nothing. */
int32_t any_choice(bytes *in, int32_t count);

/* Mostly a moderate number, else a large, tiny or negative one, an infinity, or not a number. */
double any_number(bytes *in);

#endif
