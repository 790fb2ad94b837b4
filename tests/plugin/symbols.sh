#!/bin/sh
# symbols.sh SYMBOL PLUGIN.so|FOLDER...: each plugin exports that one symbol, and needs none of the library's.
command -v nm >/dev/null || { echo "no nm"; exit 77; }
failed=0 checked=0 symbol=$1
shift
for place in "$@"; do
    if [ -d "$place" ]; then set -- "$place"/*.so; else set -- "$place"; fi
    for file in "$@"; do
        [ -e "$file" ] || continue
        checked=$((checked + 1))
        exported=$(nm -D --defined-only "$file" | awk '{print $NF}' | tr '\n' ' ')
        needed=$(nm -D --undefined-only "$file" | awk '$NF ~ /^tn_/ {print $NF}' | tr '\n' ' ')
        echo "$file: exports $exported"
        [ "$exported" = "$symbol " ] || { echo "  and should export $symbol alone"; failed=1; }
        [ -z "$needed" ] || { echo "  needs $needed"; failed=1; }
    done
done
[ $checked -gt 0 ] || { echo "no plugin was found"; exit 1; }
exit $failed
