# ONNX files as networks that are trained: what a step makes of their weights, by hand; heads, freezing, saving, resuming.
. "$(dirname "$0")/common.sh"
"$tenon" info /dev/null 2>&1 | grep -q 'built without ONNX' && exit 77
cat >nets.py <<'PY'
"""A table, networks in ONNX files, and a step of SGD computed in plain Python."""
import json, math, random, struct, sys, zlib
random.seed(7)
INPUTS, HIDDEN, CLASSES, ROWS = 4, 6, 3, 40

def varint(x):
    out = b""
    while x > 127: out += bytes([x & 127 | 128]); x >>= 7
    return out + bytes([x])
def whole(f, x): return varint(f << 3) + varint(x & (1 << 64) - 1)
def part(f, b): return varint(f << 3 | 2) + varint(len(b)) + (b.encode() if isinstance(b, str) else b)
def value(name, *dims):
    shape = b"".join(part(1, part(2, d) if isinstance(d, str) else whole(1, d)) for d in dims)
    return part(1, name) + part(2, part(1, whole(1, 1) + part(2, shape)))
def node(op, ins, outs, at=b""): return b"".join(part(1, i) for i in ins) + b"".join(part(2, o) for o in outs) + part(4, op) + at
def attribute(name, x): return part(5, part(1, name) + whole(3, x) + whole(20, 2))
def tensor(name, kind, dims, data): return part(5, b"".join(whole(1, d) for d in dims) + whole(2, kind) + part(8, name) + part(9, data))
def floats(name, rows):
    flat = [x for row in rows for x in row] if isinstance(rows[0], list) else rows
    return tensor(name, 1, [len(rows)] + ([len(rows[0])] if isinstance(rows[0], list) else []), struct.pack("<%df" % len(flat), *flat))
def doubles(name, rows):
    return tensor(name, 11, [len(rows), len(rows[0])], b"".join(struct.pack("<%dd" % len(row), *row) for row in rows))
def model(nodes, weights, batch, inputs, classes):
    graph = b"".join(part(1, n) for n in nodes) + weights + part(11, value("x", batch, *inputs)) + part(12, value("y", batch, classes))
    return whole(1, 8) + part(7, graph) + part(8, whole(2, 17))
def f32(x): return struct.unpack("<f", struct.pack("<f", x))[0]
def matrix(n, m): return [[f32(random.uniform(-1, 1)) for _ in range(m)] for _ in range(n)]

w1, b1, w2, b2 = matrix(HIDDEN, INPUTS), matrix(1, HIDDEN)[0], matrix(CLASSES, HIDDEN), matrix(1, CLASSES)[0]
rows = [([f32(random.randrange(-20, 20) / 8) for _ in range(INPUTS)], random.randrange(CLASSES)) for _ in range(ROWS)]

def write():
    with open("t.csv", "w") as file:
        file.write("a,b,c,d,kind\n" + "".join(",".join(map(str, x)) + ",k%d\n" % c for x, c in rows))
    weights = floats("one.weight", w1) + floats("one.bias", b1) + floats("two.weight", w2) + floats("two.bias", b2)
    shape, flip = tensor("shape", 7, [2], struct.pack("<2q", 1, -1)), attribute("transB", 1)
    body = [node("Gemm", ["x", "one.weight", "one.bias"], ["p"], flip), node("Relu", ["p"], ["h"]), node("Reshape", ["h", "shape"], ["r"])]
    last = node("Gemm", ["r", "two.weight", "two.bias"], ["z"], flip)
    for name, end in (("softmax", "Softmax"), ("log", "LogSoftmax"), ("bare", "Identity")):
        nodes = body + [last, node(end, ["z"], ["y"])]
        open(name + ".onnx", "wb").write(model(nodes, weights + shape, 1, [INPUTS], CLASSES))
    open("open.onnx", "wb").write(model([body[0], body[1], node("Gemm", ["h", "two.weight", "two.bias"], ["y"], flip)], weights, "N", [INPUTS], CLASSES))
    seek = [body[0], body[1], node("NonZero", ["x"], ["found"]), node("Cast", ["found"], ["places"], attribute("to", 1)),
        node("ReduceSum", ["places"], ["sum"], attribute("keepdims", 0)), node("Mul", ["sum", "nothing"], ["none"]),
        node("Gemm", ["h", "two.weight", "two.bias"], ["z"], flip), node("Add", ["z", "none"], ["y"])]
    open("seek.onnx", "wb").write(model(seek, weights + tensor("nothing", 1, [], bytes(4)), "N", [INPUTS], CLASSES))
    tight = tensor("tight", 7, [2], struct.pack("<2q", 2, HIDDEN // 2))
    nodes = body[:2] + [node("Reshape", ["h", "shape"], ["r"]), node("Slice", ["r", "from", "to"], ["s"]), node("Gemm", ["s", "two.weight", "two.bias"], ["y"], flip)]
    cut = tensor("from", 7, [1], struct.pack("<q", 0)) + tensor("to", 7, [1], struct.pack("<q", 1))
    open("first.onnx", "wb").write(model(nodes, weights + shape + cut, 1, [INPUTS], CLASSES))

    # Equal initializers that an exporter made one: fresh layers of batch normalisation, whose statistics equal their factors.
    fresh = [node("Identity", [i], [o]) for i, o in (("ones", "two.scale"), ("ones", "one.var"), ("zeros", "two.shift"), ("zeros", "one.mean"))]
    fresh += [body[0], node("BatchNormalization", ["p", "ones", "zeros", "one.mean", "one.var"], ["n"]), node("Relu", ["n"], ["m"])]
    fresh += [node("BatchNormalization", ["m", "two.scale", "two.shift", "one.mean", "one.var"], ["o"]),
        node("Dropout", ["o"], ["d", "mask"]), node("Gemm", ["d", "two.weight", "two.bias"], ["y"], flip)]
    open("fresh.onnx", "wb").write(model(fresh, weights + floats("ones", [1.0] * HIDDEN) + floats("zeros", [0.0] * HIDDEN), "N", [INPUTS], CLASSES))
    token = part(1, "x") + part(2, part(1, whole(1, 7) + part(2, part(1, part(2, "N")) + part(1, whole(1, 2)))))
    graph = b"".join(part(1, n) for n in (node("Gather", ["table", "x"], ["e"]), node("ReduceMean", ["e"], ["y"], part(5, part(1, "axes") + whole(8, 1) + whole(20, 7)) + attribute("keepdims", 0))))
    graph += floats("table", matrix(5, 2)) + part(11, token) + part(12, value("y", "N", 2))
    open("tokens.onnx", "wb").write(whole(1, 8) + part(7, graph) + part(8, whole(2, 17)))
    none = [node("Cast", ["x"], ["p"], attribute("to", 6)), node("MatMul", ["p", "counts"], ["q"]), node("Cast", ["q"], ["y"], attribute("to", 1))]
    whole_product = [node("DynamicQuantizeLinear", ["x"], ["q", "s", "z"]), node("MatMulInteger", ["q", "bytes"], ["p"]),
        node("Cast", ["p"], ["f"], attribute("to", 1)), node("Mul", ["f", "one.scale"], ["y"])]
    few = tensor("bytes", 2, [INPUTS, CLASSES], bytes(range(12))) + floats("one.scale", [0.1] * CLASSES)
    open("quantised.onnx", "wb").write(model(whole_product, few, "N", [INPUTS], CLASSES))
    parts = [node("DequantizeLinear", ["bytes", "scale"], ["w"]), node("MatMul", ["x", "w"], ["p"]),
        node("Add", ["p", "one.bias"], ["y"])]
    few = tensor("bytes", 2, [INPUTS, CLASSES], bytes(range(12))) + tensor("scale", 1, [], struct.pack("<f", 0.1))
    open("parts.onnx", "wb").write(model(parts, few + floats("one.bias", [0.0] * CLASSES), "N", [INPUTS], CLASSES))
    open("none.onnx", "wb").write(model(none, tensor("counts", 6, [INPUTS, CLASSES], struct.pack("<12i", *range(12))), "N", [INPUTS], CLASSES))
    open("tokens.csv", "w").write("a,b,kind\n" + "".join("%d,%d,k%d\n" % (i % 5, i % 3, i % 2) for i in range(40)))
    end = [body[0], body[1], node("Gemm", ["h", "two.weight", "two.bias"], ["z"], flip), node("Sigmoid", ["z"], ["y"])]
    f64 = [node("Cast", ["x"], ["x64"], attribute("to", 11)), node("Gemm", ["x64", "one.weight", "one.bias"], ["p"], flip), body[1],
        node("Gemm", ["h", "two.weight", "two.bias"], ["z"], flip), node("Cast", ["z"], ["y"], attribute("to", 1))]
    wide = doubles("one.weight", w1) + doubles("one.bias", [b1]) + doubles("two.weight", w2) + doubles("two.bias", [b2])
    open("f64.onnx", "wb").write(model(f64, wide, "N", [INPUTS], CLASSES))
    open("sigmoid.onnx", "wb").write(model(end, weights, "N", [INPUTS], CLASSES))
    yes = [body[0], body[1], node("Gemm", ["h", "three.weight"], ["z"], flip), node("Sigmoid", ["z"], ["y"])]
    open("yes.onnx", "wb").write(model(yes, weights + floats("three.weight", w2[:1]), "N", [INPUTS], 1))
    open("yes.csv", "w").write("a,b,c,d,kind\n" + "".join(",".join(map(str, x)) + ",%s\n" % ("yes" if c else "no") for x, c in rows))
    graph = b"".join(part(1, n) for n in end[:2] + [node("Gemm", ["h", "two.weight", "two.bias"], ["y"], flip)]) + weights
    graph += part(11, value("two.bias", CLASSES)) + part(11, value("x", "N", INPUTS)) + part(12, value("y", "N", CLASSES))
    open("default.onnx", "wb").write(whole(1, 8) + part(7, graph) + part(8, whole(2, 17)))
    picture = part(1, "x") + part(2, part(1, whole(1, 2) + part(2, b"".join(part(1, whole(1, d)) for d in (1, 1, 1, 2)))))
    graph = part(1, node("Cast", ["x"], ["y"], attribute("to", 1))) + part(11, picture) + part(12, value("y", 1, 1, 1, 2))
    open("bytes.onnx", "wb").write(whole(1, 8) + part(7, graph) + part(8, whole(2, 17)))
    graph = part(1, node("Relu", ["x"], ["y"])) + part(11, value("x", 1, 2)) + part(12, value("y", 1, 2))
    open("later.onnx", "wb").write(whole(1, 8) + part(7, graph) + part(8, whole(2, 99)))
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    grey = chunk(b"IHDR", struct.pack(">2I5B", 2, 1, 8, 0, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(b"\0\0\xc8")) + chunk(b"IEND", b"")
    open("grey.png", "wb").write(b"\x89PNG\r\n\x1a\n" + grey)
    beside = part(5, whole(1, CLASSES) + whole(1, HIDDEN) + whole(2, 1) + part(8, "two.weight") + whole(14, 1) + part(13, part(1, "location") + part(2, "beside.data")))
    rest = floats("one.weight", w1) + floats("one.bias", b1) + floats("two.bias", b2)
    open("beside.onnx", "wb").write(model([body[0], body[1], node("Gemm", ["h", "two.weight", "two.bias"], ["y"], flip)], rest + beside, "N", [INPUTS], CLASSES))
    open("beside.data", "wb").write(struct.pack("<%df" % (CLASSES * HIDDEN), *sum(w2, [])))

    follow = [node("BatchNormalization", [i, "scale", "shift", "mean", "var"], [o]) for i, o in (("p", "n"), ("m", "o"))]
    nodes = [body[0], follow[0], node("Relu", ["n"], ["m"]), follow[1], node("Gemm", ["o", "two.weight", "two.bias"], ["y"], flip)]
    ends = [matrix(1, HIDDEN)[0] for _ in range(3)] + [[f32(random.uniform(0.5, 2)) for _ in range(HIDDEN)]]
    weights += b"".join(floats(n, v) for n, v in zip(("scale", "shift", "mean", "var"), ends))
    open("norm.onnx", "wb").write(model(nodes, weights, "N", [INPUTS], CLASSES))

def forward():
    out = []
    for x, c in rows:
        h = [max(0, sum(a * b for a, b in zip(row, x)) + b) for row, b in zip(w1, b1)]
        z = [sum(a * b for a, b in zip(row, h)) + b for row, b in zip(w2, b2)]
        top = max(z)
        p = [math.exp(v - top) for v in z]
        out.append((h, [v / sum(p) for v in p]))
    return out

def loss(): return sum(-math.log(p[c]) for (_, p), (_, c) in zip(forward(), rows)) / ROWS

def step(rate):
    """The weights after a step on all rows."""
    new = {"one.weight": [row[:] for row in w1], "one.bias": b1[:], "two.weight": [row[:] for row in w2], "two.bias": b2[:]}
    for (h, p), (x, c) in zip(forward(), rows):
        dz = [(v - (k == c)) / ROWS for k, v in enumerate(p)]
        dh = [sum(dz[k] * w2[k][j] for k in range(CLASSES)) * (h[j] > 0) for j in range(HIDDEN)]
        for d, inputs, w, b in ((dz, h, "two.weight", "two.bias"), (dh, x, "one.weight", "one.bias")):
            for k, g in enumerate(d):
                new[b][k] -= rate * g
                for j, v in enumerate(inputs): new[w][k][j] -= rate * g * v
    return {k: [x for row in v for x in (row if isinstance(row, list) else [row])] for k, v in new.items()}

def read(path):
    data = open(path, "rb").read()
    length = struct.unpack("<Q", data[:8])[0]
    head = json.loads(data[8:8 + length])
    head.pop("__metadata__", None)
    form = {"F32": (4, "f"), "F64": (8, "d")}
    return {k: (v["shape"], list(struct.unpack("<%d%s" % ((v["data_offsets"][1] - v["data_offsets"][0]) // form[v["dtype"]][0], form[v["dtype"]][1]),
        data[8 + length + v["data_offsets"][0]:8 + length + v["data_offsets"][1]]))) for k, v in head.items()}

if sys.argv[1] == "write": write()
if sys.argv[1] == "loss": sys.exit(abs(float(sys.argv[2]) - loss()) > 1e-5 * loss())
if sys.argv[1] == "step":
    got, want = read(sys.argv[2]), step(float(sys.argv[3]))
    frozen = {"one.weight": sum(w1, []), "one.bias": b1} if len(sys.argv) > 4 else {}
    want.update(frozen)
    assert sorted(got) == sorted(want), sorted(got)
    for name, values in want.items():
        off = max(abs(a - b) for a, b in zip(got[name][1], values))
        assert off < 2e-6, (name, off)
if sys.argv[1] == "samples":
    head = ("{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d), }" % (ROWS, INPUTS)).ljust(117) + "\n"
    open("x.npy", "wb").write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + b"".join(struct.pack("<4f", *x) for x, _ in rows))
    head = ("{'descr': '<f4', 'fortran_order': False, 'shape': (%d,), }" % CLASSES).ljust(117) + "\n"
    open("bias.npy", "wb").write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + struct.pack("<3f", *[x + 1 for x in b2]))
if sys.argv[1] == "shifted":
    a, b = (struct.unpack("<%df" % (ROWS * CLASSES), open(path, "rb").read()[-4 * ROWS * CLASSES:]) for path in sys.argv[2:4])
    assert all(abs(x + 1 - y) < 1e-5 for x, y in zip(a, b)), (a[:3], b[:3])
if sys.argv[1] == "near":
    a, b = read(sys.argv[2]), read(sys.argv[3])
    assert sorted(a) == sorted(b) and "var" in a, sorted(a)
    sys.exit(any(abs(x - y) > 1e-5 * max(1, abs(x)) for name in a for x, y in zip(a[name][1], b[name][1])))
if sys.argv[1] == "apart":
    got = read(sys.argv[2])
    for a, b in (("ones", "two.scale"), ("zeros", "two.shift"), ("ones", "one.var"), ("zeros", "one.mean")):
        assert got[a][1] != got[b][1] and len(set(got[b][1])) > 1, (a, b)
if sys.argv[1] == "shape": sys.exit(read(sys.argv[2])[sys.argv[3]][0] != json.loads(sys.argv[4]))
PY
python3 nets.py write || fail "making the files"
of_table() {
    given --optimizer "$@" || set -- --optimizer sgd "$@"
    given --epochs "$@" || set -- --epochs 1 "$@"
    given --batch "$@" || set -- --batch 40 "$@"
    "$tenon" train --data t.csv --test t.csv --scale none --device "$device" "$@"
}

# One step on all rows, from the file's weights: by a softmax that is applied once, wherever it stands.
for net in softmax log bare open; do
    of_table --net $net.onnx --lr 0.5 --weights $net.safetensors 2>stderr || fail "$net: $(cat stderr)"
    python3 nets.py step $net.safetensors 0.5 || fail "a step of $net"
    case $net in
    softmax | log) grep -q 'ends in .*oftmax, which --loss cross_entropy has in itself' stderr || fail "$net: $(cat stderr)" ;;
    esac
done
of_table --net log.onnx --loss nll --lr 0.5 --weights nll.safetensors 2>stderr || fail "nll: $(cat stderr)"
python3 nets.py step nll.safetensors 0.5 || fail "a step by nll"
of_table --net softmax.onnx --loss nll 2>stderr && fail "logarithms of a softmax"
grep -q -- '--loss nll takes logarithms, and softmax.onnx ends in Softmax' stderr || fail "nll: $(cat stderr)"
of_table --net f64.onnx --lr 0.5 --save f64.safetensors --weights wide.safetensors 2>stderr || fail "weights of double: $(cat stderr)"
python3 nets.py step wide.safetensors 0.5 || fail "a step of weights of double"
of_table --net f64.onnx --lr 0.5 --optimizer nadam --clip-norm 1 2>stderr || fail "weights of double, by nadam: $(cat stderr)"
"$tenon" eval --model f64.safetensors --data t.csv --device "$device" >said 2>stderr || fail "eval of double: $(cat stderr)"
of_table --net open.onnx --lr 0.5 --freeze one --weights frozen.safetensors 2>stderr || fail "freeze: $(cat stderr)"
python3 nets.py step frozen.safetensors 0.5 frozen || fail "frozen weights"
of_table --net open.onnx --freeze 'three*' 2>stderr && fail "freezing what is not there"
grep -q "no variable is called 'three\*'" stderr || fail "freeze: $(cat stderr)"

# What is found in what is fed has the room that is said, which a saved network knows.
of_table --net seek.onnx --lr 0.5 2>stderr && fail "numbers that are fed, without room"
grep -q 'NonZero' stderr || fail "without room: $(cat stderr)"
of_table --net seek.onnx --most 50 --lr 0.5 --save seek.safetensors --weights weights.safetensors 2>stderr || fail "train --most: $(cat stderr)"
python3 nets.py step weights.safetensors 0.5 || fail "a step with room"
"$tenon" eval --model seek.safetensors --data t.csv --device "$device" >said 2>stderr || fail "eval of a network with room: $(cat stderr)"
"$tenon" predict --model seek.safetensors --device "$device" t.csv >said 2>stderr || fail "predict by a network with room: $(cat stderr)"
"$tenon" train --resume seek.safetensors --epochs 2 --device "$device" 2>stderr || fail "going on with room: $(cat stderr)"
"$tenon" eval --model seek.onnx --data t.csv --device "$device" 2>stderr && fail "eval without room"
"$tenon" eval --model seek.onnx --most 50 --data t.csv --device "$device" >said 2>stderr || fail "eval --most: $(cat stderr)"
"$tenon" convert seek.onnx sought.safetensors 2>stderr && fail "convert without room"
"$tenon" convert seek.onnx --most 50 sought.safetensors 2>stderr || fail "convert --most: $(cat stderr)"
python3 nets.py samples
"$tenon" predict --model seek.onnx --most 50 --device "$device" --out a.npy x.npy >said 2>stderr || fail "predict --most: $(cat stderr)"
"$tenon" predict --model sought.safetensors --device "$device" --out b.npy x.npy >said 2>stderr || fail "predict by what was converted: $(cat stderr)"
cmp -s a.npy b.npy || fail "a network with room, converted"

# A layer of batch normalisation that is used twice; and over all shards of a batch, which is as without shards.
of_table --net norm.onnx --lr 0.5 --weights whole.safetensors 2>stderr || fail "batch normalisation: $(cat stderr)"
of_table --net norm.onnx --lr 0.5 --shards 5 --sync-norm --weights sync.safetensors 2>stderr || fail "sync: $(cat stderr)"
of_table --net norm.onnx --lr 0.5 --shards 5 --weights each.safetensors 2>stderr || fail "shards: $(cat stderr)"
python3 nets.py near whole.safetensors sync.safetensors || fail "batch normalisation over all shards"
python3 nets.py near whole.safetensors each.safetensors && fail "batch normalisation over each shard"

# Frozen, it goes by its running statistics: then samples are no matter to each other.
for shards in 1 5; do
    of_table --net norm.onnx --lr 0.5 --freeze "mean, var" --shards $shards --weights frozen$shards.safetensors 2>stderr || fail "frozen statistics: $(cat stderr)"
done
python3 nets.py near frozen1.safetensors frozen5.safetensors || fail "frozen statistics go by the batch"
python3 nets.py near whole.safetensors frozen1.safetensors && fail "frozen statistics are as others"

# Initializers that an exporter made one are several again; a mask that nobody uses is no matter.
of_table --net fresh.onnx --lr 0.5 --weights fresh.safetensors 2>stderr || fail "a fresh network: $(cat stderr)"
python3 nets.py apart fresh.safetensors || fail "layers that were equal are tied"

# Weights beside the file: there, too few, none; and no output takes the place of what the network is read from.
of_table --net beside.onnx --lr 0.5 --weights beside.safetensors 2>stderr || fail "weights beside: $(cat stderr)"
python3 nets.py step beside.safetensors 0.5 || fail "a step of weights beside the file"
for file in beside.onnx; do
    cp $file before
    for option in save best weights curve; do
        of_table --net beside.onnx --$option ./$file 2>stderr && fail "--$option onto the network's $file"
        [ "$(wc -l <stderr)" = 1 ] && grep -q -- "--$option ./$file: give it another file than --net" stderr || fail "--$option: $(cat stderr)"
    done
    cmp $file before || fail "$file was overwritten"
done
cp beside.data before
for option in save best weights log; do
    of_table --net beside.onnx --$option ./beside.data 2>stderr && fail "--$option onto the network's weights"
    grep -q -- "--$option ./beside.data: give it another file than the network's weights in beside.data" stderr || fail "--$option onto weights: $(cat stderr)"
done
cmp beside.data before || fail "the network's weights were overwritten"
cp beside.data whole.data
head -c 40 whole.data >beside.data
for command in "train --data t.csv --net" "info" "convert"; do
    "$tenon" $command beside.onnx $([ "$command" != convert ] || echo other.safetensors) >said 2>stderr && fail "$command: weights that are cut"
    grep -q "beside.data: tensor 'two.weight' has 40 of 72 bytes" stderr || fail "$command: weights that are cut: $(cat stderr)"
    grep -q 'not supported' said && fail "$command: $(cat said)"
done
rm beside.data
of_table --net beside.onnx 2>stderr && fail "weights that are not there"
grep -q 'beside.data: cannot be read' stderr || fail "weights that are not there: $(cat stderr)"

# What is saved needs no other file: it is measured, predicts, is converted, goes on, at any batch.
of_table --net softmax.onnx --lr 1e-30 --save m.safetensors 2>stderr || fail "saving: $(cat stderr)"
of_table --net softmax.onnx --optimizer adam --batch 8 --epochs 4 --save whole.safetensors 2>stderr || fail "whole: $(cat stderr)"
of_table --net softmax.onnx --optimizer adam --batch 8 --epochs 2 --save half.safetensors 2>stderr || fail "half: $(cat stderr)"
mkdir away && mv ./*.onnx away
"$tenon" train --resume half.safetensors --epochs 4 --save half.safetensors --device "$device" 2>stderr || fail "resume: $(cat stderr)"
for file in whole half; do
    "$tenon" predict --model $file.safetensors --device "$device" --out $file.npy t.csv >$file.said 2>stderr || fail "predict: $(cat stderr)"
done
cmp whole.npy half.npy || fail "a training that was interrupted comes to other numbers"
measured=$("$tenon" eval --model m.safetensors --json --device "$device" | sed 's/.*"test_loss": \([^,}]*\).*/\1/')
python3 nets.py loss "$measured" || fail "loss $measured"
"$tenon" convert whole.safetensors back.onnx 2>stderr || fail "convert: $(cat stderr)"
"$tenon" info back.onnx | grep -q '^operator Softmax  *1 ' || fail "a softmax: $("$tenon" info back.onnx)"

"$tenon" info whole.safetensors >said 2>stderr || fail "info: $(cat stderr)"
grep -q '^loss      cross_entropy$' said && grep -q '^operator Gemm  *2 ' said && grep -q 'all of it is supported' said || fail "info of a saved model: $(cat said)"

# Files of ONNX themselves: measured by the right loss, into safetensors and back, with the same bits.
for net in softmax log bare open; do
    measured=$("$tenon" eval --model away/$net.onnx --data t.csv --json --device "$device" 2>stderr | sed 's/.*"test_loss": \([^,}]*\).*/\1/')
    python3 nets.py loss "$measured" || fail "loss of $net: $measured, $(cat stderr)"
done
"$tenon" eval --model away/open.onnx --data t.csv --device "$device" --report open.html >said 2>stderr || fail "a page of a file: $(cat stderr)"
for part in "<h1>away/open.onnx</h1>" "measured on .* samples of t.csv" 'id="confusion"' 'id="worst"' "<b>51</b>parameters" "<dt>loss</dt><dd>cross_entropy</dd>"; do
    grep -q "$part" open.html || fail "a page of a file lacks '$part'"
done
grep -q "<b>$(sed -n 's/.*, accuracy \([0-9.]* %\).*/\1/p' said)</b>accuracy" open.html || fail "a page of a file tells another accuracy: $(cat said)"
python3 nets.py samples || fail "samples"
"$tenon" convert away/open.onnx open.safetensors 2>stderr || fail "to safetensors: $(cat stderr)"
"$tenon" convert open.safetensors again.onnx 2>stderr || fail "and back: $(cat stderr)"
"$tenon" convert away/open.onnx anew.onnx 2>stderr || fail "anew: $(cat stderr)"
for file in away/open.onnx open.safetensors again.onnx anew.onnx; do
    rm -f y.npy
    "$tenon" predict --model $file --device "$device" --out y.npy x.npy >said 2>stderr || fail "predict by $file: $(cat stderr)"
    [ -f first.npy ] || cp y.npy first.npy
    cmp y.npy first.npy || fail "$file predicts something else"
    "$tenon" info $file >said 2>stderr && grep -q '^weights  51$' said || fail "info of $file: $(cat said stderr)"
done
"$tenon" predict --model away/default.onnx --device "$device" --out y.npy x.npy >said 2>stderr || fail "a default: $(cat stderr)"
cmp y.npy first.npy || fail "a default is something else"
"$tenon" predict --model away/default.onnx --device "$device" --out y.npy x.npy two.bias=bias.npy >said 2>stderr || fail "in place of a default: $(cat stderr)"
python3 nets.py shifted first.npy y.npy || fail "a default stays"
"$tenon" predict --model away/default.onnx --device "$device" two.bias=bias.npy 2>stderr && fail "a default alone"
grep -q "input 'x' is missing" stderr || fail "a default alone: $(cat stderr)"
"$tenon" info anew.onnx | grep -q '^output   y  float (batch, 3)$' || fail "the batch of anew.onnx is not open: $("$tenon" info anew.onnx)"
"$tenon" predict --model away/softmax.onnx --device "$device" x.npy >said 2>stderr || fail "another batch than declared: $(cat stderr)"
grep -q '^y f32 (40, 3)' said || fail "another batch than declared: $(cat said)"
"$tenon" predict --model away/first.onnx --device "$device" x.npy >said 2>stderr && fail "a batch that the network does not allow"
grep -q "input 'x' is declared as (1, 4), and is (40, 4) here" stderr || fail "batch: $(cat stderr)"
"$tenon" eval --model away/open.onnx --device "$device" 2>stderr && fail "eval without data"
"$tenon" convert m.safetensors other.safetensors 2>stderr && fail "a trained model as safetensors"
"$tenon" info t.csv 2>stderr && fail "info of a table"
"$tenon" bench train --net away/open.onnx --shape 1x2x2 --samples 64 --batch 8 --repeats 2 --device "$device" >said 2>stderr || fail "bench: $(cat stderr)"
grep -q 'samples/s' said || fail "bench: $(cat said)"

# One that says yes or no is trained so, and keeps its one output.
"$tenon" train --data yes.csv --test yes.csv --net away/yes.onnx --epochs 1 --device "$device" --json >said 2>stderr || fail "yes or no: $(cat stderr)"
grep -q 'yes.onnx ends in Sigmoid, which --loss binary_cross_entropy has in itself' stderr || fail "yes or no: $(cat stderr)"
"$tenon" eval --model away/yes.onnx --data yes.csv --device "$device" >said 2>stderr || fail "eval of yes or no: $(cat stderr)"

# A sigmoid under a softmax of the loss is left out, then and whenever the model is used.
of_table --net away/sigmoid.onnx --lr 1e-30 --save sigmoid.safetensors 2>stderr || fail "a sigmoid: $(cat stderr)"
grep -q 'sigmoid.onnx ends in Sigmoid, and --loss cross_entropy has a softmax in its place' stderr || fail "a sigmoid: $(cat stderr)"
of_table --net away/open.onnx --lr 1e-30 --save plain.safetensors 2>stderr || fail "without a sigmoid: $(cat stderr)"
for net in sigmoid plain; do "$tenon" predict --model $net.safetensors --device "$device" --out $net.npy t.csv >/dev/null 2>stderr || fail "predict: $(cat stderr)"; done
cmp sigmoid.npy plain.npy || fail "a sigmoid under a softmax"

# Whole numbers, as tokens are, have no scale, and a fraction is none of them.
"$tenon" train --net away/tokens.onnx --data tokens.csv --test tokens.csv --optimizer sgd --lr 1e-30 --epochs 1 --device "$device" --save tokens.safetensors >/dev/null 2>stderr || fail "tokens: $(cat stderr)"
grep -q 'scale standard' stderr && fail "tokens are scaled"
"$tenon" predict --model tokens.safetensors --device "$device" --out tokens.npy tokens.csv >said 2>stderr || fail "tokens: $(cat stderr)"
sed 's/^1,/1.5,/' tokens.csv >parts.csv
for command in "train --net away/tokens.onnx --data" "eval --model away/tokens.onnx --data" "predict --model tokens.safetensors"; do
    "$tenon" $command parts.csv --device "$device" >said 2>stderr && fail "$command: fractions for whole numbers"
    grep -q "has 1.5, and input 'x' of .* takes whole numbers, int64" stderr || fail "$command: $(cat stderr)"
done
for number in -3e+09 -6 5; do
    sed "s/^1,/$number,/" tokens.csv >beyond.csv
    for command in "train --net away/tokens.onnx --data" "eval --model away/tokens.onnx --data" "predict --model tokens.safetensors"; do
        "$tenon" $command beyond.csv --device "$device" >said 2>stderr && fail "$command: numbers beyond i32"
        grep -q "has $number, and input 'x' of .* takes int64, from -5 to 4$" stderr || fail "$command: $(cat stderr)"
    done
done
"$tenon" train --net away/tokens.onnx --data tokens.csv --scale minmax --device "$device" 2>stderr && fail "a scale for tokens"
grep -q 'takes whole numbers, which have no scale' stderr || fail "a scale for tokens: $(cat stderr)"

# Files by another name, of a later opset, with bytes for pictures.
cp away/open.onnx named
for command in "eval --data t.csv" "predict"; do
    "$tenon" $command --model named --device "$device" $([ "$command" != predict ] || echo x.npy) >said 2>stderr || fail "$command without .onnx: $(cat stderr)"
done
"$tenon" predict --model away/open.onnx --device "$device" x.npy x.npy 2>stderr && fail "two files for an input"
grep -q 'has 1 input$' stderr || fail "two files for an input: $(cat stderr)"
"$tenon" info away/later.onnx >said 2>stderr && grep -q 'opset 99 is later than 28' stderr || fail "a later opset: $(cat stderr)"
"$tenon" info away/open.onnx 2>&1 | grep -q 'later than' && fail "an opset that is known"
"$tenon" predict --model away/bytes.onnx --device "$device" grey.png >said 2>stderr || fail "a picture for bytes: $(cat stderr)"
grep -q '^y f32 (1, 1, 1, 2): 0 200$' said || fail "a picture for bytes: $(cat said)"

# Another number of classes: a new last layer.
sed -i 's/,k2$/,k1/' t.csv
of_table --net away/softmax.onnx --lr 0.1 --save two.safetensors 2>stderr || fail "another head: $(cat stderr)"
grep -q "has 3 outputs: its last layer, 'two.weight', is replaced by a new one for the 2 classes of t.csv" stderr || fail "another head: $(cat stderr)"
python3 nets.py shape two.safetensors two.weight '[2, 6]' || fail "the shape of a new head"
"$tenon" eval --model two.safetensors --device "$device" >said 2>stderr || fail "eval of another head: $(cat stderr)"

# A saved model, and a network whose weights are of another type, are no networks to begin with.
train --net two.safetensors 2>stderr && fail "--net of a saved model"
grep -q 'two.safetensors: a saved model goes on by --resume' stderr || fail "--net of a saved model: $(cat stderr)"
of_table --net away/none.onnx 2>stderr && fail "weights of whole numbers"
grep -q 'none.onnx: it has no weights that are trained: these are float' stderr || fail "weights of whole numbers: $(cat stderr)"

for net in quantised:MatMulInteger parts:DequantizeLinear; do
    of_table --net away/${net%:*}.onnx 2>stderr && fail "weights that were quantised: $net"
    grep -q "${net%:*}.onnx: it was quantised: weights of ${net#*:} are whole numbers" stderr || fail "$net: $(cat stderr)"
done

# A file of another kind, and the same file, are said to be.
said() { word=$1; shift; "$tenon" "$@" 2>stderr && fail "'$*'"; grep -qF -e "$word" stderr || fail "'$*': $(cat stderr)"; }
said "open.onnx: is an ONNX file, and check takes what 'tenon train --save' wrote" check --model away/open.onnx
said "x.npy: is no safetensors file, but an array of NumPy" convert x.npy f.onnx
said "grey.png: is no safetensors file, but a PNG picture" convert grey.png f.onnx
said "tenon: two.safetensors: give it another file than the model two.safetensors" convert two.safetensors two.safetensors
cp away/open.onnx named.safetensors
said "named.safetensors: is no safetensors file, but an ONNX file" convert named.safetensors f.onnx

# What doesn't fit is one line that names the input.
train --net away/open.onnx 2>stderr && fail "pictures for a network of tables"
grep -q "away/open.onnx: its input 'x' is (N, 4), and a sample of digits.* is (1, 28, 28)" stderr || fail "shape: $(cat stderr)"
of_table --net away/first.onnx --batch 8 2>stderr && fail "a network that takes the first sample"
grep -q "input 'x' is declared as (1, 4), and is ([0-9]*, 4) here" stderr || fail "batch: $(cat stderr)"
finish
