#!/bin/sh
# Attention in tiles by the kernels for GPUs, in all of the kit's cases, in groups of all sizes that there are; where
# groups are smaller than the smallest it is other operators.
# usage: gpu_attend.sh TENON
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
refused()
{
    "$tenon" check opencl:0 --only 'operators/attend*/f32/forward' --time-limit 600 --option \
        "opencl.shape=gpu,opencl.grain=0,opencl.group=$1,opencl.sources=$folder" >"$folder/said" 2>&1 &&
        grep -q ' 0 failed, 0 unsupported' "$folder/said" || { cat "$folder/said"; exit 1; }
    grep 'attend.*/f32/forward' -A 1 "$folder/said" | grep -q 'were refused'
}
tenon=$1
for group in 256 16; do
    refused $group && { cat "$folder/said"; exit 1; }
done
refused 8 && grep -q 'work-groups are too small' "$folder/said" || { cat "$folder/said"; exit 1; }
for side in 16 4; do
    grep -q "^#define SIDE_U $side\$" "$folder"/tn_attend-*.cl || { echo "no group of $side x $side"; exit 1; }
done
