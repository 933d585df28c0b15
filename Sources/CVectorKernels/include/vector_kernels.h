/*
 * The loops that depend on the processor: one source (kernels.inc.h), compiled for several instruction sets.
 *
 * They are in C because clang compiles a C function for an instruction set that its attribute names, with no
 * compiler flag; Swift has only flags, and a package that sets them cannot be a dependency of another one.
 * Everything here takes raw pointers and checks nothing.
 */
#ifndef CEP_VECTOR_KERNELS_H
#define CEP_VECTOR_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "arithmetic.h"

enum {
    CEP_KERNEL_SHIFTED_SIGMOID = 0,
    CEP_KERNEL_HARD_SIGMOID = 1,
    CEP_KERNEL_TANH = 2,
    CEP_KERNEL_SIGMOID = 3,
    CEP_KERNEL_HALF_HARD_SIGMOID = 4,
    CEP_KERNEL_LINEAR = 5
};

/* Products of many matrices a[m x k] with rows first_row ... first_row + k - 1 of one packed matrix of packed_rows rows
 * and n columns. The strides give the distances between rows and between matrices. */
typedef struct {
    size_t count, m, n, k;
    size_t packed_rows, first_row;
    size_t a_row, a_product;
    size_t base_row, base_product;
    size_t c_row, c_product;
} cep_products;

/* The kernels of one number type T: pointers are to T, numbers are rounded to T. Sizes are 1 or more. */
typedef struct {
    /* Columns of a panel of packed weights; a matrix of at most half as many has one panel of that width. */
    size_t panel_columns;
    /* Panels first ... last - 1 of b[k x n]: element [i, j] is at b[i * stride + j], or at b[j * stride + i] if
     * transposed. */
    void (*pack)(const void *b, size_t k, size_t n, size_t stride, int transposed, void *packed, size_t first,
                 size_t last);
    /* c[m x n] <- base + a[m x k] b, for the columns of panels first ... last - 1 of packed b. Row i of base is at
     * base + i * base_stride: it may be c itself, or one row for all (base_stride 0). */
    void (*multiply)(size_t m, size_t n, size_t k, const void *a, const void *packed, const void *base,
                     size_t base_stride, void *c, size_t first, size_t last);
    /* c[m x n] <- base + a[m x k] b[n x k] transposed, for columns first ... last - 1 of c; base may be NULL,
     * for zeros. */
    void (*multiply_transposed)(size_t m, size_t n, size_t k, const void *a, const void *b, const void *base,
                                size_t base_stride, void *c, size_t first, size_t last);
    /* c[m x n] <- base + scale a[m x k] b[k x n], for b with few rows; element [i, j] of a is at a[i * row + j *
     * column]. */
    void (*add_product)(size_t m, size_t n, size_t k, double scale, const void *a, size_t a_row, size_t a_column,
                        const void *b, const void *base, size_t base_stride, void *c);
    /* c <- base + a b for many products: base may be c itself. */
    void (*multiply_many)(const cep_products *products, const void *a, const void *packed, const void *base,
                          void *c);
    /* to[j * to_stride + i] <- from[i * from_stride + j], rows x columns. */
    void (*transpose)(const void *from, size_t rows, size_t columns, size_t from_stride, void *to,
                      size_t to_stride);
    /* The maximum of each window of 2 x 2 pixels, for each channel, and its position (0 to 3, the first one if several
     * are equal). An odd last row or column of the image is ignored. */
    void (*pool_maximum)(size_t height, size_t width, size_t channels, const void *image, void *pooled,
                         void *winners);
    /* The pixels at these positions. */
    void (*take_winners)(size_t height, size_t width, size_t channels, const void *image, const void *winners,
                         void *pooled);
    /* The mean of each window. */
    void (*pool_average)(size_t height, size_t width, size_t channels, const void *image, void *pooled);
    /* The adjoint of both: to the position of the maximum, or a quarter to each pixel if winners is NULL. */
    void (*spread)(size_t height, size_t width, size_t channels, const void *pooled, const void *winners,
                   void *image);
    /* max |array[i]|; NaN if a value is infinite or NaN. */
    double (*largest_magnitude)(const void *array, size_t count);
    /* output <- activation(input) */
    void (*activate)(int activation, const void *input, void *output, size_t count);
    /* s <- activation(preactivation) + beta pull, all rows x columns; pull may be NULL. Raises changes[row] to max
     * |change| of the row, or to NaN if it is not finite. */
    void (*step_prototypical)(int activation, size_t rows, size_t columns, const void *preactivation,
                              const void *pull, double beta, void *state, void *changes);
    /* s <- s + dt (activation'(s) preactivation - s + beta pull), clamped to [0, 1] if requested. Raises changes in the
     * same way. The linear activation has the derivative 1. */
    void (*step_real_time)(int activation, size_t rows, size_t columns, const void *preactivation,
                           const void *pull, double beta, double dt, int clamp, void *state, void *changes);
} cep_kernels;

/* The kernels of an instruction set, and its name for CEP_INSTRUCTION_SET. */
typedef struct {
    const char *name;
    int supported; /* by this processor */
    const cep_kernels *float32;
    const cep_kernels *float64;
} cep_instruction_set;

/* Narrowest first; the first one runs on every processor. */
size_t cep_instruction_sets(const cep_instruction_set **sets);

/* The number of processors that this process may run on. */
int cep_processor_count(void);

/* Tells the processor that this thread waits for another one. */
static inline void cep_pause(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

#endif
