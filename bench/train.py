#!/usr/bin/env python3
"""How fast networks are trained, or used: `tenon bench train` and `tenon bench infer` on each device against PyTorch,
JAX and ONNX Runtime, in alternating rounds; prints a Markdown table of medians and their spread, with the ratios to
PyTorch's best mode. See README.md beside this file."""
import argparse
import collections
import datetime
import json
import os
import statistics
import subprocess
import sys
import time

import contest
from jobs import ALL, JOBS, kind

HERE = os.path.dirname(os.path.abspath(__file__))
PYTHON = os.path.join(HERE, "../build/python/bin/python")
TENON = os.path.join(HERE, "../build/release/bin/tenon")

# who: Tenon or a peer; mode: the device, or the peer's mode; accuracy: the class of the products
Contestant = collections.namedtuple("Contestant", "who mode accuracy command")

TRAIN = {"picture": ["fused", "fused+last", "fused+last+compile", "fused+last+medium", "fused+last+bf16"],
         "row": ["eager", "foreach", "fused", "fused+compile", "fused+medium", "fused+bf16"],
         "sequence": ["eager", "fused", "fused+compile", "fused+medium", "fused+bf16"],
         "tokens": ["fused", "fused+compile", "fused+medium", "fused+bf16"]}
INFER = {"picture": ["eager", "last", "last+trace", "last+compile", "last+medium", "last+bf16"],
         "row": ["eager", "trace", "compile", "medium", "bf16"],
         "sequence": ["eager", "trace", "compile", "medium", "bf16"],
         "tokens": ["eager", "compile", "medium", "bf16"]}
JAX = {"row": ["jit", "scan", "scan+medium"], "tokens": ["jit", "scan", "scan+medium"]}
# With --quick: those that were the best of some job in their class
QUICK = {"picture": ["fused+last", "fused+last+medium", "fused+last+bf16"], "tokens": ["fused", "fused+bf16"],
         "row": ["eager", "foreach", "fused", "fused+medium"], "sequence": ["fused", "fused+bf16"]}
QUICK_INFER = {"picture": ["last", "last+trace", "last+bf16"], "tokens": ["eager", "bf16"],
               "row": ["eager", "trace", "medium"], "sequence": ["eager", "bf16"]}
SPLIT, HALF = "f32 by split products", "bf16"
ACCURACY = {"f32-fast": SPLIT, "bf16": HALF, "medium": HALF}
PEERS = {"PyTorch": "torch", "JAX": "jax", "ONNX Runtime": "onnxruntime"}  # and their modules


def accuracy(words):
    return next((ACCURACY[word] for word in words if word in ACCURACY), "f32")


def versions(python):
    """Of the peers that this Python has; who is missing is said."""
    found = {}
    for peer, module in PEERS.items():
        code = f"import {module}; print({module}.__version__)"
        done = subprocess.run([python, "-c", code], capture_output=True, text=True)
        if done.returncode:
            print(f"{peer} is not installed for {python}, and left out", file=sys.stderr)
        else:
            found[peer] = done.stdout.strip()
    return found


def tenon(o, job, same):
    for device in o.devices:
        name, _, precision = device.partition("/")
        command = [o.tenon, "bench", "infer" if o.infer else "train", *same, "--device", name, "--json", "--repeats",
                   str(o.repeats)]
        command += ["--precision", precision] if precision else []
        command += ["--seconds", str(o.seconds)] if o.infer else ["--samples", str(job.samples)]
        yield Contestant("Tenon", device, accuracy([precision]), command)


def peer(o, who, script, modes, same):
    """A peer in each of its modes."""
    command = [o.python, os.path.join(HERE, script), *same, "--threads", str(o.threads), "--seconds", str(o.seconds),
               "--repeats", str(o.repeats)]
    command += ["--infer"] if o.infer else []
    for mode in modes:
        words = mode.split("+") if mode else []
        if not set(words) & set(o.without):
            yield Contestant(who, mode, accuracy(words), command + (["--mode", mode] if mode else []))


def words_of(job, infer):
    """What all contestants are told of a job."""
    same = ["--net", job.net, "--batch", str(infer or job.batch), "--shape", job.shape, *job.more]
    return same if infer else same + ["--optimizer", job.optimizer]


def contestants(o, job, found):
    """Everybody, Tenon's devices first."""
    same = words_of(job, o.infer)
    listed = (QUICK_INFER if o.infer else QUICK) if o.quick else INFER if o.infer else TRAIN
    modes = o.modes if o.modes is not None else listed[kind(job.net)]
    yield from tenon(o, job, same)
    if "PyTorch" in found:
        device = ["--device", o.torch_device] if o.torch_device != "cpu" else []
        yield from peer(o, "PyTorch", "torch_train.py", modes, same + device)
    if "JAX" in found and kind(job.net) in JAX:
        yield from peer(o, "JAX", "jax_train.py", ["jit"] if o.infer else ["scan"] if o.quick else JAX[kind(job.net)],
                        same)
    if "ONNX Runtime" in found and o.infer:
        yield from peer(o, "ONNX Runtime", "onnx_infer.py", [""], same)


def rows_of(o, name, entered, said):
    """A row for each contestant of a job that failed in no round."""
    for key, figures in said.items():
        if not figures:
            continue
        rates, c = sorted(one["samples_per_s"] for one in figures), entered[key]
        peak = statistics.median(one["peak_mib"] for one in figures)
        yield {"job": name, "infer": o.infer, "who": c.who, "mode": c.mode, "accuracy": c.accuracy, "rates": rates,
               "median": statistics.median(rates), "peak_mib": round(peak)}


def keep(o, found, jobs):
    rows = [row for of_job in jobs.values() for row in of_job]
    kept = {"date": datetime.date.today().isoformat(), "machine": contest.machine(), "threads": o.threads, "versions": found,
            "rounds": max((len(row["rates"]) for row in rows), default=0), "rows": rows}
    if o.keep:
        with open(o.keep, "w", encoding="utf-8") as file:
            json.dump(kept, file, indent=1)


def measure(o, found):
    """All rounds, each with every job, while there is time: name of the job -> its rows. Those so far are kept as it
    goes."""
    entered = {name: {f"{c.who} {c.mode}": c for c in contestants(o, ALL[name], found)} for name in o.jobs}
    said = {name: {key: [] for key in of_job} for name, of_job in entered.items()}
    begun = time.monotonic()
    for number in range(o.rounds):
        longest = 60 * o.minutes * number / (number + 1)  # after which another round would be too much
        if number and o.minutes and time.monotonic() - begun > longest:
            break
        for name, of_job in entered.items():
            commands = {key: c.command for key, c in of_job.items()}
            contest.play(commands, said[name], number, contest.environment(o.threads))
            rows = {name: list(rows_of(o, name, entered[name], said[name])) for name in o.jobs}
            keep(o, found, rows)
    return rows


def best(rows, who, accurate):
    fit = (row["median"] for row in rows if row["who"] == who and (row["accuracy"] == HALF) != accurate)
    return max(fit, default=0)


def print_rows(rows):
    against = best(rows, "PyTorch", True), best(rows, "PyTorch", False)
    for row in rows:
        ratios = " | ".join(f"{row['median'] / value:.2f}" if value else "–" for value in against)
        what = f"{row['job']}, using {row['infer']}" if row["infer"] else row["job"]
        print(f"| {what} | {row['who']} | {row['mode'] or '–'} | {row['accuracy']} | {row['median']:,.0f} | "
              f"{row['rates'][0]:,.0f} to {row['rates'][-1]:,.0f} | {len(row['rates'])} | {ratios} | "
              f"{row['peak_mib']} |", flush=True)


def read_arguments():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--tenon", default=TENON)
    arguments.add_argument("--python", default=PYTHON if os.path.exists(PYTHON) else sys.executable,
                           help="a Python that has the peers (the one that setup.sh made)")
    arguments.add_argument("--infer", type=int, metavar="BATCH", default=0, help="use the networks in such batches")
    arguments.add_argument("--devices", nargs="+", default=["cpu", "opencl:0"],
                           help="of Tenon, with /PRECISION behind it where that is wanted: cpu/bf16")
    arguments.add_argument("--modes", nargs="*", help="of torch_train.py, instead of all that may be its best")
    arguments.add_argument("--without", nargs="*", default=[], help="words: modes that have one are left out")
    arguments.add_argument("--torch-device", default="cpu")
    arguments.add_argument("--jobs", nargs="+", default=list(JOBS), choices=ALL, metavar="JOB",
                           help="of jobs.py: those of the table, width128 to width8192, batch1 to batch512")
    arguments.add_argument("--quick", action="store_true", help="only the modes that were the best of some job")
    arguments.add_argument("--rounds", type=int, default=7)
    arguments.add_argument("--minutes", type=float, default=0, help="begin no round that would not end by then")
    arguments.add_argument("--repeats", type=int, default=3, help="measurements in a round; of our training: epochs")
    arguments.add_argument("--seconds", type=float, default=0.3, help="that one measurement takes otherwise")
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--keep", metavar="FILE", help="write all figures there, for report.py")
    return arguments.parse_args()


def main():
    o = read_arguments()
    found = versions(o.python)
    jobs = measure(o, found)
    head = ["job", "who", "mode", "accuracy", "samples/s, median", "lowest to highest", "rounds",
            "to PyTorch's best f32", "to its best bf16", "peak, MiB"]
    print(f"| {' | '.join(head)} |\n|{' --- |' * len(head)}")
    for rows in jobs.values():
        print_rows(rows)
    print(f"\n{o.threads} threads; {contest.machine()}; {', '.join(f'{who} {version}' for who, version in found.items())}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
