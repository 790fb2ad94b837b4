#!/usr/bin/env python3
"""Training speed: `tenon bench train` on each device against PyTorch, in alternating rounds; prints a Markdown table of
medians, their spread, and the ratio to PyTorch's best mode. See README.md beside this file."""
import argparse
import os
import sys

import contest

HERE = os.path.dirname(os.path.abspath(__file__))
PYTHON = os.path.join(HERE, "../build/python/bin/python")
SIGMOID = "linear 100, sigmoid, linear 40, sigmoid, linear 10"
RELU = "linear 512, relu, linear 512, relu, linear 10"
LENET = "conv 32 5x5, relu, maxpool 2, conv 64 5x5, relu, maxpool 2, flatten, linear 512, relu, linear 10"
JOBS = {  # name: net, optimizer, batch, shape of a sample, samples in an epoch
    "a32": (SIGMOID, "sgd", 32, "1x28x28", 12800),
    "a128": (SIGMOID, "sgd", 128, "1x28x28", 12800),
    "b128": (RELU, "adam", 128, "1x28x28", 12800),
    "lenet64": (LENET, "adam", 64, "1x28x28", 12800),
    "resnet20": ("resnet20", "momentum", 64, "3x32x32", 256),
}


MODES = ["eager", "foreach", "fused", "fused+compile", "fused+medium", "fused+bf16"]
PICTURES = ["fused", "fused+last", "fused+last+compile", "fused+last+medium", "fused+last+bf16"]  # with convolutions


def is_f32(name):
    return "medium" not in name and "bf16" not in name


def contestants(o, net, optimizer, batch, shape, samples):
    """Name -> command, Tenon's devices first."""
    modes = o.modes or (PICTURES if net == "resnet20" or "conv" in net else MODES)
    same = ["--net", net, "--optimizer", optimizer, "--batch", str(batch), "--shape", shape]
    found = {}
    for device in o.devices:
        found[device] = [o.tenon, "bench", "train", *same, "--device", device, "--json", "--samples", str(samples),
                         "--repeats", str(o.repeats)]
    for mode in modes:
        found[f"PyTorch {mode}"] = [o.python, os.path.join(HERE, "torch_train.py"), *same, "--mode", mode, "--threads",
                                    str(o.threads), "--device", o.torch_device, "--seconds", "0.5"]
    return found


def report(job, figures):
    medians = contest.medians(figures)
    torch = {name: value for name, value in medians.items() if name.startswith("PyTorch")}
    f32 = [value for name, value in torch.items() if is_f32(name)]
    for name, values in figures.items():
        against = [f"{medians[name] / max(peers):.2f}" if peers else "–" for peers in (f32, torch.values())]
        against.append(f"{medians[name] / medians['cpu']:.2f}" if "cpu" in medians else "–")
        print(f"| {job} | {name} | {'f32' if is_f32(name) else 'bf16'} | {medians[name]:,.0f} | "
              f"{values[0]:,.0f} to {values[-1]:,.0f} | {' | '.join(against)} |", flush=True)


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--tenon", default=os.path.join(HERE, "../build/release/bin/tenon"))
    arguments.add_argument("--python", default=PYTHON if os.path.exists(PYTHON) else sys.executable,
                           help="a Python that has PyTorch (the one that setup.sh made)")
    arguments.add_argument("--devices", nargs="+", default=["cpu", "opencl:0"])
    arguments.add_argument("--modes", nargs="*", help="of torch_train.py, instead of all that may be its best")
    arguments.add_argument("--torch-device", default="cpu")
    arguments.add_argument("--jobs", nargs="+", default=list(JOBS), choices=JOBS)
    arguments.add_argument("--rounds", type=int, default=7)
    arguments.add_argument("--repeats", type=int, default=7, help="epochs that Tenon measures in a round")
    arguments.add_argument("--threads", type=int, default=2)
    o = arguments.parse_args()
    print("| job | who | products | samples/s, median | lowest to highest | to PyTorch's best in f32 | to its best | "
          "to our cpu |\n| --- | --- | --- | --- | --- | --- | --- | --- |", flush=True)
    for job in o.jobs:
        figures = contest.rounds(contestants(o, *JOBS[job]), o.rounds, contest.environment(o.threads),
                                 "samples_per_s")
        report(job, figures)
    for job in o.jobs:
        print(f"\n{job}: {JOBS[job][0]}; {JOBS[job][1]}, batch {JOBS[job][2]}, {JOBS[job][3]}", end="")
    print(f"\n{o.rounds} rounds, {o.threads} threads")
    return 0


if __name__ == "__main__":
    sys.exit(main())
