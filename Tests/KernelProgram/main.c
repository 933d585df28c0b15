/*
 * Compares the C kernels with plain loops, for each instruction set of this processor and both number types.
 *
 * tools/kernels_arm64.sh builds it for arm64 and runs it in an emulator: the engine's Swift tests cannot run there.
 * Prints a line for each instruction set; ends with status 1 if a number differs by more than rounding.
 */
#include "vector_kernels.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One number type of one instruction set. Numbers are kept as double and converted for the kernel. */
typedef struct {
    const cep_kernels *kernels;
    size_t size;
    double epsilon;
    int failures;
} kernel_case;

/* ---- Arrays ------------------------------------------------------------------------------------- */

static double number(void) {
    static uint64_t state = 88172645463325252u;
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return (double)(state >> 40) / (double)(1 << 24) - 0.5;
}

static void *allocate(size_t bytes) {
    void *memory = malloc(bytes ? bytes : 1);
    if (!memory)
        exit(2);
    return memory;
}

static double get(const kernel_case *s, const void *array, size_t i) {
    return s->size == 4 ? (double)((const float *)array)[i] : ((const double *)array)[i];
}

static void set(const kernel_case *s, void *array, size_t i, double value) {
    if (s->size == 4)
        ((float *)array)[i] = (float)value;
    else
        ((double *)array)[i] = value;
}

/* Random numbers between -range and range, at the end of their memory, so that reads or writes beyond it are found. */
static void *randoms(const kernel_case *s, size_t count, double range) {
    void *array = allocate(count * s->size);
    for (size_t i = 0; i < count; i++)
        set(s, array, i, 2 * range * number());
    return array;
}

static void *copied(const kernel_case *s, const void *array, size_t count) {
    void *copy = allocate(count * s->size);
    memcpy(copy, array, count * s->size);
    return copy;
}

static void expect(kernel_case *s, const char *what, double got, double wanted, double scale) {
    double limit = 16 * s->epsilon * (scale > 1 ? scale : 1);
    if (fabs(got - wanted) <= limit)
        return;
    if (s->failures++ < 10)
        printf("  %s: %.9g, expected %.9g\n", what, got, wanted);
}

/* ---- Products ----------------------------------------------------------------------------------- */

static size_t panels(const kernel_case *s, size_t n) {
    size_t columns = s->kernels->panel_columns;
    return n <= columns / 2 ? 1 : (n + columns - 1) / columns;
}

static size_t packed_count(const kernel_case *s, size_t n, size_t k) {
    return panels(s, n) * s->kernels->panel_columns * k;
}

/* Compares products of matrices of this shape with the triple loop. */
static void check_products(kernel_case *s, size_t m, size_t n, size_t k) {
    void *a = randoms(s, m * k, 1), *b = randoms(s, k * n, 1), *bt = allocate(n * k * s->size);
    void *base = randoms(s, m * n, 1), *row = randoms(s, n, 1);
    double *wanted = allocate(m * n * sizeof(double));
    for (size_t i = 0; i < k; i++)
        for (size_t j = 0; j < n; j++)
            set(s, bt, j * k + i, get(s, b, i * n + j));
    for (size_t i = 0; i < m; i++) {
        for (size_t j = 0; j < n; j++) {
            double sum = 0;
            for (size_t l = 0; l < k; l++)
                sum += get(s, a, i * k + l) * get(s, b, l * n + j);
            wanted[i * n + j] = sum;
        }
    }
#define COMPARE(what, c, added, factor)                                                                           \
    for (size_t i = 0; i < m; i++)                                                                                \
        for (size_t j = 0; j < n; j++)                                                                            \
            expect(s, what, get(s, c, i *n + j), (added) + (factor) * wanted[i * n + j], (double)k);

    for (int transposed = 0; transposed < 2; transposed++) {
        void *packed = allocate(packed_count(s, n, k) * s->size), *c = randoms(s, m * n, 1);
        memset(packed, 0, packed_count(s, n, k) * s->size);
        s->kernels->pack(transposed ? bt : b, k, n, transposed ? k : n, transposed, packed, 0, panels(s, n));
        s->kernels->multiply(m, n, k, a, packed, row, 0, c, 0, panels(s, n));
        COMPARE("multiply", c, get(s, row, j), 1)
        s->kernels->multiply(m, n, k, a, packed, base, n, c, 0, panels(s, n));
        COMPARE("multiply with a base", c, get(s, base, i * n + j), 1)
        free(packed), free(c);
    }
    void *c = randoms(s, m * n, 1);
    s->kernels->multiply_transposed(m, n, k, a, bt, NULL, 0, c, 0, n);
    COMPARE("multiply_transposed", c, 0, 1)
    s->kernels->multiply_transposed(m, n, k, a, bt, base, n, c, 0, n);
    COMPARE("multiply_transposed with a base", c, get(s, base, i * n + j), 1)
    s->kernels->add_product(m, n, k, -0.5, a, k, 1, b, base, n, c);
    COMPARE("add_product", c, get(s, base, i * n + j), -0.5)
    free(a), free(b), free(bt), free(base), free(row), free(wanted), free(c);
}

/* Two products of rows of one packed matrix, each added to the result, as in a convolution. */
static void check_many(kernel_case *s, size_t m, size_t n, size_t k) {
    enum { PRODUCTS = 2, ABOVE = 3 };
    size_t rows = k + ABOVE + 1, a_row = k + 2, c_row = n + 1;
    cep_products p = {.count = PRODUCTS,
                      .m = m,
                      .n = n,
                      .k = k,
                      .packed_rows = rows,
                      .first_row = ABOVE,
                      .a_row = a_row,
                      .a_product = m * a_row,
                      .base_row = c_row,
                      .base_product = m * c_row,
                      .c_row = c_row,
                      .c_product = m * c_row};
    void *a = randoms(s, PRODUCTS * m * a_row, 1), *b = randoms(s, rows * n, 1);
    void *c = randoms(s, PRODUCTS * m * c_row, 1), *before = copied(s, c, PRODUCTS * m * c_row);
    void *packed = allocate(packed_count(s, n, rows) * s->size);
    memset(packed, 0, packed_count(s, n, rows) * s->size);
    s->kernels->pack(b, rows, n, n, 0, packed, 0, panels(s, n));
    s->kernels->multiply_many(&p, a, packed, c, c);
    for (size_t product = 0; product < PRODUCTS; product++) {
        for (size_t i = 0; i < m; i++) {
            for (size_t j = 0; j < c_row; j++) {
                size_t place = (product * m + i) * c_row + j;
                double wanted = get(s, before, place);
                for (size_t l = 0; j < n && l < k; l++)
                    wanted += get(s, a, (product * m + i) * a_row + l) * get(s, b, (ABOVE + l) * n + j);
                expect(s, "multiply_many", get(s, c, place), wanted, (double)k);
            }
        }
    }
    free(a), free(b), free(c), free(before), free(packed);
}

static void check_transpose(kernel_case *s, size_t rows, size_t columns) {
    void *from = randoms(s, rows * columns, 1), *to = randoms(s, rows * columns, 1);
    s->kernels->transpose(from, rows, columns, columns, to, rows);
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++)
            expect(s, "transpose", get(s, to, j * rows + i), get(s, from, i * columns + j), 0);
    free(from), free(to);
}

/* ---- Pooling ------------------------------------------------------------------------------------ */

static void check_pooling(kernel_case *s, size_t height, size_t width, size_t channels) {
    size_t pixels = height * width * channels, windows = (height / 2) * (width / 2) * channels;
    void *image = randoms(s, pixels, 1), *pooled = randoms(s, windows, 1), *winners = randoms(s, windows, 1);
    void *again = randoms(s, windows, 1), *mean = randoms(s, windows, 1);
    void *back = randoms(s, pixels, 1), *shared = randoms(s, pixels, 1);
    s->kernels->pool_maximum(height, width, channels, image, pooled, winners);
    s->kernels->take_winners(height, width, channels, image, winners, again);
    s->kernels->pool_average(height, width, channels, image, mean);
    s->kernels->spread(height, width, channels, pooled, winners, back);
    s->kernels->spread(height, width, channels, mean, NULL, shared);
    for (size_t y = 0; y < height; y++) {
        for (size_t x = 0; x < width; x++) {
            for (size_t c = 0; c < channels; c++) {
                size_t pixel = (y * width + x) * channels + c;
                if (y / 2 >= height / 2 || x / 2 >= width / 2) {
                    expect(s, "spread, outside of windows", get(s, back, pixel), 0, 0);
                    expect(s, "spread of a mean, outside", get(s, shared, pixel), 0, 0);
                    continue;
                }
                size_t window = ((y / 2) * (width / 2) + x / 2) * channels + c;
                double best = -1, sum = 0;
                int winner = 0;
                for (int i = 0; i < 4; i++) {
                    size_t row = y / 2 * 2 + (size_t)i / 2, column = x / 2 * 2 + (size_t)i % 2;
                    double value = get(s, image, (row * width + column) * channels + c);
                    sum += value;
                    if (value > best)
                        best = value, winner = i;
                }
                int own = (int)(y % 2 * 2 + x % 2);
                expect(s, "pool_maximum", get(s, pooled, window), best, 0);
                expect(s, "winners", get(s, winners, window), winner, 0);
                expect(s, "take_winners", get(s, again, window), best, 0);
                expect(s, "pool_average", get(s, mean, window), sum / 4, 0);
                expect(s, "spread", get(s, back, pixel), own == winner ? best : 0, 0);
                expect(s, "spread of a mean", get(s, shared, pixel), sum / 16, 0);
            }
        }
    }
    free(image), free(pooled), free(winners), free(again), free(mean), free(back), free(shared);
}

/* ---- States ------------------------------------------------------------------------------------- */

static double clipped(double x) { return x < 0 ? 0 : x > 1 ? 1 : x; }

static double activation(int kind, double x) {
    switch (kind) {
    case CEP_KERNEL_SHIFTED_SIGMOID:
        return 1 / (1 + exp(-4 * (x - 0.5)));
    case CEP_KERNEL_HARD_SIGMOID:
        return clipped(x);
    case CEP_KERNEL_TANH:
        return tanh(x);
    case CEP_KERNEL_SIGMOID:
        return 1 / (1 + exp(-x));
    case CEP_KERNEL_HALF_HARD_SIGMOID:
        return clipped(x / 2);
    default:
        return x;
    }
}

static double derivative(int kind, double x) {
    double y = activation(kind, x);
    switch (kind) {
    case CEP_KERNEL_SHIFTED_SIGMOID:
        return 4 * y * (1 - y);
    case CEP_KERNEL_HARD_SIGMOID:
        return x >= 0 && x <= 1;
    case CEP_KERNEL_TANH:
        return 1 - y * y;
    case CEP_KERNEL_SIGMOID:
        return y * (1 - y);
    case CEP_KERNEL_HALF_HARD_SIGMOID:
        return x >= 0 && x <= 2 ? 0.5 : 0;
    default:
        return 1;
    }
}

static void check_steps(kernel_case *s, int kind, size_t rows, size_t columns) {
    const double beta = 0.25, dt = 0.125;
    size_t count = rows * columns;
    void *preactivation = randoms(s, count, 4), *pull = randoms(s, count, 1), *state = randoms(s, count, 1);
    void *output = randoms(s, count, 1), *changes = allocate(rows * s->size);
    double largest = 0;
    s->kernels->activate(kind, preactivation, output, count);
    for (size_t i = 0; i < count; i++) {
        expect(s, "activate", get(s, output, i), activation(kind, get(s, preactivation, i)), 0);
        largest = fmax(largest, fabs(get(s, preactivation, i)));
    }
    expect(s, "largest_magnitude", s->kernels->largest_magnitude(preactivation, count), largest, 0);
    set(s, output, count - 1, INFINITY);
    if (!isnan(s->kernels->largest_magnitude(output, count)))
        expect(s, "largest_magnitude of infinity", 0, 1, 0);

    for (int real_time = 0; real_time < 2; real_time++) {
        for (int pulled = 0; pulled < 2; pulled++) {
            void *moved = copied(s, state, count);
            for (size_t i = 0; i < rows; i++)
                set(s, changes, i, 0);
            if (real_time)
                s->kernels->step_real_time(kind, rows, columns, preactivation, pulled ? pull : NULL, beta, dt, 1,
                                           moved, changes);
            else
                s->kernels->step_prototypical(kind, rows, columns, preactivation, pulled ? pull : NULL, beta,
                                              moved, changes);
            for (size_t i = 0; i < rows; i++) {
                double change = 0;
                for (size_t j = i * columns; j < (i + 1) * columns; j++) {
                    double old = get(s, state, j), nudge = pulled ? beta * get(s, pull, j) : 0, new;
                    if (real_time)
                        new = clipped(old + dt * (derivative(kind, old) * get(s, preactivation, j) - old + nudge));
                    else
                        new = activation(kind, get(s, preactivation, j)) + nudge;
                    expect(s, real_time ? "step_real_time" : "step_prototypical", get(s, moved, j), new, 4);
                    change = fmax(change, fabs(new - old));
                }
                expect(s, "largest change", get(s, changes, i), change, 4);
            }
            free(moved);
        }
    }
    free(preactivation), free(pull), free(state), free(output), free(changes);
}

/* ---- All of it ---------------------------------------------------------------------------------- */

static int check(const cep_kernels *kernels, size_t size, double epsilon) {
    static const size_t rows[] = {1, 2, 3, 5, 6, 7, 10, 13, 20}, columns[] = {1, 3, 4, 5, 8, 10, 16, 17, 35};
    static const size_t lengths[] = {1, 2, 3, 9, 16, 70};
    kernel_case s = {kernels, size, epsilon, 0};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t j = 0; j < sizeof columns / sizeof *columns; j++) {
            check_transpose(&s, rows[i], columns[j]);
            for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++) {
                check_products(&s, rows[i], columns[j], lengths[l]);
                check_many(&s, rows[i], columns[j], lengths[l]);
            }
        }
    for (size_t height = 1; height < 6; height++)
        for (size_t width = 1; width < 6; width++)
            for (size_t channels = 1; channels < 20; channels += 6)
                check_pooling(&s, height, width, channels);
    for (int kind = CEP_KERNEL_SHIFTED_SIGMOID; kind <= CEP_KERNEL_LINEAR; kind++)
        for (size_t j = 0; j < sizeof columns / sizeof *columns; j++)
            check_steps(&s, kind, 3, columns[j]);
    return s.failures;
}

int main(void) {
    const cep_instruction_set *sets;
    size_t count = cep_instruction_sets(&sets);
    int failures = 0;
    for (size_t i = 0; i < count; i++) {
        if (!sets[i].supported)
            continue;
        int found =
            check(sets[i].float32, sizeof(float), 1.2e-7) + check(sets[i].float64, sizeof(double), 2.3e-16);
        printf("%s: %d differences\n", sets[i].name, found);
        failures += found;
    }
    return failures ? 1 : 0;
}
