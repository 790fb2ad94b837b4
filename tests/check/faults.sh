#!/bin/sh
# faults.sh TENON FOLDER LIST: the kit passes the well-behaved plugin in every case that catches a fault (but for large
# ones, which are as those of the reference), one that does its work later and one without f64 in those that are about
# it, and catches each planted fault in the case that the list names. FOLDER has the plugins, LIST a line "fault case"
# each.
# Eight run at a time: those that hang or sleep are waited for without a processor.
tenon=$1 folder=$2 list=$3
# A sanitizer, too, is to give out memory anew at once: same_place lives by that.
export ASAN_OPTIONS="${ASAN_OPTIONS:-}:quarantine_size_mb=0:thread_local_quarantine_size_kb=0"
runs=$(
    sed -n 's/^[a-z_0-9]* \([a-z].*\)$/\1/p' "$list" | grep -v '^large/' | sort -u | xargs -n 10 | tr ' ' ',' |
        sed 's/^/well none /'
    printf 'well none_later %s\n' queues/ load/
    printf 'well none_single gradients/%s\n' tanh matmul softmax
    sed -n 's/^[a-z_0-9]* [a-z].*$/planted &/p' "$list"
)
said=$(printf '%s\n' "$runs" | xargs -P 8 -L 1 sh "$(dirname "$0")/fault.sh" "$tenon" "$folder")
count() { printf '%s\n' "$1" | grep -cE "$2"; }
printf '%s\n' "$said" | grep -v '^passed: '
missed=$(count "$said" '^MISSED: ')
# What a driver is allowed to print may be as long as it likes.
"$tenon" check "$folder/prints.so" --only consistency/twins --chat running >/dev/null ||
    { echo "--chat does not allow all lines with its text"; missed=$((missed + 1)); }
# Where the system tells what threads wait for, a deadlock is known as one long before the time limit.
if cat /proc/self/syscall >/dev/null 2>&1; then
    "$tenon" check "$folder/deadlocks.so" --only queues/order | grep -q 'a deadlock' ||
        { echo "a deadlock is not seen as one"; missed=$((missed + 1)); }
fi
caught=$(count "$said" '^caught: ')
echo "$caught faults caught, $missed missed"
begun=$(count "$runs" '') answered=$(count "$said" '^(caught|passed|MISSED): ')
[ "$answered" -eq "$begun" ] || { echo "$answered of $begun runs came to an end"; exit 1; }
[ "$missed" -eq 0 ] && [ "$caught" -ge 85 ]
