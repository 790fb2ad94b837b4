#!/bin/sh
# The table of examples names every program, and none that is not there; each is built, is shorter than 160 lines and
# includes nothing of the library but its public header.
# usage: examples.sh SOURCE BUILD
set -eu
cd "$1/examples"
built=$2/bin/examples
bad=0

complain()
{
    echo "FAILED: $*"
    bad=1
}

names=$(sed -n 's/^| \[S[0-9]*\](\.\.\/docs\/examples\/[a-z0-9_]*\.md) | \[\([a-z0-9_]*\)\](\1\.c) .*/\1/p' README.md)
[ "$(echo "$names" | wc -l)" = 20 ] || complain "the table has $(echo "$names" | wc -l) programs, not 20"
for name in $names; do
    grep -q "^| \[S[0-9]*\](../docs/examples/$name.md)" README.md || complain "the table does not lead to the page of $name"
    [ -f "$name.c" ] || complain "the table names $name, but there is no examples/$name.c"
    [ -x "$built/$name" ] || complain "$name is not built"
done
for file in s*.c; do
    echo "$names" | grep -qx "${file%.c}" || complain "the table lacks $file"
    [ "$(wc -l <"$file")" -lt 160 ] || complain "$file is too long to be read in one go"
    grep -hE '^#include "' "$file" | grep -qvx '#include "common.h"' && complain "$file includes more than common.h"
done
grep -hE '^#include <tenon' common.h s*.c | grep -qvx '#include <tenon/tenon.h>' && complain "an inner header is included"
[ "$bad" = 0 ] && echo "$(echo "$names" | wc -l) programs"
