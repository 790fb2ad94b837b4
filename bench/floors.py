#!/usr/bin/env python3
"""Where the time of the jobs' training steps goes, and what it could be at the least: `tenon bench train --profile` of
each job on each device, of which the round with the median step counts. Prints two Markdown tables: a step beside the
floor of its kernels, with the ratio to PyTorch now and at that floor; and the sorts of kernels that lose the most.

usage: floors.py --speed FILE.json [--into docs/speed.md], the file from `train.py --keep`"""
import argparse
import collections
import sys

import contest
import report
import train
from jobs import JOBS

BEGIN, END = "<!-- floors: written by bench/floors.py -->", "<!-- end of floors -->"
SHOWN = 4  # sorts of kernels of a job on a device

Sort = collections.namedtuple("Sort", "name calls seconds floor")


def measure(o):
    """(job, device) -> the profile of its median round."""
    entered = {(name, c.mode): c.command + ["--profile"] for name in o.jobs
               for c in train.tenon(o, JOBS[name], train.words_of(JOBS[name], 0))}
    said = contest.answers(entered, o.rounds, contest.environment(o.threads))
    profiles = {key: sorted((one["profile"] for one in rounds), key=lambda p: p["step"]) for key, rounds in said.items()}
    return {key: rounds[len(rounds) // 2] for key, rounds in profiles.items() if rounds}


def sorts(profile):
    """Kernels by their operator, those first that lose the most beyond their floor."""
    by_name = collections.defaultdict(list)
    for kernel in profile["kernels"]:
        by_name[kernel["kernel"]].append(kernel)
    found = [Sort(name, *(sum(k[what] for k in kernels) for what in ("calls", "seconds", "floor")))
             for name, kernels in by_name.items()]
    return sorted(found, key=lambda s: s.floor - s.seconds)


def ratio(rows, name, device):
    """Ours to PyTorch's best of the same accuracy; None where one of them is missing."""
    of_job = [r for r in rows if r["job"] == name and not r["infer"]]
    own = next((r for r in of_job if r["who"] == "Tenon" and r["mode"] == device), None)
    peer = own and report.lead(of_job, "PyTorch", own["accuracy"] != train.HALF)
    return own["median"] / peer["median"] if peer else None


def number(value):
    return "–" if value is None else f"{value:.2f}"


def step_row(name, device, profile, now):
    step, kernels, floor = (profile[what] * 1e6 for what in ("step", "kernel_seconds", "floor"))
    at_floor = now and now * step / floor
    cells = [JOBS[name].title, f"`{device}`", f"{step:,.0f}", f"{kernels:,.0f}", f"{max(step - kernels, 0):,.0f}",
             f"{floor:,.0f}", f"{kernels / floor:.2f}", number(now), number(at_floor)]
    return f"| {' | '.join(cells)} |"


def sort_rows(name, device, profile):
    for s in sorts(profile)[:SHOWN]:
        share = 100 * s.seconds / profile["kernel_seconds"]
        times = f"{s.seconds / s.floor:.2f}" if s.floor else "–"
        yield (f"| {JOBS[name].title} | `{device}` | {s.name} | {s.calls} | {s.seconds * 1e6:,.0f} | {share:.0f} % | "
               f"{s.floor * 1e6:,.0f} | {times} |")


def tell(about, rows, profiles):
    one = next(iter(profiles.values()))["peaks"]
    memory = ", ".join(f"{m['gb_per_s']:.0f} on {m['bytes'] >> 10} KiB" for m in one["memory"])
    lines = [f"A step in microseconds on {about['machine']} with {about['threads']} threads, {about['date']}. The first "
             f"device was seen to do {one['gflops']:.0f} GFLOP/s in products, and in GB/s {memory}.", "",
             "| network | device | step | its kernels | between them | floor of the kernels | times | to PyTorch | at the "
             "floor |", "|" + " --- |" * 9]
    lines += [step_row(*key, profile, ratio(rows, *key)) for key, profile in profiles.items()]
    lines += ["", "What loses the most beyond its floor, by operator:", "",
              "| network | device | kernels | calls | microseconds | share | floor | times |", "|" + " --- |" * 8]
    for key, profile in profiles.items():
        lines += sort_rows(*key, profile)
    return "\n".join(lines)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--speed", required=True, metavar="FILE.json", help="what train.py --keep wrote")
    arguments.add_argument("--into", metavar="FILE.md", help="write it between the lines that say where")
    arguments.add_argument("--tenon", default=train.TENON)
    arguments.add_argument("--devices", nargs="+", default=["cpu", "cpu/bf16", "opencl:0"])
    arguments.add_argument("--jobs", nargs="+", default=list(JOBS), choices=JOBS, metavar="JOB")
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--repeats", type=int, default=3)
    arguments.add_argument("--threads", type=int, default=2)
    o = arguments.parse_args()
    o.infer, o.seconds = 0, 0
    about, rows = report.read([o.speed])
    text = tell(about, rows, measure(o))
    if o.into:
        report.put_into(o.into, text, BEGIN, END)
    else:
        print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
