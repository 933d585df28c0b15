/*
 * Products of matrices: with weights in panels, or as they lie. For kernels.inc.h.
 */

/* ---- Panels of weights -------------------------------------------------------------- */

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

/* A matrix whose columns fit into one vector has a panel of that width. */
INLINE size_t NAME(panel_width)(size_t n) { return n <= LANES ? LANES : PANEL; }

/* Packs panels of this width, with k rows each. Columns beyond the matrix are left as they are: their results are not
 * used. */
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

/* ---- Products in tiles --------------------------------------------------------------------------- */

/* Adds the contribution of one row of b to the sums of a tile. The first row sets them, because zeroing costs time. */
#define TILE_STEP(i, first)                                                                                       \
    {                                                                                                             \
        VECTOR weights[2];                                                                                        \
        for (size_t v = 0; v < vectors; v++) {                                                                    \
            const T *place = b + (i) * b_stride + v * LANES;                                                      \
            size_t rest = columns - v * LANES;                                                                    \
            weights[v] = whole || rest >= LANES ? LOAD(place) : NAME(load_part)(place, rest);                     \
            if (fetches && m >= 4)                                                                                \
                __builtin_prefetch(next + (i) * b_stride + v * LANES, 0, 2);                                      \
        }                                                                                                         \
        for (size_t r = 0; r < m; r++) {                                                                          \
            VECTOR value = SPLAT(a[r * a_row + (i) * a_column]);                                                  \
            for (size_t v = 0; v < vectors; v++)                                                                  \
                sums[r][v] = first ? value * weights[v] : MULTIPLY_ADD(value, weights[v], sums[r][v]);            \
        }                                                                                                         \
    }

/* A tile of m rows and one panel. m is a compile-time constant, so that the sums stay in registers. `whole` tells
 * whether all lanes of the vectors of b can be read. `fetches` tells whether to prefetch `next`, the panel that comes
 * after this one: weights outside the near caches would otherwise take half of the time. Processing four rows of b at a
 * time needs fewer instructions per multiply-add, which helps on cores shared with other programs. */
INLINE void NAME(tile)(const size_t m, const size_t vectors, const int whole, const int fetches, size_t k,
                       const T *a, size_t a_row, const size_t a_column, const T *b, const T *next,
                       const size_t b_stride, T scale, const T *base, size_t base_stride, T *c, size_t c_stride,
                       size_t columns) {
    VECTOR sums[ROWS][2];
    TILE_STEP(0, 1)
    size_t i = 1;
    if (a_column == 1) {
        for (; i + 4 <= k; i += 4) {
            TILE_STEP(i, 0)
            KEEP_ORDER;
            TILE_STEP(i + 1, 0)
            KEEP_ORDER;
            TILE_STEP(i + 2, 0)
            KEEP_ORDER;
            TILE_STEP(i + 3, 0)
            KEEP_ORDER;
        }
    }
    for (; i < k; i++)
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

#define TILE(M, vectors, whole)                                                                                   \
    NAME(tile)(M, vectors, whole, fetches, k, a, a_row, a_column, b, next, b_stride, scale, base, base_stride, c, \
               c_stride, columns)
#define TILE_CASE(M, vectors, whole)                                                                              \
    case M:                                                                                                       \
        TILE(M, vectors, whole);                                                                                  \
        break;
#if ROWS >= 10
#define LARGE_TILES(...)                                                                                          \
    TILE_CASE(5, __VA_ARGS__)                                                                                     \
    TILE_CASE(6, __VA_ARGS__)                                                                                     \
    TILE_CASE(7, __VA_ARGS__)                                                                                     \
    TILE_CASE(8, __VA_ARGS__)                                                                                     \
    TILE_CASE(9, __VA_ARGS__)                                                                                     \
    TILE_CASE(10, __VA_ARGS__)
#elif ROWS >= 6
#define LARGE_TILES(...) TILE_CASE(5, __VA_ARGS__) TILE_CASE(6, __VA_ARGS__)
#else
#define LARGE_TILES(...)
#endif
/* A tile of m rows. */
#define TILE_OF_ROWS(...)                                                                                         \
    switch (m) {                                                                                                  \
        TILE_CASE(1, __VA_ARGS__)                                                                                 \
        TILE_CASE(2, __VA_ARGS__)                                                                                 \
        TILE_CASE(3, __VA_ARGS__)                                                                                 \
        TILE_CASE(4, __VA_ARGS__)                                                                                 \
        LARGE_TILES(__VA_ARGS__)                                                                                  \
    }

/* With a panel of packed weights of this width. `next` is NULL for the last panel; the others have all columns. */
TARGET static void NAME(panel_tile)(size_t m, size_t k, const T *a, size_t a_row, const T *b, const T *next,
                                    size_t width, const T *base, size_t base_stride, T *c, size_t c_stride,
                                    size_t columns) {
    enum { scale = 1, a_column = 1 };
    if (width == LANES) {
        enum { b_stride = LANES, fetches = 0 };
        TILE_OF_ROWS(1, 1)
    } else if (next) {
        enum { b_stride = PANEL, fetches = 1 };
        TILE_OF_ROWS(2, 1)
    } else if (columns > LANES) {
        enum { b_stride = PANEL, fetches = 0 };
        TILE_OF_ROWS(2, 1)
    } else {
        enum { b_stride = PANEL, fetches = 0 };
        TILE_OF_ROWS(1, 1)
    }
}

/* With b in row-major order. */
TARGET static void NAME(any_tile)(size_t m, int whole, size_t k, const T *a, size_t a_row, size_t a_column,
                                  const T *b, size_t b_stride, T scale, const T *base, size_t base_stride, T *c,
                                  size_t c_stride, size_t columns) {
    enum { fetches = 0 };
    const T *next = b;
    if (whole && columns > LANES)
        TILE_OF_ROWS(2, 1)
    else if (whole)
        TILE_OF_ROWS(1, 1)
    else if (columns > LANES)
        TILE_OF_ROWS(2, 0)
    else
        TILE_OF_ROWS(1, 0)
}

/* The number of tiles of nearly the same size into which m rows are divided. If sums are short, smaller tiles allow the
 * next tile to start before the last one has ended. */
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
            NAME(panel_tile)(rows, k, a + row * k, k, b, panel + 1 < last ? b + k * width : 0, width,
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
            NAME(any_tile)(rows, whole, k, a + row * a_row, a_row, a_column, b + start, n, (T)scale,
                           base + row * base_stride + start, base_stride, c + row * n + start, n, columns);
        }
    }
}

/* ---- Products with weights as they lie ----------------------------------------------------------- */

/* In each 16 bytes: half as many sums of a's lanes and of b's, alternating. */
INLINE VECTOR NAME(add_pairs)(VECTOR a, VECTOR b) {
    return __builtin_shufflevector(a, b, PAIRS_LOW) + __builtin_shufflevector(a, b, PAIRS_HIGH);
}

/* The same for 8 bytes as if they were one lane. */
INLINE VECTOR NAME(add_wide_pairs)(VECTOR a, VECTOR b) {
    typedef double wide __attribute__((vector_size(BYTES)));
    return (VECTOR)__builtin_shufflevector((wide)a, (wide)b, JOIN(LOW_64, BYTES)) +
           (VECTOR)__builtin_shufflevector((wide)a, (wide)b, JOIN(HIGH_64, BYTES));
}

/* The sums of the lanes of SIDE vectors, in a fixed order. */
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

/* A tile of m rows of a and n rows of b (4 at most), both compile-time constants: the sums of products along their
 * rows, added to a base if there is one. */
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
#undef TILE_STEP
#undef TILE_CASE
#undef LARGE_TILES
#undef TILE_OF_ROWS
#undef TILE
#undef DOT_STEP
#undef DOT_CASE
#undef WHOLE
#undef PART
