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
from torch import nn

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "Launch" / "benchmark"))
from cases import CASES  # noqa: E402
from draws import draws, parameter, reference  # noqa: E402
from losses import LOSSES  # noqa: E402
from operations import Operations, entries  # noqa: E402
from pytorch_networks import NETWORKS, Maxout, generalised_dice_loss  # noqa: E402

# At most so many elements of an array are kept.
KEPT = {"logits": 400, "gradient": 220, "statistic": 100}
KEPT_OF_A_NETWORK = {"logits": 2000, "gradient": 220, "statistic": 100}


def make_module(case, dtype):
    if "network" in case:
        options = dict(case["network"])
        module = NETWORKS[options.pop("name")](case["channels"], case["classes"], **options)
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


def distances(part, x):
    """Of a layer whose gradient jumps: how far the values of its input are from where it does; else None."""
    if isinstance(part, (nn.ReLU, nn.PReLU)):
        return x.abs()
    if isinstance(part, Maxout):
        rivals = x.unflatten(1, (part.pieces, -1)).movedim(1, -1)
    elif isinstance(part, (nn.MaxPool2d, nn.MaxPool3d)):
        axes = x.dim() - 2
        kernel, stride = ([n] * axes if isinstance(n, int) else n for n in (part.kernel_size, part.stride))
        for axis in range(axes):
            x = x.unfold(2 + axis, kernel[axis], stride[axis])
        rivals = x.flatten(-axes)
    else:
        return None
    first, second = rivals.topk(2).values.unbind(-1)
    # Equal ones are the zeros of a ReLU, which pass no gradient on.
    return (first - second)[first > second]


def distance_from_kink(case):
    """How near a ReLU's unit is to 0, or the second largest of a maximum to the largest, at the nearest."""
    nearest = [np.inf]

    def look(part, inputs):
        found = distances(part, inputs[0])
        if found is not None and found.numel():
            nearest.append(found.min().item())

    module = make_module(case, torch.float64)
    for part in module.modules():
        part.register_forward_pre_hook(look)
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
    torch.set_num_threads(2)  # The last digits of a sum depend on how many there are.
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
