#!/usr/bin/env python3
"""A processor beside another device in one process, a thread each: samples a second as multiples of the processor's
alone, in alternating rounds. Each has the job's batch. See README.md beside this file."""
import argparse
import os
import statistics
import sys

import contest
from jobs import JOBS

HERE = os.path.dirname(os.path.abspath(__file__))
DEALT = {"b128": ["1:1"], "resnet20": ["9:7", "4:3"]}  # shards that the processor and the other take of twice the batch


def bench(o, job, device, batches, *more):
    """Of batches that as many shards divide."""
    net, optimizer, batch, shape, samples = JOBS[job][:5]
    shards = int(more[1]) if more else 1
    batch = batch * batches // shards * shards
    return [o.tenon, "bench", "train", "--net", net, "--optimizer", optimizer, "--batch", str(batch), "--shape", shape,
            "--samples", str(max(samples * batches, 4 * batch) // batch * batch), "--device", device, "--repeats",
            str(o.repeats), "--json", *more]


def cases(o, job):
    found = {"cpu": bench(o, job, "cpu", 1), o.beside: bench(o, job, o.beside, 1)}
    for shares in o.shares or DEALT[job]:
        shards = sum(int(share) for share in shares.split(":"))
        found[f"cpu+{o.beside}, {shares}"] = bench(o, job, f"cpu+{o.beside}", 2, "--shards", str(shards), "--shares",
                                                   shares)
    return found


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--beside", default="opencl:0", metavar="DEVICE")
    arguments.add_argument("--jobs", nargs="+", default=list(DEALT), choices=DEALT)
    arguments.add_argument("--shares", nargs="+", metavar="N:N", help="in place of those that suit PoCL")
    arguments.add_argument("--rounds", type=int, default=7)
    arguments.add_argument("--repeats", type=int, default=3, help="epochs that are measured in a round")
    arguments.add_argument("--tenon", default=os.path.join(HERE, "../build/release/bin/tenon"))
    o = arguments.parse_args()
    print("| job | devices | samples/s, median | lowest to highest | to cpu |\n| --- | --- | --- | --- | --- |")
    for job in o.jobs:
        figures = contest.rounds(cases(o, job), o.rounds, contest.environment(1), "samples_per_s")
        alone = statistics.median(figures["cpu"])
        for name, rates in figures.items():
            median = statistics.median(rates)
            print(f"| {job} | {name} | {median:,.0f} | {rates[0]:,.0f} to {rates[-1]:,.0f} | {median / alone:.2f} |")


if __name__ == "__main__":
    sys.exit(main())
