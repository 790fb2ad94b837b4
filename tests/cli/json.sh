# JSON: every line parses, has its keys, and standard output has nothing else.
. "$(dirname "$0")/common.sh"

train --epochs 2 --json >lines 2>stderr || fail "$(cat stderr)"
[ "$(wc -l <lines)" = 3 ] || fail "not 3 lines: $(cat lines)"
head -n 2 lines | "$json_lines" epoch loss accuracy test_accuracy samples_per_s device || fail "epochs: $(cat lines)"
tail -n 1 lines | "$json_lines" done epochs steps loss test_accuracy seconds device || fail "end: $(cat lines)"
tail -n 1 lines | grep -q '"done": true' || fail "no done"

train --epochs 1 --json=step --stats >lines 2>stderr || fail "$(cat stderr)"
[ "$(wc -l <lines)" = 14 ] || fail "not 12 steps, an epoch and the end: $(wc -l <lines)"
head -n 12 lines | "$json_lines" step loss || fail "steps: $(cat lines)"
[ "$(head -n 12 lines | tail -n 1 | grep -o '"step": [0-9]*')" = '"step": 12' ] || fail "the last step is not 12"
tail -n 1 lines | "$json_lines" done stats || fail "stats: $(cat lines)"

# The same command gives the same losses; another seed gives others.
losses() { train --epochs 1 --json=step "$@" 2>/dev/null | grep '"step"'; }
losses >a
losses >b
losses --seed 2 >c
cmp -s a b || fail "the same command twice gives other losses"
cmp -s a c && fail "another seed gives the same losses"

# An epoch's loss is the mean of its steps' (whole batches: 240 = 12 x 20).
mean=$(sed 's/.*"loss": //; s/}//' a | awk '{ s += $1 } END { printf "%.4f", s / NR }')
epoch=$(train --epochs 1 --json 2>/dev/null | head -n 1 | grep -o '"loss": [^,]*' | awk '{ printf "%.4f", $2 }')
[ "$mean" = "$epoch" ] || fail "an epoch's loss is $epoch, the mean of its steps' $mean"

"$tenon" devices --json 2>/dev/null | "$json_lines" || fail "devices"
finish
