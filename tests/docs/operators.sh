#!/bin/sh
# operators.sh TENON FILE [--write]: the table of operators in FILE is what `tenon ops --markdown` says. Columns of a
# device that is not there, or of an OpenCL driver other than the one that the table was made with, are not compared.
# --write puts the table into FILE instead.
set -eu
tenon=$1 file=$2 devices='cpu opencl:0 reference'
if [ "${3:-}" = --write ]; then
    table=$("$tenon" ops --markdown $devices)
    sed '/^| operator /,$d' "$file" >"$file.new"
    printf '%s\n' "$table" >>"$file.new"
    mv "$file.new" "$file"
    exit
fi
columns=1,2,3
here=
number=4
for device in $devices; do
    if "$tenon" devices | grep "^$device " | grep -Eq '^[^o]|Portable Computing Language'; then
        here="$here $device"
        columns="$columns,$number,$((number + 1))"
    fi
    number=$((number + 2))
done
columns="$columns,10"
want=$(sed -n '/^| operator /,$p' "$file" | sed 's/\\|/!/g' | cut -d'|' -f"$columns")
got=$("$tenon" ops --markdown $here | sed 's/\\|/!/g' | cut -d'|' -f1-"$(echo "$columns" | tr , '\n' | wc -l)")
[ "$want" = "$got" ] && echo "the table is right for$here" && exit
printf '%s\n' "$want" >operators.want
printf '%s\n' "$got" | diff operators.want - | head -n 20
rm -f operators.want
echo "$file is out of date: sh tests/docs/operators.sh build/release/bin/tenon $file --write"
exit 1
