/*
 * How a thread computes: the processor's control register of floating-point arithmetic.
 *
 * Numbers too small for the usual format (denormals: below 1.2e-38 in float32, 2.2e-308 in float64) cost many
 * processors a hundred times as much as others. The engine takes them for zeros.
 */
#ifndef CEP_ARITHMETIC_H
#define CEP_ARITHMETIC_H

#include <stdint.h>

static inline uint64_t cep_get_arithmetic(void) {
#if defined(__x86_64__)
    return __builtin_ia32_stmxcsr();
#elif defined(__aarch64__)
    uint64_t control;
    __asm__ volatile("mrs %0, fpcr" : "=r"(control));
    return control;
#else
    return 0;
#endif
}

static inline void cep_set_arithmetic(uint64_t control) {
#if defined(__x86_64__)
    __builtin_ia32_ldmxcsr((uint32_t)control);
#elif defined(__aarch64__)
    __asm__ volatile("msr fpcr, %0" : : "r"(control));
#else
    (void)control;
#endif
}

/* The engine's mode: round to nearest, no traps, denormal inputs and results become zero. */
static inline uint64_t cep_engine_arithmetic(void) {
#if defined(__x86_64__)
    return 0x1f80 | 0x8000 | 0x0040; /* no traps; flush to zero; denormals are zeros */
#elif defined(__aarch64__)
    return (uint64_t)1 << 24; /* flush to zero, of operands too */
#else
    return 0;
#endif
}

#endif
