#include "winograd.h"

#include "dispatch.h"

static const struct dr_winograd_kernels *kernels(const dr_winograd *w) {
#if defined(__x86_64__)
    switch (w->x.isa) {
        case DR_AVX512: return &dr_winograd_avx512;
        case DR_AVX2: return &dr_winograd_avx2;
        default: break;
    }
#endif
    return &dr_winograd_portable;
}

int64_t dr_winograd_weight_floats(const dr_winograd *w) { return kernels(w)->weight_floats(w); }

int64_t dr_winograd_scratch_floats(const dr_winograd *w, int threads) { return kernels(w)->forward_scratch(w, threads); }

int64_t dr_winograd_gradient_scratch_floats(const dr_winograd *w, int threads) {
    return kernels(w)->gradient_scratch(w, threads);
}

void dr_winograd_weights(const dr_winograd *w, const float *weights, int outputs, int inputs, int transposed,
                         float *transformed, int threads) {
    kernels(w)->weights(w, weights, outputs, inputs, transposed, transformed, threads);
}

void dr_winograd_forward(const dr_winograd *w, const float *transformed, float *scratch, int threads) {
    kernels(w)->forward(w, transformed, scratch, threads);
}

void dr_winograd_gradient(const dr_winograd *w, float *weights, int outputs, int inputs, float *scratch, int threads) {
    kernels(w)->gradient(w, weights, outputs, inputs, scratch, threads);
}
