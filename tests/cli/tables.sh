# Tables: scaling that is learnt from the training part and goes with the model, missing values, several targets, and
# losses that do not fit.
. "$(dirname "$0")/common.sh"

run_train() { "$tenon" train --device "$device" --json "$@" 2>stderr >lines || fail "'$*': $(cat stderr)"; }
predict() { "$tenon" predict --device "$device" "$@" 2>stderr >said || fail "predict '$*': $(cat stderr)"; }
value() { grep -o "\"$1\": [^,}]*" | tail -n 1 | sed 's/.*: //'; }
# near WHAT GOT WANT WITHIN
near() { awk "BEGIN { e = ($2) - ($3); exit !(e < $4 && e > -($4)) }" || fail "$1: $2, not $3"; }

# Columns of very different sizes, a constant one, and a target in the thousands: rent = 12 area - 300 rooms + 900.
awk 'BEGIN { srand(3); print "area,rooms,country,rent"
    for (i = 0; i < 200; i++) { a = 2000 + 8000 * rand(); r = 1 + int(5 * rand()); print a "," r ",49," 12 * a - 300 * r + 900 } }' >rent.csv
printf 'area,rooms,country\n5000,2,49\n9000,5,49\n' >ask.csv
for kind in minmax standard; do
    run_train --data rent.csv --scale $kind --net "linear 1" --loss mse --optimizer sgd --lr 0.1 --batch 16 --epochs 80 --save r.safetensors
    predict --model r.safetensors ask.csv
    near "$kind, first" "$(awk 'NR == 1 { print $3 }' said)" 60300 200
    near "$kind, second" "$(awk 'NR == 2 { print $3 }' said)" 107400 200
    "$tenon" eval --model r.safetensors --device "$device" --json >evaluated 2>stderr || fail "eval: $(cat stderr)"
    [ "$(value test_loss <lines)" = "$(value test_loss <evaluated)" ] || fail "$kind: eval $(value test_loss <evaluated)"
done

# A resumed training scales as before, to the bit.
common="--data rent.csv --scale standard --net linear\ 1 --loss mse --optimizer momentum --batch 16 --validation 0.2"
eval run_train $common --epochs 4 && figures <lines >whole
eval run_train $common --epochs 2 --save half.safetensors && figures <lines >both
run_train --resume half.safetensors --epochs 4 && figures <lines >>both
cmp whole both || fail "resumed otherwise"

# A missing value at prediction is the mean of the training part, whatever else is asked for.
printf 'area,rooms,country\n5000,,49\n' >missing.csv
printf 'area,rooms,country\n5000,NA,49\n100,5,?\n100,5,49\n' >more.csv
predict --model r.safetensors missing.csv
first=$(awk 'NR == 1 { print $3 }' said)
predict --model r.safetensors more.csv
[ "$(awk 'NR == 1 { print $3 }' said)" = "$first" ] || fail "a missing value depends on other rows: $(cat said)"
near "a missing value" "$first" "12 * 5000 - 300 * 3 + 900" 400

# Unit rows: only the direction counts.
awk 'BEGIN { srand(4); print "a,b,kind"; for (i = 0; i < 300; i++) { a = rand(); b = rand(); s = 10 ^ (6 * rand() - 3); print a * s "," b * s "," (a > b ? "low" : "high") } }' >unit.csv
run_train --data unit.csv --scale unit --net "linear outputs" --lr 0.1 --batch 16 --epochs 20 --schedule "cosine 300" --save u.safetensors
near "unit rows" "$(value test_accuracy <lines)" 1 0.05
printf 'a,b\n0.002,0.001\n1000,2000\n' >ask.csv
predict --model u.safetensors ask.csv
grep -q '^ask.csv 0: low (' said && grep -q '^ask.csv 1: high (' said || fail "unit: $(cat said)"

# Several targets, in any columns: numbers, and yes or no.
awk 'BEGIN { srand(5); print "sum,a,b,difference"; for (i = 0; i < 300; i++) { a = rand(); b = rand(); print 100 * (a + b) "," a "," b "," a - b } }' >two.csv
run_train --data two.csv --target "sum, difference" --scale standard --net "linear outputs" --loss mse --lr 0.05 --batch 16 --epochs 30 --save two.safetensors
printf 'a,b\n0.75,0.25\n' >ask.csv
predict --model two.safetensors ask.csv
grep -q '^ask.csv 0: sum=[0-9.]* difference=[0-9.]*$' said || fail "targets have no names: $(cat said)"
tr = ' ' <said >bare
near "sum" "$(awk '{ print $4 }' bare)" 100 2
near "difference" "$(awk '{ print $6 }' bare)" 0.5 0.02
predict --model two.safetensors --json ask.csv
grep -q '"predictions": {"sum": [0-9.]*, "difference": [0-9.]*}' said || fail "targets have no names: $(cat said)"
printf 'sum,a,b,difference\n1,0.75,0.25,2\n' >with.csv
predict --model two.safetensors with.csv
near "with the targets" "$(tr = ' ' <said | awk '{ print $4 }')" 100 2
awk 'BEGIN { srand(6); print "a,b,big,left"; for (i = 0; i < 400; i++) { a = rand(); b = rand(); print a "," b "," (a + b > 1) "," (a > b) } }' >multi.csv
run_train --data multi.csv --target big,left --net "linear outputs" --loss binary_cross_entropy --lr 0.1 --batch 16 --epochs 30 --save multi.safetensors
near "both right" "$(value test_accuracy <lines)" 1 0.15
printf 'a,b\n0.9,0.5\n0.1,0.3\n' >ask.csv
predict --model multi.safetensors ask.csv
tr = ' ' <said | awk 'NR == 1 && !($4 > 0.5 && $6 > 0.5) { exit 1 } NR == 2 && !($4 < 0.5 && $6 < 0.5) { exit 1 }' || fail "multi: $(cat said)"

# Outputs that are no probabilities say yes above 0, and no percentage stands beside them.
awk 'BEGIN { srand(7); print "a,side"; for (i = 0; i < 200; i++) { a = rand(); print a "," (a > 0.5 ? "right" : "left") } }' >side.csv
run_train --data side.csv --net "linear outputs" --loss hinge --lr 0.1 --batch 16 --epochs 40 --save hinge.safetensors
near "hinge" "$(value test_accuracy <lines)" 1 0.1
awk 'BEGIN { print "a"; for (i = 0; i < 100; i++) print i / 100 }' >ask.csv
predict --model hinge.safetensors --json ask.csv
awk -F'"outputs": \\[' '{ y = $2 + 0 } y > 0 && y < 0.5 { between++ } (y > 0) != /"class": "right"/ || /probability/ { bad++ } END { exit bad || !between }' said ||
    fail "hinge: $(cat said)"
predict --model hinge.safetensors ask.csv
grep -q % said && fail "hinge: $(cat said)"

# Columns are found by their names, whatever their order and whatever else there is.
printf 'difference,note,b,a\n0,x,0.25,0.75\n' >turned.csv
predict --model two.safetensors turned.csv
near "turned columns" "$(tr = ' ' <said | awk '{ print $6 }')" 0.5 0.02
awk -F, 'BEGIN { OFS = "," } { print $3, $4, $2, $1 }' two.csv >turned.csv
"$tenon" eval --model two.safetensors --data turned.csv --device "$device" --json >evaluated 2>stderr || fail "eval: $(cat stderr)"
[ "$(value test_loss <lines)" != "" ] && near "eval of turned columns" "$(value test_loss <evaluated)" 0 0.01

# Many classes whose names begin like others; the table to evaluate on has the odd ones, in another order.
awk 'BEGIN { print "a,b,name"; for (i = 0; i < 400; i++) print i % 20 ",1,c" (i % 20 ? i % 20 : "") }' >names.csv
awk 'BEGIN { print "a,b,name"; for (i = 1999; i > 0; i -= 2) print i % 20 ",1,c" i % 20 }' >odd.csv
run_train --data names.csv --scale standard --net "linear 40, tanh, linear outputs" --lr 0.1 --batch 32 --epochs 60 --schedule "cosine 600" --save names.safetensors
"$tenon" eval --model names.safetensors --data odd.csv --device "$device" --json >evaluated 2>stderr || fail "eval: $(cat stderr)"
near "names in another order" "$(value test_accuracy <evaluated)" 1 0.05

# Numbers that were forgotten to be called such.
awk 'BEGIN { print "a,y"; for (i = 0; i < 100; i++) print i "," i }' >whole.csv
run_train --data whole.csv --loss cross_entropy --epochs 1 --batch 20
[ "$(grep -c 'whole.csv has 100 classes for 80 training samples; to predict numbers, give --loss mse' stderr)" = 1 ] || fail "no warning: $(cat stderr)"
run_train --data whole.csv --epochs 1 --batch 20 --loss mse
grep -q "classes" stderr && fail "a warning for mse: $(cat stderr)"

# Evaluating on a table that has some of the classes only: they are told by their names.
grep -v ',high' unit.csv >low.csv
"$tenon" eval --model u.safetensors --data low.csv --device "$device" --json >evaluated 2>stderr || fail "eval: $(cat stderr)"
near "one class" "$(value test_accuracy <evaluated)" 1 0.06
sed 's/,low/,middle/' unit.csv >middle.csv

# A table of fewer rows than the usual batch is one batch, resumed too; a batch that was asked for must be there.
printf 'a,y\n1,2\n2,4\n3,6\n' >three.csv
"$tenon" train --data three.csv --loss mse --net "linear 1" --epochs 2 --save three.safetensors --device "$device" 2>stderr ||
    fail "three rows: $(cat stderr)"
"$tenon" train --resume three.safetensors --epochs 3 --device "$device" 2>stderr || fail "three rows again: $(cat stderr)"

# Classes that differ by a line break or a backslash alone stay apart, in the file and where they are predicted.
awk 'BEGIN { split("a b|\"a\nb\"|\"a\rb\"|a\\nb", name, "|"); print "a,kind"; for (i = 0; i < 200; i++) print i % 4 "," name[1 + i % 4] }' >breaks.csv
printf 'a\n0\n1\n2\n3\n' >ask.csv
run_train --data breaks.csv --net "linear 16, tanh, linear outputs" --lr 0.1 --batch 16 --epochs 20 --save breaks.safetensors
near "breaks" "$(value test_accuracy <lines)" 1 0.01
"$tenon" eval --model breaks.safetensors --data breaks.csv --device "$device" --json >evaluated 2>stderr || fail "eval: $(cat stderr)"
near "breaks, saved" "$(value test_accuracy <evaluated)" 1 0.01
predict --model breaks.safetensors --json --out breaks.out.csv ask.csv
[ "$(sed 's/.*"class": \("[^"]*"\).*/\1/' said | tr '\n' ' ')" = '"a b" "a\u000ab" "a\u000db" "a\\nb" ' ] || fail "breaks: $(cat said)"
head -n 2 breaks.out.csv | tr '\n\r' '^~' | grep -qF 'probability,"a^b","a~b",a b,a\nb^' || fail "breaks: $(cat breaks.out.csv)"

# Mistakes.
bad() {
    want=$1 word=$2
    shift 2
    "$tenon" "$@" --device "$device" >stdout 2>stderr
    got=$?
    [ "$got" = "$want" ] || fail "'$*': exit status $got, not $want"
    [ "$(wc -l <stderr)" = 1 ] && grep -qF -e "$word" stderr || fail "'$*': '$word' is not the one line: $(cat stderr)"
    [ ! -e none.safetensors ] && [ ! -s stdout ] || fail "'$*': left something"
}
bad_train() {
    want=$1 word=$2
    shift 2
    given --batch "$@" || set -- --batch 16 "$@"
    bad "$want" "$word" train --epochs 1 --save none.safetensors "$@"
}
bad 1 "'middle', which u.safetensors does not know" eval --model u.safetensors --data middle.csv
awk 'BEGIN { print "a,kind"; for (i = 0; i < 100; i++) print i ",gr" (i % 2 ? "\366" : "\344") }' >latin.csv
bad_train 1 "latin.csv:2: column 2: 'gr?' is not UTF-8: if the table is Latin-1, 'iconv -f latin1 -t utf8'" --data latin.csv
bad_train 2 "is not UTF-8, and a model cannot keep it" --data "$(printf 'gr\366.csv')"
printf 'sum,a,difference\n1,2,3\n' >lacks.csv
bad 1 "has no column 'b' to predict from" predict --model two.safetensors lacks.csv
bad_train 2 "--scale 'max'" --data rent.csv --loss mse --scale max
bad_train 2 "--batch 16 is more than the 3 training samples" --data three.csv --loss mse
bad_train 2 "scaled to 0..1" --data digits:100 --scale minmax
bad_train 2 "needs one class" --data two.csv --target sum,difference --loss cross_entropy
bad_train 2 "binary_cross_entropy is for yes or no" --data two.csv --target sum,difference --loss nll
bad_train 1 "numbers such as" --data rent.csv --target area --loss cross_entropy
bad_train 2 "a probability from 0 to 1" --data two.csv --target sum,difference --loss binary_cross_entropy
bad_train 1 "has no column 'summ'" --data two.csv --target summ,difference --loss mse
bad_train 1 "named twice" --data two.csv --target sum,sum --loss mse
bad_train 1 "expected a number, found 'low'" --data unit.csv --loss mse
bad_train 2 "2 target" --data two.csv --target sum,difference --loss mse --net "linear 3"
bad 2 "--scale" train --resume half.safetensors --scale minmax --epochs 9
printf 'a,b,y\n1,1e39,2\n' >inf.csv
bad_train 1 "beyond the range" --data inf.csv --loss mse
finish
