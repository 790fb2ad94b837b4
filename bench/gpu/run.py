#!/usr/bin/env python3
"""All that there is to learn on a machine with a GPU, in one command and within a time: what is wrong (`tenon doctor`),
what its compiler takes (probes.py), products and jobs beside PyTorch on the same card, `tenon tune` and what that
gains, how far the model (model.py) is off, and as much of `tenon check` as there is time for. A step that fails is said
in the report, and the rest goes on. The report is written anew after each step, as FOLDER/report.json and report.md.

usage: run.py [--out FOLDER] [--minutes M] [--device opencl:N] [--python PYTHON] [--dry]

Without a GPU --dry goes the same way on what there is, with the kernels for GPUs and small sizes. PYTHON is one that
has PyTorch; a machine without it is measured all the same."""
import argparse
import collections
import datetime
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
TREE = os.path.join(HERE, "../..")
sys.path.insert(0, os.path.join(HERE, ".."))
import opencl
from jobs import JOBS

PRECISIONS = ["f32", "f32-fast", "bf16"]
CARDS = {"H100": "H100", "H200": "H100", "7900 XTX": "RX 7900 XTX", "B580": "Arc B580"}  # the model's, by part of a name
GOALS = {"a32": 1.5, "a128": 1.5, "b128": 1.5, "lenet64": 1.2, "resnet20": 1.0}  # of PyTorch's eager f32
GOAL_PRODUCTS = {"f32": ("f32", 0.85), "bf16": ("bf16", 0.55)}  # ours: of which of PyTorch's, and how much


class Failed(Exception):
    pass


class Clock:
    """What is left of the minutes."""

    def __init__(self, minutes):
        self.end = time.monotonic() + 60 * minutes

    def left(self):
        return self.end - time.monotonic()


def run(o, words, limit, env=None):
    """Exit status (or a word that it was stopped), output and errors of a command that may take so many seconds, and no
    more than are left."""
    limit = max(5, min(limit, o.clock.left()))
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env={**o.env, **(env or {})})
        try:
            status = process.wait(limit)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            status = f"was stopped after {limit:.0f} s"
        out.seek(0), err.seek(0)
        return status, out.read(), err.read()


def ask(o, words, limit, env=None):
    """The last line of a command, as JSON."""
    status, out, err = run(o, words, limit, env)
    if status:
        raise Failed(f"{os.path.basename(words[0])} {' '.join(words[1:4])}: {(err.strip().splitlines() or [status])[-1]}")
    return json.loads(out.strip().splitlines()[-1])


def lines(text):
    """The JSON objects among lines."""
    for line in text.splitlines():
        try:
            yield json.loads(line)
        except ValueError:
            continue


# ---- the steps: each adds to the report ----

def machine(o, said):
    smi = ["nvidia-smi", "--query-gpu=name,driver_version,clocks.max.sm,clocks.max.mem,memory.total", "--format=csv,noheader"]
    if shutil.which(smi[0]):
        said["nvidia_smi"] = run(o, smi, 20)[1].strip()
    said["devices"] = ask(o, [o.tenon, "devices", "--json"], 60)
    if not o.device:
        found = [d["device"] for d in said["devices"] if d["device"].startswith("opencl") and (d["kind"] == "gpu" or o.dry)]
        if not found:
            raise Failed("there is no GPU among the OpenCL devices")
        o.device = found[0]
    said["device"] = next(d for d in said["devices"] if d["device"] == o.device)
    o.card = next((card for part, card in CARDS.items() if part in said["device"]["name"]), None)


def doctor(o, said):
    status, out, err = run(o, [o.tenon, "doctor"], 60)
    said["lines"] = [*out.strip().splitlines(), *err.strip().splitlines()]
    if status:
        raise Failed(f"exit status {status}")


def probes(o, said):
    """Each in a process of its own: a compiler may end it."""
    number = o.device.partition(":")[2] or "0"
    for name in ask(o, [sys.executable, os.path.join(HERE, "probes.py"), "--list"], 20):
        try:
            answer = ask(o, [sys.executable, os.path.join(HERE, "probes.py"), number, "--json", "--only", name], 30)
            said.setdefault("about", {k: v for k, v in answer.items() if k != "probes"})
            said[name] = answer["probes"][name]
        except Failed as error:
            said[name] = str(error)


def products(o, said):
    rows = said.setdefault("rows", {})
    for precision in PRECISIONS:
        for size in o.sizes:
            key = f"{size} {precision}"
            try:
                rows[key] = ask(o, [o.tenon, "bench", "op", "matmul", f"{size}x{size}x{size}", "--json", "--device",
                                    o.device, "--seconds", str(o.seconds), "--repeats", "3", "--precision", precision], 40)
            except Failed as error:
                rows[key] = {"error": str(error)}


def words_of(o, name):
    job = JOBS[name]
    samples = job.batch * 2 if o.dry else max(job.samples, 40 * job.batch)
    return [o.tenon, "bench", "train", "--net", job.net, "--optimizer", job.optimizer, "--batch", str(job.batch),
            "--shape", job.shape, *job.more, "--samples", str(samples), "--device", o.device, "--repeats", "3", "--json"]


def jobs(o, said):
    rows = said.setdefault("rows", {})
    for name in o.jobs:
        try:
            rows[name] = ask(o, [*words_of(o, name), "--profile"], 60)
        except Failed as error:
            rows[name] = {"error": str(error)}


def torch(o, said):
    words = [o.python, os.path.join(HERE, "torch_gpu.py"), "--sizes", *map(str, o.sizes), "--jobs", *o.jobs, "--seconds",
             str(o.seconds), *(["--device", "cpu"] if o.dry else [])]
    status, out, err = run(o, words, 0.35 * o.whole)
    said["lines"] = list(lines(out))
    if status:
        raise Failed((err.strip().splitlines() or [str(status)])[-1])


def tuned_words(name):
    """What `tenon tune` is told of a job; of its loss alone what it knows."""
    job = JOBS[name]
    more = [word for pair in zip(job.more[::2], job.more[1::2]) if pair[0] in ("--loss", "--classes") for word in pair]
    return ["--net", job.net, "--optimizer", job.optimizer, "--batch", str(job.batch), "--shape", job.shape, *more]


def tune(o, said):
    """Usual operators (not dry: they are large), and the steps that have goals; then all figures once more. The half of
    the time that is left, a fifth of it all at the most, is for looking."""
    if run(o, [o.tenon, "tune", "--help"], 20)[0]:
        raise Failed("this tenon has no 'tune'")
    wanted = [*([] if o.dry else [[]]), *(tuned_words(name) for name in o.jobs if name in GOALS)]
    said["lines"], said["seconds"] = [], min(0.2 * o.whole, 0.5 * o.clock.left()) / max(1, len(wanted))
    for words in wanted:
        minutes = ["--minutes", f"{0.7 * said['seconds'] / 60:.3f}"]
        status, out, err = run(o, [o.tenon, "tune", o.device, *words, *minutes], 2 * said["seconds"])
        said["lines"] += [*out.strip().splitlines()[-30:], *err.strip().splitlines()[-5:]]
        if status:
            said["lines"].append(f"tune {' '.join(words)}: {status}")
            said["failed"] = f"tune {' '.join(words)}: {status}"
    for what in (products, jobs):
        what(o, said.setdefault(what.__name__, {}))


def model(o, said):
    """Only what was predicted: what was measured stands in the other steps."""
    words = [sys.executable, os.path.join(HERE, "model.py"), "--json", "--sizes", *map(str, o.sizes), "--jobs", *o.jobs,
             "--device", o.device, "--card", o.card or "H100"]
    env = {"PYTHONPATH": os.path.join(TREE, "python"), "TENON_LIBRARY": os.path.abspath(o.library)}
    said["cards"] = ask(o, words, 0.15 * o.whole, env)


def check(o, said):
    """As much as there is time for: a fifth of it."""
    limit = min(0.2 * o.whole, o.clock.left() - 10)
    status, out, err = run(o, [o.tenon, "check", o.device, "--json", *(["--cases", "2"] if o.dry else [])], limit)
    cases = [one for one in lines(out) if "case" in one]
    said["outcomes"] = collections.Counter(one["outcome"] for one in cases)
    said["not passed"] = [one for one in cases if one["outcome"] not in ("passed", "unsupported")][:40]
    said["whole"] = not isinstance(status, str)
    if not cases:
        raise Failed((err.strip().splitlines() or [str(status)])[-1])


STEPS = [machine, doctor, probes, products, jobs, torch, model, check, tune]


# ---- the report ----

def number(value, unit=""):
    return "–" if value is None else f"{value:,.3g}{unit}" if value < 100 else f"{value:,.0f}{unit}"


def of_torch(report, key, what):
    """mode -> its figure."""
    return {one["mode"]: one for one in report["torch"].get("lines", []) if one.get(key) == what and "error" not in one}


def peak_of(report):
    """TFLOP/s in f32 of the card, where the model knows it."""
    import model as cards
    card = cards.CARDS.get(report.get("card") or "")
    return cards.peak(card) / 1e12 if card else None


def predictions(report):
    """Of the card that it is, if that is one that the model knows."""
    return report["model"].get("cards", {}).get(report.get("card") or "", {})


def tell_products(report):
    out = ["| product | ours | TFLOP/s | of the peak in f32 | model | PyTorch, TFLOP/s | ours to PyTorch's |", "|" + " --- |" * 7]
    peak, predicted = peak_of(report), predictions(report)
    for when, measured in (("", report["products"]), (", tuned", report["tune"].get("products", {}))):
        for key, one in measured.get("rows", {}).items():
            size, precision = key.split()
            if "gflops" not in one:
                out.append(f"| {size} | {precision}{when} | {one.get('error', '–')} | | | | |")
                continue
            rates = {mode: 2e-12 * int(size) ** 3 / row["seconds"] for mode, row in of_torch(report, "product", int(size)).items()}
            against = GOAL_PRODUCTS.get(precision, ("tf32", 0))[0]
            rate = one["gflops"] / 1e3
            thought = (predicted.get("products") or {}).get(size) if precision == "f32" else None
            out.append(f"| {size} | {precision}{when} | {number(rate)} | {number(peak and 100 * rate / peak, ' %')} | "
                       f"{number(thought and thought['seconds'] * rate * 1e12 / (2 * int(size) ** 3), ' of the time')} | "
                       f"{', '.join(f'{mode} {number(value)}' for mode, value in rates.items())} | "
                       f"{number(rates.get(against) and rate / rates[against])} |")
    return out


def tell_jobs(report):
    out = ["| job | samples/s | tuned | PyTorch | to eager f32 | goal | model | longest kernels |", "|" + " --- |" * 8]
    predicted = predictions(report).get("jobs", {})
    for name, one in report["jobs"].get("rows", {}).items():
        rates = {mode: row["samples_per_s"] for mode, row in of_torch(report, "job", name).items()}
        eager = max((rates[m] for m in ("foreach", "fused", "fused+last") if m in rates), default=None)
        ours, tuned = one.get("samples_per_s"), report["tune"].get("jobs", {}).get("rows", {}).get(name, {}).get("samples_per_s")
        best = max((rate for rate in (ours, tuned) if rate), default=None)
        kernels = sorted(one.get("profile", {}).get("kernels", []), key=lambda k: -k["seconds"] * k["calls"])[:3]
        longest = "; ".join(f"{k['kernel']} of {k['makes']} {1e6 * k['seconds']:.3g} µs" for k in kernels)
        thought = predicted.get(name, {}).get("samples_per_s")
        out.append(f"| {name} | {number(ours) if ours else one.get('error')} | {number(tuned)} | "
                   f"{', '.join(f'{mode} {number(rate)}' for mode, rate in rates.items()) or '–'} | "
                   f"{number(best and eager and best / eager)} | {GOALS.get(name, '–')} | {number(thought)} | {longest} |")
    return out


def tell(report):
    """The report in Markdown."""
    device = report["machine"].get("device", {})
    out = [f"# {device.get('name', 'no device')}", "", f"{report['date']}, {report['commit']}; driver {device.get('driver', '–')}, "
           f"{device.get('units', '–')} units; {report['seconds']:.0f} s."
           f"{' A dry run: no GPU, and no figure means anything.' if report['dry'] else ''}", "",
           "| step | seconds | |", "| --- | --- | --- |"]
    out += [f"| {name} | {one['took']:.0f} | {one.get('failed', 'done')} |" for name, one in report.items()
            if isinstance(one, dict) and "took" in one]
    out += ["", "## Probes", ""] + [f"- {name}: {answer}" for name, answer in report["probes"].items() if isinstance(answer, str)
                                    and name not in ("failed",)]
    out += ["", "## Products of squares", "", *tell_products(report), "", "## Training", "", *tell_jobs(report)]
    outcomes = report["check"].get("outcomes", {})
    out += ["", "## Conformance", "", f"{'All' if report['check'].get('whole') else 'As many as there was time for'}: "
            + ", ".join(f"{count} {what}" for what, count in outcomes.items())]
    out += [f"- {one['case']}: {one['outcome']}" for one in report["check"].get("not passed", [])]
    return "\n".join(out) + "\n"


def write(o, report):
    report["seconds"], report["card"] = o.whole - o.clock.left(), o.card
    with open(os.path.join(o.out, "report.json"), "w", encoding="utf-8") as file:
        json.dump(report, file, indent=1)
    try:
        text = tell(report)
    except Exception as error:  # what is in JSON is not lost for it
        text = f"The report cannot be told: {type(error).__name__}: {error}\n"
    with open(os.path.join(o.out, "report.md"), "w", encoding="utf-8") as file:
        file.write(text)


def take(o, step, report):
    """One step, whatever happens in it."""
    said, begun = report[step.__name__], time.monotonic()
    try:
        if o.clock.left() < 15:
            raise Failed("no time was left")
        step(o, said)
    except Failed as error:
        said["failed"] = str(error)
    except Exception as error:
        said["failed"] = f"{type(error).__name__}: {error}"
        traceback.print_exc()
    said["took"] = time.monotonic() - begun
    print(f"{step.__name__}: {said.get('failed', 'done')}, {said['took']:.0f} s", flush=True)


def read_arguments():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--out", default="gpu-report", metavar="FOLDER")
    arguments.add_argument("--minutes", type=float, default=7.5)
    arguments.add_argument("--device", help="the first GPU, unless it is given")
    arguments.add_argument("--python", default=sys.executable, help="that has PyTorch")
    arguments.add_argument("--build", default=os.path.join(TREE, "build/release"), help="with bin/tenon and lib")
    arguments.add_argument("--jobs", nargs="*", choices=JOBS)
    arguments.add_argument("--sizes", nargs="*", type=int)
    arguments.add_argument("--dry", action="store_true")
    o = arguments.parse_args()
    o.tenon, o.library = os.path.join(o.build, "bin/tenon"), os.path.join(o.build, "lib/libtenon.so")
    o.sizes = o.sizes or ([64, 128] if o.dry else [512, 1024, 2048, 4096, 8192])
    o.jobs = o.jobs or (["a32", "lenet64"] if o.dry else list(JOBS))
    o.seconds, o.whole, o.card = 0.02 if o.dry else 0.2, 60 * o.minutes, None
    return o


def environment(o):
    """With a loader of OpenCL and a driver, where they are but nobody says so."""
    folder = os.path.join(os.path.abspath(o.out), "vendors")
    env = {**os.environ, **opencl.drivers_by_hand(folder)}
    env["LD_LIBRARY_PATH"] = ":".join(p for p in (os.path.abspath(os.path.join(o.build, "lib")), env.get("LD_LIBRARY_PATH")) if p)
    try:
        path = os.path.dirname(opencl.loader()[1])
        if path:
            env["LD_LIBRARY_PATH"] += f":{path}"
    except opencl.Error:
        pass  # it may be with the build; if not, the first step says so
    if o.dry:
        env["TENON_OPTIONS"] = "opencl.shape=gpu,opencl.gemm=own"  # PoCL compiles CLBlast's products for a minute
    return env


def main():
    o = read_arguments()
    try:
        os.makedirs(o.out, exist_ok=True)
        with tempfile.TemporaryFile(dir=o.out):
            pass
    except OSError as error:
        sys.exit(f"run.py: --out {o.out}: {error.strerror}")
    o.clock, o.env = Clock(o.minutes), environment(o)
    commit = subprocess.run(["git", "-C", TREE, "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    report = {"date": datetime.date.today().isoformat(), "commit": commit or "no commit", "dry": o.dry,
              **{step.__name__: {} for step in STEPS}}
    for step in STEPS:
        take(o, step, report)
        write(o, report)
    print(os.path.join(o.out, "report.md"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
