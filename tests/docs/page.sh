#!/bin/sh
# Runs what a page shows: the blocks that are marked for it, in order, in one shell, in a folder that looks like the
# project's after a build. Each must succeed, and print what its mark says. A block of shell without a mark is an error.
# Blocks that need mpirun are left out where there is none, or no communicator for it.
# usage: page.sh SOURCE BUILD SCRATCH PAGE; TENON_CC is what 'cc' is to be, if not the system's.
set -eu
source=$(cd "$1" && pwd)
build=$(cd "$2" && pwd)
scratch=$3
page=$4
compiler=${TENON_CC:+"cc() { $TENON_CC \"\$@\"; }"}

fail()
{
    echo "FAILED: $page: $*"
    exit 1
}

rm -rf "$scratch"
mkdir -p "$scratch/build" "$scratch/blocks"
cd "$scratch"
ln -s "$source/include" "$source/backends" "$source/tools" "$source/tests" "$source/docs" "$source/examples" .
ln -s "$build" build/release
awk -v out=blocks -f "$source/tests/docs/extract.awk" "$source/$page"
[ ! -f blocks/unmarked ] || fail "no mark says how this is tried: $(cat blocks/unmarked)"
find blocks -name '*.c' -o -name '*.cpp' | xargs -r -I FILE mv FILE .

has_mpi() { command -v mpirun >/dev/null && ls "$build"/lib/tenon/comm-1/*mpi*.so >/dev/null 2>&1; }

number=0
while [ -f "blocks/$((number + 1)).sh" ]; do
    number=$((number + 1))
    if grep -qw mpirun "blocks/$number.sh" && ! has_mpi; then
        echo "block $number is left out: no MPI"
        grep -E '^[A-Z]+=' "blocks/$number.sh" >>blocks/paths || true
        continue
    fi
    code=0
    # the blocks before it have set the variables that it may use
    { echo "set -eu; $compiler"; cat blocks/paths 2>/dev/null || true; cat "blocks/$number.sh"; } >blocks/now.sh
    sh blocks/now.sh >"blocks/$number.out" 2>&1 </dev/null || code=$?
    grep -E '^[A-Z]+=' "blocks/$number.sh" >>blocks/paths || true
    if [ "$code" != 0 ]; then
        cat "blocks/$number.sh" "blocks/$number.out"
        fail "block $number: exit status $code"
    fi
    if [ -f "blocks/$number.prints" ] && ! grep -qE -f "blocks/$number.prints" "blocks/$number.out"; then
        cat "blocks/$number.sh" "blocks/$number.out"
        fail "block $number does not print '$(cat "blocks/$number.prints")'"
    fi
done
[ -f blocks/marks ] || fail "nothing is marked"
echo "$page: $number blocks ran"
