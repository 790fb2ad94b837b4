# A device with less memory than the data set trains on it all the same, and comes to what a large one comes to; so does
# one whose memory is enough, in buffers that are too small for it.
# usage: little.sh TENON SCRATCH LITTLE.so SMALL_BUFFERS.so
set -u
tenon=$1 scratch=$2 little=$3 small=$4
rm -rf "$scratch"
mkdir -p "$scratch"
cd "$scratch" || exit 1
failures=0
fail() {
    echo "FAILED: $*"
    failures=$((failures + 1))
}

# 9.4 MB to train on, 1.9 to test on
learn() { "$tenon" train --data digits:12000 --net "linear 64, relu, linear outputs" --batch 100 --epochs 1 --stats "$@" 2>stderr; }

learn --device cpu --weights large || fail "cpu: $(tail -n 1 stderr)"
grep -q '^samples, .* are on the device$' stderr || fail "cpu: $(grep samples, stderr)"
TENON_BACKEND_PATH=$little learn --device little --weights fed || fail "little: $(tail -n 1 stderr)"
grep -q "^samples, 10.8 MiB, are in the host's memory, and fed to it" stderr || fail "little: $(grep samples, stderr)"
cmp large fed || fail "the little device comes to something else"
TENON_BACKEND_PATH=$little learn --device little --resident device && fail "there is no room for that"
grep -q 'of 12.0 MiB .* are free' stderr || fail "little, --resident device: $(tail -n 1 stderr)"

# A net that takes more to be measured with 1000 samples at once than there is: fewer are.
conv="conv 8 5x5, relu, maxpool 2, flatten, linear outputs"
TENON_BACKEND_PATH=$little "$tenon" train --data digits:300 --net "$conv" --batch 20 --epochs 1 --device little --save conv \
    >/dev/null 2>stderr || fail "a convolution: $(tail -n 1 stderr)"
TENON_BACKEND_PATH=$little "$tenon" eval --model conv --data digits:9000 --device little >line 2>stderr ||
    fail "a convolution is not measured: $(tail -n 1 stderr)"
grep -q 'over 1800 test samples' line || fail "a convolution: $(cat line)"

# What does not fit even so is refused as before.
TENON_BACKEND_PATH=$little "$tenon" train --data digits:12000 --net "linear 4000, relu, linear outputs" --device little 2>stderr &&
    fail "a net that is too large is taken"
grep -q 'the network, .* MiB for its weights' stderr || fail "a net that is too large: $(tail -n 1 stderr)"

# Buffers of 64 KiB.
for device in cpu small_buffers; do
    TENON_BACKEND_PATH=$small "$tenon" train --data digits:100 --net "linear 16, relu, linear outputs" --batch 20 --epochs 1 --stats \
        --device $device --weights $device 2>stderr || fail "$device: $(tail -n 1 stderr)"
done
grep -q "fed to it" stderr || fail "small_buffers: $(grep samples, stderr)"
cmp cpu small_buffers || fail "small buffers come to something else"

[ "$failures" = 0 ] && echo "all well" && exit 0
echo "$failures failed"
exit 1
