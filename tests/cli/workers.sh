# Workers that mpirun starts train to the same bytes, however many they are; what one of them fails at is said once; a
# worker that is killed takes the others along, and those that are left go on.
. "$(dirname "$0")/launch.sh"

# Batch normalisation, dropout, and a last batch of 8 of 32.
net="conv 2 3x3, batchnorm, relu, maxpool 4, flatten, dropout 0.2, linear 10"

# trains RANKS FILE ARGUMENTS...
trains()
{
    ranks=$1 file=$2
    shift 2
    launch -n "$ranks" "$tenon" train --data digits:250 --net "$net" --batch 32 --shards 8 --device "$device" --save "$file" "$@" \
        >out/"$ranks" 2>&1 || fail "$ranks ranks: $(cat out/"$ranks")"
}

"$tenon" train --data digits:250 --net "$net" --batch 32 --shards 8 --device "$device" --epochs 3 --save alone >out/alone 2>&1 ||
    fail "alone: $(cat out/alone)"
for n in 1 2 3 4; do
    trains $n workers-$n --epochs 3 --bucket $((n * n * n * 4)) # of 1, 8, 27 and 64 elements
    cmp alone workers-$n || fail "$n workers come to other bytes"
    [ "$(grep -c '^epoch' out/$n)" = 3 ] || fail "$n workers: not one line an epoch: $(cat out/$n)"
done

# What happened when, by one of them: whole JSON, a bucket's sum, and what it was summed behind.
trains 2 traced --epochs 1 --trace trace.json --stats
head -1 trace.json | grep -q '^\[$' && tail -1 trace.json | grep -q '^\]$' || fail "no whole trace: $(head -3 trace.json)"
for what in step shard read sum bucket; do grep -q "\"$what 0\"" trace.json || fail "the trace has no $what 0"; done
grep -q 'gradients are exchanged in 1 bucket: .* is hidden' out/2 || fail "nothing is said of the exchange: $(cat out/2)"

# Gradients are made where all workers see them, and the update is made from there.
launch -n 2 "$tenon" train --data digits:250 --net "$net" --batch 32 --shards 2 --device "$device" --epochs 1 \
    --trace trace.json >out/there 2>&1 || fail "two shards: $(cat out/there)"
grep -q '"sum 0"' trace.json || fail "the trace of two shards has no sum 0"
grep -E '"(read|write) 0"' trace.json && fail "gradients that all workers see are copied"

# A device that doesn't compute where the workers add up has the sum written to it, by a thread that waits for it.
own=$device
device=reference
trains 1 sent-1 --epochs 1
trains 2 sent-2 --epochs 1 --trace trace.json
device=$own
cmp sent-1 sent-2 || fail "2 workers on the reference come to other bytes"
grep -q '"write 0"' trace.json || fail "the trace of the reference has no write 0"

# Batches are normalised over all shards: the workers meet in the middle of a step, some of them without a shard of the
# last batch. Samples are on the device, or fed to it.
"$tenon" train --data digits:250 --net "$net" --batch 32 --shards 8 --sync-norm --device "$device" --epochs 2 --save sync >out/sync 2>&1 ||
    fail "alone, over all shards: $(cat out/sync)"
for n in 2 3 4; do
    trains $n sync-$n --epochs $((n == 3 ? 1 : 2)) --sync-norm --resident $([ $n = 2 ] && echo host || echo device)
    [ $n = 3 ] && trains 2 sync-3 --resume sync-3 --epochs 2
    cmp sync sync-$n || fail "$n workers come to other bytes over all shards"
done
launch -n 1 "$tenon" train --data digits:50 --net "$net" --shards 2 --batch 16 --sync-norm --device "$device" \
    : -n 1 "$tenon" train --data digits:50 --net "$net" --shards 2 --batch 16 --device "$device" >out/mixed 2>&1 &&
    fail "one of two workers normalises by itself, and all is well"
grep -q "what shards tell one another.*on rank 0.*on rank 1" out/mixed || fail "not said that one normalises by itself: $(cat out/mixed)"

# Resumed by another number of them, in the middle of it all.
trains 3 changed --epochs 1
launch -n 2 "$tenon" train --resume changed --epochs 2 --device "$device" --save changed >out/resumed 2>&1 || fail "$(cat out/resumed)"
"$tenon" train --resume changed --epochs 3 --device "$device" --save changed >out/resumed 2>&1 || fail "$(cat out/resumed)"
cmp alone changed || fail "3, 2 and 1 workers come to other bytes"

# A worker is killed somewhere; the last whole file is gone on with by those that are left.
for round in 1 2 3; do
    rm -f killed
    launch -n 3 "$tenon" train --data digits:250 --net "$net" --batch 32 --shards 8 --device "$device" --epochs 1000 \
        --save killed >out/killed 2>&1 &
    started=$!
    tries=0
    while [ ! -e killed ] && [ $tries -lt 300 ]; do sleep 0.1; tries=$((tries + 1)); done
    sleep 0.$((round * 3))
    victim=$(for p in $(pgrep -x tenon); do
        tr '\0' ' ' <"/proc/$p/cmdline" 2>/dev/null | grep -q -- "--save killed" && [ "$(readlink "/proc/$p/cwd")" = "$PWD" ] && echo "$p"
    done | sed -n "${round}p")
    [ -n "$victim" ] && kill -9 "$victim"
    wait $started && fail "round $round: a worker was killed, and all is said to be well: $(cat out/killed)"
    "$tenon" eval --model killed --device "$device" >out/eval 2>&1 || fail "round $round: what was saved is broken: $(cat out/eval)"
    epochs=$("$tenon" train --resume killed --epochs 1 --device "$device" 2>&1 | sed -n 's/.*: \([0-9]*\) of 1 epochs are done.*/\1/p')
    launch -n 2 "$tenon" train --resume killed --epochs $((epochs + 1)) --device "$device" --save left >out/left 2>&1 ||
        fail "round $round: those that are left don't go on after $epochs epochs: $(cat out/left)"
    trains 1 never --epochs $((epochs + 1))
    cmp left never || fail "round $round: those that are left come to other bytes"
done

# All are told of what one of them can't read, once.
launch -n 1 "$tenon" train --data digits:50 --device "$device" : -n 1 "$tenon" train --data nowhere.csv --device "$device" \
    >out/mixed 2>&1 && fail "one of two workers has no data, and all is well"
[ "$(grep -c 'nowhere.csv' out/mixed)" = 1 ] && grep -q 'rank 1: .*nowhere.csv' out/mixed || fail "not one line on nowhere.csv: $(cat out/mixed)"
launch -n 1 "$tenon" train --data digits:50 --device "$device" : -n 1 "$tenon" train --data digits:55 --device "$device" \
    >out/mixed 2>&1 && fail "two workers have other data, and all is well"
grep -q "'50' on rank 0, '55' on rank 1" out/mixed || fail "not said what differs: $(cat out/mixed)"

# A training that diverges ends all at the same step: one line, and the state as it is from the first of them.
launch -n 3 "$tenon" train --data digits:250 --net "linear 9, relu, linear 9, relu, linear 10" --batch 25 --shards 5 \
    --device "$device" --epochs 9 --lr 1e30 --save finite --diverged diverged >out/diverged 2>&1 && fail "the training diverged, and all is well"
[ "$(grep -c '^tenon: ' out/diverged)" = 1 ] && grep -q '^tenon: the loss is .* in epoch 1, step [1-4]: ' out/diverged ||
    fail "not one line on a training that diverged: $(cat out/diverged)"
[ -e diverged ] && [ ! -e finite ] || fail "not saved as it is: $(cat out/diverged)"
finish
