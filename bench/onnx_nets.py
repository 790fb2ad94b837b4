#!/usr/bin/env python3
"""How fast networks of ONNX files are used: on each of Tenon's devices against ONNX Runtime (f32), in alternating
rounds; prints a Markdown table of medians, the ratios of time and of processor time, and with --profile where Tenon's
goes; --into writes the short table of docs/onnx.md. Needs PyTorch with torchvision and onnx for the networks, which have
random weights, and onnxruntime."""
import argparse
import json
import os
import statistics
import subprocess
import sys
import time

import contest
import report

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
VISION = ["resnet18", "resnet50", "mobilenet_v2", "squeezenet1_1", "efficientnet_b0", "mobilenet_v3_small"]
NETS = VISION + ["vit_tiny", "bert"]
SHOWN = 12  # rows of a profile
BEGIN, END = "<!-- begin: bench/onnx_nets.py -->", "<!-- end: bench/onnx_nets.py -->"
TITLES = {"resnet18": "ResNet-18", "resnet50": "ResNet-50", "mobilenet_v2": "MobileNetV2",
          "squeezenet1_1": "SqueezeNet 1.1", "efficientnet_b0": "EfficientNet-B0",
          "mobilenet_v3_small": "MobileNetV3, small", "vit_tiny": "ViT, tiny",
          "bert": "a BERT-like encoder of 4 layers"}


# ---- the networks ----

def make(name, batch, size):
    """A network and an input. vit_tiny is that of Touvron and others, 2021; bert has 4 layers of 256 over 128 words."""
    import torch
    import torchvision

    sys.path.insert(0, os.path.join(ROOT, "tests/onnx"))
    import nets

    class Bert(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.words, self.places = torch.nn.Embedding(1000, 256), torch.nn.Embedding(128, 256)
            self.blocks = torch.nn.ModuleList(nets.Block(256, 4, False) for _ in range(4))

        def forward(self, words):
            x = self.words(words) + self.places(torch.arange(words.shape[1]))
            for block in self.blocks:
                x, _ = block(x)
            return x

    torch.manual_seed(1)
    if name == "bert":
        return nets.stir(Bert()), torch.randint(0, 1000, (batch, 128))
    net = (torchvision.models.VisionTransformer(size, 16, 12, 3, 192, 768) if name == "vit_tiny" else
           torchvision.models.get_model(name, weights=None))
    return nets.stir(net), torch.rand(batch, 3, size, size)


def export(o):
    """Writes a network for one batch."""
    import torch

    net, x = make(o.export, o.batch[0], o.size)
    torch.onnx.export(net, (x,), o.file + ".new", dynamo=False, opset_version=18, input_names=["x"],
                      output_names=["y"])
    os.replace(o.file + ".new", o.file)


# ---- a contestant, in a process of its own ----

def data(shape, whole):
    import numpy

    random = numpy.random.default_rng(1)
    return random.integers(0, 1000, shape) if whole else random.random(shape, numpy.float32)


def open_tenon(o):
    """What runs once, and what a run's kernels take."""
    import ctypes

    sys.path.insert(0, os.path.join(ROOT, "python"))
    import tenon
    from tenon import c
    from tenon._library import check, lib

    net = tenon.from_onnx(o.file)
    port = net.inputs[0]
    program = net.compile(o.play, options={"precision": o.precision})
    x, handle = data(port.shape, port.dtype == "i32"), program._handle
    x = x.astype("int32") if port.dtype == "i32" else x

    def profile():
        check(lib.tn_program_profile(handle.get(), 1))
        for _ in range(10):
            program(**{port.name: x})
        rows, one = {}, c.tn_launch_profile()
        while lib.tn_program_profile_at(handle.get(), profile.at, ctypes.byref(one)):
            profile.at += 1
            key = one.op.decode(), one.result.decode(), one.flops, one.bytes
            calls, seconds = rows.get(key, (0, 0))
            rows[key] = calls + 1, seconds + one.seconds / max(one.runs, 1)
        return [[*key, *value] for key, value in rows.items()]

    profile.at = 0
    return (lambda: program(**{port.name: x})), profile


def open_peer(o):
    import onnxruntime

    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = o.threads
    settings.add_session_config_entry("session.intra_op.allow_spinning", "1")
    session = onnxruntime.InferenceSession(o.file, settings, providers=["CPUExecutionProvider"])
    port = session.get_inputs()[0]
    x = data(port.shape, "int" in port.type)
    return (lambda: session.run(None, {port.name: x})), None


def play(o):
    """Says how long opening and the first run took, then for each line that it is sent one measurement."""
    begun = time.perf_counter()
    once, profile = open_peer(o) if o.play == "onnxruntime" else open_tenon(o)
    opened = time.perf_counter()
    once()
    print(json.dumps({"open": opened - begun, "first": time.perf_counter() - opened}), flush=True)
    for line in sys.stdin:
        if line.strip() == "profile":
            print(json.dumps(profile()), flush=True)
            continue
        times, cpu = [], time.process_time()
        for _ in range(2):
            once()
        begun, cpu = time.perf_counter(), time.process_time()
        while not times or time.perf_counter() - begun < o.seconds:
            at = time.perf_counter()
            once()
            times.append(time.perf_counter() - at)
        cpu = (time.process_time() - cpu) / len(times)
        print(json.dumps({"wall": statistics.median(times), "cpu": cpu}), flush=True)


# ---- the contest ----

class Contestant:
    def __init__(self, o, who, file):
        command = [o.python, os.path.abspath(__file__), "--play", who, "--file", file, "--seconds", str(o.seconds),
                   "--threads", str(o.threads), "--precision", o.precision]
        self.process = subprocess.Popen(command, env=contest.environment(o.threads), stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.begin = self.read()

    def read(self):
        return json.loads(self.process.stdout.readline() or "null")

    def ask(self, what):
        self.process.stdin.write(what + "\n")
        self.process.stdin.flush()
        return self.read()

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def file_of(o, net, batch):
    os.makedirs(o.folder, exist_ok=True)
    path = os.path.join(o.folder, f"{net}-{o.size}-{batch}.onnx")
    if not os.path.exists(path):
        subprocess.run([o.python, os.path.abspath(__file__), "--export", net, "--batch", str(batch), "--size",
                        str(o.size), "--file", path], check=True, stdout=subprocess.DEVNULL)
    return path


def print_profile(rows):
    """The sorts of kernels that take most."""
    whole = sum(row[5] for row in rows)
    print(f"\n    {'kernel':16} {'makes':30} {'calls':>5} {'us':>9} {'share':>7} {'GFLOP/s':>8} {'GB/s':>6}")
    for op, result, flops, size, calls, seconds in sorted(rows, key=lambda row: -row[5])[:SHOWN]:
        each = max(seconds / calls, 1e-12)
        print(f"    {op:16} {result[:30]:30} {calls:5} {seconds * 1e6:9.1f} {seconds / whole:7.1%} "
              f"{flops / each * 1e-9:8.1f} {size / each * 1e-9:6.1f}")
    print(f"    all kernels: {whole * 1e6:.1f} us\n", flush=True)


def run(o, net, batch):
    """Prints a row for each; returns the first device's milliseconds, and how many times ONNX Runtime's speed."""
    path = file_of(o, net, batch)
    players = {who: Contestant(o, who, path) for who in [*o.devices, "onnxruntime"]}
    players = {who: p for who, p in players.items() if p.begin}
    said = {who: [] for who in players}
    for number in range(o.rounds):
        for who in list(players) if number % 2 == 0 else list(players)[::-1]:
            said[who].append(players[who].ask("go"))
    at = {who: {key: statistics.median(one[key] for one in of) for key in ("wall", "cpu")} for who, of in said.items()}
    peer = at.get("onnxruntime")
    for who in players:
        mine, begin = at[who], players[who].begin
        ratios = [f"{peer[key] / mine[key]:.2f}" if peer and who != "onnxruntime" else "–" for key in ("wall", "cpu")]
        print(f"| {net} | {batch} | {who} | {mine['wall'] * 1e3:.3f} | {ratios[0]} | {mine['cpu'] * 1e3:.3f} | "
              f"{ratios[1]} | {begin['open'] + begin['first']:.2f} |", flush=True)
    for who in o.devices:
        if o.profile and who in players:
            print_profile(players[who].ask("profile"))
    for p in players.values():
        p.end()
    mine = at[o.devices[0]]["wall"]
    return [f"{mine * 1e3:.3g}", f"{peer['wall'] / mine:.2f}" if peer else "–"]


def page(o, results):
    """As docs/onnx.md has it."""
    version = subprocess.run([o.python, "-c", "import onnxruntime; print(onnxruntime.__version__)"], check=True,
                             capture_output=True, text=True).stdout.strip()
    machine = f"{contest.machine()} with {o.threads} threads, {time.strftime('%Y-%m-%d')}"
    lines = [f"On {machine}, `{o.devices[0]}`, against ONNX Runtime {version} in f32: milliseconds, and "
             f"how many times ONNX Runtime's speed that is; medians of {o.rounds} alternating rounds.", "",
             "| network |" + "".join(f" ms, {batch} at once | of ONNX Runtime's speed |" for batch in o.batch),
             "| --- |" + " --- | --- |" * len(o.batch)]
    for net in o.nets:
        cells = [cell for batch in o.batch for cell in results[net, batch]]
        lines.append(f"| {TITLES.get(net, net)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def read_arguments():
    arguments = argparse.ArgumentParser(description=__doc__)
    usual = os.path.join(ROOT, "build/python/bin/python")
    arguments.add_argument("--python", default=usual if os.path.exists(usual) else sys.executable,
                           help="a Python that has the peers (the one that setup.sh made)")
    arguments.add_argument("--nets", nargs="+", default=NETS, metavar="NET",
                           help="those of the table, or other names of torchvision's")
    arguments.add_argument("--batch", nargs="+", type=int, default=[1, 16])
    arguments.add_argument("--size", type=int, default=224, help="of pictures")
    arguments.add_argument("--devices", nargs="+", default=["cpu"], help="of Tenon")
    arguments.add_argument("--precision", default="f32")
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--seconds", type=float, default=0.5, help="that one measurement takes at least")
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--profile", action="store_true", help="print what Tenon's kernels take")
    arguments.add_argument("--folder", default=os.path.join(ROOT, "build/onnx"), help="where networks are kept")
    arguments.add_argument("--into", metavar="FILE.md", help="write the short table between the lines that say where")
    arguments.add_argument("--export", help=argparse.SUPPRESS)
    arguments.add_argument("--play", help=argparse.SUPPRESS)
    arguments.add_argument("--file", help=argparse.SUPPRESS)
    return arguments.parse_args()


def main():
    o = read_arguments()
    if o.export:
        return export(o)
    if o.play:
        return play(o)
    print("| network | batch | who | ms | ONNX Runtime's / it | processor ms | likewise | s to first output |")
    print("|" + " --- |" * 8, flush=True)
    results = {(net, batch): run(o, net, batch) for net in o.nets for batch in o.batch}
    if o.into:
        report.put_into(o.into, page(o, results), BEGIN, END)
    return 0


if __name__ == "__main__":
    sys.exit(main())
