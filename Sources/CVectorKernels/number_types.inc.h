/*
 * The kernels of both number types, for the instruction set that includes this file.
 *
 * SET: its name; BYTES: of a vector; ROWS: of the largest tile; TARGET, INLINE: what functions are declared with.
 */

#define T float
#define INTEGER int32_t
#define NAME(x) JOIN(JOIN(x, float32), SET)
#define EXP_HIGH 89.0
#define EXP_LOW -87.0
#define ROUNDING 12582912.0
#define LN2_HIGH 0.693359375
#define LN2_LOW -2.12194440e-4
#define EXP_COEFFICIENTS exp_float32
#define EXP_DEGREE 6
#define TANH_COEFFICIENTS tanh_float32
#define TANH_TERMS 6
#define EXPONENT_BIAS 127
#define MANTISSA_BITS 23
#define MAGNITUDE 0x7fffffff
#include "kernels.inc.h"
#undef T
#undef INTEGER
#undef NAME
#undef EXP_HIGH
#undef EXP_LOW
#undef ROUNDING
#undef LN2_HIGH
#undef LN2_LOW
#undef EXP_COEFFICIENTS
#undef EXP_DEGREE
#undef TANH_COEFFICIENTS
#undef TANH_TERMS
#undef EXPONENT_BIAS
#undef MANTISSA_BITS
#undef MAGNITUDE

#define T double
#define INTEGER int64_t
#define NAME(x) JOIN(JOIN(x, float64), SET)
#define EXP_HIGH 710.0
#define EXP_LOW -708.0
#define ROUNDING 6755399441055744.0
#define LN2_HIGH 0.693145751953125
#define LN2_LOW 1.42860682030941723212e-6
#define EXP_COEFFICIENTS exp_float64
#define EXP_DEGREE 11
#define TANH_COEFFICIENTS tanh_float64
#define TANH_TERMS 12
#define EXPONENT_BIAS 1023
#define MANTISSA_BITS 52
#define MAGNITUDE 0x7fffffffffffffff
#include "kernels.inc.h"
#undef T
#undef INTEGER
#undef NAME
#undef EXP_HIGH
#undef EXP_LOW
#undef ROUNDING
#undef LN2_HIGH
#undef LN2_LOW
#undef EXP_COEFFICIENTS
#undef EXP_DEGREE
#undef TANH_COEFFICIENTS
#undef TANH_TERMS
#undef EXPONENT_BIAS
#undef MANTISSA_BITS
#undef MAGNITUDE

#undef SET
#undef BYTES
#undef ROWS
#undef TARGET
#undef INLINE
