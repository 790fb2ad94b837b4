# Two devices of one OpenCL driver come to the bytes of one; cpu and a device of OpenCL together to the reference's losses.
# PoCL makes two devices of a processor if it is asked to. sh crew_opencl.sh TENON SCRATCH DEVICE JSON_LINES
export POCL_DEVICES="pthread pthread" POCL_MAX_PTHREAD_COUNT=1 OMP_NUM_THREADS=1
. "$(dirname "$0")/common.sh"

# trains DEVICES FILE ARGUMENTS...
trains()
{
    devices=$1 file=$2
    shift 2
    "$tenon" train --shards 8 --device "$devices" --save "$file" "$@" 2>out/log || fail "$devices $*: $(cat out/log)"
}

net="conv 2 3x3, batchnorm, relu, maxpool 4, flatten, dropout 0.2, linear 10"
trains opencl:0 alone --data digits:250 --net "$net" --batch 32 --epochs 2
trains opencl:0+opencl:1 both --data digits:250 --net "$net" --batch 32 --epochs 2
grep -q '^opencl:0 takes 4 of 8 shards, opencl:1 takes 4$' out/log || fail "the shares are not said: $(cat out/log)"
cmp alone both || fail "two devices come to other bytes"

# The driver computes in the host's memory: gradients are made where both see them, and the update is made from there.
"$tenon" train --data digits:250 --net "$net" --batch 32 --shards 2 --device opencl:0+opencl:1 --epochs 1 --trace trace.json \
    2>out/log || fail "two shards: $(cat out/log)"
grep -q '"sum 0"' trace.json || fail "the trace has no sum 0"
grep -E '"(read|write) 0"' trace.json && fail "gradients that both devices see are copied"

# 50 steps.
losses() { sed -n 's/.*"step": [0-9]*, "loss": \([-0-9.e]*\).*/\1/p'; }
figures()
{
    trains "$1" model --data digits:320 --net "linear 32, tanh, linear 10" --optimizer momentum --lr 0.01 --batch 32 --epochs 5 \
        --json=step --shares "$2" | losses
}
figures reference 1 >expected
figures cpu+opencl:0 5:3 >got
[ "$(wc -l <expected)" = 50 ] || fail "$(wc -l <expected) losses"
paste expected got | awk '{ d = $1 - $2; if (d < 0) d = -d; if (NF != 2 || d > 1e-5) { print; bad = 1 } } END { exit bad }' ||
    fail "cpu and opencl:0 come to other losses than the reference"
finish
