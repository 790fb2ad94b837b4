# Ctrl-C, or a signal to one of several workers: all stop after the same step, one file is saved, one line says how to go
# on, and any number of workers does. What one of them alone was told wrongly is said once.
. "$(dirname "$0")/launch.sh"
net="linear 16, relu, linear 10"

# of WORDS RANK: the process of that worker, counted from 1, of those that were called with these words
of()
{
    for p in $(pgrep -x tenon); do
        tr '\0' ' ' 2>/dev/null <"/proc/$p/cmdline" | grep -q -- "$1" && [ "$(readlink "/proc/$p/cwd")" = "$PWD" ] && echo "$p"
    done | sed -n "$2p"
}

# come COMMAND...: waits until the command says yes, for half a minute
come()
{
    tries=0
    while ! "$@" && [ $tries -lt 300 ]; do sleep 0.1; tries=$((tries + 1)); done
}

# interrupt WHO SIGNAL: a worker, or `mpirun`
interrupt()
{
    rm -f stopped
    env --default-signal=INT,TERM,HUP sh -c 'exec "$@"' - $launcher -n 3 "$tenon" train --data digits:250 --net "$net" --batch 32 \
        --shards 8 --device "$device" --epochs 100000 --save stopped </dev/null >out/stopped 2>&1 &
    started=$!
    come test -e stopped
    [ "$1" = mpirun ] && kill -"$2" $started || kill -"$2" "$(of "--save stopped" "$1")"
    # MPICH's mpiexec that was interrupted itself has one of its own, at times 0.
    wait $started && [ "$1" != mpirun ] && fail "$2 to $1: the status is 0: $(cat out/stopped)"
    [ "$(grep -c '^tenon: ' out/stopped)" = 1 ] && grep -q '^tenon: interrupted in epoch .*--resume stopped' out/stopped ||
        fail "$2 to $1: not one line that says how to go on: $(cat out/stopped)"
    epochs=$(sed -n 's/.*interrupted in epoch \([0-9]*\),.*/\1/p' out/stopped)
    launch -n 2 "$tenon" train --resume stopped --device "$device" --epochs "$epochs" --save stopped >out/on 2>&1 ||
        fail "$2 to $1: two workers don't go on: $(cat out/on)"
    "$tenon" train --data digits:250 --net "$net" --batch 32 --shards 8 --device "$device" --epochs "$epochs" --save whole \
        >out/whole 2>&1 || fail "$(cat out/whole)"
    cmp whole stopped || fail "$2 to $1: the training came to other bytes"
}

interrupt 1 TERM
interrupt 3 INT
interrupt mpirun INT

# A log that can't be written any more, as on a disk that is full, ends all of them, with one line.
rm -f log
timeout -s KILL 100 $launcher -n 1 sh -c 'trap "" XFSZ; exec "$@"' - "$tenon" train --data digits:50 --batch 10 \
    --device "$device" --epochs 1000000 --log log : -n 1 "$tenon" train --data digits:50 --batch 10 --device "$device" \
    --epochs 1000000 </dev/null >out/log 2>&1 &
started=$!
come grep -q '"epoch": 2,' log 2>/dev/null
prlimit --pid "$(of "--log log" 1)" --fsize="$(wc -c <log)"
code=0
wait $started || code=$?
[ $code -gt 0 ] && [ $code -lt 128 ] || fail "a log that can't be written: status $code: $(tail -n 5 out/log)"
[ "$(grep -c '^tenon: ' out/log)" = 1 ] && grep -q '^tenon: .*log: cannot be written: File too large' out/log ||
    fail "not one line on a log that can't be written: $(grep -v '^epoch' out/log)"

# wrong WORD ARGUMENTS...: the second of two workers has these besides; one line names it.
wrong()
{
    word=$1
    shift
    given --device "$@" || set -- --device "$device" "$@"
    launch -n 1 "$tenon" train --data digits:50 --device "$device" : -n 1 "$tenon" train --data digits:50 "$@" \
        >out/wrong 2>&1 && fail "$*: one of two workers can't do that, and all is well"
    [ "$(grep -c '^tenon: ' out/wrong)" = 1 ] && grep -q "^tenon: rank 1: .*$word" out/wrong ||
        fail "$*: not one line on rank 1 with '$word': $(cat out/wrong)"
}

wrong nowhere.csv --test nowhere.csv
wrong banana --lr banana
wrong nowhere:7 --device nowhere:7

# Other options are refused by the name of what differs.
while read -r name arguments; do
    # shellcheck disable=SC2086 # words
    launch -n 1 "$tenon" train --data digits:50 --device "$device" : -n 1 "$tenon" train --data digits:50 --device "$device" \
        $arguments >out/other 2>&1 && fail "$arguments: two workers train otherwise, and all is well"
    [ "$(grep -c '^tenon: ' out/other)" = 1 ] && grep -q "do not fit together: \(the \)\?$name: .* on rank 0, .* on rank 1" out/other ||
        fail "$arguments: $(cat out/other)"
done <<END
loss --loss focal
optimizer's.options --lr 0.3
schedule --early-stop 3
what.the.samples.hold --seed 2
network --net perceptron
END
grep -q "'[0-9]* variables of [0-9]* numbers" out/other || fail "how networks differ is not said: $(cat out/other)"
finish
