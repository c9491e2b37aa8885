#include "winograd.h"

#include <string.h>

#include "dispatch.h"
#include "parallel.h"

static const struct dr_winograd_kernels *kernels(dr_isa isa) {
#if defined(__x86_64__)
    switch (isa) {
        case DR_AVX512: return &dr_winograd_avx512;
        case DR_AVX2: return &dr_winograd_avx2;
        default: break;
    }
#endif
    return &dr_winograd_portable;
}

int64_t dr_winograd_weight_floats(dr_isa isa, int64_t input_blocks, int64_t output_blocks) {
    const int64_t block = dr_block(isa);
    return DR_WINOGRAD_POINTS * input_blocks * block * output_blocks * block;
}

int64_t dr_winograd_scratch_floats(const dr_winograd *w, int threads) {
    return kernels(w->x.isa)->forward_scratch(w, threads);
}

int64_t dr_winograd_gradient_scratch_floats(const dr_winograd *w, int threads) {
    return kernels(w->x.isa)->gradient_scratch(w, threads);
}

void dr_winograd_forward(const dr_winograd *w, const float *transformed, float *scratch, int threads) {
    kernels(w->x.isa)->forward(w, transformed, scratch, threads);
}

// The small transforms of weights and of their gradient, in double: they are a hundredth of the work.

static const double a = 2.0 / 3, b = 3.0 / 2;

/// G g along one axis of [3] with `step` between values, to [6].
static void weight_line(const double *g, int step, double *out, int out_step) {
    const double na = -81.0 / 130, nb = 8.0 / 65;
    const double ea = na * (g[0] + a * a * g[2 * step]), oa = na * a * g[step];
    const double eb = nb * (g[0] + b * b * g[2 * step]), ob = nb * b * g[step];
    const double points[6] = {g[0], ea + oa, ea - oa, eb + ob, eb - ob, g[2 * step]};
    for (int i = 0; i < 6; i++) out[i * out_step] = points[i];
}

static void weight_points(const double g[27], double points[216]) {
    double x[9][6], y[3][6][6];
    for (int i = 0; i < 9; i++) weight_line(g + i * 3, 1, x[i], 1);
    for (int z = 0; z < 3; z++)
        for (int i = 0; i < 6; i++) weight_line(&x[z * 3][i], 6, &y[z][0][i], 6);
    for (int i = 0; i < 36; i++) weight_line(&y[0][0][0] + i, 36, points + i, 36);
}

struct weights_job {
    const float *plain;
    float *transformed;
    int outputs, inputs, transposed, block, columns;
    int64_t depth, width;  // padded inputs, blocks of outputs, of the convolution that will run
};

static void weights_body(void *context, int thread, int threads) {
    const struct weights_job *j = context;
    const int64_t wide = j->width * j->block;
    long long first, last;
    dr_share(wide * j->depth, thread, threads, &first, &last);
    for (long long item = first; item < last; item++) {
        const int64_t to = item / j->depth, from = item % j->depth;
        const int64_t o = j->transposed ? from : to, i = j->transposed ? to : from;
        double g[27] = {0}, points[216];
        if (o < j->outputs && i < j->inputs) {
            const float *kernel = j->plain + (o * j->inputs + i) * 27;
            for (int k = 0; k < 27; k++) g[k] = kernel[j->transposed ? 26 - k : k];
        }
        weight_points(g, points);
        const int64_t block = to / j->block, group = block / j->columns * j->columns;
        const int64_t columns = j->width - group < j->columns ? j->width - group : j->columns;
        float *out = j->transformed + group * j->depth * j->block + from * columns * j->block +
                     (block - group) * j->block + to % j->block;
        for (int p = 0; p < DR_WINOGRAD_POINTS; p++) out[p * j->depth * wide] = (float)points[p];
    }
}

void dr_winograd_weights(const float *weights, int outputs, int inputs, int transposed, dr_isa isa, float *transformed,
                         int threads) {
    struct weights_job j = {weights, transformed, outputs, inputs, transposed, dr_block(isa), kernels(isa)->columns};
    const int from = transposed ? outputs : inputs, to = transposed ? inputs : outputs;
    j.depth = (from + j.block - 1) / j.block * j.block;
    j.width = (to + j.block - 1) / j.block;
    dr_parallel(threads, weights_body, &j);
}

/// A^T m along one axis of six points, to the three taps.
static void tap_line(const double *m, int step, double *out, int out_step) {
    const double ea = m[step] + m[2 * step], oa = m[step] - m[2 * step];
    const double eb = m[3 * step] + m[4 * step], ob = m[3 * step] - m[4 * step];
    out[0] = m[0] + ea + eb;
    out[out_step] = a * oa + b * ob;
    out[2 * out_step] = a * a * ea + b * b * eb + m[5 * step];
}

static void taps(const double points[216], double g[27]) {
    double z[3][36], y[3][3][6];
    for (int i = 0; i < 36; i++) tap_line(points + i, 36, &z[0][i], 36);
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < 6; i++) tap_line(&z[k][i], 6, &y[k][0][i], 6);
    for (int i = 0; i < 9; i++) tap_line(&y[0][0][0] + i * 6, 1, g + i * 3, 1);
}

struct taps_job {
    const float *sums;
    float *weights;
    int64_t distance, depth, wide;
    int parts, outputs, inputs;
};

static void taps_body(void *context, int thread, int threads) {
    enum { LANES = 8 };
    const struct taps_job *j = context;
    long long first, last;
    dr_share(j->inputs, thread, threads, &first, &last);
    for (long long i = first; i < last; i++)
        for (int64_t o = 0; o < j->outputs; o += LANES) {
            double points[LANES][216] = {{0}};
            for (int part = 0; part < j->parts; part++)
                for (int p = 0; p < DR_WINOGRAD_POINTS; p++) {
                    const float *row = j->sums + part * j->distance + (p * j->depth + i) * j->wide + o;
                    for (int l = 0; l < LANES; l++) points[l][p] += row[l];
                }
            for (int l = 0; l < LANES && o + l < j->outputs; l++) {
                double g[27];
                taps(points[l], g);
                float *out = j->weights + ((o + l) * j->inputs + i) * 27;
                for (int k = 0; k < 27; k++) out[k] = (float)g[k];
            }
        }
}

void dr_winograd_gradient(const dr_winograd *w, float *weights, int outputs, int inputs, float *scratch, int threads) {
    const int64_t block = dr_block(w->x.isa);
    struct taps_job j = {.sums = scratch, .weights = weights, .depth = w->x.blocks * block, .wide = w->y.blocks * block,
                         .parts = threads, .outputs = outputs, .inputs = inputs};
    j.distance = kernels(w->x.isa)->gradient(w, scratch, threads);
    dr_parallel(threads, taps_body, &j);
}
