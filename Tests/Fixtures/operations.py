"""The module of a case of a few operations, and what dicerank calls the parameters of a module."""

import torch
import torch.nn.functional as F
from pytorch_networks import Maxout
from torch import nn


class Operations(nn.Module):
    """Interprets the operations of a case. Where an image is planar, its axis of one voxel is no axis of space."""

    def __init__(self, case):
        super().__init__()
        self.case = case
        self.layers = nn.ModuleDict()
        channels = {"input": case["channels"]}
        for operation in case["operations"]:
            name, width = operation["y"], channels[operation["x"]]
            layer = self.layer(operation, width)
            if layer is not None:
                self.layers[name] = layer
            if operation["kind"] == "concatenate":
                width += channels[operation["shortcut"]]
            elif operation["kind"] == "maxout":
                width //= operation["border"]
            channels[name] = operation.get("channels", width)

    def cube(self, edge):
        """The extent along each axis: 1 where the image is planar."""
        return [edge if n > 1 else 1 for n in self.case["size"]]

    def layer(self, operation, width):
        """PyTorch's layer for an operation on `width` channels; None where it has none."""
        kind, border = operation["kind"], operation.get("border")
        if kind == "convolution":
            same = operation["padding"] == "same"
            kernel, dilation = operation["kernel"], operation["dilation"]
            return nn.Conv3d(
                width, operation["channels"], kernel, dilation=dilation, bias=operation["bias"],
                padding=[dilation * (k // 2) if same else 0 for k in kernel],
            )  # fmt: skip
        if kind == "transposed_convolution":
            kernel = self.cube(border)
            return nn.ConvTranspose3d(width, operation["channels"], kernel, stride=kernel, bias=False)
        if kind == "max_pool":
            kernel = operation["kernel"]
            return nn.MaxPool3d(kernel, stride=[border if k > 1 else 1 for k in kernel])
        makers = {
            "batch_norm": lambda: nn.BatchNorm3d(width),
            "instance_norm": lambda: nn.InstanceNorm3d(width, affine=True),
            "group_norm": lambda: nn.GroupNorm(border, width),
            "relu": nn.ReLU,
            "prelu": lambda: nn.PReLU(width),
            "maxout": lambda: Maxout(border),
        }
        return makers[kind]() if kind in makers else None

    def forward(self, image):
        values = {"input": image}
        for operation in self.case["operations"]:
            kind, x = operation["kind"], values[operation["x"]]
            if kind == "add":
                shortcut = values[operation["shortcut"]]
                missing = x.shape[1] - shortcut.shape[1]
                y = x + F.pad(shortcut, (0, 0, 0, 0, 0, 0, missing // 2, missing - missing // 2))
            elif kind == "crop":
                front = operation["border"]
                behind = operation.get("after", front)
                y = x[(..., *[slice(front, n - behind) if n > 1 else slice(None) for n in x.shape[2:]])]
            elif kind == "subsample":
                step = operation["border"]
                y = x[(..., *[slice(step // 2, None, step) if n > 1 else slice(None) for n in x.shape[2:]])]
            elif kind == "upsample":
                y = x
                for axis, factor in enumerate(self.cube(operation["border"]), 2):
                    y = y.repeat_interleave(factor, axis)
            elif kind == "concatenate":
                y = torch.cat([x, values[operation["shortcut"]]], 1)
            else:
                y = self.layers[operation["y"]](x)
            values[operation["y"]] = y
        return y


# Of PyTorch's names, dicerank's and the role.
CONVOLUTION = {"weight": ("weight", "weight"), "bias": ("bias", "bias")}
NORMALISATION = {"weight": ("weight", "scale"), "bias": ("bias", "shift")}
BATCH_NORM = {
    **NORMALISATION,
    "running_mean": ("running_mean", "runningMean"),
    "running_var": ("running_variance", "runningVariance"),
}
SPELLINGS = {
    nn.Conv2d: CONVOLUTION, nn.Conv3d: CONVOLUTION,
    nn.ConvTranspose2d: CONVOLUTION, nn.ConvTranspose3d: CONVOLUTION,
    nn.BatchNorm2d: BATCH_NORM, nn.BatchNorm3d: BATCH_NORM,
    nn.InstanceNorm2d: NORMALISATION, nn.InstanceNorm3d: NORMALISATION, nn.GroupNorm: NORMALISATION,
    nn.PReLU: {"weight": ("slope", "slope")},
}  # fmt: skip


def entries(module):
    """(name, role, tensor) of each parameter and statistic, with dicerank's names and roles."""
    for path, part in module.named_modules():
        for spelling, (name, role) in SPELLINGS.get(type(part), {}).items():
            tensor = getattr(part, spelling)
            if tensor is not None:
                yield f"{path.removeprefix('layers.')}.{name}", role, tensor
