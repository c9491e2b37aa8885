#include "grids.h"

#include <string.h>

#include "dispatch.h"
#include "parallel.h"

void dr_max_pool(const dr_tensor *x, const dr_tensor *y, const dr_tensor *which, const dr_pool *pool, int threads) {
    dr_kernels_of(x)->max_pool(x, y, which, pool, threads);
}

void dr_max_pool_backward(const dr_tensor *dy, const dr_tensor *which, const dr_tensor *dx, const dr_pool *pool,
                          int accumulate, int threads) {
    dr_kernels_of(dy)->max_pool_backward(dy, which, dx, pool, accumulate, threads);
}

void dr_maxout(const dr_tensor *x, const dr_tensor *y, const dr_runs *runs, const dr_affine *f, int channels,
               int pieces, int threads) {
    dr_kernels_of(x)->maxout(x, y, runs, f, channels, pieces, threads);
}

void dr_maxout_backward(const dr_tensor *x, const dr_tensor *dy, const dr_tensor *dx, const dr_runs *runs,
                        const dr_affine *f, int channels, int pieces, int accumulate, int threads) {
    dr_kernels_of(x)->maxout_backward(x, dy, dx, runs, f, channels, pieces, accumulate, threads);
}

void dr_dropout_pass(const dr_tensor *x, const dr_tensor *y, const dr_runs *runs, const dr_dropout *dropout,
                     int accumulate, int threads) {
    dr_kernels_of(x)->dropout(x, y, runs, dropout, accumulate, threads);
}

void dr_unfold_pass(const dr_tensor *x, const dr_tensor *wide, const dr_unfold *unfold, int threads) {
    dr_kernels_of(x)->unfold(x, wide, unfold, threads);
}

void dr_fold_pass(const dr_tensor *wide, const dr_tensor *x, const dr_unfold *unfold, int threads) {
    dr_kernels_of(x)->fold(wide, x, unfold, threads);
}

// Rows are a few thousand floats a slot: plain loops will do on any machine.

struct skewing {
    const dr_tensor *rows, *y;
    const float *bias;
    const dr_skew *s;
    int block;
};

static float *channel_of(const dr_tensor *t, int64_t slot, int64_t channel, int block) {
    return t->data + (slot * t->blocks + channel / block) * t->volume * block + channel % block;
}

static void skew_sum_body(void *context, int thread, int threads) {
    const struct skewing *c = context;
    const dr_skew *s = c->s;
    const int64_t height = s->image[0], width = s->image[1], block = c->block;
    long long first, last;
    dr_share(c->y->slots, thread, threads, &first, &last);
    for (long long slot = first; slot < last; slot++) {
        memset(channel_of(c->y, slot, 0, c->block), 0, sizeof(float) * c->y->blocks * c->y->volume * block);
        for (int o = 0; o < s->outputs; o++) {
            float *y = channel_of(c->y, slot, o, c->block);
            for (int64_t v = 0; v < height * width; v++) y[v * block] = c->bias ? c->bias[o] : 0;
            for (int b = 0; b < s->columns; b++) {
                const float *row = channel_of(c->rows, slot, b * s->outputs + o, c->block);
                for (int64_t i = 0; i < height; i++)
                    for (int64_t j = 0, u = b - s->zeros; j < width; j++, u++)
                        if (u >= 0 && u < s->rows[1]) y[(i * width + j) * block] += row[(i * s->rows[1] + u) * block];
            }
        }
    }
}

void dr_skew_sum(const dr_tensor *rows, const dr_tensor *y, const float *bias, const dr_skew *skew, int threads) {
    struct skewing c = {rows, y, bias, skew, dr_block(y->isa)};
    dr_parallel(threads, skew_sum_body, &c);
}

static void skew_spread_body(void *context, int thread, int threads) {
    const struct skewing *c = context;
    const dr_skew *s = c->s;
    const int64_t height = s->image[0], width = s->image[1], block = c->block;
    long long first, last;
    dr_share(c->y->slots, thread, threads, &first, &last);
    for (long long slot = first; slot < last; slot++) {
        memset(channel_of(c->rows, slot, 0, c->block), 0, sizeof(float) * c->rows->blocks * c->rows->volume * block);
        for (int channel = 0; channel < s->columns * s->outputs; channel++) {
            const int b = channel / s->outputs;
            const float *dy = channel_of(c->y, slot, channel % s->outputs, c->block);
            float *row = channel_of(c->rows, slot, channel, c->block);
            for (int64_t i = 0; i < height; i++)
                for (int64_t j = 0, u = b - s->zeros; j < width; j++, u++)
                    if (u >= 0 && u < s->rows[1]) row[(i * s->rows[1] + u) * block] = dy[(i * width + j) * block];
        }
    }
}

void dr_skew_spread(const dr_tensor *dy, const dr_tensor *rows, const dr_skew *skew, int threads) {
    struct skewing c = {rows, dy, NULL, skew, dr_block(dy->isa)};
    dr_parallel(threads, skew_spread_body, &c);
}
