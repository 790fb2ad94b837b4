#!/usr/bin/env python3
"""What the vendors' compilers make of kernels for GPUs, without one at hand: registers, spills, scratch memory,
occupancy, and how many multiply-adds stand by each load from local memory in the innermost loop. NVIDIA by clang to
PTX, and by CUDA's ptxas where it is; AMD by clang to assembly; Intel by clang to SPIR-V, which spirv-val checks.

A kernel that spills, takes scratch memory, computes in f64 though it is for f32, or stays below what its source says
with EXPECTS_MIX and EXPECTS_OCCUPANCY (in percent) is a fault, and the exit status is 1; 77 where the compilers lack.

usage: static.py FOLDER [--into docs/gpu.md] [--all], a folder that kernels.py or `opencl.sources` filled"""
import argparse
import collections
import concurrent.futures
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import report

BEGIN, END = "<!-- begin: bench/gpu/static.py -->", "<!-- end: bench/gpu/static.py -->"
WAVES = {"gfx90a": 8}
AMD = {"gfx906": 10, "gfx1030": 16, "gfx1100": 16}  # and how many waves a unit's part runs at once at most
NVIDIA, WARPS = "sm_80", 64
CLC = "/usr/lib/clc"
FLAGS = ["-x", "cl", "-cl-std=CL1.2", "-Xclang", "-finclude-default-header"]
# Products by matrix units: the macro for a target, and its wave. Those of AMD's gfx11 need a later clang than Debian's.
# In stages NVIDIA's alone are made.
UNITS = {f"NVIDIA {NVIDIA}": ("MX_PTX", 32), "AMD gfx90a": ("MX_MFMA", 64)}
BACKEND = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../backends/opencl")
NUMBERS = "WAVES_U", "WAVES_V", "TILES_M", "TILES_N"
Kernel = collections.namedtuple("Kernel", "path name group options source")
Fault = collections.namedtuple("Fault", "kernel where what")


def tool(name, versions=range(30, 13, -1)):
    """A program, of the newest version there is."""
    return next((t for t in [*(f"{name}-{v}" for v in versions), name] if shutil.which(t)), None)


def read(path):
    with open(path, encoding="utf-8") as file:
        source = file.read()
    said = re.match(r"// (\w+) (\d+)x(\d+)x(\d+) of [\dx]+: (.*)\n", source)
    if not said:
        sys.exit(f"{sys.argv[0]}: {path} does not begin as opencl.sources writes it")
    group = int(said[2]) * int(said[3]) * int(said[4])
    options = [word for word in said[5].split() if not word.startswith("-cl-nv")]  # that clang does not know
    return Kernel(path, said[1], group, options, source)


def expects(kernel, what):
    """A number that the source asks for, with the macros of the source in it; 0: it says nothing."""
    made = re.search(rf"^#define {what} (.*)$", kernel.source, flags=re.M)
    if not made:
        return 0
    known = dict(re.findall(r"^#define (\w+) (.+)$", kernel.source, flags=re.M))
    text = made[1]
    for _ in range(20):
        text = re.sub(r"[A-Z_]\w*", lambda word: f"({known[word[0]]})" if word[0] in known else word[0], text)
    return eval(text.replace("/", "//"), {"__builtins__": {}})  # whole numbers and signs are all that is left


def run(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise RuntimeError(f"{os.path.basename(command[0])}: {(done.stdout.strip().splitlines() or ['failed'])[0]}")
    return done.stdout


# ---- NVIDIA ----

def inner_loop(lines, mad):
    """The lines of the loop, from a label to the jump back to it, in which most multiply-adds stand by others; the
    innermost of those that have them."""
    at, best = {}, []
    for i, line in enumerate(lines):
        label = re.match(r"^([$.]?\w+):", line)
        if label:
            at[label[1]] = i
        jump = re.search(r"\b(?:bra(?:\.uni)?|s_cbranch_\w+|s_branch)\s+([$.]?\w+)", line)
        if not jump or jump[1] not in at:
            continue
        body = lines[at[jump[1]]:i + 1]
        count = sum(bool(mad.search(one)) for one in body)
        old = sum(bool(mad.search(one)) for one in best)
        if count and (not best or count / len(body) > old / len(best)):
            best = body
    return best


def mix(lines, mad, load):
    """Multiply-adds for each load of the innermost loop; None: it has none of one of them."""
    body = inner_loop(lines, mad)
    mads, loads = (sum(len(what.findall(line)) for line in body) for what in (mad, load))
    return mads / loads if mads and loads else None


def nvidia(kernel, folder):
    base = os.path.join(folder, os.path.basename(kernel.path))
    run([tool("clang"), *FLAGS, *kernel.options, "-O3", "-target", "nvptx64-nvidia-nvcl", "-Xclang", "-target-cpu",
         "-Xclang", NVIDIA, "-Xclang", "-target-feature", "-Xclang", "+ptx70", "-Xclang", "-mlink-builtin-bitcode",
         "-Xclang", f"{CLC}/nvptx64--nvidiacl.bc", "-S", "-o", base + ".ptx", kernel.path])
    with open(base + ".ptx", encoding="utf-8") as file:
        lines = file.read().splitlines()
    found = {"mix": mix(lines, re.compile(r"\bfma\.rn"), re.compile(r"\bld\.shared")),
             "f64": sum(bool(re.search(r"\b(?:add|mul|fma|div|sub)\.(?:rn\.)?f64", line)) for line in lines)}
    if not tool("ptxas"):
        return found
    said = run([tool("ptxas"), "-v", f"-arch={NVIDIA}", "-maxrregcount=128", base + ".ptx", "-o", base + ".cubin"])
    number = lambda text: int((re.search(text, said) or [0, 0])[1])
    shared = number(r"(\d+) bytes smem")
    registers = number(r"Used (\d+) registers")
    return {**found, "registers": registers, "spills": number(r"(\d+) bytes spill stores"),
            "scratch": number(r"(\d+) bytes stack frame"), "warps": warps(kernel.group, registers, shared), "most": WARPS}


def warps(group, registers, shared):
    """Of a unit of sm_80 that run at once: 65,536 registers, given to a warp by 256, 163 KiB of shared memory."""
    each = -(-group // 32)
    most = [WARPS // each, 32, 65536 // (-(-registers * 32 // 256) * 256 * each) if registers else 32]
    return each * min(most + ([166912 // (shared + 1024)] if shared else []))


# ---- AMD ----

def amd(kernel, folder, arch):
    base = os.path.join(folder, os.path.basename(kernel.path) + "." + arch)
    run([tool("clang"), *FLAGS, *kernel.options, "-O3", "-target", "amdgcn-amd-amdhsa", f"-mcpu={arch}", "-nogpulib",
         "-Xclang", "-mlink-builtin-bitcode", "-Xclang", f"{CLC}/amdgcn--amdhsa.bc", "-S", "-o", base + ".s",
         kernel.path])
    with open(base + ".s", encoding="utf-8") as file:
        text = file.read()
    number = lambda name: max([int(n) for n in re.findall(rf"^; {name}: (\d+)", text, flags=re.M)] or [0])
    return {"mix": mix(text.splitlines(), re.compile(r"\bv_(?:dual_)?(?:pk_)?(?:fma|mad|mac|fmac)"),
                       re.compile(r"\bds_(?:read|load)")),
            "registers": number("NumVgprs"), "scratch": number("ScratchSize"), "warps": number("Occupancy"),
            "most": {**AMD, **WAVES}[arch],
            "spills": sum(int(n) for n in re.findall(r"\.vgpr_spill_count: (\d+)", text)),
            "f64": len(re.findall(r"\bv_(?:add|mul|fma|div_\w+)_f64", text))}


# ---- Intel ----

def intel(kernel, folder):
    base = os.path.join(folder, os.path.basename(kernel.path))
    version = tool("llvm-spirv").rpartition("-")[2]
    clang = f"clang-{version}" if shutil.which(f"clang-{version}") else tool("clang")
    run([clang, *FLAGS, *kernel.options, "-target", "spir64", "-O0", "-Xclang", "-disable-O0-optnone", "-emit-llvm",
         "-c", "-o", base + ".bc", kernel.path])
    run([tool("llvm-spirv"), "--spirv-max-version=1.1", base + ".bc", "-o", base + ".spv"])
    run(["spirv-val", "--target-env", "opencl1.2", base + ".spv"])
    return {}


# ---- matrix units ----

def rows_of_numbers(name, count):
    """Those of a table in a file of the backend."""
    with open(os.path.join(BACKEND, name), encoding="utf-8") as file:
        return [[int(n) for n in row.split(",")] for row in re.findall(rf"\{{(\d+(?:, \d+){{{count - 1}}})\}}", file.read())]


def is_staged(kernel):
    return "#define STAGES " in kernel.source


def for_units(kernel, target, folder):
    """The source with the target's macro and the blocks that matrix.c or staged.c has for its wave."""
    macro, wave = UNITS[target]
    raw = int("#define RAW 1" in kernel.source)
    numbers = [int(re.search(rf"^#define {name} (\d+)", kernel.source, flags=re.M)[1]) for name in NUMBERS]
    if is_staged(kernel):
        plain, real = rows_of_numbers("staged.c", 5)
        high = numbers[1] if kernel.name == "tn_conv_last" else real[2]  # which it is told
        shape = [0] * 4 + [real[1] * numbers[0] // plain[1], high] + real[3:]
    else:
        shapes = rows_of_numbers("matrix.c", 8)
        most = next(s for s in shapes if s[1] and s[4:] == numbers)[3]  # rows that the block is for
        shape = next(s for s in shapes if s[0] == wave and not s[1] and s[2] <= raw and (not s[3] or 0 < most <= s[3]))
    source = kernel.source.replace("#define PARTS", f"#define {macro} 1\n#define PARTS", 1)
    for name, value in zip(NUMBERS, shape[4:]):
        source = re.sub(rf"^#define {name} .*$", f"#define {name} {value}", source, flags=re.M)
    path = os.path.join(folder, f"{macro}-{os.path.basename(kernel.path)}")
    with open(path, "w", encoding="utf-8") as file:
        file.write(source)
    return kernel._replace(path=path, source=source, group=wave * shape[4] * shape[5])


# ---- sub-groups ----

TEAMS = {"NVIDIA": "TEAM_PTX", "AMD": "TEAM_SWIZZLE"}  # how a vendor's work-items exchange registers (cl/team.cl)


def is_team(kernel):
    return "#define TEAM_PLAIN 1" in kernel.source and not kernel.name.endswith("_finish")


def for_team(kernel, target, folder):
    """A source that folds as any device can, as the target's vendor does; another as it is."""
    way = TEAMS.get(target.split()[0])
    if not way or not is_team(kernel):
        return kernel
    path = os.path.join(folder, f"{way}-{os.path.basename(kernel.path)}")
    source = kernel.source.replace("TEAM_PLAIN 1", f"{way} 1")
    with open(path, "w", encoding="utf-8") as file:
        file.write(source)
    return kernel._replace(path=path, source=source)


# ---- all of them ----

TARGETS = {f"NVIDIA {NVIDIA}": nvidia, **{f"AMD {arch}": (lambda k, f, a=arch: amd(k, f, a)) for arch in AMD},
           "SPIR-V": intel}


UNIT_TARGETS = {target: (lambda k, f, t=target: (amd(for_units(k, t, f), f, t.split()[1]) if t.startswith("AMD") else
                                                 nvidia(for_units(k, t, f), f))) for target in UNITS}
UNIT_TARGETS["SPIR-V"] = intel  # as any device does them


def look(kernel, folder):
    """What each compiler says of a kernel, and what is wrong with it."""
    said, faults = {}, []
    wide = re.search(r"^#define (?:T|VT|A_T|B_T|MAP_T) double|\bf64_\w+\(", kernel.source, flags=re.M)
    is_units = "#define PARTS" in kernel.source
    for target, compile_for in (UNIT_TARGETS if is_units else TARGETS).items():
        if is_staged(kernel) and target.startswith("AMD"):
            continue
        try:
            said[target] = found = compile_for(for_team(kernel, target, folder), folder)
        except (RuntimeError, OSError) as error:
            faults.append(Fault(kernel, target, str(error)))
            continue
        faults += [Fault(kernel, target, f"{found[what]} bytes of {what}") for what in ("spills", "scratch")
                   if found.get(what)]
        if found.get("f64") and not wide:
            faults.append(Fault(kernel, target, f"{found['f64']} operations in f64"))
        shown = {"EXPECTS_MIX": found.get("mix") or 0}
        if "most" in found:
            shown["EXPECTS_OCCUPANCY"] = 100 * found["warps"] / found["most"]
        faults += [Fault(kernel, target, f"{name} is {expects(kernel, name)}, found {value:.3g}")
                   for name, value in shown.items() if found and value < expects(kernel, name)]
    return said, faults


def span(numbers):
    """"29 to 40"."""
    numbers = [n for n in numbers if n is not None]
    if not numbers:
        return "–"
    low, high = (f"{n:.3g}" for n in (min(numbers), max(numbers)))
    return low if low == high else f"{low} to {high}"


def table(kernels, said):
    """A row a kernel's name, of all sources with it."""
    columns = [(t, what) for t in TARGETS for what in ("registers", "warps", "mix") if t != "SPIR-V"]
    lines = ["| kernel | sources |" + "".join(f" {t}: {what} |" for t, what in columns),
             "| --- | --- |" + " --- |" * len(columns)]
    units = [k for k in kernels if "#define PARTS" in k.source]
    names = collections.Counter(name_of(k) for k in kernels if k not in units)
    for name in sorted(names):
        rows = [said[k.path] for k in kernels if name_of(k) == name and k not in units]
        cells = [span([row.get(t, {}).get(what) for row in rows]) for t, what in columns]
        lines.append(f"| {name} | {names[name]} | {' | '.join(cells)} |")
    return "\n".join(lines + (["", *units_table(units, said)] if units else []))


def name_of(kernel):
    return f"`{kernel.name}`{', by sub-groups' if is_team(kernel) else ''}"


def units_table(kernels, said):
    """A row for each kernel by matrix units and each form of its factors."""
    columns = [(t, what) for t in UNITS for what in ("registers", "warps")]
    yield "| by matrix units | sources |" + "".join(f" {t}: {what} |" for t, what in columns)
    yield "| --- | --- |" + " --- |" * len(columns)
    names = collections.Counter(form_of(k) for k in kernels)
    for name in sorted(names):
        rows = [said[k.path] for k in kernels if form_of(k) == name]
        cells = [span([row.get(t, {}).get(what) for row in rows]) for t, what in columns]
        yield f"| {name} | {names[name]} | {' | '.join(cells)} |"


def form_of(kernel):
    """What a form's factors are."""
    has = lambda text: f"#define {text}" in kernel.source
    unit = "TF32" if has("MX_TF32 1") else "bf16"
    split = f"f32 as {re.search('define PARTS (.)', kernel.source)[1]} x {unit}"
    stored = f"{'f16' if has('MX_F16 1') else 'bf16'}, as stored"
    return f"`{kernel.name}`{' in stages' * is_staged(kernel)}, {stored if has('RAW 1') else split}"


def read_arguments():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("folder")
    arguments.add_argument("--into", metavar="FILE.md", help="write the table between the lines that say where")
    arguments.add_argument("--all", action="store_true", help="a line for each source and compiler, too")
    return arguments.parse_args()


def main():
    o = read_arguments()
    lacking = [name for name in ("clang", "llvm-spirv", "spirv-val") if not tool(name)]
    lacking += [name for name in ("nvptx64--nvidiacl.bc", "amdgcn--amdhsa.bc") if not os.path.exists(f"{CLC}/{name}")]
    if lacking:
        print(f"skipped: there is no {', '.join(lacking)}")
        return 77
    kernels = [read(path) for path in sorted(glob.glob(os.path.join(o.folder, "*.cl")))]
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(lambda kernel: look(kernel, folder), kernels))
    said = {k.path: found for k, (found, _) in zip(kernels, results)}
    faults = [fault for _, found in results for fault in found]
    for k in kernels if o.all else []:
        for target, found in said[k.path].items():
            print(f"{os.path.basename(k.path)}  {target}  {found}")
    text = table(kernels, said)
    print(text)
    if o.into:
        report.put_into(o.into, text, BEGIN, END)
    for fault in faults:
        print(f"{fault.where}: {os.path.basename(fault.kernel.path)}: {fault.what}")
    print(f"{len(kernels)} sources for {len(TARGETS)} targets, {len(faults)} faults"
          f"{'' if tool('ptxas') else '; no ptxas: registers and spills of NVIDIA were not looked at'}")
    return 1 if faults or not kernels else 0


if __name__ == "__main__":
    sys.exit(main())
