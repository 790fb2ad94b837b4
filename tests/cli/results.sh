# What a training and `eval` say of a model: measures, the confusion of classes, the samples that it is most wrong about;
# as tables that fit the terminal, and as JSON. sh SCRIPT TENON SCRATCH DEVICE JSON_LINES
. "$(dirname "$0")/common.sh"

run_train() { "$tenon" train --device "$device" "$@" 2>stderr >said || fail "'$*': $(cat stderr)"; }
run_eval() { "$tenon" eval --device "$device" "$@" 2>stderr >said || fail "eval '$*': $(cat stderr)"; }
has() { grep -qF -- "$1" said || fail "no '$1' in: $(cat said)"; }
value() { grep -o "\"$1\": [^,}]*" said | head -n 1 | sed 's/.*: //'; }
# near WHAT GOT WANT WITHIN
near() { awk "BEGIN { e = ($2) - ($3); exit !(e < $4 && e > -($4)) }" || fail "$1: $2, not $3"; }
fits() { awk -v most="$1" 'length($0) > most { exit 1 }' said || fail "wider than $1: $(awk -v most="$1" 'length($0) > most' said)"; }

# A model that tells signs exactly, measured on twelve rows of which four are called otherwise.
awk 'BEGIN { print "x,kind"; for (i = -60; i <= 60; i++) if (i) print i "," (i < -20 ? "cold" : i > 20 ? "hot" : "mild") }' >signs.csv
run_train --data signs.csv --net "linear 16, relu, linear outputs" --lr 0.05 --epochs 6 --batch 10 --save signs.safetensors
has "test: 24 samples"
has "balanced accuracy"
has "confusion: a row for each class"
grep -q 'test loss [0-9.e-]*, test accuracy' stderr || fail "no test loss at the end: $(tail -n 1 stderr)"
cat >named.csv <<'X'
x,kind
-50,cold
-45,cold
-40,cold
-35,mild
0,mild
5,mild
-5,hot
2,mild
40,hot
45,hot
50,cold
55,mild
X
run_eval --model signs.safetensors --data named.csv
has "named.csv: loss"
has "accuracy 66.67 %, balanced accuracy 67.22 %"
has "        cold   hot  mild"
has "  cold     3     1     ."
has "  mild     1     1     3"
grep -q '^  cold  *0.7500  *0.7500  *0.7500  *4$' said || fail "cold: $(cat said)"
grep -q '^  hot  *0.5000  *0.6667  *0.5714  *3$' said || fail "hot: $(cat said)"
[ "$(grep -c ', taken for ' said)" = 4 ] && has "named.csv 10  cold, taken for hot ("
sed -n 's/.*, taken for .* (\([0-9.]*\) %)$/\1/p' said >surest
[ "$(tail -n 1 surest)" != 100.0 ] && sort -rn surest | cmp -s - surest || fail "not the surest first: $(cat surest)"
fits 80
run_eval --model signs.safetensors --data named.csv --json
"$json_lines" <said >/dev/null || fail "no JSON: $(cat said)"
near accuracy "$(value accuracy)" 8/12 1e-8
near balanced_accuracy "$(value balanced_accuracy)" "(3/4 + 2/3 + 3/5) / 3" 1e-8
near precision "$(value precision)" "(3/4 + 2/4 + 3/4) / 3" 1e-8
near recall "$(value recall)" "(3/4 + 2/3 + 3/5) / 3" 1e-8
near f1 "$(value f1)" "(3/4 + 4/7 + 6/9) / 3" 1e-8
has '"confusion": [[3, 1, 0], [0, 2, 1], [1, 1, 3]]'
has '"sample": "named.csv 10", "truth": "cold", "prediction": "hot", "probability": '
[ -z "$(value top5)" ] || fail "top5 of three classes"

# Numbers in their own units, by name, as their predictions have them.
awk 'BEGIN { srand(2); print "a,b,rent,size"; for (i = 0; i < 100; i++) { a = rand(); b = rand(); print a "," b "," 1000 + 500 * a "," b - a } }' >flats.csv
run_train --data flats.csv --target rent,size --net "linear outputs" --lr 0.05 --epochs 4 --batch 20 --save flats.safetensors
has "  target         r2        mae       rmse"
"$tenon" predict --device "$device" --model flats.safetensors --out p.csv flats.csv >/dev/null 2>&1 || fail "predict"
run_eval --model flats.safetensors --data flats.csv --json
paste -d, flats.csv p.csv | awk -F, 'NR > 1 { n++; e = $7 - $3; s += e * e; a += e < 0 ? -e : e; m += $3; v += $3 * $3 }
    END { printf "%.9g %.9g %.9g\n", sqrt(s / n), a / n, 1 - s / (v - m * m / n) }' >ours
rent=$(grep -o '{"target": "rent"[^}]*}' said)
figure() { echo "$rent" | grep -o "\"$1\": [^,}]*" | sed 's/.*: //'; }
near rmse "$(figure rmse)" "$(cut -d' ' -f1 ours)" 0.001
near mae "$(figure mae)" "$(cut -d' ' -f2 ours)" 0.001
near r2 "$(figure r2)" "$(cut -d' ' -f3 ours)" 0.0001
has '{"target": "size", "r2": '

# Several targets of yes or no: the mean of their accuracies, and apart from it the rows whose targets are all right.
# (Each is told by its own input; what is asked otherwise than it was learnt is wrong.)
awk 'BEGIN { print "a,b,smokes,drinks"; for (i = 0; i < 80; i++) print i % 2 "," int(i / 2) % 2 "," i % 2 "," int(i / 2) % 2 }' >habits.csv
run_train --data habits.csv --target smokes,drinks --net "linear outputs" --lr 0.1 --epochs 30 --batch 8 --save habits.safetensors
grep -q '^accuracy: the samples whose 2 targets are all right$' stderr && grep -q ', test all right 100.00 %' stderr || fail "all right: $(cat stderr)"
awk 'BEGIN { print "a,b,smokes,drinks"; for (i = 0; i < 20; i++) print i % 2 ",1," (i ? i % 2 : 1) "," (i > 15 ? 0 : 1) }' >asked.csv
run_eval --model habits.safetensors --data asked.csv
has "asked.csv: loss"
has ", all right 75.00 % over"
has "  all right 75.00 %, mean accuracy 87.50 %"
grep -q '^  smokes  *0.9500 ' said && grep -q '^  drinks  *0.8000 ' said && grep -q '^  mean  *0.8750 ' said || fail "marks: $(cat said)"
run_eval --model habits.safetensors --data asked.csv --json
near "all right" "$(value accuracy)" 0.75 1e-8
near "mean accuracy" "$(value mean_accuracy)" 0.875 1e-8

# What early stopping watches is said.
run_train --data signs.csv --net "linear outputs" --epochs 2 --validation 0.2 --early-stop 1
grep -q 'epochs are judged by the validation loss: 1 in a row without a lower one end the training' stderr || fail "watched: $(cat stderr)"
run_train --data signs.csv --net "linear outputs" --epochs 1 --schedule "plateau 2 0.5"
grep -q 'epochs are judged by the test loss$' stderr || fail "watched: $(cat stderr)"

# A training's last object has the same as eval; without samples to test on, those for validation.
run_train --data signs.csv --net "linear outputs" --epochs 1 --json --save again.safetensors
grep -o '"accuracy": [^ ]* "balanced_accuracy.*' said | tail -n 1 | sed 's/}, .*//; s/}}$//; s/}$//' >trained
run_eval --model again.safetensors --json
grep -o '"accuracy": [^ ]* "balanced_accuracy.*' said | sed 's/}$//; s/}, .*//' | cmp -s - trained || fail "train says $(cat trained), eval $(cat said)"

# Many classes are folded, at any width.
awk 'BEGIN { srand(6); print "a,b,kind"; for (i = 0; i < 900; i++) { a = rand(); print a "," rand() ",kind-with-a-rather-long-name-" int(30 * a) } }' >many.csv
for columns in 50 80 140; do
    COLUMNS=$columns
    export COLUMNS
    run_train --data many.csv --net "linear outputs" --epochs 1
    has "... and 20 that are better"
    has "most confused, of 30 classes"
    has "among the first 5"
    fits $columns
done
COLUMNS=50
run_train --data digits:300 --net "linear outputs" --epochs 1
has "most confused, of 10 classes"
unset COLUMNS

# Layers before a training, folded, and all of a saved model by `info`, at any width.
layers="linear 9, relu, linear 8, relu, linear 7, relu, linear 6, relu, linear 5, relu, linear 4, relu, linear 3, relu, linear outputs"
run_train --data signs.csv --net "$layers" --epochs 3 --lr 0.03 --schedule "cosine 30" --save deep.safetensors
grep -q '^    1 linear 9  *9  *18$' stderr && grep -q 'and 3 more$' stderr || fail "layers: $(cat stderr)"
grep -q '^   15 linear outputs  *3  *12$' stderr && grep -q '^  *295$' stderr || fail "layers: $(cat stderr)"
for columns in 60 80 120; do
    COLUMNS=$columns "$tenon" info deep.safetensors >said 2>stderr || fail "info: $(cat stderr)"
    fits $columns
    grep -q '^    7 linear 6  *6  *48$' said && ! grep -q ' more$' said || fail "info: $(cat said)"
    has "names     cold, hot, mild"
    has "columns   x"
    has "columns, scaled: standard"
    grep -q '^  x  *(x - [-0-9.e]*) / [0-9.]*$' said || fail "info: $(cat said)"
    has "  --lr 0.03"
    has "  --schedule cosine 30"
    [ "$(grep -c '^ *[1-3][ *] .* %.* %' said)" = 3 ] && has "  * the lowest test loss" || fail "info: $(cat said)"
done
cp deep.safetensors deep && "$tenon" info deep >said 2>stderr && has "  --schedule cosine 30" || fail "info by what the file is: $(cat stderr)"
run_train --resume deep.safetensors --epochs 5 --save deep.safetensors
"$tenon" info deep.safetensors >said || fail "info of one that went on"
[ "$(grep -c '^ *[1-5][ *] .* %.* s$' said)" = 5 ] || fail "info of one that went on: $(cat said)"
run_train --data flats.csv --target rent,size --net "linear outputs" --epochs 50 --batch 20 --save flats.safetensors
"$tenon" info flats.safetensors >said || fail "info of numbers"
has "targets, scaled: standard"
has "target    rent, size"
[ "$(grep -c ' s$' said)" -le 26 ] && grep -q '^     50' said || fail "a long history: $(cat said)"

finish
