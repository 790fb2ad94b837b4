#!/bin/sh
# A device with little memory: what does not fit is a line that says so and what helps, and helps.
# usage: opencl_memory.sh TENON
set -u
said=$(mktemp)
trap 'rm -f "$said"' EXIT
tenon=$1
# learn MIB OPTION...
learn()
{
    limit=$1
    shift
    TENON_OPTIONS=opencl.memory=$limit "$tenon" train --data digits:640 --epochs 1 --device opencl:0 --strict \
        --net "conv 8 5x5, relu, maxpool 2, flatten, linear outputs" "$@" >"$said" 2>&1
}
# refused STATUS WORDS
refused()
{
    [ "$1" = 1 ] && [ "$(wc -l <"$said")" -le 3 ] && tail -n 1 "$said" | grep -q "$2" ||
        { echo "exit status $1, for '$2':"; cat "$said"; exit 1; }
}
# What is said to fit does, to the end, whatever it is: parts of a batch have sums of their own, and many take more.
learn 5 --batch 320
refused $? 'opencl:0: the network, .* of 5.0 MiB .* are free; with --accumulate [0-9]* or --batch [0-9]* it fits$'
parts=$(grep -o -e '--accumulate [0-9]*' "$said")
size=$(grep -o -e '--batch [0-9]*' "$said")
learn 5 --batch 320 $parts || { echo "in parts, $parts:"; cat "$said"; exit 1; }
learn 5 $size || { echo "of few samples, $size:"; cat "$said"; exit 1; }
# What the network is used for at the end has room where measuring had it.
learn 3 --batch 320 --accumulate 8 || { echo "at the end:"; cat "$said"; exit 1; }
learn 4000 --batch 320 || { echo "with enough:"; cat "$said"; exit 1; }
learn none
refused $? "option opencl.memory: 'none' is no number of MiB"
