#!/bin/sh
# null.sh HEADERS ROWS: each public function that takes a pointer has a row in null.def for what a NULL does.
headers=$1 rows=$2 missing=0
names=$(cat "$headers"/*.h | tr '\n' ' ' | grep -oE 'TN_API [^;]*\);' | grep '\*.*(\|(.*\*' |
    grep -oE '\btn_[a-z0-9_]+\([^;]*[*[]' | grep -oE '^tn_[a-z0-9_]+' | sort -u)
[ "$(echo "$names" | wc -l)" -gt 200 ] || { echo "the functions are not found"; exit 1; }
for name in $names; do
    grep -q "($name," "$rows" || { echo "tests/graph/null.def has no row for $name"; missing=1; }
done
exit $missing
