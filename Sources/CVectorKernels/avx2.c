/* x86-64 with AVX2: vectors of 32 bytes, and 16 registers for them. */
#if defined(__x86_64__)
#include "common.inc.h"

#define SET avx2
#define BYTES 32
#define ROWS 6
#define SHORT_ROWS 6
#define DOT_ROWS 2
#define MULTIPLY_ADD(a, b, c) __builtin_elementwise_fma(a, b, c)
#define TARGET __attribute__((target("avx2,fma")))
#define INLINE static inline __attribute__((always_inline, target("avx2,fma")))
#include "number_types.inc.h"
#endif
