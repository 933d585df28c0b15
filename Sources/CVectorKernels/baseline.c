/* Every processor but arm64: vectors of 16 bytes, without fused multiply-adds. */
#if !defined(__aarch64__)
#include "common.inc.h"

#define SET baseline
#define BYTES 16
#define ROWS 4
#define SHORT_ROWS 4
#define DOT_ROWS 2
#define MULTIPLY_ADD(a, b, c) ((a) * (b) + (c))
#define TARGET
#define INLINE static inline __attribute__((always_inline))
#include "number_types.inc.h"
#endif
