#!/usr/bin/env python3
"""How speed grows with a network's width and with the batch: a chart of what `train.py --jobs width128 ... --keep` wrote.

usage: sizes.py FILE.json... FILE.svg"""
import sys

import chart
import report
from jobs import SIZES

TITLE = {"width": "784-width-width-10, Adam, batch 128", "batch": "ResNet-20 on 3x32x32, by the batch"}


def label_of(row):
    """A device of Tenon's, or the peer by what it rounds: the best of its modes counts."""
    return f"Tenon, {row['mode']}" if row["who"] == "Tenon" else f"{row['who']}, {row['accuracy']}"


def lines_of(rows, what):
    """label -> [(size, samples a second)], in the order of sizes."""
    lines = {}
    for size in SIZES[what]:
        best = {}
        for row in rows:
            if row["job"] == f"{what}{size}":
                best[label_of(row)] = max(best.get(label_of(row), 0), row["median"])
        for label, speed in best.items():
            lines.setdefault(label, []).append((size, speed))
    return lines


def main():
    *files, svg = sys.argv[1:]
    about, rows = report.read(files)
    panels = {TITLE[what]: lines for what in SIZES if (lines := lines_of(rows, what))}
    versions = ", ".join(f"{who} {version}" for who, version in about["versions"].items())
    figures = [f"{about['machine']}, {about['threads']} threads, {about['date']}, {versions}"]
    figures += [f"{r['job']}, {r['who']}, {r['mode']}: {r['median']:.5g} samples/s" for r in rows]
    chart.write(svg, "Samples a second in training", panels, figures, shared_x=False)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main()
