"""The losses of Sudre et al. 2017 beside the Generalised Dice loss, written voxel by voxel as the paper prints them.

logits: [batch, classes, depth, height, width]; reference: class indices [batch, depth, height, width]. `pooling` is
"image", a loss a patch and their mean, or "batch", one loss of all voxels.
"""

import torch
import torch.nn.functional as F

EPSILON = 1e-5


def groups(logits, reference, pooling):
    """Log-probabilities and one-hot references [group, class, voxel]."""
    log = torch.log_softmax(logits, 1).flatten(2)
    hot = F.one_hot(reference, logits.shape[1]).movedim(-1, 1).flatten(2).to(logits.dtype)
    if pooling == "batch":
        log, hot = (x.movedim(0, 1).flatten(1).unsqueeze(0) for x in (log, hot))
    return log, hot


def weighted_cross_entropy(logits, reference, pooling):
    log, r = groups(logits, reference, pooling)
    voxels = log.shape[2]
    predicted = log.exp().sum(2)
    weight = ((voxels - predicted) / predicted.clamp(min=1)).detach()
    weight[:, 0] = 1
    return -(weight.unsqueeze(2) * r * log).sum((1, 2)).div(voxels).mean()


def dice_loss(logits, reference, pooling):
    log, r = groups(logits, reference, pooling)
    p = log.exp()
    scores = ((p * r).sum(2) + EPSILON) / ((p + r).sum(2) + EPSILON)
    return (1 - 2 / r.shape[1] * scores.sum(1)).mean()


def sensitivity_specificity(logits, reference, pooling, share=0.05):
    log, r = groups(logits, reference, pooling)
    p, r = log.exp()[:, 1:], r[:, 1:]
    error = (r - p) ** 2
    inside = (error * r).sum(2) / (r.sum(2) + EPSILON)
    outside = (error * (1 - r)).sum(2) / ((1 - r).sum(2) + EPSILON)
    return (share * inside + (1 - share) * outside).mean(1).mean()


LOSSES = {"wce": weighted_cross_entropy, "dl2": dice_loss, "ss": sensitivity_specificity}
