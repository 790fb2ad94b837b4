# Weights of samples, a column of a table: as many equal rows, wherever samples are, through training, evaluation and
# prediction; and what can't be a weight is refused with its row.
. "$(dirname "$0")/common.sh"

value() { grep -o "\"$1\": [^,}]*" | tail -n 1 | sed 's/.*: //'; }
near() { awk "BEGIN { e = ($2) - ($3); exit !(e < $4 && e > -($4)) }" || fail "$1: $2, not $3"; }
# learns FILE ARGUMENTS...: what each epoch came to, and the model in out/FILE
learns() {
    to=$1
    shift
    "$tenon" train --device "$device" --json --save "out/$to" "$@" 2>stderr >lines || fail "'$*': $(cat stderr)"
    figures <lines >"$to"
}

# Rows that count 0 to 3 times, and the same rows so many times; the weights stand in the middle.
awk 'BEGIN { srand(15); for (i = 0; i < 120; i++) { a = rand(); b = rand(); w = int(4 * rand())
    k = a + b / 2 + 0.4 * rand() > 0.9 ? "much" : "little"; y = 3 * a - b + 0.1 * rand()
    row = sprintf("%.4f,%.4f,%.4f,%s", a, b, y, k)
    if (!i) { print "a,b,times,y,kind" >"w.csv"; print "a,b,y,kind" >"more.csv" }
    printf "%.4f,%.4f,%d,%.4f,%s\n", a, b, w, y, k >"w.csv"; for (j = 0; j < w; j++) print row >"more.csv" } }'
rows=$(($(wc -l <more.csv) - 1))

# In one batch of all rows it is the same training, but for rounding: losses, accuracy and what comes of it.
alike() {
    what=$1
    shift
    learns heavy --data w.csv --test w.csv --sample-weights times --batch 120 "$@"
    learns long --data more.csv --test more.csv --batch "$rows" "$@"
    for figure in loss accuracy test_loss test_accuracy r2 mae rmse balanced_accuracy f1; do
        is=$(tail -n 1 heavy | value "$figure")
        should=$(tail -n 1 long | value "$figure")
        [ "$should" = "" ] || [ "$should" = null ] || near "$what, $figure" "$is" "$should" 2e-5
    done
    for model in heavy long; do
        "$tenon" eval --model "out/$model" --device "$device" --json >"$model.json" 2>stderr || fail "$what, eval: $(cat stderr)"
    done
    for figure in test_loss test_accuracy r2 mae rmse balanced_accuracy f1 precision; do
        should=$(value "$figure" <long.json)
        [ "$should" = "" ] || [ "$should" = null ] || near "$what, eval, $figure" "$(value "$figure" <heavy.json)" "$should" 2e-5
    done
}
common="--epochs 12 --scale none --lr 0.05 --optimizer momentum"
# shellcheck disable=SC2086 # options
{
    alike "classes" $common --net "linear 6, tanh, linear outputs" --ignore y
    alike "balanced classes" $common --net "linear outputs" --class-weights balanced --label-smoothing 0.1 --ignore y
    alike "numbers" $common --net "linear outputs" --target y --ignore kind
    alike "two numbers" $common --net "linear outputs" --target y,a --ignore kind --loss huber
}
"$tenon" eval --model out/heavy --device "$device" --sample-weights none --json >plain.json 2>stderr || fail "none: $(cat stderr)"
[ "$(value mae <plain.json)" != "$(value mae <heavy.json)" ] || fail "--sample-weights none measures with weights"
"$tenon" info out/heavy | grep -q -- '--sample-weights times' || fail "info does not tell of weights"

# To the bit: wherever samples are, in shards, by several threads; resumed.
same() {
    learns here --data w.csv --sample-weights times --ignore y --epochs 4 --batch 20 --validation 0.2 "$@"
    for how in "--resident host --loaders 3" "--resident stream" "--memory 1K"; do
        # shellcheck disable=SC2086
        learns there --data w.csv --sample-weights times --ignore y --epochs 4 --batch 20 --validation 0.2 "$@" $how
        cmp here there || fail "$how changes the losses with $*"
    done
}
same
same --shards 4 --class-weights balanced
learns half --data w.csv --sample-weights times --ignore y --epochs 2 --batch 20 --validation 0.2 --shards 4 --class-weights balanced
mv half both
"$tenon" train --device "$device" --json --resume out/half --epochs 4 2>stderr >lines || fail "resume: $(cat stderr)"
figures <lines >>both
cmp here both || fail "resumed otherwise"

# A table to predict from may have the column or not, with names and without.
tail -n 3 w.csv >last
{ head -n 1 w.csv && cat last; } >with.csv
cut -d, -f1,2 with.csv >without.csv
learns named --data w.csv --sample-weights times --ignore y --epochs 2
for table in with without; do
    "$tenon" predict --device "$device" --model out/named $table.csv 2>stderr | cut -d' ' -f2- >$table || fail "$table: $(cat stderr)"
    [ "$(wc -l <$table)" = 3 ] || fail "predict $table: $(cat stderr)"
done
cmp with without || fail "the column of weights changes what is predicted"
tail -n +2 w.csv >bare.csv
learns bare --data bare.csv --header no --sample-weights 3 --ignore 4 --epochs 2
cut -d, -f1,2 bare.csv | tail -n 3 >two.csv
for table in last two.csv; do
    "$tenon" predict --device "$device" --model out/bare --header no $table 2>stderr | cut -d' ' -f2- >"$table.said" || fail "$table: $(cat stderr)"
    [ "$(wc -l <"$table.said")" = 3 ] || fail "predict $table: $(cat stderr)"
done
cmp last.said two.csv.said || fail "without a header the column of weights changes what is predicted"
"$tenon" eval --model out/bare --data bare.csv --device "$device" >said 2>stderr || fail "eval bare: $(cat stderr)"

# refused TEXT ARGUMENTS...
refused() {
    text=$1
    shift
    "$tenon" train --device "$device" "$@" >said 2>stderr && fail "'$*' trains"
    grep -qF -- "$text" stderr && [ "$(grep -vc '^tenon: warning' stderr)" = 1 ] || fail "'$*': not one line with '$text': $(cat stderr)"
}
# bad LINE WEIGHT TEXT
bad() {
    awk -F, -v OFS=, -v line="$1" -v weight="$2" 'NR == line { $3 = weight } 1' w.csv >bad.csv
    refused "$3" --data bad.csv --sample-weights times
}
bad 7 -1 "bad.csv:7: column 'times': the sample's weight is -1, not 0 or from 1e-18 to 1e18"
for weight in 9e-19 1e-50 1.1e18; do bad 8 $weight "bad.csv:8: column 'times': the sample's weight is $weight, not 0 or from 1e-18 to 1e18"; done
bad 9 "" "bad.csv:9: column 'times': the sample's weight is missing"
bad 4 much "bad.csv:4: column 'times': expected a number, found 'much'"
bad 5 inf "bad.csv:5: column 'times'"
awk -F, -v OFS=, 'NR > 1 { $3 = 0 } 1' w.csv >bad.csv
refused "bad.csv: all 96 training samples have the weight 0" --data bad.csv --sample-weights times
refused "bad.csv: all 120 test samples have the weight 0" --data w.csv --test bad.csv --sample-weights times
"$tenon" eval --model out/heavy --data bad.csv --device "$device" >said 2>stderr && fail "eval of weights of 0"
grep -q "bad.csv: all 120 test samples have the weight 0" stderr || fail "eval of weights of 0: $(cat stderr)"
refused "has no column 'weight'" --data w.csv --sample-weights weight
refused "column 'kind' is to be predicted, and can't be the samples' weights" --data w.csv --target kind --sample-weights kind
refused "columns 'a' and 'b' can't both be the samples' weights" --data w.csv --sample-weights a,b

# An archive's array does the same, to the bit, and so do those of its two parts.
python3 - <<'PY' || fail "archives"
import csv, json, struct
rows = [[float(c) for c in row[:4]] for row in list(csv.reader(open("w.csv")))[1:]]
def pack(path, arrays):
    head, data = {}, b""
    for name, (shape, values) in arrays.items():
        piece = struct.pack(f"<{len(values)}f", *values)
        head[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + len(piece)]}
        data += piece
    text = json.dumps(head).encode()
    open(path, "wb").write(struct.pack("<Q", len(text)) + text + data)
n = len(rows)
x, y, w = [[n, 2], [v for r in rows for v in r[:2]]], [[n], [r[3] for r in rows]], [[n, 1], [r[2] for r in rows]]
pack("w.safetensors", {"x": x, "y": y, "times": w})
pack("parts.safetensors", {f"{name}_{part}": a for name, a in (("x", x), ("y", y), ("times", w)) for part in ("train", "test")})
pack("short.safetensors", {"x": x, "y": y, "times": [[n - 1], w[1][1:]]})
pack("less.safetensors", {"x": x, "y": y, "times": [[n], [-1.0] + w[1][1:]]})
PY
of_array="--epochs 4 --batch 20 --loss mse --scale none --sample-weights times"
# shellcheck disable=SC2086
{
    learns table --data w.csv --test w.csv --ignore kind --target y $of_array --net "linear 5, tanh, linear outputs"
    learns array --data w.safetensors --test w.safetensors $of_array --net "linear 5, tanh, linear outputs"
    learns parts --data parts.safetensors $of_array --net "linear 5, tanh, linear outputs"
}
cmp table array || fail "weights of an archive"
cmp table parts || fail "weights of an archive's parts"
"$tenon" eval --model out/array --device "$device" --json >own.json 2>stderr || fail "eval of an archive: $(cat stderr)"
"$tenon" eval --model out/array --device "$device" --sample-weights none --json >plain.json 2>stderr || fail "none, of an archive: $(cat stderr)"
[ "$(value test_loss <own.json)" = "$(tail -n 1 array | value test_loss)" ] && [ "$(value test_loss <own.json)" != "$(value test_loss <plain.json)" ] || fail "eval of an archive"
refused "short.safetensors: 'times' is (119), not a weight for each of 120 samples" --data short.safetensors --sample-weights times
refused "less.safetensors: 'times': sample 0 has the weight -1" --data less.safetensors --sample-weights times
refused "has no array 'nothing'" --data w.safetensors --sample-weights nothing
refused "--sample-weights is for tables" --data digits:50 --sample-weights a
"$tenon" eval --model out/heavy --data more.csv --device "$device" >said 2>stderr && fail "eval without the column"
grep -q "has no column 'times'" stderr || fail "eval without the column: $(cat stderr)"
# Without a header one column too many may be the weights or the target: neither is guessed.
awk 'BEGIN { srand(5); for (i = 0; i < 60; i++) { a = rand(); b = rand(); print a "," 1 + i % 3 "," b "," 2 * a - 3 * b } }' >all.csv
"$tenon" train --data all.csv --header no --sample-weights 2 --epochs 1 --device "$device" --save nameless.st --quiet >/dev/null ||
    fail "weights by number"
cut -d, -f1,3 all.csv >bare.csv
for table in all bare; do
    "$tenon" predict --model nameless.st --device "$device" $table.csv >$table.said || fail "predict $table"
    sed 's/^[^ ]* //' $table.said >$table.numbers
done
cmp all.numbers bare.numbers || fail "$(paste all.numbers bare.numbers | head -3)"
for columns in 1,2,3 1,3,4; do
    cut -d, -f$columns all.csv >some.csv
    "$tenon" predict --model nameless.st --device "$device" some.csv >said 2>message && fail "columns $columns: $(head -1 said)"
    grep -q "one more than there are to predict from" message || fail "columns $columns: $(cat message)"
done

finish
