#!/usr/bin/env python3
"""Matrix products: `tenon bench op matmul` on each device against OpenBLAS, oneDNN and CLBlast, in alternating rounds;
prints a Markdown table of GFLOP/s. See ../README.md."""
import argparse
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import contest  # noqa: E402

SHAPES = [  # m x n x k; :tn and :nt are the products of a backward pass
    "64x64x64", "128x128x128", "512x512x512", "1024x1024x1024",
    "128x100x784", "128x512x784", "128x10x512", "32x36864x25", "64x4096x800", "16x65536x144",
    "784x512x128:tn", "128x512x512:nt", "64x800x4096:nt",
]


def contestants(o, shape):
    found = {}
    sizes, _, how = shape.partition(":")
    for device in o.devices if not how else []:  # `bench op matmul` has no transposes
        found[f"tenon {device}"] = [o.tenon, "bench", "op", "matmul", sizes, "--device", device, "--json", "--seconds",
                                    str(o.seconds)]
    for name in ("cblas", "dnnl", "clblast"):
        program = os.path.join(o.build, f"gemm_{name}")
        if os.access(program, os.X_OK):
            found[name] = [program, shape, str(o.seconds)]
    return found


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
    for shape in o.shapes:
        figures = contest.rounds(contestants(o, shape), o.rounds, contest.environment(o.threads), "gflops")
        medians = contest.medians(figures)
        cells = (f"{medians[c]:.0f} ({figures[c][0]:.0f}–{figures[c][-1]:.0f})" if c in medians else "–" for c in columns)
        print(f"| {shape} | {' | '.join(cells)} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
