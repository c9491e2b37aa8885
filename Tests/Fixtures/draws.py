"""Numbers that both sides draw instead of storing them: from a hash of a name and an index."""

import numpy as np


def hash_of_name(name):
    """FNV-1a, 64 bits."""
    value = 0xCBF29CE484222325
    for byte in name.encode():
        value = ((value ^ byte) * 0x100000001B3) % 2**64
    return value


def words(name, count):
    """64-bit words: SplitMix64 seeded with the hash of the name."""
    with np.errstate(over="ignore"):
        z = np.uint64(hash_of_name(name)) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def draws(name, count):
    """Uniform in [-1, 1), multiples of 2^-23, so exact in float32."""
    return (words(name, count) >> np.uint64(40)).astype(np.float64) * 2.0**-23 - 1


def parameter(key, role, shape):
    """The values of a parameter or statistic, rounded to float32."""
    u = draws(key, int(np.prod(shape)))
    if role == "weight":
        u = u * np.sqrt(6 / np.prod(shape[1:]))  # the variance of He et al.
    elif role == "scale":
        u = 0.5 + 0.15 * u
    elif role == "shift":
        # About two deviations to one side of 0, so that few units of a ReLU lie near its kink.
        u = np.where(u < -0.5, -1, 1) + 0.2 * u
    elif role == "runningVariance":
        u = 1 + 0.5 * u
    elif role == "slope":
        u = 0.25 + 0.2 * u
    else:
        u = 0.5 * u
    return u.astype(np.float32).astype(np.float64).reshape(shape)


def reference(key, kind, size, classes):
    """Class indices: seven voxels of ten background, or an extreme."""
    count = int(np.prod(size))
    labels = np.zeros(count, dtype=np.int64)
    if kind == "mixed":
        r = (words(key, count) % np.uint64(1000)).astype(np.int64)
        labels = np.where(r < 700, 0, 1 + (r - 700) * (classes - 1) // 300)
    elif kind == "full":
        labels[:] = 1
    elif kind == "one":
        labels[count // 2] = 1
    elif kind != "empty":
        raise ValueError(kind)
    return labels.reshape(size)
