#!/usr/bin/env python3
"""PyTorch's side of the training-step benchmark: a network, Generalised Dice loss, Adam, on the CPU.

The networks (HighRes3DNet with its crop before the 1^3 convolutions, DeepMedic) and the loss are those that dicerank trains; Tests/Fixtures uses
them in float64 to check dicerank. Needs the packages torch and numpy.

A driver that alternates contestants talks to it over a pipe. After the warm-up it prints the line "ready" and then
answers each line of standard input with one line of standard output:

    step      runs one training step, prints its seconds
    loss      prints the loss of the last step
    memory    prints the peak resident memory in bytes
    quit      ends (so does the end of the input)

With --steps N it asks nothing: it prints the seconds of N steps, then their median and the peak memory.

Example:
    Launch/bench_pytorch.py --patch 48 --batch 1 --channels 3 --threads 2 --precision bfloat16 --steps 5
"""

import argparse
import contextlib
import os
import resource
import statistics
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn


def activation_layer(kind, channels):
    return nn.PReLU(channels, init=0.25) if kind == "prelu" else nn.ReLU(inplace=True)


class Unit(nn.Module):
    """Convolution, then batch norm and activation where asked for."""

    def __init__(self, inputs, outputs, kernel, bias=False, norm=True, activation="relu", padding=None):
        super().__init__()
        padding = kernel // 2 if padding is None else padding
        self.convolution = nn.Conv3d(inputs, outputs, kernel, padding=padding, bias=bias)
        self.norm = nn.BatchNorm3d(outputs) if norm else nn.Identity()
        self.activation = activation_layer(activation, outputs) if activation else nn.Identity()

    def forward(self, x):
        return self.activation(self.norm(self.convolution(x)))


class Block(nn.Module):
    """Twice batch norm, activation and 3^3 convolution; the shortcut's missing channels are zeros, half in front."""

    def __init__(self, inputs, outputs, dilation, activation):
        super().__init__()
        shape = dict(kernel_size=3, padding=dilation, dilation=dilation, bias=False)
        self.norm1 = nn.BatchNorm3d(inputs)
        self.activation1 = activation_layer(activation, inputs)
        self.convolution1 = nn.Conv3d(inputs, outputs, **shape)
        self.norm2 = nn.BatchNorm3d(outputs)
        self.activation2 = activation_layer(activation, outputs)
        self.convolution2 = nn.Conv3d(outputs, outputs, **shape)
        missing = outputs - inputs
        self.padding = (0, 0, 0, 0, 0, 0, missing // 2, missing - missing // 2) if missing else None

    def forward(self, x):
        y = self.convolution1(self.activation1(self.norm1(x)))
        y = self.convolution2(self.activation2(self.norm2(y)))
        return y.add_(x if self.padding is None else F.pad(x, self.padding))


class HighRes3DNet(nn.Module):
    """Li et al. 2017. [batch, channels, depth, height, width] -> logits, smaller by `border` voxels a side."""

    def __init__(
        self, channels, classes, border=18, widths=(16, 32, 64), hidden=80, logits="bias", activation="relu"
    ):
        super().__init__()
        self.border = border
        self.initial = Unit(channels, widths[0], 3, activation=activation)
        inputs, self.blocks = widths[0], []
        for stage, outputs in enumerate(widths):
            for _ in range(3):
                block = Block(inputs, outputs, 2**stage, activation)
                self.blocks.append(block)
                self.add_module(f"block{len(self.blocks)}", block)
                inputs = outputs
        self.hidden = Unit(inputs, hidden, 1, activation=activation)
        self.logits = Unit(hidden, classes, 1, bias=logits == "bias", norm=logits == "batch_norm", activation=None)

    def forward(self, x):
        x = self.initial(x)
        for block in self.blocks:
            x = block(x)
        if self.border:
            inside = slice(self.border, -self.border)
            x = x[:, :, inside, inside, inside]
        return self.logits(self.hidden(x))


class DeepMedic(nn.Module):
    """Kamnitsas et al. 2017. [batch, channels, depth, height, width] -> logits, smaller by 24 voxels a side."""

    border = 24

    def __init__(
        self, channels, classes, border=24, widths=(30, 30, 40, 40, 40, 40, 50, 50), hidden=150, logits="bias",
        activation="prelu",
    ):  # fmt: skip
        super().__init__()
        self.layers_of = {"fine": [], "coarse": [], "hidden": []}

        def add(path, *options, **more):
            unit = Unit(*options, padding=0, activation=activation, **more)
            self.layers_of[path].append(unit)
            self.add_module(f"{path}{len(self.layers_of[path])}", unit)

        for path in ("fine", "coarse"):
            for inputs, outputs in zip((channels, *widths), widths):
                add(path, inputs, outputs, 3)
        add("hidden", 2 * widths[-1], hidden, 1)
        add("hidden", hidden, hidden, 1)
        self.logits = Unit(hidden, classes, 1, bias=logits == "bias", norm=logits == "batch_norm", activation=None)

    def run(self, path, x):
        for unit in self.layers_of[path]:
            x = unit(x)
        return x

    def forward(self, x):
        inside = slice(16, -16)
        fine = self.run("fine", x[:, :, inside, inside, inside])
        coarse = self.run("coarse", x[:, :, 1::3, 1::3, 1::3])
        coarse = F.interpolate(coarse, scale_factor=3, mode="nearest")
        return self.logits(self.run("hidden", torch.cat([fine, coarse], 1)))


NETWORKS = {"highres3dnet": HighRes3DNet, "deepmedic": DeepMedic}


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


class Contestant:
    """The network with random patches of its own: loading data is no part of the measured step."""

    def __init__(self, options):
        torch.manual_seed(1)
        self.layout = {"channels_last_3d": torch.channels_last_3d, "contiguous": torch.contiguous_format}[
            options.memory_format
        ]
        network = NETWORKS[options.network](options.channels, options.classes, options.border, logits=options.logits)
        self.network = network.to(memory_format=self.layout).train()
        self.step_network = torch.compile(self.network) if options.compile else self.network
        shape = (options.batch, options.channels, *[options.patch] * 3)
        self.images = torch.randn(shape).contiguous(memory_format=self.layout)
        effective = [options.patch - 2 * options.border] * 3
        self.reference = (torch.rand(options.batch, *effective) < 0.02).long()
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=1e-4, fused=True)
        self.bfloat16 = options.precision == "bfloat16"
        self.loss = None

    def step(self):
        """One training step; its seconds."""
        begin = time.perf_counter()
        self.optimizer.zero_grad(set_to_none=True)
        mixed = torch.autocast("cpu", dtype=torch.bfloat16) if self.bfloat16 else contextlib.nullcontext()
        with mixed:
            logits = self.step_network(self.images)
        loss = generalised_dice_loss(logits.float(), self.reference)
        loss.backward()
        self.optimizer.step()
        self.loss = loss.item()
        return time.perf_counter() - begin


def peak_bytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def serve(contestant):
    print("ready", flush=True)
    for line in sys.stdin:
        command = line.strip()
        if command == "quit":
            return
        if command == "step":
            print(f"{contestant.step():.6f}", flush=True)
        elif command == "loss":
            print(f"{contestant.loss:.9g}", flush=True)
        elif command == "memory":
            print(peak_bytes(), flush=True)
        elif command:
            sys.exit(f"bench_pytorch: unknown command {command!r}; known are step, loss, memory, quit.")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patch", type=int, default=51, help="edge of the input patch, voxels (default 51)")
    parser.add_argument("--batch", type=int, default=1, help="patches a step (default 1)")
    parser.add_argument("--channels", type=int, default=3, help="input channels (default 3)")
    parser.add_argument("--classes", type=int, default=2, help="classes with the background (default 2)")
    parser.add_argument("--network", choices=sorted(NETWORKS), default="highres3dnet")
    parser.add_argument("--border", type=int, help="voxels cropped a side (default: the network's)")
    parser.add_argument("--logits", choices=["bias", "batch_norm"], default="bias")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="default: all cores")
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--memory-format", choices=["channels_last_3d", "contiguous"], default="channels_last_3d")
    parser.add_argument("--compile", action="store_true", help="through torch.compile")
    parser.add_argument("--warmup", type=int, default=2, help="steps before the first measured one (default 2)")
    parser.add_argument("--steps", type=int, help="run so many steps and report, instead of serving a driver")
    options = parser.parse_args()
    if options.border is None:
        options.border = {"highres3dnet": 18, "deepmedic": 24}[options.network]
    if options.patch <= 2 * options.border:
        parser.error(f"--patch {options.patch} leaves nothing of a border of {options.border}")

    torch.set_num_threads(options.threads)
    torch.set_num_interop_threads(1)
    contestant = Contestant(options)
    for _ in range(options.warmup):
        contestant.step()
    if options.steps is None:
        serve(contestant)
        return
    seconds = [contestant.step() for _ in range(options.steps)]
    for value in seconds:
        print(f"{value:.6f}")
    print(f"median {statistics.median(seconds):.6f} s, peak memory {peak_bytes() / 2**20:.0f} MiB")


if __name__ == "__main__":
    main()
