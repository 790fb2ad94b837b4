"""`tenon predict --with-inputs`: the table that comes out has the columns of the one that went in, as Python's csv module
reads both, whatever quotes, separators and line ends it had, and behind them what is written without that option.
usage: with_inputs.py TENON SCRATCH"""
import csv
import gzip
import pathlib
import random
import shutil
import subprocess
import sys

TENON, SCRATCH = sys.argv[1], pathlib.Path(sys.argv[2])
ODD = ["plain", "with, comma", 'with "quotes"', "two\nlines", "ümlaut; semicolon", "", " tab\tin it", "|", "=1+1"]


def run(*words, fails=False):
    done = subprocess.run([TENON, *words, "--device", "cpu"], capture_output=True, text=True, cwd=SCRATCH)
    assert (done.returncode != 0) == fails, done.stderr
    return done.stderr


def read(name):
    with open(SCRATCH / name, newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def write(name, rows, **dialect):
    opened = gzip.open if name.endswith(".gz") else open
    with opened(SCRATCH / name, "wt", newline="", encoding="utf-8") as file:
        csv.writer(file, **dialect).writerows(rows)


def check(model, name, rows, heads):
    """heads: of what is predicted."""
    run("predict", "--model", model, "--out", "plain.csv", name)
    run("predict", "--model", model, "--out", "both.csv", "--with-inputs", name)
    plain, both = read("plain.csv"), read("both.csv")
    width = len(rows[0])
    kept, given = ([[cell.strip() for cell in row[:width]] for row in table] for table in (both, rows))  # blanks around don't count
    assert kept == given, f"{name}: {[pair for pair in zip(kept, given) if pair[0] != pair[1]][:3]}"
    assert both[0][width:] == heads, f"{name}: {both[0]}"
    assert [row[width:] for row in both[1:]] == [row[2:] for row in plain[1:]], name


def main():
    shutil.rmtree(SCRATCH, ignore_errors=True)
    SCRATCH.mkdir(parents=True)
    rng = random.Random(5)
    head = ["note", "area", "rooms", "rent", "kind"]
    rows = [[rng.choice(ODD), rng.randint(30, 99), rng.randint(1, 4), rng.randint(300, 900), rng.choice("xy")] for _ in range(60)]
    rows = [[str(cell) for cell in row] for row in rows]
    write("all.csv", [head, *rows])
    run("train", "--data", "all.csv", "--target", "rent", "--ignore", "note,kind", "--epochs", "2", "--save", "rent")
    run("train", "--data", "all.csv", "--target", "kind", "--ignore", "note", "--epochs", "2", "--save", "kind")
    check("rent", "all.csv", [head, *rows], ["y(rent)"])
    check("kind", "all.csv", [head, *rows], ["class", "probability", "x", "y"])
    new = [[row[0], row[2], row[1]] for row in rows]
    for name, how in (("new.csv", {}), ("semicolons.csv", {"delimiter": ";"}), ("tabs.tsv", {"delimiter": "\t"}),
                      ("bars.csv", {"delimiter": "|"}), ("quoted.csv", {"quoting": csv.QUOTE_ALL, "lineterminator": "\n"}),
                      ("packed.csv.gz", {"delimiter": ";"})):
        write(name, [["note", "rooms", "area"], *new], **how)
        check("rent", name, [["note", "rooms", "area"], *new], ["rent"])
    (SCRATCH / "lines.csv").write_text("\ufeffarea,rooms\n\n40,2\r\n\n50,3", encoding="utf-8")
    check("rent", "lines.csv", [["area", "rooms"], ["40", "2"], ["50", "3"]], ["rent"])
    (SCRATCH / "spaces.txt").write_text("area   rooms\n  40 2\n50    3 \n\n60 1", encoding="utf-8")
    check("rent", "spaces.txt", [["area", "rooms"], ["40", "2"], ["50", "3"], ["60", "1"]], ["rent"])
    (SCRATCH / "named.csv").write_text("area,rooms,class\n40,2,a\n50,3,b\n")
    plain = [row[1:] for row in rows]
    write("no.csv", [[*row[:2], row[2]] for row in plain])
    run("train", "--data", "no.csv", "--header", "no", "--epochs", "1", "--save", "no", "--loss", "mse")
    write("rows.csv", [["40", "2"], ["50", "3"]])
    run("predict", "--model", "no", "--out", "both.csv", "--with-inputs", "--header", "no", "rows.csv")
    assert [row[:2] for row in read("both.csv")] == [["column 1", "column 2"], ["40", "2"], ["50", "3"]], read("both.csv")
    run("train", "--data", "all.csv", "--target", "kind", "--ignore", "note,rent", "--epochs", "1", "--save", "few")
    run("predict", "--model", "few", "--out", "both.csv", "--with-inputs", "named.csv")
    assert read("both.csv")[0] == ["area", "rooms", "class", "y(class)", "y(probability)", "p(x)", "p(y)"], read("both.csv")[0]
    for words, say in ((["--out", "y.npy", "new.csv"], "--out FILE.csv"), (["new.csv"], "--out FILE.csv"),
                       (["--out", "y.csv", "new.csv", "all.csv"], "takes one table"), (["--out", "y.csv", "-"], "takes one table")):
        said = run("predict", "--model", "rent", "--with-inputs", *words, fails=True)
        assert say in said, said


main()
print("all well")
