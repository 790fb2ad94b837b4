#!/bin/sh
# symbols.sh PLUGIN.so|FOLDER...: each backend exports one symbol, tn_backend_query, and needs none of the library's.
command -v nm >/dev/null || { echo "no nm"; exit 77; }
failed=0 checked=0
for place in "$@"; do
    if [ -d "$place" ]; then set -- "$place"/*.so; else set -- "$place"; fi
    for file in "$@"; do
        [ -e "$file" ] || continue
        checked=$((checked + 1))
        exported=$(nm -D --defined-only "$file" | awk '{print $NF}' | tr '\n' ' ')
        needed=$(nm -D --undefined-only "$file" | awk '$NF ~ /^tn_/ {print $NF}' | tr '\n' ' ')
        echo "$file: exports $exported"
        [ "$exported" = "tn_backend_query " ] || { echo "  and should export tn_backend_query alone"; failed=1; }
        [ -z "$needed" ] || { echo "  needs $needed"; failed=1; }
    done
done
[ $checked -gt 0 ] || { echo "no backend was found"; exit 1; }
exit $failed
