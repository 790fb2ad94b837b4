# The deeper named networks train, are saved with their running statistics, and evaluate the same from the file.
. "$(dirname "$0")/common.sh"

value() { grep -o "\"$1\": [^,}]*" | tail -n 1 | sed 's/.*: //'; }

# same NET DATA OPTION...: eval of the saved model gives what training said last
same() {
    net=$1 data=$2
    shift 2
    "$tenon" train --data "$data" --net "$net" --device "$device" --json --save m.safetensors "$@" 2>stderr >lines ||
        fail "$net: $(cat stderr)"
    "$tenon" eval --model m.safetensors --device "$device" --json 2>stderr >evaluated || fail "$net: $(cat stderr)"
    [ "$(value test_loss <lines)" = "$(value test_loss <evaluated)" ] ||
        fail "$net: trained $(value test_loss <lines), evaluated $(value test_loss <evaluated)"
}

# better LOW: the last accuracy is above
better() {
    awk "BEGIN { exit !($(value test_accuracy <lines) > $1) }" || fail "accuracy $(value test_accuracy <lines), not $1"
}

same resnet20 digits-rgb:40 --epochs 2 --batch 8
for name in conv1.weight bn1.running_mean bn1.running_var block4.bn2.running_var fc1.bias; do
    grep -aqF "\"$name\"" m.safetensors || fail "$name was not saved"
done
grep -aqF '"conv1.bias"' m.safetensors && fail "a bias before the normalisation"

# What is random in training is not there in evaluation.
case $device in
opencl*) ;; # each is programs to compile, and they are the same as elsewhere
*)
    same "random_crop 2, random_flip, conv 4 5x5 stride 2, prelu, dropout2d 0.2, instance_norm, flatten, linear outputs" digits:300
    same "conv1d 16 5 pad same, relu, maxpool1d 2, dropout 0.1, max_steps, linear outputs" digits:300
    ;;
esac

# Resumed with running statistics: to the same.
net="conv 4 5x5 stride 2, batch_norm, relu, block 8 stride 2, flatten, linear outputs"
train --net "$net" --epochs 4 --json 2>/dev/null | figures >whole
train --net "$net" --epochs 2 --json --save half.safetensors 2>/dev/null | figures >both
"$tenon" train --resume half.safetensors --epochs 4 --device "$device" --json 2>stderr | figures >>both
[ "$(wc -l <whole)" = 4 ] || fail "not 4 epochs"
cmp whole both || fail "resumed otherwise: $(cat stderr)"

same lstm digits:2000 --epochs 1 --batch 16 --lr 0.003
better 0.5
same transformer digits:2000 --epochs 1 --batch 16 --lr 0.003
better 0.8
finish
