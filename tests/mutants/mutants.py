"""Changes the source in small ways, one at a time, and sees whether the tests notice. list.txt has the changes.

usage: mutants.py check SOURCE             every change applies: what it replaces stands in its file, once
       mutants.py quick SOURCE BUILD NAME...   these are caught by their first test, which is linked anew in BUILD
       mutants.py run SOURCE FOLDER [-o TABLE] [-k PATTERN,...]   all, or those whose name fits, in a copy in FOLDER

Ends with status 1 if a change does not apply, or survives without a reason in the list; 77 if BUILD was not made by
Ninja. The table that `run` makes is the README beside this file; rows that it has of other changes stay. """
import fnmatch
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time


MOST_MEMORY = 3 << 30  # bytes of a test: a change may make it ask for all there is


def limit_memory():
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))


class Mutant:
    def __init__(self, lines):
        self.name, where = lines[0], lines[1].split()
        self.file, self.tests = where[0], where[1:]
        part = {mark: "\n".join(l[2:] for l in lines[2:] if l[0] == mark) for mark in "-+="}
        self.before, self.after, self.reason = part["-"], part["+"], part["="].replace("\n", " ")

    def apply(self, source):
        """The file's text with the change, or None if it does not apply."""
        with open(os.path.join(source, self.file)) as file:
            text = file.read()
        words = re.split(r"[\s\\]+", self.before.strip())
        found = list(re.finditer(r"[\s\\]+".join(map(re.escape, words)), text))
        if len(found) != 1:
            print(f"{self.name}: stands {len(found)} times in {self.file}: {self.before}")
            return None
        return text[: found[0].start()] + self.after + text[found[0].end() :]


def read_list():
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "list.txt")
    with open(path) as file:
        blocks = file.read().split("\n\n")
    blocks = [[l for l in b.split("\n") if l and not l.startswith("#")] for b in blocks]
    mutants = [Mutant(b) for b in blocks if b]
    names = [m.name for m in mutants]
    assert len(set(names)) == len(names), "two of one name"
    return mutants


def check(source):
    mutants = read_list()
    stale = sum(m.apply(source) is None for m in mutants)
    print(f"{len(mutants) - stale} of {len(mutants)} apply")
    return stale > 0


# ---- quick: one object and one program, with the commands of the build; for programs with the library inside ----


def commands_of(build, program):
    text = subprocess.run(["ninja", "-C", build, "-t", "commands", program], capture_output=True, text=True, check=True)
    return text.stdout.strip().split("\n")


def quick_one(source, build, mutant, folder):
    build = os.path.realpath(build)
    program, changed = f"bin/test_{mutant.tests[0]}", os.path.join(folder, os.path.basename(mutant.file))
    mutated = os.path.join(build, "bin", f"mutant_{mutant.name}")  # beside the others, where it finds the backends
    text = mutant.apply(source)
    if text is None:
        return False
    with open(changed, "w") as file:
        file.write(text)
    original = os.path.join(os.path.realpath(source), mutant.file)
    commands = commands_of(build, program)
    compiling = next(c for c in commands if c.endswith(" -c " + original))
    built = re.search(r" -o (\S+) -c ", compiling).group(1)
    compiling = compiling.replace(f" -o {built} -c {original}", f" -iquote {os.path.dirname(original)} -o {folder}/m.o -c {changed}")
    linking = next(c for c in reversed(commands) if f" -o {program} " in c)
    linking = linking.replace(f" -o {program} ", f" -o {mutated} {folder}/m.o ").replace(f" {built} ", " ")
    for command in compiling, linking:
        subprocess.run(command, shell=True, cwd=build, check=True, stderr=subprocess.DEVNULL)
    status = subprocess.run([mutated], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=limit_memory).returncode
    os.remove(mutated)
    print(f"{mutant.name}: test_{mutant.tests[0]} " + ("notices" if status else "does not notice"))
    return status != 0


def quick(source, build, names):
    if not os.path.exists(os.path.join(build, "build.ninja")) or not shutil.which("ninja"):
        print("the build was not made by Ninja")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        return not all([quick_one(source, build, m, folder) for m in read_list() if m.name in names])


# ---- run: a copy of the tree ----


def copy_tree(source, copy):
    """Files whose content is the same keep their time, so that an old copy is brought up to date cheaply."""
    listed = subprocess.run(["git", "-C", source, "ls-files"], capture_output=True, text=True, check=True)
    for name in listed.stdout.split("\n")[:-1]:
        old, new = os.path.join(copy, name), os.path.join(source, name)
        os.makedirs(os.path.dirname(old), exist_ok=True)
        if os.path.exists(new) and not (os.path.exists(old) and open(old, "rb").read() == open(new, "rb").read()):
            shutil.copy(new, old)


def build(copy, targets):
    made = subprocess.run(["cmake", "--build", os.path.join(copy, "build/release"), "--target", *targets], capture_output=True, text=True)
    return made.returncode == 0


def targets_of(copy, tests):
    """What the tests run, as targets of the build, and what is loaded: the library, by Python, and the backends."""
    listed = subprocess.run(["ctest", "-C", "long", "-N", "-V", "-R", f"^({'|'.join(tests)})$"], cwd=os.path.join(copy, "build/release"), capture_output=True, text=True)
    here = os.path.realpath(os.path.join(copy, "build/release")) + "/"
    words = re.findall(r'"([^"]*)"', "\n".join(l for l in listed.stdout.split("\n") if "Test command" in l))
    files = {w[len(here) :] for w in words if w.startswith(here) and os.path.isfile(w)}
    return sorted(files | {"tenon", "backend_cpu", "backend_opencl"})


def run_tests(copy, tests):
    """The first test that fails, or None."""
    for test in tests:
        command = ["ctest", "-C", "long", "--no-tests=error", "-R", f"^{test}$"]
        ran = subprocess.run(command, cwd=os.path.join(copy, "build/release"), capture_output=True, text=True, preexec_fn=limit_memory)
        if ran.returncode and "No tests were found" not in ran.stdout + ran.stderr:
            return test
    return None


def run_one(copy, mutant):
    path = os.path.join(copy, mutant.file)
    text = mutant.apply(copy)
    if text is None:
        return "STALE"
    with open(path) as file:
        original = file.read()
    try:
        with open(path, "w") as file:
            file.write(text)
        if not build(copy, targets_of(copy, mutant.tests)):
            return "DOES NOT COMPILE"
        return run_tests(copy, mutant.tests) or ("lives: " + mutant.reason if mutant.reason else "SURVIVED")
    finally:
        with open(path, "w") as file:
            file.write(original)


def row_of(mutant, verdict):
    by = verdict if verdict.split(":")[0].isupper() or verdict.startswith("lives") else f"`{verdict}`"
    return f"| {mutant.name.replace('_', ' ')} | `{mutant.file}` | {by} |"


def read_table(path):
    """The rows of a table that is there, by their changes."""
    if not path or not os.path.exists(path):
        return {}
    with open(path) as file:
        rows = [line.rstrip("\n") for line in file if line.startswith("| ")]
    return {row.split("|")[1].strip().replace(" ", "_"): row for row in rows}


def write_table(path, rows):
    """Of the changes that are in the list, in its order: what was run now, and what was before."""
    names = [m.name for m in read_list()]
    there = [rows[name] for name in names if name in rows]
    caught = sum(row.endswith("` |") for row in there)
    with open(path, "w") as file:
        file.write("# Mutants\n\nSmall changes to the source, one at a time, and the test that notices. Put together by "
                   f"`mutants.py run` over parts of [list.txt](list.txt), which has the changes: {caught} of {len(there)} are "
                   f"caught. {len(names) - len(there)} more are in the list, and were not run since this table was made.\n\n"
                   "| change | file | caught by |\n| --- | --- | --- |\n" + "\n".join(there) + "\n")


def run(source, folder, table, pattern):
    copy, mutants = os.path.join(folder, "source"), [m for m in read_list() if any(fnmatch.fnmatch(m.name, p) for p in pattern.split(","))]
    copy_tree(source, copy)
    subprocess.run(["sh", "tools/build.sh", "release"], cwd=copy, check=True, stdout=subprocess.DEVNULL)
    failing = run_tests(copy, sorted({t for m in mutants for t in m.tests}))
    if failing:
        print(f"{failing} fails without a change")
        return 1
    rows, caught, bad = read_table(table), 0, 0
    for mutant in mutants:
        begin = time.time()
        verdict = run_one(copy, mutant)
        caught += verdict in mutant.tests
        bad += verdict.split(":")[0].isupper()
        rows[mutant.name] = row_of(mutant, verdict)
        print(f"{mutant.name}: {verdict} ({time.time() - begin:.0f} s)", flush=True)
        if table:
            write_table(table, rows)
    print(f"{caught} of {len(mutants)} are caught")
    return bad > 0


def main(args):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the copy is put right on the way out
    if len(args) == 2 and args[0] == "check":
        return check(args[1])
    if len(args) >= 4 and args[0] == "quick":
        return quick(args[1], args[2], args[3:])
    if len(args) >= 3 and args[0] == "run":
        options = dict(zip(args[3::2], args[4::2]))
        return run(args[1], args[2], options.get("-o"), options.get("-k", "*"))
    print(__doc__.strip())
    return 2


sys.exit(int(main(sys.argv[1:])))
