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
    TENON_OPTIONS=opencl.memory=$limit "$tenon" train --data digits:640 --batch 320 --epochs 1 --device opencl:0 --strict \
        --net "conv 8 5x5, relu, maxpool 2, flatten, linear outputs" "$@" >"$said" 2>&1
}
# refused STATUS WORDS
refused()
{
    [ "$1" = 1 ] && [ "$(wc -l <"$said")" -le 3 ] && tail -n 1 "$said" | grep -q "$2" ||
        { echo "exit status $1, for '$2':"; cat "$said"; exit 1; }
}
learn 8
refused $? 'of 8.0 MiB .* are free; smaller batches take less, and so do batches in parts (--accumulate N)$'
learn 8 --accumulate 20 || { echo "in parts:"; cat "$said"; exit 1; }
learn 4000 || { echo "with enough:"; cat "$said"; exit 1; }
learn none
refused $? "option opencl.memory: 'none' is no number of MiB"
