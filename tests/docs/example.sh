#!/bin/sh
# A program of examples/ holds its claim, and prints each line that its page shows, numbers aside: these differ from
# machine to machine and with the program's size. A line of "..." stands for any. The picture is there, and the page
# says by which command.
# usage: example.sh SOURCE NAME PROGRAM [ARGUMENTS...]
set -eu
page=$1/docs/examples/$2.md
name=$2
shift 2
fail()
{
    echo "FAILED: $name: $*"
    exit 1
}
code=0
printed=$("$@") || code=$?
printf '%s\n' "$printed"
[ "$code" = 0 ] || exit "$code"
# numbers, and what is left of texts that have more or fewer of them
plain() { sed -E 's/[-+]?(inf|nan|[0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?)/N/g; s/ +/ /g; s/ $//' | sort -u; }
shown=$(awk '/^<!-- output/ { there = 1; next } there && /^```/ { if (open) exit; open = 1; next } open && $0 != "..."' "$page")
[ -n "$shown" ] || fail "$page shows no output"
lines=$(printf '%s\n' "$printed" | plain)
lacking=$(printf '%s\n' "$shown" | plain | while IFS= read -r line; do
    printf '%s\n' "$lines" | grep -qxF -- "$line" || printf '%s\n' "$line"
done)
[ -z "$lacking" ] || fail "the page shows what is not printed: $lacking"
grep -q "^build/release/bin/examples/$name" "$page" || fail "the page does not say how it is run"
grep -q "($name.svg)" "$page" && grep -q '</svg>' "${page%.md}.svg" || fail "the page has no picture"
