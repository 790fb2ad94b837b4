#!/bin/sh
# model.sh TENON FAULTS: a saved network is tried operator by operator; what a device gets wrong is named.
tenon=$1 faults=$2
fail() { echo "$*"; exit 1; }
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
file=$folder/net.safetensors
"$tenon" train --data digits --limit 50 --epochs 1 --net "linear 7, tanh, linear 5, gelu, linear outputs" \
  --device reference --save "$file" 2>/dev/null || fail "no network to check"
"$tenon" check --model "$file" --device reference | tail -n 1 | grep -q ' 0 failed' || fail "the reference fails"
check() { TENON_BACKEND_PATH=$faults/$1.so "$tenon" check --model "$file" --device faulty; }
check wrong_on_odd >"$folder/said" && fail "an operator that is wrong is not found"
grep -A 1 'the first that is wrong' "$folder/said" | grep -q '^reduce .*f32 (2, 5) -> f32 (1, 5)' ||
  fail "the first wrong operator is not named: $(cat "$folder/said")"
grep FAILED "$folder/said" | grep -q ' [0-9]\{1,2\} % of the budget' && fail "what failed is within its budget"
check wrong_when_long >"$folder/said" && fail "what is wrong when it is fused is not found"
sed -n '/^all together .*FAILED/,$p' "$folder/said" | grep -q 'FAILED.* -> ' ||
  fail "the operator at which fused ones go wrong is not named: $(cat "$folder/said")"
# A convolution's weight is a long sum of which little is left: f32 loses in it what it does for everybody.
if "$tenon" devices | grep -q '^cpu'; then
    "$tenon" train --data digits-rgb --limit 60 --epochs 2 --batch 10 --device reference --save "$folder/long" \
      --net "conv 8 3 pad 1, batch_norm, relu, global_avgpool, linear outputs" 2>/dev/null || fail "no long sums"
    "$tenon" check --model "$folder/long" --device cpu --seed 2 >"$folder/said" || fail "$(grep -A 1 FAILED "$folder/said")"
fi
# Each option is honoured, or refused with a line that names it and exit status 2.
status() {
    want=$1 word=$2
    shift 2
    "$tenon" check "$@" >"$folder/said" 2>"$folder/line"
    got=$?
    [ $got -eq "$want" ] || fail "'check $*': exit status $got, not $want: $(cat "$folder/said" "$folder/line")"
    [ "$want" -eq 0 ] || { [ "$(wc -l <"$folder/line")" = 1 ] && grep -qF -e "$word" "$folder/line"; } ||
        fail "'check $*': '$word' is not the one line: $(cat "$folder/line")"
}
status 0 '' --model "$file" --device reference --seed 7
grep -q 'seed 7$' "$folder/said" || fail "--seed is not honoured: $(cat "$folder/said")"
status 0 '' --model="$file" --device reference
grep -q 'seed 1$' "$folder/said" || fail "the seed is not the network's: $(cat "$folder/said")"
for option in '--only matmul' --perf --list --markdown '--cases 3' '--first 1' '--time-limit 9' '--chat x'; do
    status 2 "${option%% *}" --model "$file" --device reference $option
done
status 2 '--device' reference --device cpu
status 2 'not both' reference --model "$file"
status 2 'needs a value' --model
status 2 '/no/such/file' --model /no/such/file --device reference
status 2 "no device 'nosuch'" --model "$file" --device nosuch
status 2 'empty' --model "$file" --device ''
for row in model device seed; do
    "$tenon" check --help | grep -q "^ *--$row " || fail "the help has no row for --$row"
done

# A plugin that crashes or exits at the end of the process does not change the command's exit status.
TENON_BACKEND_PATH=$faults/crash_at_exit.so "$tenon" check --model "$file" --device faulty >/dev/null 2>&1 ||
    fail "what a plugin does at the end of the process changes the exit status to $?"

# Weights that are no numbers check nothing.
python3 - "$file" <<'PY' || fail "python3"
import json, struct, sys
data = bytearray(open(sys.argv[1], "rb").read())
n = struct.unpack("<Q", data[:8])[0]
begin, end = json.loads(data[8:8 + n])["fc1.weight"]["data_offsets"]
data[8 + n + begin:8 + n + end] = struct.pack("<f", float("nan")) * ((end - begin) // 4)
open(sys.argv[1], "wb").write(data)
PY
status 1 "'fc1.weight' is NaN" --model "$file" --device reference
exit 0
