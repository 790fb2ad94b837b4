#!/bin/sh
# bench/gpu/run.py without a GPU: its steps are done, or say why not, and its report is there.
# usage: gpu_run.sh TREE BUILD
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 "$1/bench/gpu/run.py" --dry --minutes 4 --jobs a32 --sizes 64 --build "$2" --out "$folder" >"$folder/said" 2>&1 ||
    { cat "$folder/said"; exit 1; }
for step in machine doctor probes products jobs model check tune; do
    grep -q "^$step: done, " "$folder/said" || { cat "$folder/said"; exit 1; }
done
if python3 "$1/bench/gpu/run.py" --dry --out /dev/null/report >"$folder/refused" 2>&1 || [ "$(wc -l <"$folder/refused")" != 1 ]; then
    cat "$folder/refused"
    exit 1
fi
grep -q '^| 64 | f32 | [0-9]' "$folder/report.md" && grep -q '^| a32 | [0-9]' "$folder/report.md" ||
    { cat "$folder/report.md"; exit 1; }
python3 - "$folder/report.json" <<'END'
import json, sys
report = json.load(open(sys.argv[1], encoding="utf-8"))
steps = report["model"]["cards"]["H100"]["jobs"]["a32"]
assert 0 < steps["seconds"] < 1 and steps["launches"] >= 12, steps
assert 0 < report["model"]["cards"]["H100"]["products"]["64"]["share"] < 1
assert report["check"]["outcomes"]["passed"] >= 1 and not report["check"]["not passed"]
END
python3 "$1/bench/gpu/model.py" --beyond --card H100 --jobs a32 --sizes 2048 --json >"$folder/beyond.json" ||
    { echo "the model ends with $?"; exit 1; }
python3 - "$folder/beyond.json" <<'END'
import json, sys
said = json.load(open(sys.argv[1], encoding="utf-8"))["H100"]
rates = {name: one["2048"]["rate"] / 1e12 for name, one in said["matrix"].items()}
assert len(rates) == 6 and 50 < rates["f32 as 3 x bf16"] < rates["bf16, as stored"] < 0.62 * 990, rates
attention, winograd = said["attention"], said["winograd"]
for one in attention.values():
    assert 0 < one["tiles"] < one["products"], attention
# 24 heads, half of 1024 x 1024 scores of 64 numbers, twice: on no card above its peak.
assert 24 * 1024 * 512 * 64 * 2 * 2 / attention["forward"]["tiles"] < 67e12, attention
assert winograd["made so"] <= winograd["of"] == 33 and winograd["best"] < winograd["tiles"], winograd
END
