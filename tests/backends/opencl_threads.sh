#!/bin/sh
# opencl_threads.sh TENON: the OpenCL driver's threads, more than there are processors for, don't take the time of those
# that have work: eight on one processor train in at most twice the processor time of one.
set -u
tenon=$1
"$tenon" devices --json 2>/dev/null | grep -q '"device": "opencl:0"' || { echo "no OpenCL device here"; exit 77; }
processor=$(taskset -cp $$ 2>/dev/null | sed 's/.*: //; s/[,-].*//')
[ -n "$processor" ] || { echo "no taskset here"; exit 77; }

# Trains with $1 threads for $2 epochs, on one processor.
train()
{
    POCL_MAX_PTHREAD_COUNT=$1 taskset -c "$processor" "$tenon" train --data digits --batch 32 --epochs "$2" \
        --net "linear 100, relu, linear 40, relu, linear 10" --device opencl:0 >/dev/null 2>&1 || exit 1
}

# Sets `now`: processor time of what this shell has run so far, in milliseconds. (In $(...) it would be another shell.)
spent()
{
    times >"$file"
    now=$(sed -n '2s/[ms]/ /gp' "$file" | awk '{ print int(($1 * 60 + $2 + $3 * 60 + $4) * 1000) }')
}

file=$(mktemp) || exit 1
trap 'rm -f "$file"' EXIT
train 8 1 # what is to be compiled
spent
begin=$now
train 1 5
spent
one=$((now - begin)) begin=$now
train 8 5
spent
eight=$((now - begin))
echo "processor time: $one ms with one thread, $eight with eight"
[ "$one" -gt 0 ] && [ "$eight" -le $((2 * one)) ]
