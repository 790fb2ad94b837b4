"""files.py: the parts of ONNX files, as onnx.proto numbers them, and arrays of NumPy, byte by byte: tests that use these
need no package."""

import array
import ast
import struct


def number(x):
    x &= (1 << 64) - 1
    out = b""
    while x > 127:
        out, x = out + bytes([x & 127 | 128]), x >> 7
    return out + bytes([x])


def field(at, value):
    if isinstance(value, int):
        return number(at << 3) + number(value)
    if isinstance(value, float):
        return number(at << 3 | 5) + struct.pack("<f", value)
    value = value.encode() if isinstance(value, str) else value
    return number(at << 3 | 2) + number(len(value)) + value


def attribute(name, value):
    kind = {float: (2, 1), int: (3, 2), str: (4, 3)}
    if not isinstance(value, list):
        at, code = kind[type(value)]
        return field(1, name) + field(at, value) + field(20, code)
    at, code = {float: (7, 6), int: (8, 7), str: (9, 8)}[type(value[0])]
    return field(1, name) + b"".join(field(at, x) for x in value) + field(20, code)


def port(name, code, columns):
    dims = b"".join(field(1, d) for d in (field(2, "N"), field(1, columns))) if columns else b""
    return field(1, name) + field(2, field(1, field(1, code) + (field(2, dims) if columns else b"")))


def initializer(name, code, values):
    kind = {1: "f", 2: "B", 3: "b", 6: "i", 7: "q"}[code]
    dims = b"" if len(values) == 1 else field(1, len(values))
    if isinstance(values[0], list):
        dims, values = dims + field(1, len(values[0])), sum(values, [])
    return dims + field(2, code) + field(8, name) + field(9, array.array(kind, values).tobytes())


def write_array(path, rows, code):
    kind = {1: ("<f4", "f"), 2: ("|u1", "B"), 7: ("<i8", "q")}[code]
    head = f"{{'descr': '{kind[0]}', 'fortran_order': False, 'shape': ({len(rows)}, {len(rows[0])}), }}"
    head += " " * (-(len(head) + 11) % 64) + "\n"
    data = array.array(kind[1], [x for row in rows for x in row])
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + data.tobytes())


def read_array(path):
    data = path.read_bytes()
    end = 10 + struct.unpack("<H", data[8:10])[0]
    kind = ast.literal_eval(data[10:end].decode())["descr"]
    return list(array.array({"<f4": "f", "<i4": "i"}[kind], data[end:]))
