/* arm64: vectors of 16 bytes, and 32 registers for them. */
#if defined(__aarch64__)
#include "common.inc.h"

#define SET neon
#define BYTES 16
#define ROWS 10
#define SHORT_ROWS 7
#define DOT_ROWS 5
#define MULTIPLY_ADD(a, b, c) __builtin_elementwise_fma(a, b, c)
#define TARGET
#define INLINE static inline __attribute__((always_inline))
#include "number_types.inc.h"
#endif
