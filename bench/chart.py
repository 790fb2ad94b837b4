"""Charts in SVG: panels side by side with lines between points, both axes logarithmic."""
import math

COLOURS = ["#c0392b", "#2471a3", "#1e8449", "#7d3c98", "#b9770e"]
WIDE, HIGH, LEFT, TOP, GAP_X, GAP_Y, ACROSS = 250, 190, 55, 45, 60, 60, 3


def decades(values):
    """The powers of ten around them; never the same one twice."""
    low = math.floor(math.log10(min(values)))
    return low, max(math.ceil(math.log10(max(values))), low + 1)


def panel(title, lines, x0, y0, ranges, labels, unit):
    x_range, y_range = ranges

    def place(x, y):
        return (x0 + WIDE * (math.log10(x) - x_range[0]) / (x_range[1] - x_range[0]),
                y0 + HIGH * (1 - (math.log10(y) - y_range[0]) / (y_range[1] - y_range[0])))

    yield f'<text x="{x0}" y="{y0 - 8}" font-weight="bold">{title}</text>'
    yield f'<rect x="{x0}" y="{y0}" width="{WIDE}" height="{HIGH}" fill="none" stroke="#888"/>'
    for d in range(x_range[0], x_range[1] + 1):
        x = place(10.0 ** d, 10.0 ** y_range[0])[0]
        yield f'<path d="M{x:.1f} {y0}v{HIGH}" stroke="#ddd"/>'
        yield f'<text x="{x:.1f}" y="{y0 + HIGH + 14}" text-anchor="middle">1e{d}</text>'
    for d in range(y_range[0], y_range[1] + 1):
        y = place(10.0 ** x_range[0], 10.0 ** d)[1]
        yield f'<path d="M{x0} {y:.1f}h{WIDE}" stroke="#ddd"/>'
        yield f'<text x="{x0 - 5}" y="{y + 4:.1f}" text-anchor="end">{10.0 ** d:g}{unit}</text>'
    for label, points in lines.items():
        colour = COLOURS[labels.index(label) % len(COLOURS)]
        at = [place(x, y) for x, y in points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in at)
        yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
        for x, y in at:
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{colour}"/>'


def write(path, title, panels, figures, unit="", shared_x=True):
    """Panels: title -> {label: [(x, y)]}. All have the same range of y, and of x if it is shared. `figures` are lines of
    text that the file keeps in its <desc>."""
    labels = list(dict.fromkeys(label for lines in panels.values() for label in lines))
    points = {name: [p for line in lines.values() for p in line] for name, lines in panels.items()}
    everything = [p for some in points.values() for p in some]
    y_range = decades([y for _, y in everything])
    rows = (len(panels) + ACROSS - 1) // ACROSS
    width, height = LEFT + min(len(panels), ACROSS) * (WIDE + GAP_X), TOP + rows * (HIGH + GAP_Y) + 10
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" '
           'font-size="11">', f"<title>{title}</title>", "<desc>", *figures, "</desc>",
           f'<rect width="{width}" height="{height}" fill="white"/>']
    for i, label in enumerate(labels):
        out.append(f'<text x="{LEFT + 110 * i}" y="18" font-size="13" fill="{COLOURS[i % len(COLOURS)]}">{label}</text>')
    for i, (name, lines) in enumerate(panels.items()):
        x0, y0 = LEFT + i % ACROSS * (WIDE + GAP_X), TOP + i // ACROSS * (HIGH + GAP_Y)
        x_range = decades([x for x, _ in (everything if shared_x else points[name])])
        out.extend(panel(name, lines, x0, y0, (x_range, y_range), labels, unit))
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join([*out, "</svg>"]) + "\n")
