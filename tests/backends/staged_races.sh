#!/bin/sh
# Products and convolutions in stages, as NVIDIA's instructions compute them (cl/ptx_model.cl), under Oclgrind: right,
# without a race and without a read or a write beyond memory. That it would tell is seen where products are handed on
# without a barrier.
# usage: staged_races.sh STAGED
set -eu
command -v oclgrind >/dev/null || { echo "no oclgrind: sh tools/setup.sh sanitize"; exit 77; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# run LOG WORDS...
run()
{
    log=$1
    shift
    oclgrind --data-races --local-mem-size 65536 --log "$log" "$@" # the model has some for itself
}
run "$folder/log" "$1" ptx-model 1 20 || { head -n 40 "$folder/log"; exit 1; }
[ ! -s "$folder/log" ] || { head -n 40 "$folder/log"; exit 1; }
run "$folder/broken" "$1" ptx-model 1 0 broken >/dev/null || :
grep -q -i 'race' "$folder/broken" || { echo "no barrier is no race"; head -n 10 "$folder/broken"; exit 1; }
