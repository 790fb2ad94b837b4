"""compile.py: compile times over the number of a graph's tensors.

  python3 bench/compile.py measure PROGRAM LABEL [--limit SECONDS] >>FILE.csv
  python3 bench/compile.py plot FILE.csv FILE.svg

`measure` runs compile_bench (bench/compile.c) on each family at sizes that double, until one takes longer than the
limit, and prints a line for each with the label in front. `plot` draws processor seconds of tn_compile over tensors,
both on logarithmic axes: a panel for each family, a line for each label. The figures stand in the picture's <desc>.
"""
import argparse
import csv
import math
import subprocess
import sys

FIRST = {"lstm": 25, "linear": 50, "mlp": 25, "resnet": 5, "transformer": 5, "chain": 200}
TITLE = {"lstm": "LSTM, unrolled", "linear": "linear 2, again and again", "mlp": "linear, relu, dropout",
         "resnet": "residual blocks", "transformer": "transformer blocks", "chain": "sin and add"}
COLOURS = ["#c0392b", "#2471a3", "#1e8449", "#7d3c98"]
WIDE, HIGH, LEFT, TOP, GAP_X, GAP_Y = 250, 190, 55, 45, 60, 60


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


def decades(values):
    return math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))


def panel(family, lines, x0, y0, x_range, y_range, labels):
    def place(x, y):
        return (x0 + WIDE * (math.log10(x) - x_range[0]) / (x_range[1] - x_range[0]),
                y0 + HIGH * (1 - (math.log10(y) - y_range[0]) / (y_range[1] - y_range[0])))

    yield f'<text x="{x0}" y="{y0 - 8}" font-weight="bold">{TITLE[family]}</text>'
    yield f'<rect x="{x0}" y="{y0}" width="{WIDE}" height="{HIGH}" fill="none" stroke="#888"/>'
    for d in range(x_range[0], x_range[1] + 1):
        x = place(10.0 ** d, 10.0 ** y_range[0])[0]
        yield f'<path d="M{x:.1f} {y0}v{HIGH}" stroke="#ddd"/>'
        yield f'<text x="{x:.1f}" y="{y0 + HIGH + 14}" text-anchor="middle">1e{d}</text>'
    for d in range(y_range[0], y_range[1] + 1):
        y = place(10.0 ** x_range[0], 10.0 ** d)[1]
        yield f'<path d="M{x0} {y:.1f}h{WIDE}" stroke="#ddd"/>'
        yield f'<text x="{x0 - 5}" y="{y + 4:.1f}" text-anchor="end">{10.0 ** d:g} s</text>'
    for label, points in lines.items():
        colour = COLOURS[labels.index(label) % len(COLOURS)]
        at = [place(x, y) for x, y in points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in at)
        yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
        for x, y in at:
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{colour}"/>'


def plot(arguments):
    series, names, text = read(arguments.csv)
    labels = list(dict.fromkeys(label for lines in series.values() for label in lines))
    points = [p for lines in series.values() for line in lines.values() for p in line]
    x_range, y_range = decades([x for x, _ in points]), decades([y for _, y in points])
    rows = (len(series) + 2) // 3
    width, height = LEFT + 3 * (WIDE + GAP_X), TOP + rows * (HIGH + GAP_Y) + 10
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" '
           'font-size="11">', "<title>Processor seconds of tn_compile over the tensors of the graph</title>",
           "<desc>", names, *text, "</desc>", f'<rect width="{width}" height="{height}" fill="white"/>']
    for i, label in enumerate(labels):
        out.append(f'<text x="{LEFT + 110 * i}" y="18" font-size="13" fill="{COLOURS[i % len(COLOURS)]}">{label}</text>')
    for i, (family, lines) in enumerate(series.items()):
        x0, y0 = LEFT + i % 3 * (WIDE + GAP_X), TOP + i // 3 * (HIGH + GAP_Y)
        out.extend(panel(family, lines, x0, y0, x_range, y_range, labels))
    out.append("</svg>")
    with open(arguments.svg, "w", encoding="utf-8") as file:
        file.write("\n".join(out) + "\n")


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
