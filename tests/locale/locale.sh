#!/bin/sh
# locale.sh TENON PROGRAM FOLDER DEVICE: with a decimal comma, everything that is read and written is as with a point: in
# a program that sets the user's language, and by the command. FOLDER gets a language of that kind.
set -u
tenon=$1 program=$2 folder=$3 device=$4
"$tenon" devices --json 2>/dev/null | grep -q "\"device\": \"$device\"" || { echo "no device $device here"; exit 77; }
rm -rf "$folder"
mkdir -p "$folder/languages"
cd "$folder" || exit 1
localedef -i de_DE -f UTF-8 "$folder/languages/de_DE.UTF-8" >localedef.out 2>&1
[ -s languages/de_DE.UTF-8/LC_NUMERIC ] || {
    echo "no language with a comma can be made here: $(cat localedef.out)"
    exit 77
}
export LOCPATH="$folder/languages"

fail()
{
    echo "FAILED: $*"
    exit 1
}

printf 'length,width,kind\n' >table.csv
for i in 1 2 3 4 5 6 7 8 9; do printf '%s.5,0.%s25,%s\n' $i $i $((i % 2)) >>table.csv; done

LC_ALL=C "$program" "$device" table.csv >point || fail "$(tail -5 point)"
LC_ALL=de_DE.UTF-8 "$program" "$device" table.csv >comma || fail "$(tail -5 comma)"
[ "$(head -1 comma)" = , ] || { echo "the language that was made has no comma"; exit 77; }
sed 1d point >point.rest
sed 1d comma >comma.rest
cmp point.rest comma.rest || fail "$(diff point.rest comma.rest)"
grep -q '1\.5' point.rest || fail "no number is in what was compared"

# run LANGUAGE: all that the command reads and writes. Times and speeds differ; texts between them may not.
run()
{
    export LC_ALL=$1
    for words in "train --data table.csv --net 'linear 4, dropout 0.25, tanh, linear 2' --schedule 'step 3 0.5' --lr 0.05 --epochs 2 \
        --batch 4 --device $device --save $1.safetensors --json --curve $1.svg --explain" \
        "eval --model $1.safetensors --data table.csv --device $device --json" \
        "eval --model $1.safetensors --data table.csv --device $device" \
        "predict --model $1.safetensors --device $device table.csv" "train --resume $1.safetensors --epochs 4 --json --device $device"; do
        eval "'$tenon' $words" 2>&1
        echo "status $?"
    done | sed -E "s/\\b$1\\b/LANGUAGE/g; s/\"(samples_per_s|seconds)\": [0-9.e+-]+/\"\1\": N/g; s/[0-9.]+( M)? samples.s/N/; s/  [0-9.]+( M)?\/s$//; s/[0-9.:]+ (s|min|h)\b/N s/g"
    LC_ALL=C
}

run C >point
run de_DE.UTF-8 >comma
grep -q 'status 0' point || fail "$(cat point)"
cmp point comma || fail "$(diff point comma)"
sed 's/C\.safetensors//' C.svg >point
sed 's/de_DE.UTF-8\.safetensors//' de_DE.UTF-8.svg >comma
cmp point comma || fail "$(diff point comma)"
