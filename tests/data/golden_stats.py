#!/usr/bin/env python3
"""Writes golden_stats.inc: what the statistics ought to be, by NumPy in double precision.

    python3 tests/data/golden_stats.py > tests/data/golden_stats.inc

The weighted median is what repeating each value as often as its (whole) weight gives."""
import numpy as np

rng = np.random.default_rng(5)
nan = float("nan")


def of_size(n, scale=1.0, shift=0.0):
    return np.round(rng.standard_normal(n) * scale + shift, 3)


SETS = {
    "one": [3.5],
    "two": [-1.0, 4.0],
    "ties": [2, 2, 2, 7, 7, 1, 1, 9],
    "zeros": [0.0, -0.0, 0.0],
    "signs": [-5.5, 3.25, -0.125, 0, 17, -2, 1e-3],
    "far": of_size(31, 1e-2, 1e4),
    "wide": np.concatenate([of_size(20, 1e6), of_size(20, 1e-6 + 1), [1e30, -1e30, 1e-30]]),
    "many": of_size(101, 3, 1),
    "missing": [nan, 1, 2, nan, 4, 8, nan],
    "outliers": [10, 11, 12, 12, 13, 11, 10, 12, 40, -20, 13.5],
}
PERCENTS = [0, 1, 10, 25, 33.3, 50, 75, 90, 99.5, 100]


def row(values):
    return "{" + ", ".join("NAN" if np.isnan(v) else repr(float(v)) for v in values) + "}"


def floats(values):
    return "{" + ", ".join("NAN" if np.isnan(v) else f"{float(v)!r}f" for v in values) + "}"


for name, values in SETS.items():
    x = np.asarray(values, np.float32)
    known = x[~np.isnan(x)].astype(np.float64)
    weight = np.asarray(rng.integers(0, 5, len(x)), np.float32)
    weight[0] = weight[-1] = 2
    if name == "missing":
        weight[1] = 1
    keep = ~np.isnan(x)
    repeated = np.repeat(x[keep].astype(np.float64), weight[keep].astype(int))
    low, high = np.percentile(known, [25, 75])
    reach = 1.5 * (high - low)
    outliers = ((known < low - reach) | (known > high + reach)).sum()
    sample = known.var(ddof=1) if len(known) > 1 else nan
    print(f"static const float {name}_x[] = {floats(x)};")
    print(f"static const float {name}_weight[] = {floats(weight)};")
    print(f"static const double {name}_percentile[] = {row(np.percentile(known, PERCENTS))};")
    numbers = [known.mean(), known.var(), sample, known.std(), np.abs(known - known.mean()).mean(), known.min(),
               known.max(), np.ptp(known), np.median(known), high - low, np.average(x[keep].astype(np.float64), weights=weight[keep]),
               np.median(repeated)]
    print(f"static const double {name}_number[] = {row(numbers)};")
    print(f"#define {name.upper()}_OUTLIERS {outliers}")
print(f"static const double percents[] = {row(PERCENTS)};")
print("#define SETS", " ".join(f"SET({n}, {n.upper()}_OUTLIERS)" for n in SETS))
