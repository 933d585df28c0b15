/* Reads a fuzzer's bytes as numbers, most of them valid. */
#ifndef BYTE_READER_H
#define BYTE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct byte_reader {
    const uint8_t *next;
    size_t left;
} byte_reader;

/* The next byte; 0 when all have been read. */
uint8_t next_byte(byte_reader *in);

/* 0 ... count - 1. */
int64_t choose(byte_reader *in, int64_t count);

/* True one time in sixteen. */
bool rarely(byte_reader *in);

/* Mostly 1 ... highest, otherwise too small or too large. */
int64_t any_count(byte_reader *in, int64_t highest);

/* Mostly 0 ... count - 1, otherwise too small or too large. */
int64_t any_index(byte_reader *in, int64_t count);

/* Mostly a moderate number, otherwise a large, tiny or negative one, an infinity, or not a number. */
double any_number(byte_reader *in);

#endif
