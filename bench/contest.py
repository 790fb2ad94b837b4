"""Runs contestants in turn, round after round, so that a machine that changes its speed slows all of them alike, and
keeps one figure a round from each."""
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading

LONGEST = 600  # seconds that a contestant may take for a round


# What would tie a library to another processor's kernels, or tell its threads how to wait.
DROPPED = ("OPENBLAS_CORETYPE", "BLIS_ARCH_TYPE", "OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME")


def machine():
    """The processor's name and how many cores, and the system."""
    with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
        names = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    return f"{len(os.sched_getaffinity(0))} cores of {names[0] if names else platform.machine()}"


def environment(threads):
    """What all processes get: so many threads, and nothing that stands in their way."""
    env = {k: v for k, v in os.environ.items() if k not in DROPPED}
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POCL_MAX_PTHREAD_COUNT"):
        env[name] = str(threads)
    return env


def run(command, env):
    """Runs a command: its exit status, output, errors, and the most memory that it had, in MiB."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        watch = threading.Timer(LONGEST, process.kill)
        watch.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
        finally:
            watch.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0), err.seek(0)
        return process.returncode, out.read(), err.read(), usage.ru_maxrss / 1024


def run_json(command, env):
    """The last line of a command's output, as JSON, with `peak_mib`; None, with a line that says why, if it failed."""
    try:
        status, output, errors, peak = run(command, env)
    except OSError as error:
        print(f"{command[0]}: {error}", file=sys.stderr)
        return None
    lines = output.strip().splitlines()
    if status or not lines:
        why = (errors.strip().splitlines() or [f"exit status {status}"])[-1]
        print(f"{' '.join(command)}: {why}", file=sys.stderr)
        return None
    return {**json.loads(lines[-1]), "peak_mib": peak}


def play(contestants, said, number, env):
    """Round `number` of contestants, name -> command: adds to `said`, name -> what it said in each round before. Who
    fails is out of it."""
    order = list(said) if number % 2 == 0 else list(said)[::-1]
    for name in order:
        answer = run_json(contestants[name], env)
        if answer is None:
            del said[name]
        else:
            said[name].append(answer)


def answers(contestants, count, env):
    """Returns name -> what each contestant said in all rounds, for those that failed in none."""
    said = {name: [] for name in contestants}
    for number in range(count):
        play(contestants, said, number, env)
    return said


def rounds(contestants, count, env, key):
    """Returns name -> the figures `key` of all rounds, sorted."""
    return {name: sorted(one[key] for one in said) for name, said in answers(contestants, count, env).items()}


def medians(figures):
    return {name: statistics.median(values) for name, values in figures.items()}
