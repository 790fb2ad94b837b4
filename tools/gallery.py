#!/usr/bin/env python3
"""Makes the pictures of docs/gallery.md: pages of `tenon train --report` and `tenon eval --report`, as a
Chromium shows them at the widths of a desk and of a phone, light and dark.

    python3 tools/gallery.py build/release/bin/tenon docs/gallery

The tables are scikit-learn's own sets, as CSV files; the digits are drawn by tenon. Needs scikit-learn and Chromium."""
import csv
import pathlib
import shutil
import subprocess
import sys
import tempfile

from sklearn import datasets

TENON, OUT = str(pathlib.Path(sys.argv[1]).resolve()), pathlib.Path(sys.argv[2])
BROWSER = next((p for name in ("chromium", "chromium-browser", "google-chrome") if (p := shutil.which(name))), "")
DESK, PHONE, NARROWEST = 1000, 390, 500
FRAME = """<!doctype html><body style="margin:0;background:#888"><iframe src="{page}" style="border:0;display:block;
margin:auto;width:{width}px;height:{height}px"></iframe>"""


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


main()
