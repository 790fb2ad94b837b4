"""onnx_wire.py: ONNX files for tests, by a little of protobuf's wire format."""
import struct


def varint(n):
    out = b""
    while n > 127:
        out, n = out + bytes([n & 127 | 128]), n >> 7
    return out + bytes([n])


def field(number, value):
    """A field: a whole number, or bytes."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def tensor(name, dims, numbers):
    return b"".join(field(1, d) for d in dims) + field(2, 1) + field(8, name) + \
        field(9, struct.pack(f"<{len(numbers)}f", *numbers))


def attribute(name, number):
    return field(1, name) + field(3, number) + field(20, 2)


def whole_numbers(name, numbers):
    return field(1, len(numbers)) + field(2, 7) + field(8, name) + field(9, struct.pack(f"<{len(numbers)}q", *numbers))


def port(name, dims, kind=1):
    """f32, or another type of ONNX; a dimension is a number or a name."""
    shape = b"".join(field(1, field(1, d) if isinstance(d, int) else field(2, d)) for d in dims)
    return field(1, name) + field(2, field(1, field(1, kind) + field(2, shape)))


def node(kind, inputs, outputs):
    return b"".join(field(1, i) for i in inputs) + b"".join(field(2, o) for o in outputs) + field(4, kind)


def model(nodes, weights, inputs, outputs, opset=17):
    graph = b"".join(field(1, n) for n in nodes) + field(2, "graph") + b"".join(field(5, w) for w in weights)
    graph += b"".join(field(11, i) for i in inputs) + b"".join(field(12, o) for o in outputs)
    return field(1, 8) + field(7, graph) + field(8, field(2, opset))
