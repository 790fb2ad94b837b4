# `tenon info` and `tenon predict` on ONNX files.
. "$(dirname "$0")/common.sh"
python3 - <<'PY' || fail "making the files"
import struct
def varint(x):
    out = b""
    while x > 127: out += bytes([x & 127 | 128]); x >>= 7
    return out + bytes([x])
def whole(f, x): return varint(f << 3) + varint(x)
def part(f, b): return varint(f << 3 | 2) + varint(len(b)) + (b.encode() if isinstance(b, str) else b)
def value(name, *dims):
    shape = b"".join(part(1, part(2, d) if isinstance(d, str) else whole(1, d)) for d in dims)
    return part(1, name) + part(2, part(1, whole(1, 1) + part(2, shape)))
def node(op, ins, outs): return b"".join(part(1, i) for i in ins) + b"".join(part(2, o) for o in outs) + part(4, op)
def model(nodes, ins, outs, weights=b""):
    graph = b"".join(part(1, n) for n in nodes) + weights + b"".join(part(11, i) for i in ins) + b"".join(part(12, o) for o in outs)
    return whole(1, 8) + part(7, graph) + part(8, whole(2, 17))
w = part(5, whole(1, 2) + whole(1, 2) + whole(2, 1) + part(8, "w") + part(9, struct.pack("<4f", 1, -2, 3, 4)))
open("net.onnx", "wb").write(model([node("MatMul", ["x", "w"], ["p"]), node("Relu", ["p"], ["y"])], [value("x", "N", 2)], [value("y", "N", 2)], w))
b = part(5, whole(1, 2) + whole(2, 1) + part(8, "b") + part(9, struct.pack("<2f", 1, 2)))
open("default.onnx", "wb").write(model([node("MatMul", ["x", "w"], ["p"]), node("Add", ["p", "b"], ["y"])],
    [value("x", "N", 2), value("w", 2, 2), value("b", 2)], [value("y", "N", 2)], w + b))
open("two.onnx", "wb").write(model([node("Add", ["a", "b"], ["sum"]), node("Sub", ["a", "b"], ["rest"])],
    [value("a", 2), value("b", 2)], [value("sum", 2), value("rest", 2)]))
open("odd.onnx", "wb").write(model([node("Strange", ["x"], ["p"]), node("Strange", ["p"], ["q"]), node("Odd", ["x"], ["y"])], [value("x", "N", 2)], [value("y", "N", 2)]))
open("picture.onnx", "wb").write(model([node("Relu", ["x"], ["y"])], [value("x", 1, 1, 2, 2)], [value("y", 1, 1, 2, 2)]))
def npy(name, shape, numbers):
    head = ("{'descr': '<f4', 'fortran_order': False, 'shape': %s, }" % (shape,)).ljust(117) + "\n"
    open(name, "wb").write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + struct.pack("<%df" % len(numbers), *numbers))
npy("x.npy", (3, 2), [1, 1, -1, 0, 0, 2])
npy("a.npy", (2,), [3, 4])
npy("b.npy", (2,), [1, 1])
def typed(kind, name, n): return part(1, name) + part(2, part(1, whole(1, kind) + part(2, part(1, whole(1, n)))))
open("places.onnx", "wb").write(model([node("NonZero", ["x"], ["y"])], [typed(7, "x", 3)], [part(1, "y") + part(2, part(1, whole(1, 7)))]))
open("twice.onnx", "wb").write(model([node("Add", ["x", "x"], ["y"])], [typed(7, "x", 3)], [typed(7, "y", 3)]))
for name, last in (("whole", 7), ("beyond", 2 ** 40)):
    head = "{'descr': '<i8', 'fortran_order': False, 'shape': (3,), }".ljust(117) + "\n"
    open(name + ".npy", "wb").write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + struct.pack("<3q", 5, 0, last))
for name, kind in (("bool", 9), ("uint8", 2), ("int8", 3), ("uint16", 4), ("int16", 5), ("uint64", 13), ("float16", 10), ("bfloat16", 16)):
    open(name + ".onnx", "wb").write(model([node("Identity", ["x"], ["y"])], [typed(kind, "x", 3)], [typed(kind, "y", 3)]))
PY

"$tenon" info net.onnx >said 2>stderr
status=$?
grep -q 'built without ONNX' stderr && exit 77
[ $status = 0 ] || fail "info: $(cat stderr)"
grep -q '^input    x  float (N, 2)$' said && grep -q '^weights  4$' said && grep -q '^operator MatMul  *1  opset 17$' said || fail "info: $(cat said)"
grep -q 'all of it is supported' said || fail "info: $(cat said)"
"$tenon" info --device "$device" --shape N=5 net.onnx >said 2>stderr && grep -q "^on $device: .* 0 of them elsewhere" said || fail "info of a device: $(cat said stderr)"

# All that is not supported is said at once, with how often and where.
"$tenon" info odd.onnx >said 2>stderr || fail "info: $(cat stderr)"
grep -q "Strange .* 2 times, first at 'p'" said && grep -q "Odd .* 1 time," said || fail "what is not supported: $(cat said)"
"$tenon" predict --model odd.onnx --device "$device" x.npy >said 2>stderr && fail "an operator that is not there"
grep -q 'Odd' stderr || fail "what is not supported: $(cat stderr)"

# By the data's shape; the outputs as an array, too.
"$tenon" predict --model net.onnx --device "$device" --out y.npy x.npy >said 2>stderr || fail "predict: $(cat stderr)"
grep -q '^y f32 (3, 2): 4 2 0 2 6 8$' said || fail "predict: $(cat said)"
"$tenon" predict --model net.onnx --device "$device" y.npy >said 2>stderr || fail "predict from its own output: $(cat stderr)"
grep -q '^y f32 (3, 2): 10 0 6 8 30 20$' said || fail "predict: $(cat said)"

# Several inputs, by order and by name; several outputs.
"$tenon" predict --model two.onnx --device "$device" --out r.npy a.npy b.npy >said 2>stderr || fail "two inputs: $(cat stderr)"
grep -q '^sum f32 (2): 4 5$' said && grep -q '^rest f32 (2): 2 3$' said || fail "two inputs: $(cat said)"
[ -f r.sum.npy ] && [ -f r.rest.npy ] || fail "outputs by their names: $(ls)"
"$tenon" predict --model two.onnx --device "$device" --out r.npz a.npy b.npy >said 2>stderr || fail "an archive: $(cat stderr)"
python3 - <<'PY' || fail "an archive: what is in it"
import struct, zipfile
with zipfile.ZipFile("r.npz") as z:
    assert z.testzip() is None and z.namelist() == ["sum.npy", "rest.npy"], z.namelist()
    for name, numbers in (("sum", (4, 5)), ("rest", (2, 3))):
        data = z.read(name + ".npy")
        head = struct.unpack("<H", data[8:10])[0]
        assert data[:8] == b"\x93NUMPY\x01\x00" and (head + 10) % 64 == 0, data[:10]
        assert eval(data[10:10 + head]) == {"descr": "<f4", "fortran_order": False, "shape": (2,)}, data[10:10 + head]
        assert struct.unpack("<2f", data[10 + head:]) == numbers, data[10 + head:]
PY
mv r.npz in.npz && python3 - <<'PY'
import zipfile
with zipfile.ZipFile("in.npz") as z, zipfile.ZipFile("ab.npz", "w") as to:
    to.writestr("a.npy", z.read("sum.npy")), to.writestr("b.npy", z.read("rest.npy"))
PY
"$tenon" predict --model two.onnx --device "$device" ab.npz >said 2>stderr && grep -q '^rest f32 (2): 2 2$' said || fail "what was written, read: $(cat said stderr)"
"$tenon" predict --model two.onnx --device "$device" b=a.npy a=b.npy >said 2>stderr && grep -q '^rest f32 (2): -2 -3$' said || fail "by name: $(cat said stderr)"
"$tenon" predict --model two.onnx --device "$device" a.npy >said 2>stderr && fail "an input is missing"
grep -q "input 'b' is missing" stderr || fail "missing: $(cat stderr)"
"$tenon" predict --model net.onnx --device "$device" --shape M=3 x.npy 2>stderr && fail "--shape of nothing"
grep -q "no input and no dimension 'M'" stderr || fail "--shape: $(cat stderr)"

# Whole numbers that i32 has not are refused, as they are fed.
"$tenon" predict --model twice.onnx --device "$device" whole.npy >said 2>stderr && grep -q '^y i32 (3): 10 0 14$' said || fail "int64: $(cat said stderr)"
"$tenon" predict --model twice.onnx --device "$device" beyond.npy >said 2>stderr && fail "an int64 beyond i32"
grep -q 'beyond.npy: has 1099511627776, a number beyond the range of i32' stderr || fail "int64: $(cat stderr)"

# So are those that the declared type has not; f16 and bf16 are rounded to, as a cast does; whole numbers are told whole.
given() {
    kind=$1 shift=$2
    python3 - $shift <<'PY' || fail "given.npy"
import struct, sys
x = sys.argv[1].split(",")
code, size = ("f8", "d") if "." in sys.argv[1] else ("i8", "q")
head = ("{'descr': '<%s', 'fortran_order': False, 'shape': (3,), }" % code).ljust(117) + "\n"
open("given.npy", "wb").write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + struct.pack("<3" + size, *(float(v) if size == "d" else int(v) for v in x)))
PY
    "$tenon" predict --model $kind.onnx --device "$device" given.npy >said 2>stderr
}
takes() { given $1 $2 && grep -qx -e "y [a-z]*32 (3): $3" said || fail "$1 of $2: $(cat said stderr)"; }
refuses() { given $1 $2 && fail "$1 takes $2: $(cat said)"; grep -qF -e "given.npy: input 'x' takes $1, from $3" stderr || fail "$1 of $2: $(cat stderr)"; }
takes bool 1,0,1 "1 0 1"
takes uint8 255,0,7 "255 0 7"
takes int8 -128,127,0 "-128 127 0"
takes uint16 65535,0,1 "65535 0 1"
takes int16 -32768,32767,0 "-32768 32767 0"
takes uint64 2147483647,1234567,0 "2147483647 1234567 0"
refuses bool 1,0,2 "0 to 1, and number 2 is 2"
refuses bool 1,-1,0 "0 to 1, and number 1 is -1"
refuses uint8 300,0,0 "0 to 255, and number 0 is 300"
refuses uint8 0,0,-1 "0 to 255, and number 2 is -1"
refuses int8 -129,0,0 "-128 to 127, and number 0 is -129"
refuses int8 0,128,0 "-128 to 127, and number 1 is 128"
refuses uint16 65536,0,0 "0 to 65535, and number 0 is 65536"
refuses int16 0,40000,0 "-32768 to 32767, and number 1 is 40000"
refuses uint64 -1,0,0 "0 to 2147483647, and number 0 is -1"
takes float16 70000.0,2049.0,-65519.0 "inf 2048 -65504"
takes bfloat16 257.0,3.3961775292304601e38,-1.0 "256 inf -1"
takes float16 2.9e-8,3e-8,1.0009765625 "0 5.96046e-08 1.00098"
given uint64 2147483647,1234567890,0
"$tenon" predict --model uint64.onnx --device "$device" --json given.npy >said 2>stderr
grep -q '"values": \[2147483647, 1234567890, 0\]' said || fail "whole numbers in JSON: $(cat said stderr)"

# Sizes that are declared stay, but for the batch.
"$tenon" predict --model picture.onnx --device "$device" x.npy >said 2>stderr && fail "another rank than declared"
grep -qF "picture.onnx: input 'x' is declared as (1, 1, 2, 2), and is given as (3, 2)" stderr || fail "another rank: $(cat stderr)"
for shape in 1x1x2x3 1x2x2x2 2x1x1x2; do
    "$tenon" info --shape x=$shape picture.onnx >said 2>stderr && fail "a picture of $shape"
    grep -q "input 'x' is declared as (1, 1, 2, 2), and is given as" stderr || fail "$shape: $(cat stderr)"
done
"$tenon" info --shape x=5x1x2x2 picture.onnx >said 2>stderr || fail "another batch: $(cat stderr)"

# An input that there is not, and a file whose name looks like one.
"$tenon" predict --model two.onnx --device "$device" nope=a.npy b.npy >said 2>stderr && fail "an input that there is not"
grep -qF "two.onnx has no input 'nope'; it has 'a', 'b'" stderr || fail "no input: $(cat stderr)"
cp a.npy nope=a.npy
"$tenon" predict --model default.onnx --device "$device" x.npy y=a.npy >said 2>stderr && fail "an input that there is not"
grep -qF "default.onnx has no input 'y'; it has 'x', and with a default 'w', 'b'" stderr || fail "no input: $(cat stderr)"
"$tenon" predict --model default.onnx --device "$device" x.npy a.npy >said 2>stderr && fail "two files for an input"
grep -qF "default.onnx has 1 input; those that have a default are given as NAME=FILE: 'w', 'b'" stderr || fail "two files: $(cat stderr)"
"$tenon" predict --model default.onnx --device "$device" x.npy b=whole.npy >said 2>stderr && fail "a default of another size"
grep -q "input 'b' is declared as (2), and is given as (3)$" stderr || fail "a default's size: $(cat stderr)"
"$tenon" predict --model default.onnx --device "$device" x.npy b=a.npy >said 2>stderr || fail "in place of a default: $(cat stderr)"
"$tenon" predict --model two.onnx --device "$device" nope=a.npy b.npy >said 2>stderr && grep -q '^sum f32 (2): 4 5$' said || fail "a file with '=': $(cat said stderr)"

# JSON has all numbers; tables come in.
"$tenon" predict --model net.onnx --device "$device" --json x.npy >said 2>stderr || fail "--json: $(cat stderr)"
[ "$(cat said)" = '{"output": "y", "type": "f32", "shape": [3, 2], "values": [4, 2, 0, 2, 6, 8]}' ] || fail "--json: $(cat said)"
printf 'a,b\n1,1\n-1,0\n0,2\n' >x.csv
tail -n +2 x.csv >bare.csv
for table in "x.csv" "bare.csv" "x=x.csv" "--header yes x.csv"; do
    "$tenon" predict --model net.onnx --device "$device" $table >said 2>stderr && grep -q '^y f32 (3, 2): 4 2 0 2 6 8$' said || fail "a table, $table: $(cat said stderr)"
done
printf 'a,b,c\n1,1,3\n' >three.csv
"$tenon" predict --model net.onnx --device "$device" three.csv >said 2>stderr && fail "a table of three columns for two"
grep -q 'three.csv has more than the 2 columns' stderr || fail "three columns: $(cat stderr)"
"$tenon" predict --model twice.onnx --device "$device" x.csv >said 2>stderr && fail "a table for what has one dimension"
grep -q "input 'x' takes no table" stderr || fail "one dimension: $(cat stderr)"
"$tenon" predict --model net.onnx --device "$device" --header maybe x.csv 2>stderr && fail "--header maybe"
"$tenon" predict --help | tr '\n' ' ' | grep -q 'ONNX file takes inputs as .NAME=.FILE and options of its own, as --most' || fail "predict --help does not say what ONNX files take"

# With room what depends on numbers need not be known.
"$tenon" info --most 2 places.onnx >said 2>stderr && grep -q 'all of it is supported' said || fail "info --most: $(cat said stderr)"
"$tenon" predict --model places.onnx --most 4 --device "$device" whole.npy >said 2>stderr && grep -q '^y i32 (1, 4): 0 2 -1 -1$' said || fail "--most: $(cat said stderr)"

# A damaged file is an error, not a crash.
for bytes in 1 10 50 100; do
    head -c $bytes net.onnx >cut.onnx
    "$tenon" info cut.onnx >said 2>stderr
    [ $? -le 2 ] || fail "cut at $bytes: $(cat stderr)"
done
finish
