#!/usr/bin/env python3
"""Makes the pictures of docs/gallery.md: pages of `tenon train --report` and `tenon eval --report`, and the live page
of `tenon watch`, as a Chromium shows them at the widths of a desk and of a phone, light and dark; and what a terminal
of 80 columns shows, and one of 120.

    python3 tools/gallery.py build/release/bin/tenon docs/gallery

The tables are scikit-learn's own sets, as CSV files; the digits are drawn by tenon. Needs scikit-learn and Chromium."""
import base64
import csv
import fcntl
import html
import json
import os
import pathlib
import pty
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time

from sklearn import datasets

TENON, OUT = str(pathlib.Path(sys.argv[1]).resolve()), pathlib.Path(sys.argv[2])
BROWSER = next((p for name in ("chromium", "chromium-browser", "google-chrome") if (p := shutil.which(name))), "")
DESK, PHONE, NARROWEST = 1000, 390, 500
FRAME = """<!doctype html><body style="margin:0;background:#888"><iframe src="{page}" style="border:0;display:block;
margin:auto;width:{width}px;height:{height}px"></iframe>"""


TERMINAL = """<!doctype html><meta charset="utf-8"><style>body{{margin:0;background:#16181d;color:#d6d8dc}}
pre{{margin:0;padding:10px 12px;font:14px/18px "DejaVu Sans Mono",monospace;width:{columns}ch;white-space:pre}}
b{{color:#fff}}.c31{{color:#ff7b72}}.c33{{color:#e3b341}}.c32{{color:#7ee787}}.p{{color:#7a828e}}</style><pre>{text}</pre>"""
COLUMN, LINE = 8.43, 18  # pixels of a character of that font


def write_table(path, loaded, target):
    with open(path, "w", newline="") as file:
        out = csv.writer(file)
        out.writerow([*loaded.feature_names, target])
        names = getattr(loaded, "target_names", None)
        for x, y in zip(loaded.data, loaded.target):
            out.writerow([*x, names[y] if names is not None else y])


def train(folder, *words):
    subprocess.run([TENON, "train", "--device", "cpu", "--quiet", *words], cwd=folder, check=True,
                   stdout=subprocess.DEVNULL)


def shoot(folder, page, name, width, height, dark=False, scale=0.75):
    """What stands at the top of a page, in so many pixels of its own. A window can't be as narrow as a phone."""
    address = (folder / page).resolve().as_uri()
    if width < NARROWEST:
        around = folder / "around.html"
        around.write_text(FRAME.format(page=page, width=width, height=height))
        address = around.resolve().as_uri()
    picture = (OUT / name).resolve()
    subprocess.run([BROWSER, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                    f"--user-data-dir={folder / 'browser'}", f"--window-size={max(width, NARROWEST)},{height}",
                    f"--force-device-scale-factor={scale}", f"--blink-settings=preferredColorScheme={0 if dark else 1}",
                    "--virtual-time-budget=4000", f"--screenshot={picture}", address],
                   check=True, capture_output=True, timeout=180)
    print(f"{name}: {picture.stat().st_size} bytes")


def coloured(text):
    """What a terminal shows of it, as HTML: colours, and lines that were drawn over."""
    lines = []
    for line in html.escape(text.replace("\r\n", "\n"), quote=False).split("\n"):
        line = re.split(r"\r(?:\x1b\[K)?", line)[-1]
        line = re.sub(r"\x1b\[1m(.*?)\x1b\[0m", r"<b>\1</b>", line)
        lines.append(re.sub(r"\x1b\[(3[0-9])m(.*?)\x1b\[0m", r'<span class="c\1">\2</span>', line))
    return "\n".join(lines).rstrip()


def in_terminal(folder, columns, words):
    """What the command writes on a terminal so wide."""
    child, terminal = pty.fork()
    if not child:
        time.sleep(0.3)  # until it has its size
        os.chdir(folder)
        os.environ.pop("COLUMNS", None)
        os.environ["TERM"] = "xterm-256color"
        os.execv(TENON, ["tenon", *words])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    written = b""
    while True:
        try:
            got = os.read(terminal, 1 << 16)
        except OSError:
            break
        if not got:
            break
        written += got
    assert os.waitpid(child, 0)[1] == 0, written.decode()
    return written.decode()


def shoot_terminal(folder, name, columns, *commands):
    parts = []
    for words in commands:
        typed = " ".join(f'"{w}"' if " " in w else w for w in ("tenon", *words))
        parts.append(f'<span class="p">$</span> <b>{html.escape(typed)}</b>\n{coloured(in_terminal(folder, columns, words))}')
    text = "\n".join(parts)
    (folder / "terminal.html").write_text(TERMINAL.format(columns=columns, text=text), encoding="utf-8")
    shoot(folder, "terminal.html", name, int(columns * COLUMN) + 26, LINE * (text.count("\n") + 1) + 22)


class Told:
    """A Chromium that is told by its debugging pipe: for pages whose loading never ends, as theirs who hear of events."""

    def __init__(self, folder, address):
        theirs_in, self.to = os.pipe()
        self.back, theirs_out = os.pipe()
        plumbing = f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}'
        self.process = subprocess.Popen(
            ["bash", "-c", plumbing, "browser", BROWSER, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
             "--remote-debugging-pipe", f"--user-data-dir={folder / 'told'}", "about:blank"],
            pass_fds=(theirs_in, theirs_out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(theirs_in), os.close(theirs_out)
        self.number, self.rest, self.session = 0, b"", {}
        target = self.ask("Target.createTarget", url=address)["targetId"]
        self.session = {"sessionId": self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]}

    def ask(self, method, **params):
        self.number += 1
        os.write(self.to, json.dumps({"id": self.number, "method": method, "params": params, **self.session}).encode() + b"\0")
        while True:
            while b"\0" not in self.rest:
                got = os.read(self.back, 1 << 16)
                assert got, "the browser is gone"
                self.rest += got
            answer, self.rest = self.rest.split(b"\0", 1)
            answer = json.loads(answer)
            if answer.get("id") == self.number:
                return answer["result"]

    def shoot(self, name, width, height, dark=False, scale=0.75):
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=False)
        self.ask("Emulation.setEmulatedMedia",
                 features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        time.sleep(2)
        picture = base64.b64decode(self.ask("Page.captureScreenshot", format="png")["data"])
        (OUT / name).write_bytes(picture)
        print(f"{name}: {len(picture)} bytes")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def shoot_watch(folder):
    """Two trainings side by side, one of which still goes on."""
    table = ["--data", "tumours.csv", "--validation", "0.2"]
    train(folder, *table, "--epochs", "300", "--lr", "0.001", "--log", "fast.jsonl")
    slow = subprocess.Popen([TENON, "train", "--device", "cpu", "--quiet", *table, "--epochs", "600", "--lr", "0.0003",
                             "--log", "slow.jsonl"], cwd=folder, stdout=subprocess.DEVNULL)
    watch = subprocess.Popen([TENON, "watch", "fast.jsonl", "slow.jsonl", "--port", "0"], cwd=folder, text=True,
                             stdout=subprocess.PIPE)
    address = re.search(r"http://[0-9.:]+/", watch.stdout.readline())[0]
    time.sleep(0.25)
    slow.send_signal(signal.SIGSTOP)  # so that the browser finds it as it goes, and the page keeps still
    with Told(folder, address) as told:
        told.shoot("watch.png", DESK, 1240)
        told.shoot("watch-phone-dark.png", PHONE, 1300, dark=True, scale=0.8)
    slow.kill()
    watch.send_signal(signal.SIGINT)
    watch.wait()
    slow.wait()


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as made:
        folder = pathlib.Path(made)
        write_table(folder / "tumours.csv", datasets.load_breast_cancer(), "diagnosis")
        write_table(folder / "diabetes.csv", datasets.load_diabetes(scaled=False), "progression")
        train(folder, "--data", "tumours.csv", "--report", "tumours.html", "--save", "tumours.st")
        train(folder, "--data", "diabetes.csv", "--report", "diabetes.html")
        train(folder, "--data", "digits:4000", "--net", "lenet", "--epochs", "5", "--report", "digits.html")
        subprocess.run([TENON, "eval", "--device", "cpu", "--model", "tumours.st", "--report", "measured.html"],
                       cwd=folder, check=True, stdout=subprocess.DEVNULL)
        shoot(folder, "tumours.html", "classes.png", DESK, 1500)
        shoot(folder, "diabetes.html", "numbers.png", DESK, 1500)
        shoot(folder, "digits.html", "pictures-dark.png", DESK, 1900, dark=True)
        shoot(folder, "digits.html", "phone.png", PHONE, 1300, scale=0.8)
        shoot(folder, "measured.html", "phone-dark.png", PHONE, 1300, dark=True, scale=0.8)
        shoot_watch(folder)
        shoot_terminal(folder, "terminal-80.png", 80, ["train", "--data", "tumours.csv", "--save", "tumours.st"])
        shoot_terminal(folder, "terminal-120.png", 120, ["train", "--data", "digits:3000", "--net", "lenet", "--epochs", "4",
                                                          "--validation", "0.2"])


main()
