#!/usr/bin/env python3
"""Trains a network with JAX on noise, or uses it, and prints samples a second, as one JSON line: the counterpart of
torch_train.py, for rows of numbers and for tokens.

A mode is words with + between: jit (a step is compiled as a whole), scan (so is an epoch, which is then one call), and
medium (products of f32 by way of bf16, where XLA has them).
"""
import argparse
import json
import os
import statistics
import sys
import time

import jobs

WORDS = ["jit", "scan", "medium"]
ACTIVATIONS = ("sigmoid", "tanh", "relu")


def read_arguments():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    jobs.add_arguments(arguments)
    arguments.add_argument("--mode", default="jit", help="+".join(WORDS) + ", of these")
    o = arguments.parse_args()
    o.words = o.mode.split("+")
    if set(o.words) - set(WORDS):
        arguments.error(f"--mode {o.mode}: words are {', '.join(WORDS)}")
    return o


options = read_arguments()
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.threads])  # XLA makes a thread for each
import jax  # noqa: E402  after its processors are known
import jax.numpy as jnp  # noqa: E402
import numpy  # noqa: E402


# ---- networks: a list of parameters for each layer, and a function of them ----

def dense(random, inputs, outputs):
    return {"w": random.normal(0, inputs**-0.5, (inputs, outputs)), "b": numpy.zeros(outputs)}


def scaled(width):
    return {"w": numpy.ones(width), "b": numpy.zeros(width)}


def parameters(random, words, shape):
    """Of one layer behind what has that shape; and the shape behind it."""
    name, width = words[0], shape[-1]
    if name in ("linear", "project"):
        return dense(random, width, int(words[1])), (*shape[:-1], int(words[1]))
    if name == "embedding":
        return {"w": random.normal(0, 1, (int(words[1]), int(words[2])))}, (*shape, int(words[2]))
    if name == "position":
        return {"w": random.normal(0, 0.02, shape)}, shape
    if name == "layer_norm":
        return scaled(width), shape
    if name == "transformer":
        return {"norm1": scaled(width), "norm2": scaled(width), "qkv": dense(random, width, 3 * width),
                "out": dense(random, width, width), "up": dense(random, width, 4 * width),
                "down": dense(random, 4 * width, width)}, shape
    if name in ACTIVATIONS:
        return {}, shape
    raise SystemExit(f"jax_train: it has no layer '{name}'")


def linear(p, x):
    return x @ p["w"] + p["b"]


def normalise(p, x):
    x = x - x.mean(-1, keepdims=True)
    return x * jax.lax.rsqrt((x * x).mean(-1, keepdims=True) + 1e-5) * p["w"] + p["b"]


def transformer(p, x, heads, causal):
    b, t, c = x.shape
    q, k, v = jnp.split(linear(p["qkv"], normalise(p["norm1"], x)).reshape(b, t, 3 * heads, c // heads), 3, 2)
    x = x + linear(p["out"], jax.nn.dot_product_attention(q, k, v, is_causal=causal).reshape(b, t, c))
    return x + linear(p["down"], jax.nn.gelu(linear(p["up"], normalise(p["norm2"], x)), approximate=False))


def apply(words, p, x):
    name = words[0]
    if name == "transformer":
        return transformer(p, x, int(words[1]), jobs.option(words, "causal", "0") == "1")
    if name in ACTIVATIONS:
        return {"sigmoid": jax.nn.sigmoid, "tanh": jnp.tanh, "relu": jax.nn.relu}[name](x)
    return {"linear": linear, "project": linear, "layer_norm": normalise, "embedding": lambda p, x: p["w"][x],
            "position": lambda p, x: x + p["w"]}[name](p, x)


def network(net, p, x):
    for words, own in zip(jobs.layers(net), p):
        x = apply(words, own, x)
    return x


# ---- training ----

def loss_of(p, x, target, o=options):
    y = network(o.net, p, x)
    if o.loss == "binary_cross_entropy":
        return jnp.mean(jnp.maximum(y, 0) - y * target + jnp.log1p(jnp.exp(-jnp.abs(y))))
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(y), target[..., None], -1))


def clipped(gradient, most):
    norm = jnp.sqrt(sum(jnp.sum(g * g) for g in jax.tree.leaves(gradient)))
    return jax.tree.map(lambda g: g * jnp.minimum(1, most / (norm + 1e-6)), gradient)


def update(o, p, state, gradient):
    """SGD, momentum, or Adam (Kingma and Ba) and AdamW (Loshchilov and Hutter), with the usual numbers."""
    count, m, v = state
    count = count + 1
    if o.optimizer == "sgd":
        return jax.tree.map(lambda p, g: p - o.lr * g, p, gradient), (count, m, v)
    if o.optimizer == "momentum":
        m = jax.tree.map(lambda m, g: 0.9 * m + g, m, gradient)
        return jax.tree.map(lambda p, m: p - o.lr * m, p, m), (count, m, v)
    decay = 0.01 if o.optimizer == "adamw" else 0
    m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, gradient)
    v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, gradient)
    a, b = 1 / (1 - 0.9**count), 1 / (1 - 0.999**count)
    step = lambda p, m, v: p * (1 - o.lr * decay) - o.lr * (m * a) / (jnp.sqrt(v * b) + 1e-8)  # noqa: E731
    return jax.tree.map(step, p, m, v), (count, m, v)


def train_step(carry, batch, o=options):
    p, state = carry
    loss, gradient = jax.value_and_grad(loss_of)(p, *batch)
    if o.clip_norm:
        gradient = clipped(gradient, o.clip_norm)
    return update(o, p, state, gradient), loss


def make_data(random, o):
    """Batches of samples and of targets: (batches, batch, ...)."""
    shape, vocabulary = jobs.sample_shape(o.net, o.shape), jobs.tokens(o.net)
    lead = (jobs.count(o.net, o.batch) // o.batch, o.batch)
    if vocabulary:
        return (random.integers(0, vocabulary, (*lead, *shape), numpy.int32) for _ in range(2))
    x = random.random((*lead, *shape), numpy.float32)
    if o.loss == "binary_cross_entropy":
        return x, random.integers(0, 2, (*lead, 1)).astype(numpy.float32)
    return x, random.integers(0, o.classes, lead, numpy.int32)


def make_network(random, o):
    shape, made = jobs.sample_shape(o.net, o.shape), []
    for words in jobs.layers(o.net):
        p, shape = parameters(random, words, shape)
        made.append(p)
    return jax.tree.map(lambda a: jnp.asarray(a, jnp.float32), made)


# ---- by the clock: functions that do an epoch ----

def train_epochs(o, p, x, target):
    zeros = jax.tree.map(jnp.zeros_like, p)
    carry = [(p, (jnp.zeros(()), zeros, jax.tree.map(jnp.copy, zeros)))]
    if "scan" in o.words:
        epoch = jax.jit(lambda carry, x, target: jax.lax.scan(train_step, carry, (x, target)), donate_argnums=0)
    else:
        step, batches = jax.jit(train_step, donate_argnums=0), list(zip(list(x), list(target)))

    def run():
        if "scan" in o.words:
            carry[0], loss = epoch(carry[0], x, target)
        else:
            for batch in batches:
                carry[0], loss = step(carry[0], batch)
        jax.block_until_ready((carry[0], loss))

    return run


def infer_epochs(o, p, x):
    use, batches = jax.jit(lambda p, x: network(o.net, p, x)), [numpy.asarray(batch) for batch in x]

    def run():
        for batch in batches:
            numpy.asarray(use(p, batch))

    return run


def rate(epoch, samples, seconds):
    done, begun = 0, time.perf_counter()
    while time.perf_counter() - begun < seconds:
        epoch()
        done += samples
    return done / (time.perf_counter() - begun)


def main(o=options):
    if "medium" in o.words:
        jax.config.update("jax_default_matmul_precision", "bfloat16")
    random = numpy.random.default_rng(1)
    p = make_network(random, o)
    x, target = (jnp.asarray(data) for data in make_data(random, o))
    epoch = infer_epochs(o, p, x) if o.infer else train_epochs(o, p, x, target)
    epoch()
    rate(epoch, x.shape[0] * o.batch, o.seconds / 2)
    rates = sorted(rate(epoch, x.shape[0] * o.batch, o.seconds) for _ in range(o.repeats))
    print(json.dumps({"version": jax.__version__, "mode": o.mode, "threads": o.threads,
                      "samples_per_s": statistics.median(rates), "slowest": rates[0], "fastest": rates[-1]}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
