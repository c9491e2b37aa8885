#pragma once
// How a kernel comes to run in the version of an instruction set.
//
// - A public function dr_NAME is declared in a header of include/, with its signature and what it computes.
// - Its kernel is a static function NAME of the same signature in a .inc file. Each of the kernels_*.c compiles all
//   .inc files once more, for its instruction set (kernels.inc), and BLOCK says there how many channels are a vector.
// - DR_KERNELS lists the names. The type of a table, each table and its entries come from that list alone, by name:
//   an entry that is missing does not compile, and there is no place where two could be swapped.
// - dispatch.c defines dr_NAME: it takes the version that its arguments name (that of a tensor, or `isa`) and calls the
//   entry of the same name.
//
// A new kernel is a declaration, a static function, a name in the list, and a line in dispatch.c.
#include "flat.h"
#include "grids.h"
#include "instruction_set.h"
#include "loss_head.h"
#include "tensor.h"
#include "winograd.h"

#define DR_KERNELS(KERNEL)                  \
    /* tensor.h */                          \
    KERNEL(moments)                         \
    KERNEL(affine_forward)                  \
    KERNEL(affine_backward_sums)            \
    KERNEL(affine_backward)                 \
    KERNEL(add_channels)                    \
    KERNEL(take_channels)                   \
    KERNEL(clear)                           \
    KERNEL(relayout)                        \
    KERNEL(pack)                            \
    KERNEL(unpack)                          \
    /* grids.h */                           \
    KERNEL(max_pool)                        \
    KERNEL(max_pool_backward)               \
    KERNEL(maxout)                          \
    KERNEL(maxout_backward)                 \
    KERNEL(dropout_pass)                    \
    KERNEL(unfold_pass)                     \
    KERNEL(fold_pass)                       \
    KERNEL(skew_sum)                        \
    KERNEL(skew_spread)                     \
    /* winograd.h */                        \
    KERNEL(winograd_weight_floats)          \
    KERNEL(winograd_scratch_floats)         \
    KERNEL(winograd_gradient_scratch_floats) \
    KERNEL(winograd_weights)                \
    KERNEL(winograd_forward)                \
    KERNEL(winograd_gradient)               \
    /* loss_head.h */                       \
    KERNEL(softmax)                         \
    KERNEL(loss_sums)                       \
    KERNEL(softmax_backward)                \
    /* flat.h */                            \
    KERNEL(adam_step)                       \
    KERNEL(sgd_step)                        \
    KERNEL(all_finite)                      \
    KERNEL(sum_of_squares)                  \
    KERNEL(scale)

/// The kernels of one instruction set.
struct dr_kernels {
#define KERNEL(name) __typeof__(dr_##name) *name;
    DR_KERNELS(KERNEL)
#undef KERNEL
};

extern const struct dr_kernels dr_kernels_portable, dr_kernels_avx2, dr_kernels_avx512;
