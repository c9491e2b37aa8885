#pragma once
// Passes over flat arrays, such as all parameters of a network: optimiser steps, the norm and scale of a gradient, the
// search for values that are not finite. Without fused multiply-add, element by element or in sums of fixed parts, so
// that the bits depend neither on the number of threads nor on the instruction set.
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

/// The sum of all squares, in double. Parts of fixed length are added up each on its own, then in their order.
double dr_sum_of_squares(int64_t count, const float *values, dr_isa isa, int threads);

/// Multiplies all values by `factor`.
void dr_scale(float factor, int64_t count, float *values, dr_isa isa, int threads);
