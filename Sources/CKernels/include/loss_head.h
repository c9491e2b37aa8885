#pragma once
// Softmax over the classes of the logits, the sums that losses and scores need, and the gradient back to the logits.
#include <stdint.h>

#include "tensor.h"

/// Sums of one patch: for each class V = sum r, P = sum p, I = sum r p, then the voxels where the argmax is
/// foreground, where the reference is, and where both are. 3 * classes + 3 doubles.
#define DR_LOSS_SUMS(classes) (3 * (classes) + 3)

/// probabilities[class][voxel] = softmax of one slot's logits (undilated blocked layout).
void dr_softmax(const dr_tensor *logits, int slot, int classes, float *probabilities, int threads);

/// The sums of one patch from its probabilities and reference labels, in double, in a fixed order.
void dr_loss_sums(const float *probabilities, const uint8_t *reference, int64_t voxels, int classes, double *sums,
                  int threads);

/// The logits' gradient of one slot, where dL/dp_l = constant[l] + at_reference[l] * r_l:
/// dz_l = p_l * sum_k p_k (g_l - g_k).
void dr_softmax_backward(const float *probabilities, const uint8_t *reference, int classes, const double *constant,
                         const double *at_reference, const dr_tensor *gradient, int slot, int threads);
