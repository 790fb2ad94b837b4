#!/bin/sh
# Products by matrix units, as any device can do them: they are found right when the context is made, are
# then used, and pass the kit. What does not compile is not used, and products are right all the same.
# usage: gpu_matrix.sh TENON
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export TENON_CACHE=off
# check KIND WHICH [OPTION...]: the kit's cases of products
check()
{
    kind=$1
    which=$2
    shift 2
    mkdir -p "$folder/$kind"
    "$tenon" check opencl:0 --only "operators/matmul/$which" --cases 4 --time-limit 600 "$@" --option \
        "opencl.shape=gpu,opencl.matrix=$kind,opencl.grain=0,opencl.sources=$folder/$kind" >"$folder/said" 2>&1 &&
        grep -q ' 0 failed, 0 unsupported' "$folder/said" || { cat "$folder/said"; exit 1; }
}
# used KIND PATTERN: whether a source with that line was launched for other sizes than those of the trial
used()
{
    for file in $(cd "$folder/$1" && grep -l "$2" tn_matmul*.cl); do
        grep "^$file" "$folder/$1/launches.txt" | grep -qv ' 141 77 1050$' && return 0
    done
    return 1
}
tenon=$1
check plain f32/forward
for form in '^#define PARTS 3$' '^#define PARTS 2$' '^#define PARTS 1$'; do
    used plain "$form" || { echo "matrix units were not used where '$form'"; exit 1; }
done
check wmma f32/forward --chat ' generated.' # PoCL's clang says "1 error generated.", whoever asks
used wmma '^#define PARTS' && { echo "what PoCL does not compile was used"; exit 1; }
used wmma '^#define SIDE_U' || { echo "nothing took its place"; exit 1; }
