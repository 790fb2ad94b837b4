#!/bin/sh
# Every link in the project's pages that names a file names one that is there.
# usage: links.sh SOURCE
set -eu
cd "$1"
total=$(mktemp)
trap 'rm -f "$total"' EXIT
for page in *.md docs/*.md docs/examples/*.md bench/*.md examples/*.md; do
    grep -oE '\]\([^)# ]+' "$page" | sed 's/^](//' | grep -vE '^[a-z]+:' | while read -r link; do
        echo "$page" >>"$total"
        [ -e "$(dirname "$page")/$link" ] || echo "FAILED: $page links to $link, which is not there"
    done
done >"$total.bad"
links=$(wc -l <"$total")
bad=$(wc -l <"$total.bad")
cat "$total.bad"
rm -f "$total.bad"
echo "$links links, $bad bad"
[ "$links" -gt 0 ] && [ "$bad" = 0 ]
