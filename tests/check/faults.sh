#!/bin/sh
# faults.sh TENON FOLDER LIST: the kit passes the well-behaved plugin in every case that catches a fault, one that does
# its work later and one without f64 in those that are about it, and catches each planted fault in the case that the
# list names. FOLDER has the plugins, LIST a line "fault case" each.
tenon=$1 folder=$2 list=$3
caught=0 missed=0
cases=$(sed -n 's/^[a-z_0-9]* \([a-z].*\)$/\1/p' "$list" | sort -u)
well() {
    out=$("$tenon" check "$folder/$1.so" --only "$2") || { echo "the well-behaved $1 fails: $out"; missed=$((missed + 1)); }
}
for case in $cases; do well none "$case"; done
for group in queues/ load/; do well none_later $group; done
for name in tanh matmul softmax; do well none_single gradients/$name; done
while read -r fault case; do
    case $fault in '#'* | '') continue ;; esac
    out=$("$tenon" check "$folder/$fault.so" --only "$case" --time-limit 10 2>&1)
    status=$?
    why=$(printf '%s\n' "$out" | sed -n "\\|^$case  *FAILED|{n;s/^ *//;p;}" | head -n 1)
    if [ $status -eq 1 ] && [ -n "$why" ]; then
        caught=$((caught + 1))
        echo "caught: $fault by $case: $why"
    else
        missed=$((missed + 1))
        echo "MISSED: $fault by $case (status $status): $out"
    fi
done <"$list"
# Where the system tells what threads wait for, a deadlock is known as one long before the time limit.
if cat /proc/self/syscall >/dev/null 2>&1; then
    "$tenon" check "$folder/deadlocks.so" --only queues/order | grep -q 'a deadlock' ||
        { echo "a deadlock is not seen as one"; missed=$((missed + 1)); }
fi
echo "$caught faults caught, $missed missed"
[ $missed -eq 0 ] && [ $caught -ge 85 ]
