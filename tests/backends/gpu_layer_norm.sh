#!/bin/sh
# Normalised rows and their gradients by the kernels for GPUs, in all of the kit's cases: by sub-groups, as any device can
# do them, and without; in small groups; with rows that stay in registers and such as don't. And without a race, where
# there is Oclgrind.
# usage: gpu_layer_norm.sh TENON
set -eu
tenon=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export TENON_CACHE=off
# check NAME OPTIONS
check()
{
    mkdir "$folder/$1"
    "$tenon" check opencl:0 --only 'operators/layer_norm*/forward' --time-limit 600 \
        --option "opencl.shape=gpu,$2,opencl.sources=$folder/$1" >"$folder/said" 2>&1 &&
        grep -q ' 0 failed, 0 unsupported' "$folder/said" || { cat "$folder/said"; exit 1; }
    ! grep -q 'were refused' "$folder/said" || { cat "$folder/said"; exit 1; }
}
# used NAME KERNEL LINE...: whether a source of that kernel has all these lines
used()
{
    files=$(ls "$folder/$1/$2"-*.cl)
    of="$1: $2 with $3"
    shift 2
    for line; do files=$(echo "$files" | xargs -r grep -l "^#define $line\$"); done
    [ -n "$files" ] || { echo "no $of"; exit 1; }
}
check plain opencl.subgroups=plain
check halves opencl.subgroups=off
check small opencl.subgroups=off,opencl.group=8
for kernel in tn_layer_norm tn_layer_norm_grad; do
    for team in WAVE GROUP; do used plain $kernel "TEAM $team" 'TEAM_PLAIN 1' 'KEEP [0-9]*'; done
    used halves $kernel 'GROUP 128' 'KEEP 1'
    used halves $kernel 'GROUP 512'
    grep -L '^#define KEEP ' "$folder"/small/$kernel-*.cl | grep -q . || { echo "small: rows of $kernel were all kept"; exit 1; }
done
# Whatever Oclgrind says is a failure; and it lets a division by 0 be seen, which PoCL hides.
for kind in off plain; do
    command -v oclgrind >/dev/null || continue
    oclgrind --data-races "$tenon" check opencl:0 --only 'operators/layer_norm*/f32/forward' --chat ' generated.' \
        --time-limit 600 --option "opencl.shape=gpu,opencl.group=16,opencl.subgroups=$kind" >"$folder/said" 2>&1 ||
        { cat "$folder/said"; exit 1; }
done
