#!/usr/bin/env python3
"""Makes what docs/examples shows of each program of examples/: its picture, of the numbers that it writes by --table,
and what it prints, which goes into its page. The same machine and device give the same files.

    python3 tools/examples.py build/release/bin/examples docs/examples [NAME...]

What a page's command has after the program's name is what the program is run with. The one in C++ is compiled into the
same folder first, as its page says."""
import csv
import html
import math
import pathlib
import re
import subprocess
import sys
import tempfile

PANEL, GAP, ROW, NAME = 200, 26, 240, 14  # pixels: a panel's side, between two, a row of them, a series' name
COLOURS = ("#2563c9", "#d2691e", "#2e8b57", "#b03060", "#7d5fb2", "#6b7280")
LINES = {"loss", "value", "derivative", "training", "test", "learned", "even odds", "transformer", "best bigram model"}
POINTS = {"s05_statistics", "s07_chain_rule", "s12_output_heads", "s18_two_heads", "s20_gan"}
NAMES = {"area": "says 1"}
OWN = {"0 wanted": "#b03060", "1 wanted": "#2e8b57"}
AREA = (-0.3, 1.3)  # what areas fill
MOST = {"s04_gradient_descent": 0.65}  # what is above is left out
STYLE = """<style>text{font:11px sans-serif;fill:#444}.b{font-weight:bold}.f{fill:none;stroke:#bbb}
@media(prefers-color-scheme:dark){text{fill:#ccc}.f{stroke:#666}}</style>"""
OUTPUT = re.compile(r"(<!-- output[^>]*-->\n```\n).*?(\n```)", re.S)


def number(value):
    return f"{value:.1f}".rstrip("0").rstrip(".") if abs(value) < 1e9 else "0"


def range_of(values):
    low, high = min(values), max(values)
    pad = (high - low) * 0.04 or 0.5
    return low - pad, high + pad


def bars_of(points, size):
    bars = []
    for x, y in points:
        if bars and bars[-1][1] == y and x - bars[-1][0] - bars[-1][2] < 1.1 * size:
            bars[-1][2] = x - bars[-1][0]
        else:
            bars.append([x, y, 0])
    return bars


def dots(points, kind, colour):
    size = {"area": 6.7, "many": 1.6}.get(kind, 3)
    if kind == "area":  # squares side by side become bars
        path = "".join(f"M{number(x - size / 2)} {number(y - size / 2)}h{number(w + size)}v{size}h-{number(w + size)}z"
                       for x, y, w in bars_of(points, size))
        return f'<path d="{path}" fill="{colour}" opacity=".22"/>'
    path = "".join(f"M{number(x)} {number(y)}h0" for x, y in points)
    return f'<path d="{path}" stroke="{colour}" stroke-width="{2 * size}" stroke-linecap="round" opacity=".8"/>'


def line(points, colour):
    path = "L".join(f"{number(x)} {number(y)}" for x, y in points)
    return f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="1.6"/>'


def panel_of(title, series, as_dots, left, top):
    every = [p for points in series.values() for p in points]
    (x0, x1), (y0, y1) = range_of([x for x, _ in every]), range_of([y for _, y in every])
    if "area" in series:
        (x0, x1), (y0, y1) = AREA, AREA

    def place(x, y):
        return left + (x - x0) / (x1 - x0) * PANEL, top + PANEL - (y - y0) / (y1 - y0) * PANEL

    out = [f'<text x="{left}" y="{top - 6}" class="b">{html.escape(title)}</text>',
           f'<rect x="{left}" y="{top}" width="{PANEL}" height="{PANEL}" class="f"/>',
           f'<text x="{left + 3}" y="{top + PANEL - 4}">{y0:.3g}</text>',
           f'<text x="{left + 3}" y="{top + 12}">{y1:.3g}</text>',
           f'<text x="{left}" y="{top + PANEL + 13}">{x0:.3g}</text>',
           f'<text x="{left + PANEL}" y="{top + PANEL + 13}" text-anchor="end">{x1:.3g}</text>']
    for i, (name, points) in enumerate(series.items()):
        colour = OWN.get(name, COLOURS[i % len(COLOURS)])
        placed = [place(*p) for p in points]
        kind = "area" if name == "area" else "many" if len(points) > 60 else "few"
        lies = name in LINES or not as_dots and name not in ("area", "0 wanted", "1 wanted", "a flat", "passed",
                                                             "failed")
        out.append(line(placed, colour) if lies else dots(placed, kind, colour))
        if len(series) > 1:
            out.append(f'<text x="{left}" y="{top + PANEL + 27 + NAME * i}" style="fill:{colour}">'
                       f'{html.escape(NAMES.get(name, name))}</text>')
    return out


def picture_of(name, rows):
    panels = {}
    for panel, series, x, y in rows:
        x, y = float(x), float(y)
        if math.isfinite(x) and math.isfinite(y) and y <= MOST.get(name, math.inf):
            panels.setdefault(panel, {}).setdefault(series, []).append((x, y))
    across, named = min(len(panels), 4), max(len(series) for series in panels.values())
    row = ROW + (NAME * named if named > 1 else 0)
    width, height = across * (PANEL + GAP) + GAP, -(-len(panels) // across) * row + 24
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}">', STYLE]
    for i, (title, series) in enumerate(panels.items()):
        out += panel_of(title, series, name in POINTS, GAP + i % across * (PANEL + GAP), 24 + i // across * row)
    return "\n".join([*out, "</svg>", ""])


def printed_epochs(text):
    """Programs without --table print their epochs."""
    for found in re.finditer(r"epoch (\d+)  loss ([\d.]+)\s+test(?: accuracy)? ([\d.]+)", text):
        yield "loss", "loss", found[1], found[2]
        yield "right of the test set, %", "right", found[1], found[3]


def shown(name, text):
    """What the page has: a text that was written differs from machine to machine, and stands below."""
    if name == "s16_transformer":
        text = re.sub(r"(\nstep +\d+  loss [\d.]+\n)(?!step).*(\nshown:)", r"\1...\2", text, flags=re.S)
    return text.rstrip("\n")


def make(name, programs, folder):
    page = folder / f"{name}.md"
    text = page.read_text()
    words = re.search(rf"^(?:build/release/bin/examples|\.)/{name}(.*)$", text, re.M)[1].split()
    table = name[0] == "s" and name[1:3].isdigit()
    with tempfile.TemporaryDirectory() as made:
        file = pathlib.Path(made) / "table.csv"
        run = subprocess.run([str((programs / name).resolve()), *words, *(["--table", str(file)] if table else [])],
                             cwd=made, capture_output=True, text=True, check=True)
        rows = list(csv.reader(file.open()))[1:] if table else printed_epochs(run.stdout)
        (folder / f"{name}.svg").write_text(picture_of(name, rows))
    output = shown(name, run.stdout)
    page.write_text(OUTPUT.sub(lambda found: found[1] + output + found[2], text))
    print(f"{name}: {(folder / f'{name}.svg').stat().st_size} bytes")


def main():
    programs, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    names = sys.argv[3:] or [p.stem for p in sorted(folder.glob("*.md")) if p.stem != "README"]
    for name in names:
        make(name, programs, folder)


main()
