# Several devices in one process: the bytes of one where they are of one kind, repeatable shares where they are not, and
# one line for what fails. sh crew.sh TENON SCRATCH DEVICE JSON_LINES PLUGINS
. "$(dirname "$0")/common.sh"
plugins=$5
export TENON_BACKEND_PATH="$plugins/pair.so" OMP_NUM_THREADS=1
unset PAIR_LOST

# Batch normalisation, dropout, and a last batch of 8 of 32.
net="conv 2 3x3, batchnorm, relu, maxpool 4, flatten, dropout 0.2, linear 10"

# trains DEVICES FILE ARGUMENTS...
trains()
{
    devices=$1 file=$2
    shift 2
    "$tenon" train --data digits:250 --net "$net" --batch 32 --shards 8 --device "$devices" --save "$file" "$@" >out/log 2>&1 ||
        fail "$devices $*: $(cat out/log)"
}

# goes_on DEVICES FILE EPOCHS
goes_on()
{
    "$tenon" train --resume "$2" --save "$2" --epochs "$3" --device "$1" >out/log 2>&1 || fail "$1, $3 epochs: $(cat out/log)"
}

# refused STATUS TEXT ARGUMENTS...: one line with the text.
refused()
{
    expected=$1 text=$2
    shift 2
    "$tenon" "$@" >out/log 2>&1
    status=$?
    [ $status = "$expected" ] || fail "$*: status $status, not $expected"
    [ "$(grep -vc '^tenon: warning: ' out/log)" = 1 ] && grep -qF -- "$text" out/log || fail "$*: not one line with '$text': $(cat out/log)"
}

# ---- one kind ----

trains pair:0 alone --epochs 3
trains pair:0+pair:1 both --epochs 3
grep -q '^pair:0 takes 4 of 8 shards, pair:1 takes 4$' out/log || fail "the shares are not said: $(cat out/log)"
cmp alone both || fail "two devices come to other bytes"
trains pair:1,pair:0 both --epochs 3 --shares 1:7
grep -q '^pair:1 takes 1 of 8 shards, pair:0 takes 7$' out/log || fail "not the shares that were asked for: $(cat out/log)"
cmp alone both || fail "other shares come to other bytes"

# Resumed with other devices, after an epoch and in the middle of one.
trains pair:0+pair:1 changed --epochs 1
goes_on pair:1 changed 2
goes_on pair:1+pair:0 changed 3
cmp alone changed || fail "both, one and both come to other bytes"

mkfifo pipe
trains pair:0 longer --epochs 40
env --default-signal=INT "$tenon" train --data digits:250 --net "$net" --batch 32 --shards 8 --device pair:0+pair:1 --epochs 40 \
    --json=step --save begun >pipe 2>out/log &
pid=$!
exec 3<pipe
n=0
while [ $n -lt 11 ] && read -r line <&3; do n=$((n + 1)); done
kill -INT $pid
cat <&3 >/dev/null
exec 3<&-
wait $pid
[ $? = 130 ] || fail "not interrupted: $(cat out/log)"
grep -q 'to go on: tenon train --resume begun --save begun --device pair:0+pair:1' out/log || fail "how to go on? $(cat out/log)"
goes_on pair:0 begun 40
cmp longer begun || fail "resumed by one device it comes to other bytes"

# ---- unlike ----

trains cpu+reference first --epochs 2 --shares 5:3
grep -q '^cpu takes 5 of 8 shards, reference takes 3$' out/log || fail "not the shares that were asked for: $(cat out/log)"
trains cpu+reference again --epochs 1 --shares 5:3
goes_on cpu+reference again 2
grep -q '^cpu takes 5 of 8 shards, reference takes 3$' out/log || fail "the shares are not repeated: $(cat out/log)"
cmp first again || fail "the same shares come to other bytes"
goes_on cpu again 3
trains cpu+reference measured --epochs 1
grep -q '^cpu takes [4-8] of 8 shards, reference takes [0-4]$' out/log || fail "no shares by speed: $(cat out/log)"

# ---- what fails ----

# The second device is lost in the third epoch, or so: what was saved before goes on.
PAIR_LOST=9000 "$tenon" train --data digits:250 --net "$net" --batch 32 --shards 8 --device pair:0+pair:1 --epochs 100 --save lost \
    >out/log 2>&1
status=$?
[ $status = 1 ] || fail "a device is lost: status $status: $(cat out/log)"
[ "$(grep '^tenon: ' out/log | grep -vc warning)" = 1 ] && grep -q '^tenon: pair:1: it fell off the bus$' out/log ||
    fail "not one line on the device that was lost: $(cat out/log)"
[ -e lost ] || fail "nothing was saved before the device was lost: $(cat out/log)"
goes_on pair:0 lost 100
trains pair:0 never --epochs 100
cmp never lost || fail "what was saved before the device was lost comes to other bytes"

refused 2 "names cpu twice" train --device cpu+cpu
refused 2 "names cpu twice" train --device cpu+reference+cpu:0
refused 1 "no device 'nowhere'" train --device cpu+nowhere
refused 1 "a device's name is empty" train --device cpu+
refused 2 "--shares '5:3:1' is not 2 numbers" train --device cpu+reference --shares 5:3:1
refused 1 "all shares are 0" train --device cpu+reference --shares 0:0
refused 2 "can't be cut into equal shards for 2 workers" train --device cpu+reference --batch 1
refused 2 "in 1 shards are too few for 2 workers" train --device cpu+reference --shards 1
refused 2 "eval takes one" eval --model alone --device cpu+reference
refused 2 "bench op takes one" bench op exp 1000 --device cpu+reference
TENON_BACKEND_PATH="$plugins/poor.so" refused 1 "tenon: poor: the network" train --device cpu+poor --net "linear 3000, relu, linear 10" --data digits:50
"$tenon" bench train --device cpu+reference --samples 64 --batch 32 --repeats 1 --shares 1:1 --json | grep -q '"workers": 2, "device": "cpu+reference"' ||
    fail "no training to measure"

# ---- all that are worth it ----

"$tenon" train --device auto+ --data digits:50 --epochs 1 >out/log 2>&1 || fail "auto+: $(cat out/log)"
grep -q '^auto+: cpu alone does [0-9.e+]* GFLOP/s$' out/log || fail "auto+ does not say what it measured: $(cat out/log)"
grep -q '^training on cpu ' out/log || fail "auto+ does not train on cpu: $(cat out/log)"
finish
