# Tables as they are found: packed by gzip, from standard input, separated by spaces; and what is no table in text.
. "$(dirname "$0")/common.sh"

run_train() { "$tenon" train --device "$device" --json "$@" 2>stderr >lines || fail "'$*': $(cat stderr)"; }
predict() { "$tenon" predict --device "$device" "$@" 2>stderr >said || fail "predict '$*': $(cat stderr)"; }
# bad WORD ARGUMENT...: a failure of one line that has the word
bad() {
    word=$1
    shift
    "$tenon" "$@" --device "$device" >stdout 2>stderr && fail "'$*' went well"
    [ "$(wc -l <stderr)" = 1 ] && grep -qF -e "$word" stderr || fail "'$*': '$word' is not the one line: $(cat stderr)"
}
figures() { grep '"epoch"' lines | sed 's/, "samples_per_s.*//'; }

# Packed, by a pipe, packed and by a pipe, and with spaces between: the same training.
awk 'BEGIN { srand(8); print "a,b,y"; for (i = 0; i < 200; i++) { a = rand(); b = rand(); print a "," b "," 3 * a - b } }' >t.csv
gzip -c t.csv >t.csv.gz
{ echo "  a   b y  "; tail -n +2 t.csv | sed 's/,/    /g; s/^/ /; s/$/  /'; } >t.txt
common="--net linear\ outputs --epochs 2 --batch 20 --save m.safetensors"
eval run_train --data t.csv $common && figures >want
eval run_train --data t.csv.gz $common && figures | cmp - want || fail "packed"
eval run_train --data t.txt $common && figures | cmp - want || fail "spaces"
grep -q 'columns are separated by spaces' stderr || fail "spaces are not told: $(cat stderr)"
cat t.csv.gz | { eval run_train --data - $common; } && figures | cmp - want || fail "packed, by a pipe"
eval run_train --data - $common <t.csv && figures | cmp - want || fail "standard input"
bad 'was trained on standard input: --data NAME' eval --model m.safetensors
bad 'was trained on standard input: --data NAME' train --resume m.safetensors --epochs 3
predict --model m.safetensors t.csv && cut -d' ' -f 2- said >want
for file in t.csv.gz t.txt; do predict --model m.safetensors $file && cut -d' ' -f 2- said | cmp - want || fail "predict $file"; done
cat t.csv | { predict --model m.safetensors -; } && cut -d' ' -f 2- said | cmp - want || fail "predict -"
"$tenon" eval --model m.safetensors --data - --device "$device" <t.csv >said 2>stderr || fail "eval -: $(cat stderr)"
"$tenon" eval --model m.safetensors --data t.txt --device "$device" >said 2>stderr || fail "eval: $(cat stderr)"
grep -q 'm.safetensors was trained on standard input: whether on samples of t.txt cannot be told' stderr || fail "no warning: $(cat stderr)"
bad 'is compressed, or no file' train --data t.csv.gz --resident stream
bad 'standard input is read into memory' train --data - --resident stream
head -c 300 t.csv.gz >short.csv.gz
bad 'short.csv.gz: the gzip data is cut short' train --data short.csv.gz

# Without --epochs a table of numbers is learnt from 50 times, of classes 200, more than pictures are.
run_train --data t.csv --net "linear outputs" --save m.safetensors
[ "$(grep -c '"epoch"' lines)" = 50 ] && grep -q '^epochs 50: ' stderr || fail "the usual epochs: $(grep -c '"epoch"' lines)"
run_train --resume m.safetensors --epochs 51 && [ "$(grep -c '"epoch"' lines)" = 1 ] || fail "resumed"
run_train --data t.csv && grep -q '^training on .*: 401 parameters' stderr || fail "the usual network: $(cat stderr)"
{ echo 'a,kind'; for i in 1 2 3 4 5 6; do printf '%s\n' "$i,low" "1$i,high" "1$i.5,high"; done; } >kinds.csv
run_train --data kinds.csv --net "linear outputs" && [ "$(grep -c '"epoch"' lines)" = 200 ] || fail "the usual epochs of classes"
run_train --data digits:40 --net "linear outputs"
[ "$(grep -c '"epoch"' lines)" = 5 ] || fail "the usual epochs of pictures: $(grep -c '"epoch"' lines)"

# Other tables are named, with what makes them text. (Each by the bytes that it begins with.)
other() {
    printf "$2" >"$1"
    bad "$1: is $3" train --data "$1"
    bad "$1: is $3" predict --model m.safetensors "$1"
}
other t.arff '@RELATION x\n@data\n' 'an ARFF file'
other t.arff '%% a comment, and "another"\n%%\n\n@relation x\n@data\n' 'an ARFF file'
other t.parquet 'PAR1\025\004\025' "a Parquet file, and tables are read as text: Python's pandas.read_parquet"
other t.arrow 'ARROW1\000\000' 'an Arrow file'
other t.feather 'FEA1\000\000' 'a Feather file'
other t.xlsx 'PK\003\004\024' 'an archive, such as spreadsheets are, and tables are read as text: save it as CSV'
other t.xls '\320\317\021\340' 'a document of Office'
other t.h5 '\211HDF\r\n' 'an HDF5 file'
other t.db 'SQLite format 3\000' 'an SQLite database'
other t.csv.xz '\3757zXZ\000' "compressed by xz, and tables are read as text: unpack it first, or by 'xzcat FILE | tenon"

# Its rows, as the message says; comments; numbers with marks; numbers of rows by whatever name; images of many sizes.
{ printf '@relation x\n@attribute a numeric\n@attribute b {p,q}\n@DATA\n'; awk 'BEGIN { for (i = 0; i < 40; i++) print i % 7 "," (i % 7 < 3 ? "p" : "q") }'; } >t.arff
sed "1,/^@data/Id; /^%/d" t.arff | { run_train --header no --data - --epochs 1; } && grep -q '2 classes\|texts: classes' stderr || fail "ARFF: $(cat stderr)"
printf '1,0,0,v\n2,1,5,y\n3,0,1,x\n' >same.csv
bad "both named '0': rename one of them, unless the first line is data, and no header (--header no)" train --data same.csv
{ echo '# made by hand'; cat t.csv; } >commented.csv
bad 'first line is '"'# made by hand': a comment? 'grep -v" train --data commented.csv
grep -v "^[#%]" commented.csv | { run_train --data - --epochs 1; }
for number in '"1,234"' '12.5 %' '$7' '-1’000' '5€'; do
    { echo 'pay,y'; for i in 1 2 3 4 5 6 7 8 9; do printf '%s,%s\n' "$number" "$i.5" "$i" "$i"; done; } >marked.csv
    bad 'is a number with marks that are not read' train --data marked.csv
done
for text in 5kg 1-2 '#3' v1.2; do
    { echo 'kind,y'; for i in 1 2 3 4 5 6 7 8 9; do printf '%s,%s\n' "$text" "$i.5" other "$i.25"; done; } >unmarked.csv
    run_train --data unmarked.csv --epochs 1
done
awk 'BEGIN { print "HouseId,area,grid,y"; for (i = 1; i < 30; i++) print i "," i * i % 17 "," 3 * i % 5 "," i % 7 / 4 }' >ids.csv
run_train --data ids.csv --epochs 1
[ "$(grep -c 'numbers the rows' stderr)" = 1 ] && grep -q "column 1, 'HouseId', numbers the rows" stderr || fail "ids: $(cat stderr)"

finish
