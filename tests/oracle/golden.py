#!/usr/bin/env python3
"""Writes golden.inc: what small graphs come to, computed by NumPy in double precision and without Tenon.

    python3 tests/oracle/golden.py > tests/oracle/golden.inc

The test builds the same graphs by the same names; its operands are made by the rule of `operand`. Needs numpy."""
import numpy as np


def operand(name, *shape):
    """x is in -2..2 and y in 1/16..2; both are multiples of 1/16. i is in 0..4."""
    e = np.arange(int(np.prod(shape)))
    values = {"x": ((e * 37 + 11) % 64) / 16 - 2, "y": ((e * 23 + 5) % 32 + 1) / 16, "i": (e * 7 + 3) % 5}
    return values[name].reshape(shape).astype(float)


def softmax(x, axis=-1):
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def conv2d(x, w, stride, pad):
    """(b, c, h, w), (k, c, r, s): no groups."""
    b, _, h, width = x.shape
    k, _, r, s = w.shape
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    p, q = (h + 2 * pad - r) // stride + 1, (width + 2 * pad - s) // stride + 1
    y = np.zeros((b, k, p, q))
    for i in range(p):
        for j in range(q):
            window = padded[:, :, i * stride:i * stride + r, j * stride:j * stride + s]
            y[:, :, i, j] = np.einsum("bcrs,kcrs->bk", window, w)
    return y


def windows(x, size, f):
    b, c, h, w = x.shape
    return f(x[:, :, :h // size * size, :w // size * size].reshape(b, c, h // size, size, w // size, size), (3, 5))


def attention(q, k, v, causal):
    scores = q @ np.swapaxes(k, -1, -2) / np.sqrt(q.shape[-1])
    if causal:
        scores = np.where(np.tril(np.ones(scores.shape[-2:])) != 0, scores, -np.inf)
    return softmax(scores) @ v


def normalize(x, axes, epsilon):
    return (x - x.mean(axis=axes, keepdims=True)) / np.sqrt(x.var(axis=axes, keepdims=True) + epsilon)


def adaptive(x, height, width):
    h, w = x.shape[2:]
    rows = [slice(i * h // height, -(-(i + 1) * h // height)) for i in range(height)]
    columns = [slice(j * w // width, -(-(j + 1) * w // width)) for j in range(width)]
    return np.stack([np.stack([x[:, :, r, c].mean(axis=(2, 3)) for c in columns], -1) for r in rows], 2)


def scattered(index, x, rows):
    y = np.zeros((rows,) + x.shape[1:])
    np.add.at(y, index, x)
    return y


x, y = operand("x", 3, 4), operand("y", 3, 4)
cube, i = operand("x", 2, 3, 4), operand("i", 3).astype(int)
picture, weight = operand("x", 2, 3, 5, 4), operand("y", 2, 3, 3, 2)
q, k, v = operand("x", 2, 3, 4), operand("y", 2, 3, 4), operand("x", 2, 3, 5)
mask = operand("i", 4) > 1

CASES = {
    "broadcast": np.sin(x) * y[:, :1] + np.arctan2(x[1], y),
    "choices": np.where(x > 0.25, np.maximum(x, y), np.floor(x * 3)),
    "whole": (x * 5).astype(int) * 1000000007 % 2**32 - ((x * 5).astype(int) * 1000000007 % 2**32 >= 2**31) * 2**32,
    "transpose": cube.transpose(2, 0, 1),
    "slice": cube[:, ::-1, 3::-2],
    "pad": np.pad(x, ((1, 2), (0, 0))),
    "concat": np.concatenate([x, y, x[:1]], axis=0),
    "reshape": (cube.reshape(4, 6).T).reshape(3, 8),
    "matmul": cube @ operand("y", 2, 4, 5),
    "matmul_t": x.T @ y,
    "matmul_stretched": cube.transpose(0, 2, 1) @ operand("y", 3, 2),
    "sums": cube.sum(axis=(0, 2)) + x.prod(axis=1),
    "places": np.concatenate([cube.argmax(axis=1).ravel(), cube.argmin(axis=1).ravel()]),
    "softmax": softmax(cube, 1),
    "log_softmax": np.log(softmax(cube, 2)),
    "logsumexp": np.log(np.exp(cube).sum(axis=(0, 2))),
    "masked_softmax": np.where(mask, softmax(np.where(mask, x, -np.inf)), 0),
    "attention": attention(q, k, v, False),
    "causal": attention(q, k, v, True),
    "normalize": normalize(cube, (0, 2), 0.01),
    "rms_normalize": x / np.sqrt((x * x).mean(axis=1, keepdims=True) + 0.5),
    "across": cube,
    "batch_normalize": normalize(cube, (0, 2), 0.01) * operand("y", 1, 3, 1) + operand("x", 1, 3, 1),
    "gather": operand("x", 5, 4)[i],
    "scatter_add": scattered(i, x, 5),
    "pick": x[np.arange(3), np.minimum(i, 3)],
    "take": np.take_along_axis(x, operand("i", 3, 2).astype(int) % 4, axis=1),
    "cumsum": np.cumsum(x[:, ::-1], axis=1)[:, ::-1],
    "sort": np.sort(x, axis=1),
    "argsort": np.argsort(-x, axis=1, kind="stable"),
    "searchsorted": np.stack([np.searchsorted(np.sort(x[r]), y[r], side="right") for r in range(3)]),
    "triangle": np.tril(cube, 1) + np.triu(cube, 2),
    "conv2d": conv2d(picture, weight, 2, 1),
    "maxpool": windows(picture, 2, np.max),
    "avgpool": windows(picture, 2, np.mean),
    "adaptive": adaptive(picture, 3, 3),
    "gradient": y * np.cos(x * y) * np.sign(operand("x", 1, 4) + 4) / x.size,
}

print("/* golden.inc: written by golden.py. */")
for name, value in CASES.items():
    numbers = ", ".join(repr(float(n)) for n in np.asarray(value, float).ravel())
    print(f'{{"{name}", {np.asarray(value).size}, (const double[]){{{numbers}}}}},')
