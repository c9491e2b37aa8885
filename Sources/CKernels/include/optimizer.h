#pragma once
// Optimiser steps as one pass over flat arrays. Element by element and without fused multiply-add, so that the result
// does not depend on the number of threads or on the instruction set.
#include <stdint.h>

#include "instruction_set.h"

/// Adam with bias correction: m += (g - m)(1 - beta1); v = beta2 v + (1 - beta2) g^2;
/// p = decay p - rate m / (sqrt(v) / correction + epsilon).
typedef struct {
    float gain;        ///< 1 - beta1
    float beta2;       ///< decay of the squares
    float square_gain; ///< 1 - beta2
    float rate;        ///< learning rate / (1 - beta1^step)
    float correction;  ///< sqrt(1 - beta2^step)
    float epsilon;     ///< added to the root
    float decay;       ///< 1 - learning rate * weight decay
} dr_adam;

void dr_adam_step(const dr_adam *settings, int64_t count, float *parameters, const float *gradients, float *mean,
                  float *square, dr_isa isa, int threads);

/// Stochastic gradient descent: velocity = momentum velocity + g; p -= rate velocity.
void dr_sgd_step(float rate, float momentum, int64_t count, float *parameters, const float *gradients,
                 float *velocity, dr_isa isa, int threads);

/// Whether all values are finite.
int dr_all_finite(int64_t count, const float *values, dr_isa isa, int threads);
