#pragma once
// Passes over activations. Layout: [slot][channel block][position][channel in block], float32.
//
// Positions are voxels and the gaps between them. With dilation d an axis holds the voxels 0, d, 2 d, ..., then a gap,
// then 1, d + 1, ..., so that a dilated convolution is an ordinary one that takes gaps as zero. Passes touch voxels
// only; gaps hold whatever was there.
#include <stdint.h>

#include "instruction_set.h"

typedef struct {
    float *data;
    int64_t slots, blocks, volume;  // volume: positions
    dr_isa isa;                     // the kernels that run on it, and so the channels of a block
} dr_tensor;

/// Positions that follow each other.
typedef struct {
    int32_t offset, count;
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
    int64_t slot_stride;  // from a slot's values to the next one's; 0 where all slots share them
    dr_activation activation;
} dr_affine;

/// Per slot and padded channel: sum x, sum x^2. `partial` holds slots * blocks * groups * 2 * block doubles.
void dr_moments(const dr_tensor *x, const dr_runs *runs, double *sums, double *partial, int threads);

void dr_affine_forward(const dr_tensor *x, const dr_tensor *y, const dr_runs *runs, const dr_affine *f, int threads);

/// With dz = dy activation'(z): per slot and padded channel sum dz, sum dz (x - mean), and sum over z <= 0 of dy z,
/// the slope's gradient. `partial` holds slots * blocks * groups * 3 * block doubles.
void dr_affine_backward_sums(const dr_tensor *x, const dr_tensor *dy, const dr_runs *runs, const dr_affine *f,
                             double *sums, double *partial, int threads);

/// dx (+)= scale dz + constant + linear (x - mean); the two lie as the affine's values do.
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

/// A move of voxels: voxel (i, j, k) of the target lies at to[0][i] + to[1][j] + to[2][k] and comes from
/// from[0][i] + from[1][j] + from[2][k], or is 0 where one of the three is negative. Positions, not floats.
typedef struct {
    const int32_t *from[3], *to[3];
    int64_t count[3];
} dr_move;

/// to[v] (+)= from[v's source]; between dilations, crops and pads.
void dr_relayout(const dr_tensor *from, const dr_tensor *to, const dr_move *move, int accumulate, int threads);

/// One slot of plain [channel][voxel] to blocks of a layout without gaps, padded channels zero; and back.
void dr_pack(const float *plain, int channels, const dr_tensor *x, int slot, int threads);
void dr_unpack(const dr_tensor *x, int slot, float *plain, int channels, int threads);
