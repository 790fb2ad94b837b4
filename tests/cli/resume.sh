# A training that was saved and resumed gives the very same losses as one that was not interrupted.
. "$(dirname "$0")/common.sh"

net="linear 16, relu, dropout 0.2, linear 10"

# check OPTIMIZER BATCH: four epochs at once, and two and two
check() {
    begin="--net '$net' --optimizer $1 --batch $2 --schedule 'exponential 0.99' --json"
    eval train $begin --epochs 4 2>stderr >lines || fail "$1 $2: $(cat stderr)"
    figures <lines >whole
    eval train $begin --epochs 2 --save m.safetensors 2>stderr >lines || fail "$1 $2: $(cat stderr)"
    figures <lines >both
    "$tenon" train --resume m.safetensors --epochs 4 --device "$device" --json 2>stderr >lines || fail "$1 $2: $(cat stderr)"
    figures <lines >>both
    [ "$(wc -l <whole)" = 4 ] || fail "$1 $2: not 4 epochs"
    cmp whole both || fail "$1 $2: resumed otherwise"
}

for optimizer in sgd momentum adam; do
    check $optimizer 20 # whole batches only
    check $optimizer 32 # and a smaller last one
done

# Evaluating the saved model gives what training said last.
train --epochs 1 --save m.safetensors --json 2>/dev/null | grep -o '"test_accuracy": [^,]*' | tail -n 1 >trained
"$tenon" eval --model m.safetensors --device "$device" --json | grep -o '"test_accuracy": [^,]*' >evaluated
cmp trained evaluated || fail "eval says $(cat evaluated), training said $(cat trained)"

# So does it with the layout that was asked for; `reference` has convolutions with channels last.
if [ "$device" = reference ]; then
    train --net "conv 2 5x5, flatten, linear 10" --data digits:20 --epochs 1 --layout channels-last --save l.safetensors 2>/dev/null >trained
    "$tenon" info l.safetensors | grep -q '^  --layout channels-last$' || fail "info lacks the layout: $("$tenon" info l.safetensors)"
    "$tenon" train --resume l.safetensors --epochs 2 --device "$device" --explain 2>&1 | grep -q channels_last || fail "the layout is forgotten"
    "$tenon" train --resume l.safetensors --epochs 2 --device "$device" --layout usual --explain 2>&1 | grep -q channels_last && fail "the layout cannot be changed"
fi

# The curve of a resumed training has all epochs.
train --epochs 2 --save m.safetensors 2>/dev/null
"$tenon" train --resume m.safetensors --epochs 4 --device "$device" --curve c.svg 2>/dev/null
[ "$(grep -c 'epoch [1-4]:' c.svg)" = 16 ] || fail "the curve has not 4 points in 4 lines"
finish
