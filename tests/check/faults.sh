#!/bin/sh
# faults.sh TENON FOLDER LIST: the kit passes the well-behaved plugin in every case that catches a fault, one that does
# its work later and one without f64 in those that are about it, and catches each planted fault in the case that the
# list names. FOLDER has the plugins, LIST a line "fault case" each.
# Four run at a time: those that hang are waited for without a processor.
tenon=$1 folder=$2 list=$3
cases=$(sed -n 's/^[a-z_0-9]* \([a-z].*\)$/\1/p' "$list" | sort -u)
said=$(mktemp -d)
trap 'rm -rf "$said"' EXIT
trap 'exit 1' INT TERM
well() {
    if out=$("$tenon" check "$folder/$1.so" --only "$2"); then
        echo "passed: $1 in $2"
    else
        echo "MISSED: the well-behaved $1 fails: $out"
    fi
}
planted() {
    out=$("$tenon" check "$folder/$1.so" --only "$2" --time-limit 10 2>&1)
    status=$?
    why=$(printf '%s\n' "$out" | sed -n "\\|^$2  *FAILED|{n;s/^ *//;p;}" | head -n 1)
    if [ $status -eq 1 ] && [ -n "$why" ]; then
        echo "caught: $1 by $2: $why"
    else
        echo "MISSED: $1 by $2 (status $status): $out"
    fi
}
begun=0
begin() {
    begun=$((begun + 1))
    "$@" >"$said/$begun" &
    [ $((begun % 4)) -ne 0 ] || wait
}
for case in $cases; do begin well none "$case"; done
for group in queues/ load/; do begin well none_later $group; done
for name in tanh matmul softmax; do begin well none_single gradients/$name; done
while read -r fault case; do
    case $fault in '#'* | '') continue ;; esac
    begin planted "$fault" "$case"
done <"$list"
wait
cat "$said"/* | grep -v '^passed: '
answered=$(cat "$said"/* | grep -cE '^(caught|passed|MISSED): ')
caught=$(cat "$said"/* | grep -c '^caught: ')
missed=$(cat "$said"/* | grep -c '^MISSED: ')
# Where the system tells what threads wait for, a deadlock is known as one long before the time limit.
if cat /proc/self/syscall >/dev/null 2>&1; then
    "$tenon" check "$folder/deadlocks.so" --only queues/order | grep -q 'a deadlock' ||
        { echo "a deadlock is not seen as one"; missed=$((missed + 1)); }
fi
echo "$caught faults caught, $missed missed"
[ "$answered" -eq $begun ] || { echo "$answered of $begun runs came to an end"; exit 1; }
[ $missed -eq 0 ] && [ "$caught" -ge 85 ]
