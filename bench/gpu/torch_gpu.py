#!/usr/bin/env python3
"""PyTorch on the device that stands beside ours: products and jobs in each of its modes, all in one process, as JSON
lines. What fails in a mode is a line that says so, and the rest goes on.

usage: torch_gpu.py [--device cuda] [--sizes N...] [--jobs JOB...] [--seconds S]"""
import argparse
import json
import os
import statistics
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))
import torch

import torch_train
from jobs import JOBS, kind

MODES = ["foreach", "fused", "fused+tf32", "fused+bf16", "fused+graph", "fused+tf32+graph", "fused+bf16+graph"]
PRODUCTS = {"f32": (torch.float32, False), "tf32": (torch.float32, True), "bf16": (torch.bfloat16, True),
            "f16": (torch.float16, True)}


def say(**what):
    print(json.dumps(what), flush=True)


def wait(device):
    if device.startswith("cuda"):
        torch.cuda.synchronize()


def product(device, size, name, seconds):
    """Seconds of one product of squares: the median of pieces."""
    dtype, tf32 = PRODUCTS[name]
    torch.backends.cuda.matmul.allow_tf32 = tf32
    a, b = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
    out, times, pieces = torch.empty(size, size, device=device, dtype=dtype), 1, []
    while True:
        wait(device)
        begun = time.perf_counter()
        for _ in range(times):
            torch.matmul(a, b, out=out)
        wait(device)
        spent = time.perf_counter() - begun
        if spent < seconds / 5 and not pieces:
            times *= 2
            continue
        pieces.append(spent / times)
        if len(pieces) == 5:
            return statistics.median(pieces)


def arguments_of(job, mode, o):
    """What torch_train.py would be told."""
    more = dict(zip(job.more[::2], job.more[1::2]))
    return argparse.Namespace(net=job.net, optimizer=job.optimizer, lr=0.01, batch=job.batch, shape=job.shape,
                              loss=more.get("--loss", "cross_entropy"), classes=int(more.get("--classes", 10)),
                              clip_norm=float(more["--clip-norm"]) if "--clip-norm" in more else None, infer=False,
                              threads=o.threads, seconds=o.seconds, repeats=3, mode=mode, words=mode.split("+"),
                              device=o.device)


def modes(job, device):
    """Pictures lie with their channels last, too; what is CUDA's alone is left out elsewhere."""
    fit = MODES if device.startswith("cuda") else [m for m in MODES if not {"graph", "tf32"} & set(m.split("+"))]
    return fit + ([m.replace("fused", "fused+last") for m in fit if "fused" in m] if kind(job.net) == "picture" else [])


def train(job, mode, o):
    """Samples a second, the median of three."""
    how = arguments_of(job, mode, o)
    torch.manual_seed(1)
    torch_train.set_precision(how)
    x, target = (data.to(o.device) for data in torch_train.make_data(how))
    step = torch_train.stepper(how, x, target)
    torch_train.run(how, step, len(x), how.seconds / 2)
    return statistics.median(torch_train.run(how, step, len(x), how.seconds) for _ in range(how.repeats))


def each(what, names, measure):
    for name in names:
        try:
            say(**what(name), **measure(name))
        except Exception as error:  # whatever PyTorch raises is its answer
            say(**what(name), error=str(error).splitlines()[0][:200] if str(error) else type(error).__name__)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    arguments.add_argument("--sizes", nargs="*", type=int, default=[512, 1024, 2048, 4096, 8192])
    arguments.add_argument("--jobs", nargs="*", default=list(JOBS), choices=JOBS)
    arguments.add_argument("--seconds", type=float, default=0.25)
    arguments.add_argument("--threads", type=int, default=os.cpu_count())
    o = arguments.parse_args()
    torch.set_num_threads(o.threads)
    name = torch.cuda.get_device_name(0) if o.device.startswith("cuda") else "the processor"
    say(version=torch.__version__, device=name)
    for size in o.sizes:
        each(lambda mode: {"product": size, "mode": mode}, PRODUCTS,
             lambda mode: {"seconds": product(o.device, size, mode, o.seconds)})
    for job in o.jobs:
        each(lambda mode: {"job": job, "mode": mode}, modes(JOBS[job], o.device),
             lambda mode: {"samples_per_s": train(JOBS[job], mode, o)})
    return 0


if __name__ == "__main__":
    sys.exit(main())
