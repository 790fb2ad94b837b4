# Which layout of images is faster is tried, kept and used, on a device whose convolutions wait in one of both
# (tests/backends/tuning.c).
# usage: sh layout.sh TENON SCRATCH DEVICE JSON_LINES
. "${0%/*}/common.sh"
TENON_CACHE=$scratch/cache
export TENON_CACHE TUNING_TARRIES TUNING_TWISTS
TUNING_TWISTS=
# layout WINDOW OPTION...: that of a network with two convolutions, the second with such a window
layout() {
    net="conv 2 5x5, relu, maxpool 4, conv 2 $1, flatten, linear 10"
    shift
    train --net "$net" --data digits:8 --batch 8 --epochs 1 --explain "$@" >out/said 2>&1 || fail "$*: $(cat out/said)"
    if grep -q channels_last out/said; then echo last; else echo usual; fi
}
# is LAYOUT WHEN WINDOW OPTION...
is() {
    wanted=$1 when=$2
    shift 2
    got=$(layout "$@")
    [ "$got" = "$wanted" ] || fail "$when: the layout is $got"
}

# The faster one is taken, whichever that is, and by what is compiled later, too; not by another network.
TUNING_TARRIES=usual
is usual "before a trial" 3x3
is last "a trial where channels first are slow" 3x3 --layout try
is last "after the trial" 3x3
is usual "another network" 1x1
is usual "as it is asked for" 3x3 --layout usual
"$tenon" tune "$device" --list | grep -q '^    [0-9.]* us, [0-9.]* times as fast, by channels_last' || fail "the list: $("$tenon" tune "$device" --list)"
TUNING_TARRIES=last
is last "what was found is not tried again" 3x3
is usual "a trial where channels last are slow" 3x3 --layout try
is usual "after the second trial" 3x3

# Nor is what is faster taken if it gives something else, forwards or backwards.
TUNING_TARRIES=usual
for TUNING_TWISTS in "conv2d last" "conv2d_weight last"; do
    is usual "a trial where $TUNING_TWISTS is wrong" 3x3 --layout try --optimizer sgd --lr 0.001
    grep -q "warning: tuning: with channels last a network gives something else: off by" out/said || fail "no warning: $(cat out/said)"
done
finish
