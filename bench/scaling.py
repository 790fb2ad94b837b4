#!/usr/bin/env python3
"""Training by several workers: what is measured here, and by a simulator what that means for more of them.

  measure FILE.json            jobs and exchanges with 1, 2 and 4 processes of one thread, in alternating rounds
  apart N COMMAND...           N processes at once that know nothing of each other: their rates, added up
  check FILE.json              the ratios, and what the simulator says of the same cases
  plot FILE.json FILE.svg      efficiency of 8 to 4,096 workers, by network and size of the buckets

See README.md beside this file for what the model is."""
import argparse
import ctypes
import json
import math
import os
import statistics
import subprocess
import sys
import time

import contest
from jobs import JOBS

HERE = os.path.dirname(os.path.abspath(__file__))
WORKERS = [2, 4]

# ---- measuring ----


def launched(o, workers, command):
    return command if workers == 1 else [o.mpirun, *o.mpi, "-n", str(workers), *command]


def bench(o, job, workers, shards, batches):
    """A contestant: `workers` processes share `batches` times the job's batch."""
    net, optimizer, batch, shape, samples = JOBS[job][:5]
    batch *= batches
    return launched(o, workers, [o.tenon, "bench", "train", "--net", net, "--optimizer", optimizer, "--batch",
                                 str(batch), "--shards", str(shards), "--shape", shape, "--samples",
                                 str(max(samples, 4 * batch)), "--device", "cpu", "--repeats", str(o.repeats),
                                 "--json"])


def apart(o):
    """What N processes compute that share the machine and nothing else."""
    running = [subprocess.Popen(o.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
               for _ in range(o.number)]
    said = [process.communicate()[0] for process in running]
    if any(process.returncode for process in running):
        return 1
    rate = sum(json.loads(text.strip().splitlines()[-1])["samples_per_s"] for text in said)
    print(json.dumps({"samples_per_s": rate}))
    return 0


def cases(o, job):
    """Name -> command. 'weak N': each of N workers has the job's batch; 'strong N': they share it; 'shards N': one
    worker has N shards of the job's batch each; 'apart N': N processes at once, each with a training of its own."""
    found = {"alone": bench(o, job, 1, 1, 1)}
    for n in WORKERS:
        found[f"weak {n}"] = bench(o, job, n, n, n)
        found[f"strong {n}"] = bench(o, job, n, n, 1)
        found[f"shards {n}"] = bench(o, job, 1, n, n)
        found[f"apart {n}"] = [sys.executable, os.path.abspath(__file__), "apart", str(n), *bench(o, job, 1, 1, 1)]
    return found


def exchanges(o, workers):
    """[(bytes, seconds)]"""
    done = subprocess.run(launched(o, workers, [o.exchange, "64"]), env=contest.environment(1), capture_output=True,
                          text=True, check=True)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return [(line["bytes"], line["seconds"]) for line in lines]


def copy_speed():
    """Bytes a second that memory is copied at."""
    size = 32 << 20
    a, b = ctypes.create_string_buffer(size), ctypes.create_string_buffer(size)
    seconds = []
    for _ in range(9):
        begun = time.perf_counter()
        ctypes.memmove(a, b, size)
        seconds.append(time.perf_counter() - begun)
    return size / statistics.median(seconds)


def measure(o):
    found = {"jobs": {}, "exchange": {}, "copy": copy_speed()}
    for n in WORKERS:
        found["exchange"][str(n)] = exchanges(o, n)
    for job in o.jobs:
        figures = contest.rounds(cases(o, job), o.rounds, contest.environment(1), "samples_per_s")
        found["jobs"][job] = {"batch": JOBS[job].batch, "bytes": 4 * PARAMETERS[job], "rates": figures}
    found["matmul"] = contest.run_json([o.tenon, "bench", "op", "matmul", "1024x3072x768", "--device", "cpu", "--json"],
                                       contest.environment(1))["gflops"]
    with open(o.file, "w", encoding="utf-8") as file:
        json.dump(found, file, indent=1)


# ---- the model ----

PARAMETERS = {"a32": 82950, "a128": 82950, "b128": 669706, "lenet64": 1663370, "resnet20": 272474,
              "transformer": 124_000_000}
NETWORKS = {"10 Gbit/s": (1.25e9, 20e-6), "100 Gbit/s": (12.5e9, 2e-6)}  # bytes a second, seconds of latency
MESSAGE = 1e-6       # seconds of a processor to post and finish a message
ADDING = 8e9         # bytes a second at which a host adds
BACKWARD = 2 / 3     # of a shard's time; the gradients come at an even pace
BUCKETS = {"1 MiB": 1 << 20, "4 MiB": 4 << 20, "25 MiB": 25 << 20, "at the end": math.inf}


def exchange_time(workers, size, speed, latency):
    """Each rank sends a piece to each other and gets theirs; then the same with the sums. What each has to add is a
    piece of each rank's."""
    if workers == 1:
        return 0.0
    one_way = (workers - 1) * MESSAGE + latency + size * (workers - 1) / workers / speed
    return 2 * one_way + size / ADDING


def step_time(shard, update, size, bucket, workers, network):
    """A worker with one shard. Buckets go one after another, as soon as they are final."""
    count = max(1, math.ceil(size / bucket)) if bucket < math.inf else 1
    end = 0.0
    for i in range(count):
        final = shard * (1 - BACKWARD) + shard * BACKWARD * (i + 1) / count
        end = max(end, final) + exchange_time(workers, size / count, *network)
    return max(end, shard) + update


def efficiency(shard, update, size, bucket, workers, network):
    return (shard + update) / step_time(shard, update, size, bucket, workers, network)


# ---- against what was measured ----

def parts(job):
    """Seconds of a shard, with its part of the additions, and of the update, of one process."""
    rate = {name: statistics.median(values) for name, values in job["rates"].items()}
    step = {n: n * job["batch"] / rate[f"shards {n}"] for n in WORKERS}
    shard = (step[4] - step[2]) / 2
    return shard, max(step[2] - 2 * shard, 0.0)


def between(table, size):
    """The seconds for so many bytes, on straight lines between those that were measured."""
    for (a, s), (b, t) in zip(table, table[1:]):
        if size <= b:
            return s + (t - s) * (size - a) / (b - a)
    return table[-1][1] * size / table[-1][0]


def loopback_step(found, job, workers):
    """On this machine: processes share its cores, caches and memory, which is measured where they share nothing else;
    the vector is made where all see it, and nobody has a processor to spare for the exchange while others compute."""
    alone = workers * job["batch"] / statistics.median(job["rates"][f"apart {workers}"])
    return alone + between(found["exchange"][str(workers)], job["bytes"])


def check(o):
    with open(o.file, encoding="utf-8") as file:
        found = json.load(file)
    print("| job | case | samples/s, median | lowest to highest | to one process | simulated | off by |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name, job in found["jobs"].items():
        medians = contest.medians(job["rates"])
        for case, values in job["rates"].items():
            kind, workers = (case.split() + ["1"])[:2]
            simulated = off = "–"
            if kind == "weak":
                rate = int(workers) * job["batch"] / loopback_step(found, job, int(workers))
                simulated, off = f"{rate:,.0f}", f"{100 * (rate / medians[case] - 1):+.0f} %"
            print(f"| {name} | {case} | {medians[case]:,.0f} | {values[0]:,.0f} to {values[-1]:,.0f} | "
                  f"{medians[case] / medians['alone']:.2f} | {simulated} | {off} |")


# ---- the plot ----

WIDE, HIGH, LEFT, TOP, GAP_X, GAP_Y = 250, 170, 55, 50, 60, 60
COLOURS = ["#c0392b", "#2471a3", "#1e8449", "#7d3c98"]
MANY = [2 ** k for k in range(3, 13)]


def workloads(found):
    """Title -> seconds of a shard and of the update, bytes."""
    jobs = found["jobs"]
    flops = 6 * PARAMETERS["transformer"] * 1024
    size = 4 * PARAMETERS["transformer"]
    update = 7 * size / found["copy"]
    listed = {}
    if "resnet20" in jobs:
        listed["resnet20, batch 64 a worker, one thread as measured"] = (*parts(jobs["resnet20"]),
                                                                         jobs["resnet20"]["bytes"])
    listed["124 M transformer, 1,024 tokens a worker, 30 TFLOP/s"] = (flops / 30e12, update * found["copy"] / 1e12, size)
    listed["124 M transformer, 1,024 tokens a worker, one thread"] = (flops / (found["matmul"] * 1e9), update, size)
    return listed


def panel(title, network, lines, x0, y0):
    def place(workers, share):
        return x0 + WIDE * (math.log2(workers) - 3) / 9, y0 + HIGH * (1 - share)

    yield f'<text x="{x0}" y="{y0 - 20}" font-weight="bold">{network}</text>'
    yield f'<text x="{x0}" y="{y0 - 7}">{title}</text>'
    yield f'<rect x="{x0}" y="{y0}" width="{WIDE}" height="{HIGH}" fill="none" stroke="#888"/>'
    for workers in MANY[::3]:
        x = place(workers, 0)[0]
        yield f'<path d="M{x:.1f} {y0}v{HIGH}" stroke="#ddd"/>'
        yield f'<text x="{x:.1f}" y="{y0 + HIGH + 14}" text-anchor="middle">{workers:,}</text>'
    for percent in range(0, 101, 25):
        y = place(8, percent / 100)[1]
        yield f'<path d="M{x0} {y:.1f}h{WIDE}" stroke="#ddd"/>'
        yield f'<text x="{x0 - 5}" y="{y + 4:.1f}" text-anchor="end">{percent} %</text>'
    for colour, line in zip(COLOURS, lines.values()):
        path = " ".join("{:.1f},{:.1f}".format(*place(n, share)) for n, share in zip(MANY, line))
        yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'


def plot(o):
    with open(o.file, encoding="utf-8") as file:
        listed = workloads(json.load(file))
    width, height = LEFT + len(NETWORKS) * (WIDE + GAP_X), TOP + len(listed) * (HIGH + GAP_Y)
    body, text = [], ["network,job,bucket," + ",".join(f"{n}" for n in MANY)]
    for row, (title, (shard, update, size)) in enumerate(listed.items()):
        for column, (network, link) in enumerate(NETWORKS.items()):
            lines = {name: [efficiency(shard, update, size, bucket, n, link) for n in MANY]
                     for name, bucket in BUCKETS.items()}
            body.extend(panel(title, network, lines, LEFT + column * (WIDE + GAP_X), TOP + 10 + row * (HIGH + GAP_Y)))
            text.extend(f'"{network}","{title}",{name},' + ",".join(f"{share:.3f}" for share in line)
                        for name, line in lines.items())
    head = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" '
            'font-size="11">', "<title>Simulated efficiency over the number of workers</title>", "<desc>", *text,
            "</desc>", f'<rect width="{width}" height="{height}" fill="white"/>']
    for i, name in enumerate(BUCKETS):
        label = name if name == "at the end" else "buckets of " + name
        head.append(f'<text x="{LEFT + 130 * i}" y="18" font-size="13" fill="{COLOURS[i]}">{label}</text>')
    with open(o.svg, "w", encoding="utf-8") as file:
        file.write("\n".join([*head, *body, "</svg>"]) + "\n")


# ---- the command ----

def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = arguments.add_subparsers(required=True)
    one = commands.add_parser("measure")
    one.add_argument("file")
    one.add_argument("--jobs", nargs="+", default=["b128", "resnet20"], choices=JOBS.keys() & PARAMETERS)
    one.add_argument("--rounds", type=int, default=7)
    one.add_argument("--repeats", type=int, default=5, help="epochs that are measured in a round")
    one.add_argument("--tenon", default=os.path.join(HERE, "../build/release/bin/tenon"))
    one.add_argument("--exchange", default=os.path.join(HERE, "../build/release/bin/exchange_bench"))
    one.add_argument("--mpirun", default="mpirun")
    one.add_argument("--mpi", nargs="*", default=["--oversubscribe", "--bind-to", "none"], help="options of mpirun")
    one.set_defaults(run=measure)
    beside = commands.add_parser("apart")
    beside.add_argument("number", type=int)
    beside.add_argument("command", nargs=argparse.REMAINDER)
    beside.set_defaults(run=apart)
    two = commands.add_parser("check")
    two.add_argument("file")
    two.set_defaults(run=check)
    three = commands.add_parser("plot")
    three.add_argument("file")
    three.add_argument("svg")
    three.set_defaults(run=plot)
    o = arguments.parse_args()
    return o.run(o)


if __name__ == "__main__":
    sys.exit(main())
