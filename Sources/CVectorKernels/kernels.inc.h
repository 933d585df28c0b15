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
#define SPLAT(x) NAME(splat)(x)

/* The same number in all lanes. An addition to zeros would cost an instruction, because 0 + x differs from x for -0. */
INLINE VECTOR NAME(splat)(T x) {
    VECTOR v;
    UNROLL for (int i = 0; i < LANES; i++) v[i] = x;
    return v;
}

/* The first `count` lanes from memory; the others are zero. */
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

/* The first `count` lanes; the others are zero. It does not read back a partial store, which would stall. */
INLINE VECTOR NAME(first_lanes)(VECTOR v, size_t count) {
    NAME(mask) lane;
    UNROLL for (int i = 0; i < LANES; i++) lane[i] = i;
    return (VECTOR)((NAME(mask))v & (lane < (INTEGER)count));
}

#include "elementwise.inc.h"
#include "products.inc.h"

#include "convolution.inc.h"

const cep_kernels NAME(cep_kernels) = {
    PANEL,
    NAME(pack),
    NAME(multiply),
    NAME(multiply_transposed),
    NAME(add_product),
    NAME(multiply_many),
    NAME(transpose_image),
    NAME(pool_maximum),
    NAME(take_winners),
    NAME(pool_average),
    NAME(spread),
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
