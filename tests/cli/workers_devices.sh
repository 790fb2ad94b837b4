# Workers on other devices than the processor's: the same bytes for any number of them; and on unlike devices, as near as
# the devices are.
. "$(dirname "$0")/launch.sh"

# train FILE ARGUMENTS...
small()
{
    file=$1
    shift
    "$@" --data digits:60 --net "linear 9, relu, linear 10" --batch 12 --shards 4 --epochs 2 --save "$file" >out/"$file" 2>&1 ||
        fail "$file: $(cat out/"$file")"
}

for there in reference opencl:0; do
    "$tenon" devices --json 2>/dev/null | grep -q "\"device\": \"$there\"" || continue
    small alone "$tenon" train --device $there
    small two launch -n 2 "$tenon" train --device $there
    cmp alone two || fail "two workers on $there come to other bytes"
done

# The losses of 50 steps, of a network that is small enough for the slower of them to get some of the shards.
set -- train --data digits:80 --batch 16 --shards 16 --epochs 10 --json=step --net "linear 10" --lr 0.002 --device
losses() { sed -n 's/.*"step": \([0-9]*\),.*"loss": \([^,}]*\).*/\1 \2/p' "$1"; }
for there in cpu reference; do
    "$tenon" "$@" $there >out/steps 2>out/said || fail "$(cat out/said)"
    losses out/steps >$there
done
launch -n 1 "$tenon" "$@" cpu : -n 1 "$tenon" "$@" reference >out/steps 2>out/said || fail "$(cat out/said)"
losses out/steps >mixed
[ "$(wc -l <reference)" = 50 ] || fail "not 50 steps: $(cat reference)"
paste reference mixed | awk '{ d = $2 - $4; if (d < 0) d = -d; if ($1 != $3 || d > 1e-5 * $2) { print; bad = 1 } } END { exit bad }' ||
    fail "cpu and reference together are not near reference alone"
cmp -s cpu mixed && echo "the reference was too slow to get a shard"
finish
