#!/usr/bin/env python3
"""Makes fixtures.json and fixtures.bin beside this file: what PyTorch computes in float64.

    python3 -m venv venv && venv/bin/pip install -r Tests/Fixtures/requirements.txt
    venv/bin/python Tests/Fixtures/make_fixtures.py

Takes a few minutes. Prints, for each case, the largest relative L2 error of PyTorch's own float32,
which says how much of the tests' tolerance an honest float32 computation needs.

Inputs, references and parameters are not stored: both sides draw them from a hash of a name and an index (`draws`).
fixtures.json describes each case: the graph, the loss, the expected sums, and where in fixtures.bin (little-endian
float32) its arrays lie: of `total` elements every `stride`-th is there, from the first on.
"""

import argparse
import json
import pathlib
import sys

import numpy as np
import torch
import torch.nn.functional as F

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "Launch"))
from bench_pytorch import NETWORKS, generalised_dice_loss  # noqa: E402
from losses import LOSSES  # noqa: E402

from cases import CASES  # noqa: E402

# At most so many elements of an array are kept.
KEPT = {"logits": 400, "gradient": 220, "statistic": 100}
KEPT_OF_A_NETWORK = {"logits": 2000, "gradient": 220, "statistic": 100}


# Numbers that both sides draw.


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


# Graphs of a few operations.


class Operations(torch.nn.Module):
    """Interprets the operations of a case."""

    def __init__(self, case):
        super().__init__()
        self.case = case
        self.layers = torch.nn.ModuleDict()
        channels = {"input": case["channels"]}
        for operation in case["operations"]:
            x, width = operation["x"], channels[operation["x"]]
            kind, name = operation["kind"], operation["y"]
            if kind == "convolution":
                same = operation["padding"] == "same"
                kernel, dilation = operation["kernel"], operation["dilation"]
                width = operation["channels"]
                self.layers[name] = torch.nn.Conv3d(
                    channels[x], width, kernel, dilation=dilation, bias=operation["bias"],
                    padding=[dilation * (k // 2) if same else 0 for k in kernel],
                )  # fmt: skip
            elif kind == "batch_norm":
                self.layers[name] = torch.nn.BatchNorm3d(width)
            elif kind == "concatenate":
                width += channels[operation["shortcut"]]
            elif kind == "prelu":
                self.layers[name] = torch.nn.PReLU(width)
            channels[name] = width

    def forward(self, image):
        values = {"input": image}
        for operation in self.case["operations"]:
            kind, x = operation["kind"], values[operation["x"]]
            if kind == "relu":
                y = F.relu(x)
            elif kind == "add":
                shortcut = values[operation["shortcut"]]
                missing = x.shape[1] - shortcut.shape[1]
                y = x + F.pad(shortcut, (0, 0, 0, 0, 0, 0, missing // 2, missing - missing // 2))
            elif kind == "crop":
                border = operation["border"]
                inside = [slice(border, -border) if n > 1 else slice(None) for n in x.shape[2:]]
                y = x[(slice(None), slice(None), *inside)]
            elif kind == "subsample":
                step = operation["border"]
                inside = [slice(step // 2, None, step) if n > 1 else slice(None) for n in x.shape[2:]]
                y = x[(slice(None), slice(None), *inside)]
            elif kind == "upsample":
                y = x
                for axis in (2, 3, 4):
                    if self.case["size"][axis - 2] > 1:
                        y = y.repeat_interleave(operation["border"], axis)
            elif kind == "concatenate":
                y = torch.cat([x, values[operation["shortcut"]]], 1)
            else:
                y = self.layers[operation["y"]](x)
            values[operation["y"]] = y
        return y


# Of PyTorch's names, dicerank's and the role.
SPELLINGS = {
    torch.nn.Conv3d: {"weight": ("weight", "weight"), "bias": ("bias", "bias")},
    torch.nn.PReLU: {"weight": ("slope", "slope")},
    torch.nn.BatchNorm3d: {
        "weight": ("weight", "scale"),
        "bias": ("bias", "shift"),
        "running_mean": ("running_mean", "runningMean"),
        "running_var": ("running_variance", "runningVariance"),
    },
}


def entries(module):
    """(name, role, tensor) of each parameter and statistic, with dicerank's names and roles."""
    for path, part in module.named_modules():
        for spelling, (name, role) in SPELLINGS.get(type(part), {}).items():
            tensor = getattr(part, spelling)
            if tensor is not None:
                yield f"{path.removeprefix('layers.')}.{name}", role, tensor


# A case.


def make_module(case, dtype):
    if "network" in case:
        network = case["network"]
        module = NETWORKS[network["name"]](
            case["channels"], case["classes"], network["border"], logits=network["logits"],
            activation=network["activation"], **{k: network[k] for k in ("widths", "hidden") if k in network},
        )  # fmt: skip
    else:
        module = Operations(case)
    module = module.to(dtype).train(not case["inference"])
    with torch.no_grad():
        for name, role, tensor in entries(module):
            tensor.copy_(torch.from_numpy(parameter(f"{key_of(case)}/{name}", role, tensor.shape)))
    return module


def key_of(case):
    return f"{case['name']}#{case['salt']}"


def make_images(case):
    voxels, channels = int(np.prod(case["size"])), case["channels"]
    slots = range(len(case["references"]))
    flat = np.stack([draws(f"{key_of(case)}/input/{slot}", channels * voxels) for slot in slots])
    return torch.from_numpy(flat.reshape(-1, channels, *case["size"]))


def compute(case, dtype):
    """Everything that is expected of a case: numbers, and arrays by name."""
    module = make_module(case, dtype)
    logits = module(make_images(case).to(dtype))
    slots = range(len(case["references"]))
    arrays = {f"logits/{slot}": logits[slot].detach() for slot in slots}
    if case["inference"]:
        return {}, arrays
    weights, pooling, classes = case["weights"], case["pooling"], case["classes"]
    labels = torch.from_numpy(np.stack([
        reference(f"{key_of(case)}/reference/{slot}", kind, logits.shape[2:], classes)
        for slot, kind in enumerate(case["references"])
    ]))  # fmt: skip
    loss_of = LOSSES.get(case.get("loss"))
    if loss_of is None:
        def loss_of(logits, labels, pooling):
            return generalised_dice_loss(logits, labels, weights, pooling)
    loss = loss_of(logits, labels, pooling)
    if case["gradients"]:
        loss.backward()
    for name, role, tensor in entries(module):
        if role.startswith("running"):
            arrays[f"statistic/{name}"] = tensor
        elif case["gradients"]:
            arrays[f"gradient/{name}"] = tensor.grad
    probabilities = torch.softmax(logits, 1).detach()
    one_hot = F.one_hot(labels, classes).movedim(-1, 1)
    found, wanted = logits.argmax(1) != 0, labels != 0
    one = [slice(slot, slot + 1) for slot in slots]
    expected = {
        "loss": loss.item(),
        "slot_losses": [loss_of(logits[i], labels[i], "image").item() for i in one],
        "dice": (2 * (found & wanted).sum() / (found.sum() + wanted.sum())).item(),
        "reference": one_hot.sum((0, 2, 3, 4)).tolist(),
        "prediction": probabilities.sum((0, 2, 3, 4)).tolist(),
        "intersection": (probabilities * one_hot).sum((0, 2, 3, 4)).tolist(),
    }
    return expected, arrays


def distance_from_kink(case):
    """How near to 0 the nearest unit of a ReLU is."""
    nearest = []
    module = make_module(case, torch.float64)
    for part in module.modules():
        if isinstance(part, (torch.nn.ReLU, torch.nn.PReLU)):
            part.register_forward_pre_hook(lambda _, inputs: nearest.append(inputs[0].abs().min().item()))
    with torch.no_grad():
        module(make_images(case))
    return min(nearest)


def float32_errors(case, arrays):
    """Relative L2 error of PyTorch's own float32, by array."""
    single = compute(case, torch.float32)[1]
    return {key: relative_error(single[key].double(), value.double()) for key, value in arrays.items()}


def find_salt(name, count):
    """The salt of the best conditioned gradients, of those that leave the kinks alone."""
    case = next(case for case in CASES if case["name"] == name)
    best = (np.inf, None)
    for salt in range(count):
        salted = {**case, "salt": salt}
        distance = distance_from_kink(salted)
        if distance < 4e-6:
            continue
        error = max(float32_errors(salted, compute(salted, torch.float64)[1]).values())
        best = min(best, (error, salt))
        print(f"salt {salt}: nearest unit {distance:.1e} from 0, float32 error {error:.1e}", flush=True)
    print(f"{name}: salt {best[1]}")


def stride_for(total, kept):
    """The smallest stride that keeps few enough and shares no factor with the usual extents."""
    stride = -(-total // kept)
    while stride > 1 and np.gcd(stride, 2 * 3 * 5 * 7) != 1:
        stride += 1
    return stride


def relative_error(found, expected):
    return ((found - expected).norm() / expected.norm()).item() if expected.norm() > 0 else 0.0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--find-salt", nargs=2, metavar=("CASE", "COUNT"), help="search a network's salt instead")
    options = parser.parse_args()
    if options.find_salt:
        find_salt(options.find_salt[0], int(options.find_salt[1]))
        return
    lines, blob = [], b""
    for case in CASES:
        expected, arrays = compute(case, torch.float64)
        errors = float32_errors(case, arrays)
        worst = max(errors, key=errors.get)
        print(f"{case['name']:60} float32: {errors[worst]:.1e} in {worst}", flush=True)
        limits = KEPT_OF_A_NETWORK if "network" in case else KEPT
        index = {}
        for key, value in arrays.items():
            flat = value.double().numpy().ravel()
            stride = stride_for(flat.size, limits[key.split("/")[0]])
            part = flat[::stride].astype("<f4")
            index[key] = {"offset": len(blob) // 4, "stride": stride, "total": flat.size}
            blob += part.tobytes()
        found = {"expected": expected, "float32_error": float(f"{errors[worst]:.1e}"), "arrays": index}
        lines.append(json.dumps({**case, **found}, separators=(",", ":")))
    (HERE / "fixtures.bin").write_bytes(blob)
    (HERE / "fixtures.json").write_text("[\n" + ",\n".join(lines) + "\n]\n")
    print(f"{len(blob) + len(chr(10).join(lines))} bytes in all")


if __name__ == "__main__":
    main()
