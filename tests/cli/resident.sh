# Where samples are kept changes nothing but where they are: same losses, same weights, to the bit.
. "$(dirname "$0")/common.sh"

same host
same host --batch 7 --limit 100 --validation 0.2 --class-weights balanced --loaders 3
same host --batch 240
same host --batch 28 --shards 4 --loaders 2
same host --net "linear 8, batchnorm, relu, dropout 0.3, linear outputs" --optimizer adamw --schedule "cosine 20"
same host --data digits:1 --batch 1

# Stopped in the middle of an epoch, and resumed elsewhere.
train --epochs 3 --json --resident device 2>/dev/null | figures >whole
train --epochs 1 --json --resident host --save part 2>/dev/null | figures >both
"$tenon" train --resume part --epochs 3 --resident host --json --device "$device" 2>/dev/null | figures >>both
cmp whole both || fail "resumed otherwise"

# The budget decides.
place() { train --epochs 1 --stats "$@" 2>&1 | grep '^samples'; }
for size in 1G 300000 0.5M; do
    place --memory $size | grep -q 'on the device$' || fail "--memory $size: $(place --memory $size)"
done
for size in 1 200K 0.1M; do
    place --memory $size | grep -q "in the host's memory, and fed to it by 1 thread" ||
        fail "--memory $size: $(place --memory $size)"
done
place --memory 1 --loaders 4 | grep -q 'by 4 threads' || fail "--loaders 4: $(place --memory 1 --loaders 4)"

refused() {
    train "$@" >/dev/null 2>message && fail "$* is taken"
    [ "$(wc -l <message)" = 1 ] || fail "$*: $(cat message)"
    grep -q -e "$1" message || fail "$*: $(cat message)"
}
for size in 0 -1 64m 64MB M 1e20 nan; do refused --memory "$size"; done
refused --resident somewhere
refused --loaders 0

finish
