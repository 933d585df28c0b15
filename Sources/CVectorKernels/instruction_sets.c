#define _GNU_SOURCE
#include "instruction_sets.h"

#include <sched.h>

size_t cep_instruction_sets(const cep_instruction_set **sets) {
    static cep_instruction_set known[] = {
#if defined(__aarch64__)
        {"neon", 1, &cep_kernels_float32_neon, &cep_kernels_float64_neon},
#else
        {"baseline", 1, &cep_kernels_float32_baseline, &cep_kernels_float64_baseline},
#endif
#if defined(__x86_64__)
        {"avx2", 0, &cep_kernels_float32_avx2, &cep_kernels_float64_avx2},
        {"avx512", 0, &cep_kernels_float32_avx512, &cep_kernels_float64_avx512},
#endif
    };
#if defined(__x86_64__)
    /* Every thread writes the same values. */
    __builtin_cpu_init();
    known[1].supported = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    known[2].supported = known[1].supported && __builtin_cpu_supports("avx512f") &&
                         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                         __builtin_cpu_supports("avx512bw");
#endif
    *sets = known;
    return sizeof known / sizeof known[0];
}

int cep_processor_count(void) {
    cpu_set_t processors;
    return sched_getaffinity(0, sizeof processors, &processors) == 0 ? CPU_COUNT(&processors) : 1;
}
