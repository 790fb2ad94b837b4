# A table's columns: by name, by order, with a header and without. Nothing is predicted from other columns than the model
# was trained on without a word.
. "$(dirname "$0")/common.sh"

run_train() { "$tenon" train --device "$device" "$@" 2>stderr || fail "'$*': $(cat stderr)"; }
predict() { "$tenon" predict --device "$device" "$@" 2>stderr >said || fail "predict '$*': $(cat stderr)"; }
# near WHAT GOT WANT WITHIN
near() { awk "BEGIN { e = ($2) - ($3); exit !(e < $4 && e > -($4)) }" || fail "$1: '$2', not $3"; }
# bad STATUS WORD ARGUMENT...: one line that has the word
bad() {
    want=$1 word=$2
    shift 2
    "$tenon" "$@" --device "$device" >stdout 2>stderr
    got=$?
    [ "$got" = "$want" ] || fail "'$*': exit status $got, not $want"
    [ "$(wc -l <stderr)" = 1 ] && grep -qF -e "$word" stderr || fail "'$*': '$word' is not the one line: $(cat stderr)"
    [ ! -e none.csv ] && [ ! -s stdout ] || fail "'$*': left something"
}

# rent = 9 area + 400 rooms + 60; and the same without a header, and with the target first.
awk 'BEGIN { srand(1); print "area,rooms,rent"
    for (i = 0; i < 300; i++) { a = 30 + int(90 * rand()); r = 1 + int(5 * rand()); print a "," r "," 9 * a + 400 * r + 60 } }' >rents.csv
tail -n +2 rents.csv >plain.csv
awk -F, -v OFS=, '{ print $3, $1, $2 }' plain.csv >first.csv
learn="--net linear\ outputs --lr 0.05 --epochs 30 --batch 16"
eval run_train --data rents.csv --save named.safetensors $learn
eval run_train --data plain.csv --save plain.safetensors $learn
grep -q '^plain.csv: no header: .*--header yes' stderr || fail "a table without a header is not told: $(cat stderr)"
grep -q ' 240 samples, 60 for testing' stderr || fail "the first row is lost: $(cat stderr)"
eval run_train --data first.csv --target 1 --save first.safetensors $learn

# Separated otherwise, and with decimal commas, it is the same table, which is told.
sed 's/,/;/g; s/\([0-9]\);/\1,0;/' rents.csv >rents.txt
eval run_train --data rents.txt --save other.safetensors --weights other_w.safetensors $learn
grep -q '^rents.txt: columns are separated by semicolons, and numbers may have decimal commas$' stderr || fail "$(cat stderr)"
eval run_train --data rents.csv --save named.safetensors --weights named_w.safetensors $learn
cmp other_w.safetensors named_w.safetensors || fail "another separator, another model"
predict --model named.safetensors rents.txt
cut -d ' ' -f 2- said >other
predict --model named.safetensors rents.csv
cut -d ' ' -f 2- said | cmp - other || fail "another separator, other predictions"

# Columns that are left out are as if they were not there; one that numbers the rows should be.
awk -F, -v OFS=, '{ print (NR == 1 ? "" : NR - 2), $1, (NR == 1 ? "note" : "text"), $2, $3 }' rents.csv >more.csv
eval run_train --data more.csv --ignore ,note --weights other_w.safetensors --save more.safetensors $learn
cmp other_w.safetensors named_w.safetensors || fail "--ignore changes what is learnt of the others"
grep -q 'warning' stderr && fail "$(cat stderr)"
predict --model more.safetensors more.csv
cut -d ' ' -f 2- said | cmp - other || fail "--ignore: other predictions"
run_train --resume more.safetensors --epochs 31 --save more.safetensors
grep -q 'warning' stderr && fail "$(cat stderr)"
sed '1s/.*/area,rooms,"rent, cold"/; 2,$s/.*/&.5/' rents.csv >comma.csv
run_train --data comma.csv --target '"rent, cold",rooms' --epochs 1 --save comma.safetensors
"$tenon" info comma.safetensors | grep -q '^target *rent, cold, rooms$' || fail "a name with a comma in a list: $("$tenon" info comma.safetensors)"
{ echo 50,2,low,high; awk 'BEGIN { for (i = 0; i < 50; i++) print i "," i * i % 7 ",3," i % 2 }'; } >counts.csv
run_train --data counts.csv --epochs 1
grep -q 'warning: counts.csv: the first line is taken for a header, and begins with the number of rows, 50' stderr || fail "$(cat stderr)"
eval run_train --data more.csv --ignore note --save counted.safetensors $learn
grep -q "warning: more.csv: column 1, '', numbers the rows, which tells nothing of others: better ignore it" stderr ||
    fail "a column that numbers the rows: $(cat stderr)"
tail -n +2 more.csv >bare.csv
eval run_train --data bare.csv --header no --ignore 1,3 --weights other_w.safetensors --save bare.safetensors $learn
predict --model bare.safetensors bare.csv
cut -d ' ' -f 2- said >whole
cut -d, -f 1,2 plain.csv >alone.csv
predict --model bare.safetensors alone.csv
cut -d ' ' -f 2- said | cmp - whole || fail "--ignore by number: other predictions"
run_train --resume bare.safetensors --epochs 31
"$tenon" eval --model bare.safetensors --device "$device" >said 2>stderr || fail "--ignore by number: eval: $(cat stderr)"

# By name: in any case, order and company.
printf ' ROOMS ,id,"Area "\n2,x,60\n' >ask.csv
predict --model named.safetensors ask.csv
near "by name" "$(awk '{ print $3 }' said)" 1400 20
[ ! -s stderr ] || fail "by name: $(cat stderr)"

# Others are an error that lists both sides, or taken in order when that is asked for.
printf 'x1,x2\n60,2\n' >other.csv
bad 1 "other.csv: has no column 'area' to predict from: wanted are 'area', 'rooms', and it has 'x1', 'x2'; --by-position" \
    predict --model named.safetensors --out none.csv other.csv
printf 'rooms,height\n2,60\n' >some.csv
bad 1 "has no column 'area'" predict --model named.safetensors --out none.csv some.csv
predict --model named.safetensors --by-position other.csv
printf 'x,area,id,rooms,id\n0,60,1,2,3\n' >double.csv
predict --model named.safetensors double.csv
near "a name twice of what is not read" "$(awk '{ print $3 }' said)" 1400 20
printf 'area,rooms,area\n60,2,3\n' >double.csv
bad 1 "columns 1 and 3 are both named 'area': rename one" predict --model named.safetensors --out none.csv double.csv
predict --model named.safetensors --by-position other.csv
near "by position" "$(awk '{ print $3 }' said)" 1400 20
printf 'a,b,c,d\n1,2,3,4\n' >wide.csv
bad 1 "wide.csv: has 4 columns; expected 2 to predict from" predict --model named.safetensors --by-position wide.csv

# Without a header: all columns of the model's table, or those to predict from; one row is a row.
printf '60,2\n' >two.csv
printf '60,2,0\n' >three.csv
printf '0,60,2\n' >turned.csv
for pair in named:two named:three plain:two plain:three first:two first:turned; do
    predict --model ${pair%:*}.safetensors ${pair#*:}.csv
    [ "$(wc -l <said)" = 1 ] || fail "$pair: $(cat said)"
    near "$pair" "$(awk '{ print $3 }' said)" 1400 20
    grep -q "${pair#*:}.csv: no header: " stderr || fail "$pair: not a word: $(cat stderr)"
done
printf '60,2,0,0\n' >four.csv
bad 1 "four.csv: has 4 columns; expected 2" predict --model named.safetensors four.csv

# A model whose table had no header takes columns in order, and says so.
predict --model plain.safetensors other.csv
near "a header for a model without" "$(awk '{ print $3 }' said)" 1400 20
grep -q "other.csv: columns are taken by their order" stderr || fail "not a word: $(cat stderr)"

# Names that are numbers: years.
awk 'BEGIN { srand(2); print "2001,2002,2003"; for (i = 0; i < 200; i++) { a = rand(); b = rand(); print a "," b "," a - b } }' >years.csv
eval run_train --data years.csv --header yes --save years.safetensors $learn
grep -q ' 160 samples' stderr || fail "--header yes: $(cat stderr)"
"$tenon" eval --model years.safetensors --device "$device" >said 2>stderr && [ ! -s stderr ] || fail "years: $(cat stderr)"
grep -q 'over 40 test samples' said || fail "years: $(cat said)"
printf '2002,2001\n0.25,0.75\n' >ask.csv
predict --model years.safetensors ask.csv
[ "$(wc -l <said)" = 1 ] || fail "years: $(cat said)"
near "years" "$(awk '{ print $3 }' said)" 0.5 0.05
bad 1 "has no column 'area'" predict --model named.safetensors --header yes two.csv
bad 2 "--header 'maybe'" predict --model named.safetensors --header maybe two.csv
bad 2 "--header 'maybe'" train --data rents.csv --header maybe

# As the world keeps flowers: no header, and the class at the end. Texts that never come again make a header, said.
awk 'BEGIN { srand(3); for (i = 0; i < 100; i++) { a = rand(); print a "," rand() "," (a > 0.5 ? "large" : "small") } }' >kinds.csv
run_train --data kinds.csv --epochs 1 --save kinds.safetensors
grep -q '^kinds.csv: no header: .*come again' stderr && grep -q ' 80 samples, 20 for' stderr || fail "kinds: $(cat stderr)"
"$tenon" eval --model kinds.safetensors --data kinds.csv --device "$device" 2>stderr | grep -q 'over 100 test samples' || fail "kinds: $(cat stderr)"
printf '0.1,0.1,large\n0.9,0.1,small\n' >short.csv
predict --model kinds.safetensors short.csv
[ "$(wc -l <said)" = 2 ] || fail "a first row is lost: $(cat said)"
printf '0.9,0.1,large\n' >short.csv
predict --model kinds.safetensors short.csv
[ "$(wc -l <said)" = 1 ] || fail "one row is lost: $(cat said)"
awk 'BEGIN { for (i = 0; i < 50; i++) print i ",name" i }' >names.csv
"$tenon" train --data names.csv --target 1 --device "$device" --epochs 1 2>stderr && fail "names: trained"
printf '1,a,5\n2,b,6\n3,c,7\n' >odd.csv
bad 1 "odd.csv:2: column 'a'" train --data odd.csv --loss mse --target 5 --epochs 1

# What is measured and tested on is matched likewise; classes by their names.
awk -F, -v OFS=, '{ print $3, "x", $2, $1 }' rents.csv >mixed.csv
"$tenon" eval --model named.safetensors --data mixed.csv --device "$device" --json >said 2>stderr || fail "eval: $(cat stderr)"
near "eval" "$(grep -o '"test_loss": [^,]*' said | sed 's/.*: //')" 0 0.01
sed '1s/rent/price/' mixed.csv >priced.csv
bad 1 "has no column 'rent'; its columns are 'price'" eval --model named.safetensors --data priced.csv
grep -q by-position stderr && fail "order is no help where the target is missing: $(cat stderr)"
awk -F, -v OFS=, 'NR == 1 { print "rent,p,q"; next } { print $1, $2, $3 }' rents.csv >wrong.csv
"$tenon" eval --model named.safetensors --data wrong.csv --by-position --device "$device" --json >said 2>stderr || fail "eval: $(cat stderr)"
near "eval --by-position, the target's name elsewhere" "$(grep -o '"test_loss": [^,]*' said | sed 's/.*: //')" 0 0.01
"$tenon" eval --model named.safetensors --data priced.csv --target price --device "$device" --json >said 2>stderr || fail "eval: $(cat stderr)"
near "eval --target" "$(grep -o '"test_loss": [^,]*' said | sed 's/.*: //')" 0 0.01
bad 1 "rents.csv: column 'area' is one to predict from, and can't be the one to be predicted" eval --model named.safetensors --data rents.csv --target area
bad 1 "rents.csv: column 'area' is one to predict from, and can't be the samples' weights" eval --model named.safetensors --data rents.csv --sample-weights area
bad 1 "has 3 columns; expected 2" eval --model named.safetensors --data rents.csv --target area,rent --by-position
eval run_train --data rents.csv --test mixed.csv --save tested.safetensors $learn
printf 'area,rooms\n60,2\n' >lacks.csv
bad 1 "lacks.csv: has no column 'rent'" eval --model named.safetensors --data lacks.csv
bad 1 "lacks.csv: has no column 'rent'" train --data rents.csv --test lacks.csv --epochs 1
printf 'a,b,kind\n0.9,0,large\n0.1,0,tiny\n' >tiny.csv
bad 1 "has the class 'tiny', which kinds.safetensors does not know" eval --model kinds.safetensors --data tiny.csv --by-position
awk 'BEGIN { print "a,kind"; for (i = 0; i < 60; i++) print i "," i % 3 }' >numbers.csv
awk 'BEGIN { print "a,kind"; for (i = 0; i < 60; i++) print i ",k" i % 3 }' >texts.csv
run_train --data numbers.csv --epochs 1 --save numbers.safetensors
# Equal numbers are the same class, however a table writes them.
for way in "0 1" "-1 1"; do
    set -- $way
    awk -v a="$1" -v b="$2" 'BEGIN { print "a,y"; for (i = 0; i < 60; i++) print i % 2 * 3 + i * .001 "," (i % 2 ? b : a) (i < 40 ? "" : ".0") }' >mixed.csv
    sed '2,$s/\.0$//; 2,$s/$/.0/' mixed.csv >points.csv
    "$tenon" train --data mixed.csv --net "linear outputs" --epochs 1 --device "$device" --save mixed.safetensors >stdout 2>stderr || fail "$way: $(cat stderr)"
    grep -q " 4 parameters" stderr stdout || fail "$way: not two classes: $(cat stderr stdout)"
    "$tenon" eval --model mixed.safetensors --data points.csv --device "$device" >stdout 2>stderr || fail "$way: $(cat stderr)"
done
bad 1 "has the class 'k0', which numbers.safetensors does not know" eval --model numbers.safetensors --data texts.csv

# A training that goes on with a table that lacks a class, or calls all by numbers, knows them all by their names.
awk 'BEGIN { print "a,kind"; for (i = 0; i < 120; i++) print i % 3 * 10 "," substr("xyz", i % 3 + 1, 1) }' >xyz.csv
awk 'BEGIN { print "a,kind"; for (i = 0; i < 120; i++) print 10 + i % 2 * 10 "," substr("yz", i % 2 + 1, 1) }' >yz.csv
printf 'a\n0\n10\n20\n' >ask.csv
run_train --data xyz.csv --net "linear 16, tanh, linear outputs" --lr 0.05 --batch 16 --epochs 40 --save xyz.safetensors
run_train --resume xyz.safetensors --data yz.csv --epochs 41 --lr 1e-6 --save xyz.safetensors
predict --model xyz.safetensors ask.csv
[ "$(sed 's/^[^:]*: \(.\).*/\1/' said | tr -d '\n')" = xyz ] || fail "a class that was lacking: $(cat said)"
for classes in 3 2; do
    awk -v n=$classes 'BEGIN { print "a,kind"; for (i = 0; i < 120; i++) print i % n * 10 "," i % n }' >count$classes.csv
done
run_train --data count3.csv --net "linear 16, tanh, linear outputs" --lr 0.05 --batch 16 --epochs 40 --save count.safetensors
run_train --resume count.safetensors --data count2.csv --epochs 41 --lr 1e-6 --save count.safetensors
predict --model count.safetensors ask.csv
[ "$(sed 's/^[^:]*: \(.\).*/\1/' said | tr -d '\n')" = 012 ] || fail "a number that was lacking: $(cat said)"

# No output takes the place of a file that the command reads, or of another output, however the two are spelt.
kept() {
    before=$(cat "$1" 2>/dev/null | cksum) file=$1
    shift
    bad 2 "$@"
    [ "$(cat "$file" 2>/dev/null | cksum)" = "$before" ] || fail "'$*': $file is another"
}
mkdir -p deep
cp plain.csv t.csv
ln -sf t.csv link.csv
cp named.safetensors k.safetensors
ln -f k.safetensors k.csv
kept two.csv "--out two.csv: give it another file than the input two.csv" predict --model named.safetensors --out two.csv rents.csv two.csv
kept t.csv "--out t.csv: give it another file than the input link.csv" predict --model named.safetensors --out t.csv link.csv
kept t.csv "--out deep/../link.csv: give it another file than the input" predict --model named.safetensors --out deep/../link.csv t.csv
kept k.csv "--out k.csv: give it another file than --model k.safetensors" predict --model k.safetensors --out k.csv two.csv
for output in save best weights diverged curve; do
    kept t.csv "--$output ./t.csv: give it another file than --data t.csv" train --data t.csv --$output ./t.csv
    kept t.csv "--$output t.csv: give it another file than --test link.csv" train --data plain.csv --test link.csv --$output t.csv
done
for output in weights diverged curve; do
    kept k.safetensors "--$output k.csv: give it another file than --resume" train --resume k.safetensors --epochs 31 --$output k.csv
    kept k.safetensors "--$output k.csv: give it another file than --load" train --data rents.csv --load k.safetensors --$output k.csv
    kept new "--$output deep/../new: give it another file than --best new" train --data rents.csv --best new --$output deep/../new
done
kept k.csv "--curve k.csv: give it another file than --weights k.safetensors" train --data rents.csv --weights k.safetensors --curve k.csv
kept new "--best deep/../new: give it another file than --save new" train --data rents.csv --save new --best deep/../new
kept k.safetensors "--best k.csv: give it another file than --save k.safetensors" train --resume k.safetensors --epochs 31 --save k.safetensors --best k.csv
ln -s new deep/towards
ln -s deep/towards towards
kept deep/new "--best towards: give it another file than --save deep/new" train --data rents.csv --save deep/new --best towards
ln -s none/new astray
bad 1 "--save: the folder 'none/': No such file" train --data rents.csv --save astray
ln -s circle circle
bad 1 "--save: 'circle': Too many levels" train --data rents.csv --save circle
run_train --resume k.safetensors --epochs 31 --save ./k.safetensors
run_train --resume k.safetensors --epochs 32 --best ./k.safetensors
for again in 1 2; do run_train --data digits:100 --epochs 1 --save digits:100; done

# Outputs as a table; other types are refused before anything is done.
predict --model named.safetensors --out out.csv two.csv rents.csv
[ "$(head -n 1 out.csv)" = "input,index,rent" ] && [ "$(wc -l <out.csv)" = 302 ] || fail "out.csv: $(head -n 2 out.csv)"
near "out.csv" "$(awk -F, 'NR == 2 { print $3 }' out.csv)" 1400 20
printf 'a,b,kind\n0.9,0.5,"so ""large"", so good"\n0.1,0.5,small\n' | awk 'NR == 1 { print; next } { for (i = 0; i < 30; i++) print }' >quoted.csv
run_train --data quoted.csv --epochs 20 --lr 0.05 --save quoted.safetensors
predict --model quoted.safetensors --out out.csv quoted.csv
python3 - <<'PY' || fail "out.csv: $(head -n 2 out.csv)"
import csv
rows = list(csv.DictReader(open("out.csv", newline="")))
assert list(rows[0]) == ["input", "index", "class", "probability", "small", 'so "large", so good'], rows[0]
assert len(rows) == 60 and rows[0]["class"] == 'so "large", so good' and rows[59]["class"] == "small"
assert all(abs(float(r["small"]) + float(r['so "large", so good']) - 1) < 1e-5 for r in rows)
assert all(float(r["probability"]) == max(float(r["small"]), float(r['so "large", so good'])) for r in rows)
PY
bad 2 "--out 'none.txt': outputs are written as .npy or .csv" predict --model named.safetensors --out none.txt two.csv
: >real.csv
ln -sf real.csv link.csv
chmod 640 real.csv
predict --model named.safetensors --out link.csv two.csv
[ -L link.csv ] && [ "$(wc -l <real.csv)" = 2 ] || fail "a link: $(ls -l link.csv real.csv)"
[ "$(stat -c %a real.csv)" = 640 ] || fail "a file's mode: $(ls -l real.csv)"
rm real.csv
predict --model named.safetensors --out link.csv two.csv
[ -L link.csv ] && [ "$(wc -l <real.csv)" = 2 ] || fail "a link to what was not there: $(ls -l link.csv real.csv)"
[ ! -e none.txt ] || fail "none.txt is there"
finish
