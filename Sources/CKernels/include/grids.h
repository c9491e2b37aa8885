#pragma once
// Passes that change the grid or the number of channels: pooling, maxout, dropout, and the unfolding of large kernels.
#include <stdint.h>

#include "tensor.h"

/// Windows of `window` voxels, `stride` apart, that lie in the image as a whole. Layouts without gaps.
typedef struct {
    int64_t from[3], to[3], window[3], stride[3];
} dr_pool;

/// y = the maximum of x over each window, and `which`, where it is not NULL, the index in the window of the first voxel
/// that has it, [depth][height][width], as a float.
void dr_max_pool(const dr_tensor *x, const dr_tensor *y, const dr_tensor *which, const dr_pool *pool, int threads);
/// dx (+)= dy of the windows whose maximum the voxel is.
void dr_max_pool_backward(const dr_tensor *dy, const dr_tensor *which, const dr_tensor *dx, const dr_pool *pool,
                          int accumulate, int threads);

/// y[c] = the maximum over p of x[p channels + c], the first one where several are equal; x after `f` where it is not NULL.
void dr_maxout(const dr_tensor *x, const dr_tensor *y, const dr_runs *runs, const dr_affine *f, int channels,
               int pieces, int threads);
/// dx (+)= dy for the channel that has the maximum, 0 for the others: the gradient of what `f` makes of x.
void dr_maxout_backward(const dr_tensor *x, const dr_tensor *dy, const dr_tensor *dx, const dr_runs *runs,
                        const dr_affine *f, int channels, int pieces, int accumulate, int threads);

/// Which values are kept: those whose hash of (a slot's key, channel, position) is at least `threshold`; they are
/// multiplied by `scale`.
typedef struct {
    const uint64_t *keys;
    uint32_t threshold;
    float scale;
} dr_dropout;

/// y (+)= scale x where it is kept, else 0; forward and backward alike.
void dr_dropout_pass(const dr_tensor *x, const dr_tensor *y, const dr_runs *runs, const dr_dropout *dropout,
                     int accumulate, int threads);

/// A large two-dimensional kernel as parts of 3^2: the channels of `wide` are, part after part, those of the image
/// shifted by 3 voxels a part. Voxel (i, j) of channel (a parts + b) channels + c is voxel (i + 3 a - zeros, j + 3 b -
/// zeros) of the image's channel c, or 0 where there is none. Layouts without gaps.
typedef struct {
    int64_t image[2], wide[2];  // height and width
    int parts[2], zeros[2];
    int channels;
} dr_unfold;

/// wide = the parts of x.
void dr_unfold_pass(const dr_tensor *x, const dr_tensor *wide, const dr_unfold *unfold, int threads);
/// x = the sum of what came from it: the transpose.
void dr_fold_pass(const dr_tensor *wide, const dr_tensor *x, const dr_unfold *unfold, int threads);

/// A two-dimensional convolution of few outputs by rows: `rows` has for each column b of the kernel and each output o the
/// channel b outputs + o, convolved along the height alone. Layouts without gaps.
typedef struct {
    int64_t image[2], rows[2];  // height and width of the output and of `rows`
    int columns, outputs, zeros;
} dr_skew;

/// y[o][i][j] = bias[o] + sum over b of rows[b outputs + o][i][j + b - zeros]; bias may be NULL.
void dr_skew_sum(const dr_tensor *rows, const dr_tensor *y, const float *bias, const dr_skew *skew, int threads);
/// rows = the gradient: dy[o][i][j - b + zeros], 0 where there is none.
void dr_skew_spread(const dr_tensor *dy, const dr_tensor *rows, const dr_skew *skew, int threads);
