#!/bin/sh
# fault.sh TENON FOLDER well|planted PLUGIN CASES: one run of the kit, and one line about it: the well-behaved plugin
# passes the cases; the one with a planted fault fails in the case that is to catch it, and the kit says why.
tenon=$1 plugin=$2/$4.so name=$4 cases=$5
case $3 in
well)
    out=$("$tenon" check "$plugin" --only "$cases") && echo "passed: $name in $cases" ||
        echo "MISSED: the well-behaved $name fails: $out"
    ;;
planted)
    out=$("$tenon" check "$plugin" --only "$cases" --time-limit 3 2>&1)
    status=$?
    why=$(printf '%s\n' "$out" | sed -n "\\|^$cases  *FAILED|{n;s/^ *//;p;}" | head -n 1)
    [ $status -eq 1 ] && [ -n "$why" ] && echo "caught: $name by $cases: $why" ||
        echo "MISSED: $name by $cases (status $status): $out"
    ;;
esac
