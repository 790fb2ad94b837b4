# `tenon tune` on a device that has sixteen ways for each product, some of them wrong (tests/backends/tuning.c).
# usage: sh tune.sh TENON SCRATCH DEVICE JSON_LINES
. "${0%/*}/common.sh"
TENON_CACHE=$scratch/cache
export TENON_CACHE
tune() { # shellcheck disable=SC2086 # words
    "$tenon" tune "$device" "$@" >out/said 2>out/errors
}
# tuned WORDS: tunes one layer, JSON in out/said
tuned() { tune --net "linear 10" --batch 8 --shape 1x3x3 --json "$@"; }
says() { grep -q -- "$1" out/said || { cat out/said out/errors; fail "$2: no '$1'"; }; }
# refuses WORDS...: fails with one line that has the words
refuses() {
    why=$1
    shift
    code=0
    tune "$@" || code=$?
    [ "$code" -gt 0 ] && [ "$code" -lt 3 ] || fail "$*: status $code"
    [ "$(grep -cv warning: out/errors)" = 1 ] && grep -q "$why" out/errors || { cat out/errors; fail "$*: not one line with '$why'"; }
}
uses() {
    train --net "linear 10" --data digits:8 --batch 8 --epochs 1 --explain >out/said 2>&1 || fail "training with $1"
    says "by $1" "a program that is compiled now"
}

# The fastest is wrong: the next one is taken. What can't be made and what fails is no choice either.
tuned || fail "tuning"
says '"choice": "way a=3 b=3"' "the choice"
says '"candidates": 16, "tried": 16, "wrong": 1, "failed": 2, "known": false, "usual": 2e-06, "seconds": 1.1e-06' "the row"
tuned || fail "tuning again"
says '"tried": 0, "wrong": 0, "failed": 0, "known": true' "what is known"
tuned --again --tries 3 || fail "tuning once more"
says '"tried": 3,' "what is tried once more"
refuses 'leaves nothing to --list' --list --forget
refuses 'leaves nothing to --list or --export' --forget --export table
tune --list || fail "listing"
says 'by way a=' "the list"

# Without time nothing is tried, and it is said what there was no time for.
tune --forget
tune --net "linear 10" --batch 8 --minutes 1e-9 || fail "tuning without time"
says 'there was no time for [1-9]' "what was left"
tuned --minutes 1e-9 || fail "tuning without time, as JSON"
says '"skipped": "no time"' "what was left, as JSON"
refuses 'above 0' --net "linear 10" --minutes 0

# It is what programs have; and not after it was forgotten, nor with another driver.
TUNING_COUNT=$scratch/out/runs
export TUNING_COUNT
tune --net "linear 10" --batch 8 || fail "tuning a layer on digits"
uses "way a=3 b=3, tuned"
TUNING_DRIVER="its second driver" "$tenon" train --device "$device" --net "linear 10" --data digits:8 --batch 8 --epochs 1 --explain >out/said 2>&1
says 'tuned kernels are not used, as they were tuned with another driver' "another driver"
says 'by way a=1 b=1$' "another driver's kernels"
tune --export table || fail "writing the table"
tune --forget || fail "forgetting"
uses "way a=1 b=1$"

# Compiling with a budget is left to programs: tests/graph has it. An import is compared before it is used, once.
tune --import table || fail "taking the table"
tune --list
says 'from elsewhere, and not compared yet' "what was imported"
tune --list --json
says '"unchecked": true' "what was imported, as JSON"
: >out/runs
uses "way a=3 b=3, tuned"
first=$(wc -c <out/runs)
: >out/runs
uses "way a=3 b=3, tuned"
[ "$first" -gt "$(wc -c <out/runs)" ] || fail "what was imported was not compared, or each time: $first runs"
tune --forget && tune --import table || fail "taking the table again"
TUNING_LIES="way a=3 b=3" "$tenon" train --device "$device" --net "linear 10" --data digits:8 --batch 8 --epochs 1 --explain >out/said 2>&1
says 'a choice from elsewhere is wrong here; it is not used' "a choice that is wrong here"
says 'by way a=1 b=1$' "in place of a wrong choice"

# One for which there is no memory stays; one that ends the process does so twice for each operator at the most.
learn() { "$tenon" train --device "$device" --net "linear 10" --data digits:8 --batch 8 --epochs 1 --explain >out/said 2>&1; }
tune --forget && tune --import table || fail "taking the table once more"
TUNING_STARVES="way a=3 b=3" learn
says 'by way a=1 b=1$' "without memory for a choice"
tune --list
says 'from elsewhere, and not compared yet' "what was not compared for want of memory"
ended=0
until TUNING_DIES="way a=3 b=3" learn; do
    ended=$((ended + 1))
    [ "$ended" -lt 9 ] || break
done
[ "$ended" -gt 1 ] && [ "$ended" -lt 9 ] || fail "$ended processes were ended by a choice from elsewhere"
uses 'way a=1 b=1$'

# Those that begin at the same time, as workers of a training do, don't take each other for ended.
tune --forget && tune --import table || fail "taking the table for several"
for worker in 1 2 3 4; do
    TUNING_SLEEPS=400 "$tenon" train --device "$device" --net "linear 10" --data digits:8 --batch 8 --epochs 1 --explain >out/worker$worker 2>&1 &
    sleep 0.2
done
wait
for worker in 1 2 3 4; do
    ! grep 'ended the process' out/worker$worker && grep -q 'by way a=3 b=3, tuned' out/worker$worker || { cat out/worker$worker; fail "worker $worker"; }
done
tune --list
! grep -q 'from elsewhere' out/said && says 'by way a=3 b=3' "what workers at the same time compared"

# A search that is done again and interrupted loses no choice.
tune --forget
tuned || fail "tuning before an interruption"
tune --list
mv out/said before
TUNING_DIES="way a=4 b=4" tuned --again && fail "no interruption"
tune --list
cmp before out/said || fail "what was chosen before an interruption"

# Tables that are damaged, cut, or of others.
head -c 200 table >cut
refuses 'damaged or cut' --import cut
sed 's/way a=3 b=3/way a=3 b=4/' table >changed
refuses 'damaged or cut' --import changed
: >empty
refuses 'damaged or cut' --import empty
refuses 'cannot be read' --import no_such_table
TUNING_DEVICE="somebody else's" refuses "of another device, 'a device of the tests'" --import table
TUNING_DRIVER="another one" refuses "of another driver or version, 'its first driver'" --import table
"$tenon" tune reference --import table >/dev/null 2>out/errors && fail "the reference took a table"
grep -q 'no kernels to choose from' out/errors || fail "why the reference takes no table"

# Tables that are merged: what was measured here stays.
tune --forget
tuned || fail "tuning before a merge"
tune --import table --export both || fail "merging"
grep -q '^given' both && grep -q '^chosen' both || { cat both; fail "both tables' choices"; }

# A tuning that is interrupted goes on; what ends the process twice is not tried a third time.
tune --forget
for time in first second; do
    TUNING_DIES="way a=1 b=2" tuned && fail "the $time process lived on"
done
TUNING_DIES="way a=1 b=2" tuned # and is ended by the next operator
says '"tried": 14, "wrong": 1, "failed": 2, "known": false' "what is left for the third process"
says '"choice": "way a=3 b=3"' "the third process's choice"
more=0
until TUNING_DIES="way a=1 b=2" tuned; do
    more=$((more + 1))
    [ "$more" -lt 9 ] || break
done
[ "$more" = 1 ] || fail "$more processes more were ended"

# Two that tune at the same time keep what both find.
tune --forget
for features in 3 4 5; do
    TUNING_SLEEPS=1 "$tenon" tune "$device" --net "linear $features" --batch 8 --classes "$features" >/dev/null 2>&1 &
done
wait
tune --list
for features in 3 4 5; do says "by 8x$features " "what processes at the same time found"; done

# Ctrl-C ends it between two trials, and the same command goes on.
tune --forget
: >out/runs
TUNING_SLEEPS=40 "$tenon" tune "$device" --net "linear 10" --batch 8 --json >out/said 2>out/errors &
process=$!
until [ "$(wc -c <out/runs)" -gt 40 ]; do sleep 0.1; done # three trials or more
kill -TERM "$process"
code=0
wait "$process" || code=$?
[ "$code" = 143 ] || fail "status $code after SIGTERM"
grep -q 'interrupted; [0-9]* trials kept; go on with the same command' out/errors || { cat out/errors; fail "what is told of an interruption"; }
says '"done": false' "an interruption, as JSON"

# Where nothing can be kept it is said before anything is tried, and a file may take it.
for cache in off /dev/null/cache; do
    : >out/runs
    TENON_CACHE=$cache refuses 'nothing can be kept' --net "linear 10" --batch 8
    TENON_CACHE=$cache refuses 'nothing can be kept' --import table
    TENON_CACHE=$cache refuses 'nothing can be forgotten' --forget
    [ ! -s out/runs ] || fail "$cache: it tuned"
    rm -f found
    TENON_CACHE=$cache tuned --export found || fail "$cache: tuning for a file"
    [ "$(grep -c warning: out/errors)" = 1 ] && grep -q 'goes to found alone' out/errors || { cat out/errors; fail "$cache: one warning"; }
    grep -q '^chosen .*way a=3 b=3$' found || fail "$cache: what the file has"
done

# Nor is what was found until an interruption lost, where the file is the only place for it.
rm -f found
: >out/said
TENON_CACHE=off TUNING_SLEEPS=20 "$tenon" tune "$device" --net "linear 10" --batch 8 --json --export found >out/said 2>out/errors &
process=$!
until grep -q '"choice": "way' out/said || ! kill -0 "$process" 2>/dev/null; do sleep 0.1; done
kill -TERM "$process"
code=0
wait "$process" || code=$?
[ "$code" = 143 ] || fail "status $code after SIGTERM, without a cache"
grep -q '^chosen .*way a=[0-9] b=[0-9]$' found || { cat out/said out/errors; fail "an interruption without a cache: what the file has"; }

# A disk that is full is told of once; what is lost by it ends the tuning, and is no success.
tune --forget
(
    trap '' XFSZ
    ulimit -f 0
    "$tenon" tune "$device" --net "linear 10, relu, linear 10" --batch 8 2>&1
    echo "status $?"
) | cat >out/said
[ "$(grep -c "can't be written to the cache" out/said)" = 1 ] || { cat out/said; fail "a disk that is full"; }
says 'by way a=3 b=3' "tuning with a disk that is full"
[ "$(grep -c ' candidates in ' out/said)" = 1 ] || { cat out/said; fail "with a disk that is full it goes on tuning"; }
says '^tenon: .*what was found is lost; --export FILE' "what is lost with a disk that is full"
says 'status 1' "a disk that is full"
tuned || fail "tuning before there is nothing to write to"
(
    trap '' XFSZ
    ulimit -f 0
    "$tenon" tune "$device" --forget 2>&1
    echo "status $?"
) | cat >out/said
says '^tenon: .*forgotten by this process alone: the cache' "forgetting with a disk that is full"
says 'status 1' "forgetting with a disk that is full"
tuned && says '"known": true' "what a disk that is full did not forget"

# Nor is a table said to be taken that can't be kept.
(trap '' XFSZ && ulimit -f 0 && "$tenon" tune "$device" --import table 2>&1) | cat >out/said
! grep -q 'choices taken' out/said && says "^tenon: the cache can't be written, and what was taken is lost$" "an import with a disk that is full"

# Which layout is faster is told to be forgotten where the cache is a file, or none; who wants none knows.
try() { "$tenon" train --device "$device" --net "conv 2 3x3, flatten, linear 10" --data digits:8 --batch 8 --epochs 1 --layout try 2>&1 | grep -c 'is known to this process alone: .*: Not a directory$'; }
[ "$(TENON_CACHE=$scratch/table try)" = 1 ] || fail "a verdict that can't be kept"
[ "$(TENON_CACHE=off try)" = 0 ] || fail "a verdict that is not to be kept"
TENON_CACHE=$scratch/table tune --net "conv 2 3x3, flatten, linear 10" --shape 1x4x4 --batch 8 --minutes 1e-9 --export out/found || fail "tuning for a file"
[ "$(grep -c "can't be written" out/errors)" = 1 ] || { cat out/errors; fail "a cache that is a file, and a table that goes to another"; }

# Operators that a network has with channels first and last come once.
tune --forget
tune --net "conv 2 3x3, flatten, linear 10" --shape 1x4x4 --batch 8 --json || fail "tuning both layouts"
says '"operator": "matmul' "products of both layouts"
each_once() { [ -z "$(grep -o '"operator": "[^"]*"' out/said | sort | uniq -d)" ] || { cat out/said; fail "an operator comes twice $1"; }; }
each_once "at first"
says "\"operators\": $(grep -c '"operator"' out/said), \"known\": 0," "operators of both layouts"
tune --net "conv 2 3x3, flatten, linear 10" --shape 1x4x4 --batch 8 --json --again || fail "tuning both layouts once more"
each_once "when tuned once more"
says "\"tried\": $(($(grep -c '"operator"' out/said) * 13))," "candidates that are not known to be wrong or to fail, of both layouts, tuned once more"

# A table in the cache that is damaged is told of, once, and begun anew; of an empty one it is said that it is.
tune --forget
tune --list
says 'nothing was chosen yet' "a list of nothing"
tuned || fail "tuning before damage"
for entry in "$TENON_CACHE"/*.entry; do
    grep -q 'tenon tuned' "$entry" && printf 'x' | dd of="$entry" bs=1 seek=200 conv=notrunc 2>/dev/null
done
tune --list
[ "$(grep -c 'the table of tuned kernels in the cache is damaged' out/errors)" = 1 ] || { cat out/errors; fail "a damaged table in the cache"; }
tuned && says '"known": false' "tuning after damage"
[ "$("$tenon" tune "$device" --import table 2>&1 | wc -l)" = 1 ] || fail "an import tells a line"
finish
