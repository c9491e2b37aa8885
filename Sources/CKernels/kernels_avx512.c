#if defined(__x86_64__)
#define TABLE dr_kernels_avx512
#define BLOCK 16
#define WINOGRAD_GROUP_BYTES (660 << 10)
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma"))), apply_to = function)
#include "kernels.inc"
#pragma clang attribute pop
#endif
