# Sourced by the scripts: sh SCRIPT TENON SCRATCH DEVICE JSON_LINES
set -u
tenon=$1 scratch=$2 device=$3 json_lines=$4
rm -rf "$scratch"
mkdir -p "$scratch/out"
cd "$scratch" || exit 1
failures=0

fail() {
    echo "FAILED: $*"
    failures=$((failures + 1))
}

finish() {
    [ "$failures" = 0 ] && echo "all well" && exit 0
    echo "$failures failed"
    exit 1
}

# The device may be missing from this build.
"$tenon" devices --json 2>/dev/null | grep -q "\"device\": \"$device\"" || { echo "no device $device here"; exit 77; }

# Whether option $1 is among the words that follow: one with a value is given once.
given() {
    looked_for=$1
    shift
    case " $* " in *" $looked_for "* | *" $looked_for="*) return 0 ;; esac
    return 1
}

# A small training that all scripts use; what is typed takes the place of its own.
train() {
    given --data "$@" || set -- --data digits:240 "$@"
    given --net "$@" || set -- --net "linear 16, relu, linear 10" "$@"
    given --batch "$@" || set -- --batch 20 "$@"
    given --device "$@" || set -- --device "$device" "$@"
    "$tenon" train "$@"
}

# What it writes of its epochs, but for how long they took.
figures() { grep '"epoch"' | sed 's/, "samples_per_s.*//'; }

# Trains with the samples on the device and where $1 says, with what follows, and compares.
same() {
    how=$1
    shift
    for place in device "$how"; do
        train --epochs 2 --json --resident "$place" --weights "out/$place" --save "out/saved" "$@" 2>stderr |
            figures >"$place" || fail "$place $*: $(cat stderr)"
        [ -s "$place" ] || fail "$place $*: $(cat stderr)"
    done
    cmp device "$how" || fail "--resident $how changes the losses with $*"
    cmp out/device "out/$how" || fail "--resident $how changes the weights with $*"
}
