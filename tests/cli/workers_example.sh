# examples/workers.c comes to the same bytes alone and by mpirun, and one of its processes prints.
. "$(dirname "$0")/launch.sh"
example=$(dirname "$tenon")/examples/workers

"$example" alone >out/alone 2>&1 || fail "alone: $(cat out/alone)"
for n in 2 3; do
    launch -n $n "$example" many >out/many 2>&1 || fail "$n processes: $(cat out/many)"
    cmp alone many || fail "$n processes come to other bytes"
    [ "$(grep -c '^epoch' out/many)" = 3 ] && grep -q "^$n of us train" out/many || fail "$n processes print otherwise: $(cat out/many)"
done
finish
