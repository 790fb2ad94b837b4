"""scikit-learn's six small sets by `tenon train`, beside scikit-learn's own MLPs, with the same settings or, with
--usual, with none on either side but scikit-learn's standard scaling; prints a Markdown table, or with --write FILE puts
it there between the markers of that kind. Each row of a set is predicted once, by a network that was trained without its fold, from files as a user
has them; what is shown is the share of right classes, or R2, over all rows, and its mean and range over shuffles.

Needs scikit-learn. Run with --help for what can be chosen. See README.md beside this file."""

import argparse
import csv
import os
import re
import statistics
import subprocess
import sys
import tempfile
import warnings

import numpy
from sklearn import datasets, model_selection, neural_network, pipeline, preprocessing
from sklearn.compose import TransformedTargetRegressor
from sklearn.metrics import accuracy_score, r2_score

HERE = os.path.dirname(os.path.abspath(__file__))
HIDDEN, RATE, EPOCHS, BATCH = 100, 0.001, 200, 32  # of both
SETS = {
    "iris": datasets.load_iris,
    "wine": datasets.load_wine,
    "breast cancer": datasets.load_breast_cancer,
    "digits": datasets.load_digits,
    "diabetes": lambda: datasets.load_diabetes(scaled=False),
    "linnerud": datasets.load_linnerud,
}


def parse():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--tenon", default=os.path.join(HERE, "../build/release/bin/tenon"))
    p.add_argument("--device", default="cpu")
    p.add_argument("--sets", nargs="+", default=list(SETS), choices=list(SETS))
    p.add_argument("--shuffles", type=int, default=3, help="of the rows, each cut into 5 folds (3)")
    p.add_argument("--seed", type=int, default=1, help="of the first shuffle; the next have the next (1)")
    p.add_argument("--usual", action="store_true", help="no option on either side: tenon train --data X.csv")
    p.add_argument("--write", help="a page whose table of that kind is replaced")
    p.add_argument("--within", type=float, help="fail if a mean is lower than scikit-learn's, scaled, by more")
    return p.parse_args()


class Table:
    """A set with names of columns; classes are its own names, or numbers."""

    def __init__(self, name):
        raw = SETS[name]()
        self.name, self.x = name, numpy.asarray(raw.data, dtype=float)
        self.columns = [str(c) for c in raw.feature_names]
        y = numpy.asarray(raw.target)
        self.classes = hasattr(raw, "target_names") and y.ndim == 1
        self.targets = [str(t) for t in raw.target_names] if y.ndim == 2 else ["target"]
        self.y = numpy.array([str(raw.target_names[k]) for k in y]) if self.classes else y.reshape(len(y), -1)

    def write(self, path, rows):
        with open(path, "w", newline="") as file:
            out = csv.writer(file)
            out.writerow(self.columns + self.targets)
            out.writerows([*self.x[r], *numpy.atleast_1d(self.y[r])] for r in rows)

    def score(self, predicted):
        return accuracy_score(self.y, predicted) if self.classes else r2_score(self.y, predicted)


# ---- the two ----

def run(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}: {done.stderr}")
    return done.stderr


def by_tenon(o, table, train, test, folder, scale):
    files = {part: os.path.join(folder, part + ".csv") for part in ("train", "test", "out")}
    model = os.path.join(folder, "m.safetensors")
    table.write(files["train"], train)
    table.write(files["test"], test)
    net = f"linear {HIDDEN}, relu, linear outputs"
    said = run([o.tenon, "train", "--data", files["train"], "--test", files["test"], "--target", ",".join(table.targets),
                "--loss", "auto", "--scale", scale, "--net", net, "--lr", str(RATE), "--epochs", str(EPOCHS), "--batch",
                str(min(BATCH, len(train))), "--device", o.device, "--save", model])
    run([o.tenon, "predict", "--model", model, "--device", o.device, "--out", files["out"], files["test"]])
    with open(files["out"], newline="") as file:
        rows = list(csv.DictReader(file))
    table.loss = re.search(r"^loss (\w+):", said, re.M)[1]
    return [r["class"] for r in rows] if table.classes else [[float(r[t]) for t in table.targets] for r in rows]


def by_tenon_alone(o, table, train, test, folder):
    files = {part: os.path.join(folder, part + ".csv") for part in ("train", "test", "out")}
    model = os.path.join(folder, "m.safetensors")
    table.write(files["train"], train)
    table.write(files["test"], test)
    which = ["--target", ",".join(table.targets)] if len(table.targets) > 1 else []
    said = run([o.tenon, "train", "--data", files["train"], "--test", files["test"], *which, "--save", model])
    run([o.tenon, "predict", "--model", model, "--out", files["out"], files["test"]])
    with open(files["out"], newline="") as file:
        rows = list(csv.DictReader(file))
    table.loss = re.search(r"^loss (\w+):", said, re.M)[1]
    return [r["class"] for r in rows] if table.classes else [[float(r[t]) for t in table.targets] for r in rows]


def by_scikit_alone(table, train, test, seed):
    kind = neural_network.MLPClassifier if table.classes else neural_network.MLPRegressor
    model = pipeline.make_pipeline(preprocessing.StandardScaler(), kind(random_state=seed))
    if not table.classes:
        model = TransformedTargetRegressor(model, transformer=preprocessing.StandardScaler())
    y = table.y[train]
    return model.fit(table.x[train], y.ravel() if y.ndim == 2 and y.shape[1] == 1 else y).predict(table.x[test])


def by_scikit(table, train, test, seed, scaled):
    settings = dict(hidden_layer_sizes=(HIDDEN,), learning_rate_init=RATE, max_iter=EPOCHS,
                    batch_size=min(BATCH, len(train)), random_state=seed)
    kind = neural_network.MLPClassifier if table.classes else neural_network.MLPRegressor
    model = kind(**settings)
    if scaled:
        model = pipeline.make_pipeline(preprocessing.StandardScaler(), model)
    if scaled and not table.classes:
        model = TransformedTargetRegressor(model, transformer=preprocessing.StandardScaler())
    y = table.y[train]
    return model.fit(table.x[train], y.ravel() if y.ndim == 2 and y.shape[1] == 1 else y).predict(table.x[test])


def contestants(o, folder):
    if o.usual:
        return {"Tenon": lambda t, a, b, seed: by_tenon_alone(o, t, a, b, folder),
                "scikit-learn": lambda t, a, b, seed: by_scikit_alone(t, a, b, seed)}
    return {
        "Tenon, auto": lambda t, a, b, seed: by_tenon(o, t, a, b, folder, "auto"),
        "Tenon, unscaled": lambda t, a, b, seed: by_tenon(o, t, a, b, folder, "none"),
        "scikit-learn, scaled": lambda t, a, b, seed: by_scikit(t, a, b, seed, True),
        "scikit-learn, unscaled": lambda t, a, b, seed: by_scikit(t, a, b, seed, False),
    }


# ---- the table ----

def measure(table, predict, seed):
    """The score over all rows, each predicted by the network of the other four folds."""
    predicted = numpy.empty_like(table.y, dtype=None if table.classes else float)
    for train, test in model_selection.KFold(5, shuffle=True, random_state=seed).split(table.x):
        predicted[test] = numpy.reshape(predict(table, train, test, seed), table.y[test].shape)
    return table.score(predicted)


def put(o, lines):
    """Between the page's markers of that kind, or on standard output."""
    if not o.write:
        return print("\n".join(lines))
    begin, end = (f"<!-- {word} of tables.py{' --usual' if o.usual else ''} -->" for word in ("table", "end"))
    with open(o.write) as file:
        before, rest = file.read().split(begin)
    text = before + begin + "\n" + "\n".join(lines) + "\n" + end + rest.split(end, 1)[1]
    with open(o.write, "w") as file:
        file.write(text)


def main():
    o = parse()
    warnings.filterwarnings("ignore", message="Stochastic Optimizer")
    behind, lines = [], []
    with tempfile.TemporaryDirectory() as folder:
        players = contestants(o, folder)
        lines.append(f"| set | rows x columns | loss chosen | {' | '.join(players)} |")
        lines.append(f"| {' | '.join(['---'] * (3 + len(players)))} |")
        for name in o.sets:
            table = Table(name)
            found = {who: [measure(table, play, seed) for seed in range(o.seed, o.seed + o.shuffles)] for who, play in players.items()}
            cells = [f"{statistics.mean(v):.3f} ({min(v):.3f} – {max(v):.3f})" for v in found.values()]
            lines.append(f"| {name} | {table.x.shape[0]} x {table.x.shape[1]} | {table.loss} | {' | '.join(cells)} |")
            print(lines[-1], file=sys.stderr, flush=True)
            pair = ("Tenon", "scikit-learn") if o.usual else ("Tenon, auto", "scikit-learn, scaled")
            ours, theirs = (statistics.mean(found[who]) for who in pair)
            if o.within is not None and ours < theirs - o.within:
                behind.append(name)
    put(o, lines)
    if behind:
        sys.exit(f"behind by more than {o.within}: {', '.join(behind)}")


if __name__ == "__main__":
    main()
