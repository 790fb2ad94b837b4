"""draw.py: models of one operator whose attributes, shapes, types, opset and numbers are drawn at random, each as a
folder of the form that ONNX's own tests have, with the outputs that ONNX Runtime computes or, where it has no such
kernel, onnx.reference; then onnx_tests compares.

usage: draw.py ONNX_TESTS FOLDER [COUNT [SEED [DEVICE...]]] [--only OPERATOR] [--both]

--both leaves out what the two do not agree about, and says how often that was. Without onnx and onnxruntime 77."""

import argparse
import pathlib
import shutil
import subprocess
import sys

FIRST, LAST = 7, 23


def is_near(numpy, a, b):
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    rtol, atol = tolerance_of(numpy, [a])
    with numpy.errstate(all="ignore"):
        return numpy.allclose(a.astype(numpy.float64), b.astype(numpy.float64), rtol, atol, equal_nan=True)


def tolerance_of(numpy, outputs):
    """Sums differ by roundings: relative to the largest number of a result."""
    most, step = 0.0, 0.0
    for y in outputs:
        if y.dtype.kind == "f" and y.size:
            finite = numpy.abs(y[numpy.isfinite(y)].astype(numpy.float64))
            most = max(most, finite.max() if finite.size else 0)
            step = max(step, 4e-3 if y.dtype == numpy.float16 else 1e-5)
    return (4e-3 if step > 1e-3 else 1e-4), most * step


class Peers:
    """What others compute for a model; None: they cannot."""

    def __init__(self):
        import numpy
        import onnx
        import onnxruntime
        from onnx.reference import ReferenceEvaluator

        self.numpy, self.onnx, self.runtime, self.evaluator = numpy, onnx, onnxruntime, ReferenceEvaluator
        onnxruntime.set_default_logger_severity(4)

    def by_runtime(self, model, feeds):
        try:
            options = self.runtime.SessionOptions()
            options.intra_op_num_threads = 1
            options.graph_optimization_level = self.runtime.GraphOptimizationLevel.ORT_DISABLE_ALL
            session = self.runtime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])
            return session.run(None, feeds)
        except Exception:  # of many kinds, one for each reason that it has
            return None

    def by_reference(self, model, feeds):
        try:
            with self.numpy.errstate(all="ignore"):
                return [self.numpy.asarray(y) for y in self.evaluator(model).run(None, feeds)]
        except Exception:
            return None


def model_of(onnx, case):
    """The case as a model; constants are initializers, or stand in nodes."""
    helper, numpy_helper = onnx.helper, onnx.numpy_helper
    inputs, initializers, nodes, names = [], [], [], []
    for i, operand in enumerate(case.operands):
        name = "" if operand is None else f"in{i}"
        names.append(name)
        if not name:
            continue
        array, kind = operand
        if kind == "fed":
            kept = helper.np_dtype_to_tensor_dtype(array.dtype)
            inputs.append(helper.make_tensor_value_info(name, kept, array.shape))
        elif kind == "initializer":
            initializers.append(numpy_helper.from_array(array, name))
        else:
            nodes.append(helper.make_node("Constant", [], [name], value=numpy_helper.from_array(array, name)))
    outputs = [f"out{i}" if wanted else "" for i, wanted in enumerate(case.outputs)]
    node = helper.make_node(case.operator, names, outputs, name="it", **case.attributes)
    graph = helper.make_graph(
        nodes + [node], "drawn", inputs, [onnx.ValueInfoProto(name=y) for y in outputs if y], initializers
    )
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", case.opset)], ir_version=8 if case.opset < 21 else 10
    )


def declare(peers, model, outputs):
    helper = peers.onnx.helper
    for value, y in zip(model.graph.output, outputs):
        kind = helper.np_dtype_to_tensor_dtype(y.dtype)
        value.CopyFrom(helper.make_tensor_value_info(value.name, kind, y.shape))


def write(peers, folder, model, feeds, outputs):
    onnx, numpy = peers.onnx, peers.numpy
    data = folder / "test_data_set_0"
    data.mkdir(parents=True)
    onnx.save(model, folder / "model.onnx")
    for i, value in enumerate(model.graph.input):
        (data / f"input_{i}.pb").write_bytes(onnx.numpy_helper.from_array(feeds[value.name]).SerializeToString())
    for i, y in enumerate(outputs):
        (data / f"output_{i}.pb").write_bytes(onnx.numpy_helper.from_array(y).SerializeToString())
    rtol, atol = tolerance_of(numpy, outputs)
    (folder / "tolerance").write_text(f"{rtol} {atol}\n")


def fits(numpy, arrays):
    """Whole numbers that are i32 here."""
    for x in arrays:
        if x.dtype.kind in "iu" and x.size and (int(x.max()) > 2**31 - 1 or int(x.min()) < -(2**31)):
            return False
    return True


def make(peers, case, folder, both):
    """Writes the case; returns why not, or an empty text."""
    model = model_of(peers.onnx, case)
    feeds = {f"in{i}": x[0] for i, x in enumerate(case.operands) if x is not None and x[1] == "fed"}
    outputs = peers.by_runtime(model, feeds)
    other = peers.by_reference(model, feeds) if both or outputs is None else None
    if outputs is None:
        outputs, other = other, None
    if outputs is None:
        return "nobody computes it"
    if other is not None and not all(is_near(peers.numpy, a, b) for a, b in zip(outputs, other)):
        return "they do not agree"
    if not fits(peers.numpy, [*feeds.values(), *outputs]):
        return "beyond i32"
    declare(peers, model, outputs)
    try:
        peers.onnx.checker.check_model(model, full_check=True)
    except Exception as why:
        return f"not valid: {str(why).strip().splitlines()[0]}"
    write(peers, folder, model, feeds, outputs)
    return ""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tests")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("count", type=int, nargs="?", default=500)
    parser.add_argument("seed", type=int, nargs="?", default=1)
    parser.add_argument("devices", nargs="*", default=["reference", "cpu"])
    parser.add_argument("--only")
    parser.add_argument("--both", action="store_true")
    given = parser.parse_args()
    try:
        peers = Peers()
    except ImportError:
        print("draw.py: no onnx or onnxruntime")
        return 77
    import drawn  # beside this file

    shutil.rmtree(given.folder, ignore_errors=True)
    left_out, made = {}, 0
    for i in range(given.count):
        case = drawn.draw(peers.numpy, peers.onnx, given.seed * 1000003 + i, FIRST, LAST, given.only)
        why = make(peers, case, given.folder / f"{case.operator}_{case.opset}_{i}", given.both)
        made += not why
        if why:
            key = (case.operator, why)
            left_out[key] = left_out.get(key, 0) + 1
    for (operator, why), times in sorted(left_out.items()):
        print(f"left out: {operator}, {times} times: {why}")
    print(f"{made} models of {given.count}")
    done = [subprocess.run([given.tests, "-d", device, str(given.folder)], check=False) for device in given.devices]
    return max(one.returncode for one in done)


if __name__ == "__main__":
    sys.exit(main())
