# Ctrl-C, SIGTERM and SIGHUP at any moment: a checkpoint, a line that says how to go on, the signal's own status, and in
# the end the same losses.
. "$(dirname "$0")/common.sh"

epochs=12
batch=1 # 2880 steps: more lines than a pipe holds, so that no training ends before it is interrupted
[ "$device" != reference ] || batch=7 # which takes its time

train --batch $batch --epochs $epochs --json 2>stderr | figures >whole
[ "$(wc -l <whole)" = $epochs ] || fail "$(cat stderr)"

# Interrupted after so many steps, in the middle of an epoch; then to the end.
for signal in INT:130 TERM:143 HUP:129; do
    expected=${signal#*:} signal=${signal%:*}
    rm -f pipe m.safetensors
    mkfifo pipe
    # An interactive shell would let a background job keep Ctrl-C; a script must ask for it.
    env --default-signal=INT,TERM,HUP "$tenon" train --data digits:240 --net "linear 16, relu, linear 10" --batch $batch --device "$device" \
        --epochs $epochs --json=step --save m.safetensors --best "its best" --curve c.svg --log run.jsonl >pipe 2>stderr &
    pid=$!
    exec 3<pipe
    n=0
    while [ $n -lt 200 ] && read -r line <&3; do n=$((n + 1)); echo "$line"; done >begun
    kill -$signal $pid
    [ $signal = INT ] || kill -$signal $pid 2>/dev/null # the shell and the kernel may both send HUP, and `timeout` TERM
    cat <&3 >>begun
    exec 3<&-
    wait $pid
    status=$?
    [ $status = $expected ] || fail "$signal: status $status: $(cat stderr)"
    tail -n 1 run.jsonl | grep -q "\"done\": false, \"reason\": \"interrupted by signal $((expected - 128)) (" || fail "$signal: its log ends: $(tail -n 1 run.jsonl)"
    hint="tenon train --resume m.safetensors --save m.safetensors --device $device --best 'its best' --curve c.svg --log run.jsonl --json=step"
    grep -qF "to go on: $hint" stderr || fail "$signal: does not say how to resume: $(cat stderr)"
    "$tenon" train --resume m.safetensors --device "$device" --json 2>stderr | figures >rest
    grep -v '"step"' begun | figures | cat - rest >both
    cmp whole both || fail "$signal: resumed otherwise"
done

# What it began with is not said again: the line goes on as it is printed.
train --epochs 1 --save base.safetensors 2>stderr || fail "$(cat stderr)"
env --default-signal=INT "$tenon" train --data digits:240 --net "linear 16, relu, linear 10" --batch $batch --device "$device" \
    --epochs 3 --json=step --load base.safetensors --rename fc1=fc1 --save m.safetensors >pipe 2>stderr &
pid=$!
exec 3<pipe
read -r line <&3
kill -INT $pid
cat <&3 >begun
exec 3<&-
wait $pid
hint=$(sed -n 's/.*to go on: tenon //p' stderr)
[ -n "$hint" ] || fail "no line to go on: $(cat stderr)"
eval "\"\$tenon\" $hint" >rest 2>stderr || fail "'$hint': $(cat stderr)"

# Without --save each has a file of its own.
for n in "" -2 -3; do
    env --default-signal=INT "$tenon" train --data digits:240 --net "linear 16, relu, linear 10" --batch $batch --device "$device" \
        --seed 1${n#-} --epochs 3 --json=step >pipe 2>stderr &
    pid=$!
    exec 3<pipe
    read -r line <&3
    kill -INT $pid
    cat <&3 >begun
    exec 3<&-
    wait $pid
    file=tenon-interrupted$n.safetensors
    grep -qF "to go on: tenon train --resume $file --save $file --device" stderr || fail "'$n': $(cat stderr)"
    cp $file kept$n.safetensors
done
for n in "" -2; do cmp tenon-interrupted$n.safetensors kept$n.safetensors || fail "overwritten"; done

# An interrupt right after the step that sent the weights beyond measure, which no loss has shown yet: here the command
# waits in that step for the room to write its loss. A good file stays as it is.
waits() { # until process $1 does nothing any more
    still=0 used=
    while [ $still -lt 3 ] && sleep 0.2; do
        now=$(awk '{ print $14 + $15 }' /proc/$1/stat)
        [ "$now" = "$used" ] && still=$((still + 1)) || still=0
        used=$now
    done
}
train --epochs 1 --save good.safetensors 2>stderr || fail "$(cat stderr)"
cp good.safetensors kept.safetensors
exec 3<>pipe
head -c 65536 /dev/zero >&3 # all that it takes
env --default-signal=TERM "$tenon" train --resume good.safetensors --lr 1e30 --epochs 3 --device "$device" --json=step \
    --save good.safetensors --diverged wild.safetensors >pipe 2>stderr &
pid=$!
until grep -q "going on" stderr || ! kill -0 $pid 2>/dev/null; do sleep 0.1; done
waits $pid
kill -TERM $pid
cat <&3 >/dev/null &
reader=$!
wait $pid
status=$?
kill $reader
exec 3<&-
[ $status = 1 ] || fail "status $status of an interrupt behind a step beyond measure: $(cat stderr)"
grep -q "the test loss is [a-z]* after step 1 of epoch 2: the training has diverged" stderr || fail "$(cat stderr)"
cmp good.safetensors kept.safetensors || fail "it took the place of the good file"
[ -s wild.safetensors ] || fail "--diverged: no file"

# What nohup ignores stays ignored, and what a script's shell does for what runs in the background.
for signal in HUP INT TERM; do
    env --ignore-signal=$signal "$tenon" train --data digits:240 --net "linear 16, relu, linear 10" --batch $batch \
        --device "$device" --epochs 2 --json=step >pipe 2>stderr &
    pid=$!
    exec 3<pipe
    read -r line <&3
    kill -$signal $pid
    cat <&3 >begun
    exec 3<&-
    wait $pid || fail "SIG$signal ended what ignores it: $(cat stderr)"
done

# kill -9 while it saves again and again leaves a file that loads.
for i in 1 2 3 4 5 6; do
    # not by the function: that would be a shell of its own, and the kill would miss the command
    "$tenon" train --data digits:600 --net "linear 16, relu, linear 10" --batch 240 --device "$device" --epochs 1000 \
        --save k.safetensors >/dev/null 2>&1 &
    pid=$!
    sleep 0.$((i * 13 % 10))$i
    kill -9 $pid
    wait $pid 2>/dev/null
    [ ! -e k.safetensors ] || "$tenon" eval --model k.safetensors --device "$device" >/dev/null || fail "kill -9: the file is broken"
done
finish
