#!/bin/sh
# old_names.sh COMPILER HEADERS: a program with an old name compiles, with a warning that says the new one.
said=$(printf '#include "tenon/tenon.h"\nvoid *old(tn_tensor *x) { return tn_window(x, x, 1); }\n' |
    "$1" -Wall -I "$2" -x c -fsyntax-only - 2>&1) || { echo "$said"; exit 1; }
echo "$said" | grep -q 'deprecated.*tn_dynamic_slice' || { echo "no warning: $said"; exit 1; }
