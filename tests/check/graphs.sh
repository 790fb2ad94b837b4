#!/bin/sh
# graphs.sh TENON DEVICE [FAULTY.so]: random programs of this week's seed; and what is said of one that fails.
tenon=$1 device=$2 faulty=${3-}
fail() { echo "$*"; exit 1; }
seed=$(date +%G%V)
"$tenon" check "$device" --only graphs/random --seed "$seed" || fail "see it again with --seed $seed"
[ -n "$faulty" ] || exit 0
said=$("$tenon" check "$faulty" --only graphs/random-0 --cases 3)
[ $? -eq 1 ] || fail "a fault is found by no random program"
echo "$said" | grep -q '/\* seed [0-9]' || fail "it does not say what a program that failed was fed"
[ "$(echo "$said" | grep -c 'tn_output(')" -eq 1 ] || fail "what failed is not made small: $said"
