/*
 * The kernels, once for each number type and instruction set that includes this file.
 *
 * T: the number type, and what number_types.inc.h says of it; NAME(x): x with a suffix of this type and set.
 */

typedef T NAME(vector) __attribute__((vector_size(BYTES)));
typedef T NAME(loose) __attribute__((vector_size(BYTES), aligned(sizeof(T)), may_alias));
typedef INTEGER NAME(mask) __attribute__((vector_size(BYTES)));

/* 16 bytes, of which SIDE make a square. */
typedef T NAME(square_row) __attribute__((vector_size(16), aligned(sizeof(T)), may_alias));

enum { NAME(LANES) = BYTES / sizeof(T), NAME(PANEL) = 2 * NAME(LANES), NAME(SIDE) = 16 / sizeof(T) };

#define VECTOR NAME(vector)
#define LANES NAME(LANES)
#define PANEL NAME(PANEL)
#define SIDE NAME(SIDE)
#define LOAD(p) ((VECTOR) * (const NAME(loose) *)(p))
#define STORE(p, v) (*(NAME(loose) *)(p) = (NAME(loose))(v))
#define SELECT(m, a, b) ((VECTOR)(((m) & (NAME(mask))(a)) | (~(m) & (NAME(mask))(b))))
#define SPLAT(x) ((VECTOR){0} + (T)(x))

/* ---- Elementary functions --------------------------------------------------------------------- */

/* 2^x by 2^n 2^r, |r| <= 1/2. Above the range infinity, below it the smallest normal numbers; NaN stays. */
INLINE VECTOR NAME(power_of_two)(VECTOR x) {
    x = SELECT(x > SPLAT(EXPONENT_BIAS + 1), SPLAT(EXPONENT_BIAS + 1), x);
    x = SELECT(x < SPLAT(1 - EXPONENT_BIAS), SPLAT(1 - EXPONENT_BIAS), x);
    VECTOR shifted = x + SPLAT(ROUNDING);
    VECTOR r = x - (shifted - SPLAT(ROUNDING));
    VECTOR p = SPLAT(POWER_COEFFICIENTS[POWER_DEGREE]);
    for (int i = POWER_DEGREE - 1; i >= 0; i--) {
        p = MULTIPLY_ADD(p, r, SPLAT(POWER_COEFFICIENTS[i]));
    }
    NAME(mask) exponent = ((NAME(mask))shifted + EXPONENT_BIAS) << MANTISSA_BITS;
    return p * (VECTOR)exponent;
}

/* 1 / (1 + e^(2 - 4x)) */
INLINE VECTOR NAME(shifted_sigmoid)(VECTOR x) {
    VECTOR power = MULTIPLY_ADD(SPLAT(-4 * LOG2_E), x, SPLAT(2 * LOG2_E));
    return SPLAT(1) / (SPLAT(1) + NAME(power_of_two)(power));
}

INLINE VECTOR NAME(hard_sigmoid)(VECTOR x) {
    x = SELECT(x < SPLAT(0), SPLAT(0), x);
    return SELECT(x > SPLAT(1), SPLAT(1), x);
}

/* Of |x|, with the sign of x put back: near 0 a series, so that tanh(x) is x there to the last bits; elsewhere
 * 1 - 2 / (e^2x + 1). */
INLINE VECTOR NAME(tanh)(VECTOR x) {
    VECTOR size = (VECTOR)((NAME(mask))x & MAGNITUDE);
    VECTOR far = SPLAT(1) - SPLAT(2) / (NAME(power_of_two)(SPLAT(2 * LOG2_E) * size) + SPLAT(1));
    VECTOR square = x * x;
    VECTOR p = SPLAT(TANH_COEFFICIENTS[TANH_TERMS - 1]);
    for (int i = TANH_TERMS - 2; i >= 0; i--) {
        p = MULTIPLY_ADD(p, square, SPLAT(TANH_COEFFICIENTS[i]));
    }
    VECTOR near = MULTIPLY_ADD(size * square, p, size);
    VECTOR result = SELECT(square < SPLAT(0.625 * 0.625), near, far);
    return (VECTOR)((NAME(mask))result | ((NAME(mask))x & ~(INTEGER)MAGNITUDE));
}

INLINE VECTOR NAME(apply)(int activation, VECTOR x) {
    switch (activation) {
    case CEP_KERNEL_SHIFTED_SIGMOID:
        return NAME(shifted_sigmoid)(x);
    case CEP_KERNEL_HARD_SIGMOID:
        return NAME(hard_sigmoid)(x);
    default:
        return NAME(tanh)(x);
    }
}

INLINE VECTOR NAME(derivative)(int activation, VECTOR x) {
    VECTOR y;
    switch (activation) {
    case CEP_KERNEL_SHIFTED_SIGMOID:
        y = NAME(shifted_sigmoid)(x);
        return SPLAT(4) * y * (SPLAT(1) - y);
    case CEP_KERNEL_HARD_SIGMOID:
        return SELECT((x >= SPLAT(0)) & (x <= SPLAT(1)), SPLAT(1), SPLAT(0));
    case CEP_KERNEL_TANH:
        y = NAME(tanh)(x);
        return MULTIPLY_ADD(-y, y, SPLAT(1));
    default:
        return SPLAT(1);
    }
}

/* ---- Loops over arrays ------------------------------------------------------------------------ */

/* The first `count` lanes of memory, zeros behind them. */
INLINE VECTOR NAME(load_part)(const T *p, size_t count) {
#ifdef LOAD_PART
    return (VECTOR)LOAD_PART(p, count);
#else
    T lanes[LANES] __attribute__((aligned(BYTES))) = {0};
    for (size_t i = 0; i < count; i++)
        lanes[i] = p[i];
    return *(VECTOR *)lanes;
#endif
}

INLINE void NAME(store_part)(T *p, VECTOR v, size_t count) {
#ifdef STORE_PART
    STORE_PART(p, v, count);
#else
    T lanes[LANES] __attribute__((aligned(BYTES)));
    *(VECTOR *)lanes = v;
    for (size_t i = 0; i < count; i++)
        p[i] = lanes[i];
#endif
}

/* The first `count` lanes, zeros behind them. What was stored in part is not read again for it: that would wait.
 */
INLINE VECTOR NAME(first_lanes)(VECTOR v, size_t count) {
    NAME(mask) lane;
    UNROLL for (int i = 0; i < LANES; i++) lane[i] = i;
    return (VECTOR)((NAME(mask))v & (lane < (INTEGER)count));
}

/* Sizes are compared as integers, in which order positive numbers are the same, and infinity and NaN above them.
 */
#define SIZE(change) ((NAME(mask))(change) & MAGNITUDE)
#define RECORD(change) largest = __builtin_elementwise_max(largest, SIZE(change))

/* The largest size among the lanes; NaN if one was infinite or not a number. */
INLINE T NAME(largest)(NAME(mask) largest) {
    union {
        INTEGER bits;
        T value;
    } result = {.bits = __builtin_reduce_max(largest)};
    return result.bits < INFINITE ? result.value : (T)NAN;
}

INLINE void NAME(activate_loop)(int activation, const T *input, T *output, size_t count) {
    size_t i = 0;
    for (; i + LANES <= count; i += LANES)
        STORE(output + i, NAME(apply)(activation, LOAD(input + i)));
    if (i < count) {
        NAME(store_part)(output + i, NAME(apply)(activation, NAME(load_part)(input + i, count - i)), count - i);
    }
}

TARGET static void NAME(activate)(int activation, const void *input, void *output, size_t count) {
    switch (activation) {
    case CEP_KERNEL_SHIFTED_SIGMOID:
        NAME(activate_loop)(CEP_KERNEL_SHIFTED_SIGMOID, input, output, count);
        break;
    case CEP_KERNEL_HARD_SIGMOID:
        NAME(activate_loop)(CEP_KERNEL_HARD_SIGMOID, input, output, count);
        break;
    default:
        NAME(activate_loop)(CEP_KERNEL_TANH, input, output, count);
    }
}

TARGET static double NAME(largest_magnitude)(const void *array, size_t count) {
    const T *values = array;
    NAME(mask) largest = {0};
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        VECTOR value = LOAD(values + i);
        RECORD(value);
    }
    if (i < count) {
        VECTOR value = NAME(load_part)(values + i, count - i);
        RECORD(value);
    }
    return NAME(largest)(largest);
}

INLINE VECTOR NAME(pulled)(VECTOR value, VECTOR target, VECTOR old, T beta, int pulls) {
    return pulls ? MULTIPLY_ADD(SPLAT(beta), target - old, value) : value;
}

INLINE T NAME(prototypical_loop)(int activation, const T *drive, const T *target, T beta, T *state, size_t count) {
    NAME(mask) largest = {0};
    const int pulls = target != 0;
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        VECTOR old = LOAD(state + i);
        VECTOR value = NAME(apply)(activation, LOAD(drive + i));
        VECTOR new = NAME(pulled)(value, pulls ? LOAD(target + i) : old, old, beta, pulls);
        VECTOR change = new - old;
        RECORD(change);
        STORE(state + i, new);
    }
    if (i < count) {
        size_t rest = count - i;
        VECTOR old = NAME(load_part)(state + i, rest);
        VECTOR value = NAME(apply)(activation, NAME(load_part)(drive + i, rest));
        VECTOR new = NAME(pulled)(value, pulls ? NAME(load_part)(target + i, rest) : old, old, beta, pulls);
        NAME(store_part)(state + i, new, rest);
        VECTOR change = NAME(first_lanes)(new - old, rest);
        RECORD(change);
    }
    return NAME(largest)(largest);
}

/* The larger of two sizes, NaN if either is. */
INLINE void NAME(raise)(T *largest, T size) {
    if (!(size <= *largest) && *largest == *largest)
        *largest = size;
}

#define EACH_ROW(loop, ...)                                                                                       \
    for (size_t row = 0; row < rows; row++) {                                                                     \
        size_t start = row * columns;                                                                             \
        NAME(raise)((T *)changes + row, NAME(loop)(__VA_ARGS__, (T *)state + start, columns));                    \
    }                                                                                                             \
    break;
#define ROW(array) ((array) ? (const T *)(array) + start : 0)

TARGET static void NAME(step_prototypical)(int activation, size_t rows, size_t columns, const void *drive,
                                           const void *target, double beta, void *state, void *changes) {
    switch (activation) {
    case CEP_KERNEL_SHIFTED_SIGMOID:
        EACH_ROW(prototypical_loop, CEP_KERNEL_SHIFTED_SIGMOID, ROW(drive), ROW(target), beta)
    case CEP_KERNEL_HARD_SIGMOID:
        EACH_ROW(prototypical_loop, CEP_KERNEL_HARD_SIGMOID, ROW(drive), ROW(target), beta)
    default:
        EACH_ROW(prototypical_loop, CEP_KERNEL_TANH, ROW(drive), ROW(target), beta)
    }
}

INLINE VECTOR NAME(moved)(int derivative_of, VECTOR old, VECTOR drive, VECTOR target, T beta, T dt, int clamp,
                          int pulls) {
    VECTOR velocity = MULTIPLY_ADD(NAME(derivative)(derivative_of, old), drive, -old);
    VECTOR new = MULTIPLY_ADD(SPLAT(dt), NAME(pulled)(velocity, target, old, beta, pulls), old);
    return clamp ? NAME(hard_sigmoid)(new) : new;
}

INLINE T NAME(real_time_loop)(int derivative_of, const T *drive, const T *target, T beta, T dt, int clamp,
                              T *state, size_t count) {
    NAME(mask) largest = {0};
    const int pulls = target != 0;
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        VECTOR old = LOAD(state + i);
        VECTOR new = NAME(moved)(derivative_of, old, LOAD(drive + i), pulls ? LOAD(target + i) : old, beta, dt,
                                 clamp, pulls);
        VECTOR change = new - old;
        RECORD(change);
        STORE(state + i, new);
    }
    if (i < count) {
        size_t rest = count - i;
        VECTOR old = NAME(load_part)(state + i, rest);
        VECTOR new = NAME(moved)(derivative_of, old, NAME(load_part)(drive + i, rest),
                                 pulls ? NAME(load_part)(target + i, rest) : old, beta, dt, clamp, pulls);
        NAME(store_part)(state + i, new, rest);
        VECTOR change = NAME(first_lanes)(new - old, rest);
        RECORD(change);
    }
    return NAME(largest)(largest);
}

TARGET static void NAME(step_real_time)(int activation, size_t rows, size_t columns, const void *drive,
                                        const void *target, double beta, double dt, int clamp, void *state,
                                        void *changes) {
    switch (activation) {
    case CEP_KERNEL_SHIFTED_SIGMOID:
        EACH_ROW(real_time_loop, CEP_KERNEL_SHIFTED_SIGMOID, ROW(drive), ROW(target), beta, dt, clamp)
    case CEP_KERNEL_HARD_SIGMOID:
        EACH_ROW(real_time_loop, CEP_KERNEL_HARD_SIGMOID, ROW(drive), ROW(target), beta, dt, clamp)
    case CEP_KERNEL_TANH:
        EACH_ROW(real_time_loop, CEP_KERNEL_TANH, ROW(drive), ROW(target), beta, dt, clamp)
    default:
        EACH_ROW(real_time_loop, CEP_KERNEL_NONE, ROW(drive), ROW(target), beta, dt, clamp)
    }
}

/* ---- Products with packed weights -------------------------------------------------------------- */

/* to[j * to_stride + i] <- from[i * from_stride + j], by squares of 16-byte vectors. */
INLINE void NAME(transpose)(const T *from, size_t rows, size_t columns, size_t from_stride, T *to,
                            size_t to_stride) {
    size_t i = 0;
    for (; i + SIDE <= rows; i += SIDE) {
        const T *source = from + i * from_stride;
        size_t j = 0;
        for (; j + SIDE <= columns; j += SIDE) {
            NAME(square_row) row[SIDE];
            UNROLL for (size_t r = 0; r < SIDE; r++) row[r] =
                *(const NAME(square_row) *)(source + r * from_stride + j);
            TRANSPOSE_SQUARE(row)
            UNROLL for (size_t r = 0; r < SIDE; r++) * (NAME(square_row) *)(to + (j + r) * to_stride + i) = row[r];
        }
        for (; j < columns; j++) {
            for (size_t r = 0; r < SIDE; r++)
                to[j * to_stride + i + r] = source[r * from_stride + j];
        }
    }
    for (; i < rows; i++) {
        for (size_t j = 0; j < columns; j++)
            to[j * to_stride + i] = from[i * from_stride + j];
    }
}

/* A matrix that fits into one vector's columns has a panel of that width. */
INLINE size_t NAME(panel_width)(size_t n) { return n <= LANES ? LANES : PANEL; }

/* Panels of that many columns, k rows each. Columns that are not there are left as they are: nothing comes of
 * them. */
TARGET static void NAME(pack)(const void *from, size_t k, size_t n, size_t stride, int transposed, void *to,
                              size_t first, size_t last) {
    const T *b = from;
    const size_t width = NAME(panel_width)(n);
    for (size_t panel = first; panel < last; panel++) {
        T *packed = (T *)to + panel * k * width;
        size_t start = panel * width;
        size_t columns = n - start < width ? n - start : width;
        if (transposed) {
            NAME(transpose)(b + start * stride, columns, k, stride, packed, width);
        } else {
            for (size_t i = 0; i < k; i++)
                memcpy(packed + i * width, b + i * stride + start, columns * sizeof(T));
        }
    }
}

/* What one row of b adds to the sums of a tile. The first one sets them: zeroing them costs more than it looks. */
#define TILE_STEP(i, first)                                                                                       \
    {                                                                                                             \
        VECTOR weights[2];                                                                                        \
        for (size_t v = 0; v < vectors; v++) {                                                                    \
            const T *place = b + (i) * b_stride + v * LANES;                                                      \
            size_t rest = columns - v * LANES;                                                                    \
            weights[v] = whole || rest >= LANES ? LOAD(place) : NAME(load_part)(place, rest);                     \
            if (m >= 4)                                                                                           \
                __builtin_prefetch(next + (i) * b_stride + v * LANES, 0, 2);                                      \
        }                                                                                                         \
        for (size_t r = 0; r < m; r++) {                                                                          \
            VECTOR value = SPLAT(a[r * a_row + (i) * a_column]);                                                  \
            for (size_t v = 0; v < vectors; v++)                                                                  \
                sums[r][v] = first ? value * weights[v] : MULTIPLY_ADD(value, weights[v], sums[r][v]);            \
        }                                                                                                         \
    }

/* A tile of m rows and one panel, m known when this is compiled in, so that the sums stay in registers. `whole` is
 * whether all lanes of the vectors of b can be read. `next` is the panel that comes after this one, or b where
 * there is none: it is fetched meanwhile, because weights that are in no near cache would be waited for otherwise,
 * half of the time. */
INLINE void NAME(tile)(const size_t m, const size_t vectors, const int whole, size_t k, const T *a, size_t a_row,
                       size_t a_column, const T *b, const T *next, size_t b_stride, T scale, const T *base,
                       size_t base_stride, T *c, size_t c_stride, size_t columns) {
    VECTOR sums[ROWS][2];
    TILE_STEP(0, 1)
    for (size_t i = 1; i < k; i++)
        TILE_STEP(i, 0)
    for (size_t r = 0; r < m; r++) {
        for (size_t v = 0; v < vectors; v++) {
            T *place = c + r * c_stride + v * LANES;
            const T *old = base + r * base_stride + v * LANES;
            if (columns - v * LANES >= LANES) {
                STORE(place, MULTIPLY_ADD(SPLAT(scale), sums[r][v], LOAD(old)));
            } else {
                size_t rest = columns - v * LANES;
                NAME(store_part)(place, MULTIPLY_ADD(SPLAT(scale), sums[r][v], NAME(load_part)(old, rest)), rest);
            }
        }
    }
}

#define TILE_CASE(M)                                                                                              \
    case M:                                                                                                       \
        if (!whole)                                                                                               \
            NAME(tile)(M, columns > LANES ? 2 : 1, 0, k, a, a_row, a_column, b, next, b_stride, scale, base,      \
                       base_stride, c, c_stride, columns);                                                        \
        else if (columns > LANES)                                                                                 \
            NAME(tile)(M, 2, 1, k, a, a_row, a_column, b, next, b_stride, scale, base, base_stride, c, c_stride,  \
                       columns);                                                                                  \
        else                                                                                                      \
            NAME(tile)(M, 1, 1, k, a, a_row, a_column, b, next, b_stride, scale, base, base_stride, c, c_stride,  \
                       columns);                                                                                  \
        break;

TARGET static void NAME(any_tile)(size_t m, int whole, size_t k, const T *a, size_t a_row, size_t a_column,
                                  const T *b, const T *next, size_t b_stride, T scale, const T *base,
                                  size_t base_stride, T *c, size_t c_stride, size_t columns) {
    switch (m) {
        TILE_CASE(1)
        TILE_CASE(2)
        TILE_CASE(3)
        TILE_CASE(4)
#if ROWS >= 6
        TILE_CASE(5)
        TILE_CASE(6)
#endif
#if ROWS >= 10
        TILE_CASE(7)
        TILE_CASE(8)
        TILE_CASE(9)
        TILE_CASE(10)
#endif
    }
}

/* ---- Products with weights as they lie ----------------------------------------------------------- */

/* In each 16 bytes: half as many sums of a's lanes, and of b's, in turn. */
INLINE VECTOR NAME(add_pairs)(VECTOR a, VECTOR b) {
    return __builtin_shufflevector(a, b, PAIRS_LOW) + __builtin_shufflevector(a, b, PAIRS_HIGH);
}

/* The same of 8 bytes as if they were one lane. */
INLINE VECTOR NAME(add_wide_pairs)(VECTOR a, VECTOR b) {
    typedef double wide __attribute__((vector_size(BYTES)));
    return (VECTOR)__builtin_shufflevector((wide)a, (wide)b, JOIN(LOW_64, BYTES)) +
           (VECTOR)__builtin_shufflevector((wide)a, (wide)b, JOIN(HIGH_64, BYTES));
}

/* The sums of the lanes of SIDE vectors, in an order that does not depend on anything. */
INLINE NAME(square_row) NAME(sums)(const VECTOR *v) {
    union {
        VECTOR whole;
        NAME(square_row) parts[BYTES / 16];
    } lanes = {ADD_LANES(v)};
    for (int count = BYTES / 32; count > 0; count /= 2) {
        UNROLL for (int i = 0; i < count; i++) lanes.parts[i] += lanes.parts[i + count];
    }
    return lanes.parts[0];
}

#define DOT_STEP(load, first)                                                                                     \
    {                                                                                                             \
        VECTOR right[4];                                                                                          \
        for (size_t s = 0; s < n; s++)                                                                            \
            right[s] = load(b + s * k + i);                                                                       \
        for (size_t r = 0; r < m; r++) {                                                                          \
            VECTOR left = load(a + r * k + i);                                                                    \
            for (size_t s = 0; s < n; s++)                                                                        \
                sums[r][s] = first ? left * right[s] : MULTIPLY_ADD(left, right[s], sums[r][s]);                  \
        }                                                                                                         \
    }
#define WHOLE(p) LOAD(p)
#define PART(p) NAME(load_part)(p, k - i)

/* A tile of m rows of a and n rows of b (4 at most), both known when this is compiled in: the sums of products
 * along their rows, added to a base where there is one. */
INLINE void NAME(dot_tile)(const size_t m, const size_t n, size_t k, const T *a, const T *b, const T *base,
                           size_t base_stride, T *c, size_t c_stride) {
    VECTOR sums[DOT_ROWS][4];
    for (size_t r = 0; r < m; r++) {
        for (size_t s = n; s < 4; s++)
            sums[r][s] = SPLAT(0);
    }
    size_t i = 0;
    if (k < LANES) {
        DOT_STEP(PART, 1)
        i = k;
    } else {
        DOT_STEP(WHOLE, 1)
        i = LANES;
    }
    for (; i + LANES <= k; i += LANES)
        DOT_STEP(WHOLE, 0)
    if (i < k)
        DOT_STEP(PART, 0)
    for (size_t r = 0; r < m; r++) {
        for (size_t s = 0; s < n; s += SIDE) {
            NAME(square_row) result = NAME(sums)(sums[r] + s);
            for (size_t t = 0; t < SIDE && s + t < n; t++)
                c[r * c_stride + s + t] = (base ? base[r * base_stride + s + t] : 0) + result[t];
        }
    }
}

#define DOT_CASE(M)                                                                                               \
    case M:                                                                                                       \
        if (n == 4)                                                                                               \
            NAME(dot_tile)(M, 4, k, a, b, base, base_stride, c, c_stride);                                        \
        else if (n == 3)                                                                                          \
            NAME(dot_tile)(M, 3, k, a, b, base, base_stride, c, c_stride);                                        \
        else if (n == 2)                                                                                          \
            NAME(dot_tile)(M, 2, k, a, b, base, base_stride, c, c_stride);                                        \
        else                                                                                                      \
            NAME(dot_tile)(M, 1, k, a, b, base, base_stride, c, c_stride);                                        \
        break;

TARGET static void NAME(any_dot_tile)(size_t m, size_t n, size_t k, const T *a, const T *b, const T *base,
                                      size_t base_stride, T *c, size_t c_stride) {
    switch (m) {
        DOT_CASE(1)
        DOT_CASE(2)
#if DOT_ROWS >= 5
        DOT_CASE(3)
        DOT_CASE(4)
        DOT_CASE(5)
#endif
    }
}

TARGET static void NAME(multiply_transposed)(size_t m, size_t n, size_t k, const void *left, const void *right,
                                             const void *added, size_t base_stride, void *result, size_t first,
                                             size_t last) {
    const T *a = left;
    const T *b = right;
    const T *base = added;
    T *c = result;
    for (size_t column = first; column < last; column += 4) {
        size_t columns = last - column < 4 ? last - column : 4;
        for (size_t row = 0; row < m; row += DOT_ROWS) {
            size_t rows = m - row < DOT_ROWS ? m - row : DOT_ROWS;
            NAME(any_dot_tile)(rows, columns, k, a + row * k, b + column * k,
                               base ? base + row * base_stride + column : 0, base_stride, c + row * n + column, n);
        }
    }
}

/* ---- Products in tiles --------------------------------------------------------------------------- */

/* Into how many tiles of nearly the same size m rows are cut. Where sums are short, the next tile had better begin
 * before the last one has ended, which small tiles can. */
INLINE size_t NAME(tile_count)(size_t m, size_t k) {
    const size_t rows = k < 64 ? SHORT_ROWS : ROWS;
    return (m + rows - 1) / rows;
}

TARGET static void NAME(multiply)(size_t m, size_t n, size_t k, const void *left, const void *panels,
                                  const void *base, size_t base_stride, void *result, size_t first, size_t last) {
    const T *a = left;
    T *c = result;
    const size_t width = NAME(panel_width)(n);
    const size_t tiles = NAME(tile_count)(m, k);
    for (size_t panel = first; panel < last; panel++) {
        size_t start = panel * width;
        size_t columns = n - start < width ? n - start : width;
        const T *b = (const T *)panels + start * k;
        for (size_t tile = 0; tile < tiles; tile++) {
            size_t row = tile * m / tiles;
            size_t rows = (tile + 1) * m / tiles - row;
            NAME(any_tile)(rows, 1, k, a + row * k, k, 1, b, panel + 1 < last ? b + k * width : b, width, 1,
                           (const T *)base + row * base_stride + start, base_stride, c + row * n + start, n,
                           columns);
        }
    }
}

TARGET static void NAME(add_product)(size_t m, size_t n, size_t k, double scale, const void *left, size_t a_row,
                                     size_t a_column, const void *right, const void *added, size_t base_stride,
                                     void *result) {
    const T *a = left;
    const T *b = right;
    const T *base = added;
    T *c = result;
    const size_t tiles = NAME(tile_count)(m, k);
    for (size_t tile = 0; tile < tiles; tile++) {
        size_t row = tile * m / tiles;
        size_t rows = (tile + 1) * m / tiles - row;
        for (size_t start = 0; start < n; start += PANEL) {
            size_t columns = n - start < PANEL ? n - start : PANEL;
            int whole = columns == PANEL || columns == LANES;
            NAME(any_tile)(rows, whole, k, a + row * a_row, a_row, a_column, b + start, b + start, n, (T)scale,
                           base + row * base_stride + start, base_stride, c + row * n + start, n, columns);
        }
    }
}

static const cep_kernels NAME(kernels) = {
    PANEL,
    NAME(pack),
    NAME(multiply),
    NAME(multiply_transposed),
    NAME(add_product),
    NAME(largest_magnitude),
    NAME(activate),
    NAME(step_prototypical),
    NAME(step_real_time),
};

#undef VECTOR
#undef LANES
#undef PANEL
#undef SIDE
#undef LOAD
#undef STORE
#undef SELECT
#undef SPLAT
#undef RECORD
#undef SIZE
#undef EACH_ROW
#undef ROW
#undef TILE_STEP
#undef TILE_CASE
#undef DOT_STEP
#undef DOT_CASE
#undef WHOLE
#undef PART
