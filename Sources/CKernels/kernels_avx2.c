#if defined(__x86_64__)
#define TABLE dr_kernels_avx2
#define BLOCK 8
#define WINOGRAD_GROUP_BYTES (400 << 10)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#include "kernels.inc"
#pragma clang attribute pop
#endif
