#!/usr/bin/env python3
"""Trains a network with PyTorch on noise and prints samples a second, as one JSON line.

The counterpart of `tenon bench train`: the same words for the net, the optimizer and the batch. Data are ready-made f32
tensors on the device, taken in contiguous slices without shuffling: that is the least work that PyTorch can have.
A mode is words with + between: how the optimizer updates (eager: tensor by tensor; foreach: in groups; fused: by one
kernel, where this PyTorch has it for the device), and any of last (channels last in memory, for convolutions), trace
and compile (the network through torch.jit.trace or torch.compile), medium (products of f32 by way of bf16) and bf16
(autocast).
"""
import argparse
import json
import statistics
import sys
import time

import torch

ACTIVATIONS = {"sigmoid": torch.nn.Sigmoid, "relu": torch.nn.ReLU, "tanh": torch.nn.Tanh}
OPTIMIZERS = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam,
              "momentum": lambda *a, **k: torch.optim.SGD(*a, momentum=0.9, **k)}
SAMPLES, FEATURES, CLASSES = 12800, 784, 10


class Block(torch.nn.Module):
    """A residual block with a shortcut of kind A: every second pixel, and channels of zeros on either side."""

    def __init__(self, channels, filters, stride):
        super().__init__()
        self.stride, self.more = stride, (filters - channels) // 2
        self.branch = torch.nn.Sequential(
            torch.nn.Conv2d(channels, filters, 3, stride, 1, bias=False), torch.nn.BatchNorm2d(filters), torch.nn.ReLU(),
            torch.nn.Conv2d(filters, filters, 3, 1, 1, bias=False), torch.nn.BatchNorm2d(filters))

    def forward(self, x):
        y = self.branch(x)
        if self.more:
            x = torch.nn.functional.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.more, self.more))
        return torch.relu(y + x)


def build_resnet20(channels):
    """He, Zhang, Ren and Sun, 2016: three times three blocks."""
    layers = [torch.nn.Conv2d(channels, 16, 3, 1, 1, bias=False), torch.nn.BatchNorm2d(16), torch.nn.ReLU()]
    for filters in (16, 32, 64):
        for number in range(3):
            first = number == 0 and filters > 16
            layers.append(Block(filters // 2 if first else filters, filters, 2 if first else 1))
    return torch.nn.Sequential(*layers, torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(64, CLASSES))


def build(net):
    """The layers of `tenon train --net` that the jobs use. Convolutions take pictures of one channel."""
    layers, width, side = [], FEATURES, 28
    for word in (part.split() for part in net.split(",")):
        if word[0] == "linear":
            layers.append(torch.nn.Linear(width, int(word[1])))
            width = int(word[1])
        elif word[0] == "conv":
            size = int(word[2].split("x")[0])
            layers.append(torch.nn.Conv2d(1 if side == 28 else width, int(word[1]), size))
            width, side = int(word[1]), side - size + 1
        elif word[0] == "maxpool":
            layers.append(torch.nn.MaxPool2d(int(word[1])))
            side //= int(word[1])
        elif word[0] == "flatten":
            layers.append(torch.nn.Flatten())
            width *= side * side
        else:
            layers.append(ACTIVATIONS[word[0]]())
    return torch.nn.Sequential(*layers)


UPDATES = {"eager": {"foreach": False}, "foreach": {"foreach": True}, "fused": {"fused": True}}
WORDS = [*UPDATES, "last", "trace", "compile", "medium", "bf16"]


def make_optimizer(name, parameters, lr, words):
    flags = next((flags for word, flags in UPDATES.items() if word in words), UPDATES["foreach"])
    return OPTIMIZERS[name](parameters, lr=lr, **flags)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--net", default="linear 100, sigmoid, linear 40, sigmoid, linear 10")
    arguments.add_argument("--optimizer", default="sgd", choices=OPTIMIZERS)
    arguments.add_argument("--lr", type=float, default=0.01)
    arguments.add_argument("--batch", type=int, default=128)
    arguments.add_argument("--shape", default="1x28x28", help="channels, rows and columns of a sample")
    arguments.add_argument("--mode", default="eager", help="+".join(WORDS) + ", of these")
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--device", default="cpu", help="a PyTorch device: cpu, cuda")
    arguments.add_argument("--seconds", type=float, default=1, help="that one repeat takes")
    arguments.add_argument("--repeats", type=int, default=3, help="of which the median counts")
    o = arguments.parse_args()
    words = o.mode.split("+")
    if set(words) - set(WORDS):
        arguments.error(f"--mode {o.mode}: words are {', '.join(WORDS)}")

    torch.set_num_threads(o.threads)
    torch.manual_seed(1)
    if "medium" in words:
        torch.set_float32_matmul_precision("medium")
    pictures = o.net == "resnet20" or o.net.startswith("conv")
    shape = [int(size) for size in o.shape.split("x")]
    x = torch.rand((SAMPLES, *shape) if pictures else (SAMPLES, FEATURES), device=o.device)
    label = torch.randint(0, CLASSES, (SAMPLES,), device=o.device)
    model = (build_resnet20(shape[0]) if o.net == "resnet20" else build(o.net)).to(o.device)
    if "last" in words and pictures:
        model, x = model.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
    loss_of = torch.nn.CrossEntropyLoss()
    try:
        optimizer = make_optimizer(o.optimizer, model.parameters(), o.lr, words)
        if "trace" in words:
            model = torch.jit.trace(model, x[: o.batch])
        if "compile" in words:
            model = torch.compile(model)
    except (TypeError, RuntimeError) as error:
        print(f"torch_train: mode {o.mode}: {error}", file=sys.stderr)
        return 3

    def train(seconds):
        """Steps for so long; samples a second."""
        done, begun = 0, time.perf_counter()
        while time.perf_counter() - begun < seconds:
            start = done % (SAMPLES - o.batch + 1) // o.batch * o.batch
            optimizer.zero_grad(set_to_none=True)
            with torch.autocast(o.device.split(":")[0], torch.bfloat16, enabled="bf16" in words):
                loss = loss_of(model(x[start : start + o.batch]), label[start : start + o.batch])
            loss.backward()
            optimizer.step()
            done += o.batch
            if done % SAMPLES < o.batch:
                loss.item()  # waits once an epoch, as Tenon does when it reads its sums
        loss.item()
        return done / (time.perf_counter() - begun)

    train(o.seconds / 2)
    rates = sorted(train(o.seconds) for _ in range(o.repeats))
    print(json.dumps({"torch": torch.__version__, "mode": o.mode, "device": o.device, "threads": o.threads,
                      "samples_per_s": statistics.median(rates), "slowest": rates[0], "fastest": rates[-1]}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
