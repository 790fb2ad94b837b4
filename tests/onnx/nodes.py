"""nodes.py: ONNX's own tests of operators, all that the package onnx makes, and the list of how ours does on them.

usage: nodes.py ONNX_TESTS FOLDER LIST [--write] [DEVICE...]

Makes the tests in FOLDER, runs them on the devices (reference and cpu unless others are named), and compares with LIST
or, with --write, writes it anew: the package's version; a line of counts for each device; and each test that did not
pass, with the reason. The devices must agree on those. 77 without the package, or with another version than LIST's."""

import argparse
import pathlib
import re
import subprocess
import sys

KINDS = ("passed", "wrong", "missing", "not applicable")
COUNTS = re.compile(r"(\S+): (\d+) passed, (\d+) wrong, (\d+) missing, (\d+) not applicable")


def collect():
    try:
        import onnx
        import onnx.backend.test.case.node as node
    except ImportError:
        sys.exit(77)
    return onnx, node.collect_testcases(None)


def as_proto(helper, onnx, value, info):
    makers = {"map_type": helper.from_dict, "sequence_type": helper.from_list, "optional_type": helper.from_optional}
    for field, make in makers.items():
        if info.type.HasField(field):
            return make(value, info.name)
    return value if isinstance(value, onnx.TensorProto) else helper.from_array(value, info.name)


def write_case(onnx, case, folder):
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(case.model.SerializeToString())
    (folder / "tolerance").write_text(f"{case.rtol} {case.atol}\n")
    graph = case.model.graph
    for i, (inputs, outputs) in enumerate(case.data_sets):
        place = folder / f"test_data_set_{i}"
        place.mkdir()
        for kind, values, infos in (("input", inputs, graph.input), ("output", outputs, graph.output)):
            for k, value in enumerate(values):
                proto = as_proto(onnx.numpy_helper, onnx, value, infos[k])
                (place / f"{kind}_{k}.pb").write_bytes(proto.SerializeToString())


def make_cases(folder):
    onnx, cases = collect()
    stamp = folder / f"made-by-{onnx.__version__}"
    if not stamp.exists():
        for case in cases:
            if not (folder / case.name).exists():
                write_case(onnx, case, folder / case.name)
        stamp.touch()
    return onnx.__version__


def run(tests, folder, device):
    done = subprocess.run([tests, "-v", "-d", device, str(folder)], capture_output=True, text=True)
    lines = done.stdout.splitlines()
    counts = COUNTS.fullmatch(lines[-1]) if lines else None
    if not counts:
        sys.exit(f"{device}: {done.stdout[-300:]}{done.stderr[-300:]}")
    rows = [re.fullmatch(r"(%s)\s+(\S+)\s*(.*)" % "|".join(KINDS), line) for line in lines[:-1]]
    return "\t".join(counts.groups()), ["\t".join(row.groups()) for row in rows if row and row[1] != "passed"]


def listed(version, results):
    first = next(iter(results.values()))[1]
    for device, (_, others) in results.items():
        differ = sorted(set(first) ^ set(others))
        if differ:
            sys.exit(f"{device} differs: " + "\n".join(differ[:20]))
    return [f"onnx\t{version}"] + [f"device\t{counts}" for counts, _ in results.values()] + first


def compare(path, version, lines):
    want = [w for w in path.read_text().splitlines() if not w.startswith("#")]
    if want[0] != f"onnx\t{version}":
        print(f"{path} is of {want[0]}, this is {version}")
        sys.exit(77)
    ran = {line.split("\t")[1] for line in lines if line.startswith("device")}
    want = [w for w in want if not w.startswith("device") or w.split("\t")[1] in ran]
    for line in sorted(set(want) ^ set(lines)):
        print("not in the run:" if line in want else "not in the list:", line)
    if sorted(want) != sorted(lines):
        sys.exit(f"{path} is not what a run says: nodes.py with --write")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tests")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("list", type=pathlib.Path)
    parser.add_argument("device", nargs="*", default=["reference", "cpu"])
    parser.add_argument("--write", action="store_true")
    args = parser.parse_intermixed_args()
    version = make_cases(args.folder)
    lines = listed(version, {device: run(args.tests, args.folder, device) for device in args.device})
    if args.write:
        head = "# ONNX's tests of operators, and those that do not pass: made by nodes.py, see docs/onnx.md.\n"
        args.list.write_text(head + "\n".join(lines) + "\n")
    else:
        compare(args.list, version, lines)


if __name__ == "__main__":
    main()
