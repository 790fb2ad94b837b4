#!/usr/bin/env python3
"""Makes each allocation and each call of OpenCL fail in turn, by shim.h, and says what became of the runs.

usage: failing.py TENON SHIM FOLDER [--device NAME]... [--kind memory|opencl] [--only SCENARIO] [--own] [--every N]
       [--from N]

A run without a failure says how many there are, and what is right. Then one run for each; with --every N for each N-th,
from number N / 2 or --from on. With --own the standard library's allocations are left out: a sanitizer has it allocate
for itself, and dies of a failure. FOLDER is emptied. What may come of a run:

  clean     exit status not 0, with a message; what was saved before is whole
  unharmed  exit status 0 and the right numbers
  warned    exit status 0, other numbers, and a warning that says so
  crashed   it died of a signal, or a sanitizer found something
  hung      it was not done in time, and did next to nothing
  wrong     exit status 0 and other numbers without a word; a failure without a word, or of memory with another one; a
            file that can't be used

Exit status 0 if none crashed, hung or was wrong; 77 where there is no device of these."""

import argparse
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections import Counter

OUTCOMES = ["clean", "unharmed", "warned", "crashed", "hung", "wrong"]
BAD = ["crashed", "hung", "wrong"]
PATIENCE = 300  # seconds by the clock, on a machine however busy

MLP = "train --device {device} --data digits:40 --net 'linear 4, tanh, linear 10' --epochs 2 --batch 20 --json"
CONV = ("train --device {device} --data digits:20 --net 'conv 2 3x3, relu, maxpool 2, flatten, layer_norm, linear 10' "
        "--epochs 1 --batch 10 --json")

# Which layout is faster differs from run to run. What they compute does not: a sum over one pixel, and no step that moves.
LAYOUTS = ("TENON_OPTIONS=opencl.shape=gpu train --device {device} --data digits:8 --net 'conv 2 1x1, relu, flatten, "
           "linear 10' --epochs 1 --batch 8 --lr 1e-30 --layout try --json")

# Name, the command line, perhaps behind a variable that is set for it, the file that it writes, and of how many places of
# thousands that are alike one is tried. One that has an option of opencl is for it alone.
SCENARIOS = [
    ("train and save", MLP + " --save out.safetensors", "out.safetensors", 1),
    ("convolutional net", CONV, None, 1),
    ("shards that meet", "train --device {device} --data digits:50 --net 'linear 4, batch_norm, tanh, linear 10' --epochs 1 "
     "--batch 20 --shards 4 --sync-norm --resident host --json", None, 1),
    ("report", "train --device {device} --data digits:25 --net 'linear 10' --epochs 1 --batch 20 --quiet --report out.html "
     "--log out.jsonl", None, 1),
    ("inform", "info model.safetensors", None, 1),
    ("go on", "train --device {device} --resume model.safetensors --epochs 3 --json --save out.safetensors",
     "out.safetensors", 1),
    ("evaluate", "eval --device {device} --model model.safetensors --json", None, 1),
    ("predict", "predict --device {device} --model model.safetensors digit.png", None, 1),
    ("stream images", "train --device {device} --data images --net 'flatten, linear outputs' --epochs 1 --batch 4 "
     "--resident stream --loaders 2 --json --save out.safetensors", "out.safetensors", 1),
    ("stream a table", "train --device {device} --data rows.csv --net 'linear outputs' --epochs 1 --batch 7 "
     "--resident stream --loaders 2 --json", None, 1),
    ("layouts in turn", LAYOUTS, None, 2),
    ("devices", "devices --json", None, 1),
    ("cases of the kit", "check {device} --list", None, 50),
]

# Of what an allocation may be: the library's, its backends' and the standard library's in their name. Beside a driver of
# OpenCL the standard library allocates for the driver, too.
KINDS = [("memory", "reference", "tenon:cpu.so:libc.so"), ("memory", "cpu", "tenon:cpu.so:libc.so"),
         ("memory", "opencl:0", "tenon:opencl.so"), ("opencl", "opencl:0", "")]

# What differs from run to run.
CHANGES = re.compile(r'"(samples_per_s|seconds|memory_free)": [0-9.e+-]+')

SANITIZER = re.compile(r"ERROR: \w+Sanitizer|runtime error:")
SAID = re.compile(r"(tenon|skipped): \S")  # a message


class Runs:
    def __init__(self, options):
        self.options = options
        self.table = {}
        self.bad = []

    def start(self, words, device, environment):
        """The exit status (None: hung), what was printed, and what was said."""
        words = shlex.split(words.format(device=device))
        given = dict([words.pop(0).split("=", 1)]) if "=" in words[0] else {}
        sanitizer = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
        environment = {**os.environ, "TENON_CACHE": "off", "ASAN_OPTIONS": sanitizer, **given, **environment}
        run = subprocess.Popen([self.options.tenon] + words, cwd=self.options.folder, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, env=environment, text=True, errors="replace",
                               start_new_session=True)
        try:
            out, said = run.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(run.pid, 9)
            out, said = run.communicate()
            return None, out, said
        return run.returncode, CHANGES.sub(r'"\1": N', out), said

    def contents(self, name):
        """What a saved file holds, but for its notes, which tell how long it took; None if it is not there."""
        path = os.path.join(self.options.folder, name) if name else None
        if not path or not os.path.exists(path):
            return None
        with open(path, "rb") as file:
            raw = file.read()
        try:
            length = int.from_bytes(raw[:8], "little")
            header = json.loads(raw[8:8 + length])
            header.pop("__metadata__")
        except (ValueError, KeyError):
            return "damaged"
        return json.dumps(header), raw[8 + length:]

    def prepare(self, written):
        """Before each run the file that it writes is an old one, which a failure may leave and not spoil."""
        if written:
            shutil.copy(os.path.join(self.options.folder, "old"), os.path.join(self.options.folder, written))

    def judge(self, kind, right, got, written):
        status, out, said = got
        if status is None:
            return "hung", "not done in time"
        if status < 0 or status > 128 or SANITIZER.search(said):
            return "crashed", f"status {status}: {said[-300:]}"
        file = self.contents(written)
        if file == "damaged":
            return "wrong", f"status {status}, and the file is damaged: {said[-300:]}"
        if status and not SAID.search(said):
            return "wrong", f"status {status} without a word: {said[-300:]}"
        if status and kind == "memory" and "memory" not in said:
            return "wrong", f"status {status}, and memory is not what is named: {said[-300:]}"
        if status:
            return "clean", ""
        if out == right[0] and file == right[1]:
            return "unharmed", ""
        if "warning" in said:
            return "warned", said
        return "wrong", f"other numbers without a word: {out[-300:]} {said[-300:]}"

    def scenario(self, kind, device, files, name, words, written, rare):
        counter = os.path.join(self.options.folder, "count")
        shim = {"LD_PRELOAD": self.options.shim, "FAIL_KIND": kind, "FAIL_FROM": files}
        self.prepare(written)
        status, out, said = self.start(words, device, {**shim, "FAIL_COUNT": counter})
        if status:
            sys.exit(f"{name} on {device} fails without a failure: {said}")
        right = (out, self.contents(written))
        with open(counter) as file:
            total = int(file.read())
        counts = self.table.setdefault((kind, device, name), Counter())
        every = self.options.every * rare
        for number in range(self.options.first or (every + 1) // 2, total + 1, every):
            self.prepare(written)
            got = self.start(words, device, {**shim, "FAIL_AT": str(number)})
            outcome, why = self.judge(kind, right, got, written)
            counts[outcome] += 1
            if outcome in BAD:
                self.bad.append((kind, device, name, number, outcome, why))
                print(f"{outcome.upper()}: {kind} {number} of {total}, {name} on {device}: {why}", flush=True)
        print(f"{kind:7} {device:10} {name:18} {total:6} places  " +
              "  ".join(f"{outcome} {counts[outcome]}" for outcome in OUTCOMES), flush=True)


def make_files(runs):
    """A model, a picture of a digit, folders of it and a table for those who need them, and a file that is there before another is saved."""
    folder = runs.options.folder
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    status, _, said = runs.start(MLP + " --save model.safetensors", "reference", {})
    if status:
        sys.exit(said)
    shutil.copy(os.path.join(folder, "model.safetensors"), os.path.join(folder, "old"))
    with open(os.path.join(folder, "digit.png"), "wb") as file:
        file.write(picture())
    for kind in "ab":
        os.makedirs(os.path.join(folder, "images", kind))
        for number in range(6):
            shutil.copy(os.path.join(folder, "digit.png"), os.path.join(folder, "images", kind, f"{number}.png"))
    with open(os.path.join(folder, "rows.csv"), "w") as file:
        file.write("a,b,kind\n" + "".join(f"{i % 5},{i},{'xy'[i % 2]}\n" for i in range(30)))


def picture():
    """A PNG of 28 x 28 grey pixels: a stroke."""
    import struct
    import zlib
    rows = b"".join(b"\0" + bytes(255 if 12 < x < 16 and 4 < y < 24 else 0 for x in range(28)) for y in range(28))

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 28, 28, 8, 0, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("tenon")
    parser.add_argument("shim")
    parser.add_argument("folder")
    parser.add_argument("--device", action="append")
    parser.add_argument("--kind")
    parser.add_argument("--only")
    parser.add_argument("--own", action="store_true")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--from", dest="first", type=int, default=0)
    options = parser.parse_args()
    options.tenon, options.shim = os.path.abspath(options.tenon), os.path.abspath(options.shim)
    runs = Runs(options)
    listed = subprocess.run([options.tenon, "devices", "--json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    there = [d["device"] for d in json.loads(listed.stdout)]
    make_files(runs)
    for kind, device, files in KINDS:
        if device not in there or (options.device and device not in options.device):
            continue
        if options.kind and kind != options.kind:
            continue
        if options.own:
            files = files.replace(":libc.so", "")
        for name, words, written, rare in SCENARIOS:
            is_others = "opencl." in words and "opencl" not in device
            if not is_others and (not options.only or options.only == name):
                runs.scenario(kind, device, files, name, words, written, rare)
    total = sum(runs.table.values(), Counter())
    if not runs.table:
        sys.exit(77)
    print(f"{sum(total[o] for o in OUTCOMES)} runs: " + ", ".join(f"{total[o]} {o}" for o in OUTCOMES))
    sys.exit(any(total[o] for o in BAD))


main()
