#!/usr/bin/env python3
"""Matrix products: Tenon's on cpu, also without matrix units and with less precision, and `tenon bench op matmul` on other
devices, against OpenBLAS, oneDNN and CLBlast, in alternating rounds; prints a Markdown table of GFLOP/s, with the error of
each beside it, and the geometric means of the ratios to oneDNN. See ../README.md."""
import argparse
import math
import os
import statistics
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import contest  # noqa: E402

SHAPES = [  # m x n x k; :tn and :nt are the products of a backward pass
    "64x64x64", "128x128x128", "512x512x512", "1024x1024x1024",
    "128x100x784", "128x512x784", "256x512x784", "128x10x512", "256x1024x1024", "32x36864x25", "64x4096x800", "16x65536x144",
    "784x512x128:tn", "128x512x512:nt", "64x800x4096:nt",
]


def contestants(o, shape):
    found = {}
    sizes, _, how = shape.partition(":")
    for name, words in (("cpu", ""), ("cpu avx512", "avx512"), ("cpu f32-fast", "f32-fast"), ("cpu bf16", "bf16")):
        if name.split()[0] in o.devices:
            found[f"tenon {name}"] = [os.path.join(o.build, "gemm_tenon"), shape, str(o.seconds)] + words.split()
    for device in o.devices if not how else []:  # `bench op matmul` has no transposes
        if device != "cpu":
            found[f"tenon {device}"] = [o.tenon, "bench", "op", "matmul", sizes, "--device", device, "--json",
                                        "--seconds", str(o.seconds)]
    for name in ("cblas", "dnnl", "clblast"):
        program = os.path.join(o.build, f"gemm_{name}")
        if os.access(program, os.X_OK):
            found[name] = [program, shape, str(o.seconds)]
    return found


def cell(said):
    """Median, lowest and highest speed; the error."""
    if not said:
        return "–"
    speed = sorted(one["gflops"] for one in said)
    error = f", {said[0]['error']:.0e}" if "error" in said[0] else ""
    return f"{statistics.median(speed):.0f} ({speed[0]:.0f}–{speed[-1]:.0f}){error}"


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    root = os.path.join(HERE, "../..")
    arguments.add_argument("--tenon", default=os.path.join(root, "build/release/bin/tenon"))
    arguments.add_argument("--build", default=os.path.join(root, "build/bench"), help="where the programs were built")
    arguments.add_argument("--devices", nargs="*", default=["cpu", "opencl:0"])
    arguments.add_argument("--shapes", nargs="+", default=SHAPES)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--seconds", type=float, default=0.05, help="that one piece of a measurement takes")
    arguments.add_argument("--threads", type=int, default=2)
    o = arguments.parse_args()
    columns = list(contestants(o, "1x1x1"))
    print(f"| m x n x k | {' | '.join(columns)} |\n| --- |{' --- |' * len(columns)}", flush=True)
    ratios = {c: [] for c in columns}
    for shape in o.shapes:
        said = contest.answers(contestants(o, shape), o.rounds, contest.environment(o.threads))
        speed = {c: statistics.median(one["gflops"] for one in said[c]) for c in columns if said.get(c)}
        for c in speed if "dnnl" in speed else ():
            ratios[c].append(math.log(speed[c] / speed["dnnl"]))
        print(f"| {shape} | {' | '.join(cell(said.get(c)) for c in columns)} |", flush=True)
    means = (f"{math.exp(statistics.mean(ratios[c])):.2f}" if ratios[c] else "–" for c in columns)
    print(f"| of oneDNN | {' | '.join(means)} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
