# Convolutional networks train on the device alone, learn, and come to the same figures when they are trained again.
. "$(dirname "$0")/common.sh"

value() { grep -o "\"$1\": [^,}]*" | tail -n 1 | sed 's/.*: //'; }

# learns LOW NET OPTION...: accuracy of the last epoch, nothing elsewhere, twice the same
learns() {
    low=$1 net=$2
    shift 2
    for turn in first second; do
        "$tenon" train --data digits:2000 --net "$net" --optimizer adam --device "$device" --strict --json "$@" 2>stderr |
            sed 's/, "samples_per_s.*//; s/, "seconds.*//' >$turn
        [ -s $turn ] || fail "$net: $(cat stderr)"
    done
    cmp first second || fail "$net: trained twice, and not alike"
    awk "BEGIN { exit !($(value test_accuracy <first) > $low) }" ||
        fail "$net: accuracy $(value test_accuracy <first), not $low"
}

learns 0.8 lenet --epochs 1
learns 0.6 "conv 8 3 stride 2, relu, conv 8 3 groups 8 pad 1, conv_transpose 6 4 stride 2, relu, avgpool 3 stride 2 pad 1, \
    maxpool 3 stride 2, linear outputs" --epochs 3
finish
