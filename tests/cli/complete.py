"""complete.py: the completions, in the shells themselves: what is typed on a terminal, with a tab, is what runs then.

usage: python3 complete.py TENON SCRATCH SHARE
A shell that is not installed is left out. In each shell `tenon` is a function that says what it was given."""
import os
import pathlib
import pty
import re
import select
import shutil
import subprocess
import sys
import time

tenon, scratch, share = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
SHELLS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], "bash-completion/completions/tenon",
             "source {}; PS1='ready> '; tenon() {{ printf 'GO''T<%s>\\n' \"$*\"; }}"),
    "zsh": (["zsh", "-f", "-i"], "zsh/site-functions/_tenon",
            "fpath=({folder} $fpath); autoload -U compinit; compinit -u -d zcompdump; PS1='ready> '; "
            "tenon() {{ printf 'GO''T<%s>\\n' \"$*\" }}"),
    "fish": (["fish", "--no-config", "-i"], "fish/vendor_completions.d/tenon.fish",
             "source {}; function fish_prompt; printf 'ready> '; end; function tenon; printf 'GO''T<%s>\\n' \"$argv\"; end"),
}
# What is typed, a tab behind it, and what it becomes.
LINES = {
    "tr": "train", "dev": "devices",
    "train --accum": "train --accumulate", "eval --stri": "eval --strict", "predict --fr": "predict --frame",
    "train --optimizer nest": "train --optimizer nesterov", "train --loss half": "train --loss half_mse",
    "train --device=ref": "train --device=reference", "train --device opencl:": "train --device opencl:0",
    "train --storage b": "train --storage bf16", "train --data dat": "train --data data.csv",
    "train --test digits-": "train --test digits-rgb", "bench in": "bench infer", "check refer": "check reference",
    "info mo": "info model.safetensors", "sweep --label": "sweep --label-smoothing", "help conv": "help convert",
    "predict --most 3 --model mo": "predict --most 3 --model model.safetensors",
}
# Prefixes that are whole options or belong to others stay what they were.
LINES.update({"devices --epo": "devices --epo", "sweep --resu": "sweep --results"})


class Shell:
    def __init__(self, name):
        argv, self.file, begin = SHELLS[name]
        self.pid, self.terminal = pty.fork()
        if not self.pid:
            os.chdir(scratch)
            os.environ.update(TERM="xterm", HOME=str(scratch), INPUTRC="/dev/null", LC_ALL="C.UTF-8", COLUMNS="120",
                              XDG_DATA_HOME=str(scratch), XDG_CONFIG_HOME=str(scratch))
            os.execvp(argv[0], argv)
        path = share / self.file
        self.run(begin.format(path, folder=path.parent) + "; tenon begun", "begun")

    def run(self, line, wanted=None):
        """Types a line; what the function said it was given."""
        os.write(self.terminal, line.encode() + b"\n")
        text, end = "", time.time() + 30
        while time.time() < end:
            if select.select([self.terminal], [], [], 0.2)[0]:
                text += os.read(self.terminal, 65536).decode(errors="replace")
            found = re.search(r"GOT<([^>]*)>", text)
            if found:
                return found[1].strip()
        sys.exit(f"FAILED: {self.file}: no answer to {line!r}: {text!r}")


def try_shell(name):
    shell, wrong = Shell(name), 0
    for typed, wanted in LINES.items():
        got = shell.run(f"tenon {typed}\t")
        if got != wanted:
            print(f"FAILED: {name}: {typed!r} became {got!r}, not {wanted!r}")
            wrong += 1
    os.write(shell.terminal, b"exit\n")
    os.close(shell.terminal)
    os.waitpid(shell.pid, 0)
    return wrong


def options(command):
    said = subprocess.run([tenon, command, "--help"], stdout=subprocess.PIPE, text=True, check=True).stdout
    return set(re.findall(r"^  (--[a-z0-9-]+)", said, flags=re.M)) | {"--help"}


def try_all():
    """All options of all commands, as bash has them; some have those of ONNX, or of training, too."""
    said = subprocess.run([tenon, "--help"], stdout=subprocess.PIPE, text=True, check=True).stdout
    wrong = 0
    for command in re.findall(r"^  ([a-z]+)  ", said, flags=re.M):
        script = (f"source '{share}/{SHELLS['bash'][1]}'; COMP_LINE='tenon {command} --'; COMP_POINT=${{#COMP_LINE}}; "
                  f"COMP_WORDS=(tenon {command} --); COMP_CWORD=2; _tenon; printf '%s\\n' \"${{COMPREPLY[@]}}\"")
        got = set(subprocess.run(["bash", "-c", script], stdout=subprocess.PIPE, text=True, check=True).stdout.split())
        extra = got - options(command)
        if not options(command) <= got or (extra and command not in ("eval", "predict", "sweep")):
            print(f"FAILED: {command}: {sorted(options(command) ^ got)}")
            wrong += 1
    return wrong


shutil.rmtree(scratch, ignore_errors=True)
scratch.mkdir(parents=True)
for name in ("data.csv", "model.safetensors"):
    (scratch / name).touch()
try:
    for end in pty.openpty():
        os.close(end)
except OSError:  # as in a system without /dev/pts
    print("skipped: there are no terminals")
    sys.exit(77)
tried = [name for name in SHELLS if shutil.which(name)]
if not tried:
    sys.exit(77)
failures = try_all() if "bash" in tried else 0
failures += sum(try_shell(name) for name in tried)
print(f"{', '.join(tried)}: {failures or 'nothing'} failed")
sys.exit(failures > 0)
