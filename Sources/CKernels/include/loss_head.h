#pragma once
// Softmax over the classes of the logits, the sums that losses and scores need, and the gradient back to the logits.
#include <stdint.h>

#include "tensor.h"

/// Sums of one patch, [sum][class]: V = sum r, P = sum p, I = sum r p, A = sum r (r - p)^2, B = sum (1 - r) (r - p)^2,
/// C = sum r log p; then the voxels where the argmax is foreground, where the reference is, and where both are.
#define DR_LOSS_SUMS(classes) (6 * (classes) + 3)

/// probabilities[class][voxel] = softmax of one slot's logits (undilated blocked layout).
void dr_softmax(const dr_tensor *logits, int slot, int classes, float *probabilities, int threads);

/// The sums of one patch from its probabilities and reference, in double, in a fixed order. The logits are read where a
/// probability is too small for a float to hold.
/// - reference: a label a voxel.
/// - soft: NULL, or the reference's probabilities, [class][voxel], which then take the labels' place in all sums but the
///   counts of foreground.
void dr_loss_sums(const dr_tensor *logits, int slot, const float *probabilities, const uint8_t *reference,
                  const float *soft, int64_t voxels, int classes, double *sums, int threads);

/// The logits' gradient of one slot, dz_l = p_l * sum_k p_k (g_l - g_k) with g = dL/dp, by the derivatives of the loss
/// with respect to the sums P, I, A, B and C, [derivative][class]. Reference as above.
void dr_softmax_backward(const float *probabilities, const uint8_t *reference, const float *soft, int classes,
                         const double *derivatives, const dr_tensor *gradient, int slot, int threads);
