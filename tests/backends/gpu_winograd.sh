#!/bin/sh
# Convolutions of 3 x 3 with fewer multiplications, by each tile that they may get: in all of the kit's cases that can
# be so, at each level of precision; and not in f32.
# usage: gpu_winograd.sh TENON
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
tile=0
while :; do
    mkdir "$folder/$tile"
    if "$1" check opencl:0 --only 'operators/conv2d*/f32/forward' --option \
        "opencl.shape=gpu,opencl.winograd=$tile,opencl.sources=$folder/$tile" >"$folder/said" 2>&1; then
        grep -q ' 3 cases, 3 passed' "$folder/said" || { cat "$folder/said"; exit 1; }
    elif [ "$tile" -gt 0 ] && grep -q "option opencl.winograd: '$tile' is no tile's number" "$folder/said"; then
        break
    else
        cat "$folder/said"
        exit 1
    fi
    for turned in 0 1; do
        grep -q "^#define TURNED $turned\$" "$folder/$tile"/tn_conv_winograd-*.cl ||
            { echo "tile $tile was not tried where TURNED is $turned"; exit 1; }
    done
    tile=$((tile + 1))
done
# made PRECISION: how many kernels a network has of these
made()
{
    mkdir "$folder/$1"
    TENON_OPTIONS="opencl.shape=gpu,opencl.winograd=3,opencl.sources=$folder/$1" "$tenon" train --data digits:32 \
        --epochs 1 --batch 32 --net "conv 16 3, conv 16 3, relu, flatten, linear 10" --device opencl:0 \
        --precision "$1" >"$folder/said" 2>&1 || { cat "$folder/said"; exit 1; }
    find "$folder/$1" -name 'tn_conv_winograd-*.cl' | wc -l
}
tenon=$1
[ "$(made f32)" = 0 ] || { echo "a convolution of f32 is by fewer multiplications"; exit 1; }
[ "$(made f32-fast)" -ge 2 ] || { echo "of f32-fast there is none, or no gradient"; exit 1; }
echo "$tile tiles"
