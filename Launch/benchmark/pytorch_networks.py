"""The networks that dicerank trains, in PyTorch: bench_pytorch.py times them, Tests/Fixtures takes them in float64.

All map [batch, channels, depth, height, width] to logits, `border` voxels smaller a side of each axis longer than 1,
and take patches whose edges are multiples of `step`. A planar network works on images of depth 1, in two dimensions
inside. Parameters have dicerank's names up to PyTorch's own words for those of a layer.

Units have `normalisation` "batch", "instance", "group" (of `groups` groups) or "none"; the latter gives the convolution
a bias instead. What follows the last convolution is `logits`: a "bias" or "batch_norm".
"""

import functools

import torch
import torch.nn.functional as F
from torch import nn


class Maxout(nn.Module):
    """y[c] = max(x[c], x[c + C], …): C channels, a `pieces`-th of the input's (Goodfellow et al. 2013)."""

    def __init__(self, pieces=2):
        super().__init__()
        self.pieces = pieces

    def forward(self, x):
        return functools.reduce(torch.maximum, x.chunk(self.pieces, 1))


def activation_layer(kind, channels):
    return {
        "relu": lambda: nn.ReLU(inplace=True),
        "prelu": lambda: nn.PReLU(channels, init=0.25),
        "maxout": Maxout,
        None: nn.Identity,
    }[kind]()


def normalisation_layer(kind, channels, groups, planar=False):
    return {
        "batch": lambda: (nn.BatchNorm2d if planar else nn.BatchNorm3d)(channels),
        "instance": lambda: (nn.InstanceNorm2d if planar else nn.InstanceNorm3d)(channels, affine=True),
        "group": lambda: nn.GroupNorm(groups, channels),
        "none": nn.Identity,
    }[kind]()


def crop(x, front, behind=None):
    """Without `front` voxels in front and `behind` (default: as many) behind along each axis of space."""
    if front < 0:
        raise ValueError(f"the border is {-front} voxels smaller than the network's own")
    behind = front if behind is None else behind
    return x[(..., *[slice(front, n - behind) for n in x.shape[2:]])]


class Unit(nn.Module):
    """Convolution, normalisation, activation; a bias where nothing is normalised."""

    def __init__(
        self, inputs, outputs, kernel, normalisation="batch", groups=8, activation="relu", padding=0, planar=False
    ):
        super().__init__()
        convolution = nn.Conv2d if planar else nn.Conv3d
        self.convolution = convolution(inputs, outputs, kernel, padding=padding, bias=normalisation == "none")
        self.norm = normalisation_layer(normalisation, outputs, groups, planar)
        self.activation = activation_layer(activation, outputs)

    def forward(self, x):
        return self.activation(self.norm(self.convolution(x)))


def logits_unit(inputs, classes, kind, kernel=1, planar=False):
    normalisation = {"bias": "none", "batch_norm": "batch"}[kind]
    return Unit(inputs, classes, kernel, normalisation, activation=None, planar=planar)


class Block(nn.Module):
    """Twice normalisation, activation and 3^3 convolution; the shortcut's missing channels are zeros, half in front."""

    def __init__(self, inputs, outputs, dilation, activation, normalisation, groups):
        super().__init__()
        shape = dict(kernel_size=3, padding=dilation, dilation=dilation, bias=False)
        self.norm1 = normalisation_layer(normalisation, inputs, groups)
        self.activation1 = activation_layer(activation, inputs)
        self.convolution1 = nn.Conv3d(inputs, outputs, **shape)
        self.norm2 = normalisation_layer(normalisation, outputs, groups)
        self.activation2 = activation_layer(activation, outputs)
        self.convolution2 = nn.Conv3d(outputs, outputs, **shape)
        missing = outputs - inputs
        self.padding = (0, 0, 0, 0, 0, 0, missing // 2, missing - missing // 2) if missing else None

    def forward(self, x):
        y = self.convolution1(self.activation1(self.norm1(x)))
        y = self.convolution2(self.activation2(self.norm2(y)))
        return y.add_(x if self.padding is None else F.pad(x, self.padding))


class HighRes3DNet(nn.Module):
    """Li et al. 2017, cropped before the 1^3 convolutions. Its blocks normalise first, so they cannot do without."""

    border, step, planar = 18, 1, False

    def __init__(
        self, channels, classes, border=18, widths=(16, 32, 64), hidden=80, logits="bias", activation="relu",
        normalisation="batch", groups=8,
    ):  # fmt: skip
        super().__init__()
        if normalisation == "none":
            raise ValueError('HighRes3DNet takes normalisation "batch", "instance" or "group", not "none"')
        self.border = border
        style = dict(activation=activation, normalisation=normalisation, groups=groups)
        self.initial = Unit(channels, widths[0], 3, padding=1, **style)
        inputs, self.blocks = widths[0], []
        for stage, outputs in enumerate(widths):
            for _ in range(3):
                block = Block(inputs, outputs, 2**stage, **style)
                self.blocks.append(block)
                self.add_module(f"block{len(self.blocks)}", block)
                inputs = outputs
        self.hidden = Unit(inputs, hidden, 1, **style)
        self.logits = logits_unit(hidden, classes, logits)

    def forward(self, x):
        x = self.initial(x)
        for block in self.blocks:
            x = block(x)
        return self.logits(self.hidden(crop(x, self.border)))


class DeepMedic(nn.Module):
    """Kamnitsas et al. 2017. A border of more than 24 crops before the hidden layers."""

    border, step, planar = 24, 3, False

    def __init__(
        self, channels, classes, border=24, widths=(30, 30, 40, 40, 40, 40, 50, 50), hidden=150, logits="bias",
        activation="prelu", normalisation="batch", groups=8,
    ):  # fmt: skip
        super().__init__()
        self.further = border - self.border
        self.layers_of = {"fine": [], "coarse": [], "hidden": []}

        def add(path, *shape):
            unit = Unit(*shape, normalisation, groups, activation)
            self.layers_of[path].append(unit)
            self.add_module(f"{path}{len(self.layers_of[path])}", unit)

        for path in ("fine", "coarse"):
            for inputs, outputs in zip((channels, *widths), widths):
                add(path, inputs, outputs, 3)
        add("hidden", 2 * widths[-1], hidden, 1)
        add("hidden", hidden, hidden, 1)
        self.logits = logits_unit(hidden, classes, logits)

    def run(self, path, x):
        for unit in self.layers_of[path]:
            x = unit(x)
        return x

    def forward(self, x):
        fine = self.run("fine", crop(x, 16))
        coarse = self.run("coarse", x[:, :, 1::3, 1::3, 1::3])
        coarse = F.interpolate(coarse, scale_factor=3, mode="nearest")
        return self.logits(self.run("hidden", crop(torch.cat([fine, coarse], 1), self.further)))


class Level(nn.Module):
    """Twice valid 3^2 convolution, normalisation and activation; `below` are the channels that `upsample` takes."""

    def __init__(self, inputs, outputs, activation, normalisation, groups, below=None):
        super().__init__()
        if below:
            self.upsample = nn.ConvTranspose2d(below, outputs, 2, stride=2, bias=False)
        for index, channels in ((1, inputs), (2, outputs)):
            convolution = nn.Conv2d(channels, outputs, 3, bias=normalisation == "none")
            self.add_module(f"convolution{index}", convolution)
            self.add_module(f"norm{index}", normalisation_layer(normalisation, outputs, groups, planar=True))
            self.add_module(f"activation{index}", activation_layer(activation, outputs))

    def forward(self, x):
        x = self.activation1(self.norm1(self.convolution1(x)))
        return self.activation2(self.norm2(self.convolution2(x)))

    def join(self, skip, x):
        """The level of the cropped skip beside what comes from below."""
        x = self.upsample(x)
        return self(torch.cat([crop(skip, (skip.shape[-1] - x.shape[-1]) // 2), x], 1))


class UNet(nn.Module):
    """Ronneberger et al. 2015 with two poolings. A border of more than 20 crops before the logits."""

    border, step, planar = 20, 4, True

    def __init__(
        self, channels, classes, border=20, widths=(64, 128, 256), logits="bias", activation="relu",
        normalisation="batch", groups=8,
    ):  # fmt: skip
        super().__init__()
        self.further = border - self.border
        style = dict(activation=activation, normalisation=normalisation, groups=groups)
        self.pool = nn.MaxPool2d(2)
        self.down1 = Level(channels, widths[0], **style)
        self.down2 = Level(widths[0], widths[1], **style)
        self.bottom = Level(widths[1], widths[2], **style)
        self.up2 = Level(2 * widths[1], widths[1], below=widths[2], **style)
        self.up1 = Level(2 * widths[0], widths[0], below=widths[1], **style)
        self.logits = logits_unit(widths[0], classes, logits, planar=True)

    def forward(self, x):
        skip1 = self.down1(x.squeeze(2))
        skip2 = self.down2(self.pool(skip1))
        x = self.up2.join(skip2, self.bottom(self.pool(skip2)))
        x = self.up1.join(skip1, x)
        return self.logits(crop(x, self.further)).unsqueeze(2)


class TwoPathCNN(nn.Module):
    """Havaei et al. 2017 as Sudre et al. 2017 describe it; `widths` are those after maxout, its only activation.

    A border of more than 16 crops the logits' input.
    """

    border, step, planar = 16, 1, True

    def __init__(
        self, channels, classes, border=16, widths=(64, 64, 160), logits="bias", activation=None,
        normalisation="batch", groups=8,
    ):  # fmt: skip
        super().__init__()
        self.further = border - self.border

        def unit(inputs, outputs, kernel):
            return Unit(inputs, 2 * outputs, kernel, normalisation, groups, "maxout", planar=True)

        self.local1 = unit(channels, widths[0], 7)
        self.local2 = unit(widths[0], widths[1], 5)
        self.add_module("global", unit(channels, widths[2], 13))
        self.pool4, self.pool2 = nn.MaxPool2d(4, stride=1), nn.MaxPool2d(2, stride=1)
        self.logits = logits_unit(widths[1] + widths[2], classes, logits, kernel=19, planar=True)

    def forward(self, x):
        x = x.squeeze(2)
        local_path = self.pool2(self.local2(self.pool4(self.local1(x))))
        global_path = self.pool2(self.get_submodule("global")(x))
        # The global path is a voxel larger: the smaller half of it, none, goes in front.
        x = torch.cat([local_path, crop(global_path, 0, 1)], 1)
        return self.logits(crop(x, self.further)).unsqueeze(2)


NETWORKS = {"highres3dnet": HighRes3DNet, "deepmedic": DeepMedic, "unet": UNet, "twopathcnn": TwoPathCNN}


def generalised_dice_loss(logits, reference, weights="square", pooling="image"):
    """1 - 2 sum w I / sum w (V + P) after softmax; an absent class takes the largest finite weight.

    logits: [batch, classes, depth, height, width]; reference: class indices [batch, depth, height, width].
    """
    probabilities = torch.softmax(logits, dim=1)
    one_hot = F.one_hot(reference, logits.shape[1]).movedim(-1, 1).to(logits.dtype)
    axes = (2, 3, 4) if pooling == "image" else (0, 2, 3, 4)
    volume = one_hot.sum(axes)
    predicted = probabilities.sum(axes)
    intersection = (probabilities * one_hot).sum(axes)
    exponent = {"square": 2, "simple": 1, "uniform": 0}[weights]
    smallest = volume.masked_fill(volume == 0, torch.inf).amin(-1, keepdim=True)
    weight = torch.where(volume > 0, smallest / volume.clamp(min=1), 1) ** exponent
    score = 2 * (weight * intersection).sum(-1) / (weight * (volume + predicted)).sum(-1)
    return (1 - score).mean()
