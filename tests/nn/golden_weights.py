#!/usr/bin/env python3
"""Writes golden_weights.inc: what weights of samples come to, by PyTorch in double precision, and what is the best
that weighted samples leave, by scikit-learn.

    python3 tests/nn/golden_weights.py > tests/nn/golden_weights.inc

A linear layer of 3 classes learns 24 samples, all in one batch, by plain steps; some samples have the weight 0."""
import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from torch.nn import functional as F

COUNT, FEATURES, CLASSES, STEPS, RATE = 24, 4, 3, 10, 0.5


def array(name, values):
    numbers = np.asarray(values).ravel()
    kind = "int32_t" if numbers.dtype.kind == "i" else "double" if name.startswith("torch") else "float"
    text = ", ".join(str(v) if kind == "int32_t" else f"{v:.17g}" if kind == "double" else f"{v:.9g}" for v in numbers)
    print(f"static const {kind} {name}[] = {{")
    while text:
        cut = len(text) if len(text) < 110 else text.rfind(" ", 0, 110)
        print("    " + text[:cut].strip())
        text = text[cut:]
    print("};")


def trained(x, label, weight, of_class):
    """The layer's weights after so many steps, and the last step's loss."""
    w = torch.zeros(CLASSES, FEATURES, dtype=torch.double, requires_grad=True)
    loss = None
    for _ in range(STEPS):
        each = F.cross_entropy(x @ w.T, label, weight=of_class, reduction="none")
        share = weight if of_class is None else weight * of_class[label]
        loss = (each * weight).sum() / share.sum()
        (grad,) = torch.autograd.grad(loss, w)
        w = (w - RATE * grad).detach().requires_grad_()
    return w.detach().numpy(), loss.item()


def main():
    rng = np.random.default_rng(15)
    x = rng.standard_normal((COUNT, FEATURES)).astype(np.float32)
    label = rng.integers(0, CLASSES, COUNT).astype(np.int32)
    weight = (rng.random(COUNT) * 3).astype(np.float32)
    weight[::5] = 0
    of_class = np.array([0.5, 2, 1.25], np.float32)
    print("/* Made by golden_weights.py. */\n/* clang-format off */")
    print(f"enum {{ COUNT = {COUNT}, FEATURES = {FEATURES}, CLASSES = {CLASSES}, STEPS = {STEPS} }};")
    print(f"#define RATE {RATE}")
    array("x", x)
    array("label", label)
    array("weight", weight)
    array("of_class", of_class)
    tx, tl, tw = torch.tensor(x).double(), torch.tensor(label).long(), torch.tensor(weight).double()
    for name, given in (("torch_plain", None), ("torch_classes", torch.tensor(of_class).double())):
        w, loss = trained(tx, tl, tw, given)
        array(name, w)
        print(f"static const double {name}_loss = {loss:.17g};")
    best = LogisticRegression(C=1.0, fit_intercept=False, tol=1e-10, max_iter=10000)
    best.fit(x.astype(np.float64), label, sample_weight=weight.astype(np.float64))
    wrong = (best.predict(x) != label)
    print(f"static const double sklearn_accuracy = {best.score(x, label, sample_weight=weight):.17g};")
    array("sklearn_coefficients", best.coef_.astype(np.float32))
    print(f"/* {wrong.sum()} wrong of {COUNT}. */")


main()
