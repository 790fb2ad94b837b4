"""onnx_wire.py: ONNX files for tests, of the parts that tests/onnx/files.py makes, and what is common to such tests."""
import os
import struct
import sys
import tempfile
import unittest

import tenon

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "onnx"))
from files import attribute, field, number as varint  # noqa: E402, F401


class Base(unittest.TestCase):
    def network(self, data, **how):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "net.onnx")
            with open(path, "wb") as file:
                file.write(data)
            try:
                return tenon.from_onnx(path, **how)
            except tenon.UnsupportedError as e:
                self.skipTest(str(e))


def tensor(name, dims, numbers):
    return b"".join(field(1, d) for d in dims) + field(2, 1) + field(8, name) + \
        field(9, struct.pack(f"<{len(numbers)}f", *numbers))


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
