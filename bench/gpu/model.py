#!/usr/bin/env python3
"""How long networks' training steps and products should take on a card: a roofline for each kernel, of arithmetic,
memory, the cache between, and local memory, with what a launch costs. The kernels are those that a run with the ones
for GPUs really makes, for a card of that many units, with their tiles, groups, operations and bytes (`opencl.sources`,
`--profile`); it may be on PoCL. What was measured on a card may stand beside it.

usage: model.py [--card NAME...] [--jobs JOB...] [--sizes N...] [--into docs/gpu.md] [--json]"""
import argparse
import collections
import ctypes
import json
import math
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../../python"), os.path.join(HERE, "..")]
import report
from jobs import JOBS

BEGIN, END = "<!-- begin: bench/gpu/model.py -->", "<!-- end: bench/gpu/model.py -->"

# units, which share local memory, and as many as the driver counts; whose they are; f32 multiply-adds of a unit in a
# clock; clocks a second; bytes a second of memory, and of the cache that all units share; bytes that a unit reads of
# local memory in a clock; work-items that run as one; registers of a unit; seconds of a launch; where the figures are
# from. Bandwidths of caches and costs of launches are estimates; what drivers count was not seen on a card.
Card = collections.namedtuple("Card", "name units counted vendor lanes clock memory cache local warp registers launch source")
CARDS = {card.name: card for card in (
    Card("H100", 132, 132, "NVIDIA", 128, 1.98e9, 3.35e12, 5.5e12, 128, 32, 65536, 4e-6,
         "SXM5: 66.9 TFLOP/s f32, 3.35 TB/s (NVIDIA's datasheet; glennklockwood.com/garden/processors/h100)"),
    Card("RX 7900 XTX", 96, 48, "Advanced Micro Devices", 128, 2.5e9, 9.6e11, 3.5e12, 128, 32, 98304, 6e-6,
         "61.4 TFLOP/s f32, half of it by instructions in pairs, 960 GB/s, cache 3.5 TB/s (guru3d.com, review of the "
         "PowerColor RX 7900 XTX)"),
    Card("Arc B580", 20, 160, "Intel", 128, 2.67e9, 4.56e11, 1.5e12, 128, 16, 65536, 6e-6,
         "13.67 TFLOP/s f32, 456 GB/s (comparegpus.com/gpu/arc-b580)"),
)}
PAIRED = {"RX 7900 XTX": 0.6}  # of the rate, for instructions that find no second one to go with
REACHED = 0.8  # of the bandwidth of memory
HIDING = 8  # warps of a unit that hide how long others wait
OVERHEAD = 4  # instructions beside multiply-adds and loads, in a turn of the innermost loop
REGISTERS = 128  # of a work-item in a product
F32 = 4  # bytes


# ---- what a run makes ----

Launch = collections.namedtuple("Launch", "kernel tile groups numbers")
Kernel = collections.namedtuple("Kernel", "kernel makes flops bytes launch")


def defines(path):
    with open(path, encoding="utf-8") as file:
        return {name: int(value) for name, value in re.findall(r"^#define (\w+) (\d+)$", file.read(), flags=re.M)}


def read_launches(folder):
    """Of products and convolutions: tile, work-groups, and the whole numbers that the kernel is given."""
    path, found = os.path.join(folder, "launches.txt"), []
    for line in open(path, encoding="utf-8") if os.path.exists(path) else []:
        name, local, whole, *numbers = line.split()
        sizes = [[int(n) for n in text.split("x")] for text in (local, whole)]
        if name.startswith(("tn_matmul-", "tn_conv-")):
            tile = defines(os.path.join(folder, name))
            groups = math.prod(w // l for l, w in zip(*sizes))
            found.append(Launch(name.partition("-")[0], tile, groups, [int(n) for n in numbers]))
    return found


def work(launch):
    """(m, n, k of a work-group, how many results of m x n there are)."""
    tile = launch.tile
    wide = lambda m, n: -(-m // (tile["SIDE_V"] * tile["ROWS"])) * -(-n // (tile["SIDE_U"] * tile["COLS"]))
    if launch.kernel == "tn_conv":
        m, n, k, groups, images, length = launch.numbers[-10:-4]
        return m, n, k * (length if tile.get("WEIGHT") else 1), groups * (1 if tile.get("WEIGHT") else images)
    m, n, k = launch.numbers[-3:]
    parts = launch.groups // max(1, wide(m, n))
    segments, length = launch.numbers[:2] if tile.get("SPLIT") else (1, k)
    return m, n, length, parts // max(1, segments)


def count(makes):
    """Elements of "f32 (64, 10) +1"."""
    return math.prod(int(n) for n in re.findall(r"\d+", makes[makes.index("("):makes.index(")")]))


def find_launch(kernel, launches):
    """That which makes as many elements with about as many operations."""
    for launch in launches:
        if "SIDE_U" not in launch.tile:
            continue
        m, n, k, outer = work(launch)
        whole = 2 * launch.groups * k * launch.tile["SIDE_V"] * launch.tile["ROWS"] * launch.tile["SIDE_U"] * launch.tile["COLS"]
        if kernel["kernel"].startswith(("matmul", "conv2d")) and m * n * outer == count(kernel["makes"]) and \
                0.5 * kernel["flops"] < whole:
            return launch
    return None


def options_for(card):
    return ["opencl.shape=gpu", "opencl.gemm=own", f"opencl.units={card.counted}", f"opencl.vendor={card.vendor}"]


def launches_of(program):
    """What each launch of a program is and costs."""
    from tenon import c
    from tenon._library import lib
    pointer, one, number = program._handle.get(), c.tn_launch_profile(), 0
    lib.tn_program_profile(pointer, 1)
    while lib.tn_program_profile_at(pointer, number, ctypes.byref(one)):
        if one.flops or one.bytes:
            yield {"kernel": one.op.decode(), "makes": one.result.decode(), "flops": one.flops, "bytes": one.bytes}
        number += 1
    lib.tn_program_profile(pointer, 0)


def product_program(tenon, state, size):
    graph = tenon.Graph()
    product = graph.input("a", (size, size)) @ graph.input("b", (size, size))
    graph.output(product, "c")
    return graph.compile(state, strict=True)


def ask(folder, device, names, sizes):
    """In a process of its own, which has one set of options: what is compiled for each job and size, on standard output;
    nothing is computed."""
    import kernels
    import tenon
    said = {"jobs": {}, "products": {}}
    wanted = [("jobs", name) for name in names] + [("products", size) for size in sizes]
    for kind, what in wanted:
        path = os.path.join(folder, "launches.txt")
        if os.path.exists(path):
            os.remove(path)
        with tenon.State(device) as state:
            make = kernels.step_program(tenon, JOBS[what], state) if kind == "jobs" else product_program(tenon, state, what)
            with make as program:
                found = list(launches_of(program))
        said[kind][what] = {"kernels": found, "launches": read_launches(folder)}
    print(json.dumps(said))


def kernels_for(o, card):
    """("jobs" or "products", which) -> its kernels, as they are for a card."""
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "TENON_OPTIONS": ",".join([*options_for(card), f"opencl.sources={folder}"])}
        words = [sys.executable, os.path.abspath(__file__), "--ask", folder, "--device", o.device, "--jobs", *o.jobs,
                 "--sizes", *map(str, o.sizes)]
        done = subprocess.run(words, env=env, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError((done.stderr.strip().splitlines() or ["failed"])[-1])
    found = {}
    for kind, of_kind in json.loads(done.stdout.strip().splitlines()[-1]).items():
        for what, made in of_kind.items():
            launches = [Launch(*launch) for launch in made["launches"]]
            found[kind, what] = [Kernel(**one, launch=find_launch(one, launches)) for one in made["kernels"]]
    return found


# ---- how long they take ----

def product_time(kernel, card):
    """Units take whole work-groups in turn; a few warps do not hide how long each waits."""
    tile = kernel.launch.tile
    _, _, k, _ = work(kernel.launch)
    items, sums = tile["SIDE_U"] * tile["SIDE_V"], tile["ROWS"] * tile["COLS"]
    high, wide, loads = tile["SIDE_V"] * tile["ROWS"], tile["SIDE_U"] * tile["COLS"], (tile["ROWS"] + tile["COLS"]) // 4
    rate = card.lanes * card.clock * PAIRED.get(card.name, 1)  # multiply-adds of a unit
    turns = -(-kernel.launch.groups // card.units)
    warps = min(turns, card.registers // (REGISTERS * items)) * items / card.warp
    compute = turns * high * wide * k / (rate * sums / (sums + loads + OVERHEAD) * min(1, warps / HIDING))
    local = turns * items * k * loads * 4 * F32 / 4 / (card.local * card.clock)  # four work-items read one vector
    cache = kernel.launch.groups * (high + wide) * k * F32 / card.cache
    return {"arithmetic": compute, "local memory": local, "cache": cache}


def time_of(kernel, card):
    """Seconds of one call, and what bounds it."""
    terms = {"memory": kernel.bytes / (card.memory * REACHED)}
    if kernel.launch:
        terms.update(product_time(kernel, card))
    else:
        terms["arithmetic"] = kernel.flops / (card.lanes * card.clock * card.units)
    bound = max(terms, key=terms.get)
    launches = 1 + bool(kernel.launch and kernel.launch.tile.get("SPLIT"))
    return terms[bound] + launches * card.launch, bound if terms[bound] > launches * card.launch else "launch"


def peak(card):
    return 2 * card.lanes * card.clock * card.units


def predict_product(kernel, card):
    """Seconds, share of the peak, what bounds it."""
    seconds, bound = time_of(kernel, card)
    return {"seconds": seconds, "share": kernel.flops / seconds / peak(card), "bound": bound}


def predict_job(kernels, batch, card):
    """Seconds of a step, samples a second, and kernels of one description together, the longest first."""
    rows = {}
    for k in kernels:
        seconds, bound = time_of(k, card)
        row = rows.setdefault((k.kernel, k.makes), {"kernel": k.kernel, "makes": k.makes, "calls": 0, "seconds": 0,
                                                    "bound": bound})
        row["calls"] += 1
        row["seconds"] += seconds
    step = sum(row["seconds"] for row in rows.values())
    return {"seconds": step, "samples_per_s": batch / step, "launches": len(kernels),
            "launch_share": card.launch * len(kernels) / step,
            "kernels": sorted(rows.values(), key=lambda row: -row["seconds"])}


def predict(o, card):
    found = kernels_for(o, card)
    return {"products": {what: predict_product(kernels[0], card) for (kind, what), kernels in found.items()
                         if kind == "products"},
            "jobs": {what: predict_job(kernels, JOBS[what].batch, card) for (kind, what), kernels in found.items()
                     if kind == "jobs"}}


# ---- telling ----

def table(said):
    """Two tables: products' times, and jobs' steps with their three longest kernels."""
    cards = list(said)
    sizes = sorted({size for one in said.values() for size in one["products"]}, key=int)
    names = [name for name in JOBS if any(name in one["jobs"] for one in said.values())]
    lines = ["| product of f32 |" + "".join(f" {card} |" for card in cards), "| --- |" + " --- |" * len(cards)]
    for size in sizes:
        cells = [f"{1e3 * p['seconds']:.3g} ms, {100 * p['share']:.0f} % of the peak" for p in
                 (said[card]["products"][size] for card in cards)]
        lines.append(f"| {size} x {size} x {size} | {' | '.join(cells)} |")
    lines += ["", "| training step |" + "".join(f" {card} |" for card in cards), "| --- |" + " --- |" * len(cards)]
    for name in names:
        cells = []
        for card in cards:
            job = said[card]["jobs"][name]
            longest = job["kernels"][0]
            cells.append(f"{1e6 * job['seconds']:,.0f} µs, {100 * job['launch_share']:.0f} % launches; longest `"
                         f"{longest['kernel']}` of {longest['makes']}, bound by {longest['bound']}")
        lines.append(f"| {JOBS[name].title} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", *(f"- {card.name}: {card.source}." for card in CARDS.values() if card.name in said)])


def read_arguments():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--card", nargs="+", default=list(CARDS), choices=CARDS)
    arguments.add_argument("--jobs", nargs="*", default=["a32", "a128", "b128", "lenet64", "resnet20"], choices=JOBS)
    arguments.add_argument("--sizes", nargs="*", type=int, default=[512, 1024, 2048, 4096, 8192])
    arguments.add_argument("--device", default="opencl:0", help="that the kernels are made for, in the card's name")
    arguments.add_argument("--ask", metavar="FOLDER", help=argparse.SUPPRESS)
    arguments.add_argument("--into", metavar="FILE.md", help="write the tables between the lines that say where")
    arguments.add_argument("--json", action="store_true")
    return arguments.parse_args()


def main():
    o = read_arguments()
    if o.ask:
        ask(o.ask, o.device, o.jobs, o.sizes)
        return 0
    said = {name: predict(o, CARDS[name]) for name in o.card}
    print(json.dumps(said) if o.json else table(said))
    if o.into:
        report.put_into(o.into, table(said), BEGIN, END)
    return 0


if __name__ == "__main__":
    sys.exit(main())
