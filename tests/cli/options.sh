# Options of training: each does something, what they need survives --resume to the bit, and mistakes are one line.
. "$(dirname "$0")/common.sh"

value() { grep -o "\"$1\": [^,}]*" | tail -n 1 | sed 's/.*: //'; }

# Each option changes the losses of a training that is the same apart from it.
differs() {
    base=$1
    shift
    [ -s "$base" ] || fail "no figures in $base"
    train --epochs 2 --json "$@" 2>stderr | figures >other
    [ "$(wc -l <other)" = 2 ] || fail "'$*': $(cat stderr)"
    cmp -s "$base" other && fail "'$*' changes nothing"
}
each_option() {
    train --epochs 2 --json 2>/dev/null | figures >plain
    differs plain --weight-decay 0.01
    differs plain --clip-norm 0.1
    differs plain --clip-value 0.001
    differs plain --label-smoothing 0.1
    differs plain --class-weights 1,1,1,1,1,5,1,1,1,1
    differs plain --class-weights balanced
    differs plain --validation 0.2
    differs plain --schedule "warmup 20"
    differs plain --schedule "cosine 20"
    differs plain --schedule "exponential 0.9"
    differs plain --schedule "step 5 0.5"
    differs plain --beta1 0.5
    differs plain --beta2 0.9
    differs plain --epsilon 0.1
    for optimizer in sgd momentum nesterov adagrad rmsprop adamw adadelta adamax nadam radam lion; do
        differs plain --optimizer $optimizer
        train --epochs 2 --json --optimizer $optimizer 2>/dev/null | figures >$optimizer
    done
    differs momentum --optimizer momentum --momentum 0.5
    differs nesterov --optimizer nesterov --momentum 0.5
    differs momentum --optimizer nesterov
    differs rmsprop --optimizer rmsprop --alpha 0.5
    differs rmsprop --optimizer rmsprop --momentum 0.5
    differs rmsprop --optimizer rmsprop --centered
    differs adamw --optimizer adamw --weight-decay 0.3
    differs adamw --optimizer adamw --amsgrad
    differs adamw --optimizer adamw --no-decay vectors
    differs adamw --optimizer adamw --decays "*bias 0, fc1 0.3"
    differs plain --rates "fc1 0.1"
    train --epochs 2 --json --shards 4 --net "linear 16, batch_norm, relu, linear 10" 2>/dev/null | figures >shards
    differs shards --shards 4 --net "linear 16, batch_norm, relu, linear 10" --sync-norm
}
case $device in
opencl*) ;; # each is a program to compile, and they are the same as elsewhere
*) each_option ;;
esac

# Storage in 16 bits: what came of it is said, and a saved model is measured as it was trained.
stored() { # NET SAID
    rm -f b.safetensors
    train --net "$1" --epochs 1 --storage bf16 --json --save b.safetensors >lines 2>stderr || fail "--storage: $(cat stderr)"
    grep -q "$2" stderr || fail "--storage of '$1' does not say '$2': $(cat stderr)"
    "$tenon" eval --model b.safetensors --device "$device" --json >measured 2>stderr || fail "--storage: $(cat stderr)"
    [ "$(value test_loss <lines)" = "$(value test_loss <measured)" ] || fail "--storage: $(cat lines measured)"
    "$tenon" eval --model b.safetensors --device "$device" --json --storage f32 >exact 2>stderr || fail "--storage f32: $(cat stderr)"
}
sequence="project 8, transformer 2, layer_norm, max_steps, linear outputs"
case $device in
reference) stored "$sequence" '^storage bf16: for \([0-9]*\) of \1 large values between kernels$' ;;
cpu)
    stored "$sequence" '^storage bf16: for [0-9]* of [0-9]* large values between kernels; the others stay f32: matmul: '
    cmp -s measured exact && fail "eval --storage f32 changes nothing"
    stored "linear 16, relu, linear 10" 'warning: --storage bf16 changes nothing: cpu stores no value so'
    ;;
esac

# A 0 that is typed is meant, and is not the usual value: also by the training that goes on.
same() {
    train --epochs 2 --json $1 2>stderr | figures >one
    train --epochs 2 --json $2 2>>stderr | figures >two
    [ -s one ] && cmp one two || fail "'$1' is not '$2': $(cat stderr)"
}
same "--optimizer adamw --weight-decay 0" "--optimizer adam"
same "--optimizer momentum --momentum 0 --lr 0.1" "--optimizer sgd"
same "--optimizer adam --label-smoothing 0 --validation 0 --weight-decay 0" "--optimizer adam"
zeros="--optimizer adamw --weight-decay 0 --beta1 0 --epsilon 0"
train $zeros --net "linear 16, layer_norm 0, tanh, linear 10" --epochs 2 --json 2>stderr | figures >whole
train $zeros --net "linear 16, layer_norm 0, tanh, linear 10" --epochs 1 --json --save zeros.safetensors 2>>stderr | figures >both
"$tenon" train --resume zeros.safetensors --epochs 2 --device "$device" --json 2>>stderr | figures >>both
[ "$(wc -l <whole)" = 2 ] && cmp whole both || fail "zeros are not kept: $(cat stderr)"

# A plateau lowers the rate from the epoch on that follows: until then all is the same.
train --epochs 12 --lr 0.3 --json 2>/dev/null | figures >steady
train --epochs 12 --lr 0.3 --json --schedule "plateau 1 0.01" 2>/dev/null | figures >plateau
head -n 1 steady | cmp - plateau -n "$(head -n 1 steady | wc -c)" || fail "the plateau came at once"
cmp -s steady plateau && fail "no plateau came"

# Everything that has a memory, in one piece and in two.
all="--optimizer adamw --amsgrad --no-decay vectors --lr 0.02 --weight-decay 0.01 --clip-norm 1 --clip-value 0.5 --label-smoothing 0.1
    --class-weights balanced --validation 0.25 --early-stop 4 --batch 16"
train $all --schedule "warmup 5, plateau 1 0.5" --epochs 8 --json --best best1.safetensors 2>stderr >lines || fail "$(cat stderr)"
figures <lines >whole
train $all --schedule "warmup 5, plateau 1 0.5" --epochs 3 --json --save half.safetensors --best best2.safetensors 2>/dev/null |
    figures >both
"$tenon" train --resume half.safetensors --epochs 8 --best best2.safetensors --device "$device" --json 2>stderr >more
figures <more >>both
cmp whole both || fail "resumed otherwise: $(cat stderr)"
[ "$(value best_epoch <lines)" = "$(value best_epoch <more)" ] || fail "another best epoch"
grep -q '"validation_accuracy"' whole || fail "no validation"

# The best epoch is what --best has, to the bit.
best=$(value best_epoch <lines)
want=$(grep "\"epoch\": $best," whole | value test_loss)
for file in best1 best2; do
    got=$("$tenon" eval --model $file.safetensors --device "$device" --json | value test_loss)
    [ "$got" = "$want" ] || fail "$file: test loss $got, not $want of epoch $best"
done
low=$(grep -o '"validation_loss": [^,]*' whole | sed 's/.*: //' | sort -g | head -n 1)
[ "$(grep "\"epoch\": $best," whole | value validation_loss)" = "$low" ] || fail "epoch $best is not the best"

# A training that goes on and gets no better says that it saved nothing there.
train --epochs 2 --save still.safetensors 2>stderr || fail "$(cat stderr)"
"$tenon" train --resume still.safetensors --epochs 3 --lr 1e-30 --best none.safetensors --device "$device" 2>stderr ||
    fail "no better: $(cat stderr)"
grep -q "is still the best: nothing new to none.safetensors" stderr || fail "no better: $(tail -n 1 stderr)"
[ ! -e none.safetensors ] || fail "what is no better was saved"

# Its weights are those of the best epoch, which --best has, or it says that they can't be; a run that is better has its own.
train --epochs 3 --save still.safetensors --best b.safetensors --weights w.safetensors 2>stderr || fail "$(cat stderr)"
grep -q "as the best to b.safetensors, weights to w.safetensors" stderr || fail "weights are not said: $(cat stderr)"
resumed() { "$tenon" train --resume still.safetensors --epochs 4 --weights v.safetensors --device "$device" "$@" 2>stderr || fail "$*: $(cat stderr)"; }
rm -f v.safetensors
resumed --lr 1e-30 --best b.safetensors
cmp w.safetensors v.safetensors || fail "not the weights of the best epoch: $(cat stderr)"
grep -q warning stderr && fail "$(cat stderr)"
rm -f v.safetensors
resumed --lr 1e-30 --best none.safetensors
grep -q "none.safetensors is not epoch 3, the best of still.safetensors so far: v.safetensors will be" stderr || fail "no word: $(cat stderr)"
grep -q "nothing new to none.safetensors, no weights to v.safetensors" stderr || fail "no word: $(cat stderr)"
train --epochs 3 --lr 0.002 --best other.safetensors 2>stderr || fail "$(cat stderr)"
resumed --lr 1e-30 --best other.safetensors
grep -q "other.safetensors is not epoch 3" stderr || fail "another training's: $(cat stderr)"
[ ! -e v.safetensors ] || fail "weights that are not of the best epoch"
resumed --best b.safetensors
grep -q "epoch 4 as the best" stderr && cmp -s w.safetensors v.safetensors && fail "weights of the epoch before"

# The curve shows the validation as well.
train $all --epochs 3 --curve c.svg 2>stderr || fail "curve: $(cat stderr)"
[ "$(grep -c 'epoch [1-3]:' c.svg)" = 18 ] || fail "the curve has not 3 points in 6 lines"
[ "$(grep -c '>validation ' c.svg)" = 2 ] || fail "the curve does not name the validation"

# Early stopping: some epochs after the best one, and no sooner.
train --epochs 60 --lr 0.05 --early-stop 3 --save s.safetensors --json 2>stderr >lines || fail "early: $(cat stderr)"
grep -q '^stopped early: 3 epochs' stderr || fail "did not stop early: $(tail -n 1 stderr)"
epochs=$(value epochs <lines)
[ "$epochs" = $(($(value best_epoch <lines) + 3)) ] || fail "best $(value best_epoch <lines), stopped after $epochs"
"$tenon" train --resume s.safetensors --device "$device" 2>stderr
[ $? = 1 ] && grep -q "larger --early-stop" stderr || fail "resumed what had stopped: $(cat stderr)"
"$tenon" train --resume s.safetensors --early-stop 4 --epochs $((epochs + 1)) --device "$device" 2>stderr || fail "$(cat stderr)"

# Mistakes.
bad() {
    want=$1 word=$2
    shift 2
    given --epochs "$@" || set -- --epochs 1 "$@"
    train --save none.safetensors "$@" >stdout 2>stderr
    got=$?
    [ "$got" = "$want" ] || fail "'$*': exit status $got, not $want"
    [ "$(wc -l <stderr)" = 1 ] && grep -qF -e "$word" stderr || fail "'$*': '$word' is not the one line: $(cat stderr)"
    [ ! -e none.safetensors ] && [ ! -s stdout ] || fail "'$*': left something"
}
for option in weight-decay clip-norm clip-value epsilon; do
    for value in -1 nan inf ten; do bad 2 "--$option '$value'" --$option $value; done
done
for option in clip-norm clip-value; do bad 2 "'0' is not a number above 0" --$option 0; done
for option in label-smoothing validation beta1 beta2; do
    for value in 1 -0.1 nan; do bad 2 "--$option '$value'" --$option $value; done
done
bad 2 "--early-stop '0'" --early-stop 0
bad 1 "nowhere/" --best nowhere/b.safetensors
bad 2 "--beta1 belongs" --beta1 0.5 --optimizer sgd
bad 2 "--alpha belongs" --alpha 0.5
bad 2 "--amsgrad belongs to --optimizer adam, adamw, not to sgd" --amsgrad --optimizer sgd
bad 2 "no_decay: no parameter is called 'fc9'" --no-decay "*bias, fc9"
bad 2 "decays 'fc1 -1': 'fc1 -1' is not a name and a weight decay" --decays "fc1 -1"
bad 2 "rates 'fc1 fast': 'fc1 fast' is not a name and a factor" --rates "fc1 fast"
bad 2 "--momentum belongs" --momentum 0.5 --optimizer adagrad
for weights in 1,2 1,2,3,4,5,6,7,8,9,x 1,1,1,1,1,1,1,1,1,-1 0,0,0,0,0,0,0,0,0,0 balance 1,1,1,1,1,1,1,1,1,1,1 ""; do
    [ -n "$weights" ] && bad 2 "'$weights'" --class-weights "$weights"
done
bad 2 "are for labels" --class-weights balanced --loss mse
bad 2 "are for labels" --label-smoothing 0.1 --loss mse
bad 2 "plateau LOSSES FACTOR" --schedule "plateau 3"
bad 2 "is not a whole number" --schedule "plateau 0 0.5"
bad 2 "schedule" --schedule "plato 3 0.5"
bad 2 "5 training samples" --limit 6 --validation 0.1 --batch 6
# An option of a backend that is wrong is told where devices are only listed, too.
if [ "$device" = cpu ]; then
    TENON_OPTIONS=cpu.isa=none "$tenon" devices >listed 2>message && fail "devices with a wrong option"
    grep -q "^cpu " listed || fail "$(cat listed)"
    grep -q "cpu: option cpu.isa: 'none' is not" message || fail "$(cat message)"
fi

finish
