#!/usr/bin/env python3
"""Data larger than memory: what feeding costs, and that it changes no bit; see README.md beside this file.

  speed    samples on the device, fed from the host's memory, and read from their file, in alternating rounds
  large    a file of arrays of --gib GiB, with the peak of the process's own memory
  images   --count PNG files in folders: images a second, and how long steps waited for them
"""
import argparse
import gzip
import json
import os
import random
import shutil
import statistics
import struct
import subprocess
import sys
import time
import zipfile
import zlib

import contest

HERE = os.path.dirname(os.path.abspath(__file__))
MNIST = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"]
JOBS = {  # name: data, what --memory allows, options
    "a32": ("mnist", "8M", ["--net", "linear 100, sigmoid, linear 40, sigmoid, linear 10", "--optimizer", "sgd",
                            "--batch", "32"]),
    "b128": ("mnist", "8M", ["--net", "linear 512, relu, linear 512, relu, linear 10", "--batch", "128"]),
    "resnet20": ("colour", "100K", ["--net", "resnet20", "--optimizer", "momentum", "--batch", "64"]),
}


# ---- data ----

def array_header(dtype, shape):
    text = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape!r}, }}"
    text += " " * (-(len(text) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()


def write_arrays(path, count, shape):
    """x of bytes that are noise, brighter by class, and y, as numpy.savez writes them. Noise is used again and again,
    each sample from another place."""
    size = 1
    for n in shape:
        size *= n
    noise = [bytes(b % 200 + 20 * (k % 3) for b in random.Random(k).randbytes(size + 4096)) for k in range(6)]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        with archive.open("x.npy", "w", force_zip64=True) as x:
            x.write(array_header("|u1", (count, *shape)))
            for i in range(count):
                x.write(noise[i % 6][i % 4093:i % 4093 + size])
        with archive.open("y.npy", "w") as y:
            y.write(array_header("<i4", (count,)))
            y.write(b"".join(struct.pack("<i", i % 3) for i in range(count)))


def plain_mnist(source, folder):
    os.makedirs(folder, exist_ok=True)
    for name in MNIST:
        if not os.path.exists(f"{folder}/{name}"):
            with gzip.open(f"{source}/{name}.gz") as packed, open(f"{folder}/{name}", "wb") as to:
                shutil.copyfileobj(packed, to)


def png(size, pixels):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    lines = b"".join(b"\x00" + pixels[y * size * 3:(y + 1) * size * 3] for y in range(size))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(lines, 6)) + chunk(b"IEND", b""))


def write_images(folder, count, size):
    """Ten classes; each image has noise of its own on an area of one colour, so that it packs as drawings do."""
    shuffled = random.Random(1)
    for label in range(10):
        os.makedirs(f"{folder}/class{label}", exist_ok=True)
    for i in range(count):
        label = i % 10
        area = bytearray(bytes((label * 25, 128, 255 - label * 25)) * (size * size))
        half = size * size * 3 // 2
        area[:half] = shuffled.randbytes(half)
        with open(f"{folder}/class{label}/{i:06d}.png", "wb") as to:
            to.write(png(size, bytes(area)))


# ---- running ----

def train(o, options):
    command = [o.tenon, "train", "--json", "--stats", "--device", o.device, *options]
    answer = contest.run_json(command, contest.environment(o.threads))
    if answer is None:
        sys.exit(1)
    return answer


def tensors(path):
    """The bytes of a saved model's tensors, without its notes, which have the time."""
    with open(path, "rb") as file:
        content = file.read()
    length = struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8:8 + length])
    header.pop("__metadata__")
    return json.dumps(header, sort_keys=True), content[8 + length:]


def peak_of(o, options):
    """The most memory of its own (RssAnon) and in all (VmHWM, with libraries) that a training had, in MiB; and what it
    said."""
    process = subprocess.Popen([o.tenon, "train", "--json", "--stats", "--device", o.device, *options],
                               env=contest.environment(o.threads), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True)
    own = whole = 0
    while process.poll() is None:
        try:
            with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
                facts = dict(line.split(":", 1) for line in status if ":" in line)
            own = max(own, int(facts.get("RssAnon", "0 kB").split()[0]))
            whole = max(whole, int(facts.get("VmHWM", "0 kB").split()[0]))
        except (OSError, ValueError):
            pass
        time.sleep(0.02)
    out, errors = process.communicate()
    if process.returncode:
        sys.exit(errors.strip().splitlines()[-1])
    return own / 1024, whole / 1024, json.loads(out.strip().splitlines()[-1])


# ---- what is measured ----

def speed(o):
    plain_mnist(o.mnist, f"{o.folder}/mnist")
    write_arrays(f"{o.folder}/colour.npz", 800, (3, 32, 32))
    sets = {"mnist": f"{o.folder}/mnist", "colour": f"{o.folder}/colour.npz"}
    print("| job | samples are | samples/s, median | lowest to highest | to on the device | waited |\n"
          "| --- | --- | --- | --- | --- | --- |", flush=True)
    for job in o.jobs:
        data, memory, options = JOBS[job]
        ways = {"on the device": ["--resident", "device"], "fed from memory": ["--memory", memory],
                "read from the file": ["--resident", "stream"]}
        figures, waited, saved = {way: [] for way in ways}, {way: [] for way in ways}, {}
        for number in range(o.rounds):
            for way in list(ways) if number % 2 == 0 else list(ways)[::-1]:
                path = f"{o.folder}/saved"
                answer = train(o, ["--data", sets[data], "--epochs", str(o.epochs), "--limit", str(o.limit),
                                   "--save", path, *options, *ways[way]])
                figures[way].append(answer["samples_per_s"])
                waited[way].append(answer["stats"]["waited_seconds"] / answer["seconds"])
                saved[way] = tensors(path)
        base = statistics.median(figures["on the device"])
        for way, values in figures.items():
            median = statistics.median(values)
            same = "" if saved[way] == saved["on the device"] else ", other bits!"
            print(f"| {job} | {way}{same} | {median:,.0f} | {min(values):,.0f} to {max(values):,.0f} | "
                  f"{median / base:.3f} | {100 * statistics.median(waited[way]):.1f} % |", flush=True)


def large(o):
    path, sample = f"{o.folder}/large.npz", (3, 64, 64)
    count = int(o.gib * 2**30) // (3 * 64 * 64)
    if not os.path.exists(path):
        write_arrays(path, count, sample)
    options = ["--data", path, "--net", "conv 8 5x5 stride 4, relu, globalavgpool, linear outputs", "--epochs", "1",
               "--batch", "256", "--resident", "stream"]
    began = time.monotonic()
    own, whole, answer = peak_of(o, options)
    print(f"{os.path.getsize(path) / 2**30:.2f} GiB, {count:,} samples: own memory {own:.0f} MiB, in all {whole:.0f} MiB; "
          f"{answer['samples_per_s']:,.0f} samples/s, {time.monotonic() - began:.0f} s in all, "
          f"steps waited {100 * answer['stats']['waited_seconds'] / answer['seconds']:.1f} % of the time")


def images(o):
    folder = f"{o.folder}/images{o.count}"
    if not os.path.exists(f"{folder}/whole"):
        write_images(f"{folder}/set", o.count, o.size)
        with open(f"{folder}/whole", "w", encoding="ascii"):
            pass
    nets = {"a small net": "conv 4 5x5 stride 4, relu, globalavgpool, linear outputs",
            "a net that takes its time": "conv 32 3x3, relu, conv 32 3x3, relu, globalavgpool, linear outputs"}
    for name, net in nets.items():
        for loaders in o.loaders:
            own, _, answer = peak_of(o, ["--data", f"{folder}/set", "--net", net, "--epochs", "1", "--resident", "stream",
                                         "--loaders", str(loaders)])
            print(f"{o.count:,} PNG files of {o.size} x {o.size}, {name}, {loaders} threads: "
                  f"{answer['samples_per_s']:,.0f} images/s; steps waited "
                  f"{100 * answer['stats']['waited_seconds'] / answer['seconds']:.1f} % of the time; {own:.0f} MiB",
                  flush=True)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("what", choices=["speed", "large", "images"])
    arguments.add_argument("folder", help="where data is made, and kept for the next time")
    arguments.add_argument("--tenon", default=os.path.join(HERE, "../build/release/bin/tenon"))
    arguments.add_argument("--device", default="cpu")
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--mnist", help="of speed: a folder with MNIST's four files, packed")
    arguments.add_argument("--jobs", nargs="+", default=list(JOBS), choices=JOBS)
    arguments.add_argument("--rounds", type=int, default=7)
    arguments.add_argument("--epochs", type=int, default=3)
    arguments.add_argument("--limit", type=int, default=60000)
    arguments.add_argument("--gib", type=float, default=8, help="of large")
    arguments.add_argument("--count", type=int, default=100000, help="of images")
    arguments.add_argument("--size", type=int, default=64)
    arguments.add_argument("--loaders", type=int, nargs="+", default=[1, 2])
    o = arguments.parse_args()
    os.makedirs(o.folder, exist_ok=True)
    {"speed": speed, "large": large, "images": images}[o.what](o)
    return 0


if __name__ == "__main__":
    sys.exit(main())
