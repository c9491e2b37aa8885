#include "optimizer.h"

#include <math.h>
#include <stdatomic.h>

#include "parallel.h"

#define INLINE static inline __attribute__((always_inline))

struct step {
    const dr_adam *adam;
    float rate, momentum;
    int64_t count;
    float *restrict parameters, *restrict first, *restrict second;
    const float *restrict gradients;
    atomic_int unusual;
};

INLINE void adam(struct step *s, int thread, int threads) {
#pragma STDC FP_CONTRACT OFF
    const dr_adam f = *s->adam;
    float *restrict parameters = s->parameters, *restrict mean = s->first, *restrict square = s->second;
    const float *restrict gradients = s->gradients;
    long long first, last;
    dr_share(s->count, thread, threads, &first, &last);
    for (long long i = first; i < last; i++) {
        const float g = gradients[i];
        const float m = mean[i] + (g - mean[i]) * f.gain;
        const float v = square[i] * f.beta2 + g * g * f.square_gain;
        mean[i] = m;
        square[i] = v;
        parameters[i] = parameters[i] * f.decay - f.rate * (m / (sqrtf(v) / f.correction + f.epsilon));
    }
}

INLINE void sgd(struct step *s, int thread, int threads) {
#pragma STDC FP_CONTRACT OFF
    const float rate = s->rate, momentum = s->momentum;
    float *restrict parameters = s->parameters, *restrict velocity = s->first;
    const float *restrict gradients = s->gradients;
    long long first, last;
    dr_share(s->count, thread, threads, &first, &last);
    for (long long i = first; i < last; i++) {
        const float v = velocity[i] * momentum + gradients[i];
        velocity[i] = v;
        parameters[i] = parameters[i] - rate * v;
    }
}

INLINE void search(struct step *s, int thread, int threads) {
    const float *restrict values = s->gradients;
    long long first, last;
    dr_share(s->count, thread, threads, &first, &last);
    uint32_t unusual = 0;
    for (long long i = first; i < last; i++) {
        union { float value; uint32_t bits; } u = {values[i]};
        unusual |= (u.bits & 0x7f800000) == 0x7f800000;
    }
    if (unusual) atomic_store(&s->unusual, 1);
}

/// A body for each instruction set.
#if defined(__x86_64__)
#define VERSIONS(NAME)                                                                                          \
    static void NAME##_portable(void *s, int thread, int threads) { NAME(s, thread, threads); }                 \
    __attribute__((target("avx2"))) static void NAME##_avx2(void *s, int thread, int threads) {                 \
        NAME(s, thread, threads);                                                                               \
    }                                                                                                           \
    __attribute__((target("avx512f"))) static void NAME##_avx512(void *s, int thread, int threads) {            \
        NAME(s, thread, threads);                                                                               \
    }                                                                                                           \
    static dr_body NAME##_body(dr_isa isa) {                                                                    \
        return isa == DR_AVX512 ? NAME##_avx512 : isa == DR_AVX2 ? NAME##_avx2 : NAME##_portable;               \
    }
#else
#define VERSIONS(NAME)                                                                                          \
    static void NAME##_portable(void *s, int thread, int threads) { NAME(s, thread, threads); }                 \
    static dr_body NAME##_body(dr_isa isa) { return (void)isa, NAME##_portable; }
#endif

VERSIONS(adam)
VERSIONS(sgd)
VERSIONS(search)

void dr_adam_step(const dr_adam *settings, int64_t count, float *parameters, const float *gradients, float *mean,
                  float *square, dr_isa isa, int threads) {
    struct step s = {.adam = settings, .count = count, .parameters = parameters, .gradients = gradients,
                     .first = mean, .second = square};
    dr_parallel(threads, adam_body(isa), &s);
}

void dr_sgd_step(float rate, float momentum, int64_t count, float *parameters, const float *gradients,
                 float *velocity, dr_isa isa, int threads) {
    struct step s = {.rate = rate, .momentum = momentum, .count = count, .parameters = parameters,
                     .gradients = gradients, .first = velocity};
    dr_parallel(threads, sgd_body(isa), &s);
}

int dr_all_finite(int64_t count, const float *values, dr_isa isa, int threads) {
    struct step s = {.count = count, .gradients = values};
    dr_parallel(threads, search_body(isa), &s);
    return !atomic_load(&s.unusual);
}
