#pragma once
// Passes over activations. Layout: [slot][phase][channel block][voxel][channel in block], float32.
//
// Phases are how dilation is laid out: with dilation d, voxel (z, y, x) lies in phase (z mod d, y mod d, x mod d) at
// (z / d, y / d, x / d), so that a dilated convolution is an ordinary one over d^3 times as many images. The phases
// of one size are padded to the largest; voxels beyond the image are a phase's tail. Sums and pointwise passes touch
// valid voxels only, and a convolution's caller clears the tails first.
#include <stdint.h>

#include "instruction_set.h"

typedef struct {
    float *data;
    int64_t slots, phases, blocks, volume;  // volume: voxels of a phase, tail included
    dr_isa isa;                             // the kernels that run on it, and so the channels of a block
} dr_tensor;

/// A run of voxels within one phase.
typedef struct {
    int32_t phase, offset, count;
} dr_run;

/// Runs in groups: the unit of work, so that sums do not depend on the number of threads.
typedef struct {
    const dr_run *runs;
    const int32_t *group_starts;  // group_count + 1 indices into runs
    int32_t group_count;
} dr_runs;

typedef enum { DR_IDENTITY, DR_RELU, DR_PRELU } dr_activation;

/// y = activation((x - mean) * scale + shift), a value a padded channel each; slope only for DR_PRELU.
typedef struct {
    const float *mean, *scale, *shift, *slope;
    dr_activation activation;
} dr_affine;

/// Per slot and padded channel: sum x, sum x^2. `partial` holds slots * blocks * groups * 2 * block doubles.
void dr_moments(const dr_tensor *x, const dr_runs *runs, double *sums, double *partial, int threads);

void dr_affine_forward(const dr_tensor *x, const dr_tensor *y, const dr_runs *runs, const dr_affine *f, int threads);

/// With dz = dy activation'(z): per slot and padded channel sum dz, sum dz (x - mean), and sum over z <= 0 of dy z,
/// the slope's gradient. `partial` holds slots * blocks * groups * 3 * block doubles.
void dr_affine_backward_sums(const dr_tensor *x, const dr_tensor *dy, const dr_runs *runs, const dr_affine *f,
                             double *sums, double *partial, int threads);

/// dx (+)= scale dz + constant + linear (x - mean).
void dr_affine_backward(const dr_tensor *x, const dr_tensor *dy, const dr_tensor *dx, const dr_runs *runs,
                        const dr_affine *f, const float *constant, const float *linear, int accumulate, int threads);

/// Channels first ..< first + channels of `wide` += the channels of `narrow`.
void dr_add_channels(const dr_tensor *wide, const dr_tensor *narrow, const dr_runs *runs, int first, int channels,
                     int threads);
/// narrow (+)= channels first ..< first + channels of `wide`.
void dr_take_channels(const dr_tensor *wide, const dr_tensor *narrow, const dr_runs *runs, int first, int channels,
                      int accumulate, int threads);

/// Zeros the runs.
void dr_clear(const dr_tensor *x, const dr_runs *runs, int threads);

/// The image of a tensor: its extent in voxels and the step between neighbours of a phase (depth, height, width).
typedef struct {
    int64_t size[3], step[3];
} dr_image;

/// to[v] (+)= from[v + offset], 0 where v + offset lies outside; moves between dilations, crops and pads.
void dr_relayout(const dr_tensor *from, dr_image from_image, const dr_tensor *to, dr_image to_image,
                 const int64_t offset[3], int accumulate, int threads);

/// One slot of plain [channel][voxel] to blocks of undilated layout, padded channels zero; and back.
void dr_pack(const float *plain, int channels, const dr_tensor *x, int slot, int threads);
void dr_unpack(const dr_tensor *x, int slot, float *plain, int channels, int threads);
