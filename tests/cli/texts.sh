# Columns of texts to predict from: kinds that become numbers, the same with a saved model as in training.
. "$(dirname "$0")/common.sh"

run_train() { "$tenon" train --device "$device" --json "$@" 2>stderr >lines || fail "'$*': $(cat stderr)"; }
predict() { "$tenon" predict --device "$device" "$@" 2>stderr >said || fail "predict '$*': $(cat stderr)"; }
figures() { grep '"epoch"' lines | sed 's/, "samples_per_s.*//'; }
# bad WORD ARGUMENT...: a failure of one line that has the word
bad() {
    word=$1
    shift
    "$tenon" "$@" --device "$device" >stdout 2>stderr && fail "'$*' went well"
    [ "$(wc -l <stderr)" = 1 ] && grep -qF -e "$word" stderr || fail "'$*': '$word' is not the one line: $(cat stderr)"
}

# The same table three times: with texts, some of them missing; with the numbers that they stand for; with an index.
awk 'BEGIN { srand(2); q = "\""
    split("Ulm Bonn Ems Köln", town, " ")
    print "town,age,sex,price" >"texts.csv"
    print "Bonn,Ems,Koln,Ulm,age,f,m,price" >"numbers.csv"
    print "town,age,sex,price" >"index.csv"
    for (i = 0; i < 200; i++) {
        t = town[1 + int(4 * rand())]; a = int(60 * rand()); s = rand() < 0.5 ? "m" : "f"; g = int(5 * rand())
        y = length(t) * 10 + a + (s == "m") * 5 + 0.5
        shown = g == 0 ? "NA" : g == 1 ? q s q : s
        print (t == "Ems" ? q "Bad\n" q q t q q q : t) "," a "," shown "," y >"texts.csv"
        print (t == "Bonn") "," (t == "Ems") "," (t == "Köln") "," (t == "Ulm") "," a "," \
            (g && s == "f") + 0 "," (g && s == "m") + 0 "," y >"numbers.csv"
        print (t == "Ems" ? 0 : t == "Bonn" ? 1 : t == "Köln" ? 2 : 3) "," a "," (g ? (s == "m") + 0 : "?") "," y >"index.csv"
    } }'
# The texts in order of their bytes: Bad "Ems", Bonn, Köln, Ulm.
awk -F, -v OFS=, 'NR > 1 { t = $1; $1 = $2; $2 = t } { print }' numbers.csv >sorted.csv
common="--net linear\ 8,\ relu,\ linear\ outputs --epochs 3 --batch 20 --save m.safetensors"
eval run_train --data sorted.csv $common && figures >want
eval run_train --data texts.csv $common && figures | cmp - want || fail "one-hot"
grep -qF "'town' has 4 different texts: a number each, 1 or 0" stderr || fail "texts are not told: $(cat stderr)"
eval run_train --data texts.csv --quiet $common && [ ! -s stderr ] || fail "--quiet: $(cat stderr)"
eval run_train --data texts.csv --resident stream $common && figures | cmp - want || fail "one-hot that stays in its file"
eval run_train --data index.csv $common && figures >by_index
eval run_train --data texts.csv --index "town,sex" $common && figures | cmp - by_index || fail "index"
eval run_train --data index.csv --one-hot "town,sex" $common && figures | cmp - want || fail "one-hot of numbers"
tail -n +2 index.csv >plain.csv
eval run_train --data plain.csv --header no --one-hot 1,3 $common && figures | cmp - want || fail "one-hot by number"
awk -F, -v OFS=, '{ print $4, $1, $2, $3 }' plain.csv >moved.csv
eval run_train --data moved.csv --header no --target 1 --ignore 3 --one-hot 2,4 $common
grep -qF "moved.csv: 'column 4' has 2 different texts" stderr || fail "columns without names: $(cat stderr)"
eval run_train --data texts.csv $common
"$tenon" info m.safetensors >said 2>stderr || fail "info: $(cat stderr)"
sed -n 's/^  *\(.*[^ ]\)  *(x - .*/\1/p' said | tr '\n' ',' >names
[ "$(cat names)" = 'town=Bad "Ems",town=Bonn,town=Köln,town=Ulm,age,sex=f,sex=m,price,' ] || fail "info of texts: $(cat names)"

# A saved model goes on with them: training, evaluation, prediction, whatever stands in another table, in any order.
"$tenon" eval --model m.safetensors --device "$device" --json >said 2>stderr || fail "eval: $(cat stderr)"
[ "$(sed 's/.*"test_loss": \([^,]*\).*/\1/' said)" = "$(tail -n 1 want | sed 's/.*"test_loss": \([^,}]*\).*/\1/')" ] || fail "eval: $(cat said)"
eval run_train --data texts.csv --epochs 1 $(echo "$common" | sed 's/--epochs 3//') && figures >both
run_train --resume m.safetensors --epochs 3 && figures >>both && cmp both want || fail "resumed otherwise"
printf 'sex,more,age,town\nm,x,30,Ulm\n,y,30,Ulm\n' >ask.csv
predict --model m.safetensors ask.csv && cut -d' ' -f 2- said >want
[ -s stderr ] && fail "known texts: $(cat stderr)"
printf 'sex,age,town\nm,30,Ulm\nother,30,Ulm\n' >other.csv
predict --model m.safetensors other.csv && cut -d' ' -f 2- said | cmp - want || fail "an unknown text is not as a missing one"
grep -qF "other.csv:3: column 'sex': 'other' is none of the 2 texts that were learned from, and counts as missing" stderr || fail "$(cat stderr)"

# Probabilities have the classes' names.
run_train --data texts.csv --target town --epochs 1 --save town.safetensors
predict --model town.safetensors --json texts.csv
head -n 1 said | grep -q '"probabilities": {"Bad\\u000a\\"Ems\\"": [0-9.e-]*, "Bonn": [0-9.e-]*, "Köln": [0-9.e-]*, "Ulm": [0-9.e-]*}}' ||
    fail "no names: $(head -n 1 said)"

# A name may not command the terminal, and a model whose texts were damaged is named itself.
printf 'a\033[31mb,y\n' >names.csv
for i in 1 2 3 4 5; do printf 'x,1.5\ny,2.5\n' >>names.csv; done
run_train --data names.csv --epochs 1 --save names.safetensors
grep -q "names.csv: 'a.*b' has 2 different texts" stderr || fail "a name: $(cat stderr)"
grep -q "$(printf '\033')" stderr && fail "a name reaches the terminal: $(cat -v stderr)"
sed 's/1 one-hot 2/1 one-not 2/' names.safetensors >damaged.safetensors
bad "damaged.safetensors: its note on the texts of a table makes no sense" predict --model damaged.safetensors ask.csv

# What is no kind is named by its cell, with all columns that are so.
{ echo 'name,when,size,y'; for i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo "n$i,2020-01-$i,$i,$i.5"; done; } >bad.csv
bad "bad.csv:2: column 'name': expected a number, found 'n1'" train --data bad.csv
bad "--ignore 'name,when' leaves out" train --data bad.csv
bad "bad.csv:2: column 'when': expected a number, found '2020-01-1', which is a date" train --data bad.csv --ignore name
for date in 31.1.2020 1/31/20 '2020-01-31 10:00' 31-Jan-2020 10:30; do
    sed "s,2020-01-1$,x,; s!,2020-01-[0-9]*,!,$date,!" bad.csv >date.csv
    bad "'$date', which is a date" train --data date.csv --ignore name
done
sed 's/,7,7.5/,seven,7.5/' bad.csv >word.csv
bad "word.csv:8: column 'size': expected a number, found 'seven', which is no number, as most" train --data word.csv --ignore name,when
run_train --data bad.csv --ignore when --index name --epochs 1
{ echo 'a,y'; for i in 1 2 3; do for k in 1 2 3 4 5 6; do for t in a b c d e f g h i; do echo "$k$t,$i.5"; done; done; done; } >many.csv
bad "one of more than 50 different texts" train --data many.csv
run_train --data many.csv --one-hot a --epochs 1
bad "'y' is not read to predict from" train --data many.csv --one-hot y
bad "column 'age': expected a number, found 'old'" predict --model m.safetensors - <<END
town,age,sex
Ulm,old,m
END

finish
