"""The page of `tenon train --report`: one file that loads nothing, with all its sections, the pictures of the data, and
names that are escaped; or, with `browser`, how a Chromium shows it: at desktop and phone widths, light and dark, nothing
is wider than the window, no text lies on another, nothing is complained of.
usage: report.py TENON SCRATCH written|browser"""
import base64
import html
import html.parser
import json
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import zlib

TENON, SCRATCH = sys.argv[1], pathlib.Path(sys.argv[2])
BROWSER = next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), "")
COMMON = ["summary", "curves", "measures", "samples", "worst", "layers", "settings", "machine"]
DESKTOP, PHONE = 1280, 360
LIGHT, DARK = False, True


def train(name, *words):
    done = subprocess.run([TENON, "train", *words, "--device", "cpu", "--quiet", "--report", f"{name}.html"],
                          capture_output=True, text=True, cwd=SCRATCH)
    assert done.returncode == 0, done.stderr
    return (SCRATCH / f"{name}.html").read_text(encoding="utf-8")


def measure(name, *words):
    """The page of a saved model that is measured."""
    done = subprocess.run([TENON, "eval", *words, "--device", "cpu", "--report", f"{name}.html"],
                          capture_output=True, text=True, cwd=SCRATCH)
    assert done.returncode == 0, done.stderr
    return (SCRATCH / f"{name}.html").read_text(encoding="utf-8")


def keys(text):
    """What the page begins with, by name."""
    return {name: value for value, name in re.findall(r"<div><b>([^<]*)</b>([^<]*)</div>", text)}


# ---- as text ----


class Page(html.parser.HTMLParser):
    """Sections in order, what is left open, what is loaded, and the texts."""

    def __init__(self, text):
        super().__init__()
        self.sections, self.open, self.loaded, self.texts = [], [], [], []
        self.feed(text)
        assert not self.open, f"left open: {self.open}"

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        assert tag not in ("script", "iframe", "object", "embed"), tag
        assert not any(name.startswith("on") for name in attrs), attrs
        self.loaded += [attrs[name] for name in ("src", "href", "srcset", "data") if name in attrs]
        if tag == "section":
            self.sections.append(attrs["id"])
        if tag not in ("meta", "link", "br", "img", "input"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"{tag} closes {self.open[-1:]}"
        self.open.pop()

    def handle_data(self, data):
        self.texts.append(data)


def pixels(png):
    """The bytes of a grey PNG of 8 bits, by the format's own description."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    at, body, size = 8, b"", None
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at:at + 8])
        data = png[at + 8:at + 8 + length]
        assert zlib.crc32(kind + data) == struct.unpack(">I", png[at + 8 + length:at + 12 + length])[0]
        if kind == b"IHDR":
            size = struct.unpack(">IIBB", data[:10])
        body += data if kind == b"IDAT" else b""
        at += 12 + length
    width, height, depth, colour = size
    assert (depth, colour) == (8, 0), size
    rows, above, raw = [], bytes(width), zlib.decompress(body)
    for y in range(height):
        line, row = raw[y * (width + 1):(y + 1) * (width + 1)], bytearray()
        for x, byte in enumerate(line[1:]):
            left, up, corner = row[x - 1] if x else 0, above[x], above[x - 1] if x else 0
            p = left + up - corner
            near = min(((abs(p - v), i, v) for i, v in enumerate((left, up, corner))), key=lambda t: t[:2])[2]
            row.append((byte + (0, left, up, (left + up) // 2, near)[line[0]]) & 255)
        rows.append(bytes(row))
        above = row
    return width, height, b"".join(rows)


def check_text(text, sections):
    page = Page(text)
    assert page.sections == sections, page.sections
    assert all(url.startswith("data:") for url in page.loaded), page.loaded
    assert "url(" not in text and "@import" not in text and "http" not in text.replace("http-equiv", "")
    assert "prefers-color-scheme: dark" in text
    return page


def check_pictures(text, images):
    """Those of the page are samples of the data, to the byte."""
    shown = [pixels(base64.b64decode(p)) for p in re.findall(r"data:image/png;base64,([A-Za-z0-9+/=]+)", text)]
    assert len(shown) >= 12, len(shown)
    for width, height, body in shown:
        assert (width, height) == (6, 5) and body in images, "a picture that is none of the data's"


# ---- in a browser ----

MEASURE = """<!doctype html><body><pre id="out">not loaded</pre><iframe id="page" src="PAGE" width="WIDE" height="900"
style="border:0"></iframe><script>
const frame = document.getElementById("page"), errors = [];
addEventListener("load", () => {
  const doc = frame.contentDocument, view = frame.contentWindow, root = doc.documentElement;
  const inside = (e) => { for (let p = e; p; p = p.parentElement) if (getComputedStyle(p).overflowX == "auto") return true; };
  const shown = [...doc.querySelectorAll("main *")].filter((e) => e.getClientRects().length);
  const over = shown.filter((e) => !inside(e) && e.getBoundingClientRect().right > root.clientWidth + 1);
  const overlaps = [];
  for (const svg of doc.querySelectorAll("svg")) {
    const texts = [...svg.querySelectorAll("text")].filter((e) => e.getClientRects().length);
    const boxes = texts.map((t) => t.getBoundingClientRect()), all = svg.getBoundingClientRect();
    texts.forEach((t, i) => { if (boxes[i].right > all.right + 1 || boxes[i].left < all.left - 1) overlaps.push(t.textContent + " is cut"); });
    for (let i = 0; i < boxes.length; i++) for (let k = 0; k < i; k++) {
      const a = boxes[i], b = boxes[k];
      if (a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 3 && b.top < a.bottom - 3)
        overlaps.push(texts[i].textContent + " / " + texts[k].textContent);
    }
  }
  document.getElementById("out").textContent = JSON.stringify({
    width: view.innerWidth, scroll: root.scrollWidth - root.clientWidth, over: over.map((e) => e.outerHTML.slice(0, 80)),
    overlaps, loaded: view.performance.getEntriesByType("resource").map((e) => e.name).filter((n) => !n.startsWith("data:")),
    sections: [...doc.querySelectorAll("section")].filter((s) => s.getBoundingClientRect().height > 20).map((s) => s.id),
    switched: (() => { doc.getElementById("log").checked = true;
      const seen = (kind) => [...doc.querySelectorAll(kind)].filter((e) => e.getClientRects().length).length;
      return [seen("figure.log"), seen("figure.plain")]; })(),
    images: [...doc.images].filter((i) => !i.naturalWidth).length, paper: view.getComputedStyle(doc.body).backgroundColor,
    ink: view.getComputedStyle(doc.body).color });
});</script>"""


def look(name, width, dark):
    (SCRATCH / "look.html").write_text(MEASURE.replace("PAGE", f"{name}.html").replace("WIDE", str(width)))
    done = subprocess.run([BROWSER, "--headless=new", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files",
                           f"--user-data-dir={SCRATCH / 'browser'}", "--enable-logging=stderr", "--window-size=1400,1000",
                           f"--blink-settings=preferredColorScheme={0 if dark else 1}", "--virtual-time-budget=5000",
                           "--dump-dom", (SCRATCH / "look.html").resolve().as_uri()],
                          capture_output=True, text=True, timeout=120)
    complaints = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    assert not complaints, complaints
    found = re.search(r'<pre id="out">(.*?)</pre>', done.stdout, re.S)
    assert found and found[1].startswith("{"), f"{name}: {done.stdout[:300]} {done.stderr[-600:]}"
    return json.loads(html.unescape(found[1]))


def brightness(colour):
    return sum(int(v) for v in re.findall(r"\d+", colour)[:3]) / 3


def check_look(name, sections, width, dark):
    seen = look(name, width, dark)
    what = f"{name} at {width}, {'dark' if dark else 'light'}"
    assert seen["width"] == width, f"{what}: {seen['width']}"
    assert seen["scroll"] == 0 and not seen["over"], f"{what}: wider than the window: {seen}"
    assert not seen["overlaps"], f"{what}: texts overlap: {seen['overlaps']}"
    assert not seen["loaded"] and not seen["images"], f"{what}: {seen['loaded']}, {seen['images']} images broken"
    assert seen["sections"] == sections, f"{what}: {seen['sections']}"
    assert (brightness(seen["paper"]) < brightness(seen["ink"])) == dark, f"{what}: {seen['paper']}"
    assert seen["switched"] == [2, 0], f"{what}: logarithmic charts, and others: {seen['switched']}"
    print(f"{what} is fine")


# ---- data ----


def write_idx(images, labels):
    folder = SCRATCH / "idx"
    folder.mkdir(exist_ok=True)
    for stem in ("train", "t10k"):
        head = struct.pack(">IIII", 2051, len(images), 5, 6)
        (folder / f"{stem}-images-idx3-ubyte").write_bytes(head + b"".join(images))
        (folder / f"{stem}-labels-idx1-ubyte").write_bytes(struct.pack(">II", 2049, len(labels)) + bytes(labels))


def check_evaluated(images, sections):
    """What eval writes has the training's curves and settings, and the same numbers as its page."""
    trained = train("kept", "--data", "idx", "--net", "linear 8, relu, linear outputs", "--epochs", "5", "--save", "kept.st")
    text = measure("measured", "--model", "kept.st")
    check_text(text, sections)
    check_pictures(text, images)
    then, now = keys(trained), keys(text)
    assert {k: v for k, v in then.items() if k != "of training"} == now, (then, now)
    assert "measured on 60 samples of idx" in text and "<dt>epochs</dt><dd>5</dd>" in text, "settings"
    curves = [re.search(r'<section id="curves">.*?</section>', page, re.S)[0] for page in (trained, text)]
    assert curves[0] == curves[1], "other curves"
    for words, said in ((["--report", "kept.st"], "kept.st"), (["--report", "none/a.html"], "none/")):
        done = subprocess.run([TENON, "eval", "--model", "kept.st", *words], capture_output=True, text=True, cwd=SCRATCH)
        assert done.returncode and said in done.stderr and done.stderr.count("\n") == 1, done.stderr


def check_spoilt(sections):
    """Of a model whose outputs are no numbers the page says so, and has what does not depend on them."""
    data = bytearray((SCRATCH / "kept.st").read_bytes())
    begin = 8 + struct.unpack("<Q", data[:8])[0]
    at = begin + json.loads(data[8:begin])["fc1.bias"]["data_offsets"][0]
    data[at : at + 4] = struct.pack("<f", float("nan"))
    (SCRATCH / "spoilt.st").write_bytes(data)
    text = measure("spoilt", "--model", "spoilt.st")
    check_text(text, [s for s in sections if s in ("summary", "curves", "layers", "settings", "machine")])
    assert "outputs are no numbers" in text, "a loss that is none"


def main():
    if sys.argv[3] == "browser" and not BROWSER:
        print("no Chromium")
        sys.exit(77)
    shutil.rmtree(SCRATCH, ignore_errors=True)
    SCRATCH.mkdir(parents=True)
    images = [bytes((i * 37 + k * 11 + i % 3 * 80) % 256 for k in range(30)) for i in range(60)]
    write_idx(images, [i % 6 for i in range(60)])
    classes = COMMON[:3] + ["confusion"] + COMMON[3:]
    numbers = COMMON[:3] + ["residuals"] + COMMON[3:]
    text = train("pictures", "--data", "idx", "--net", "linear 8, relu, linear outputs", "--epochs", "12")
    check_text(text, classes)
    check_pictures(text, images)
    assert re.search(r"<b>[0-9.]+ %</b>among the first 5</div>", text), "no top5"
    rows = "\n".join(f"{i % 17},{i % 5},{i % 17 * 12.5 - i % 5 * 300 + i % 3},{i % 5}" for i in range(200))
    (SCRATCH / "rents.csv").write_text("area,rooms,a-target-with-quite-a-long-name,other\n" + rows + "\n")
    check_text(train("numbers", "--data", "rents.csv", "--target", "a-target-with-quite-a-long-name,other", "--epochs",
                     "3", "--schedule", "cosine 30"), numbers)
    kinds = ["<script>alert(1)</script>", "a&b \"c\"", "a-rather-long-name-of-a-class-that-goes-on", "w" * 60]
    rows = "\n".join(f'{i},{i % 4},"{kinds[i % 4].replace(chr(34), chr(34) * 2)}"' for i in range(80))
    (SCRATCH / "kinds.csv").write_text("a,b,kind\n" + rows + "\n")
    text = train("names", "--data", "kinds.csv", "--epochs", "1")
    page = check_text(text, classes)
    assert all(any(kind[:12] in text for text in page.texts) for kind in kinds), "a class is missing"
    assert "mean" in page.texts and re.search(r"<tr><td>mean</td>(<td>[0-9.]+</td>){3}<td>16</td></tr>", text), "no mean"
    check_evaluated(images, classes)
    check_spoilt(classes)
    if sys.argv[3] == "written":
        return
    for name, sections in (("pictures", classes), ("numbers", numbers), ("names", classes), ("measured", classes)):
        check_look(name, sections, DESKTOP, LIGHT)
        check_look(name, sections, PHONE, DARK)
    check_look("pictures", classes, DESKTOP, DARK)
    check_look("pictures", classes, PHONE, LIGHT)


main()
print("all well")
