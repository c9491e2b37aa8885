#pragma once
// The only room that includes dnnl.h. It hides the two APIs of oneDNN (2.x and 3.x) and offers one thing:
// a float32 convolution in one of its three directions, on blocked activations and plain weights.
#include <stddef.h>
#include <stdint.h>

/// How an activation lies in memory: `n C/B d h w B` with B = 8 or 16 channels innermost, padded with zero channels.
typedef enum { DNN_BLOCK_8 = 8, DNN_BLOCK_16 = 16 } dnn_block;

typedef enum { DNN_FORWARD, DNN_BACKWARD_DATA, DNN_BACKWARD_WEIGHTS } dnn_direction;

/// Batch, channels and extents (depth, height, width) of a convolution with the same zero padding on both sides of an
/// axis. It is never dilated: oneDNN's dilated backward-weights falls back to a slow algorithm. The caller lays out the
/// voxels of each residue of the dilation beside each other, with gaps between them that hold zeros.
typedef struct {
    int64_t batch, input_channels, output_channels;
    int64_t input[3], output[3], kernel[3], padding[3], stride[3];
    int has_bias;
    dnn_block block;
} dnn_shape;

typedef struct dnn_convolution dnn_convolution;

/// Compiles a primitive for the number of threads that OpenMP has now. Returns a dnnl_status_t, 0 for success.
int dnn_convolution_create(dnn_convolution **out, const dnn_shape *shape, dnn_direction direction);
void dnn_convolution_destroy(dnn_convolution *convolution);

/// Bytes that `scratch` must have when the convolution runs, aligned to 64.
size_t dnn_convolution_scratch_bytes(const dnn_convolution *convolution);
/// The implementation oneDNN chose, such as "jit:avx2", and whether its layouts differ from the caller's.
const char *dnn_convolution_implementation(const dnn_convolution *convolution);
int dnn_convolution_reorders(const dnn_convolution *convolution);

/// Runs one direction. `source`, `weights` and `destination` name the tensors of the forward pass or their
/// gradients: forward writes destination; backward data reads destination and weights and writes source; backward
/// weights reads source and destination and writes weights (and bias). Weights are plain [out][in][d][h][w].
int dnn_convolution_run(dnn_convolution *convolution, float *source, float *weights, float *bias,
                        float *destination, void *scratch);

/// Caps the instruction set of oneDNN's kernels; call before anything else. "avx512", "avx2" or "portable".
int dnn_limit_instruction_set(const char *name);
/// The instruction set oneDNN uses now, in words.
const char *dnn_instruction_set(void);
/// Version of the library at run time as major * 10000 + minor * 100 + patch.
int dnn_version(void);
/// A dnnl_status_t in words.
const char *dnn_status_text(int status);
