#include "tensor.h"

#include "dispatch.h"

const struct dr_kernels *dr_kernels_of(const dr_tensor *t) {
#if defined(__x86_64__)
    switch (t->isa) {
        case DR_AVX512: return &dr_kernels_avx512;
        case DR_AVX2: return &dr_kernels_avx2;
        default: break;
    }
#endif
    return &dr_kernels_portable;
}

void dr_moments(const dr_tensor *x, const dr_runs *runs, double *sums, double *partial, int threads) {
    dr_kernels_of(x)->moments(x, runs, sums, partial, threads);
}

void dr_affine_forward(const dr_tensor *x, const dr_tensor *y, const dr_runs *runs, const dr_affine *f, int threads) {
    dr_kernels_of(x)->affine_forward(x, y, runs, f, threads);
}

void dr_affine_backward_sums(const dr_tensor *x, const dr_tensor *dy, const dr_runs *runs, const dr_affine *f,
                             double *sums, double *partial, int threads) {
    dr_kernels_of(x)->affine_backward_sums(x, dy, runs, f, sums, partial, threads);
}

void dr_affine_backward(const dr_tensor *x, const dr_tensor *dy, const dr_tensor *dx, const dr_runs *runs,
                        const dr_affine *f, const float *constant, const float *linear, int accumulate, int threads) {
    dr_kernels_of(x)->affine_backward(x, dy, dx, runs, f, constant, linear, accumulate, threads);
}

void dr_add_channels(const dr_tensor *wide, const dr_tensor *narrow, const dr_runs *runs, int first, int channels,
                     int threads) {
    dr_kernels_of(wide)->add_channels(wide, narrow, runs, first, channels, threads);
}

void dr_take_channels(const dr_tensor *wide, const dr_tensor *narrow, const dr_runs *runs, int first, int channels,
                      int accumulate, int threads) {
    dr_kernels_of(wide)->take_channels(wide, narrow, runs, first, channels, accumulate, threads);
}

void dr_clear(const dr_tensor *x, const dr_runs *runs, int threads) { dr_kernels_of(x)->clear(x, runs, threads); }

void dr_relayout(const dr_tensor *from, const dr_tensor *to, const dr_move *move, int accumulate, int threads) {
    dr_kernels_of(from)->relayout(from, to, move, accumulate, threads);
}

void dr_pack(const float *plain, int channels, const dr_tensor *x, int slot, int threads) {
    dr_kernels_of(x)->pack(plain, channels, x, slot, threads);
}

void dr_unpack(const dr_tensor *x, int slot, float *plain, int channels, int threads) {
    dr_kernels_of(x)->unpack(x, slot, plain, channels, threads);
}
