# Prediction from pictures, IDX files and tables; regression; two classes with one output.
. "$(dirname "$0")/common.sh"

# A table with classes that are texts: which of two numbers is the larger.
awk 'BEGIN { srand(1); print "a,b,larger"; for (i = 0; i < 400; i++) { a = rand(); b = rand(); print a "," b "," (a > b ? "left" : "right") } }' >t.csv
"$tenon" train --data t.csv --net "linear 8, tanh, linear outputs" --lr 0.02 --epochs 30 --batch 32 --device "$device" --save t.safetensors 2>stderr || fail "$(cat stderr)"
printf 'a,b\n0.9,0.1\n0.2,0.8\n' >rows.csv
"$tenon" predict --model t.safetensors --device "$device" rows.csv >said 2>stderr || fail "$(cat stderr)"
grep -q '^rows.csv 0: left (' said || fail "first row: $(cat said)"
grep -q '^rows.csv 1: right (' said || fail "second row: $(cat said)"
sed 's/left/class/; s/right/index/' t.csv >taken.csv
"$tenon" train --data taken.csv --net "linear outputs" --epochs 1 --device "$device" --save taken.safetensors 2>stderr >/dev/null || fail "$(cat stderr)"
"$tenon" predict --model taken.safetensors --device "$device" --out taken.out.csv rows.csv >said || fail "names that are taken"
[ "$(head -n 1 taken.out.csv | tr -d '\r')" = "input,index,class,probability,p(class),p(index)" ] || fail "names that are taken: $(head -n 1 taken.out.csv)"
printf 'a,b,larger\n0.9,0.1,\n' >with.csv
"$tenon" predict --model t.safetensors --device "$device" --json with.csv | tee said | "$json_lines" input class probability outputs || fail "json"
grep -q '"class": "left"' said || fail "with the target's column: $(cat said)"

# What overflows on its way through the network has no class, and is not silent.
printf 'a,b\n0.9,0.1\n3e38,3e38\n' >far.csv
"$tenon" predict --model t.safetensors --device "$device" --out out.csv far.csv >said 2>stderr || fail "$(cat stderr)"
grep -q '^far.csv 1: no class$' said || fail "outputs that are no numbers: $(cat said)"
grep -q 'far.csv: 1 of 2 samples have an output that is not finite, the first of them number 1' stderr || fail "not said: $(cat stderr)"
grep -q '^far.csv,1,,nan,nan,nan$' out.csv || fail "outputs that are no numbers: $(cat out.csv)"
"$tenon" predict --model t.safetensors --device "$device" --json far.csv 2>stderr | sed -n 2p >said
grep -q '"class": null, "probability": null, "doubt": "an output is not finite"' said || fail "json: $(cat said)"

printf 'a,b,larger\n0.9,0.1,left\n3e38,3e38,left\n' >far.csv
"$tenon" eval --model t.safetensors --device "$device" --data far.csv >said 2>stderr || fail "$(cat stderr)"
grep -q 'the loss is nan: some outputs are not finite' stderr && ! grep -q accuracy said || fail "eval: $(cat said stderr)"

# The same by one output.
"$tenon" train --data t.csv --net "linear 8, tanh, linear 1" --loss binary_cross_entropy --lr 0.02 --epochs 30 --batch 32 --device "$device" --save b.safetensors 2>stderr || fail "$(cat stderr)"
"$tenon" predict --model b.safetensors --device "$device" rows.csv >said
grep -q '^rows.csv 0: left (' said || fail "binary: $(cat said)"
grep -q '^rows.csv 1: right (' said || fail "binary: $(cat said)"

# Regression: y = 3 a - 2 b + 1.
awk 'BEGIN { srand(2); print "a,b,y"; for (i = 0; i < 300; i++) { a = rand(); b = rand(); print a "," b "," 3 * a - 2 * b + 1 } }' >r.csv
"$tenon" train --data r.csv --net "linear 1" --loss mse --optimizer sgd --lr 0.2 --epochs 60 --batch 16 --device "$device" --save r.safetensors 2>stderr || fail "$(cat stderr)"
"$tenon" predict --model r.safetensors --device "$device" rows.csv >said
awk '{ e = $3 - (NR == 1 ? 3.5 : 0); if (e > 0.01 || e < -0.01) exit 1 }' said || fail "regression: $(cat said)"

printf 'a,b\n0.9,0.1\n3e38,-3e38\n' >far.csv
"$tenon" predict --model r.safetensors --device "$device" far.csv >said 2>stderr || fail "$(cat stderr)"
grep -q 'far.csv: 1 of 2 samples have an output that is not finite' stderr || fail "infinite: $(cat said stderr)"

# A picture: a bar, which a network that has learnt the digits takes for a one.
"$tenon" train --data digits:1000 --net "linear 32, relu, linear 10" --epochs 8 --batch 20 --device "$device" --save d.safetensors 2>stderr || fail "$(cat stderr)"
awk 'BEGIN { print "P2 28 28 255"; for (y = 0; y < 28; y++) for (x = 0; x < 28; x++) print (x > 12 && x < 16 && y > 3 && y < 24) ? 255 : 0 }' >one.pgm
"$tenon" predict --model d.safetensors --device "$device" one.pgm >said 2>stderr || fail "$(cat stderr)"
grep -q '^one.pgm: 1 (' said || fail "picture: $(cat said)"
{ printf '\000\000\010\003\000\000\000\001\000\000\000\034\000\000\000\034'; awk 'NR > 1' one.pgm | awk '{ printf "%c", $1 ? "x" : " " }'; } >one-idx3
"$tenon" predict --model d.safetensors --device "$device" one-idx3 >said 2>stderr || fail "$(cat stderr)"
grep -q '^one-idx3 0: ' said || fail "idx: $(cat said)"
# Options of tables for pictures, and the other way round; and what would be waited for for ever.
bad() { # bad WORD ARGUMENT...
    word=$1
    shift
    timeout 20 "$tenon" "$@" --device "$device" >said 2>stderr && fail "'$*' is taken: $(cat said)"
    [ ! -s said ] && grep -qF -e "$word" stderr || fail "'$*': '$word' is not said: $(cat said stderr)"
}
bad "--header is for tables, and there is none here" predict --model d.safetensors --header yes one.pgm
bad "--by-position is for tables" predict --model d.safetensors --by-position one-idx3
bad "--frame is for pictures" predict --model d.safetensors --frame no one-idx3
bad "--frame is for pictures" predict --model t.safetensors --frame no rows.csv
bad "--header is for tables" eval --model d.safetensors --header yes
"$tenon" predict --model d.safetensors --device "$device" --frame no one.pgm one-idx3 >said 2>stderr || fail "--frame: $(cat stderr)"
for name in f.png f.npy f.npz f.safetensors f.csv f; do
    mkfifo $name
    bad "$name: is not a regular file" predict --model d.safetensors $name
    bad "$name: is not a regular file" predict --model t.safetensors $name
    bad "$name: is not a regular file" train --data $name
done
bad "out: is a folder" predict --model d.safetensors out

# A table is one whatever its name ends in, and large numbers have all their digits.
awk 'BEGIN { print "t,y"; for (i = 0; i < 60; i++) print i "," 1234000 + i * 1.5 }' >large.txt
"$tenon" train --data large.txt --net "linear outputs" --lr 0.05 --epochs 40 --device "$device" --save large.safetensors >stdout 2>stderr || fail "large: $(cat stderr)"
"$tenon" predict --model large.safetensors --device "$device" large.txt >lines 2>stderr || fail "predict a table: $(cat stderr)"
[ "$(wc -l <lines)" = 60 ] && tail -n 1 lines | grep -qE '^large.txt 59: 123[0-9]{4}(\.[0-9]+)?$' || fail "large: $(tail -n 1 lines) $(cat stderr)"

finish
