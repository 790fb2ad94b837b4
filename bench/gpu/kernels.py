#!/usr/bin/env python3
"""Writes the sources of the kernels that the jobs of ../jobs.py take on a GPU: their training steps are compiled for
opencl:0, which may be PoCL, with the kernels for GPUs; nothing is computed. Then some once more with each tile that
products may have, whatever sizes call for it.

usage: kernels.py FOLDER [JOB...]"""
import argparse
import collections
import itertools
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../../python"), os.path.join(HERE, "..")]
UNITS = 64  # compute units, of a middling card
# In place of a tile's number: options, jobs, and a level of precision. Products by matrix units, in all forms, as they
# are tried when a context is made, and rows folded by sub-groups; attention in tiles, however short; convolutions with
# fewer multiplications, by each of their tiles, and with channels last; images that are stored in 16 bits.
LAST = ",opencl.matrix=plain,opencl.grain=0,opencl.choice=channels_last {}"
More = collections.namedtuple("More", "options jobs precision storage", defaults=(None,))
MORE = {-2: More(",opencl.matrix=plain,opencl.subgroups=plain", ["a32", "lenet64", "transformer16"], "f32"),
        -3: More(",opencl.grain=0", ["transformer16"], "f32"),
        **{-4 - tile: More(f",opencl.winograd={tile}", ["resnet20"], "f32-fast") for tile in range(4)},
        -14: More(LAST.format("wide=1 high=1 steps=1 stages=4"), ["lenet64"], "f32"),
        -15: More(LAST.format("wide=2 high=4 steps=1 stages=3"), ["lenet64"], "f32-fast"),
        -16: More(LAST.format("wide=1 high=2 steps=2 stages=2"), ["resnet20"], "f32"),
        -17: More(LAST.format("wide=2 high=2 steps=2 stages=4"), ["lenet64"], "bf16"),
        -18: More("", ["resnet20"], "f32", "bf16"),
        -19: More(",opencl.matrix=plain,opencl.grain=0", ["resnet20"], "f32", "f16")}
# Products in stages: of matrices that are multiplied in all ways in which they may lie, of each type that is stored.
STAGED = {-11: "staged wide=1 steps=1 stages=4 parts=1", -12: "staged wide=2 steps=2 stages=3 parts=1",
          -13: "staged wide=1 steps=2 stages=2 parts=2"}
WAYS = [{}, {"precision": "f32-fast"}, {"storage": "f16"}, {"storage": "bf16"}]
NO_TILE = 3  # exit status: the backend has no tile of that number
WITH_TILES = ["b128", "lenet64"]


def step_program(tenon, job, state, precision="f32", storage=None):
    """A job's training step, compiled."""
    graph = tenon.Graph()
    shape = [int(n) for n in job.shape.split("x")]
    tokens = job.net.startswith("embedding")
    x = graph.input("x", (job.batch, *shape[2 if tokens else 0:]), "i32" if tokens else "f32")
    y = tenon.Net(job.net)(x)
    binary = "binary_cross_entropy" in job.more
    target = graph.input("y", y.shape if binary else y.shape[:-1], "f32" if binary else "i32")
    clip = float(job.more[job.more.index("--clip-norm") + 1]) if "--clip-norm" in job.more else 0
    loss = (tenon.nn.binary_cross_entropy if binary else tenon.nn.cross_entropy)(y, target)
    graph.minimize(loss, tenon.Optimizer(kind=job.optimizer, **({"clip_norm": clip} if clip else {})))
    return graph.compile(state, strict=True, precision=precision, storage=storage)


def compile_jobs(folder, names, tile):
    """In this process, which has one set of options. Without a tile each product gets its own."""
    import jobs
    more = MORE.get(tile, More(f",opencl.tile={tile}" if tile >= 0 else "", [], "f32"))
    if tile in MORE:
        os.environ["TENON_CACHE"] = "off"  # else what was found before is believed
    os.environ["TENON_OPTIONS"] = (f"opencl.shape=gpu,opencl.gemm=own,opencl.units={UNITS},opencl.sources={folder}"
                                   f"{more.options}")
    import tenon
    try:
        tenon.State("opencl:0").close()
    except tenon.InvalidError as error:
        sys.exit(NO_TILE if "opencl.tile" in str(error) else f"{sys.argv[0]}: {error}")
    for name in names:
        with tenon.State("opencl:0") as state:
            step_program(tenon, jobs.JOBS[name], state, more.precision, more.storage).close()
        print(f"{name}{f', tile {tile}' if more.options else ''}: {len(os.listdir(folder))} sources so far", flush=True)


def compile_staged(folder, choice):
    """In this process, too."""
    os.environ["TENON_OPTIONS"] = ("opencl.shape=gpu,opencl.gemm=own,opencl.matrix=plain,opencl.grain=0,"
                                   f"opencl.sources={folder},opencl.choice={choice}")
    import tenon
    with tenon.State("opencl:0") as state:
        for layout, how in itertools.product(range(4), WAYS):
            graph = tenon.Graph()
            a, b = (graph.input(name, (256, 256), "f32") for name in "ab")
            if "storage" in how:
                a, b = a * 0.5, b * 2.0
            graph.output(tenon.matmul_t(a, b, bool(layout & 1), bool(layout & 2)), "y")
            graph.compile(state, **how).close()
    print(f"{choice}: {len(os.listdir(folder))} sources so far", flush=True)


def main():
    import jobs
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("folder")
    arguments.add_argument("jobs", nargs="*", metavar="JOB")
    arguments.add_argument("--tile", type=int, default=-1, help=argparse.SUPPRESS)
    o = arguments.parse_args()
    folder = os.path.abspath(o.folder)
    os.makedirs(folder, exist_ok=True)
    if o.tile in STAGED:
        compile_staged(folder, STAGED[o.tile])
        return 0
    compile_jobs(folder, o.jobs or jobs.JOBS, o.tile)
    for tile in [*MORE, *STAGED] if o.tile == -1 else []:
        names = MORE[tile].jobs if tile in MORE else []
        again = [sys.executable, os.path.abspath(__file__), folder, *names, "--tile", str(tile)]
        subprocess.run(again, check=True)
    for tile in itertools.count() if o.tile == -1 else []:
        done = subprocess.run([sys.executable, os.path.abspath(__file__), folder, *WITH_TILES, "--tile", str(tile)])
        if done.returncode:
            return 0 if tile and done.returncode == NO_TILE else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
