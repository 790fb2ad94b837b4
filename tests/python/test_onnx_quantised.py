"""test_onnx_quantised.py: networks of ONNX files that round to whole numbers on the way, trained: where QuantizeLinear
and DequantizeLinear follow each other the gradient goes straight through; weights that are whole numbers are refused."""
import struct
import unittest

import runner
import tenon
from onnx_wire import Base, field, model, node, port, tensor

try:
    import numpy as np
except ImportError:
    np = None

INT8, UINT8 = 3, 2
ROWS, IN, OUT, RATE = 5, 4, 3, 0.25
SCALE_X, ZERO_X, ZERO_W = 0.02, 120, 3


def whole(name, dims, kind, numbers):
    raw = struct.pack(f"{len(numbers)}{'b' if kind == INT8 else 'B'}", *numbers)
    return b"".join(field(1, d) for d in dims) + field(2, kind) + field(8, name) + field(9, raw)


def rounded_twice(w, scales):
    """y = x W as training that knows of rounding has it: x by one scale, W by one for each of its columns."""
    along = field(5, field(1, "axis") + field(3, 1) + field(20, 2))
    nodes = [node("QuantizeLinear", ["x", "sx", "zx"], ["qx"]), node("DequantizeLinear", ["qx", "sx", "zx"], ["fx"]),
             node("QuantizeLinear", ["W", "sw", "zw"], ["qw"]) + along,
             node("DequantizeLinear", ["qw", "sw", "zw"], ["fw"]) + along, node("MatMul", ["fx", "fw"], ["y"])]
    weights = [tensor("W", (IN, OUT), list(w.ravel())), tensor("sx", (), [SCALE_X]), tensor("sw", (OUT,), scales),
               whole("zx", (), UINT8, [ZERO_X]), whole("zw", (OUT,), INT8, [ZERO_W] * OUT)]
    return model(nodes, weights, [port("x", (ROWS, IN))], [port("y", (ROWS, OUT))])


def fake(x, scale, zero, least, most):
    """x as it is rounded, and where the gradient passes."""
    q = np.rint(x / scale) + zero
    return (np.clip(q, least, most) - zero) * scale, (q >= least) & (q <= most)


class Quantised(Base):
    @unittest.skipIf(np is None, "there is no NumPy")
    def test_the_gradient_goes_straight_through_what_rounds(self):
        rng = np.random.default_rng(3)
        w, x = (rng.standard_normal(s).astype(np.float32) * 3 for s in ((IN, OUT), (ROWS, IN)))
        scales, dy = [0.02, 0.03, 0.015], rng.standard_normal((ROWS, OUT)).astype(np.float32)
        fx, passes_x = fake(x.astype(float), np.float32(SCALE_X), ZERO_X, 0, 255)
        fw, passes_w = fake(w.astype(float), np.array(scales, np.float32), ZERO_W, -128, 127)
        self.assertTrue(not passes_w.all() and passes_w.any() and not passes_x.all() and passes_x.any())
        network = self.network(rounded_twice(w, scales))
        for device in ("reference", "cpu"):
            graph, state = tenon.Graph(training=True), tenon.State(device)
            inner = graph.input("x", x.shape)
            y = network(inner)
            cost = (y * graph.input("dy", dy.shape)).sum()
            y.output("y")
            graph.grad(cost, [inner])[0].output("dx")
            graph.minimize(cost, tenon.SGD(RATE))
            program = graph.compile(state)
            network.first_values(state)
            got = program(x=x, dy=dy)
            self.assertLess(np.abs(np.asarray(got["y"]) - fx @ fw).max(), 1e-5)
            self.assertLess(np.abs(np.asarray(got["dx"]) - (dy @ fw.T) * passes_x).max(), 1e-5)
            moved = (w - np.asarray(state["W"])) / RATE
            self.assertLess(np.abs(moved - (fx.T @ dy) * passes_w).max(), 1e-4)

    def test_what_is_rounded_goes_nowhere_else_in_training(self):
        data = model([node("QuantizeLinear", ["W", "s"], ["q"]), node("Transpose", ["q"], ["t"]),
                      node("DequantizeLinear", ["t", "s"], ["f"]), node("MatMul", ["x", "f"], ["y"])],
                     [tensor("W", (2, 2), [0.1, 0.2, 0.3, 0.4]), tensor("s", (), [0.1])],
                     [port("x", (1, 2))], [port("y", (1, 2))])
        network = self.network(data)
        got = network.run([[1.0, 1.0]], device="cpu")["y"].tolist()[0]
        self.assertTrue(abs(got[0] - 0.3) < 1e-6 and abs(got[1] - 0.7) < 1e-6, got)
        with self.assertRaisesRegex(tenon.UnsupportedError, "only DequantizeLinear sends a gradient back"):
            tenon.Model(network, "mse", device="cpu").fit([[1.0, 1.0]], [[0.0, 0.0]], verbose=False)

    def test_weights_of_whole_numbers_are_not_trained_around(self):
        data = model([node("DequantizeLinear", ["W", "s"], ["f"]), node("MatMul", ["x", "f"], ["m"]),
                      node("Add", ["m", "bias"], ["y"])],
                     [whole("W", (2, 2), INT8, [1, 2, 3, 4]), tensor("s", (), [0.5]), tensor("bias", (2,), [0, 0])],
                     [port("x", ("batch", 2))], [port("y", ("batch", 2))])
        x, t = [[1.0, 1.0], [0.0, 2.0]], [[0.0, 1.0], [1.0, 0.0]]
        network = self.network(data)
        self.assertEqual(network.run(x, device="cpu")["y"].tolist(), [[2, 3], [3, 4]])
        with self.assertRaisesRegex(tenon.UnsupportedError, "weights of DequantizeLinear are whole numbers"):
            tenon.Model(network, "mse", device="cpu").fit(x, t, verbose=False)
        frozen = self.network(data, freeze="*")  # then it is a part as any other that stays
        tail = tenon.Sequential(frozen, tenon.Linear(2, name="head"))
        trained = tenon.Model(tail, "mse", tenon.SGD(0.01), device="cpu")
        before = trained.evaluate(x, t).loss
        trained.fit(x, t, epochs=50, batch=2, verbose=False)
        self.assertLess(trained.evaluate(x, t).loss, before)


if __name__ == "__main__":
    runner.main()
