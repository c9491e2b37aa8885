#include "loss_head.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "instruction_set.h"
#include "parallel.h"

struct head {
    const dr_tensor *blocked;
    const uint8_t *reference;
    const float *soft;
    const double *derivatives;
    float *probabilities;
    double *partial;
    int64_t voxels;
    int slot, classes, block;
};

static inline float *lane_of(const struct head *h, int64_t voxel, int class) {
    const dr_tensor *t = h->blocked;
    return t->data + ((h->slot * t->blocks + class / h->block) * t->volume + voxel) * h->block +
           class % h->block;
}

static void softmax_body(void *context, int thread, int threads) {
    const struct head *h = context;
    long long first, last;
    dr_share(h->voxels, thread, threads, &first, &last);
    for (long long v = first; v < last; v++) {
        float largest = -INFINITY, total = 0;
        for (int l = 0; l < h->classes; l++) largest = fmaxf(largest, *lane_of(h, v, l));
        for (int l = 0; l < h->classes; l++) {
            const float e = expf(*lane_of(h, v, l) - largest);
            h->probabilities[l * h->voxels + v] = e;
            total += e;
        }
        for (int l = 0; l < h->classes; l++) h->probabilities[l * h->voxels + v] /= total;
    }
}

void dr_softmax(const dr_tensor *logits, int slot, int classes, float *probabilities, int threads) {
    struct head h = {.blocked = logits, .slot = slot, .classes = classes, .block = dr_block(logits->isa),
                     .voxels = logits->volume, .probabilities = probabilities};
    dr_parallel(threads, softmax_body, &h);
}

/// Voxels whose sums are formed one after the other: fixed, so that the total does not depend on the threads.
enum { GROUP = 4096 };

/// log p of a class, from the logits where p is no normal float.
static double log_probability(const struct head *h, int64_t voxel, int class) {
    const float p = h->probabilities[class * h->voxels + voxel];
    if (p > 1e-30f) return log(p);
    double largest = -INFINITY, total = 0;
    for (int l = 0; l < h->classes; l++) largest = fmax(largest, *lane_of(h, voxel, l));
    for (int l = 0; l < h->classes; l++) total += exp(*lane_of(h, voxel, l) - largest);
    return *lane_of(h, voxel, class) - largest - log(total);
}

static inline float probability(const struct head *h, int64_t voxel, int class) {
    return h->probabilities[class * h->voxels + voxel];
}

static inline float soft_reference(const struct head *h, int64_t voxel, int class) {
    return h->soft[class * h->voxels + voxel];
}

/// Argmax and label, foreground or not.
static inline void count_overlap(const struct head *h, int64_t voxel, double *counts) {
    int predicted = 0;
    for (int l = 1; l < h->classes; l++)
        if (probability(h, voxel, l) > probability(h, voxel, predicted)) predicted = l;
    const int reference = h->reference[voxel];
    counts[0] += predicted != 0;
    counts[1] += reference != 0;
    counts[2] += predicted != 0 && reference != 0;
}

static void soft_sums_of_group(const struct head *h, int64_t first, int64_t last, double *sums) {
    const int classes = h->classes;
    memset(sums, 0, sizeof(double) * DR_LOSS_SUMS(classes));
    for (int64_t v = first; v < last; v++) {
        for (int l = 0; l < classes; l++) {
            const double p = probability(h, v, l), r = soft_reference(h, v, l), error = (r - p) * (r - p);
            sums[l] += r;
            sums[classes + l] += p;
            sums[2 * classes + l] += r * p;
            sums[3 * classes + l] += r * error;
            sums[4 * classes + l] += (1 - r) * error;
            // 0 log 0 = 0.
            if (r > 0) sums[5 * classes + l] += r * log_probability(h, v, l);
        }
        count_overlap(h, v, sums + 6 * classes);
    }
}

static void sums_of_group(const struct head *h, int64_t first, int64_t last, double *sums) {
    const int classes = h->classes;
    memset(sums, 0, sizeof(double) * DR_LOSS_SUMS(classes));
    for (int64_t v = first; v < last; v++) {
        const int reference = h->reference[v];
        for (int l = 0; l < classes; l++) {
            const float p = probability(h, v, l);
            sums[classes + l] += p;
            if (l != reference) sums[4 * classes + l] += (double)p * p;
        }
        const double p = probability(h, v, reference);
        sums[reference] += 1;
        sums[2 * classes + reference] += p;
        sums[3 * classes + reference] += (1 - p) * (1 - p);
        sums[5 * classes + reference] += log_probability(h, v, reference);
        count_overlap(h, v, sums + 6 * classes);
    }
}

static void sums_body(void *context, int thread, int threads) {
    const struct head *h = context;
    long long first, last;
    dr_share((h->voxels + GROUP - 1) / GROUP, thread, threads, &first, &last);
    for (long long g = first; g < last; g++) {
        const int64_t end = (g + 1) * GROUP < h->voxels ? (g + 1) * GROUP : h->voxels;
        double *sums = h->partial + g * DR_LOSS_SUMS(h->classes);
        if (h->soft) {
            soft_sums_of_group(h, g * GROUP, end, sums);
        } else {
            sums_of_group(h, g * GROUP, end, sums);
        }
    }
}

void dr_loss_sums(const dr_tensor *logits, int slot, const float *probabilities, const uint8_t *reference,
                  const float *soft, int64_t voxels, int classes, double *sums, int threads) {
    const int64_t groups = (voxels + GROUP - 1) / GROUP, count = DR_LOSS_SUMS(classes);
    double *partial = malloc(sizeof(double) * groups * count);
    struct head h = {.blocked = logits, .slot = slot, .block = dr_block(logits->isa), .reference = reference,
                     .soft = soft, .classes = classes, .voxels = voxels,
                     .probabilities = (float *)probabilities, .partial = partial};
    dr_parallel(threads, sums_body, &h);
    memset(sums, 0, sizeof(double) * count);
    for (int64_t g = 0; g < groups; g++)
        for (int64_t k = 0; k < count; k++) sums[k] += partial[g * count + k];
    free(partial);
}

/// dL/dp of a class without the part of C.
static inline double slope(const struct head *h, int64_t voxel, int class) {
    const double *d = h->derivatives + class, p = probability(h, voxel, class);
    const int classes = h->classes;
    if (h->soft) {
        const double r = soft_reference(h, voxel, class);
        return d[0] + d[classes] * r + 2 * (p - r) * (d[2 * classes] * r + d[3 * classes] * (1 - r));
    }
    return class == h->reference[voxel] ? d[0] + d[classes] + 2 * d[2 * classes] * (p - 1)
                                        : d[0] + 2 * d[3 * classes] * p;
}

/// What C gives to a logit: r / p cancels against the softmax, and there is no division by a p near 0.
static inline double likelihood_slope(const struct head *h, int64_t voxel, int class, double p) {
    const double *d = h->derivatives + 4 * h->classes;
    if (!h->soft) return d[h->reference[voxel]] * ((class == h->reference[voxel]) - p);
    double total = 0;
    for (int k = 0; k < h->classes; k++) total += d[k] * soft_reference(h, voxel, k) * ((class == k) - p);
    return total;
}

static void backward_body(void *context, int thread, int threads) {
    const struct head *h = context;
    const int padded = (int)h->blocked->blocks * h->block;
    long long first, last;
    dr_share(h->voxels, thread, threads, &first, &last);
    for (long long v = first; v < last; v++) {
        for (int l = 0; l < padded; l++) {
            double total = 0;
            if (l < h->classes) {
                const double p = probability(h, v, l), own = slope(h, v, l);
                for (int k = 0; k < h->classes; k++) total += probability(h, v, k) * (own - slope(h, v, k));
                total = total * p + likelihood_slope(h, v, l, p);
            }
            *lane_of(h, v, l) = (float)total;
        }
    }
}

void dr_softmax_backward(const float *probabilities, const uint8_t *reference, const float *soft, int classes,
                         const double *derivatives, const dr_tensor *gradient, int slot, int threads) {
    struct head h = {.blocked = gradient, .reference = reference, .soft = soft, .derivatives = derivatives,
                     .probabilities = (float *)probabilities, .voxels = gradient->volume, .slot = slot,
                     .classes = classes, .block = dr_block(gradient->isa)};
    dr_parallel(threads, backward_body, &h);
}
