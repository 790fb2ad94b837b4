#!/usr/bin/env python3
"""How long networks' training steps and products should take on a card: a roofline for each kernel, of arithmetic,
memory, the cache between, and local memory, with what a launch costs. The kernels are those that a run with the ones
for GPUs really makes, for a card of that many units, with their tiles, groups, operations and bytes (`opencl.sources`,
`--profile`); it may be on PoCL. What was measured on a card may stand beside it. With --beyond also what is not tiles
of f32 (beyond.py), and the goals of training.

usage: model.py [--card NAME...] [--jobs JOB...] [--sizes N...] [--beyond] [--into docs/gpu.md] [--json]"""
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
import beyond
import report
from cards import CARDS, F32, OVERHEAD, REACHED, hidden, peak, rate
from jobs import JOBS

BEGIN, END = "<!-- begin: bench/gpu/model.py -->", "<!-- end: bench/gpu/model.py -->"

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
        if name.startswith(("tn_matmul-", "tn_conv-", "tn_conv_winograd-")):
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
        if "SIDE_U" not in launch.tile or launch.kernel == "tn_conv_winograd":
            continue
        m, n, k, outer = work(launch)
        whole = 2 * launch.groups * k * launch.tile["SIDE_V"] * launch.tile["ROWS"] * launch.tile["SIDE_U"] * launch.tile["COLS"]
        if kernel["kernel"].startswith(("matmul", "conv2d")) and m * n * outer == count(kernel["makes"]) and \
                0.5 * kernel["flops"] < whole:
            return launch
    return None


def find_winograd(kernel, launches):
    """That which makes as many elements of as many channels."""
    for launch in launches:
        if launch.kernel == "tn_conv_winograd" and kernel["kernel"] in ("conv2d", "conv2d_data"):
            _, channels, elements = beyond.winograd_size(launch)
            if elements == count(kernel["makes"]) and 0.7 < kernel["flops"] / (18 * channels * elements) < 1.3:
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


ATTENTION = beyond.Attention(24, 1024, 64)  # heads of all sentences; numbers of a query, a key, a value


def attention_program(tenon, state, grads):
    """Causal, forward, or with all gradients."""
    graph = tenon.Graph()
    q, k, v = (graph.input(name, (1, *ATTENTION)) for name in "qkv")
    y = tenon.ops.attention(q, k, v, True)
    if grads:
        loss = tenon.ops.sum(y * graph.input("dy", (1, *ATTENTION)))
        for name, dx in zip("qkv", graph.grad(loss, [q, k, v])):
            graph.output(dx, f"d{name}")
    graph.output(y, "y")
    return graph.compile(state, strict=True)


Wish = collections.namedtuple("Wish", "jobs sizes attention precision", defaults=([], [], [], "f32"))


def programs(tenon, wish):
    """(kind, which, how it is made for a state)."""
    import kernels
    yield from (("jobs", name, lambda state, n=name: kernels.step_program(tenon, JOBS[n], state, wish.precision))
                for name in wish.jobs)
    yield from (("products", size, lambda state, n=size: product_program(tenon, state, n)) for size in wish.sizes)
    yield from (("attention", one, lambda state, n=one: attention_program(tenon, state, n)) for one in wish.attention)


def ask(folder, device, wish):
    """In a process of its own, which has one set of options: what is compiled for each job and size, on standard output;
    nothing is computed."""
    import tenon
    said = {"jobs": {}, "products": {}, "attention": {}}
    for kind, what, make in programs(tenon, wish):
        path = os.path.join(folder, "launches.txt")
        if os.path.exists(path):
            os.remove(path)
        with tenon.State(device) as state, make(state) as program:
            found = list(launches_of(program))
        said[kind][what] = {"kernels": found, "launches": read_launches(folder)}
    print(json.dumps(said))


def kernels_for(o, card, wish, *more):
    """("jobs", "products" or "attention", which) -> its kernels, as they are for a card; with more options than that."""
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "TENON_OPTIONS": ",".join([*options_for(card), f"opencl.sources={folder}", *more])}
        words = [sys.executable, os.path.abspath(__file__), "--ask", folder, "--device", o.device, "--wish",
                 json.dumps(wish)]
        done = subprocess.run(words, env=env, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError((done.stderr.strip().splitlines() or ["failed"])[-1])
    found = {}
    for kind, of_kind in json.loads(done.stdout.strip().splitlines()[-1]).items():
        for what, made in of_kind.items():
            launches = [Launch(*launch) for launch in made["launches"]]
            found[kind, what] = [Kernel(**one, launch=find_winograd(one, launches) or find_launch(one, launches))
                                 for one in made["kernels"]]
    return found


# ---- how long they take ----

def product_time(kernel, card):
    """Units take whole work-groups in turn; a few warps do not hide how long each waits."""
    tile = kernel.launch.tile
    _, _, k, _ = work(kernel.launch)
    items, sums = tile["SIDE_U"] * tile["SIDE_V"], tile["ROWS"] * tile["COLS"]
    high, wide, loads = tile["SIDE_V"] * tile["ROWS"], tile["SIDE_U"] * tile["COLS"], (tile["ROWS"] + tile["COLS"]) // 4
    turns = -(-kernel.launch.groups // card.units)
    compute = turns * high * wide * k / (rate(card) * sums / (sums + loads + OVERHEAD) * hidden(card, turns, items))
    local = turns * items * k * loads * 4 * F32 / 4 / (card.local * card.clock)  # four work-items read one vector
    cache = kernel.launch.groups * (high + wide) * k * F32 / card.cache
    return {"arithmetic": compute, "local memory": local, "cache": cache}


def time_of(kernel, card):
    """Seconds of one call, and what bounds it."""
    if kernel.launch and kernel.launch.kernel == "tn_conv_winograd":
        return beyond.winograd_time(kernel, kernel.launch, card)
    terms = {"memory": kernel.bytes / (card.memory * REACHED)}
    if kernel.launch:
        terms.update(product_time(kernel, card))
    else:
        terms["arithmetic"] = kernel.flops / (card.lanes * card.clock * card.units)
    return beyond.bounded(terms, 1 + bool(kernel.launch and kernel.launch.tile.get("SPLIT")), card)


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
    found = kernels_for(o, card, Wish(o.jobs, o.sizes))
    said = {"products": {what: predict_product(kernels[0], card) for (kind, what), kernels in found.items()
                         if kind == "products"},
            "jobs": {what: predict_job(kernels, JOBS[what].batch, card) for (kind, what), kernels in found.items()
                     if kind == "jobs"}}
    if o.beyond:
        said.update(matrix={form.name: {size: beyond.matrix_product(form, card, size) for size in o.sizes}
                            for form in beyond.FORMS},
                    winograd=predict_winograd(o, card), attention=predict_attention(o, card))
    return said


def predict_winograd(o, card):
    """ResNet-20's step at f32-fast, its convolutions by tiles, and by what is faster, with each tile of the family."""
    wish = Wish(jobs=["resnet20"], precision="f32-fast")
    ways = [kernels_for(o, card, wish, *more)["jobs", "resnet20"] for more in
            [[]] + [[f"opencl.winograd={tile}"] for tile in range(4)]]
    best = [min(same, key=lambda kernel: time_of(kernel, card)[0]) for same in zip(*ways, strict=True)]
    so = sum(bool(kernel.launch and kernel.launch.kernel == "tn_conv_winograd") for kernel in best)
    could = sum(bool(kernel.launch and kernel.launch.kernel == "tn_conv_winograd") for kernel in ways[1])
    of_convolutions = lambda kernels: sum(time_of(k, card)[0] for k in kernels if k.kernel in ("conv2d", "conv2d_data"))
    return {"tiles": predict_job(ways[0], JOBS["resnet20"].batch, card)["seconds"],
            "best": predict_job(best, JOBS["resnet20"].batch, card)["seconds"], "made so": so, "of": could,
            "convolutions": [of_convolutions(ways[0]), of_convolutions(best)]}


def predict_attention(o, card):
    """Of ATTENTION: in tiles, and by products and softmax, which a backend makes that finds no attention long enough."""
    found = kernels_for(o, card, Wish(attention=[0, 1]), "opencl.grain=1000000")
    forward, both = (sum(time_of(kernel, card)[0] for kernel in found["attention", str(grads)]) for grads in (0, 1))
    tiles, grad = beyond.attention_time(ATTENTION, card), beyond.attention_grad_time(ATTENTION, card)
    return {"forward": {"tiles": tiles[0], "bound": tiles[1], "products": forward},
            "gradient": {"tiles": grad[0], "bound": grad[1], "products": both - forward}}


# ---- telling ----

def heading(what, cards):
    return [f"| {what} |" + "".join(f" {card} |" for card in cards), "| --- |" + " --- |" * len(cards)]


def row(what, cells):
    return f"| {what} | {' | '.join(cells)} |"


def ms(seconds):
    return f"{1e3 * seconds:.3g} ms"


def tell_products(said):
    sizes = sorted({size for one in said.values() for size in one["products"]}, key=int)
    lines = heading("product of f32", said)
    for size in sizes:
        lines.append(row(f"{size} x {size} x {size}", [f"{ms(p['seconds'])}, {100 * p['share']:.0f} % of the peak" for p in
                                                       (one["products"][size] for one in said.values())]))
    return lines


def tell_jobs(said):
    lines = heading("training step", said)
    for name in (name for name in JOBS if any(name in one["jobs"] for one in said.values())):
        cells = []
        for job in (one["jobs"][name] for one in said.values()):
            longest = job["kernels"][0]
            cells.append(f"{1e6 * job['seconds']:,.0f} µs, {100 * job['launch_share']:.0f} % launches; longest `"
                         f"{longest['kernel']}` of {longest['makes']}, bound by {longest['bound']}")
        lines.append(row(JOBS[name].title, cells))
    return lines


def tell_matrix(said):
    lines = heading("product by matrix units", said)
    for form in beyond.FORMS:
        for size in (2048, 8192):
            found = [one["matrix"][form.name].get(size) for one in said.values()]
            if any(found):
                lines.append(row(f"{size} x {size} x {size}, {form.name}", [
                    f"{ms(p['seconds'])}, {p['rate'] / 1e12:.0f} TFLOP/s, bound by {p['bound']}" if p else "–" for p in found]))
    return lines


def tell_others(said):
    lines = heading("otherwise made", said)
    both = lambda p: f"{ms(p['tiles'])}, bound by {p['bound']}; {ms(p['products'])} by products and softmax"
    winograd = [one["winograd"] for one in said.values()]
    shape = f"{ATTENTION.heads} heads of {ATTENTION.queries} queries and keys of {ATTENTION.numbers} numbers, causal"
    return [*lines,
            row("convolutions of ResNet-20 and their gradients for pictures, `f32-fast`, with fewer multiplications where "
                "that is faster", [f"{ms(w['convolutions'][1])} for {ms(w['convolutions'][0])}, {w['made so']} of {w['of']} so"
                                   for w in winograd]),
            row("the whole step so", [f"{ms(w['best'])} for {ms(w['tiles'])}" for w in winograd]),
            row(f"attention in tiles, {shape}", [both(one["attention"]["forward"]) for one in said.values()]),
            row("its gradient", [both(one["attention"]["gradient"]) for one in said.values()])]


# Of training: how many times as many samples a second as PyTorch, eager. Of products: of what the vendor's library
# reaches, by an estimate of that.
GOALS = {"a32": 1.5, "a128": 1.5, "b128": 1.5, "lenet64": 1.2, "resnet20": 1.0}
LIBRARY = {"f32": 0.78, "bf16": 0.75}  # of the peak


def tell_goals(one, card):
    """Beside each goal what is predicted for that card."""
    best = lambda forms: max(p["rate"] for form in beyond.FORMS if form.name.startswith(forms) and not "fast" in form.name
                             for p in one["matrix"][form.name].values() if p) / 1e12
    f32, bf16 = LIBRARY["f32"] * peak(card) / 1e12, LIBRARY["bf16"] * card.bf16 / 1e12
    shares = [p["share"] for size, p in one["products"].items() if int(size) >= 2048]
    rate, units, whole = min(shares) * peak(card) / 1e12, best(("bf16",)), best(("f32 as 3", "f32 as 2 x TF32"))
    verdict = lambda got, wanted: "held" if got >= wanted else "**missed**"
    lines = [f"| goal | needs on an {card.name} | predicted | |", "| --- | --- | --- | --- |"]
    for what, wanted, got in (("f32 products, 0.85 of the vendor's library", 0.85 * f32, rate),
                              ("f16 and bf16 products, 0.55 of it", 0.55 * bf16, units),
                              ("f32 by matrix units, 1.5 of its f32", 1.5 * f32, whole)):
        lines.append(f"| {what} | {wanted:.0f} TFLOP/s | {got:.0f} TFLOP/s | {verdict(got, wanted)} |")
    for name, times in GOALS.items():
        seconds = one["jobs"][name]["seconds"]
        lines.append(f"| {JOBS[name].title}: {times} of PyTorch | | {1e6 * seconds:,.0f} µs | held if a step of PyTorch's "
                     f"takes {1e6 * seconds * times:,.0f} µs or more |")
    return lines


def table(said):
    """Products' times, jobs' steps with their longest kernel, what lies beyond, and the goals."""
    parts = [tell_products(said), tell_jobs(said)]
    first = next(iter(said))
    if "matrix" in said[first]:
        parts += [tell_matrix(said), tell_others(said)]
        if set(GOALS) <= set(said[first]["jobs"]):
            parts.append(tell_goals(said[first], CARDS[first]))
    parts.append([f"- {card.name}: {card.source}." for card in CARDS.values() if card.name in said])
    return "\n\n".join("\n".join(lines) for lines in parts)


def read_arguments():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--card", nargs="+", default=list(CARDS), choices=CARDS)
    arguments.add_argument("--jobs", nargs="*", default=list(JOBS), choices=JOBS)
    arguments.add_argument("--sizes", nargs="*", type=int, default=[512, 1024, 2048, 4096, 8192])
    arguments.add_argument("--device", default="opencl:0", help="that the kernels are made for, in the card's name")
    arguments.add_argument("--beyond", action="store_true", help="what is not tiles of f32, too, and the goals")
    arguments.add_argument("--ask", metavar="FOLDER", help=argparse.SUPPRESS)
    arguments.add_argument("--wish", type=json.loads, help=argparse.SUPPRESS)
    arguments.add_argument("--into", metavar="FILE.md", help="write the tables between the lines that say where")
    arguments.add_argument("--json", action="store_true")
    return arguments.parse_args()


def main():
    o = read_arguments()
    if o.ask:
        ask(o.ask, o.device, Wish(*o.wish))
        return 0
    said = {name: predict(o, CARDS[name]) for name in o.card}
    print(json.dumps(said) if o.json else table(said))
    if o.into:
        report.put_into(o.into, table(said), BEGIN, END)
    return 0


if __name__ == "__main__":
    sys.exit(main())
