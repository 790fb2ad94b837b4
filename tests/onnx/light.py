"""light.py: the networks that the package onnx has without their weights' numbers ("light": AlexNet, DenseNet, Inception,
ResNet, ShuffleNet, SqueezeNet, VGG, ZFNet), with the outputs that it has for them, by onnx_tests.

usage: light.py ONNX_TESTS FOLDER [DEVICE...]

77 without the package."""

import pathlib
import shutil
import subprocess
import sys

NETWORKS = 9


def write_case(onnx, numpy, path, folder):
    """The input is what the package's own runner takes: all the numbers of a line from 0 to 1."""
    model = onnx.load(path)
    weights = {t.name for t in model.graph.initializer}
    inputs = [x for x in model.graph.input if x.name not in weights]
    place = folder / "test_data_set_0"
    place.mkdir(parents=True)
    shutil.copy(path, folder / "model.onnx")
    for i, x in enumerate(inputs):
        shape = [d.dim_value for d in x.type.tensor_type.shape.dim]
        count = int(numpy.prod(shape))
        value = (numpy.arange(count).reshape(shape) / count).astype("f4")
        (place / f"input_{i}.pb").write_bytes(onnx.numpy_helper.from_array(value).SerializeToString())
    for i in range(len(model.graph.output)):
        shutil.copy(path.with_name(f"{path.stem}_output_{i}.pb"), place / f"output_{i}.pb")


def main():
    try:
        import numpy
        import onnx
        import onnx.backend.test.case.model as model
    except ImportError:
        sys.exit(77)
    tests, work = sys.argv[1], pathlib.Path(sys.argv[2])
    shutil.rmtree(work, ignore_errors=True)
    data = pathlib.Path(onnx.backend.test.__file__).parent / "data" / "light"
    allowed = {t.model_name: f"{t.rtol} {t.atol}\n" for t in model.collect_testcases()}
    for path in sorted(data.glob("light_*.onnx")):
        write_case(onnx, numpy, path, work / path.stem)
        (work / path.stem / "tolerance").write_text(allowed[path.stem.removeprefix("light_")])
    for device in sys.argv[3:] or ["cpu"]:
        done = subprocess.run([tests, "-v", "-d", device, str(work)], capture_output=True, text=True)
        print(done.stdout, end="")
        if f"{device}: {NETWORKS} passed, 0 wrong, 0 missing, 0 not applicable" not in done.stdout:
            sys.exit(f"{device}: not all of the {NETWORKS} networks agree")


if __name__ == "__main__":
    main()
