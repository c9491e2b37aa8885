#pragma once
// Which version of the kernels runs. One binary holds all of them.

typedef enum { DR_PORTABLE, DR_AVX2, DR_AVX512 } dr_isa;

/// The widest version that this machine can run.
dr_isa dr_widest_isa(void);
/// Channels in a block of the activation layout that goes with a version: what oneDNN's kernels take.
int dr_block(dr_isa isa);
