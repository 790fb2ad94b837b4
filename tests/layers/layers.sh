#!/bin/sh
# Layers use only symbols of those that stand before them. usage: layers.sh LIST
# A line of LIST is a layer's name and its objects. The one exception is asked for by the plugin layer on purpose.
set -u
list=$1

# "layer symbol layer" for each use of a later layer's symbol
upward() {
    while read -r layer objects; do
        # shellcheck disable=SC2086 # a list
        nm -A -P -g $objects | awk -v layer="$layer" '$2 ~ /^tn_/ { print layer, $2, $3 }'
    done |
        awk '!($1 in number) { number[$1] = ++layers; name[layers] = $1 }
             $3 == "U" { uses[$1 " " $2] = 1; next }
             { home[$2] = $1 }
             END {
                 for (use in uses) {
                     split(use, at, " ")
                     if (at[2] in home && number[home[at[2]]] > number[at[1]]) print at[1], at[2], home[at[2]]
                 }
             }'
}

found=$(upward <"$list")
if [ -n "$found" ]; then
    echo "$found" | while read -r layer symbol home; do echo "$layer uses $symbol, which is of $home, above it"; done
    exit 1
fi
# the same list from its end must be wrong
[ -n "$(sed '1!G;h;$!d' "$list" | upward)" ] || { echo "nothing is found in the reversed list either"; exit 1; }
