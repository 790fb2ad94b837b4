# Transfer learning: a network begins with what fits of another's weights, keeps a part of it frozen, and learns the rest.
. "$(dirname "$0")/common.sh"

# weights FILE NAME: the values of a tensor, as hexadecimal text
weights() {
    python3 - "$1" "$2" <<'PY'
import json, struct, sys
data = open(sys.argv[1], "rb").read()
size = struct.unpack("<Q", data[:8])[0]
begin, end = json.loads(data[8:8 + size])[sys.argv[2]]["data_offsets"]
print(data[8 + size + begin:8 + size + end].hex())
PY
}

# tensors FILE: their names
tensors() {
    python3 - "$1" <<'PY'
import json, struct, sys
data = open(sys.argv[1], "rb").read()
print(*sorted(set(json.loads(data[8:8 + struct.unpack("<Q", data[:8])[0]])) - {"__metadata__"}))
PY
}

train --epochs 2 --save base.safetensors 2>stderr || fail "training: $(cat stderr)"

# Another head: the first layer fits, the second does not.
"$tenon" train --data digits:240 --net "linear 16, relu, linear 12, relu, linear 10" --batch 20 --device "$device" \
    --load base.safetensors --freeze fc1 --epochs 2 --save tuned.safetensors 2>stderr || fail "loading: $(cat stderr)"
grep -q '^2 tensors taken from base.safetensors' stderr || fail "not 2 tensors: $(cat stderr)"
grep -q "does not fit: 'fc2.weight' is f32 (10, 16) there and f32 (12, 16) in this network" stderr || fail "fit: $(cat stderr)"
grep -q "not there: 'fc3.weight'" stderr || fail "missing: $(cat stderr)"
for name in fc1.weight fc1.bias; do
    [ "$(weights base.safetensors $name)" = "$(weights tuned.safetensors $name)" ] || fail "$name was not kept"
done

# As PyTorch's users hand models on: f16, and a count of batches in I64.
python3 - <<'PY'
import json, struct
data = open("base.safetensors", "rb").read()
size = struct.unpack("<Q", data[:8])[0]
head, data = json.loads(data[8:8 + size]), data[8 + size:]
made, out = {}, b""
for name in ("fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"):
    begin, end = head[name]["data_offsets"]
    numbers = struct.unpack("<%df" % ((end - begin) // 4), data[begin:end])
    made[name] = {"dtype": "F16", "shape": head[name]["shape"], "data_offsets": [len(out), len(out) + len(numbers) * 2]}
    out += struct.pack("<%de" % len(numbers), *numbers)
made["bn1.num_batches_tracked"] = {"dtype": "I64", "shape": [], "data_offsets": [len(out), len(out) + 8]}
head = json.dumps(made).encode()
open("short.safetensors", "wb").write(struct.pack("<Q", len(head)) + head + out + struct.pack("<q", 7))
PY
train --load short.safetensors --freeze fc1 --epochs 1 --save single.safetensors 2>stderr || fail "f16: $(cat stderr)"
grep -q '^4 tensors taken from short.safetensors, 1 of it not used' stderr || fail "f16: $(cat stderr)"
python3 - "$(weights base.safetensors fc1.weight)" "$(weights single.safetensors fc1.weight)" <<'PY' || fail "f16: other weights"
import struct, sys
a, b = (struct.unpack("<%df" % (len(t) // 8), bytes.fromhex(t)) for t in sys.argv[1:])
assert len(a) == len(b) and all(struct.unpack("<e", struct.pack("<e", x))[0] == y for x, y in zip(a, b))
PY

# What is not frozen learns, and without --load the first layer is another one.
train --load base.safetensors --epochs 1 --save free.safetensors 2>stderr || fail "unfrozen: $(cat stderr)"
[ "$(weights base.safetensors fc1.weight)" != "$(weights free.safetensors fc1.weight)" ] || fail "fc1 did not learn"

# A resumed training keeps it frozen, and comes to the same.
train --load base.safetensors --freeze 'fc1' --epochs 4 --json 2>/dev/null | figures >whole
train --load base.safetensors --freeze 'fc1' --epochs 2 --json --save half.safetensors 2>/dev/null | figures >both
"$tenon" train --resume half.safetensors --epochs 4 --device "$device" --json --save half.safetensors 2>stderr | figures >>both
cmp whole both || fail "resumed otherwise: $(cat stderr)"
[ "$(weights base.safetensors fc1.weight)" = "$(weights half.safetensors fc1.weight)" ] || fail "fc1 moved after resuming"

# What was frozen is the name of a tensor, and no tensor.
train --freeze fc1.weight --epochs 1 --save frozen.safetensors 2>/dev/null
"$tenon" train --resume frozen.safetensors --epochs 2 --device "$device" --weights w.safetensors 2>stderr || fail "frozen: $(cat stderr)"
[ "$(tensors w.safetensors)" = "fc1.bias fc1.weight fc2.bias fc2.weight" ] || fail "frozen: $(tensors w.safetensors)"

# Nothing that fits is an error, and so are the other mistakes: one line each.
bad() {
    want=$1 word=$2
    shift 2
    given --epochs "$@" || set -- --epochs 1 "$@"
    train --save none.safetensors "$@" >stdout 2>stderr
    got=$?
    [ "$got" = "$want" ] || fail "'$*': exit status $got, not $want"
    [ "$(wc -l <stderr)" = 1 ] && grep -qF -e "$word" stderr || fail "'$*': '$word' is not the one line: $(cat stderr)"
    [ ! -e none.safetensors ] && [ ! -s stdout ] || fail "'$*': left something"
}
"$tenon" train --data digits:100 --net "linear 3, linear 10" --epochs 1 --device "$device" --save other.safetensors 2>/dev/null
bad 1 "none of its tensors fits" --net "linear 16, relu, linear 7, linear 10" --load other.safetensors
bad 1 "missing.safetensors" --load missing.safetensors
head -c 100 base.safetensors >cut.safetensors
bad 1 "cut.safetensors" --load cut.safetensors
bad 2 "no variable is called 'fc7'" --freeze fc7
bad 2 "no parameters" --freeze '*'
bad 2 "--freeze" --resume half.safetensors --freeze fc2 --epochs 9
train --epochs 1 --save plain.safetensors 2>/dev/null
"$tenon" train --resume plain.safetensors --freeze fc2 --epochs 9 --device "$device" 2>stderr
[ $? = 2 ] && grep -q -e "--freeze was not given" stderr || fail "freezing a resumed training: $(cat stderr)"
"$tenon" train --resume plain.safetensors --load base.safetensors --epochs 9 --device "$device" 2>stderr
[ $? = 2 ] && grep -q "give one of them" stderr || fail "load and resume: $(cat stderr)"
# A number that f32 does not hold: the file is named, not only its tensor.
python3 - <<'PY'
import json, struct
head = json.dumps({"fc2.bias": {"dtype": "F64", "shape": [10], "data_offsets": [0, 80]}}).encode()
open("wide.safetensors", "wb").write(struct.pack("<Q", len(head)) + head + struct.pack("<10d", *[1e300] * 10))
PY
bad 1 "tenon: --load wide.safetensors: tensor 'fc2.bias' has a number beyond the range of f32" --load wide.safetensors
finish
