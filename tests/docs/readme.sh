#!/bin/sh
# Runs what the README shows: the blocks that are marked for it, in order, in one shell, in a folder that looks like the
# project's after a build. Each block must succeed, and print what its mark says.
# usage: readme.sh SOURCE BUILD SCRATCH; TENON_CC is what 'cc' is to be, if not the system's.
set -eu
source=$(cd "$1" && pwd)
build=$(cd "$2" && pwd)
scratch=$3
compiler=${TENON_CC:+"cc() { $TENON_CC \"\$@\"; }"}

rm -rf "$scratch"
mkdir -p "$scratch/build" "$scratch/blocks"
cd "$scratch"
ln -s "$source/include" "$source/backends" "$source/tools" .
ln -s "$build" build/release
awk -v out=blocks -f "$source/tests/docs/extract.awk" "$source/README.md"
find blocks -name '*.c' -exec mv {} . \;

number=0
while [ -f "blocks/$((number + 1)).sh" ]; do
    number=$((number + 1))
    code=0
    # the blocks before it have set the variables that it may use
    { echo "set -eu; $compiler"; cat blocks/paths 2>/dev/null || true; cat "blocks/$number.sh"; } >blocks/now.sh
    sh blocks/now.sh >"blocks/$number.out" 2>&1 || code=$?
    grep -E '^[A-Z]+=' "blocks/$number.sh" >>blocks/paths || true
    if [ "$code" != 0 ]; then
        cat "blocks/$number.sh" "blocks/$number.out"
        echo "FAILED: block $number of README.md: exit status $code"
        exit 1
    fi
    if [ -f "blocks/$number.prints" ] && ! grep -qE -f "blocks/$number.prints" "blocks/$number.out"; then
        cat "blocks/$number.sh" "blocks/$number.out"
        echo "FAILED: block $number of README.md does not print '$(cat "blocks/$number.prints")'"
        exit 1
    fi
done
[ "$number" -ge 4 ] || { echo "FAILED: only $number blocks of README.md are marked to be run"; exit 1; }
echo "$number blocks of README.md ran"
