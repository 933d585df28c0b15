/*
 * The kernels of both number types, for the instruction set that includes this file.
 *
 * SET: its name; BYTES: of a vector; ROWS, SHORT_ROWS, DOT_ROWS: of the largest tiles; TARGET, INLINE: what
 * functions are declared with; LOAD_PART_FLOAT32(p, count) and the like: the first lanes of a vector, where the
 * set has an instruction for it.
 */

#define T float
#define INTEGER int32_t
#define NAME(x) JOIN(JOIN(x, float32), SET)
#define ROUNDING 12582912.0
#define POWER_COEFFICIENTS power_float32
#define POWER_DEGREE 6
#define TANH_COEFFICIENTS tanh_float32
#define TANH_TERMS 6
#define EXPONENT_BIAS 127
#define MANTISSA_BITS 23
#define MAGNITUDE 0x7fffffff
#define TRANSPOSE_SQUARE(row)                                                                                     \
    {                                                                                                             \
        NAME(square_row) low = __builtin_shufflevector(row[0], row[1], 0, 4, 1, 5);                               \
        NAME(square_row) high = __builtin_shufflevector(row[0], row[1], 2, 6, 3, 7);                              \
        NAME(square_row) next_low = __builtin_shufflevector(row[2], row[3], 0, 4, 1, 5);                          \
        NAME(square_row) next_high = __builtin_shufflevector(row[2], row[3], 2, 6, 3, 7);                         \
        row[0] = __builtin_shufflevector(low, next_low, 0, 1, 4, 5);                                              \
        row[1] = __builtin_shufflevector(low, next_low, 2, 3, 6, 7);                                              \
        row[2] = __builtin_shufflevector(high, next_high, 0, 1, 4, 5);                                            \
        row[3] = __builtin_shufflevector(high, next_high, 2, 3, 6, 7);                                            \
    }
#define ADD_LANES(v) NAME(add_wide_pairs)(NAME(add_pairs)((v)[0], (v)[1]), NAME(add_pairs)((v)[2], (v)[3]))
#define PAIRS_LOW JOIN(LOW_32, BYTES)
#define PAIRS_HIGH JOIN(HIGH_32, BYTES)
#define INFINITE 0x7f800000
#ifdef LOAD_PART_FLOAT32
#define LOAD_PART LOAD_PART_FLOAT32
#define STORE_PART STORE_PART_FLOAT32
#endif
#include "kernels.inc.h"
#undef T
#undef INTEGER
#undef NAME
#undef ROUNDING
#undef POWER_COEFFICIENTS
#undef POWER_DEGREE
#undef TANH_COEFFICIENTS
#undef TANH_TERMS
#undef EXPONENT_BIAS
#undef MANTISSA_BITS
#undef MAGNITUDE
#undef TRANSPOSE_SQUARE
#undef ADD_LANES
#undef PAIRS_LOW
#undef PAIRS_HIGH
#undef INFINITE
#undef LOAD_PART
#undef STORE_PART

#define T double
#define INTEGER int64_t
#define NAME(x) JOIN(JOIN(x, float64), SET)
#define ROUNDING 6755399441055744.0
#define POWER_COEFFICIENTS power_float64
#define POWER_DEGREE 11
#define TANH_COEFFICIENTS tanh_float64
#define TANH_TERMS 12
#define EXPONENT_BIAS 1023
#define MANTISSA_BITS 52
#define MAGNITUDE 0x7fffffffffffffff
#define TRANSPOSE_SQUARE(row)                                                                                     \
    {                                                                                                             \
        NAME(square_row) low = __builtin_shufflevector(row[0], row[1], 0, 2);                                     \
        row[1] = __builtin_shufflevector(row[0], row[1], 1, 3);                                                   \
        row[0] = low;                                                                                             \
    }
#define ADD_LANES(v) NAME(add_pairs)((v)[0], (v)[1])
#define PAIRS_LOW JOIN(LOW_64, BYTES)
#define PAIRS_HIGH JOIN(HIGH_64, BYTES)
#define INFINITE 0x7ff0000000000000
#ifdef LOAD_PART_FLOAT64
#define LOAD_PART LOAD_PART_FLOAT64
#define STORE_PART STORE_PART_FLOAT64
#endif
#include "kernels.inc.h"
#undef T
#undef INTEGER
#undef NAME
#undef ROUNDING
#undef POWER_COEFFICIENTS
#undef POWER_DEGREE
#undef TANH_COEFFICIENTS
#undef TANH_TERMS
#undef EXPONENT_BIAS
#undef MANTISSA_BITS
#undef MAGNITUDE
#undef TRANSPOSE_SQUARE
#undef ADD_LANES
#undef PAIRS_LOW
#undef PAIRS_HIGH
#undef INFINITE
#undef LOAD_PART
#undef STORE_PART
