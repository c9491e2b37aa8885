#!/usr/bin/env python3
"""Times the training step of a network against PyTorch on this machine's cores.

Every contestant is a process that runs a step when asked; they take turns of a second in one run, so that a machine
whose clock drifts is the same for all. PyTorch runs in both of its memory formats and counts with the faster one.
Medians are printed, and each contestant's time over dicerank's. Without cases three of HighRes3DNet run: 48x1, 51x5
and 85x1. The patch is a cube, or a square of one plane where the network is two-dimensional.

With --ranks it compares dicerank with itself instead: one rank with all threads against a rank a thread under mpirun,
on a batch of two patches a rank, of the first case's edge.

A contestant that does not answer within --limit seconds leaves the race, which says so: without AVX-512 or AMX
PyTorch's bfloat16 takes more than 100 s a step.

Installs PyTorch into a folder of its own (.build-bench) and builds dicerank in release.

Examples:
    Launch/bench
    Launch/bench --case 48x1 --rounds 7 --bfloat16
    Launch/bench --network deepmedic --case 51x5 --case 87x1
    Launch/bench --network unet --case 56x5 --case 88x1
    Launch/bench --ranks
"""

import argparse
import os
import select
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
ENVIRONMENT = ROOT / ".build-bench"
PACKAGES = ["torch==2.15.0", "numpy==2.4.6"]

# The smallest patch edge, what edges are a multiple of, and the axes of a patch.
NETWORKS = {"highres3dnet": (37, 1, 3), "deepmedic": (51, 3, 3), "unet": (44, 4, 2), "twopathcnn": (33, 1, 2)}


class Contestant:
    """A process that answers "step" with its seconds and "memory" with its peak in bytes."""

    def __init__(self, name, command, limit):
        self.name, self.limit, self.seconds, self.memory = name, limit, [], None
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        answer = self.answer()
        if answer is not None and answer != "ready":
            sys.exit(f"error: {name} did not start: {' '.join(map(str, command))}")

    @property
    def is_late(self):
        return self.process is None

    def answer(self):
        """The next line; None where it does not come in time."""
        ready, _, _ = select.select([self.process.stdout], [], [], self.limit)
        if not ready:
            self.process.kill()
            self.process.wait()
            self.process = None
            return None
        return self.process.stdout.readline().decode().strip()

    def ask(self, what):
        if self.is_late:
            return None
        self.process.stdin.write((what + "\n").encode())
        answer = self.answer()
        if answer == "":
            sys.exit(f"error: {self.name} ended before it answered '{what}'.")
        return None if answer is None else float(answer)

    def turn(self, least):
        """Steps for at least so many seconds, one at least: as in training, one finds the caches as the last left them."""
        spent = 0
        while spent == 0 or spent < least:
            seconds = self.ask("step")
            if seconds is None:
                return
            self.seconds.append(seconds)
            spent += seconds

    def close(self):
        if not self.is_late:
            self.memory = self.ask("memory")
            self.process.stdin.close()
            self.process.wait()


def prepare(options):
    python = ENVIRONMENT / "bin" / "python"
    if not options.ranks and not python.exists():
        print("Installing PyTorch into .build-bench (once).", flush=True)
        subprocess.run([sys.executable, "-m", "venv", ENVIRONMENT], check=True)
        subprocess.run([ENVIRONMENT / "bin" / "pip", "install", "--quiet", *PACKAGES], check=True)
    print("Building dicerank.", flush=True)
    subprocess.run([ROOT / "Launch" / "setup"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["swift", "build", "-c", "release", "--product", "dicerank", "--quiet"], check=True, cwd=ROOT)
    return python, ROOT / ".build" / "release" / "dicerank"


def geometry(patch, batch, options):
    axes = NETWORKS[options.network][2]
    return f"{options.network}, patch {patch}^{axes}, batch {batch}, {options.channels} channels"


def step_command(dicerank, patch, batch, threads, options):
    size = f"[1,{patch},{patch}]" if NETWORKS[options.network][2] == 2 else patch
    return [dicerank, "bench", "step", ROOT / "Configs" / "wmh_highres3dnet_paper.yaml", "--interactive", "--quiet",
            "--channels", options.channels, "--set", f"patch.size={size}", "--set", f"batch={batch}",
            "--set", f"threads={threads}", "--set", f"network.name={options.network}"]


def against_pytorch(python, dicerank, patch, batch, options):
    torch = [python, HERE / "bench_pytorch.py", "--patch", patch, "--batch", batch,
             "--channels", options.channels, "--threads", options.threads, "--warmup", 1,
             "--network", options.network]
    commands = {"dicerank float32": step_command(dicerank, patch, batch, options.threads, options)}
    for precision in ["float32"] + (["bfloat16"] if options.bfloat16 else []):
        for form in ["channels_last_3d", "contiguous"]:
            commands[f"PyTorch {precision} {form}"] = torch + ["--precision", precision, "--memory-format", form]
    return commands


def race(title, commands, options):
    print("\n" + title, flush=True)
    field = [Contestant(name, [str(word) for word in command], options.limit) for name, command in commands.items()]
    for _ in range(options.rounds):
        for contestant in field:
            contestant.turn(options.turn)
    for contestant in field:
        contestant.close()
    ours = statistics.median(field[0].seconds)
    print(f"{'':34} {'median':>9} {'fastest':>9} {'peak':>9} {'ratio':>8}")
    for contestant in field:
        if contestant.is_late:
            print(f"{contestant.name:34} left: no answer within {options.limit:.0f} s, "
                  f"more than {options.limit / ours:.0f}x", flush=True)
            continue
        median = statistics.median(contestant.seconds)
        print(f"{contestant.name:34} {median:7.3f} s {min(contestant.seconds):7.3f} s "
              f"{contestant.memory / 2**20:5.0f} MiB {median / ours:7.2f}x", flush=True)


def race_ranks(dicerank, patch, options):
    """Whole runs take turns here: an idle rank of MPI spins, which would slow the contestant whose turn it is."""
    batch = 2 * options.threads
    launch = ["mpirun", "-np", options.threads, "--bind-to", "none"]
    if os.geteuid() == 0:
        launch.append("--allow-run-as-root")
    one = step_command(dicerank, patch, batch, options.threads, options)
    many = launch + step_command(dicerank, patch, batch, 1, options)
    field = {f"1 rank, {options.threads} threads": one, f"{options.threads} ranks, 1 thread": many}
    print("\n" + geometry(patch, batch, options), flush=True)
    seconds = {name: [] for name in field}
    for _ in range(options.rounds):
        for name, command in field.items():
            words = [str(word) for word in command if word != "--interactive"] + ["--steps", "2"]
            seconds[name] += map(float, subprocess.run(words, check=True, stdout=subprocess.PIPE).stdout.split())
    ours = statistics.median(seconds[next(iter(field))])
    for name, values in seconds.items():
        median = statistics.median(values)
        print(f"{name:34} {median:7.3f} s {min(values):7.3f} s {median / ours:7.2f}x", flush=True)


def parse_cases(parser, options):
    """(patch, batch) of each case."""
    if not options.case and options.network != "highres3dnet":
        parser.error(f"the default cases are those of highres3dnet; {options.network} needs --case")
    cases = []
    for text in options.case or ["48x1", "51x5", "85x1"]:
        words = text.split("x")
        if len(words) != 2 or not all(word.isdecimal() and int(word) > 0 for word in words):
            parser.error(f"--case {text}: expected PATCHxBATCH, for example 48x1")
        patch, batch = map(int, words)
        smallest, step, _ = NETWORKS[options.network]
        if patch < smallest or patch % step:
            multiple = f", a multiple of {step}" if step > 1 else ""
            parser.error(f"--case {text}: {options.network} takes patches of {smallest} or more voxels{multiple}")
        cases.append((patch, batch))
    return cases


def main():
    parser = argparse.ArgumentParser(
        prog="Launch/bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", action="append", metavar="PATCHxBATCH", help="default: 48x1, 51x5 and 85x1")
    parser.add_argument("--network", choices=NETWORKS, default="highres3dnet", help="default: highres3dnet")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each contestant (default 5)")
    parser.add_argument("--turn", type=float, default=1, metavar="SECONDS",
                        help="a turn is as many steps as that takes, one at least (default 1)")
    parser.add_argument("--channels", type=int, default=3, help="input channels (default 3)")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="default: all cores")
    parser.add_argument("--bfloat16", action="store_true", help="PyTorch's bfloat16 autocast too")
    parser.add_argument("--ranks", action="store_true", help="one rank with all threads against a rank a thread")
    parser.add_argument("--limit", type=float, default=300, metavar="SECONDS", help="for an answer (default 300)")
    options = parser.parse_args()
    cases = parse_cases(parser, options)
    python, dicerank = prepare(options)
    if options.ranks:
        race_ranks(dicerank, cases[0][0] if options.case else 51, options)
        return
    for patch, batch in cases:
        race(f"{geometry(patch, batch, options)}, {options.threads} threads",
             against_pytorch(python, dicerank, patch, batch, options), options)


if __name__ == "__main__":
    main()
