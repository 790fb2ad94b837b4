# A training that was saved and resumed gives the very same losses as one that was not interrupted.
. "$(dirname "$0")/common.sh"

figures() { grep '"epoch"' | sed 's/, "samples_per_s.*//'; }

for optimizer in sgd momentum adam; do
    for batch in 50 64; do # whole batches only, and a smaller last one
        options="--optimizer $optimizer --batch $batch --net dropout_mlp --schedule exponential\ 0.99"
        run() { eval train $options '"$@"' --json 2>stderr || fail "$optimizer $batch: $(cat stderr)"; }
        run --epochs 4 | figures >whole
        run --epochs 2 --save m.safetensors | figures >first
        "$tenon" train --resume m.safetensors --epochs 4 --device "$device" --json 2>stderr | figures >second
        cat first second >both
        [ "$(wc -l <whole)" = 4 ] || fail "$optimizer $batch: not 4 epochs"
        cmp whole both || fail "$optimizer $batch: resumed otherwise"
    done
done

# Evaluating the saved model gives what training said last.
train --epochs 1 --save m.safetensors --json 2>/dev/null | grep -o '"test_accuracy": [^,]*' | tail -n 1 >trained
"$tenon" eval --model m.safetensors --device "$device" --json | grep -o '"test_accuracy": [^,]*' >evaluated
cmp trained evaluated || fail "eval says $(cat evaluated), training said $(cat trained)"

# The curve of a resumed training has all epochs.
train --epochs 2 --save m.safetensors 2>/dev/null
"$tenon" train --resume m.safetensors --epochs 4 --device "$device" --curve c.svg 2>/dev/null
[ "$(grep -c 'epoch [1-4]:' c.svg)" = 16 ] || fail "the curve has not 4 points in 4 lines"
finish
