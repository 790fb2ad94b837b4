"""tables.py: operators of ai.onnx.ml, and of com.microsoft for eight bits: `tenon predict` gives what plain formulas give and, where it is, ONNX Runtime.

usage: tables.py TENON FOLDER: models of one node are written into FOLDER byte by byte, so that nothing is needed."""

import math
import pathlib
import random
import subprocess
import sys

from files import attribute, field, initializer, port, read_array, write_array

TENON, FOLDER = sys.argv[1], pathlib.Path(sys.argv[2])
NAN = float("nan")


def write_model(path, operator, attributes, code, columns, outputs, tensors=None):
    """`tensors` are the operands, each its name, element type and numbers; '_' is x, which alone is fed."""
    tensors = tensors or [("_", 0, [])]
    node = b"".join(field(1, "x" if name == "_" else name) for name, _, _ in tensors)
    node += b"".join(field(2, name) for name, _ in outputs)
    node += field(4, operator) + b"".join(field(5, attribute(k, v)) for k, v in attributes.items())
    node += field(7, "com.microsoft" if operator.startswith("Q") else "ai.onnx.ml")
    graph = b"".join(field(5, initializer(*t)) for t in tensors if t[0] not in ("", "_")) + field(1, node) + field(2, "g") + field(11, port("x", code, columns))
    graph += b"".join(field(12, port(name, kind, 0)) for name, kind in outputs)
    opsets = field(8, field(1, "") + field(2, 17)) + field(8, field(1, "ai.onnx.ml") + field(2, 4))
    opsets += field(8, field(1, "com.microsoft") + field(2, 1))
    path.write_bytes(field(1, 8) + field(7, graph) + opsets)


# ---- cases: operator, attributes, rows, the element types of x and the outputs, what the outputs are ----


def drawn(rows, columns):
    return [[float(f"{random.uniform(-2, 2):.4f}") for _ in range(columns)] for _ in range(rows)]


def each(rows, function):
    return [[y for row in rows for y in function(row)]]


def by_largest(row):
    return [x / max(row) for x in row]


def dots(row, weights, bias):
    count = len(row)
    return [sum(a * b for a, b in zip(row, weights[i * count :])) + c for i, c in enumerate(bias)]


def shares(scores):
    powers = [math.exp(s) for s in scores]
    return [p / sum(powers) for p in powers]


def logistic(x):
    return 1 / (1 + math.exp(-x))


def classified(rows, weights, bias, labels, after):
    scores = [dots(row, weights, bias) for row in rows]
    return [[labels[s.index(max(s))] for s in scores], [y for s in scores for y in after(s)]]


def by_one(rows, weights, bias, labels, after):
    scores = [dots(row, weights, bias)[0] for row in rows]
    return [[labels[s > 0] for s in scores], [y for s in scores for y in after(s)]]


def coded(rows, keys, values, otherwise):
    return each(rows, lambda row: [values[keys.index(x)] if x in keys else otherwise for x in row])


def linear_cases():
    x, w, b = drawn(7, 4), drawn(1, 12)[0], drawn(1, 3)[0]
    given = {"coefficients": w, "intercepts": b}
    one = {"coefficients": w[:4], "intercepts": b[:1], "classlabels_ints": [4, 9]}
    both = [("label", 7), ("scores", 1)]
    yield "LinearRegressor", {**given, "targets": 3}, x, 1, [("y", 1)], each(x, lambda r: dots(r, w, b))
    classes = {**given, "classlabels_ints": [7, -2, 5]}
    for after, name in ((list, "NONE"), (shares, "SOFTMAX"), (lambda s: [logistic(y) for y in s], "LOGISTIC")):
        want = classified(x, w, b, [7, -2, 5], after)
        yield "LinearClassifier", {**classes, "post_transform": name}, x, 1, both, want
    for after, name in ((lambda s: [1 - s, s], "NONE"), (lambda s: [1 - logistic(s), logistic(s)], "LOGISTIC")):
        want = by_one(x, w[:4], b[:1], [4, 9], after)
        yield "LinearClassifier", {**one, "post_transform": name}, x, 1, both, want


def column_cases():
    x, y = drawn(7, 3), [("y", 1)]
    x[2][1] = 0.5
    gaps = [[NAN, 1.0], [2.0, NAN], [-1.0, 3.0]]
    shift, scale = drawn(1, 3)[0], drawn(1, 3)[0]
    scaled = each(x, lambda r: [(a - b) * c for a, b, c in zip(r, shift, scale)])
    yield "Scaler", {"offset": shift, "scale": scale}, x, 1, y, scaled
    yield "Scaler", {"offset": [0.5], "scale": [2.0]}, x, 1, y, each(x, lambda r: [(a - 0.5) * 2 for a in r])
    yield "Binarizer", {"threshold": 0.5}, x, 1, y, each(x, lambda r: [float(a > 0.5) for a in r])
    yield "Normalizer", {"norm": "MAX"}, [r for r in x if max(r) > 0], 1, y, each([r for r in x if max(r) > 0], by_largest)
    yield "Normalizer", {"norm": "L1"}, x, 1, y, each(x, lambda r: [a / sum(map(abs, r)) for a in r])
    yield "Normalizer", {"norm": "L2"}, x, 1, y, each(x, lambda r: [a / math.hypot(*r) for a in r])
    yield "Normalizer", {"norm": "L2"}, [[0.0, 0.0]], 1, y, [[0.0, 0.0]]
    filled = {"imputed_value_floats": [8.0, 9.0], "replaced_value_float": NAN}
    yield "Imputer", filled, gaps, 1, y, [[8, 1, 2, 9, -1, 3]]
    whole = {"imputed_value_int64s": [6], "replaced_value_int64": -1}
    yield "Imputer", whole, [[-1, 4], [5, -1]], 7, [("y", 7)], [[6, 4, 5, 6]]


def code_cases():
    x = [[random.randint(-3, 9) for _ in range(4)] for _ in range(5)]
    keys, values = [5, -3, 2, 9], [50, 30, 20, 90]
    halves = [v / 4 for v in values]
    whole = {"keys_int64s": keys, "values_int64s": values, "default_int64": -7}
    real = {"keys_int64s": keys, "values_floats": halves, "default_float": 0.25}
    yield "LabelEncoder", whole, x, 7, [("y", 7)], coded(x, keys, values, -7)
    yield "LabelEncoder", real, x, 7, [("y", 1)], coded(x, keys, halves, 0.25)
    odd = {"keys_floats": [NAN, 1.5], "values_floats": [3.0, 4.0], "default_float": 5.0}
    yield "LabelEncoder", odd, [[NAN, 1.5, 2.0]], 1, [("y", 1)], [[3, 4, 5]]
    hot = [[float(v == k) for row in x for v in row for k in keys]]
    yield "OneHotEncoder", {"cats_int64s": keys}, x, 7, [("y", 1)], hot


def eight_bit_cases():
    """Scales are powers of two, so that sums and products are exact and their halves go to the even number."""
    x = [[random.randint(0, 255) for _ in range(6)] for _ in range(4)]
    other = [random.randint(0, 255) for _ in range(6)]
    a, b, out = (0.03125, 120), (0.0625, 100), (0.125, 110)
    of = lambda v, q: (v - q[1]) * q[0]
    by = lambda name, q: [(name + "_scale", 1, [q[0]]), (name + "_zero", 2, [q[1]])]
    back = lambda v, q: min(max(round(v / q[0]) + q[1], 0), 255)
    x_is, b_is, y = [("_", 0, [])] + by("a", a), [("b", 2, other)] + by("b", b), [("y", 2)]
    for name, function in (("Add", lambda u, v: u + v), ("Mul", lambda u, v: u * v)):
        want = each(x, lambda r: [back(function(of(u, a), of(v, b)), out) for u, v in zip(r, other)])
        yield "QLinear" + name, {}, x, 2, y, want, x_is + b_is + by("y", out)
    share = (0.00390625, 0)
    want = each(x, lambda r: [back(logistic(of(u, a)), share) for u in r])
    yield "QLinearSigmoid", {}, x, 2, y, want, x_is + by("y", share)
    want = each(x, lambda r: [back(of(u, a) * (1 if u > a[1] else 0.25), out) for u in r])
    yield "QLinearLeakyRelu", {"alpha": 0.25}, x, 2, y, want, x_is + by("y", out)
    want = each(x, lambda r: [back(v, share) for v in shares([of(u, a) for u in r])])
    for opset in (12, 13):
        yield "QLinearSoftmax", {"axis": 1, "opset": opset}, x, 2, y, want, x_is + by("y", share)
    want = each(x, lambda r: [back(of(u, a), out) for u in r] + [back(of(u, b), out) for u in r])
    twice = by("y", out) + x_is + [("_", 0, [])] + by("b", b)
    yield "QLinearConcat", {"axis": 1}, x, 2, y, want, twice
    yield from gemm_cases(x, a, out)


def gemm_cases(x, a, out):
    """Products with a scale and zero for each column, of floating point where the result has no scale."""
    scales, zeros, bias = [0.0078125, 0.015625, 0.03125], [0, 3, -5], [100, -2000, 700]
    for alpha, names in ((1.0, ()), (0.5, ("transB",)), (2.0, ("transA",)), (1.0, ("transA", "transB"))):
        rows = [list(r) for r in zip(*x)] if "transA" in names else x
        w = [[random.randint(-128, 127) for _ in rows[0]] for _ in scales]
        b = w if "transB" in names else [list(r) for r in zip(*w)]
        x_is = [("_", 0, []), ("a_scale", 1, [a[0]]), ("a_zero", 2, [a[1]]), ("b", 3, b)]
        x_is += [("b_scale", 1, scales), ("b_zero", 3, zeros)]
        for c in (bias, None):
            sums = lambda r: [sum((u - a[1]) * (v - z) for u, v in zip(r, row)) + k for row, z, k in zip(w, zeros, c or [0] * 3)]
            product = lambda r: [alpha * a[0] * s * v for s, v in zip(scales, sums(r))]
            given = {"alpha": alpha, **{name: 1 for name in names}}
            tensors = x_is + [("c", 6, c) if c else ("", 0, [])]
            yield "QGemm", given, x, 2, [("y", 1)], each(rows, product), tensors
            levels = each(rows, lambda r: [min(max(round(v / out[0]) + out[1], 0), 255) for v in product(r)])
            yield "QGemm", given, x, 2, [("y", 2)], levels, tensors + [("y_scale", 1, [out[0]]), ("y_zero", 2, [out[1]])]


# ---- running ----


def predicted(device, model, given, outputs):
    out = FOLDER / "y.npy"
    command = [TENON, "predict", "--device", device, "--model", str(model), str(given), "--out", str(out)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, f"{model}: {run.stderr}"
    return [read_array(out if len(outputs) == 1 else FOLDER / f"y.{name}.npy") for name, _ in outputs]


def compare(who, model, got, want):
    for y, expected in zip(got, want):
        assert len(y) == len(expected), f"{who}, {model}: {y} is not {expected}"
        for a, b in zip(y, expected):
            assert abs(a - b) <= 1e-5 * max(1, abs(b)), f"{who}, {model}: {y} is not {expected}"


def by_runtime(model, rows, code):
    import numpy
    import onnxruntime

    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    found = session.run(None, {"x": numpy.array(rows, {1: "float32", 2: "uint8", 7: "int64"}[code])})
    return [y.ravel().tolist() for y in found]


def refusals():
    """Strings are refused by the operator's name, and trees."""
    cases = [("LinearClassifier", {"classlabels_strings": ["a"]}, "labels are strings"),
             ("LabelEncoder", {"keys_strings": ["a"], "values_int64s": [1]}, "codes are strings"),
             ("TreeEnsembleRegressor", {}, "no such operator")]
    for operator, attributes, why in cases:
        write_model(FOLDER / "no.onnx", operator, attributes, 1, 2, [("y", 1)])
        run = subprocess.run([TENON, "info", str(FOLDER / "no.onnx")], capture_output=True, text=True, check=False)
        assert operator in run.stdout + run.stderr and why in run.stdout + run.stderr, run.stdout + run.stderr
        write_array(FOLDER / "x.npy", [[1.0, 2.0]], 1)
        command = [TENON, "predict", "--model", str(FOLDER / "no.onnx"), str(FOLDER / "x.npy")]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        assert run.returncode and f"{operator} of ai.onnx.ml, opset 4" in run.stderr, run.stderr


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    random.seed(3)
    try:
        import onnxruntime as runtime
    except ImportError:
        runtime = None
    cases = list(linear_cases()) + list(column_cases()) + list(code_cases()) + list(eight_bit_cases())
    for i, (operator, attributes, rows, code, outputs, want, *tensors) in enumerate(cases):
        model, given = FOLDER / f"{i}_{operator}.onnx", FOLDER / "x.npy"
        write_model(model, operator, attributes, code, len(rows[0]), outputs, *tensors)
        write_array(given, rows, code)
        for device in ("reference", "cpu"):
            compare(device, model, predicted(device, model, given, outputs), want)
        if runtime:
            compare("ONNX Runtime", model, by_runtime(model, rows, code), want)
    refusals()
    print(f"{len(cases)} cases, {'also' if runtime else 'not'} by ONNX Runtime")


main()
