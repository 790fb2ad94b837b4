"""Runs contestants in turn, round after round, so that a machine that changes its speed slows all of them alike, and
keeps one figure a round from each."""
import json
import os
import statistics
import subprocess
import sys


def environment(threads):
    """What all processes get: so many threads, and nothing that ties a library to another processor's kernels."""
    env = {k: v for k, v in os.environ.items() if k not in ("OPENBLAS_CORETYPE", "BLIS_ARCH_TYPE")}
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POCL_MAX_PTHREAD_COUNT"):
        env[name] = str(threads)
    return env


def run_json(command, env):
    """The last line of a command's output, as JSON; None, with a line that says why, if it failed."""
    try:
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=600)
    except (OSError, subprocess.TimeoutExpired) as error:
        print(f"{command[0]}: {error}", file=sys.stderr)
        return None
    lines = done.stdout.strip().splitlines()
    if done.returncode or not lines:
        why = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        print(f"{' '.join(command)}: {why}", file=sys.stderr)
        return None
    return json.loads(lines[-1])


def rounds(contestants, count, env, key):
    """contestants: name -> command. Returns name -> the figures `key`, sorted; who fails once is out."""
    figures = {name: [] for name in contestants}
    for number in range(count):
        order = list(figures) if number % 2 == 0 else list(figures)[::-1]
        for name in order:
            answer = run_json(contestants[name], env)
            if answer is None:
                del figures[name]
            else:
                figures[name].append(answer[key])
    return {name: sorted(values) for name, values in figures.items()}


def medians(figures):
    return {name: statistics.median(values) for name, values in figures.items()}
