#include "dispatch.h"

static const struct dr_kernels *kernels_of(dr_isa isa) {
#if defined(__x86_64__)
    switch (isa) {
        case DR_AVX512: return &dr_kernels_avx512;
        case DR_AVX2: return &dr_kernels_avx2;
        case DR_PORTABLE: break;
    }
#endif
    return &dr_kernels_portable;
}

/// Defines dr_NAME. That its parameters are those of the declaration is checked by the compiler.
#define FORWARD(type, name, isa, parameters, arguments) \
    type dr_##name parameters { return kernels_of(isa)->name arguments; }

FORWARD(void, moments, x->isa,
        (const dr_tensor *x, const dr_runs *runs, double *sums, double *partial, int threads),
        (x, runs, sums, partial, threads))
FORWARD(void, affine_forward, x->isa,
        (const dr_tensor *x, const dr_tensor *y, const dr_runs *runs, const dr_affine *f, int threads),
        (x, y, runs, f, threads))
FORWARD(void, affine_backward_sums, x->isa,
        (const dr_tensor *x, const dr_tensor *dy, const dr_runs *runs, const dr_affine *f, double *sums,
         double *partial, int threads),
        (x, dy, runs, f, sums, partial, threads))
FORWARD(void, affine_backward, x->isa,
        (const dr_tensor *x, const dr_tensor *dy, const dr_tensor *dx, const dr_runs *runs, const dr_affine *f,
         const float *constant, const float *linear, int accumulate, int threads),
        (x, dy, dx, runs, f, constant, linear, accumulate, threads))
FORWARD(void, add_channels, wide->isa,
        (const dr_tensor *wide, const dr_tensor *narrow, const dr_runs *runs, int first, int channels, int threads),
        (wide, narrow, runs, first, channels, threads))
FORWARD(void, take_channels, wide->isa,
        (const dr_tensor *wide, const dr_tensor *narrow, const dr_runs *runs, int first, int channels, int accumulate,
         int threads),
        (wide, narrow, runs, first, channels, accumulate, threads))
FORWARD(void, clear, x->isa, (const dr_tensor *x, const dr_runs *runs, int threads), (x, runs, threads))
FORWARD(void, relayout, from->isa,
        (const dr_tensor *from, const dr_tensor *to, const dr_move *move, int accumulate, int threads),
        (from, to, move, accumulate, threads))
FORWARD(void, pack, x->isa, (const float *plain, int channels, const dr_tensor *x, int slot, int threads),
        (plain, channels, x, slot, threads))
FORWARD(void, unpack, x->isa, (const dr_tensor *x, int slot, float *plain, int channels, int threads),
        (x, slot, plain, channels, threads))

FORWARD(void, max_pool, x->isa,
        (const dr_tensor *x, const dr_tensor *y, const dr_tensor *which, const dr_pool *pool, int threads),
        (x, y, which, pool, threads))
FORWARD(void, max_pool_backward, dy->isa,
        (const dr_tensor *dy, const dr_tensor *which, const dr_tensor *dx, const dr_pool *pool, int accumulate,
         int threads),
        (dy, which, dx, pool, accumulate, threads))
FORWARD(void, maxout, x->isa,
        (const dr_tensor *x, const dr_tensor *y, const dr_runs *runs, const dr_affine *f, int channels, int pieces,
         int threads),
        (x, y, runs, f, channels, pieces, threads))
FORWARD(void, maxout_backward, x->isa,
        (const dr_tensor *x, const dr_tensor *dy, const dr_tensor *dx, const dr_runs *runs, const dr_affine *f,
         int channels, int pieces, int accumulate, int threads),
        (x, dy, dx, runs, f, channels, pieces, accumulate, threads))
FORWARD(void, dropout_pass, x->isa,
        (const dr_tensor *x, const dr_tensor *y, const dr_runs *runs, const dr_dropout *dropout, int accumulate,
         int threads),
        (x, y, runs, dropout, accumulate, threads))
FORWARD(void, unfold_pass, x->isa,
        (const dr_tensor *x, const dr_tensor *wide, const dr_unfold *unfold, int threads), (x, wide, unfold, threads))
FORWARD(void, fold_pass, wide->isa,
        (const dr_tensor *wide, const dr_tensor *x, const dr_unfold *unfold, int threads), (wide, x, unfold, threads))
FORWARD(void, skew_sum, rows->isa,
        (const dr_tensor *rows, const dr_tensor *y, const float *bias, const dr_skew *skew, int threads),
        (rows, y, bias, skew, threads))
FORWARD(void, skew_spread, dy->isa,
        (const dr_tensor *dy, const dr_tensor *rows, const dr_skew *skew, int threads), (dy, rows, skew, threads))

FORWARD(int64_t, winograd_weight_floats, w->x.isa, (const dr_winograd *w), (w))
FORWARD(int64_t, winograd_scratch_floats, w->x.isa, (const dr_winograd *w, int threads), (w, threads))
FORWARD(int64_t, winograd_gradient_scratch_floats, w->x.isa, (const dr_winograd *w, int threads), (w, threads))
FORWARD(void, winograd_weights, w->x.isa,
        (const dr_winograd *w, const float *weights, int outputs, int inputs, int transposed, float *transformed,
         int threads),
        (w, weights, outputs, inputs, transposed, transformed, threads))
FORWARD(void, winograd_forward, w->x.isa,
        (const dr_winograd *w, const float *transformed, float *scratch, int threads),
        (w, transformed, scratch, threads))
FORWARD(void, winograd_gradient, w->x.isa,
        (const dr_winograd *w, float *weights, int outputs, int inputs, float *scratch, int threads),
        (w, weights, outputs, inputs, scratch, threads))

FORWARD(void, softmax, logits->isa,
        (const dr_tensor *logits, int slot, int classes, float *probabilities, int threads),
        (logits, slot, classes, probabilities, threads))
FORWARD(void, loss_sums, logits->isa,
        (const dr_tensor *logits, int slot, const float *probabilities, const uint8_t *reference, const float *soft,
         int64_t voxels, int classes, double *sums, int threads),
        (logits, slot, probabilities, reference, soft, voxels, classes, sums, threads))
FORWARD(void, softmax_backward, gradient->isa,
        (const float *probabilities, const uint8_t *reference, const float *soft, int classes,
         const double *derivatives, const dr_tensor *gradient, int slot, int threads),
        (probabilities, reference, soft, classes, derivatives, gradient, slot, threads))

FORWARD(void, adam_step, isa,
        (const dr_adam *settings, int64_t count, float *parameters, const float *gradients, float *mean,
         float *square, dr_isa isa, int threads),
        (settings, count, parameters, gradients, mean, square, isa, threads))
FORWARD(void, sgd_step, isa,
        (float rate, float momentum, int64_t count, float *parameters, const float *gradients, float *velocity,
         dr_isa isa, int threads),
        (rate, momentum, count, parameters, gradients, velocity, isa, threads))
FORWARD(int, all_finite, isa, (int64_t count, const float *values, dr_isa isa, int threads),
        (count, values, isa, threads))
FORWARD(double, sum_of_squares, isa, (int64_t count, const float *values, dr_isa isa, int threads),
        (count, values, isa, threads))
FORWARD(void, scale, isa, (float factor, int64_t count, float *values, dr_isa isa, int threads),
        (factor, count, values, isa, threads))
