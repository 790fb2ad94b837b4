"""resize.py: Resize with antialias and of the nearest elements, by `tenon predict`, gives what ONNX Runtime gives:
lines of so many elements to so many, one among them, by each way of placing them and of rounding.

usage: resize.py TENON FOLDER DEVICE...
       resize.py > resize.txt      draws the cases and writes them, with ONNX Runtime (last by its version 1.32.0)"""

import pathlib
import random
import subprocess
import sys

from files import attribute, field, initializer, port, read_array, write_array

TABLE = pathlib.Path(__file__).with_name("resize.txt")
COLUMNS = 15
X = [[(i * 7919 % 41 - 20) / 8 for i in range(row * 9, row * 9 + COLUMNS)] for row in range(2)]
MODES = ("linear", "cubic")
NEAREST = ("floor", "ceil", "round_prefer_floor", "round_prefer_ceil")
OLD = "opset_10"  # it rounds by whether there are fewer elements than before
WAYS = ("half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "asymmetric", "align_corners")


# Places that f32 puts beside the middle of two elements, or beside an element.
MIDDLES = ((7, 8, "round_prefer_ceil", "asymmetric"), (7, 4, "round_prefer_ceil", "asymmetric"),
           (13, 7, "floor", "align_corners"), (11, 13, "ceil", "align_corners"),
           (11, 13, "round_prefer_floor", "align_corners"))  # fmt: skip


def attributes(mode, way, exclude):
    if mode == OLD:
        return {"mode": "nearest"}
    if mode in NEAREST:
        return {"mode": "nearest", "nearest_mode": mode, "coordinate_transformation_mode": way}
    return {"mode": mode, "coordinate_transformation_mode": way, "exclude_outside": int(exclude), "antialias": 1}


def opset(mode):
    return 10 if mode == OLD else 18


def factor(count, size):
    """So many times as many, which rounded down are the size."""
    return (size + 0.25) / count


# ---- the table ----


def of_runtime(count, size, mode, way, exclude):
    import numpy as np
    import onnx
    import onnxruntime

    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    x = np.array(X, "f")[None, None, :, :count]
    operands = ["x", "sizes"] if mode == OLD else ["x", "", "", "sizes"]
    node = helper.make_node("Resize", operands, ["y"], **attributes(mode, way, exclude))
    ports = [[helper.make_tensor_value_info(name, kind, None if name == "y" else x.shape)] for name in "xy"]
    sizes = np.array([1, 1, 1, factor(count, size)], "f") if mode == OLD else np.array([1, 1, len(X), size])
    sizes = onnx.numpy_helper.from_array(sizes, "sizes")
    graph = helper.make_graph([node], "g", *ports, [sizes])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset(mode))], ir_version=9)
    return onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x": x})[0].ravel().tolist()


def write_table():
    """Each way to one element, from one, to fewer and to what is drawn."""
    draw = random.Random(1).randint
    for mode in MODES:
        for way in WAYS:
            for count, size in ((draw(2, 9), 1), (1, draw(1, 4)), (9, draw(2, 4)), (draw(2, 9), draw(2, 9))):
                case = (count, size, mode, way, draw(0, 1))
                print(*case, *(f"{y:.7g}" for y in of_runtime(*case)))
    nearest = [(draw(2, 15), draw(2, 15), mode, way) for mode in NEAREST for way in WAYS]
    old = [(*sizes, OLD, "asymmetric") for sizes in ((4, 2), (9, 4), (3, 7), (13, 8))]
    for case in (*nearest, *MIDDLES, *old):
        print(*case, 0, *(f"{y:.7g}" for y in of_runtime(*case, 0)))


# ---- the test ----


def read_table():
    lines = [line.split() for line in TABLE.read_text().splitlines()]
    return [(int(count), int(size), mode, way, exclude, [float(y) for y in golden])
            for count, size, mode, way, exclude, *golden in lines]  # fmt: skip


def node(operator, operands, result, **attribute_of):
    return field(1, b"".join(field(1, name) for name in operands) + field(2, result) + field(4, operator) +
                 b"".join(field(5, attribute(k, v)) for k, v in attribute_of.items()))  # fmt: skip


def whole(name, n):
    """A list of one number that operands are known by."""
    return field(5, field(1, 1) + initializer(name, 7, [n]))


def resized(i, count, size, how):
    if how[0] == OLD:
        scales = field(5, initializer(f"size{i}", 1, [1.0, factor(count, size)]))
        return scales + node("Resize", [f"x{i}", f"size{i}"], f"y{i}", **attributes(*how))
    sizes = whole(f"size{i}", size)
    return sizes + node("Resize", [f"x{i}", "", "", f"size{i}"], f"y{i}", axes=[1], **attributes(*how))


def write_model(path, cases):
    """All cases of one opset at once: each of the first columns of x, and the results one beside the other."""
    graph, results = field(2, "g") + field(11, port("x", 1, COLUMNS)) + field(12, port("y", 1, 0)), []
    graph += whole("zero", 0) + whole("one", 1)
    for i, (count, size, *how, _) in enumerate(cases):
        graph += whole(f"count{i}", count)
        graph += node("Slice", ["x", "zero", f"count{i}", "one"], f"x{i}")
        graph += resized(i, count, size, how)
        results.append(f"y{i}")
    graph += node("Concat", results, "y", axis=1)
    path.write_bytes(field(1, 9) + field(7, graph) + field(8, field(1, "") + field(2, opset(cases[0][2]))))


def predicted(tenon, folder, device, cases):
    """Of each case the elements, row after row."""
    model, given, out = folder / "resize.onnx", folder / "x.npy", folder / "y.npy"
    write_model(model, cases)
    write_array(given, X, 1)
    command = [tenon, "predict", "--device", device, "--model", str(model), str(given), "--out", str(out)]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    flat, at, width = read_array(out), 0, sum(case[1] for case in cases)
    for _, size, *_ in cases:
        yield [flat[row * width + at + i] for row in range(len(X)) for i in range(size)]
        at += size


def compare(device, cases, results):
    for case, ours in zip(cases, results):
        assert len(ours) == len(case[-1]), f"{device}, {case}: {ours}"
        for y, z in zip(ours, case[-1]):
            assert abs(y - z) <= 2e-5, f"{device}, {case[:-1]}: {y}, not {z}"


def main():
    tenon, folder, cases = sys.argv[1], pathlib.Path(sys.argv[2]), read_table()
    folder.mkdir(parents=True, exist_ok=True)
    old = [case for case in cases if case[2] == OLD]
    assert len(cases) - len(old) == (4 * len(MODES) + len(NEAREST)) * len(WAYS) + len(MIDDLES), f"{TABLE}: {len(cases)}"
    for device in sys.argv[3:]:
        for group in ([case for case in cases if case[2] != OLD], old):
            compare(device, group, predicted(tenon, folder, device, group))
    print(f"{len(cases)} cases on {len(sys.argv) - 3} devices")


if __name__ == "__main__":
    main() if len(sys.argv) > 1 else write_table()
