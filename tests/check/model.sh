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
check wrong_when_long >"$folder/said" && fail "what is wrong when it is fused is not found"
sed -n '/^all together .*FAILED/,$p' "$folder/said" | grep -q 'FAILED.* -> ' ||
  fail "the operator at which fused ones go wrong is not named: $(cat "$folder/said")"
"$tenon" check --model /no/such/file --device reference 2>/dev/null && fail "no file is no failure"
exit 0
