"""What `tenon eval --json` says, beside scikit-learn on what `tenon predict` gave: random trainings of classes and
numbers. usage: results.py TENON SCRATCH; 77 where there is no scikit-learn."""
import json
import pathlib
import subprocess
import sys

try:
    import numpy as np
    from sklearn import metrics
except ImportError as missing:
    print(missing)
    sys.exit(77)

TENON, SCRATCH = sys.argv[1], pathlib.Path(sys.argv[2])
LIMIT = 2e-6  # of f32


def tenon(*words):
    done = subprocess.run([TENON, *map(str, words), "--device", "cpu"], capture_output=True, text=True, cwd=SCRATCH)
    assert done.returncode == 0, f"{words}: {done.stderr}"
    return done.stdout


def run(name, head, rows, *options):
    (SCRATCH / f"{name}.csv").write_text(head + "\n" + "\n".join(",".join(map(str, r)) for r in rows) + "\n")
    tenon("train", "--data", f"{name}.csv", "--epochs", 3, "--save", f"{name}.safetensors", *options)
    tenon("predict", "--model", f"{name}.safetensors", "--out", f"{name}.npy", f"{name}.csv")
    said = json.loads(tenon("eval", "--model", f"{name}.safetensors", "--data", f"{name}.csv", "--json"))
    return said, np.load(SCRATCH / f"{name}.npy").astype(np.float64)


def near(what, got, want):
    assert abs(got - want) <= LIMIT * max(1, abs(want)), f"{what}: {got}, and scikit-learn has {want}"


def check_classes(rng, count, classes):
    x = rng.standard_normal((count, 4))
    label = (np.abs(x[:, 0]) * 3 + rng.random(count) * 2).astype(int) % classes
    rows = [[*(f"{v:.5f}" for v in r), f"k{k:02d}"] for r, k in zip(x, label)]
    said, y = run(f"classes{classes}", "a,b,c,d,kind", rows, "--net", "linear 8, relu, linear outputs")
    names = sorted({f"k{k:02d}" for k in label})
    truth, found = np.array([names.index(f"k{k:02d}") for k in label]), y.argmax(1)
    near("accuracy", said["accuracy"], metrics.accuracy_score(truth, found))
    near("balanced_accuracy", said["balanced_accuracy"], metrics.balanced_accuracy_score(truth, found))
    macro = metrics.precision_recall_fscore_support(truth, found, average="macro", zero_division=0)
    each = metrics.precision_recall_fscore_support(truth, found, labels=range(len(names)), zero_division=0)
    for i, name in enumerate(("precision", "recall", "f1")):
        near(name, said[name], macro[i])
        for k, row in enumerate(said["classes"]):
            near(f"{name} of {row['class']}", row[name], each[i][k])
    assert said["confusion"] == metrics.confusion_matrix(truth, found, labels=range(len(names))).tolist()
    assert ("roc_auc" in said) == (len(names) == 2), said
    if len(names) == 2:
        near("roc_auc", said["roc_auc"], metrics.roc_auc_score(truth, y[:, 1] - y[:, 0]))
    if len(names) > 5:
        near("top5", said["top5"], metrics.top_k_accuracy_score(truth, y, k=5, labels=range(len(names))))
    wrong = np.where(found != truth)[0]
    surest = wrong[np.argsort(-y[wrong].max(1), kind="stable")][:5]
    assert [int(w["sample"].split()[-1]) for w in said["worst"]] == surest.tolist(), (said["worst"], surest)


def check_numbers(rng, count):
    x = rng.standard_normal((count, 3))
    rent, size = 900 + 70 * x[:, 0] + 5 * rng.standard_normal(count), 1e-3 * (x[:, 1] - x[:, 2])
    rows = [[f"{v:.6g}" for v in (*a, b, c)] for a, b, c in zip(x, rent, size)]
    said, y = run("numbers", "a,b,c,rent,size", rows, "--target", "rent,size", "--net", "linear 8, tanh, linear outputs")
    truth = np.array([[float(v) for v in r[3:]] for r in rows])
    for name, score in (("r2", metrics.r2_score), ("mae", metrics.mean_absolute_error),
                        ("rmse", metrics.root_mean_squared_error)):
        near(name, said[name], score(truth, y))
        for row, want in zip(said["targets"], score(truth, y, multioutput="raw_values")):
            near(f"{name} of {row['target']}", row[name], want)
    assert [row["target"] for row in said["targets"]] == ["rent", "size"]


def main():
    SCRATCH.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng()
    seed = rng.integers(1 << 30)
    print("seed", seed)
    rng = np.random.default_rng(seed)
    for classes in (2, 3, 9):
        check_classes(rng, 300, classes)
    check_numbers(rng, 200)
    print("all well")


main()
