#!/usr/bin/env python3
"""Whether networks learn as well with less precision: those of examples S8, S11, S15 and S16, or close to them, trained
by `tenon train` with --precision f32, f32-fast and bf16 from several seeds; prints the test accuracy, its mean and its
standard deviation over the seeds, of each.

usage: precision.py [--tenon TENON] [--mnist FOLDER] [--device NAME] [--seeds N] [--threads N] [--networks NAME...]
                    [--precisions LEVEL...]"""
import argparse
import os
import statistics
import struct
import sys
import tempfile
import zipfile

import contest
from jobs import LENET, RESNET20

HERE = os.path.dirname(os.path.abspath(__file__))
PROJECT = os.path.join(HERE, "..")
STEPS, APART = 64, 10  # bytes that the transformer reads, and from one sample to the next
TEXTS = ("README.md", "docs/architecture.md", "docs/backend.md", "docs/command.md", "CONTRIBUTING.md")
PRECISIONS = ("f32", "f32-fast", "bf16")
TRANSFORMER = "embedding 256 64, position, transformer 4 causal 1, transformer 4 causal 1, layer_norm, last, linear"


def networks(mnist, text, classes):
    """name -> options of `tenon train`."""
    return {
        "S8": ["--data", mnist or "digits:20000", "--net", "linear 100, relu, linear 40, relu, linear 10", "--lr", "0.003",
               "--epochs", "8", "--schedule", "cosine 7500"],
        "S11": ["--data", mnist or "digits:12000", "--limit", "12000", "--net", LENET, "--lr", "0.001", "--epochs", "3"],
        "S15": ["--data", mnist or "digits:4000", "--limit", "4000", "--net", RESNET20, "--optimizer", "momentum", "--lr",
                "0.05", "--weight-decay", "1e-4", "--batch", "32", "--epochs", "3", "--schedule", "warmup 60, cosine 390"],
        "S16": ["--data", text, "--net", f"{TRANSFORMER} {classes}", "--optimizer", "adamw", "--lr", "0.003",
                "--clip-norm", "1", "--batch", "32", "--epochs", "3"],
    }


def array(shape, numbers):
    """A .npy file of bytes."""
    head = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}"
    head += " " * (63 - (len(head) + 10) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + bytes(numbers)


def write_text(path):
    """Some runs of 64 bytes of the project's own pages, and which byte comes next; returns how many that may be."""
    text = bytearray()
    for name in TEXTS:
        with open(os.path.join(PROJECT, name), "rb") as file:
            text += file.read()
    starts = range(0, len(text) - STEPS - 1, APART)
    rows, following = bytearray(), bytearray()
    for at in starts:
        rows += text[at:at + STEPS]
        following.append(text[at + STEPS])
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("x.npy", array((len(starts), STEPS), rows))
        file.writestr("y.npy", array((len(starts),), following))
    return max(following) + 1


def accuracies(o, options):
    """Of the test samples, for each seed: percent."""
    found = []
    for seed in range(1, o.seeds + 1):
        answer = contest.run_json([o.tenon, "train", "--device", o.device, *options, "--seed", str(seed), "--json"],
                                  contest.environment(o.threads))
        if answer is None:
            return []
        found.append(100 * answer["test_accuracy"])
    return found


def main():
    arguments = argparse.ArgumentParser(description=__doc__.partition("usage:")[0])
    arguments.add_argument("--tenon", default=os.path.join(PROJECT, "build/release/bin/tenon"))
    arguments.add_argument("--mnist", default=os.environ.get("TENON_MNIST"), help="its folder; else drawn digits")
    arguments.add_argument("--device", default="cpu")
    arguments.add_argument("--seeds", type=int, default=5)
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--networks", nargs="+", default=["S8", "S11", "S15", "S16"])
    arguments.add_argument("--precisions", nargs="+", default=list(PRECISIONS), choices=PRECISIONS)
    o = arguments.parse_args()
    print("| network | precision | test accuracy, mean | standard deviation | each seed |\n| --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        text = os.path.join(folder, "text.npz")
        known = networks(o.mnist, text, write_text(text))
        for name in o.networks:
            for precision in o.precisions:
                all_seeds = accuracies(o, [*known[name], "--precision", precision])
                if all_seeds:
                    print(f"| {name} | {precision} | {statistics.mean(all_seeds):.2f} % | "
                          f"{statistics.pstdev(all_seeds):.2f} | {', '.join(f'{a:.2f}' for a in all_seeds)} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
