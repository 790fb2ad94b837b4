"""narrow.py: floating point of eight bits and fewer, by Cast there and back through `tenon predict`, is what the package
ml_dtypes makes of the same numbers (GOLDEN, written by its astype).

usage: narrow.py TENON FOLDER DEVICE..."""

import math
import pathlib
import subprocess
import sys

from files import attribute, field, port, read_array, write_array

TENON, FOLDER = sys.argv[1], pathlib.Path(sys.argv[2])
inf, nan = math.inf, math.nan

# Drawn numbers, and what lies on borders: between the largest and what follows it, and between two neighbours.
X = [0.0285430718, -6304.42383, 61.3160934, 0.0043523265, 10799.1045, 0.385629237, 7484.45117, 1.93748519e-06,
     -8457.90332, 1188.83313, 0.864213705, -0.178419679, -0.00193206116, 0.000702578807, 0, inf, -inf, nan, 464, 465,
     248, 61440, -57345, 0.4375, 2.5, 3.5, -7]  # fmt: skip
GOLDEN = {
    17: [0.029296875, nan, 60, 0.00390625, nan, 0.375, nan, 0, nan, nan, 0.875, -0.171875, -0.001953125, 0, 0, nan, nan,
         nan, 448, nan, 256, nan, nan, 0.4375, 2.5, 3.5, -7],
    18: [0.029296875, nan, 60, 0.00390625, nan, 0.375, nan, 0, nan, nan, 0.875, -0.171875, -0.001953125, 0.0009765625,
         0, nan, nan, nan, nan, nan, nan, nan, nan, 0.4375, 2.5, 3.5, -7],
    19: [0.02734375, -6144, 64, 0.00390625, 10240, 0.375, 7168, 0, -8192, 1280, 0.875, -0.1875, -0.001953125,
         0.000732421875, 0, inf, -inf, nan, 448, 448, 256, inf, -57344, 0.4375, 2.5, 3.5, -7],
    20: [0.02734375, -6144, 64, 0.00390625, 10240, 0.375, 7168, 0, -8192, 1280, 0.875, -0.1875, -0.001953125,
         0.000732421875, 0, nan, nan, nan, 448, 448, 256, nan, -57344, 0.4375, 2.5, 3.5, -7],
    23: [0, -6, 6, 0, 6, 0.5, 6, 0, -6, 6, 1, -0, -0, 0, 0, 6, -6, -0, 6, 6, 6, 6, -6, 0.5, 2, 4, -6],
}  # fmt: skip
LARGEST = {17: 448, 18: 240, 19: 57344, 20: 57344, 23: 6}


def write_model(path, to, saturate):
    there = field(1, "x") + field(2, "small") + field(4, "Cast") + field(5, attribute("to", to))
    there += field(5, attribute("saturate", saturate))
    back = field(1, "small") + field(2, "y") + field(4, "Cast") + field(5, attribute("to", 1))
    graph = field(1, there) + field(1, back) + field(2, "g")
    graph += field(11, port("x", 1, len(X))) + field(12, port("y", 1, 0))
    path.write_bytes(field(1, 10) + field(7, graph) + field(8, field(1, "") + field(2, 23)))


def predicted(device, to, saturate):
    model, given, out = FOLDER / "cast.onnx", FOLDER / "x.npy", FOLDER / "y.npy"
    write_model(model, to, saturate)
    write_array(given, [X], 1)
    command = [TENON, "predict", "--device", device, "--model", str(model), str(given), "--out", str(out)]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return read_array(out)


def held(x, y, to):
    """With saturate, what is beyond the largest becomes it."""
    return y if abs(x) <= LARGEST[to] or math.isnan(x) else math.copysign(LARGEST[to], x)


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    for device in sys.argv[3:]:
        for to, golden in GOLDEN.items():
            for saturate in (0, 1):
                want = [held(x, y, to) for x, y in zip(X, golden)] if saturate else golden
                for x, y, z in zip(X, predicted(device, to, saturate), want):
                    same = y == z or (math.isnan(y) and math.isnan(z))
                    assert same, f"{device}, type {to}, saturate {saturate}: {x} becomes {y}, not {z}"
    print(f"{len(GOLDEN)} types on {len(sys.argv) - 3} devices")


if __name__ == "__main__":
    main()
