"""fused.py: operators of com.microsoft, which ONNX Runtime's optimiser and quantiser write, and DeformConv, by `tenon
predict`, give what ONNX Runtime gives: all of them in one network, with constants that are drawn.

usage: fused.py TENON FOLDER DEVICE...
       fused.py > fused.txt      computes them by ONNX Runtime (last by its version 1.32.0)"""

import array
import pathlib
import subprocess
import sys

from files import attribute, field, port, read_array, write_array

TABLE = pathlib.Path(__file__).with_name("fused.txt")
ROWS, COLUMNS = 6, 16
KINDS = {"f": (1, "f"), "u": (2, "B"), "b": (3, "b"), "i": (6, "i"), "l": (7, "q"), "?": (9, "B")}
ROUNDED = {"DynamicQuantizeLSTM": 0.02}  # to eight bits at each step there: how far that may be off
OURS = ("SimplifiedLayerNormalization", "DeformConv", "Reshape", "Cast")  # in ONNX's own domain


class Drawn:
    """Numbers that look random, the same everywhere, and are exact."""

    def __init__(self, seed):
        self.at = seed

    def number(self, kind):
        self.at = self.at * 1103515245 + 12345 & 0x7FFFFFFF
        level = self.at >> 16
        return {"f": (level % 33 - 16) / 8, "u": level % 256, "b": level % 256 - 128, "?": level % 2}.get(kind, level % 3)

    def numbers(self, kind, shape):
        count = 1
        for d in shape:
            count *= d
        return [self.number(kind) for _ in range(count)]


X = [[Drawn(row * 100 + column).number("f") for column in range(COLUMNS)] for row in range(ROWS)]

# ---- the cases: operator, operands, attributes, how many outputs ----


def x(*shape):
    return ("x", shape, None)


def q(*shape):
    return ("q", shape, None)  # x as u8


def f(*shape):
    return ("f", shape, None)


def u(*shape):
    return ("u", shape, None)


def b(*shape):
    return ("b", shape, None)


def given(kind, *values):
    """A list, or of one number that alone."""
    return (kind, (len(values),) if len(values) > 1 else (), list(values))


def table(kind, shape, *values):
    return (kind, shape, list(values))


NONE = ("", (), None)
A_SCALE, A_ZERO, B_SCALE, B_ZERO = given("f", 0.03125), given("u", 128), given("f", 0.0625), given("b", 3)
OUT = [given("f", 0.125), given("u", 100)]


def products():
    yield "FusedMatMul", [x(2, 3, 16), f(2, 5, 16)], {"transB": 1, "alpha": 0.5}, 1
    yield "FusedMatMul", [x(2, 3, 16), f(2, 3, 4)], {"transA": 1}, 1
    yield "FusedMatMul", [x(3, 2, 16), f(2, 16, 4)], {"transBatchA": 1}, 1
    yield "FusedMatMul", [x(2, 3, 16), f(16, 2, 4)], {"transBatchB": 1, "alpha": -2.0}, 1
    activations = {"Relu": {}, "Sigmoid": {}, "Tanh": {}, "Softplus": {}, "Softsign": {}, "LeakyRelu": {"activation_alpha": 0.3},
                   "Elu": {"activation_alpha": 0.7}, "HardSigmoid": {"activation_alpha": 0.25, "activation_beta": 0.4}}  # fmt: skip
    for name, more in activations.items():
        yield "FusedGemm", [x(6, 16), f(4, 16), f(4)], {"transB": 1, "alpha": 0.25, "activation": name, **more}, 1
    convolved = {"Relu": [], "Sigmoid": [], "Tanh": [], "LeakyRelu": [0.2], "Clip": [-0.5, 1.5], "HardSigmoid": [0.1, 0.5]}
    for name, numbers in convolved.items():
        more = {"activation_params": numbers} if numbers else {}
        at = {"activation": name, "kernel_shape": [3, 3], "pads": [1, 1, 1, 1], **more}
        yield "FusedConv", [x(1, 2, 6, 8), f(3, 2, 3, 3), f(3)] + [f(1, 3, 6, 8)] * (name == "Relu"), at, 1


def activations():
    yield "BiasGelu", [x(2, 3, 16), f(16)], {}, 1
    yield "FastGelu", [x(2, 3, 16), f(16)], {}, 1
    yield "FastGelu", [x(2, 3, 16)], {}, 1
    yield "Gelu", [x(2, 3, 16)], {}, 1
    yield "QuickGelu", [x(2, 3, 16)], {"alpha": 1.5}, 1


def norms():
    yield "SkipLayerNormalization", [x(2, 3, 16), f(2, 3, 16), f(16), f(16), f(16)], {"epsilon": 0.01}, (0, 3)
    yield "SkipLayerNormalization", [x(2, 3, 16), f(2, 3, 16), f(16)], {"epsilon": 0.01}, 1
    yield "SkipSimplifiedLayerNormalization", [x(2, 3, 16), f(2, 3, 16), f(16), f(16)], {"epsilon": 0.01}, (0, 3)
    yield "SimplifiedLayerNormalization", [x(2, 3, 16), f(16)], {"epsilon": 0.01}, 1
    words, segments = table("i", (2, 3), 3, 0, 6, 1, 1, 2), table("i", (2, 3), 0, 1, 1, 0, 0, 1)
    tables, mask = [f(7, 16), f(5, 16), f(2, 16), f(16), f(16)], table("i", (2, 3), 1, 1, 0, 1, 1, 1)
    yield "EmbedLayerNormalization", [words, segments, *tables, mask], {"epsilon": 0.01}, 2
    without = [words, NONE, *tables[:2], NONE, *tables[3:], NONE, table("i", (2, 3), 4, 0, 2, 1, 3, 0)]
    yield "EmbedLayerNormalization", without, {"epsilon": 0.01}, 2


def quantised():
    pool = [q(1, 2, 6, 8), A_SCALE, A_ZERO, *OUT]
    at = {"kernel_shape": [3, 2], "strides": [2, 1], "pads": [1, 0, 1, 1], "count_include_pad": 1}
    yield "QLinearAveragePool", pool, at, 1
    yield "QLinearAveragePool", [q(1, 6, 8, 2), *pool[1:]], {"kernel_shape": [2, 2], "channels_last": 1}, 1
    yield "QLinearWhere", [("?", (6, 16), None), q(6, 16), A_SCALE, A_ZERO, u(16), B_SCALE, given("u", 90), *OUT], {}, 1
    yield "QuantizeLinear", [x(6, 16), *OUT], {}, 1
    yield "DequantizeLinear", [q(6, 16), A_SCALE, A_ZERO], {}, 1
    yield "DynamicQuantizeMatMul", [x(6, 16), b(16, 3), B_SCALE, B_ZERO, f(3)], {}, 1
    yield "MatMulIntegerToFloat", [q(6, 16), b(16, 3), A_SCALE, B_SCALE, A_ZERO, B_ZERO, f(3)], {}, 1
    yield "MatMulIntegerToFloat", [q(6, 16), u(16, 3), A_SCALE, given("f", 0.5, 0.25, 1.0)], {}, 1
    gates = [x(3, 2, 16), b(2, 16, 12), b(2, 3, 12), f(2, 24), NONE, NONE, NONE, NONE]
    small = [given("f", 0.001953125, 0.00390625), given("b", 2, -3), given("f", 0.00390625, 0.0078125), given("b", 0, 1)]
    yield "DynamicQuantizeLSTM", [*gates, *small], {"hidden_size": 3, "direction": "bidirectional"}, 3
    sizes = {"N": 3, "K": 32, "block_size": 16}
    yield "MatMulNBits", [x(3, 32), u(3, 2, 8), f(6)], {**sizes, "bits": 4}, 1
    yield "MatMulNBits", [x(3, 32), u(3, 2, 8), f(6), u(3), NONE, f(3)], {**sizes, "bits": 4}, 1
    yield "MatMulNBits", [x(3, 32), u(3, 2, 16), f(6), u(6)], {**sizes, "bits": 8}, 1
    yield "MatMulNBits", [x(4, 24), u(3, 2, 8), f(6)], {**sizes, "bits": 4, "K": 24}, 1


def attention():
    one, heads = [x(2, 3, 16), f(16, 24), f(24)], {"num_heads": 2}
    masks = [given("i", 2, 3), given("i", 2, 3, 1, 0), table("i", (2, 3), 1, 0, 1, 1, 1, 0)]
    masks += [table("i", (2, 3, 3), *[1, 0, 1, 0, 1, 1, 1, 1, 0] * 2)]
    for mask in masks:
        yield "Attention", [*one, mask], heads, 1
    yield "Attention", [*one, NONE, f(2, 2, 2, 2, 4)], {**heads, "unidirectional": 1}, 2
    yield "Attention", [*one, NONE, NONE, f(1, 2, 3, 3)], {**heads, "unidirectional": 1}, 1
    yield "Attention", [one[0], f(16, 20), f(20)], {**heads, "qkv_hidden_sizes": [8, 8, 4], "scale": 0.5}, 1
    apart = [x(2, 3, 16), f(2, 4, 16), f(2, 4, 8), f(40)]
    yield "MultiHeadAttention", [*apart, table("i", (2, 4), 1, 1, 0, 1, 0, 1, 1, 1)], heads, 1
    past = [NONE, NONE, f(1, 2, 3, 5), f(2, 2, 2, 8), f(2, 2, 2, 8)]
    yield "MultiHeadAttention", [x(2, 3, 16), f(2, 3, 16), f(2, 3, 16), *past], {**heads, "unidirectional": 1}, 3
    places, angles = table("l", (2, 3), 0, 4, 1, 3, 3, 2), [f(5, 4), f(5, 4)]
    yield "RotaryEmbedding", [x(2, 3, 16), places, *angles], {}, 1
    yield "RotaryEmbedding", [x(2, 2, 3, 8), table("l", (1,), 2), *angles], {"interleaved": 1}, 1
    part = {"num_heads": 2, "rotary_embedding_dim": 4}
    yield "RotaryEmbedding", [x(2, 3, 16), places, f(5, 2), f(5, 2)], part, 1


def deformed():
    window = {"pads": [1, 0, 1, 2], "strides": [2, 1], "dilations": [1, 2]}
    yield "DeformConv", [x(1, 4, 6, 4), f(2, 2, 3, 2), f(1, 24, 3, 4), f(2), f(1, 12, 3, 4)], {**window, "group": 2, "offset_group": 2}, 1
    yield "DeformConv", [x(2, 2, 6, 4), f(3, 2, 2, 2), f(2, 8, 5, 3)], {}, 1


CASES = [*products(), *activations(), *norms(), *quantised(), *attention(), *deformed()]

# ---- the network ----


def tensor(name, kind, shape, values):
    code, letter = KINDS[kind]
    data = field(9, array.array(letter, values).tobytes())
    return field(5, b"".join(field(1, d) for d in shape) + field(2, code) + field(8, name) + data)


def node(operator, operands, results, **attribute_of):
    at = b"".join(field(5, attribute(k, v)) for k, v in attribute_of.items())
    names = b"".join(field(1, name) for name in operands) + b"".join(field(2, name) for name in results)
    return field(1, names + field(4, operator) + at + (b"" if operator in OURS else field(7, "com.microsoft")))


def operand(graph, draw, name, kind, shape, values):
    """Adds what makes it; returns what it is called."""
    if kind in "xq" and kind:
        graph += [tensor(name + "_shape", "l", (len(shape),), shape), node("Reshape", [kind, name + "_shape"], [name])]
    elif kind:
        graph += [tensor(name, kind, shape, values or draw.numbers(kind, shape))]
    return name if kind else ""


def results_of(i, outputs):
    wanted = range(outputs) if isinstance(outputs, int) else outputs
    return [f"y{i}_{k}" if k in wanted else "" for k in range(max(wanted) + 1)]


def write_model(path):
    """Outputs as f32, those of bytes too. Nodes stand before those that make what they take, as some tools leave them,
    and the last output is listed twice, as exporters do with what a network returns twice."""
    graph = [field(2, "g"), field(11, port("x", 1, COLUMNS))]
    graph += [tensor("q_scale", "f", (), [0.03125]), tensor("q_zero", "u", (), [128])]
    graph += [node("QuantizeLinear", ["x", "q_scale", "q_zero"], ["q"])]
    for i, (operator, operands, attributes, outputs) in enumerate(CASES):
        draw, results = Drawn(i), results_of(i, outputs)
        names = [operand(graph, draw, f"in{i}_{k}", *what) for k, what in enumerate(operands)]
        graph.append(node(operator, names, results, **attributes))
        for name in filter(None, results):
            graph += [node("Cast", [name], ["as_" + name], to=1), field(12, port("as_" + name, 1, 0))]
    graph.append(graph[-1])
    opsets = field(8, field(1, "") + field(2, 19)) + field(8, field(1, "com.microsoft") + field(2, 1))
    path.write_bytes(field(1, 8) + field(7, b"".join(reversed(graph))) + opsets)


NAMES = ["as_" + name for i, case in enumerate(CASES) for name in results_of(i, case[-1]) if name]


def write_table():
    import numpy
    import onnxruntime

    path = pathlib.Path("fused.onnx")
    write_model(path)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    path.unlink()
    for name, y in zip(NAMES, session.run(NAMES, {"x": numpy.array(X, "f")})):
        print(name, *(f"{v:.7g}" for v in y.ravel().tolist()))


# ---- the test ----


def read_table():
    lines = [line.split() for line in TABLE.read_text().splitlines()]
    return {name: [float(y) for y in golden] for name, *golden in lines}


def check(device, name, ours, want):
    operator = CASES[int(name.split("_")[1][1:])][0]
    assert len(ours) == len(want), f"{device}, {operator}, {name}: {len(ours)} numbers"
    for y, z in zip(ours, want):
        assert abs(y - z) <= ROUNDED.get(operator, 2e-5) * max(1, abs(z)), f"{device}, {operator}, {name}: {ours}, not {want}"


def main():
    tenon, folder, golden = sys.argv[1], pathlib.Path(sys.argv[2]), read_table()
    folder.mkdir(parents=True, exist_ok=True)
    model, given_x = folder / "fused.onnx", folder / "x.npy"
    write_model(model)
    write_array(given_x, X, 1)
    assert list(golden) == NAMES, f"{TABLE} is of other cases"
    for device in sys.argv[3:]:
        command = [tenon, "predict", "--device", device, "--model", str(model), str(given_x), "--out", str(folder / "y.npy")]
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        for name, want in golden.items():
            check(device, name, read_array(folder / f"y.{name}.npy"), want)
    print(f"{len(CASES)} cases on {len(sys.argv) - 3} devices")


if __name__ == "__main__":
    main() if len(sys.argv) > 1 else write_table()
