"""compile.py: compile times over the number of a graph's tensors.

  python3 bench/compile.py measure PROGRAM LABEL [--limit SECONDS] >>FILE.csv
  python3 bench/compile.py plot FILE.csv FILE.svg

`measure` runs compile_bench (bench/compile.c) on each family at sizes that double, until one takes longer than the
limit, and prints a line for each with the label in front. `plot` draws processor seconds of tn_compile over tensors,
both on logarithmic axes: a panel for each family, a line for each label. The figures stand in the picture's <desc>.
"""
import argparse
import csv
import subprocess
import sys

import chart

FIRST = {"lstm": 25, "linear": 50, "mlp": 25, "resnet": 5, "transformer": 5, "chain": 200}
TITLE = {"lstm": "LSTM, unrolled", "linear": "linear 2, again and again", "mlp": "linear, relu, dropout",
         "resnet": "residual blocks", "transformer": "transformer blocks", "chain": "sin and add"}


def line_of(program, arguments):
    result = subprocess.run([program, *arguments], capture_output=True, text=True, check=True)
    return result.stdout.strip()


def measure(arguments):
    head = line_of(arguments.program, ["--head"])
    print("label," + head)
    for family, size in FIRST.items():
        seconds = 0.0
        while 3 * seconds < arguments.limit and size <= arguments.most * FIRST[family]:
            line = line_of(arguments.program, [family, str(size), arguments.device])
            seconds = float(dict(zip(head.split(","), line.split(",")))["compile"])
            print(arguments.label + "," + line, flush=True)
            size *= 2


def read(path):
    """{family: {label: [(tensors, seconds)]}}, in the file's order."""
    series, text, names = {}, [], None
    with open(path, encoding="utf-8") as file:
        for row in csv.reader(file):
            if row[0] == "label":
                names = row
                continue
            at = dict(zip(names, row))
            points = series.setdefault(at["family"], {}).setdefault(at["label"], [])
            points.append((float(at["tensors"]), max(float(at["compile"]), 1e-4)))
            text.append(",".join(row))
    return series, ",".join(names), text


def plot(arguments):
    series, names, text = read(arguments.csv)
    chart.write(arguments.svg, "Processor seconds of tn_compile over the tensors of the graph",
                {TITLE[family]: lines for family, lines in series.items()}, [names, *text], " s")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("measure")
    one.add_argument("program")
    one.add_argument("label")
    one.add_argument("--limit", type=float, default=30, help="seconds for one compilation")
    one.add_argument("--most", type=int, default=64, help="times the first size")
    one.add_argument("--device", default="cpu")
    one.set_defaults(run=measure)
    two = commands.add_parser("plot")
    two.add_argument("csv")
    two.add_argument("svg")
    two.set_defaults(run=plot)
    arguments = parser.parse_args()
    arguments.run(arguments)


if __name__ == "__main__":
    sys.exit(main())
