#!/bin/sh
# Reductions and softmax by sub-groups, as any device can do them: they are found right when the context is made, are
# then used, for rows of a wave and for rows of a group, and pass the kit. What does not compile is not used, and
# results are right all the same.
# usage: gpu_subgroups.sh TENON
set -eu
tenon=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export TENON_CACHE=off
# check KIND OPERATOR CASES
check()
{
    mkdir -p "$folder/$1"
    "$tenon" check opencl:0 --only "operators/$2" --cases "$3" --time-limit 600 --chat 'errors generated' \
        --option "opencl.shape=gpu,opencl.subgroups=$1,opencl.sources=$folder/$1" >"$folder/said" 2>&1 &&
        grep -q ' 0 failed, 0 unsupported' "$folder/said" || { cat "$folder/said"; exit 1; }
}
# used KIND KERNEL PATTERN: whether a source with both lines was launched for other rows than the trial's 37
used()
{
    for file in $(cd "$folder/$1" && grep -l '^#define TEAM_PLAIN' "$2"-*.cl | xargs -r grep -l "$3"); do
        grep "^$file" "$folder/$1/launches.txt" | grep -qv ' 37 ' && return 0
    done
    return 1
}
for op in reduce softmax log_softmax; do check plain "$op/" 6; done
for team in WAVE GROUP; do
    for kernel in tn_reduce tn_softmax; do
        used plain $kernel "^#define TEAM $team\$" || { echo "$kernel: no team that is a $team"; exit 1; }
    done
done
check swizzle softmax/f32 6
grep -q '^#define TEAM_SWIZZLE' "$folder"/swizzle/tn_softmax*.cl && { echo "what PoCL does not compile was used"; exit 1; }
grep -q '^#define TEAM GROUP$' "$folder"/swizzle/tn_softmax*.cl || { echo "nothing took its place"; exit 1; }
