"""save.py: files of tn_onnx_save: onnx.checker and shape inference accept them, and ONNX Runtime gives what we give.

usage: save.py PROGRAM FOLDER: PROGRAM writes into FOLDER. Skipped (77) without onnx and onnxruntime."""

import pathlib
import subprocess
import sys

try:
    import numpy
    import onnx
    import onnxruntime
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

NEAR = 1e-5  # of the largest output


def check_names(model):
    """Every value is made once, before it is used, and has a name that says something."""
    known = {i.name for i in model.graph.input} | {i.name for i in model.graph.initializer}
    for node in model.graph.node:
        assert node.name, node
        assert all(not i or i in known for i in node.input), node
        assert not known & set(node.output), node
        known |= set(node.output)


def kind(value):
    return onnx.helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)


def feed(model, data):
    """One after another; of those with a batch there is one, which is all."""
    inputs, at = {}, 0
    for value in model.graph.input:
        dims = [d.dim_value if d.HasField("dim_value") else -1 for d in value.type.tensor_type.shape.dim]
        count = -1 if -1 in dims else int(numpy.prod(dims))
        inputs[value.name] = numpy.frombuffer(data, kind(value), count, at).reshape(dims)
        at += inputs[value.name].nbytes
    return inputs


def difference(path):
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
    check_names(model)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    x = feed(model, path.with_suffix(".x").read_bytes())
    want = numpy.frombuffer(path.with_suffix(".y").read_bytes(), kind(model.graph.output[0]))
    got = session.run(None, x)[0]
    declared = [d.dim_value for d in model.graph.output[0].type.tensor_type.shape.dim]
    assert got.dtype == want.dtype, (got.dtype, want.dtype)
    assert len(declared) == got.ndim and all(not d or d == g for d, g in zip(declared, got.shape)), (declared, got.shape)
    worst = apart(got.ravel(), want)
    if not path.stem.startswith("op_"):
        assert model.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch", "no batch"
        one = session.run(None, {k: v[1:2] for k, v in x.items()})[0]  # another than both that it was made of
        worst = max(worst, apart(one.ravel(), got[1:2].ravel()))
    return worst, len(model.graph.node)


def apart(a, b):
    same = (a == b) | (numpy.isnan(a) & numpy.isnan(b))
    scale = max([abs(x) for x in b if numpy.isfinite(x)] + [1e-3])
    with numpy.errstate(invalid="ignore"):
        return float(max(numpy.where(same, 0, abs(a - b)).max(initial=0) / scale, 0)) if a.shape == b.shape else 9


def main():
    program, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.onnx"):
        old.unlink()
    failed = subprocess.run([program, folder]).returncode
    files = sorted(folder.glob("*.onnx"))
    for path in files:
        try:
            worst, nodes = difference(path)
            print(f"{path.stem:24} {worst:.1e} {nodes:5} nodes")
            failed |= not worst <= NEAR
        except Exception as error:
            print(f"{path.stem:24} {type(error).__name__}: {str(error)[:1500]}")
            failed = 1
    return 1 if failed or len(files) < 50 else 0


sys.exit(main())
