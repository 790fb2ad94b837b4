# What a training chooses by itself, and which samples it is measured on: none of it without a word.
. "$(dirname "$0")/common.sh"

run_train() { "$tenon" train --device "$device" --epochs 1 "$@" 2>stderr >lines || fail "'$*': $(cat stderr)"; }
run_eval() { "$tenon" eval --device "$device" "$@" 2>stderr >said || fail "eval '$*': $(cat stderr)"; }
# says TEXT: a line of standard error has it
says() { grep -qF -e "$1" stderr || fail "not said: '$1': $(cat stderr)"; }
says_not() { grep -qF -e "$1" stderr && fail "said: '$1': $(cat stderr)"; }
# table NAME ROWS EXPRESSION: columns a, b and y
table() { awk "BEGIN { srand(1); print \"a,b,y\"; for (i = 0; i < $2; i++) { a = rand(); b = rand(); print a \",\" 1000 * b \",\" $3 } }" >$1.csv; }

# ---- the loss ----
table numbers 200 "a + b"
run_train --data numbers.csv --save numbers.safetensors
says "loss mse: 'y' has numbers with fractions"
says "targets too"
table counts 300 "25 + int(322 * a)"
run_train --data counts.csv
says "loss mse: 'y' has"
says "a quantity"
table classes 300 "int(3 * a)"
run_train --data classes.csv --save classes.safetensors
says "loss cross_entropy: 'y' has 3 different whole numbers from 0 to 2 in 300 rows, 100 each: classes"
table texts 100 '(a > b ? "up" : "down")'
run_train --data texts.csv
says "loss cross_entropy: 'y' has texts: classes"
run_train --data texts.csv --loss hinge
says_not "loss hinge"
run_train --data classes.csv --loss mse
says_not "loss mse: "
run_train --data numbers.csv --target b,y
says "loss mse: 2 numbers to predict"
awk 'BEGIN { srand(6); print "a,big,left"; for (i = 0; i < 100; i++) { a = rand(); print a "," (a > 0.5) "," (a < 0.2) } }' >both.csv
run_train --data both.csv --target big,left
says "loss binary_cross_entropy: 2 times 0 or 1"
run_train --data digits:100
says "loss cross_entropy: 10 classes"
says_not "scale "
awk 'BEGIN { print "a,y"; for (i = 0; i < 60; i++) print i "," (i == 41 ? "12O" : i / 2) }' >typo.csv
"$tenon" train --data typo.csv --epochs 1 --device "$device" 2>stderr && fail "a typo made classes"
says "most of its values are numbers, but '12O' is none"

# What was chosen is what the model keeps: to be resumed, and evaluated without another word of it.
"$tenon" train --resume numbers.safetensors --epochs 2 --device "$device" 2>stderr || fail "resumed: $(cat stderr)"
says_not "loss mse"
"$tenon" train --resume numbers.safetensors --loss auto --scale auto --epochs 2 --device "$device" 2>stderr || fail "auto again: $(cat stderr)"
run_eval --model classes.safetensors
[ ! -s stderr ] || fail "eval: $(cat stderr)"

# ---- the scale ----
# Columns of very different sizes are learnt all the same.
table wide 300 '(b > 0.5 ? "high" : "low")'
"$tenon" train --data wide.csv --net "linear outputs" --lr 0.1 --batch 16 --epochs 10 --device "$device" --json --save wide.safetensors 2>stderr >lines || fail "$(cat stderr)"
says "scale standard"
tail -n 1 lines | grep -qE '"test_accuracy": (1|0\.9)' || fail "wide: $(tail -n 1 lines)"
run_train --data wide.csv --scale none
says_not "scale "
awk 'BEGIN { srand(4); print "a,b,c,y"; for (i = 0; i < 60; i++) print i % 7 "," i % 5 "," i % 3 "," (i % 2 ? "odd" : "even") }' >words.csv
run_train --data words.csv --net "embedding 8 4, flatten, linear outputs"
says_not "scale "

# A column that is empty where it would be learnt from has no mean.
awk 'BEGIN { print "a,b,y"; for (i = 0; i < 60; i++) print i "," (i > 40 ? i : "") "," i / 7 }' >lonely.csv
run_train --data lonely.csv
"$tenon" train --data lonely.csv --limit 5 --epochs 1 --device "$device" 2>stderr && fail "trained on an empty column"
says "lonely.csv: column 'b' has no value in the 5 samples to learn from"

# ---- all of what is given is measured ----
table new 77 '(b > 0.5 ? "high" : "low")'
sed -i '2,$s/^/1/' new.csv
run_eval --model wide.safetensors --data new.csv
grep -q "over 77 test samples" said || fail "not all rows: $(cat said)"
[ ! -s stderr ] || fail "new rows: $(cat stderr)"
run_eval --model wide.safetensors
grep -q "over 60 test samples" said || fail "its own part: $(cat said)"
[ ! -s stderr ] || fail "its own part: $(cat stderr)"
run_eval --model wide.safetensors --seed 2
says "--seed 2 is not that of the training, 1: samples that it was trained on may be measured"
run_eval --model wide.safetensors --data wide.csv
grep -q "over 300 test samples" said || fail "its own file: $(cat said)"
says "240 of its 300 samples were trained on"
# No more is said to be trained on than was: not what --validation and --limit left out, and by the training's seed.
for left in "--validation 0.25" "--limit 100" "--seed 7"; do
    run_train --data wide.csv $left --save left.safetensors
    count=$(sed -n 's/.* \([0-9]*\) samples.*/\1/p' stderr | head -n 1)
    { cat new.csv; tail -n +2 wide.csv; } >all.csv
    run_eval --model left.safetensors --data all.csv
    says "$count of the 377 samples of all.csv are the same as samples that left.safetensors was trained on"
    run_eval --model left.safetensors --data all.csv --seed 3
    says "$count of the 377 samples of all.csv are the same"
done
{ cat new.csv; sed -n 2,151p wide.csv; } >all.csv
run_eval --model left.safetensors --data all.csv
cp stderr by_note
run_eval --model left.safetensors --data all.csv --seed 3
says "$(cat by_note)"
cp wide.csv copy.csv
run_eval --model wide.safetensors --data copy.csv
says "copy.csv is what wide.safetensors was trained on: 240 of its 300 samples were trained on"
run_eval --model wide.safetensors --data copy.csv --part test
grep -q "over 60 test samples" said || fail "--part test: $(cat said)"
[ ! -s stderr ] || fail "--part test: $(cat stderr)"
run_eval --model wide.safetensors --data copy.csv --resident stream
says "copy.csv is what wide.safetensors was trained on: 240 of its 300 samples were trained on"
run_eval --model wide.safetensors --data new.csv --resident stream
says "new.csv stays in its file: whether wide.safetensors was trained on samples of it is not looked at"
{ cat new.csv; tail -n 100 wide.csv; } >some.csv
run_eval --model wide.safetensors --data some.csv
grep -qE "[78][0-9] of the 177 samples of some.csv are the same as samples that wide.safetensors was trained on" stderr || fail "some: $(cat stderr)"
run_eval --model wide.safetensors --data new.csv --part test
says "new.csv is not as wide.safetensors was trained on"
tail -n +2 new.csv >>wide.csv
run_eval --model wide.safetensors
says "wide.csv is not as wide.safetensors was trained on"
run_eval --model wide.safetensors --data wide.csv
says "wide.csv is the file that wide.safetensors was trained on, and has changed since"
{ head -n 1 copy.csv; tail -n +2 copy.csv | sort -r; } >turned.csv
run_eval --model wide.safetensors --data turned.csv
says "wide.csv has changed since: whether wide.safetensors was trained on samples of turned.csv cannot be told"
sed 's/^0/1/' copy.csv >wide.csv
"$tenon" train --resume wide.safetensors --epochs 11 --device "$device" 2>stderr || fail "resumed on other rows: $(cat stderr)"
says "wide.csv is not as wide.safetensors was trained on"
cp copy.csv wide.csv

# ---- a file to test on ----
"$tenon" train --data wide.csv --test new.csv --epochs 2 --device "$device" --json --save tested.safetensors 2>stderr >lines || fail "--test: $(cat stderr)"
says "300 samples, 77 for testing"
says_not "warning"
run_eval --model tested.safetensors --json
[ "$(grep -o '"test_loss": [^,]*' said)" = "$(tail -n 1 lines | grep -o '"test_loss": [^,]*')" ] || fail "eval of --test: $(cat said)"
run_eval --model tested.safetensors --data wide.csv
says "300 of its 300 samples were trained on"
"$tenon" eval --model tested.safetensors --data copy.csv --part test --device "$device" 2>stderr && fail "--part test of what was trained on"
says "tested.safetensors was tested on new.csv, and all of its data was for training"
run_eval --model tested.safetensors --data some.csv
says "100 of the 177 samples of some.csv are the same"
"$tenon" train --resume tested.safetensors --epochs 3 --device "$device" 2>stderr || fail "resume with --test: $(cat stderr)"
says "300 samples, 77 for testing"
run_train --data wide.csv --test copy.csv
says "all 300 test samples are training samples too"
run_train --data wide.csv --test some.csv
says "100 of 177 test samples are training samples too"
head -n 12 copy.csv >dozen.csv
{ head -n 11 new.csv; sed -n 2p dozen.csv; } >shares.csv
run_train --data dozen.csv --test shares.csv
says "1 of 11 test samples is a training sample too"
awk 'BEGIN { print "a,b,c,y"; for (i = 0; i < 20; i++) print i "," i % 3 "," i % 5 "," (i % 2 ? "high" : "low") }' >other.csv
for data in other.csv digits:100; do
    "$tenon" train --data $data --test wide.csv --epochs 1 --device "$device" --save none.safetensors 2>stderr
    [ $? = 1 ] && [ "$(wc -l <stderr)" = 1 ] && [ ! -e none.safetensors ] || fail "$data: other samples to test on: $(cat stderr)"
done
"$tenon" train --data digits:100 --test digits-rgb:100 --epochs 1 --device "$device" 2>stderr
[ $? = 1 ] && grep -q "was trained on samples of shape (1, 28, 28) and type u8; those of" stderr || fail "others: $(cat stderr)"
run_train --data digits:20
says "there are 4 test samples: too few to tell much"
head -n 5 new.csv >few.csv
run_train --data wide.csv --test few.csv
says "there are 4 test samples: too few to tell much"
run_train --data few.csv --save few.safetensors
says "all 4 test samples are training samples too"
run_eval --model few.safetensors
says "all 4 test samples are training samples too"

# ---- a model that was moved ----
mkdir there
for command in "eval --model" "train --epochs 9 --resume"; do
    (cd there && "$tenon" $command ../wide.safetensors --device "$device") 2>stderr >said
    [ $? = 1 ] || fail "$command: moved: status 0"
    says "../wide.safetensors was trained on 'wide.csv', and there is no $PWD/there/wide.csv; --data NAME says where it is"
done
(cd there && "$tenon" eval --model ../wide.safetensors --data ../wide.csv --part test --device "$device") 2>stderr >said || fail "moved: $(cat stderr)"
grep -q "over 60 test samples" said || fail "moved: $(cat said)"
(cd there && "$tenon" train --resume ../wide.safetensors --data ../wide.csv --epochs 11 --device "$device") 2>stderr >said || fail "moved: $(cat stderr)"
rm new.csv
"$tenon" eval --model tested.safetensors --device "$device" 2>stderr && fail "evaluated without its data"
says "tested.safetensors was tested on 'new.csv', and there is no $PWD/new.csv; --data NAME says where it is"
"$tenon" train --resume tested.safetensors --epochs 4 --device "$device" 2>stderr && fail "resumed without what it tests on"
says "tested.safetensors was tested on 'new.csv', and there is no $PWD/new.csv; --test NAME says where it is"
mv wide.csv gone.csv
run_eval --model wide.safetensors --data turned.csv
says "wide.csv is not there: whether wide.safetensors was trained on samples of turned.csv cannot be told"
run_eval --model wide.safetensors --data gone.csv
says "gone.csv is what wide.safetensors was trained on: 240 of its 300 samples were trained on"
"$tenon" train --resume tested.safetensors --epochs 4 --device "$device" 2>stderr && fail "resumed without its data"
says "tested.safetensors was trained on 'wide.csv', and there is no $PWD/wide.csv; --data NAME says where it is"
# One of something is no plural.
printf 'a,y\n1,5\n' >one.csv
run_train --data one.csv --save one.safetensors
says_not "nothing to tell apart"
says "has one whole number alone, 5, in 1 row: a quantity"
says "the test sample is a training sample too"
says " 1 sample, 1 for testing"
printf 'a,b\n1,3\n2,3\n5,3\n' >flat.csv
run_train --data flat.csv
says "flat.csv: column 'b' is 3 in all 3 training samples: there is nothing to tell apart"
says "has one whole number alone, 3, in 3 rows: a quantity"
says "done: 1 epoch, "
run_eval --model one.safetensors --data one.csv
grep -q "over 1 test sample, " said || fail "one sample: $(cat said)"

finish
