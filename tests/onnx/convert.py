"""convert.py: `tenon convert` beside `tenon predict`: models of every kind of data, trained a little, converted, and run
by ONNX Runtime on the samples as they are in the file, missing values and all.

usage: convert.py TENON FOLDER. Without onnx, onnxruntime and numpy it only looks at what the command says (77)."""

import itertools
import pathlib
import random
import struct
import subprocess
import sys
import zipfile

TENON, FOLDER = sys.argv[1], pathlib.Path(sys.argv[2])
NEAR = 1e-5  # of the largest output


def tenon(*words, fails=False):
    done = subprocess.run([TENON, *map(str, words)], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert (done.returncode != 0) == fails, (words, done.returncode, done.stderr)
    return done.stderr


def table(name, target, classes=0):
    """Columns of different sizes, some numbers missing."""
    path = FOLDER / f"{name}.csv"
    lines = ["a,b,c," + target]
    for _ in range(60):
        row = [random.uniform(-3, 3), random.uniform(100, 900), random.gauss(0, 1e-2)]
        y = row[0] + row[1] / 300 + random.gauss(0, 0.1)
        text = [f"{x:.6g}" if random.random() > 0.05 else "" for x in row]
        lines.append(",".join(text + [f"kind {int(y) % classes}" if classes else f"{50 + 9 * y:.6g}"]))
    path.write_text("\n".join(lines) + "\n")
    return path


def samples_of(numpy, path):
    rows = [line.split(",")[:3] for line in path.read_text().splitlines()[1:]]
    return numpy.array([[float(x) if x else float("nan") for x in row] for row in rows], numpy.float32)


def train(name, data, *words):
    model = FOLDER / f"{name}.safetensors"
    tenon("train", "--data", data, "--epochs", 2, "--device", "reference", "--save", model, *words)
    tenon("convert", model, FOLDER / f"{name}.onnx")
    return model


def cases(numpy):
    """Name, model, what predict is given, the same as an array."""
    for scale in ("none", "minmax", "standard", "unit"):
        kinds, prices = table(f"kinds_{scale}", "kind", 3), table(f"prices_{scale}", "price")
        words = ("--scale", scale, "--net", "linear 6, tanh, linear outputs")
        yield f"kinds_{scale}", train(f"kinds_{scale}", kinds, "--target", "kind", *words), kinds
        yield f"prices_{scale}", train(f"prices_{scale}", prices, "--target", "price", "--loss", "mse", *words), prices
    pictures = FOLDER / "pictures.npy"
    numpy.save(pictures, numpy.random.randint(0, 256, (5, 1, 28, 28), numpy.uint8))
    net = "conv 4 5x5 stride 3, batch_norm, relu, flatten, linear outputs"
    yield "digits", train("digits", "digits:60", "--net", net), pictures
    tokens = FOLDER / "tokens.npz"
    x = numpy.random.randint(0, 12, (40, 6)).astype(numpy.float32)
    numpy.savez(tokens, x=x, y=(x[:, 0] > 5).astype(numpy.int32))
    numpy.save(FOLDER / "tokens.npy", x)
    net = "embedding 12 8, position, transformer 2 causal 1, mean_steps, linear outputs"
    yield "tokens", train("tokens", tokens, "--net", net), FOLDER / "tokens.npy"


def sequences(numpy):
    """Networks drawn at random, over data with and without a channel of 1; the same of floating-point pictures."""
    for i, layer in enumerate(("lstm", "gru", "rnn", "transformer", "conv")):
        steps, numbers, channel = random.randint(3, 9), 2 * random.randint(1, 4), i % 2 and [1]
        shape = [*(channel or []), steps, numbers]
        net = {
            "transformer": f"transformer {random.choice([1, 2])}, mean_steps, linear outputs",
            "conv": f"conv {random.randint(2, 5)} 3x1, relu, flatten, linear outputs",
        }.get(layer, f"{layer} {random.randint(2, 6)}, last, linear outputs")
        for kind, sizes in (("as", shape), ("other", [steps, numbers] if channel else [1, steps, numbers])):
            name = f"{layer}_{kind}"
            x = numpy.random.randn(40, *sizes).astype(numpy.float32)
            numpy.savez(FOLDER / f"{name}.npz", x=x, y=numpy.arange(40) % 3)
            numpy.save(FOLDER / f"{name}.npy", x[:5])
            yield name, train(name, FOLDER / f"{name}.npz", "--net", net), FOLDER / f"{name}.npy"


def bytes_stay(numpy, onnx, runtime, path, x, want):
    """By way of a file of weights, and without it, pictures of bytes are still such."""
    again, other = FOLDER / "again.onnx", FOLDER / "between.safetensors"
    for steps in ((path, other, again), (path, again)):
        for a, b in itertools.pairwise(steps):
            tenon("convert", a, b)
        onnx.checker.check_model(onnx.load(again), full_check=True)
        session = runtime.InferenceSession(again, providers=["CPUExecutionProvider"])
        assert session.get_inputs()[0].type == "tensor(uint8)", steps
        assert abs(session.run(None, {"x": x})[-1] - want).max() <= NEAR * abs(want).max(), steps


def compare(numpy, onnx, runtime, name, model, given):
    path = FOLDER / f"{name}.onnx"
    proto = onnx.load(path)
    onnx.checker.check_model(proto, full_check=True)
    tenon("predict", "--model", model, "--device", "reference", "--out", FOLDER / "y.npy", given)
    want = numpy.load(FOLDER / "y.npy")
    x = numpy.load(given) if given.suffix == ".npy" else samples_of(numpy, given)
    options = runtime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    session = runtime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    got = session.run(None, {"x": x})[-1]
    apart = float(abs(got - want.reshape(got.shape)).max() / abs(want).max())
    for opset in (20, 23) if name == "tokens" else ():
        newer = FOLDER / "newer.onnx"
        tenon("convert", "--opset", opset, model, newer)
        onnx.checker.check_model(onnx.load(newer), full_check=True)
        again = runtime.InferenceSession(newer, options, providers=["CPUExecutionProvider"]).run(None, {"x": x})[-1]
        assert abs(again - got).max() <= NEAR * abs(want).max(), opset
    if name == "digits":
        bytes_stay(numpy, onnx, runtime, path, x, got)
    notes = {p.key: p.value for p in proto.metadata_props}
    print(f"{name:16} {apart:.1e} {[o.name for o in session.get_outputs()]} {sorted(notes)}")
    assert apart <= NEAR and notes["net"] and notes["loss"], name
    if name.startswith("kinds"):
        assert sorted(notes["classes"].split()) == sorted("kind 0 kind 1 kind 2".split())
        assert notes["columns"].split() == ["a", "b", "c"]


def npy(shape, kind, values):
    head = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {tuple(shape)}, }}\n".encode()
    code = {"<f4": "f", "<i4": "i"}[kind]
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + struct.pack(f"<{len(values)}{code}", *values)


def outputs_of(path):
    data = path.read_bytes()
    start = 10 + struct.unpack("<H", data[8:10])[0]
    return struct.unpack(f"<{(len(data) - start) // 4}f", data[start:])


def channels():
    """Data without a channel and with one: what is exported takes it as it is, and the command takes both."""
    x = [random.gauss(0, 1) for _ in range(40 * 7 * 4)]
    files = {}
    for name, shape in (("without", (7, 4)), ("with", (1, 7, 4))):
        with zipfile.ZipFile(FOLDER / f"{name}.npz", "w") as file:
            file.writestr("x.npy", npy((40, *shape), "<f4", x))
            file.writestr("y.npy", npy((40,), "<i4", [i % 3 for i in range(40)]))
        files[name] = FOLDER / f"{name}.npy"
        files[name].write_bytes(npy((2, *shape), "<f4", x[: 2 * 28]))
    wrong = FOLDER / "wrong.npy"
    wrong.write_bytes(npy((2, 4, 7), "<f4", x[: 2 * 28]))
    for name, declared in (("without", "(batch, 7, 4)"), ("with", "(batch, 1, 7, 4)")):
        model = train(f"channel_{name}", FOLDER / f"{name}.npz", "--net", "gru 3, last, linear outputs")
        onnx, y = model.with_suffix(".onnx"), FOLDER / "y.npy"
        said = subprocess.run([TENON, "info", onnx], capture_output=True, text=True).stdout
        assert f"float {declared}" in said, said
        tenon("predict", "--model", model, "--device", "reference", "--out", y, files[name])
        want = outputs_of(y)
        assert len(want) == 6
        for given in files.values():
            tenon("predict", "--model", onnx, "--device", "reference", "--out", FOLDER / "both.npy", given)
            got = outputs_of(FOLDER / "both.probabilities.npy")
            assert max(abs(a - b) for a, b in zip(want, got, strict=True)) <= NEAR, (name, given)
        assert declared in tenon("predict", "--model", onnx, wrong, fails=True)
        for data in ("without", "with"):
            tenon("eval", "--model", onnx, "--data", FOLDER / f"{data}.npz", "--device", "reference")


def refusals():
    """What is typed wrong, and what cannot be written or read."""
    model = train("plain", table("plain", "price"), "--target", "price", "--loss", "mse", "--net", "linear outputs")
    assert "end in .onnx" in tenon("convert", model, FOLDER / "x.txt", fails=True)
    assert "needs a model" in tenon("convert", model, fails=True)
    assert "opset" in tenon("convert", "--opset", 17, model, FOLDER / "x.onnx", fails=True)
    assert "folder" in tenon("convert", model, FOLDER / "none" / "x.onnx", fails=True)
    assert "missing" in tenon("convert", FOLDER / "missing.safetensors", FOLDER / "x.onnx", fails=True)
    assert not (FOLDER / "x.onnx").exists()


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    random.seed(5)
    refusals()
    channels()
    try:
        import numpy
        import onnx
        import onnxruntime
    except ImportError as missing:
        print(f"skipped: {missing}")
        return 77
    numpy.random.seed(5)
    for name, model, given in itertools.chain(cases(numpy), sequences(numpy)):
        compare(numpy, onnx, onnxruntime, name, model, given)
    return 0


sys.exit(main())
