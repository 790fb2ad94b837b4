#!/bin/sh
# Convolutions with channels last, by matrix units in stages as any device can do them: in some of the kit's cases, at
# each level of precision, with infinities and NaN among the numbers and what follows inside; and none
# where nobody chose them.
# usage: gpu_last.sh TENON
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export TENON_CACHE=off
# check NAME SEED [CHOICE]: some cases of the kit, whose sources go to the folder NAME
check()
{
    mkdir "$folder/$1"
    options="opencl.shape=gpu,opencl.matrix=plain,opencl.grain=0,opencl.units=64,opencl.sources=$folder/$1"
    "$tenon" check opencl:0 --only operators/conv2d/f32/forward --cases 4 --seed "$2" --time-limit 600 \
        --option "$options${3:+,opencl.choice=$3}" >"$folder/said" 2>&1 &&
        grep -q " 1 passed, 0 failed, 0 unsupported" "$folder/said" ||
        { cat "$folder/said"; exit 1; }
}
# made NAME PATTERN: how many launches there are beside those of the trial, by sources with that line
made()
{
    for file in $(cd "$folder/$1" && grep -l "$2" tn_conv_last-*.cl tn_conv_to_last-*.cl); do
        grep "^$file" "$folder/$1/launches.txt"
    done | grep -Evc ' (20|24) 99 (50|13)$| 9 11 1 1 99 11$' || true
}
tenon=$1
check few 1 'channels_last wide=1 high=1 steps=1 stages=2'
check many 2 'channels_last wide=2 high=4 steps=2 stages=3'
for name in few many; do
    for line in 'PARTS 2' 'MX_TF32 1' 'RAW 1'; do
        [ "$(made $name "^#define $line\$")" -gt 0 ] || { echo "$name: none was made where $line"; exit 1; }
    done
done
check untuned 1
[ "$(made untuned '^#define TURNED')" = 0 ] || { echo "one was made that nobody chose"; exit 1; }
