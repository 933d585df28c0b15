/* x86-64 with AVX-512: vectors of 64 bytes, and 32 registers for them. */
#if defined(__x86_64__)
#include "common.inc.h"

#define SET avx512
#define BYTES 64
#define ROWS 10
#define SHORT_ROWS 7
#define DOT_ROWS 5
#define MULTIPLY_ADD(a, b, c) __builtin_elementwise_fma(a, b, c)
#define TARGET __attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,fma")))
#define INLINE static inline __attribute__((always_inline, target("avx512f,avx512dq,avx512vl,avx512bw,fma")))
#define LOAD_PART_FLOAT32(p, count) _mm512_maskz_loadu_ps((__mmask16)((1u << (count)) - 1), p)
#define STORE_PART_FLOAT32(p, v, count) _mm512_mask_storeu_ps(p, (__mmask16)((1u << (count)) - 1), (__m512)(v))
#define LOAD_PART_FLOAT64(p, count) _mm512_maskz_loadu_pd((__mmask8)((1u << (count)) - 1), p)
#define STORE_PART_FLOAT64(p, v, count) _mm512_mask_storeu_pd(p, (__mmask8)((1u << (count)) - 1), (__m512d)(v))
#include "number_types.inc.h"
#endif
