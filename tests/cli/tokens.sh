# Tokens for an embedding: whole numbers, also where a file keeps them as bytes; what is none is an error that names it.
. "$(dirname "$0")/common.sh"

# octal: numbers on standard input, a line each, as bytes
octal() { while read -r number; do printf "\\$(printf %03o "$number")"; done; }

# tensors NAME TYPE BYTES_EACH COUNT <DATA: x (COUNT, 2) of that type and y (COUNT) of bytes
tensors() {
    x=$((2 * $4 * $3))
    text="{\"x\":{\"dtype\":\"$2\",\"shape\":[$4,2],\"data_offsets\":[0,$x]},\"y\":{\"dtype\":\"U8\",\"shape\":[$4],\"data_offsets\":[$x,$((x + $4))]}}"
    { echo ${#text} | octal; printf '\000\000\000\000\000\000\000'; printf %s "$text"; cat; } >"$1"
}

rows() { awk -v add="$1" -v wide="$2" 'BEGIN { for (i = 0; i < 200; i++) for (k = 0; k < 2; k++) { print k ? i % 3 : i * 7 % 4 + add; for (j = 1; j < wide; j++) print 0 } for (i = 0; i < 200; i++) print i * 7 % 4 }'; }
rows 0 1 | octal | tensors bytes.safetensors U8 1 200
rows 0 4 | octal | tensors wide.safetensors I32 4 200
rows 1 1 | octal | tensors beyond.safetensors U8 1 200
[ "$(head -c 1 bytes.safetensors | od -An -tu1 | tr -d ' ')" -gt 100 ] || fail "the file's head"

learn() { "$tenon" train --net "embedding 4 8, flatten, linear outputs" --epochs 20 --lr 0.05 --device "$device" "$@"; }
for file in bytes wide; do
    for place in device stream; do
        learn --data $file.safetensors --resident $place --save out/$file.$place --json >$file.$place 2>stderr || fail "$file: $(cat stderr)"
        tail -n 1 $file.$place | grep -q '"test_accuracy": 1[,}]' || fail "$file, $place: $(tail -n 1 $file.$place)"
        sed 's/, "samples_per_s.*//; s/, "seconds.*//; s/"data": "[^"]*"//' $file.$place | grep '"epoch"' >figures
        [ -s first ] || cp figures first
        cmp figures first || fail "$file, $place: other losses"
    done
done

# A model knows: files of bytes and of wide numbers are the same to it.
for file in bytes wide; do
    "$tenon" eval --model out/wide.device --data $file.safetensors --device "$device" >said 2>stderr || fail "eval: $(cat stderr)"
    grep -q '100' said || fail "eval $file: $(cat said)"
done

# Numbers that have no row, and such as are not whole.
for place in device stream; do
    learn --data beyond.safetensors --resident $place >stdout 2>stderr && fail "$place: tokens beyond the table are taken"
    grep -q "beyond.safetensors: sample [0-9]*:* *has 4; tokens are whole numbers from 0 to 3" stderr || fail "$place: $(cat stderr)"
done
"$tenon" eval --model out/bytes.device --data beyond.safetensors --device "$device" >stdout 2>stderr && fail "eval of tokens beyond the table"
grep -q "has 4; tokens" stderr || fail "eval: $(cat stderr)"
printf 'a,b\n1,2\n3,0.5\n' >half.csv
"$tenon" predict --model out/bytes.device --by-position half.csv --device "$device" >stdout 2>stderr && fail "half a token is taken"
grep -q "half.csv: sample 1 has 0.5; tokens" stderr || fail "predict: $(cat stderr)"
learn --data wide.safetensors --scale minmax 2>stderr && fail "tokens are scaled"
grep -q "an embedding reads whole numbers" stderr || fail "--scale: $(cat stderr)"
finish
