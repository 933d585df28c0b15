/*
 * Macros and constants of the kernels. Each file of an instruction set includes this file first, then
 * number_types.inc.h.
 */

#include "instruction_sets.h"

#include <math.h>
#include <stdint.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* MULTIPLY_ADD alone determines what is fused. If the compiler chose, it might choose differently for tiles of
 * different heights, and results would depend on how rows are divided among threads. */
#pragma clang fp contract(off)

#define UNROLL _Pragma("clang loop unroll(full)")
/* Prevents loads from being moved across it: the compiler would run out of registers. */
#define KEEP_ORDER __asm__ volatile("" ::: "memory")
#define JOIN_(a, b) a##_##b
#define JOIN(a, b) JOIN_(a, b)

/* Constants of each number type. 2^r on |r| <= 1/2 and (tanh(x) / x - 1) / x^2 on |x| <= 5/8 are Chebyshev
 * interpolations, with errors of 2e-9 and 2e-9 (float32), 3e-18 and 4e-18 (float64). */
static const float power_float32[] = {1.0f,
                                      0.693147206703f,
                                      0.240226509223f,
                                      0.0555032722667f,
                                      0.00961805667852f,
                                      0.00134004281776f,
                                      0.000154614446986f};
static const float tanh_float32[] = {-0.333333331721f, 0.133333035569f,    -0.0539592595772f,
                                     0.021768918651f,  -0.00834394551584f, 0.00229274481618f};
static const double power_float64[] = {1.0,
                                       0.693147180559945309,
                                       0.240226506959101596,
                                       0.055504108664821627,
                                       0.00961812910758725667,
                                       0.00133335581464064707,
                                       0.000154035304637243542,
                                       0.0000152527338415567726,
                                       1.32154325359123762e-6,
                                       1.01780570877339411e-7,
                                       7.07419429728852101e-9,
                                       4.45581790833606449e-10};
static const double tanh_float64[] = {-0.333333333333333329,    0.133333333333330416,    -0.0539682539678969917,
                                      0.0218694885190083058,    -0.00886323510324087792, 0.00359212175115496227,
                                      -0.00145577541204780551,  0.000589660657775704335, -0.000237590649605556196,
                                      0.0000925711612955676827, -0.0000312011014257974,  6.48516348279311315e-6};

#define LOG2_E 1.44269504088896340736

/* The lanes of two vectors, of 4 or 8 bytes each, that form the lower and the upper halves of every 16 bytes,
 * alternating. */
#define LOW_32_16 0, 4, 1, 5
#define HIGH_32_16 2, 6, 3, 7
#define LOW_32_32 0, 8, 1, 9, 4, 12, 5, 13
#define HIGH_32_32 2, 10, 3, 11, 6, 14, 7, 15
#define LOW_32_64 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29
#define HIGH_32_64 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31
#define LOW_64_16 0, 2
#define HIGH_64_16 1, 3
#define LOW_64_32 0, 4, 2, 6
#define HIGH_64_32 1, 5, 3, 7
#define LOW_64_64 0, 8, 2, 10, 4, 12, 6, 14
#define HIGH_64_64 1, 9, 3, 11, 5, 13, 7, 15
