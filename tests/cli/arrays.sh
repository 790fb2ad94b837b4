# NumPy's files and safetensors: training, evaluating and predicting from them, and outputs as such a file.
. "$(dirname "$0")/common.sh"

value() { grep -o "\"$1\": [^,}]*" | tail -n 1 | sed 's/.*: //'; }

# Makes pictures with a bright row or a bright column, and regression data, as NumPy would write them.
cat >make.py <<'PY'
import random, struct, zipfile

def npy(descr, shape, values, code):
    head = "{'descr': '%s', 'fortran_order': False, 'shape': %r, }" % (descr, tuple(shape))
    head += " " * (-(len(head) + 11) % 64) + "\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(head)) + head.encode() + struct.pack("<%d%s" % (len(values), code), *values)

random.seed(1)
def picture(kind):
    at, x = random.randrange(8), [random.randrange(60) for _ in range(64)]
    for i in range(8):
        x[8 * at + i if kind else 8 * i + at] = 255
    return x
kinds = [random.randrange(2) for _ in range(300)]
pixels = sum((picture(k) for k in kinds), [])
with zipfile.ZipFile("bars.npz", "w", zipfile.ZIP_DEFLATED) as z:
    z.writestr("x.npy", npy("|u1", (300, 8, 8), pixels, "B"))
    z.writestr("y.npy", npy("<i8", (300,), kinds, "q"))
head = b'{"x":{"dtype":"U8","shape":[300,8,8],"data_offsets":[0,19200]},"y":{"dtype":"I64","shape":[300],"data_offsets":[19200,21600]}}'
open("tensors.safetensors", "wb").write(struct.pack("<Q", len(head)) + head + bytes(pixels) + struct.pack("<300q", *kinds))
open("ask.npy", "wb").write(npy("|u1", (2, 8, 8), picture(1) + picture(0), "B"))
rows = [[random.uniform(0, 1000), random.random()] for _ in range(200)]
with zipfile.ZipFile("numbers.npz", "w") as z:
    for part, rs in (("train", rows[:160]), ("test", rows[160:])):
        z.writestr("x_%s.npy" % part, npy("<f8", (len(rs), 2), sum(rs, []), "d"))
        z.writestr("y_%s.npy" % part, npy("<f4", (len(rs), 2), sum([[3 * a + 500 * b, a - 100 * b] for a, b in rs], []), "f"))
with zipfile.ZipFile("gaps.npz", "w") as z:
    z.writestr("x.npy", npy("<f4", (40, 1), [float(i) for i in range(40)], "f"))
    z.writestr("y.npy", npy("<i8", (40,), [3 + 4 * (i % 2) for i in range(40)], "q"))
open("wide.npy", "wb").write(npy("<f4", (1, 3), [1, 2, 3], "f"))
open("rows.npy", "wb").write(npy("<f2", (3, 2), [500, 0.5, 100, 0.25, 900, 0.75], "e"))
PY
python3 make.py || fail "python3"

"$tenon" train --data bars.npz --net "linear 16, relu, linear outputs" --lr 0.01 --batch 16 --epochs 15 --device "$device" --json --save bars.safetensors 2>stderr >lines || fail "$(cat stderr)"
awk "BEGIN { exit !($(value test_accuracy <lines) > 0.9) }" || fail "bars: accuracy $(value test_accuracy <lines)"
"$tenon" eval --model bars.safetensors --device "$device" --json >evaluated 2>stderr || fail "$(cat stderr)"
[ "$(value test_loss <lines)" = "$(value test_loss <evaluated)" ] || fail "eval: $(cat evaluated)"
"$tenon" predict --model bars.safetensors --device "$device" --out bars.npy ask.npy >said 2>stderr || fail "$(cat stderr)"
grep -q '^ask.npy 0: 1 (' said && grep -q '^ask.npy 1: 0 (' said || fail "bars: $(cat said)"
python3 - <<'PY' || fail "bars.npy"
import struct
b = open("bars.npy", "rb").read()
assert b[:8] == b"\x93NUMPY\1\0" and b"'shape': (2, 2)" in b and b"'descr': '<f4'" in b, b[:80]
p = struct.unpack("<4f", b[-16:])
assert p[1] > 0.5 > p[0] and p[2] > 0.5 > p[3] and abs(p[0] + p[1] - 1) < 1e-5, p
PY

# The same in a safetensors file means the same.
"$tenon" train --data tensors.safetensors --net "linear 16, relu, linear outputs" --lr 0.01 --batch 16 --epochs 15 --device "$device" --json --save same.safetensors 2>stderr >same || fail "$(cat stderr)"
[ "$(value test_loss <lines)" = "$(value test_loss <same)" ] || fail "tensors.safetensors: $(cat same)"
"$tenon" predict --model bars.safetensors --device "$device" tensors.safetensors 2>stderr | wc -l | grep -qx 300 || fail "$(cat stderr)"

# Regression with several outputs, scaled: what comes out is in its own units.
"$tenon" train --data numbers.npz --scale standard --net "linear outputs" --loss mse --lr 0.05 --batch 16 --epochs 40 --device "$device" --save numbers.safetensors 2>stderr || fail "$(cat stderr)"
"$tenon" predict --model numbers.safetensors --device "$device" --out out.npy rows.npy rows.npy >said 2>stderr || fail "$(cat stderr)"
python3 - <<'PY' || fail "out.npy"
import struct
b = open("out.npy", "rb").read()
assert b"'shape': (6, 2)" in b, b[:80]
p = struct.unpack("<12f", b[-48:])
for i, (x, y) in enumerate([(1750, 450), (425, 75), (3075, 825)] * 2):
    assert abs(p[2 * i] - x) < 15 and abs(p[2 * i + 1] - y) < 15, p
PY

# Classes that no sample is of are told.
"$tenon" train --data gaps.npz --epochs 1 --quiet --device "$device" >said 2>stderr || fail "$(cat stderr)"
grep -q "warning: 6 of the 8 classes have no training sample: '0', '1', '2', '4' ...; classes that are numbers go from 0 to the largest" stderr ||
    fail "gaps.npz: $(cat stderr)"

# A file with samples for testing of its own is measured on these, and the training's are no part of them.
"$tenon" eval --model numbers.safetensors --data numbers.npz --device "$device" >said 2>stderr || fail "$(cat stderr)"
grep -q "over 40 test samples" said && [ ! -s stderr ] || fail "numbers.npz: $(cat said stderr)"
# What has no name has the same everywhere.
grep -q '^  output 1 ' said && ! grep -q 'output 0' said || fail "a target without a name: $(cat said)"
"$tenon" predict --model numbers.safetensors --device "$device" --out named.csv rows.npy >said 2>stderr || fail "$(cat stderr)"
head -n 1 named.csv | grep -q '^input,index,output 1' || fail "an output without a name: $(head -n 1 named.csv)"
"$tenon" eval --model bars.safetensors --data bars.npz --device "$device" >said 2>stderr || fail "$(cat stderr)"
grep -q "over 300 test samples" said && grep -q "240 of its 300 samples were trained on" stderr || fail "bars.npz: $(cat said stderr)"

# Mistakes.
bad() {
    want=$1 word=$2
    shift 2
    "$tenon" "$@" --device "$device" >stdout 2>stderr
    got=$?
    [ "$got" = "$want" ] || fail "'$*': exit status $got, not $want"
    [ "$(wc -l <stderr)" = 1 ] && grep -qF -e "$word" stderr || fail "'$*': '$word' is not the one line: $(cat stderr)"
    [ ! -e none.npy ] && [ ! -s stdout ] || fail "'$*': left something"
}
head -c 500 bars.npz >cut.npz
bad 1 "cut.npz" train --data cut.npz
bad 1 "an .npz or .safetensors file with x and y" train --data ask.npy
bad 2 "needs one class" train --data numbers.npz --loss cross_entropy
bad 1 "the model was trained on pictures" predict --model bars.safetensors --out none.npy rows.npy
bad 1 "the model wants" predict --model numbers.safetensors --out none.npy wide.npy
bad 1 "rows.npz" predict --model numbers.safetensors --out none.npy rows.npz
bad 1 "nowhere/" predict --model numbers.safetensors --out nowhere/a.npy rows.npy
bad 2 "--out" eval --model numbers.safetensors --out none.npy
finish
