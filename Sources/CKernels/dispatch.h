#pragma once
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
    void (*relayout)(const dr_tensor *, dr_image, const dr_tensor *, dr_image, const int64_t[3], int, int);
    void (*pack)(const float *, int, const dr_tensor *, int, int);
    void (*unpack)(const dr_tensor *, int, float *, int, int);
};

extern const struct dr_kernels dr_kernels_portable, dr_kernels_avx2, dr_kernels_avx512;

struct dr_winograd_kernels {
    int64_t (*forward_scratch)(const dr_winograd *, int);
    int64_t (*gradient_scratch)(const dr_winograd *, int);
    void (*forward)(const dr_winograd *, const float *, float *, int);
    int64_t (*gradient)(const dr_winograd *, float *, int);
    int columns;  // blocks of output channels that lie together in the transformed weights
};

extern const struct dr_winograd_kernels dr_winograd_portable, dr_winograd_avx2, dr_winograd_avx512;
