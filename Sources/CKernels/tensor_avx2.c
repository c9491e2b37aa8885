#if defined(__x86_64__)
#define TABLE dr_kernels_avx2
#define BLOCK 8
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#include "tensor_kernels.inc"
#pragma clang attribute pop
#endif
