#!/bin/sh
# Attention in tiles by the kernels for GPUs, in all of the kit's cases, in groups of all sizes that there are.
# usage: gpu_attend.sh TENON
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for group in 256 16; do
    "$1" check opencl:0 --only 'operators/attend*/f32/forward' --time-limit 600 --option \
        "opencl.shape=gpu,opencl.grain=0,opencl.group=$group,opencl.sources=$folder" >"$folder/said" 2>&1 &&
        grep -q ' 0 failed, 0 unsupported' "$folder/said" || { cat "$folder/said"; exit 1; }
    grep 'attend.*/f32/forward' -A 1 "$folder/said" | grep 'were refused' && { cat "$folder/said"; exit 1; }
done
for side in 16 4; do
    grep -q "^#define SIDE_U $side\$" "$folder"/tn_attend-*.cl || { echo "no group of $side x $side"; exit 1; }
done
