# `tenon sweep`: every combination is trained, as often as asked, and comes to what `train` comes to; what is done is kept,
# a failure is a row; several at once change nothing.
. "$(dirname "$0")/common.sh"

sweep() { "$tenon" sweep --device "$device" "$@"; }
bad() {
    want=$1
    shift
    sweep "$@" >said 2>stderr && fail "'$*' succeeds"
    grep -qF -- "$want" stderr || fail "'$*': $(cat stderr), not $want"
}
value() { grep -o "\"$1\": [^,}]*" | head -n 1 | sed 's/.*: //'; }

awk 'BEGIN { srand(1); print "area,rooms,rent"
    for (i = 0; i < 100; i++) { a = 30 + int(90 * rand()); r = 1 + int(a / 30); print a "," r "," 9 * a + 40 * r + 60 } }' >rents.csv
common="--data rents.csv --epochs 3 --batch 20 --lr 0.001,0.05 --units 2,8"
net="linear units, relu, linear outputs"
sweep $common --net "$net" --repeat 2 --results kept.jsonl --jobs 2 --json >lines 2>stderr || fail "sweep: $(cat stderr)"
"$json_lines" <lines >/dev/null || fail "no JSON: $(cat lines)"
"$json_lines" <kept.jsonl >/dev/null || fail "no JSON: $(cat kept.jsonl)"
[ "$(wc -l <lines)" = 4 ] && [ "$(wc -l <kept.jsonl)" = 8 ] || fail "combinations: $(cat lines kept.jsonl)"
[ "$(grep -c '^[1-8] of 8: lr 0.[0-9]*, units [28], seed [12]: r2 ' stderr)" = 8 ] || fail "progress: $(cat stderr)"
grep -q "^the best: tenon train .*--net 'linear [28], relu, linear outputs'" stderr || fail "the best: $(cat stderr)"
COLUMNS=60 sweep $common --net "$net" --repeat 2 --results kept.jsonl --jobs 2 >/dev/null 2>stderr || fail "sweep: $(cat stderr)"
grep -q "^the best: tenon train .*--net 'linear [28], relu, linear outputs' .*--save model.safetensors$" stderr || fail "cut: $(cat stderr)"

# Means, deviations and the order are those of the trainings one by one.
for lr in 0.001 0.05; do
    for units in 2 8; do
        for seed in 1 2; do
            "$tenon" train --data rents.csv --epochs 3 --batch 20 --lr $lr --net "linear $units, relu, linear outputs" --seed $seed \
                --device "$device" --json --quiet >one || fail "train"
            tail -n 1 one | grep -o '"test": {.*' | value r2
        done | awk -v lr=$lr -v units=$units '{ v[NR] = $1; s += $1 } END { m = s / 2; d = (v[1] - v[2]) / sqrt(2); print lr, units, m, d < 0 ? -d : d }'
    done
done | sort -k3,3gr >ours
while read -r line; do
    echo "$line" | sed 's/.*"lr": "\([^"]*\)", "units": "\([^"]*\)".*"mean": \([^,]*\), "deviation": \([^,]*\),.*/\1 \2 \3 \4/'
done <lines >theirs
paste -d' ' ours theirs | awk '{ a = $3 - $7; b = $4 - $8; if ($1 != $5 || $2 != $6 || a * a > 1e-10 || b * b > 1e-10) exit 1 }' || fail "$(paste ours theirs)"

# It goes on where it ended, and only there.
cp kept.jsonl before
sweep $common --net "$net" --repeat 3 --results kept.jsonl --jobs 1 >said 2>stderr || fail "going on: $(cat stderr)"
grep -q '^8 of 12 trainings are done already' stderr || fail "going on: $(cat stderr)"
[ "$(wc -l <kept.jsonl)" = 12 ] && head -n 8 kept.jsonl | cmp -s - before || fail "going on: $(cat kept.jsonl)"
grep -q '^lr  *units  *r2  *deviation  *test loss  *runs$' said && [ "$(grep -c ' 3$' said)" = 4 ] || fail "the table: $(cat said)"
sweep $common --net "$net" --repeat 3 --results kept.jsonl --quiet >again 2>stderr || fail "all done: $(cat stderr)"
cmp -s said again && [ ! -s stderr ] || fail "all done: $(cat again stderr)"

# A line that was cut short is left as it is. What is learnt from is not written to, nor read from a pipe.
printf '{"run": "--lr' >>kept.jsonl
sweep $common --net "$net" --repeat 4 --results kept.jsonl --quiet >said 2>stderr && [ "$(grep -c '^{"run": "--.*}$' kept.jsonl)" = 16 ] ||
    fail "a cut line: $(cat stderr kept.jsonl)"
cp rents.csv rents.kept
bad "--results rents.csv: give it another file than --data rents.csv" $common --net "$net" --results rents.csv
cmp -s rents.csv rents.kept || fail "the table is written to"
bad "--data -: a sweep reads its data more than once" --data - <rents.csv
cp rents.csv "it's \$HOME.csv"
sweep --data "it's \$HOME.csv" --epochs 1 --lr 0.1,0.2 >said 2>stderr && grep -qF "'it'\''s \$HOME.csv'" stderr || fail "quotes: $(cat stderr)"

# Networks and schedules are separated by bars; names by commas; flags are for all.
sweep --data digits:60 --epochs 1 --batch 20 --net "linear outputs | linear 4, tanh, linear outputs" --optimizer sgd,adam --sync-norm >said 2>stderr ||
    fail "networks: $(cat stderr)"
grep -q '^linear 4, tanh, linear outputs  sgd ' said && grep -q ' accuracy ' said || fail "networks: $(cat said)"
sweep --data digits:60 --epochs 1 --batch 20 --net "linear outputs" --storage f32,bf16 --layout usual,channels-last >said 2>stderr || fail "layouts: $(cat stderr)"
[ "$(grep -c '^\(f32\|bf16\)  *\(usual\|channels-last\) ' said)" = 4 ] || fail "layouts: $(cat said)"

# A training that fails is said, and a row; all of them are a failure.
sweep --data digits:60 --epochs 1 --batch 20 --net "linear outputs" --lr 0.01,1e38 --optimizer sgd >said 2>stderr || fail "one fails: $(cat stderr)"
grep -q 'a training failed: .*diverged' stderr && grep -q '^1e38 .* 0 (others failed)$' said || fail "one fails: $(cat said stderr)"
bad "no training came to its end" --data nothing.csv
grep -q 'a training failed: .*nothing.csv' stderr || fail "all fail: $(cat stderr)"

# A signal ends those that run, and leaves no file of theirs; so does one that sweep itself does not see.
for signal in TERM KILL; do
    "$tenon" sweep --data digits:2000 --epochs 10000 --net lenet --jobs 1 --device "$device" >said 2>stderr &
    command=$!
    tries=0
    child=
    while [ -z "$child" ] && [ $tries -lt 100 ]; do
        sleep 0.1
        tries=$((tries + 1))
        child=$(awk -v parent=$command '$4 == parent { print $1 }' /proc/[0-9]*/stat 2>/dev/null)
    done
    kill -$signal $command
    wait $command
    code=$?
    [ -n "$child" ] || fail "SIG$signal: no training ran"
    tries=0
    while kill -0 "$child" 2>/dev/null && [ $tries -lt 100 ]; do sleep 0.1; tries=$((tries + 1)); done
    kill "$child" 2>/dev/null && fail "SIG$signal: $child went on"
    [ $signal = KILL ] && continue
    [ $code = 143 ] || fail "interrupted: status $code"
    grep -q 'interrupted; --results FILE keeps what is done' stderr || fail "interrupted: $(cat stderr)"
    ls tenon-interrupted* 2>/dev/null && fail "interrupted: a file is left"
done

# Cross-validation: each fold is a training of its own, which train does likewise; it goes on where it ended.
awk 'BEGIN { srand(3); print "a,b,kind"; for (i = 0; i < 70; i++) { a = rand(); print a "," rand() "," (a > 0.6 ? "yes" : "no") } }' >kinds.csv
folds="--data kinds.csv --epochs 20 --lr 0.01,0.1 --net perceptron"
sweep $folds --folds 5 --results folds.jsonl --jobs 2 >said 2>stderr || fail "--folds: $(cat stderr)"
[ "$(grep -cE '^0\.0?1 .* 5$' said)" = 2 ] && [ "$(wc -l <folds.jsonl)" = 10 ] || fail "--folds: $(cat said)"
for fold in 1 2 3 4 5; do
    "$tenon" train --data kinds.csv --epochs 20 --lr 0.1 --net perceptron --fold $fold/5 --device "$device" --json --save "fold$fold" 2>/dev/null |
        tail -n 1 | sed 's/.*"test": //' | value accuracy
    "$tenon" eval --model fold$fold --device "$device" --json | grep -q '"samples": 14,' || fail "eval of fold $fold"
done >each
want=$(awk '{ s += $1; q += $1 * $1 } END { m = s / NR; printf "%.4f %.4f", m, sqrt((q - NR * m * m) / (NR - 1)) }' each)
[ "$(awk '$1 == "0.1" { print $2, $3 }' said)" = "$want" ] || fail "--folds: $want, and $(cat said)"
sweep $folds --folds 5 --repeat 2 --results folds.jsonl --quiet >said 2>stderr && [ "$(wc -l <folds.jsonl)" = 20 ] || fail "going on with folds: $(cat stderr)"
bad "--fold is for a single training" --fold 1/5
bad "--folds" --folds 1
head -n 8 kinds.csv >few.csv
"$tenon" sweep --data few.csv --folds 8 --lr 0.1,0.2 --device "$device" >said 2>stderr && fail "8 folds of 7 rows"
[ "$(grep -c . stderr)" = 1 ] && grep -q 'few.csv: 8 folds, and there are 7 samples' stderr && [ ! -s said ] || fail "8 folds of 7 rows: $(cat stderr)"
awk -F, -v OFS=, 'NR == 3 { $3 = "perhaps" } 1' kinds.csv >alone.csv
sweep --data alone.csv --folds 3 --epochs 1 --net perceptron >said 2>stderr || fail "a class of one row: $(cat stderr)"
[ "$(grep -c 'alone.csv: a class has 1 sample, fewer than 3 folds' stderr)" = 1 ] || fail "a class of one row: $(cat stderr)"
for words in "--fold 6/5" "--fold 0/5" "--fold 1/1" "--fold 2" "--fold 1/5x" "--fold 1/71" "--fold 1/5 --test kinds.csv"; do
    "$tenon" train --data kinds.csv $words --epochs 1 >said 2>stderr && fail "$words is taken"
    grep -q -e fold stderr || fail "$words: $(cat stderr)"
done
"$tenon" train --data digits:50 --fold 1/5 --epochs 1 2>stderr && fail "digits in folds"
grep -q 'is not cut into folds' stderr || fail "digits in folds: $(cat stderr)"

awk 'NR == 1 { print "a,\"w, or not\",y" } NR > 1 { print NR % 5 "," NR % 3 "," NR / 7 } NR == 30 { exit }' rents.kept >weighed.csv
sweep --data weighed.csv --epochs 1 --sample-weights '"w, or not",none' >said 2>stderr || fail "weights or none: $(cat stderr)"
grep -q '^none ' said && grep -q '^"w, or not" ' said || fail "weights or none: $(cat said)"

bad "--save is for a single training" --save m
bad "--lr is given twice" --lr 1 --lr 2
bad "--unit is no option of train, and --net has no word 'unit'" --net "linear units, linear outputs" --unit 3
bad "--lr: one of its values is empty" --lr 0.1,,0.2
bad "--lr needs a value" --lr
bad "--repeat" --repeat 0
# What cannot be kept ends the sweep with a line: here the file may have no byte more.
head -c 4096 /dev/zero | tr '\0' '\n' >room.jsonl
(
    trap '' XFSZ
    ulimit -f 8
    sweep --data rents.csv --epochs 1 --quiet --lr 0.1,0.2 --results room.jsonl >said 2>stderr
) && fail "results without room: $(cat stderr)"
grep -q "^tenon: room.jsonl: cannot be written: " stderr || fail "results without room: $(cat stderr)"

finish
