#!/bin/sh
# limit.sh LIMIT: what tests/limit/limit.c promises.
limit=$1
failures=0
out=$(mktemp)
trap 'rm -f "$out"' EXIT

# ends STATUS TEXT OPTIONS...: limit ends with this status and says the text, or nothing of the kind where it is "-".
ends()
{
    want=$1 text=$2
    shift 2
    "$limit" "$@" >"$out" 2>&1
    got=$?
    [ $got -eq "$want" ] || fail "status $got where $want is due: $*"
    [ "$text" = - ] || grep -q -- "$text" "$out" || fail "does not say '$text': $*"
}

fail()
{
    failures=$((failures + 1))
    echo "FAILED: $*"
    sed 's/^/    /' "$out"
}

# gone SECONDS: nobody sleeps so long any more (the brackets hide grep itself).
gone()
{
    ! cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' ' ' | grep -q "slee[p] $1 " || fail "sleep $1 lives on"
}

busy='while :; do :; done'

ends 0 '0.0 s of processor time' 5 true
ends 1 - 5 false
ends 77 - 5 sh -c 'exit 77'
ends 127 'no_such_command' 5 no_such_command
ends 127 usage 5
ends 127 usage none true
ends 139 'died of signal 11' 5 sh -c 'kill -SEGV $$'
ends 0 - 5 sh -c 'sleep 0.2 & exit 0' # it ends in time

ends 124 'killed after .* processor time (limit 0.3)' 0.3 sh -c "$busy"
ends 124 'killed after .* processor time (limit 0.3)' 0.3 sh -c "sleep 7001 & ($busy) & wait"
gone 7001
# many short ones, that have all ended
ends 124 'killed after' 0.3 sh -c 'while :; do (i=0; while [ $i -lt 3000 ]; do i=$((i + 1)); done); done'
# an orphan of an orphan
ends 124 'killed after' 0.3 sh -c "(setsid sh -c '$busy' & setsid sleep 7002 &) ; sleep 7003"
gone 7002
gone 7003

ends 124 'it hangs' -i 1 5 sleep 7004
gone 7004
ends 124 'by the clock' -w 1 50 sh -c 'while sleep 0.01; do :; done'

ends 125 'left a process behind: sleep' -l 0.5 5 sh -c 'sleep 7005 & exit 0'
gone 7005
ends 125 'left a process behind: sleep' -l 0.5 5 sh -c 'setsid sleep 7006 & exit 3'
gone 7006

# Whoever ends it ends all.
for signal in INT TERM HUP; do
    # a shell has what it runs in the background ignore INT
    env --default-signal=INT "$limit" 5 sh -c 'sleep 7007 & echo begun; sleep 7008' >"$out" 2>&1 &
    until grep -q begun "$out"; do sleep 0.05; done
    kill -$signal $!
    wait $!
    status=$?
    [ $status -gt 128 ] || fail "$signal: status $status"
    gone 7007
    gone 7008
done

[ $failures -eq 0 ] && echo "all well"
