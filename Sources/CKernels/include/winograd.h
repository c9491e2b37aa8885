#pragma once
// 3x3x3 convolution, and 3x3 in 2D, by Winograd's minimal filtering, F(4,3) along each axis: 4^3 outputs from 6^3
// products where the direct sum takes 4^3 * 27. Interpolation points 0, +-2/3, +-3/2 and infinity keep float32
// accurate to about 1e-6.
#include <stdint.h>

#include "tensor.h"

/// The most channels that the products take; more would not fit the cache that makes them fast.
enum dr_winograd_limit { DR_WINOGRAD_CHANNELS = 1024 };

/// Four outputs of an axis and the six inputs that they come from.
typedef struct {
    int32_t from, to;        // the first input, which may lie before the image, and the first output
    uint8_t inside, wanted;  // bit i: input from + i is a voxel that is not zero; output to + i is asked for
} dr_tile;

/// A convolution from x to y as tiles: the product of three lists, one an axis. Voxels of x that no tile has `inside`
/// count as zero and are not read; those of y that no tile has `wanted` are not written.
typedef struct {
    dr_tensor x, y;
    int64_t x_extent[3], y_extent[3];
    const dr_tile *tiles[3];
    int64_t tile_count[3];
    int planar;  // 3x3 kernels on images of depth 1, whose only tile has bit 0

    // What happens to a tile on its way, each where it is not NULL:
    const dr_affine *affine;    // to x, as it is loaded
    const float *bias;          // to y, a value a padded channel
    const dr_tensor *residual;  // added to y: its blocks to those from residual_block on
    int64_t residual_block;
    double *sums;  // [slot][padded channel of y]{sum y, sum y^2} over the voxels wanted

    // Where y is the gradient of what an affine pass made of `before`, it goes on through the activation on its way:
    // y becomes dz = y activation'(z), and `sums` [slot][channel]{sum dz, sum dz (before - mean), sum over z <= 0 of
    // y z}, as dr_affine_backward_sums.
    const dr_tensor *before;
    const dr_affine *before_affine;
} dr_winograd;

/// Floats of the transformed weights of a convolution between padded channel counts.
int64_t dr_winograd_weight_floats(const dr_winograd *w);
/// Floats of scratch for either pass, all threads together.
int64_t dr_winograd_scratch_floats(const dr_winograd *w, int threads);
int64_t dr_winograd_gradient_scratch_floats(const dr_winograd *w, int threads);

/// Transforms plain weights [outputs][inputs][3][3][3] (or [3][3]) for the convolution `w`. With `transposed`, `w` is
/// the gradient with respect to the input: its x has `outputs` channels, and the kernel is mirrored.
void dr_winograd_weights(const dr_winograd *w, const float *weights, int outputs, int inputs, int transposed,
                         float *transformed, int threads);

/// y = x convolved with the transformed weights.
void dr_winograd_forward(const dr_winograd *w, const float *transformed, float *scratch, int threads);

/// weights[outputs][inputs][3][3][3] = the gradient, from x and the gradient `y` of the output. Each thread adds up its
/// share of the tiles of all slots.
void dr_winograd_gradient(const dr_winograd *w, float *weights, int outputs, int inputs, float *scratch, int threads);
