#!/bin/sh
# Images with their channels last, on a device that has convolutions so (the kernels for GPUs): a training is the same
# but for rounding, and goes on likewise; a trial of both layouts leaves its verdict in the table, and says so when it is
# asked to tune.
# usage: gpu_layout.sh TENON
set -eu
tenon=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export TENON_CACHE="$folder" TENON_OPTIONS=opencl.shape=gpu
net='conv 4 3x3, relu, maxpool 2, conv 4 3x3, relu, flatten, linear 10'

# losses WORDS...: of the steps of a training
losses()
{
    "$tenon" train --device opencl:0 --strict --json=step "$@" | sed -n 's/.*"step":.*"loss": *\([0-9.]*\).*/\1/p'
}
losses --data digits:64 --batch 16 --epochs 1 --net "$net" --layout usual >"$folder/usual"
losses --data digits:64 --batch 16 --epochs 1 --net "$net" --layout channels-last --save "$folder/one" >"$folder/last"
[ -s "$folder/usual" ] || { echo "no losses"; exit 1; }
paste "$folder/usual" "$folder/last" | awk '{ d = $1 - $2; if (NF != 2 || d > 1e-4 || d < -1e-4) bad = 1 } END { exit bad }' ||
    { paste "$folder/usual" "$folder/last"; exit 1; }
losses --data digits:64 --batch 16 --epochs 2 --net "$net" --layout channels-last >"$folder/whole"
losses --resume "$folder/one" --epochs 2 | cat "$folder/last" - | cmp - "$folder/whole" || { echo "resumed otherwise"; exit 1; }
"$tenon" train --data digits:64 --batch 16 --epochs 1 --net "$net" --device opencl:0 --layout channels-last --explain 2>&1 |
    grep -q 'channels_last' || { echo "no convolution with channels last"; exit 1; }
"$tenon" bench train --net "$net" --shape 1x12x12 --batch 4 --samples 4 --device opencl:0 --repeats 1 --layout try
"$tenon" tune opencl:0 --list | grep '^network of [1-9]' || { "$tenon" tune opencl:0 --list; exit 1; }
