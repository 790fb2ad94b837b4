#!/bin/sh
# The option opencl.sources: each kernel's source is a file, which a compiler takes by itself, whatever its vendor.
# usage: sources.sh TENON FOLDER
set -eu
tenon=$1 folder=$2
rm -rf "$folder" && mkdir -p "$folder/all"
cd "$folder"
train() { "$tenon" train --data digits:64 --epochs 1 --batch 32 --net "conv 4 3, relu, flatten, linear 10" --device opencl:0; }
TENON_OPTIONS=opencl.sources=all,opencl.shape=gpu,opencl.units=64 train >said 2>&1 || { cat said; exit 1; }
count=0
for file in all/*.cl; do
    head -n 1 "$file" | grep -qE '^// [a-z0-9_]+ [0-9]+x[0-9]+x[0-9]+ of [0-9]+x[0-9]+x[0-9]+: -w( -cl-denorms-are-zero)?$' ||
        { echo "$file begins with: $(head -n 1 "$file")"; exit 1; }
    kernel=$(head -n 1 "$file" | cut -d' ' -f2)
    grep -q "__kernel.* $kernel(" "$file" || { echo "$file has no kernel $kernel"; exit 1; }
    count=$((count + 1))
    command -v clang >/dev/null || continue
    clang -x cl -cl-std=CL1.2 -target spir64 -Xclang -finclude-default-header -fsyntax-only -w "$file" || exit 1
done
[ "$count" -gt 8 ] || { echo "there are $count sources"; exit 1; }
ls -l all/*.cl >before
while read -r file groups items numbers; do
    [ -e "all/$file" ] || { echo "launches.txt names $file"; exit 1; }
done <all/launches.txt
# A product of 32 x 10 by 2704, whose sizes are its last numbers; and as many groups as tiles.
grep -q "^tn_matmul.* 32 10 2704$" all/launches.txt || { echo "no such product:"; cat all/launches.txt; exit 1; }
TENON_OPTIONS=opencl.sources=all,opencl.shape=gpu,opencl.units=64 train >said 2>&1 || { cat said; exit 1; }
ls -l all/*.cl | cmp - before || { echo "a source that was there was written again"; exit 1; }
# Sub-groups, once a trial found them right, fold rows of softmax.
mkdir teams
TENON_CACHE=off "$tenon" check opencl:0 --only operators/softmax/f32/forward --cases 4 \
    --option opencl.sources=teams,opencl.shape=gpu,opencl.subgroups=plain >said 2>&1 || { cat said; exit 1; }
grep -q '^#define TEAM WAVE$' teams/tn_softmax*.cl || { echo "no row was folded by sub-groups"; exit 1; }
# What is chosen untuned is the vendor's: AMD counts pairs of units, each of which wants as many parts of a sum.
for vendor in NVIDIA:2 "Advanced Micro Devices:3"; do
    TENON_OPTIONS="opencl.shape=gpu,opencl.gemm=own,opencl.units=1,opencl.vendor=${vendor%:*}" "$tenon" train --data digits:8 \
        --epochs 1 --batch 8 --net "linear 10" --device opencl:0 --explain >said 2>&1 || { cat said; exit 1; }
    grep -q "parts=${vendor#*:}\$" said || { cat said; echo "$vendor parts of a sum were expected"; exit 1; }
done
# wrong OPTIONS LINE
wrong()
{
    TENON_OPTIONS=$1 train >said 2>&1 && { echo "'$1' went well"; exit 1; }
    grep -qF -e "$2" said || { echo "'$1': $(cat said)"; exit 1; }
}
wrong opencl.sources=none "option opencl.sources: 'none' is no folder"
wrong opencl.tile=9 "option opencl.tile: '9' is no tile's number"
wrong opencl.winograd=4 "option opencl.winograd: '4' is no tile's number"
wrong opencl.choice=tiles "option opencl.choice: there is no kernel 'tiles'"
wrong opencl.matrix=tensor "option opencl.matrix: 'tensor' is none of off, ptx,"
wrong opencl.subgroups=all "option opencl.subgroups: 'all' is none of off, ptx,"
wrong opencl.group=0 "option opencl.group: '0' is no whole number from 1 to 65536"
wrong opencl.units=0 "option opencl.units: '0' is no whole number from 1 to 65536"
for number in 2.5 1. .5 65537; do wrong opencl.units=$number "option opencl.units: '$number' is no whole number"; done
echo "$count sources"
