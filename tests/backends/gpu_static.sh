#!/bin/sh
# What compilers make of the kernels for GPUs; and that a promise which they don't keep is found.
# usage: gpu_static.sh TREE
set -eu
cd "$1"
code=0
sh tools/gpu_static.sh || code=$?
[ $code = 0 ] || exit $code
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 bench/gpu/kernels.py "$folder/all" a32 >/dev/null
# broken NAME VALUE WORDS: one product that promises so much
broken()
{
    rm -rf "$folder/one" && mkdir "$folder/one"
    for file in "$folder"/all/tn_matmul-*.cl; do break; done
    sed "s/^#define $1 .*/#define $1 $2/" "$file" >"$folder/one/broken.cl"
    python3 bench/gpu/static.py "$folder/one" >"$folder/said" && { echo "$1 $2 is no fault"; exit 1; }
    grep -q "$3" "$folder/said" || { cat "$folder/said"; exit 1; }
}
broken EXPECTS_MIX 1000 'broken.cl: EXPECTS_MIX is 1000, found [1-9]'
broken EXPECTS_OCCUPANCY 101 'AMD gfx906: broken.cl: EXPECTS_OCCUPANCY is 101, found [1-9]'
