#!/usr/bin/env python3
"""PyTorch's side of the training-step benchmark: a network, Generalised Dice loss, Adam, on the CPU.

The networks and the loss are those that dicerank trains (pytorch_networks.py); Tests/Fixtures uses them in float64 to
check dicerank. The two-dimensional ones take patches of one plane. Needs the packages torch and numpy.

A driver that alternates contestants talks to it over a pipe. After the warm-up it prints the line "ready" and then
answers each line of standard input with one line of standard output:

    step      runs one training step, prints its seconds
    loss      prints the loss of the last step
    memory    prints the peak resident memory in bytes
    quit      ends (so does the end of the input)

With --steps N it asks nothing: it prints the seconds of N steps, then their median and the peak memory.

Example:
    Launch/benchmark/bench_pytorch.py --patch 48 --batch 1 --channels 3 --threads 2 --precision bfloat16 --steps 5
"""

import argparse
import contextlib
import os
import resource
import statistics
import sys
import time

import torch
from pytorch_networks import NETWORKS, generalised_dice_loss

# By what the user asked for, and whether the network is planar.
LAYOUTS = {
    ("channels_last_3d", False): torch.channels_last_3d,
    ("channels_last_3d", True): torch.channels_last,
    ("contiguous", False): torch.contiguous_format,
    ("contiguous", True): torch.contiguous_format,
}


class Contestant:
    """The network with random patches of its own: loading data is no part of the measured step."""

    def __init__(self, options):
        torch.manual_seed(1)
        kind = NETWORKS[options.network]
        layout = LAYOUTS[options.memory_format, kind.planar]
        network = kind(
            options.channels, options.classes, options.border, logits=options.logits,
            normalisation=options.normalisation, groups=options.groups,
        )  # fmt: skip
        self.network = network.to(memory_format=layout).train()
        self.step_network = torch.compile(self.network) if options.compile else self.network
        axes = 2 if kind.planar else 3
        images = torch.randn(options.batch, options.channels, *[options.patch] * axes)
        labels = (torch.rand(options.batch, *[options.patch - 2 * options.border] * axes) < 0.02).long()
        self.images, self.reference = images.contiguous(memory_format=layout), labels
        if kind.planar:
            self.images, self.reference = self.images.unsqueeze(2), self.reference.unsqueeze(1)
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
    parser.add_argument("--normalisation", choices=["batch", "instance", "group", "none"], default="batch")
    parser.add_argument("--groups", type=int, default=8, help="of group normalisation (default 8)")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="default: all cores")
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument(
        "--memory-format", choices=["channels_last_3d", "contiguous"], default="channels_last_3d",
        help="channels_last_3d is channels_last where the network is planar",
    )  # fmt: skip
    parser.add_argument("--compile", action="store_true", help="through torch.compile")
    parser.add_argument("--warmup", type=int, default=2, help="steps before the first measured one (default 2)")
    parser.add_argument("--steps", type=int, help="run so many steps and report, instead of serving a driver")
    options = parser.parse_args()
    network = NETWORKS[options.network]
    if options.border is None:
        options.border = network.border
    if options.patch <= 2 * options.border:
        parser.error(f"--patch {options.patch} leaves nothing of a border of {options.border}")
    if options.patch % network.step:
        parser.error(f"--patch {options.patch} is no multiple of {network.step}, as {options.network} needs")

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
