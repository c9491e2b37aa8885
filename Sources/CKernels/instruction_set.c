#include "instruction_set.h"

dr_isa dr_widest_isa(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl"))
        return DR_AVX512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return DR_AVX2;
#endif
    return DR_PORTABLE;
}

int dr_block(dr_isa isa) { return isa == DR_AVX512 ? 16 : 8; }
