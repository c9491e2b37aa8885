#pragma once
#include "grids.h"
#include "instruction_set.h"
#include "tensor.h"
#include "winograd.h"

struct dr_kernels {
    void (*moments)(const dr_tensor *, const dr_runs *, double *, double *, int);
    void (*affine_forward)(const dr_tensor *, const dr_tensor *, const dr_runs *, const dr_affine *, int);
    void (*affine_backward_sums)(const dr_tensor *, const dr_tensor *, const dr_runs *, const dr_affine *, double *,
                                 double *, int);
    void (*affine_backward)(const dr_tensor *, const dr_tensor *, const dr_tensor *, const dr_runs *,
                            const dr_affine *, const float *, const float *, int, int);
    void (*add_channels)(const dr_tensor *, const dr_tensor *, const dr_runs *, int, int, int);
    void (*take_channels)(const dr_tensor *, const dr_tensor *, const dr_runs *, int, int, int, int);
    void (*clear)(const dr_tensor *, const dr_runs *, int);
    void (*relayout)(const dr_tensor *, const dr_tensor *, const dr_move *, int, int);
    void (*pack)(const float *, int, const dr_tensor *, int, int);
    void (*unpack)(const dr_tensor *, int, float *, int, int);
    void (*max_pool)(const dr_tensor *, const dr_tensor *, const dr_tensor *, const dr_pool *, int);
    void (*max_pool_backward)(const dr_tensor *, const dr_tensor *, const dr_tensor *, const dr_pool *, int, int);
    void (*maxout)(const dr_tensor *, const dr_tensor *, const dr_runs *, const dr_affine *, int, int, int);
    void (*maxout_backward)(const dr_tensor *, const dr_tensor *, const dr_tensor *, const dr_runs *,
                            const dr_affine *, int, int, int, int);
    void (*dropout)(const dr_tensor *, const dr_tensor *, const dr_runs *, const dr_dropout *, int, int);
    void (*unfold)(const dr_tensor *, const dr_tensor *, const dr_unfold *, int);
    void (*fold)(const dr_tensor *, const dr_tensor *, const dr_unfold *, int);
};

/// Of the instruction set that a tensor was laid out for.
const struct dr_kernels *dr_kernels_of(const dr_tensor *t);

extern const struct dr_kernels dr_kernels_portable, dr_kernels_avx2, dr_kernels_avx512;

struct dr_winograd_kernels {
    int64_t (*weight_floats)(const dr_winograd *);
    int64_t (*forward_scratch)(const dr_winograd *, int);
    int64_t (*gradient_scratch)(const dr_winograd *, int);
    void (*weights)(const dr_winograd *, const float *, int, int, int, float *, int);
    void (*forward)(const dr_winograd *, const float *, float *, int);
    void (*gradient)(const dr_winograd *, float *, int, int, float *, int);
};

extern const struct dr_winograd_kernels dr_winograd_portable, dr_winograd_avx2, dr_winograd_avx512;
