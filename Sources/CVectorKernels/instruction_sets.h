#ifndef CEP_INSTRUCTION_SETS_H
#define CEP_INSTRUCTION_SETS_H

#include "vector_kernels.h"

/* The kernels of each instruction set. A file defines those of one set. */
#define CEP_KERNELS extern __attribute__((visibility("hidden"))) const cep_kernels

CEP_KERNELS cep_kernels_float32_neon, cep_kernels_float64_neon;
CEP_KERNELS cep_kernels_float32_baseline, cep_kernels_float64_baseline;
CEP_KERNELS cep_kernels_float32_avx2, cep_kernels_float64_avx2;
CEP_KERNELS cep_kernels_float32_avx512, cep_kernels_float64_avx512;

#endif
