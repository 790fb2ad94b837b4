#!/usr/bin/env python3
"""Trains a network with PyTorch on noise, or uses it, and prints samples a second, as one JSON line.

The counterpart of `tenon bench train` and `tenon bench infer`: the same words for the net, the optimizer and the batch.
Data are ready-made tensors on the device, taken in contiguous slices without shuffling: that is the least work that
PyTorch can have. A mode is words with + between: how the optimizer updates (eager: tensor by tensor; foreach: in
groups; fused: by one kernel, where this PyTorch has it for the device), and any of last (channels last in memory, for
convolutions), trace and compile (the network through torch.jit.trace or torch.compile), medium (products of f32 by way
of bf16), tf32 (by way of that, on NVIDIA's cards; else they are not), bf16 (autocast) and graph (a step recorded once,
as CUDA's graph). With --infer the words for the optimizer mean nothing, and graph is not for it.
"""
import argparse
import json
import statistics
import sys
import time

import torch

import jobs
import torch_net

OPTIMIZERS = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW,
              "momentum": lambda *a, **k: torch.optim.SGD(*a, momentum=0.9, **k)}
UPDATES = {"eager": {"foreach": False}, "foreach": {"foreach": True}, "fused": {"fused": True}}
WORDS = [*UPDATES, "last", "trace", "compile", "medium", "tf32", "bf16", "graph"]


def read_arguments():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    jobs.add_arguments(arguments)
    arguments.add_argument("--mode", default="eager", help="+".join(WORDS) + ", of these")
    arguments.add_argument("--device", default="cpu", help="a PyTorch device: cpu, cuda")
    o = arguments.parse_args()
    o.words = o.mode.split("+")
    if set(o.words) - set(WORDS):
        arguments.error(f"--mode {o.mode}: words are {', '.join(WORDS)}")
    return o


def make_data(o):
    """Samples, and their targets as the loss takes them."""
    shape, vocabulary, count = jobs.sample_shape(o.net, o.shape), jobs.tokens(o.net), jobs.count(o.net, o.batch)
    if vocabulary:
        x = torch.randint(0, vocabulary, (count, *shape))
        return x, torch.randint(0, vocabulary, (count, *shape))
    x = torch.rand((count, *shape))
    if "last" in o.words and jobs.kind(o.net) == "picture":
        x = x.to(memory_format=torch.channels_last)
    if o.loss == "binary_cross_entropy":
        return x, torch.randint(0, 2, (count, 1)).float()
    return x, torch.randint(0, o.classes, (count,))


def make_model(o, x):
    model = torch_net.build(o.net, x.shape[1:]).to(o.device)
    if "last" in o.words and jobs.kind(o.net) == "picture":
        model = model.to(memory_format=torch.channels_last)
    if o.infer:
        model = model.eval()
    return model


def make_optimizer(o, model):
    flags = next((flags for word, flags in UPDATES.items() if word in o.words), UPDATES["foreach"])
    if "graph" in o.words and o.optimizer.startswith("adam"):
        flags = {**flags, "capturable": True}
    return OPTIMIZERS[o.optimizer](model.parameters(), lr=o.lr, **flags)


def quicker(o, model, x):
    """The network through what compiles it, where the mode says so."""
    if "trace" in o.words:
        model = torch.jit.trace(model, x[: o.batch])
    return torch.compile(model) if "compile" in o.words else model


def autocast(o):
    return torch.autocast(o.device.split(":")[0], torch.bfloat16, enabled="bf16" in o.words)


def trainer(o, model, optimizer, x, target):
    """A function that trains on the batch from some sample on, and gives its loss."""
    loss_of = torch.nn.BCEWithLogitsLoss() if o.loss == "binary_cross_entropy" else torch.nn.CrossEntropyLoss()

    def step(start):
        optimizer.zero_grad(set_to_none=True)
        with autocast(o):
            y, want = model(x[start : start + o.batch]), target[start : start + o.batch]
            loss = loss_of(y.flatten(0, -2), want.flatten()) if jobs.tokens(o.net) else loss_of(y, want)
        loss.backward()
        if o.clip_norm:
            torch.nn.utils.clip_grad_norm_(model.parameters(), o.clip_norm)
        optimizer.step()
        return loss

    return step


def recorded(o, model, optimizer, x, target):
    """The same by CUDA's graph of one step, on copies of the batch."""
    held = [data[: o.batch].clone() for data in (x, target)]
    step, beside = trainer(o, model, optimizer, *held), torch.cuda.Stream()
    beside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(beside):
        for _ in range(3):
            step(0)
    torch.cuda.current_stream().wait_stream(beside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        loss = step(0)

    def replay(start):
        for to, data in zip(held, (x, target)):
            to.copy_(data[start : start + o.batch])
        graph.replay()
        return loss

    return replay


def user(o, model, x):
    def step(start):
        with torch.inference_mode(), autocast(o):
            return model(x[start : start + o.batch]).float().cpu()

    return step


def run(o, step, samples, seconds):
    """Steps for so long; samples a second."""
    done, begun = 0, time.perf_counter()
    while time.perf_counter() - begun < seconds:
        result = step(done % samples)
        done += o.batch
        if done % samples == 0:
            result.flatten()[0].item()  # waits once an epoch, as Tenon does when it reads its sums
    result.flatten()[0].item()
    return done / (time.perf_counter() - begun)


def set_precision(o):
    if "medium" in o.words:
        torch.set_float32_matmul_precision("medium")
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = "tf32" in o.words


def stepper(o, x, target):
    """A step of training, or of use, by a network of its own."""
    model = make_model(o, x)
    optimizer = None if o.infer else make_optimizer(o, model)
    model = quicker(o, model, x)
    if o.infer:
        return user(o, model, x)
    return (recorded if "graph" in o.words else trainer)(o, model, optimizer, x, target)


def main():
    o = read_arguments()
    torch.set_num_threads(o.threads)
    torch.manual_seed(1)
    set_precision(o)
    x, target = (data.to(o.device) for data in make_data(o))
    try:
        step = stepper(o, x, target)
    except (TypeError, RuntimeError) as error:
        print(f"torch_train: mode {o.mode}: {error}", file=sys.stderr)
        return 3
    run(o, step, len(x), o.seconds / 2)
    rates = sorted(run(o, step, len(x), o.seconds) for _ in range(o.repeats))
    print(json.dumps({"version": torch.__version__, "mode": o.mode, "device": o.device, "threads": o.threads,
                      "samples_per_s": statistics.median(rates), "slowest": rates[0], "fastest": rates[-1]}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
