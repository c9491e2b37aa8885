#pragma once
// 3x3x3 convolution by Winograd's minimal filtering, F(4,3) along each axis: 4^3 outputs from 6^3 products where the
// direct sum takes 4^3 * 27. Interpolation points 0, +-2/3, +-3/2 and infinity keep float32 accurate to about 1e-6.
#include <stdint.h>

#include "tensor.h"

enum { DR_WINOGRAD_POINTS = 216 };
/// The most input channels that the products take; more would not fit the cache that makes them fast.
enum dr_winograd_limit { DR_WINOGRAD_CHANNELS = 1024 };

/// A convolution from x to y with `zeros` voxels of padding on both sides of each axis; extents are of one phase.
typedef struct {
    dr_tensor x, y;
    int64_t x_extent[3], y_extent[3];
    int zeros;
} dr_winograd;

/// Floats of the transformed weights of a convolution between padded channel counts.
int64_t dr_winograd_weight_floats(dr_isa isa, int64_t input_blocks, int64_t output_blocks);
/// Floats of scratch for either pass, all threads together.
int64_t dr_winograd_scratch_floats(const dr_winograd *w, int threads);
int64_t dr_winograd_gradient_scratch_floats(const dr_winograd *w, int threads);

/// Transforms plain weights [outputs][inputs][3][3][3]. With `transposed` they become those of the gradient with
/// respect to the input: channels swapped and the kernel mirrored.
void dr_winograd_weights(const float *weights, int outputs, int inputs, int transposed, dr_isa isa, float *transformed,
                         int threads);

/// y = x convolved with the transformed weights.
void dr_winograd_forward(const dr_winograd *w, const float *transformed, float *scratch, int threads);

/// weights[outputs][inputs][3][3][3] = the gradient, from x and the gradient `y` of the output.
void dr_winograd_gradient(const dr_winograd *w, float *weights, int outputs, int inputs, float *scratch, int threads);
