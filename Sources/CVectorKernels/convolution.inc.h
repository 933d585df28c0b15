/* Convolution: products along the rows of an image, and pooling. Images are height x width x channels. */

/* ---- Products ------------------------------------------------------------------------------------ */

TARGET static void NAME(multiply_many)(const cep_products *products, const void *left, const void *packed,
                                       const void *added, void *result) {
    const cep_products p = *products;
    const size_t width = NAME(panel_width)(p.n);
    const size_t tiles = NAME(tile_count)(p.m, p.k);
    for (size_t start = 0; start < p.n; start += width) {
        size_t columns = p.n - start < width ? p.n - start : width;
        const T *b = (const T *)packed + start * p.packed_rows + p.first_row * width;
        for (size_t product = 0; product < p.count; product++) {
            const T *a = (const T *)left + product * p.a_product;
            const T *base = (const T *)added + product * p.base_product + start;
            T *c = (T *)result + product * p.c_product + start;
            for (size_t tile = 0; tile < tiles; tile++) {
                size_t row = tile * p.m / tiles;
                size_t rows = (tile + 1) * p.m / tiles - row;
                NAME(panel_tile)(rows, p.k, a + row * p.a_row, p.a_row, b, 0, width, base + row * p.base_row,
                                 p.base_row, c + row * p.c_row, p.c_row, columns);
            }
        }
    }
}

TARGET static void NAME(transpose_image)(const void *from, size_t rows, size_t columns, size_t from_stride,
                                         void *to, size_t to_stride) {
    NAME(transpose)(from, rows, columns, from_stride, to, to_stride);
}

/* ---- Pooling of windows of 2 x 2 ----------------------------------------------------------------- */

/* One window at a time, all channels of it. An odd last row or column is in no window. */
#define FOR_WINDOWS(...)                                                                                          \
    for (size_t y = 0; y < height / 2; y++) {                                                                     \
        for (size_t x = 0; x < width / 2; x++) {                                                                  \
            const size_t first = (2 * y * width + 2 * x) * channels, second = first + channels;                   \
            const size_t third = first + width * channels, fourth = third + channels;                             \
            const size_t window = (y * (width / 2) + x) * channels;                                               \
            for (size_t c = 0; c < channels; c++)                                                                 \
                __VA_ARGS__                                                                                       \
        }                                                                                                         \
    }

TARGET static void NAME(pool_maximum)(size_t height, size_t width, size_t channels, const void *image,
                                      void *pooled, void *winners) {
    const T *restrict from = image;
    T *restrict to = pooled;
    T *restrict number = winners;
    FOR_WINDOWS({
        T best = from[first + c], winner = 0;
        winner = from[second + c] > best ? 1 : winner;
        best = from[second + c] > best ? from[second + c] : best;
        winner = from[third + c] > best ? 2 : winner;
        best = from[third + c] > best ? from[third + c] : best;
        winner = from[fourth + c] > best ? 3 : winner;
        best = from[fourth + c] > best ? from[fourth + c] : best;
        to[window + c] = best;
        number[window + c] = winner;
    })
}

TARGET static void NAME(take_winners)(size_t height, size_t width, size_t channels, const void *image,
                                      const void *winners, void *pooled) {
    const T *restrict from = image;
    const T *restrict number = winners;
    T *restrict to = pooled;
    FOR_WINDOWS({
        T lower = number[window + c] == 0 ? from[first + c] : from[second + c];
        T upper = number[window + c] == 2 ? from[third + c] : from[fourth + c];
        to[window + c] = number[window + c] < 2 ? lower : upper;
    })
}

TARGET static void NAME(pool_average)(size_t height, size_t width, size_t channels, const void *image,
                                      void *pooled) {
    const T *restrict from = image;
    T *restrict to = pooled;
    FOR_WINDOWS({
        to[window + c] = (T)0.25 * ((from[first + c] + from[second + c]) + (from[third + c] + from[fourth + c]));
    })
}

/* The adjoint of pooling: `winners` is NULL for the average. */
TARGET static void NAME(spread)(size_t height, size_t width, size_t channels, const void *pooled,
                                const void *winners, void *image) {
    const T *restrict from = pooled;
    const T *restrict number = winners;
    T *restrict to = image;
    if (number) {
        FOR_WINDOWS({
            to[first + c] = number[window + c] == 0 ? from[window + c] : 0;
            to[second + c] = number[window + c] == 1 ? from[window + c] : 0;
            to[third + c] = number[window + c] == 2 ? from[window + c] : 0;
            to[fourth + c] = number[window + c] == 3 ? from[window + c] : 0;
        })
    } else {
        FOR_WINDOWS({
            T share = (T)0.25 * from[window + c];
            to[first + c] = share;
            to[second + c] = share;
            to[third + c] = share;
            to[fourth + c] = share;
        })
    }
    if (width % 2) {
        for (size_t y = 0; y < height; y++)
            memset(to + (y * width + width - 1) * channels, 0, channels * sizeof(T));
    }
    if (height % 2)
        memset(to + (height - 1) * width * channels, 0, width * channels * sizeof(T));
}
#undef FOR_WINDOWS
