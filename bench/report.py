#!/usr/bin/env python3
"""The README's table of speeds from what `train.py --keep` wrote: a row for each network, in samples a second, with the
ratio to the best that a peer reaches with products of the same accuracy.

usage: report.py FILE.json... [--into README.md]"""
import argparse
import json
import sys

import train
from jobs import JOBS

BEGIN, END = "<!-- speeds: written by bench/report.py -->", "<!-- end of speeds -->"


def read(paths):
    """What the files say of the machine, all of them alike, and their rows; a later file's come in place of others."""
    about, rows = {}, {}
    for path in paths:
        with open(path, encoding="utf-8") as file:
            kept = json.load(file)
        rows.update({(r["job"], r["infer"], r["who"], r["mode"]): r for r in kept.pop("rows")})
        same = [about.get(key, kept[key]) == kept[key] for key in ("machine", "threads", "versions")]
        if not all(same):
            sys.exit(f"report: {path} was measured elsewhere, or with other versions, than {paths[0]}")
        about = kept
    return about, list(rows.values())


def lead(rows, who, accurate):
    """The row of that peer's best mode; None: it has none."""
    fit = [r for r in rows if r["who"] == who and (r["accuracy"] == train.HALF) != accurate]
    return max(fit, key=lambda r: r["median"], default=None)


def cell(row, against=None):
    """The figure, and its ratio to a peer's or the peer's mode."""
    if not row:
        return "–"
    text = f"{row['median']:,.0f}" if row["median"] >= 100 else f"{row['median']:.3g}"
    if row["who"] != "Tenon":
        return f"{text} {row['mode'].replace('+', ', ')}".strip()
    return f"{text} ({row['median'] / against['median']:.2f})" if against else text


def table(rows):
    """Lines of Markdown: jobs in their order, Tenon's devices, then the peers that are there."""
    devices = list(dict.fromkeys(r["mode"] for r in rows if r["who"] == "Tenon"))
    peers = [(who, accurate) for who in train.PEERS for accurate in (True, False) if lead(rows, who, accurate)]
    head = ["network", *(f"`{device}`" for device in devices),
            *(f"{who}, {'f32' if accurate else train.HALF}" for who, accurate in peers)]
    lines = [f"| {' | '.join(head)} |", "|" + " --- |" * len(head)]
    for name in JOBS:
        of_job = [r for r in rows if r["job"] == name]
        own = {r["mode"]: r for r in of_job if r["who"] == "Tenon"}
        cells = [cell(own.get(d), lead(of_job, "PyTorch", own[d]["accuracy"] != train.HALF) if d in own else None)
                 for d in devices]
        if of_job:
            cells += [cell(lead(of_job, *peer)) for peer in peers]
            lines.append(f"| {JOBS[name].title} | {' | '.join(cells)} |")
    return lines


def gains(rows):
    """A sentence: what each device's trainings with exact products are in PyTorch's, at the least and at the most."""
    ratios = {}
    for r in rows:
        peer = lead([p for p in rows if p["job"] == r["job"] and not p["infer"]], "PyTorch", True)
        if r["who"] == "Tenon" and not r["infer"] and r["accuracy"] != train.HALF and peer:
            ratios.setdefault(r["mode"], []).append(r["median"] / peer["median"])
    said = [f"`{mode}` {min(all_of):.2f} to {max(all_of):.2f} times" for mode, all_of in ratios.items()]
    return f" Trainings in f32 are on {', on '.join(said)} as fast as PyTorch's." if said else ""


def report(about, rows):
    versions = ", ".join(f"{who} {version}" for who, version in about["versions"].items())
    rounds = sorted({len(r["rates"]) for r in rows})
    taken = f"{rounds[0]} to {rounds[-1]}" if len(rounds) > 1 else f"{rounds[0]}"
    lines = [f"Samples a second on {about['machine']} with {about['threads']} threads, {about['date']}, against "
             f"{versions}, each in its best mode: medians of {taken} alternating rounds. In brackets the "
             f"ratio to PyTorch's best with products of the same accuracy.{gains(rows)}"]
    for batch in dict.fromkeys(r["infer"] for r in rows):
        if batch:
            lines += ["", f"The same networks used and not trained, in batches of {batch}:"]
        lines += ["", *table([r for r in rows if r["infer"] == batch])]
    return "\n".join(lines)


def put_into(path, text, first=BEGIN, last=END):
    """Puts the text between these two lines of a page, in place of what is there."""
    with open(path, encoding="utf-8") as file:
        before, begin, rest = file.read().partition(first)
    _, end, after = rest.partition(last)
    if not end:
        sys.exit(f"{sys.argv[0]}: {path} has no place for it: lines '{first}' and '{last}'")
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"{before}{begin}\n\n{text}\n\n{end}{after}")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("files", nargs="+", metavar="FILE.json")
    arguments.add_argument("--into", metavar="README.md", help="write it between the lines that say where")
    o = arguments.parse_args()
    text = report(*read(o.files))
    if o.into:
        put_into(o.into, text)
    else:
        print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
