#!/usr/bin/env python3
"""Writes golden_measures.inc: what the measures ought to be, by scikit-learn in double precision.

    python3 tests/nn/golden_measures.py > tests/nn/golden_measures.inc

Class 2 of "lacking" neither is there nor is predicted, class 1 is never predicted; the second target of "numbers" never
changes."""
import warnings

import numpy as np
from sklearn import metrics

warnings.filterwarnings("ignore")
rng = np.random.default_rng(7)


def array(name, values):
    numbers = np.asarray(values).ravel()
    print(f"static const {'int32_t' if numbers.dtype.kind == 'i' else 'float'} {name}[] = {{")
    text = ", ".join(str(v) if numbers.dtype.kind == "i" else f"{v:.9g}" for v in numbers)
    while text:
        cut = len(text) if len(text) < 110 else text.rfind(" ", 0, 110)
        print("    " + text[:cut].strip())
        text = text[cut:]
    print("};")


def expect(rows, of, name, index, value):
    rows.append(f'    {{{of}, "{name}", {index}, {value:.17g}}},')


def classes(rows, of, label, output, count):
    found = output.argmax(1)
    array(of + "_label", label.astype(np.int32))
    array(of + "_output", output)
    expect(rows, "&" + of, "accuracy", -1, metrics.accuracy_score(label, found))
    expect(rows, "&" + of, "balanced_accuracy", -1, metrics.balanced_accuracy_score(label, found))
    if count > 5:
        expect(rows, "&" + of, "top5", -1, metrics.top_k_accuracy_score(label, output, k=5, labels=range(count)))
    each(rows, of, label, found, range(count), count)
    matrix = metrics.confusion_matrix(label, found, labels=range(count))
    array(of + "_confused", matrix.astype(np.int32))


def each(rows, of, label, found, labels, count):
    scores = metrics.precision_recall_fscore_support(label, found, labels=labels, zero_division=0)
    macro = metrics.precision_recall_fscore_support(label, found, average="macro", zero_division=0)
    for name, values, mean in zip(("precision", "recall", "f1", "support"), scores, macro):
        for k in range(count):
            expect(rows, "&" + of, name, k, values[k])
        if mean is not None:
            expect(rows, "&" + of, name, -1, mean)


def weighted(rows, target, output):
    """The same measures of samples with weights, some of them 0; numbers as above."""
    draw = np.random.default_rng(8)
    weights = (draw.random(60) * draw.integers(0, 4, 60)).astype(np.float32)
    label = draw.integers(0, 7, 60)
    found = (draw.standard_normal((60, 7)) + 1.2 * np.eye(7)[label]).astype(np.float32)
    array("weighty_weight", weights)
    array("weighty_label", label.astype(np.int32))
    array("weighty_output", found)
    w, chosen = weights.astype(np.float64), found.argmax(1)
    expect(rows, "&weighty", "accuracy", -1, metrics.accuracy_score(label, chosen, sample_weight=w))
    expect(rows, "&weighty", "balanced_accuracy", -1, metrics.balanced_accuracy_score(label, chosen, sample_weight=w))
    top = metrics.top_k_accuracy_score(label, found, k=5, labels=range(7), sample_weight=w)
    expect(rows, "&weighty", "top5", -1, top)
    scores = metrics.precision_recall_fscore_support(label, chosen, sample_weight=w, zero_division=0)
    for name, values in zip(("precision", "recall", "f1"), scores):
        expect(rows, "&weighty", name, -1, np.mean(values))
        for k in range(7):
            expect(rows, "&weighty", name, k, values[k])
    w = w[:25]
    yes, said = target > np.median(target, 0), output > np.median(target, 0)
    array("heavy_target", yes.astype(np.float32))
    array("heavy_output", said.astype(np.float32) - 0.5)
    expect(rows, "&heavy", "accuracy", -1, metrics.accuracy_score(yes, said, sample_weight=w))
    for k in range(3):
        expect(rows, "&heavy", "accuracy", k, metrics.accuracy_score(yes[:, k], said[:, k], sample_weight=w))
    scores = metrics.precision_recall_fscore_support(yes, said, sample_weight=w, zero_division=0)
    for name, values in zip(("precision", "recall", "f1"), scores):
        for k in range(3):
            expect(rows, "&heavy", name, k, values[k])
    for name, score in (("r2", metrics.r2_score), ("mae", metrics.mean_absolute_error),
                        ("rmse", metrics.root_mean_squared_error)):
        for k, value in enumerate(score(target, output, sample_weight=w, multioutput="raw_values")):
            expect(rows, "&uneven", name, k, value)


def areas(rows):
    """Areas under ROC curves: of two classes with equal scores among them, weighted ones, and of marks."""
    draw = np.random.default_rng(9)
    label = draw.integers(0, 2, 80)
    output = np.round(draw.standard_normal((80, 2)) + 0.8 * np.eye(2)[label], 1).astype(np.float32)
    weights = (draw.random(80) * draw.integers(0, 3, 80)).astype(np.float32)
    array("pair_label", label.astype(np.int32))
    array("pair_output", output)
    array("pair_weight", weights)
    score = output[:, 1].astype(np.float64) - output[:, 0]
    expect(rows, "&pair", "roc_auc", -1, metrics.roc_auc_score(label, score))
    expect(rows, "&weighty_pair", "roc_auc", -1, metrics.roc_auc_score(label, score, sample_weight=weights))
    yes = (draw.random((40, 3)) < 0.4).astype(np.float32)
    marks = np.round(draw.random((40, 3)) + 0.5 * yes, 1).astype(np.float32)
    array("areas_target", yes)
    array("areas_output", marks)
    expect(rows, "&areas", "roc_auc", -1, metrics.roc_auc_score(yes, marks, average="macro"))


def main():
    print("/* Made by golden_measures.py. */\n/* clang-format off */")
    rows = []
    label = rng.integers(0, 7, 60)
    classes(rows, "seven", label, (rng.standard_normal((60, 7)) + 1.2 * np.eye(7)[label]).astype(np.float32), 7)
    label = np.where(rng.random(24) < 0.2, 1, 3 * rng.integers(0, 2, 24))
    output = (rng.standard_normal((24, 4)) + np.eye(4)[label]).astype(np.float32)
    output[:, 1:3] -= 9
    classes(rows, "lacking", label, output, 4)

    target = (rng.random((30, 3)) < [0.5, 0.2, 0.8]).astype(np.float32)
    output = (rng.standard_normal((30, 3)) + 2 * target - 1).astype(np.float32)
    array("marks_target", target)
    array("marks_output", output)
    found = (output > 0).astype(int)
    expect(rows, "&marks", "accuracy", -1, metrics.accuracy_score(target, found))
    expect(rows, "&marks", "mean_accuracy", -1, np.mean(target == found))
    for k in range(3):
        expect(rows, "&marks", "accuracy", k, metrics.accuracy_score(target[:, k], found[:, k]))
    each(rows, "marks", target.astype(int), found, range(3), 3)

    target = np.stack([1e4 + 50 * rng.standard_normal(25), np.full(25, 3.5), 1e-3 * rng.random(25)], 1)
    target = target.astype(np.float32)
    output = (target + rng.standard_normal((25, 3)) * [30, 1, 4e-4]).astype(np.float32)
    array("numbers_target", target)
    array("numbers_output", output)
    target, output = target.astype(np.float64), output.astype(np.float64)
    for name, score in (("r2", metrics.r2_score), ("mae", metrics.mean_absolute_error),
                        ("rmse", metrics.root_mean_squared_error)):
        expect(rows, "&numbers", name, -1, score(target, output))
        for k, value in enumerate(score(target, output, multioutput="raw_values")):
            expect(rows, "&numbers", name, k, value)
    weighted(rows, target, output)
    areas(rows)
    print("#define GOLDEN \\")
    print(" \\\n".join(rows))


main()
