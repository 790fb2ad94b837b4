#!/bin/sh
# Products and convolutions by each tile that they may get on a GPU, in some of the kit's cases.
# usage: gpu_tiles.sh TENON
set -eu
said=$(mktemp)
trap 'rm -f "$said"' EXIT
tile=0
while :; do
    for op in matmul conv2d; do
        if "$1" check opencl:0 --only "operators/$op/f32" --cases 3 --option "opencl.shape=gpu,opencl.tile=$tile" >"$said" 2>&1; then
            grep -q ' 2 cases, 2 passed' "$said" || { cat "$said"; exit 1; }
        elif [ "$tile" -gt 0 ] && grep -q "option opencl.tile: '$tile' is no tile's number" "$said"; then
            echo "$tile tiles"
            exit 0
        else
            cat "$said"
            exit 1
        fi
    done
    tile=$((tile + 1))
done
