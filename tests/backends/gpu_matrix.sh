#!/bin/sh
# Products and convolutions by matrix units, as any device can do them: they are found right when the context is made,
# of a card of many units, where sums are divided, too, are then used, and pass the kit. What does not compile is not
# used, and products are right all the same.
# usage: gpu_matrix.sh TENON
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export TENON_CACHE=off
# check KIND WHICH CASES [OPTION...]: some of the kit's cases
check()
{
    kind=$1
    which=$2
    cases=$3
    shift 3
    mkdir -p "$folder/$kind"
    "$tenon" check opencl:0 --only "$which" --cases "$cases" --time-limit 600 "$@" --option \
        "opencl.shape=gpu,opencl.matrix=$kind,opencl.grain=0,opencl.units=64,opencl.sources=$folder/$kind" >"$folder/said" 2>&1 &&
        grep -q ' 0 failed, 0 unsupported' "$folder/said" || { cat "$folder/said"; exit 1; }
}
# used KIND KERNEL PATTERN: whether a source with that line was launched for other sizes than those of the trials
used()
{
    for file in $(cd "$folder/$1" && grep -l "$3" "$2"-*.cl); do
        grep "^$file" "$folder/$1/launches.txt" | grep -Eqv ' (141|50|13) 77 (1050|150)$| 1 (2860|3432) 11 13 11$' && return 0
    done
    return 1
}
tenon=$1
check plain operators/matmul/f32/forward 4
check plain operators/conv2d/f32 2
for form in '^#define PARTS 3$' '^#define PARTS 2$' '^#define PARTS 1$'; do
    for kernel in tn_matmul tn_conv; do
        used plain $kernel "$form" || { echo "matrix units were not used for $kernel where '$form'"; exit 1; }
    done
done
# Two factors that are stored in 16 bits.
check plain abi/stored 42
for form in '^#define A_T ushort$' '^#define MX_F16 1$'; do
    (cd "$folder/plain" && grep -q '^#define RAW 1$' $(grep -l "$form" tn_conv-*.cl)) ||
        { echo "matrix units were not used for a convolution where '$form'"; exit 1; }
done
# A gradient of weights, and one of pictures.
for gradient in '^#define WEIGHT 1$' '^#define TURN 1$'; do
    (cd "$folder/plain" && grep -q "$gradient" $(grep -l -e '^#define PARTS' -e '^#define TURN' tn_conv*.cl)) ||
        { echo "no gradient where '$gradient'"; exit 1; }
done
check wmma operators/matmul/f32/forward 4 --chat ' generated.' # PoCL's clang says "1 error generated.", whoever asks
used wmma tn_matmul '^#define PARTS' && { echo "what PoCL does not compile was used"; exit 1; }
used wmma tn_matmul '^#define SIDE_U' || { echo "nothing took its place"; exit 1; }
