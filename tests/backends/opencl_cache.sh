#!/bin/sh
# opencl_cache.sh TENON FOLDER: what the OpenCL backend keeps on disk is used by the next process, and rebuilt where it
# is damaged; and kernels are built together, few programs for many sources, each with one kernel that calls the others
# where the driver is PoCL. In FOLDER the caches begin empty, the
# driver's own as well.
set -u
tenon=$1 folder=$2
rm -rf "$folder"
mkdir -p "$folder/driver"
cd "$folder" || exit 1
export TENON_CACHE="$folder/kept" POCL_CACHE_DIR="$folder/driver"
TENON_CACHE=off "$tenon" devices --json 2>/dev/null | grep -q '"device": "opencl:0"' || { echo "no OpenCL device here"; exit 77; }

fail()
{
    echo "FAILED: $*"
    exit 1
}

# Trains a little; the losses go to $1. One that is damaged may not end the process.
train()
{
    "$tenon" train --data digits:40 --net "linear 3, tanh, linear 10" --batch 20 --epochs 2 --device opencl:0 --json \
        2>stderr >out || fail "$(cat stderr)"
    grep -o '"loss": [^,]*' out >"$1"
    [ -s "$1" ] || fail "no losses: $(cat out stderr)"
}

# How many entries are of a kind: p, of a source; b or s, of a program.
count()
{
    grep -la "opencl-[$1]-" kept/*.entry | wc -l
}

# A new entry is a new file, so that its number tells it from the old one.
entries()
{
    ls -i kept/*.entry
}

train first
entries >before || fail "nothing is kept"

sources=$(count p) programs=$(count bs)
[ "$programs" -gt 0 ] && [ $((3 * programs)) -le "$sources" ] || fail "$sources sources came to $programs programs"
kernels=$(find driver -name '*.so' | wc -l) steps=$(find driver -name tn_step.so | wc -l)
[ "$kernels" = "$steps" ] || fail "of $kernels kernels that PoCL compiled $steps do whole steps"

train second
entries >after
cmp before after || fail "entries were written again"
cmp first second || fail "other losses with programs from the disk"

for entry in kept/*.entry; do
    dd if=/dev/zero of="$entry" bs=1 seek=2000 count=600 conv=notrunc 2>/dev/null
done
cp -r kept damaged
train third
cmp first third || fail "other losses with damaged entries"
for entry in kept/*.entry; do
    cmp -s "$entry" "damaged/${entry#kept/}" && fail "a damaged entry was not built again"
done
echo "$sources sources in $programs programs are kept"
