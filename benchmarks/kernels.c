/*
 * The products of a batch of 20 (MNIST, 512 hidden units) with our kernels and with OpenBLAS, one thread, float32:
 * GFLOP/s, compared with a large product and with multiply-adds that access no memory, the peak. The choices of
 * layout in Products.swift follow these measurements.
 *
 *     clang -O2 -I Sources/CVectorKernels/include benchmarks/kernels.c Sources/CVectorKernels/?*.c \
 *         -lopenblas -lm -o .build/kernels && .build/kernels
 *
 * The argument selects an instruction set: baseline, avx2, avx512 (default: the widest).
 */
#include "vector_kernels.h"

#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BATCH = 20, INPUTS = 784, HIDDEN = 512, OUTPUTS = 10, LARGE = 2048, ROUNDS = 15 };

static const cep_kernels *kernels;
static float *a, *b, *c, *packed, *row, *packed_large[2];

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static float *array(size_t count) {
    float *values = aligned_alloc(64, (count * sizeof(float) + 63) / 64 * 64);
    if (!values)
        exit(1);
    for (size_t i = 0; i < count; i++)
        values[i] = (float)(rand() % 1000) / 1000 - 0.5f;
    return values;
}

/* The best of several rounds of about 20 ms each. */
static double rate(double operations, void (*product)(void)) {
    double best = 0;
    int repetitions = (int)(2e9 / operations) + 1;
    for (int round = 0; round < ROUNDS; round++) {
        double start = now();
        for (int i = 0; i < repetitions; i++)
            product();
        double found = operations * repetitions / (now() - start) * 1e-9;
        best = found > best ? found : best;
    }
    return best;
}

static void report(const char *name, size_t m, size_t n, size_t k, void (*ours)(void), void (*theirs)(void)) {
    double operations = 2.0 * (double)m * (double)n * (double)k;
    char shape[64];
    snprintf(shape, sizeof shape, "%zu x %zu over %zu", m, n, k);
    printf("%-52s %-18s %6.1f %10.1f\n", name, shape, rate(operations, ours), rate(operations, theirs));
}

static void between_ours(void) {
    kernels->multiply(BATCH, HIDDEN, HIDDEN, a, packed, row, 0, c, 0, HIDDEN / kernels->panel_columns);
}
static void between_theirs(void) {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, BATCH, HIDDEN, HIDDEN, 1, a, HIDDEN, b, HIDDEN, 0, c,
                HIDDEN);
}
/* One copy of the weights for both directions would have to be used unpacked. */
static void lying_up_ours(void) {
    kernels->multiply_transposed(BATCH, HIDDEN, HIDDEN, a, b, row, 0, c, 0, HIDDEN);
}
static void lying_down_ours(void) { kernels->add_product(BATCH, HIDDEN, HIDDEN, 1, a, HIDDEN, 1, b, row, 0, c); }
static void lying_down_theirs(void) {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, BATCH, HIDDEN, HIDDEN, 1, a, HIDDEN, b, HIDDEN, 0, c,
                HIDDEN);
}
/* Two matrices in turn, 32 MB together, which do not stay in the near caches. */
static void far_ours(void) {
    static int turn;
    turn = !turn;
    kernels->multiply(BATCH, LARGE, LARGE, a, packed_large[turn], row, 0, c, 0, LARGE / kernels->panel_columns);
}
static void far_theirs(void) {
    static int turn;
    turn = !turn;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, BATCH, LARGE, LARGE, 1, a, LARGE, packed_large[turn],
                LARGE, 0, c, LARGE);
}
static void up_ours(void) { kernels->multiply_transposed(BATCH, OUTPUTS, HIDDEN, a, b, row, 0, c, 0, OUTPUTS); }
static void up_theirs(void) {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, BATCH, OUTPUTS, HIDDEN, 1, a, HIDDEN, b, HIDDEN, 0, c,
                OUTPUTS);
}
static void down_ours(void) { kernels->add_product(BATCH, HIDDEN, OUTPUTS, 1, a, OUTPUTS, 1, b, row, 0, c); }
static void down_theirs(void) {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, BATCH, HIDDEN, OUTPUTS, 1, a, OUTPUTS, b, HIDDEN, 0, c,
                HIDDEN);
}
static void input_ours(void) { kernels->multiply_transposed(BATCH, HIDDEN, INPUTS, a, b, row, 0, c, 0, HIDDEN); }
static void input_theirs(void) {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, BATCH, HIDDEN, INPUTS, 1, a, INPUTS, b, INPUTS, 0, c,
                HIDDEN);
}
static void update_ours(void) { kernels->add_product(HIDDEN, INPUTS, BATCH, 1e-9, a, 1, HIDDEN, b, c, INPUTS, c); }
static void update_theirs(void) {
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, HIDDEN, INPUTS, BATCH, 1e-9f, a, HIDDEN, b, INPUTS, 1, c,
                INPUTS);
}
static void large(void) {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, LARGE, LARGE, LARGE, 1, a, LARGE, b, LARGE, 0, c,
                LARGE);
}

/* Twelve chains of fused multiply-adds hide their latency, in registers only. The sum is returned, so that the compiler
 * keeps them. */
enum { CHAINS = 12, LINKS = 4096 };
#define MULTIPLY_ADDS(name, target_set, bytes)                                                                    \
    __attribute__((target(target_set))) static void name(void) {                                                  \
        typedef float vector __attribute__((vector_size(bytes)));                                                 \
        vector chains[CHAINS], factor = {0}, term = {0};                                                          \
        factor += a[0], term += a[1];                                                                             \
        for (int i = 0; i < CHAINS; i++)                                                                          \
            chains[i] = term * (float)i;                                                                          \
        for (int link = 0; link < LINKS; link++)                                                                  \
            for (int i = 0; i < CHAINS; i++)                                                                      \
                chains[i] = chains[i] * factor + term;                                                            \
        for (int i = 0; i < CHAINS; i++)                                                                          \
            c[i] = chains[i][0];                                                                                  \
    }
MULTIPLY_ADDS(multiply_adds_avx2, "avx2,fma", 32)
MULTIPLY_ADDS(multiply_adds_avx512, "avx512f", 64)

int main(int count, char **arguments) {
    const cep_instruction_set *sets;
    size_t known = cep_instruction_sets(&sets);
    const char *name = 0;
    for (size_t i = 0; i < known; i++) {
        if (sets[i].supported && (count < 2 || strcmp(arguments[1], sets[i].name) == 0)) {
            kernels = sets[i].float32;
            name = sets[i].name;
        }
    }
    if (!name) {
        fprintf(stderr, "%s: not an instruction set of this processor\n", arguments[1]);
        return 1;
    }
    openblas_set_num_threads(1);
    a = array((size_t)LARGE * LARGE);
    b = array((size_t)LARGE * LARGE);
    c = array((size_t)LARGE * LARGE);
    row = array(LARGE);
    packed = array((size_t)HIDDEN * HIDDEN);
    kernels->pack(b, HIDDEN, HIDDEN, HIDDEN, 1, packed, 0, HIDDEN / kernels->panel_columns);

    for (int i = 0; i < 2; i++) {
        packed_large[i] = array((size_t)LARGE * LARGE);
        kernels->pack(b, LARGE, LARGE, LARGE, 1, packed_large[i], 0, LARGE / kernels->panel_columns);
    }

    printf("%-71s %6s %10s\n", name, "ours", "OpenBLAS");
    report("between hidden layers, packed", BATCH, HIDDEN, HIDDEN, between_ours, between_theirs);
    report("between hidden layers, up, unpacked", BATCH, HIDDEN, HIDDEN, lying_up_ours, between_theirs);
    report("between hidden layers, down, unpacked", BATCH, HIDDEN, HIDDEN, lying_down_ours, lying_down_theirs);
    report("between layers of 2048, packed, from memory", BATCH, LARGE, LARGE, far_ours, far_theirs);
    report("hidden to output, a unit's weights contiguous", BATCH, OUTPUTS, HIDDEN, up_ours, up_theirs);
    report("output to hidden, unpacked", BATCH, HIDDEN, OUTPUTS, down_ours, down_theirs);
    report("input to hidden, unpacked", BATCH, HIDDEN, INPUTS, input_ours, input_theirs);
    report("update of the input's weights", HIDDEN, INPUTS, BATCH, update_ours, update_theirs);
    printf("%-78s %10.1f\n", "2048 x 2048 over 2048", rate(2.0 * LARGE * LARGE * LARGE, large));
    if (strcmp(name, "avx2") == 0)
        printf("%-71s %6.1f\n", "multiply-adds in registers", rate(2.0 * CHAINS * LINKS * 8, multiply_adds_avx2));
    if (strcmp(name, "avx512") == 0)
        printf("%-71s %6.1f\n", "multiply-adds in registers",
               rate(2.0 * CHAINS * LINKS * 16, multiply_adds_avx512));
    return 0;
}
