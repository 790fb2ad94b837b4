#!/usr/bin/env python3
"""Matrix products: Tenon's on cpu, also without matrix units and with less precision, and on other devices, against
OpenBLAS, oneDNN and CLBlast, in alternating rounds; prints a Markdown table of GFLOP/s, with the error of each beside it,
and the geometric means of the ratios to oneDNN, and to the better of it and OpenBLAS. See ../README.md."""
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
    words = {"cpu": "", "cpu avx512": "avx512", "cpu f32-fast": "f32-fast", "cpu bf16": "bf16"}
    for name, word in {**words, **{device: device for device in o.devices if device != "cpu"}}.items():
        if name.split()[0] not in o.devices:
            continue
        found[f"tenon {name}"] = [os.path.join(o.build, "gemm_tenon"), shape, str(o.seconds)] + word.split()
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
    arguments.add_argument("--build", default=os.path.join(root, "build/bench"), help="where the programs were built")
    arguments.add_argument("--devices", nargs="*", default=["cpu", "opencl:0"])
    arguments.add_argument("--shapes", nargs="+", default=SHAPES)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--seconds", type=float, default=0.05, help="that one piece of a measurement takes")
    arguments.add_argument("--threads", type=int, default=2)
    o = arguments.parse_args()
    columns = list(contestants(o, "1x1x1"))
    print(f"| m x n x k | {' | '.join(columns)} |\n| --- |{' --- |' * len(columns)}", flush=True)
    ratios = {peers: {c: [] for c in columns} for peers in (("dnnl",), ("dnnl", "cblas"))}
    for shape in o.shapes:
        said = contest.answers(contestants(o, shape), o.rounds, contest.environment(o.threads))
        speed = {c: statistics.median(one["gflops"] for one in said[c]) for c in columns if said.get(c)}
        for peers, found in ratios.items():
            for c in speed if speed.keys() >= set(peers) else ():
                found[c].append(math.log(speed[c] / max(speed[p] for p in peers)))
        print(f"| {shape} | {' | '.join(cell(said.get(c)) for c in columns)} |", flush=True)
    for title, found in zip(("of oneDNN", "of the better of oneDNN and OpenBLAS"), ratios.values()):
        means = (f"{math.exp(statistics.mean(found[c])):.2f}" if found[c] else "–" for c in columns)
        print(f"| {title} | {' | '.join(means)} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
