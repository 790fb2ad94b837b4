"""test_onnx.py: networks of ONNX files from Python: as they are, as layers that are trained, and what is refused."""
import gc
import io
import math
import os
import random
import struct
import tempfile
import unittest

import onnx_wire
import runner
import tenon
from onnx_wire import attribute, field, model, node, port, tensor, varint, whole_numbers

try:
    import torch
except ImportError:
    torch = None
try:
    import onnx
except ImportError:
    onnx = None
try:
    import numpy as np
    import onnxruntime
except ImportError:
    np = onnxruntime = None


def two_layers():
    """y = relu(x W + b) V, of 3, 4 and 2 units."""
    w, b, v = [i / 10 - 0.5 for i in range(12)], [0.1, -0.1, 0.2, 0.3], [i / 4 - 1 for i in range(8)]
    made = model([node("Gemm", ["x", "W", "b"], ["h"]), node("Relu", ["h"], ["r"]), node("MatMul", ["r", "V"], ["y"])],
                 [tensor("W", (3, 4), w), tensor("b", (4,), b), tensor("V", (4, 2), v)],
                 [port("x", ("batch", 3))], [port("y", ("batch", 2))])

    def forward(row):
        h = [max(0, sum(row[k] * w[k * 4 + j] for k in range(3)) + b[j]) for j in range(4)]
        return [sum(h[k] * v[k * 2 + j] for k in range(4)) for j in range(2)]
    return made, forward


ROWS = [[1.0, 2.0, 3.0], [-1.0, 0.5, 2.0], [0.0, -3.0, 1.0]]


class Base(onnx_wire.Base):
    def close_to(self, got, expected, tolerance=1e-5):
        for g, e in zip(got, expected):
            for a, b in zip(g, e):
                self.assertLessEqual(abs(a - b), tolerance * max(1, abs(b)))


class Files(Base):
    def test_one_is_used_as_it_is(self):
        data, forward = two_layers()
        network = self.network(data)
        self.assertEqual(network.inputs, [("x", "f32", ("batch", 3))])
        self.assertEqual(network.outputs, [("y", "f32", ("batch", 2))])
        self.assertEqual(network.operators, {"Gemm": 1, "Relu": 1, "MatMul": 1})
        program = network.compile("cpu", x=(3, 3))
        del network
        gc.collect()
        self.close_to(program(x=ROWS)["y"].tolist(), [forward(r) for r in ROWS])
        self.assertEqual(program.state.names(), [])

    def test_one_is_run_on_batches_of_different_sizes_by_turns(self):
        data, forward = two_layers()
        network = self.network(data)
        programs = set()
        for _ in range(3):
            for rows in (ROWS, ROWS[:1], ROWS[:2]):
                self.close_to(network.run(rows, device="cpu")["y"].tolist(), [forward(r) for r in rows])
                self.close_to(network.run(x=rows, device="cpu")["y"].tolist(), [forward(r) for r in rows])
                programs.update(map(id, network._kept.values()))
        self.assertEqual(len(programs), 3)
        self.assertEqual(set(network._state.names()), {"W", "b", "V"})
        for n in range(1, 12):
            network.run(ROWS[:1] * n, device="cpu")
        self.assertEqual(len(network._kept), tenon.onnx.KEPT)
        self.close_to(network.run(ROWS, device="reference")["y"].tolist(), [forward(r) for r in ROWS])
        for wrong, line in (({"z": ROWS}, "no input 'z': it has x"), ({}, "'x' is not given"),
                            ({"x": ROWS, "z": ROWS}, "no input 'z': it has x")):
            with self.assertRaisesRegex(tenon.InvalidError, line):
                network.run(**wrong)
        with self.assertRaises(tenon.InvalidError):
            network.run(ROWS, ROWS)
        with self.assertRaisesRegex(tenon.InvalidError, "'x' is given twice"):
            network.run(ROWS, x=ROWS)
        for wrong in ([[1.0, 2.0]], [1.0, 2.0, 3.0]):
            with self.assertRaisesRegex(tenon.ShapeError, r"input 'x' is declared as \('batch', 3\), not "):
                network.run(wrong, device="cpu")
        for shape in ("abc", ROWS):
            with self.assertRaisesRegex(tenon.ShapeError, "input 'x' takes a shape"):
                network.compile("cpu", x=shape)
        for shape in (5, (1, 4)):
            with self.assertRaisesRegex(tenon.ShapeError, "input 'x' is declared as"):
                network.compile("cpu", x=shape)

    def test_inputs_that_decide_about_shapes_become_constants(self):
        def whole(name, dims):
            shape = b"".join(field(1, field(1, d)) for d in dims)
            return field(1, name) + field(2, field(1, field(1, 7) + field(2, shape)))
        data = model([node("Range", ["zero", "n", "one"], ["r"]), node("Cast", ["r"], ["f"], ) +
                      field(5, field(1, "to") + field(3, 1) + field(20, 2)), node("Add", ["f", "x"], ["y"])],
                     [field(2, 7) + field(8, name) + field(9, struct.pack("<q", value))
                      for name, value in (("zero", 0), ("one", 1))],
                     [port("x", (1,)), whole("n", ())], [port("y", ("count",))])
        network = self.network(data)
        for count in (3, 5, 3):
            got = network.run(x=[0.5], n=count, device="cpu")["y"].tolist()
            self.assertEqual(got, [i + 0.5 for i in range(count)])
        program = network.compile("cpu", n=4)
        self.assertEqual((program(x=[1.0])["y"].tolist(), list(program.inputs)), ([1, 2, 3, 4], ["x"]))
        if np is not None:
            self.assertEqual(network.compile("cpu", n=np.array(2))(x=[1.0])["y"].tolist(), [1, 2])
            with self.assertRaisesRegex(tenon.ShapeError, "input 'x' is declared as"):
                network.compile("cpu", n=2, x=np.array(2))

    def test_one_is_a_layer_and_trained(self):
        data, forward = two_layers()
        network = self.network(data)
        model = tenon.Model(network, "mse", tenon.SGD(0.01), device="cpu")
        self.close_to(model.predict(ROWS).tolist(), [forward(r) for r in ROWS])
        before = model.evaluate(ROWS, [[1.0, 2.0]] * 3).loss
        model.fit(ROWS, [[1.0, 2.0]] * 3, epochs=30, batch=3, verbose=False)
        self.assertLess(model.evaluate(ROWS, [[1.0, 2.0]] * 3).loss, before / 2)
        self.assertEqual(set(model.state.names(trainable=True)), {"W", "b", "V"})

    def test_one_is_part_of_a_network_and_frozen(self):
        data, _ = two_layers()
        network = self.network(data)

        def build(x):
            y = tenon.Linear(2, name="head")(network(x).tanh())
            x.graph.freeze("W, b, V")
            return y
        model = tenon.Model(build, "mse", tenon.Adam(0.1), device="cpu")
        model.predict(ROWS)
        before = {name: model.state[name].tolist() for name in ("W", "head.weight")}
        model.fit(ROWS, [[1.0, 2.0]] * 3, epochs=3, verbose=False)
        self.assertEqual(model.state["W"].tolist(), before["W"])
        self.assertNotEqual(model.state["head.weight"].tolist(), before["head.weight"])

    def test_its_weights_by_pattern_stay_as_they_are(self):
        data, _ = two_layers()
        model = tenon.Model(self.network(data, freeze="W*"), "mse", tenon.Adam(0.1), device="cpu")
        model.predict(ROWS)
        before = model.state["W"].tolist()
        model.fit(ROWS, [[1.0, 2.0]] * 3, epochs=3, verbose=False)
        self.assertEqual(model.state["W"].tolist(), before)
        self.assertEqual(set(model.state.names(trainable=True)), {"b", "V"})
        with self.assertRaisesRegex(tenon.MissingError, "no variable is called 'nothing'"):
            self.network(data, freeze="nothing")

    def test_two_with_weights_of_one_name_are_told_apart_by_their_own(self):
        one, ten = tensor("W", (2, 2), [1, 2, 3, 4]), tensor("W", (2, 2), [10, 20, 30, 40])
        data = [model([node("MatMul", ["x", "W"], ["y"])], [w], [port("x", (1, 2))], [port("y", (1, 2))])
                for w in (one, ten)]
        nets = [self.network(d) for d in data]
        with self.assertRaisesRegex(tenon.InvalidError, "two layers have weights named 'W'"):
            tenon.Model(lambda x: nets[0](x) + nets[1](x), "mse", device="cpu").predict([[1.0, 1.0]])

        class Two(tenon.Module):
            def __init__(self, p, q):
                super().__init__()
                self.p, self.q = p, q

            def forward(self, x):
                return self.p(x) + self.q(x)
        both = tenon.Model(Two(*[self.network(d) for d in data]), "mse", device="cpu")
        self.close_to(both.predict([[1.0, 1.0]]).tolist(), [[44, 66]])
        self.assertEqual(sorted(both.state.names(trainable=True)), ["p.W", "q.W"])
        both.fit([[1.0, 1.0]], [[0.0, 0.0]], verbose=False)

        def scoped(x):
            with x.graph.scope("a"):
                y = nets[0](x)
            with x.graph.scope("b"):
                return y - nets[0](x)
        model_of = tenon.Model(scoped, "mse", device="cpu")
        self.close_to(model_of.predict([[1.0, 1.0]]).tolist(), [[0, 0]])
        self.assertEqual(model_of.state["b.W"].tolist(), [[1, 2], [3, 4]])

    def ends_in_softmax(self):
        w = tensor("W", (2, 3), [1, 2, 3, -1, 0.5, 0])
        return self.network(model([node("MatMul", ["x", "W"], ["z"]), node("Softmax", ["z"], ["y"])], [w],
                                  [port("x", ("n", 2))], [port("y", ("n", 3))]))

    def test_what_the_loss_has_in_itself_is_applied_once(self):
        x, logits = [[1.0, 2.0]], [-1.0, 3.0, 3.0]
        total = sum(math.exp(z) for z in logits)
        net = self.ends_in_softmax()
        self.assertEqual(net.end(), ("Softmax", 3))
        with self.assertWarnsRegex(UserWarning, "ends in Softmax"):
            made = tenon.Model(net, device="cpu")
        self.close_to(made.predict(x).tolist(), [logits])
        self.close_to(made.predict(x, probabilities=True).tolist(), [[math.exp(z) / total for z in logits]])
        self.assertAlmostEqual(made.evaluate(x, [0]).loss, math.log(total) + 1, places=5)
        self.close_to(net.run(x, device="cpu")["y"].tolist(), [[math.exp(z) / total for z in logits]])
        with self.assertRaisesRegex(tenon.InvalidError, "cross_entropy"):
            tenon.Model(net, "nll", device="cpu")
        self.close_to(tenon.Model(net, "mse", device="cpu").predict(x).tolist(), [[math.exp(z) / total
                                                                                  for z in logits]])

    def test_a_sigmoid_is_left_away_under_a_softmax(self):
        w = tensor("W", (2, 3), [1, 2, 3, -1, 0.5, 0])
        net = self.network(model([node("MatMul", ["x", "W"], ["z"]), node("Sigmoid", ["z"], ["y"])], [w],
                                 [port("x", ("n", 2))], [port("y", ("n", 3))]))
        for loss in ("cross_entropy", "focal", "binary_cross_entropy"):
            with self.assertWarnsRegex(UserWarning, "ends in Sigmoid"):
                made = tenon.Model(net, loss, device="cpu")
            self.close_to(made.predict([[1.0, 2.0]]).tolist(), [[-1.0, 3.0, 3.0]])

    def test_a_last_layer_begins_anew_for_other_outputs(self):
        net = self.ends_in_softmax()
        net.bare, net.count = True, 5
        made = tenon.Model(net, device="cpu")
        made.fit([[1.0, 2.0]] * 2, [0, 4], verbose=False)
        self.assertEqual(made.state.describe("W"), ("f32", (2, 5)))

    def test_a_saved_model_knows_its_network(self):
        made = tenon.Model(self.ends_in_softmax().without_end(), device="cpu")
        made.fit([[1.0, 2.0]] * 2, [0, 2], verbose=False)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "m.safetensors")
            made.save(path)
            again = tenon.load_model(path, device="cpu")
            self.close_to(again.predict([[1.0, 2.0]]).tolist(), made.predict([[1.0, 2.0]]).tolist())
            again.fit([[1.0, 2.0]] * 2, [0, 2], verbose=False)
            again.save(path)
            tenon.load_model(path, device="cpu")

    def test_an_input_with_a_default_may_be_given(self):
        data = model([node("Mul", ["x", "c"], ["p"]), node("Reshape", ["p", "to"], ["y"])],
                     [tensor("c", (3,), [1.0, 2.0, 3.0]), whole_numbers("to", [-1])],
                     [port("c", ("n",)), port("x", (2, 3)), port("to", (1,), 7)], [port("y", ("m",))])
        network, x, y = self.network(data), [[1.0] * 3, [2.0] * 3], [1.0, 2.0, 3.0, 2.0, 4.0, 6.0]
        self.assertEqual([p.name for p in network.inputs], ["x"])
        self.assertEqual([p.name for p in network.defaults], ["c", "to"])
        for _ in range(2):
            self.assertEqual(network.run(x, device="cpu")["y"].tolist(), y)
            self.assertEqual(network.run(x, c=[1.0, 0.0, 5.0], device="cpu")["y"].tolist(),
                             [1.0, 0.0, 5.0, 2.0, 0.0, 10.0])
            self.assertEqual(network.run(x, to=[3, 2], device="cpu")["y"].tolist(), [y[:2], y[2:4], y[4:]])
        self.assertEqual(network.compile("cpu")(x=x)["y"].tolist(), y)
        program = network.compile("cpu", c=(3,))
        self.assertEqual(set(program.inputs), {"x", "c"})
        self.assertEqual(program(x=x, c=[0.0, 0.0, 1.0])["y"].tolist(), [0.0, 0.0, 1.0, 0.0, 0.0, 2.0])
        graph = tenon.Graph()
        a, b = graph.input("a", (2, 3)), graph.input("b", (1,))
        graph.output(network(a), "as it is")
        graph.output(network(a, b), "b for c")
        program = graph.compile("cpu")
        made = program(a=x, b=[2.0])
        self.assertEqual((made["as it is"].tolist(), made["b for c"].tolist()), (y, [2.0] * 3 + [4.0] * 3))
        for wrong in ({"c": [[1.0]]}, {"to": [[1]]}):
            with self.assertRaisesRegex(tenon.ShapeError, next(iter(wrong))):
                network.run(x, **wrong)
        data = model([node("Add", ["x", "b"], ["y"])], [tensor("b", (3,), [1.0, 2.0, 3.0])],
                     [port("x", (2, 3)), port("b", (3,))], [port("y", (2, 3))])
        with self.assertRaisesRegex(tenon.ShapeError, r"input 'b' is declared as \(3,\), not \(2,\)"):
            self.network(data).run(x, b=[1.0, 2.0])
        with self.assertRaisesRegex(tenon.InvalidError, "2 arrays for a network of 1 input$"):
            self.network(data).run(x, x)

    def test_what_is_found_in_what_is_fed_has_the_room_that_is_given(self):
        data = model([node("NonZero", ["x"], ["y"])], [], [port("x", (3,))],
                     [field(1, "y") + field(2, field(1, field(1, 7)))])
        with self.assertRaisesRegex(tenon.TenonError, "NonZero"):
            self.network(data).compile("cpu")
        found = self.network(data, most=4).compile("cpu")(x=[5.0, 0.0, 7.0])["y"]
        self.assertEqual(found.tolist(), [[0, 2, -1, -1]])
        again = tenon.OnnxNetwork.of_text(self.network(data, most=4).text())
        self.assertEqual(again.compile("cpu")(x=[5.0, 0.0, 7.0])["y"].tolist(), found.tolist())

    def test_slices_that_are_unique_are_found_in_what_is_fed(self):
        chance, (rows, columns, most) = random.Random(5), (6, 5, 4)
        for axis, order in ((0, 1), (1, 1), (0, 0), (1, 0)):
            shape = (columns, rows) if axis else (rows, columns)
            how = field(5, attribute("axis", axis)) + field(5, attribute("sorted", order))
            data = model([node("Unique", ["x"], ["y", "first", "place", "count"]) + how], [], [port("x", shape)],
                         [port("y", ("a", "b"))] + [port(n, ("n",), 7) for n in ("first", "place", "count")])
            program = self.network(data, most=most).compile("cpu")
            for _ in range(20):
                x = [[float(chance.randrange(2)) for _ in range(columns - 2)] + [1.0, 1.0] for _ in range(rows)]
                kinds = [row for i, row in enumerate(x) if row not in x[:i]]
                kinds = sorted(kinds) if order else kinds
                got = program(x=[list(row) for row in zip(*x)] if axis else x)
                y = [list(row) for row in zip(*got["y"].tolist())] if axis else got["y"].tolist()
                self.assertEqual(y, (kinds + [[0.0] * columns] * most)[:most])
                self.assertEqual(got["first"].tolist(), ([x.index(k) for k in kinds] + [-1] * most)[:most])
                self.assertEqual(got["place"].tolist(), [kinds.index(row) for row in x])
                self.assertEqual(got["count"].tolist(), ([x.count(k) for k in kinds] + [0] * most)[:most])

    def test_linear_attention_goes_step_by_step(self):
        chance, (steps, group, keys, values) = random.Random(9), (4, 2, 3, 2)
        draw = lambda n: [[[chance.uniform(-1, 1) for _ in range(n)] for _ in range(steps)]]
        fed = {"q": draw(group * keys), "k": draw(keys), "v": draw(values), "g": draw(keys), "b": draw(1)}
        how = b"".join(field(5, attribute(n, x)) for n, x in (("q_num_heads", group), ("kv_num_heads", 1)))
        data = model([node("LinearAttention", ["q", "k", "v", "", "g", "b"], ["y", "s"]) + how], [],
                     [port(n, (1, steps, len(x[0][0]))) for n, x in fed.items()],
                     [port("y", (1, steps, group * values)), port("s", (1, 1, keys, values))], 27)
        got = self.network(data).compile("cpu")(**fed)
        state, expected = [[0.0] * values for _ in range(keys)], []
        for q, k, v, g, b in zip(*(fed[n][0] for n in "qkvgb")):
            state = [[s * math.exp(g[i]) for s in row] for i, row in enumerate(state)]
            known = [sum(k[i] * state[i][j] for i in range(keys)) for j in range(values)]
            state = [[s + k[i] * b[0] * (v[j] - known[j]) for j, s in enumerate(row)] for i, row in enumerate(state)]
            expected.append([sum(q[h * keys + i] * state[i][j] for i in range(keys)) / math.sqrt(keys)
                             for h in range(group) for j in range(values)])
        self.close_to(got["y"].tolist()[0], expected)
        self.close_to(got["s"].tolist()[0][0], state)

    def loop(self, steps, go_on):
        """y is x doubled so often; z collects the numbers of the steps and what they make."""
        body = field(1, node("Add", ["v", "v"], ["w"])) + field(1, node("Identity", ["go"], ["going"]))
        body += field(2, "body")
        body += b"".join(field(11, p) for p in (port("i", (), 7), port("go", (), 9), port("v", (2,))))
        body += b"".join(field(12, p) for p in (port("going", (), 9), *[port("w", (2,))] * 2))
        at = field(5, field(1, "body") + field(6, body) + field(20, 5))
        return model([node("Loop", ["steps", "on", "x"], ["y", "z"]) + at],
                     [whole_numbers("steps", [steps]), field(2, 9) + field(8, "on") + field(9, bytes([go_on]))],
                     [port("x", (2,))], [port("y", (2,)), port("z", ("n", 2))])

    def test_a_loop_of_no_step_collects_nothing(self):
        for steps, go_on, y, z in ((2, 1, [4.0, 8.0], [[2.0, 4.0], [4.0, 8.0]]), (0, 1, [1.0, 2.0], []),
                                   (3, 0, [1.0, 2.0], []), (-1, 1, [1.0, 2.0], []), (-5, 1, [1.0, 2.0], []),
                                   (-1000, 1, [1.0, 2.0], [])):
            made = self.network(self.loop(steps, go_on)).compile("cpu")(x=[1.0, 2.0])
            self.assertEqual((made["y"].tolist(), made["z"].tolist()), (y, z))
            self.assertEqual(tuple(made["z"].shape), (len(z), 2))

    def scan(self, steps, unused=None):
        """t0 is the sum of so many rows of x; y collects those on the way, negative, as columns. The rows of another
        input, `unused` of them, are taken and not used."""
        q = [] if unused is None else ["q"]
        body = field(1, node("Add", ["s", "r"], ["t"])) + field(1, node("Neg", ["t"], ["u"])) + field(2, "body")
        body += b"".join(field(k, port(n, (2,))) for k, n in ((11, "s"), (11, "r"), *((11, n) for n in q), (12, "t"),
                                                                   (12, "u")))
        at = field(5, field(1, "body") + field(6, body) + field(20, 5))
        at += field(5, attribute("num_scan_inputs", 1 + len(q)))
        at += field(5, field(1, "scan_output_axes") + field(8, 2 ** 64 - 1) + field(20, 7))
        return model([node("Scan", ["s0", "x", *q], ["t0", "y"]) + at], [tensor("s0", (2,), [0.0, 0.0])],
                     [port("x", (steps, 2)), *(port(n, (unused, 2)) for n in q)],
                     [port("t0", (2,)), port("y", (2, steps))])

    def test_what_is_collected_may_be_put_along_an_axis_from_the_end(self):
        made = self.network(self.scan(3)).compile("cpu")(x=[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
        self.assertEqual(made["y"].tolist(), [[-1.0, -4.0, -9.0], [-2.0, -6.0, -12.0]])

    def test_inputs_of_a_scan_have_as_many_steps(self):
        rows = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
        self.assertEqual(self.network(self.scan(3, 3)).compile("cpu")(x=rows, q=rows)["t0"].tolist(), [9.0, 12.0])
        for unused in (2, 4):
            with self.assertRaisesRegex(tenon.UnsupportedError, f"inputs of 3 and {unused} steps"):
                self.network(self.scan(3, unused)).compile("cpu")

    def test_a_scan_of_more_steps_than_are_built_is_refused(self):
        with self.assertRaisesRegex(tenon.UnsupportedError, "more than 4096 steps"):
            self.network(self.scan(4097)).compile("cpu")

    def test_known_operands_of_sizes_that_do_not_fit_are_refused(self):
        boxes, scores = tensor("b", (1, 2, 4), [0.0] * 8), tensor("s", (1, 1, 60000), [1.0] * 60000)
        most = whole_numbers("m", [9])
        none = field(1, 3) + field(1, 0) + field(2, 9) + field(8, "c") + field(9, b"")
        for made, weights in ((node("NonMaxSuppression", ["b", "s", "m"], ["y"]), [boxes, scores, most]),
                              (node("Compress", ["x", "c"], ["y"]), [none])):
            with self.assertRaisesRegex(tenon.UnsupportedError, "do not fit"):
                self.network(model([made], weights, [port("x", (3,))], [port("y", ("n",))])).compile("cpu")

    def test_what_is_refused_is_named(self):
        data = model([node("NoSuchThing", ["x"], ["y"])], [], [port("x", (1, 3))], [port("y", (1, 3))])
        with self.assertRaisesRegex(tenon.UnsupportedError, "NoSuchThing"):
            self.network(data).compile("cpu")
        with self.assertRaises(tenon.ShapeError):
            self.network(two_layers()[0]).compile("cpu")
        with self.assertRaises(tenon.InvalidError):
            self.network(two_layers()[0]).compile("cpu", x=(1, 3), z=(1, 3))
        with self.assertRaises(tenon.TenonError):
            self.network(b"no such file at all")
        for wrong in ({"most": -1}, {"outputs": -3}, {"outputs": 1.5}):
            with self.assertRaisesRegex(tenon.InvalidError, next(iter(wrong))):
                self.network(two_layers()[0], **wrong)
        with self.assertRaises(tenon.MissingError):
            tenon.from_onnx("/nowhere/at/all.onnx")

    def test_a_file_that_is_cut_is_an_error_that_names_it(self):
        many = 1 << 19
        made = model([node("Add", ["x", "c"], ["y"])], [tensor("c", (many,), list(range(many)))],
                     [port("x", (many,))], [port("y", (many,))])
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "net.onnx")
            with open(path, "wb") as file:
                file.write(made)
            network = tenon.from_onnx(path)
            os.truncate(path, 0)
            with self.assertRaisesRegex(tenon.FileError, "net.onnx: was changed since it was read"):
                network.compile("cpu")


class Written(Base):
    def test_what_is_written_is_read_again_and_gives_the_same(self):
        net = tenon.Sequential(tenon.Flatten(), tenon.Linear(4), tenon.Tanh(), tenon.Linear(2))
        model = tenon.Model(net, "mse", tenon.Adam(0.1), device="cpu")
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "net.onnx")
            with self.assertRaises(tenon.InvalidError):
                model.to_onnx(path)
            with self.assertRaisesRegex(tenon.InvalidError, "no parameters yet"):
                model.save(path)
            self.assertFalse(os.path.exists(path))
            model.fit(ROWS, [[1.0, 2.0]] * 3, epochs=2, verbose=False)
            try:
                model.to_onnx(path)
            except tenon.UnsupportedError as e:
                self.skipTest(str(e))
            network = tenon.from_onnx(path)
            self.assertEqual([p.name for p in network.inputs + network.outputs], ["x", "y"])
            got = network.compile("cpu", x=(3, 3))(x=ROWS)["y"].tolist()
            self.close_to(got, model.predict(ROWS).tolist())
            if onnxruntime is not None and np is not None:
                session = onnxruntime.InferenceSession(path)
                ran = session.run(None, {"x": np.array(ROWS * 2, "f4")})[0]
                self.close_to(ran.tolist(), model.predict(ROWS * 2).tolist())


class Constants(unittest.TestCase):
    def test_they_come_from_arrays(self):
        graph = tenon.Graph()
        table = graph.constant([[1.0, 2.0], [3.0, 4.0]])
        self.assertEqual((table.shape, table.dtype), ((2, 2), "f32"))
        (table @ graph.input("x", (2, 1))).output("y")
        graph.constant([1, 2, 3]).output("n")
        got = graph.compile("cpu")(x=[[1], [10]])
        self.assertEqual((got["y"].tolist(), got["n"].tolist()), ([[21], [43]], [1, 2, 3]))


@unittest.skipIf(torch is None or onnx is None, "there is no PyTorch with onnx")
class BesidePyTorch(Base):
    def test_a_residual_block_is_imported_and_trained_alike(self):
        class Net(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.stem = torch.nn.Conv2d(1, 4, 3, padding=1)
                self.norm = torch.nn.BatchNorm2d(4, momentum=0.3)
                for value in self.norm.state_dict().values():  # equal tensors would be one in the file
                    value.add_(torch.rand(value.shape)) if value.ndim else None
                self.body = torch.nn.Conv2d(4, 4, 3, padding=1)
                self.head = torch.nn.Linear(4, 10)

            def forward(self, x):
                x = self.norm(self.stem(x)).relu()
                x = (x + self.body(x)).relu()
                return self.head(x.mean((2, 3)))
        theirs = Net().eval()
        x, y = torch.rand(8, 1, 8, 8), torch.randint(0, 10, (8,))
        file = io.BytesIO()
        torch.onnx.export(theirs, (x,), file, dynamo=False, input_names=["x"], output_names=["y"],
                          dynamic_axes={"x": {0: "n"}, "y": {0: "n"}},
                          training=torch.onnx.TrainingMode.PRESERVE)
        model = tenon.Model(self.network(file.getvalue()), optimizer=tenon.SGD(0.1), device="cpu")
        expected = theirs(x)
        self.assertLess(float((torch.from_numpy(model.predict(x)) - expected).detach().abs().max()), 1e-5)
        model.fit(x, y, batch=8, verbose=False)
        torch.nn.functional.cross_entropy(theirs.train()(x), y).backward()
        for name, value in theirs.named_parameters():
            after = value - 0.1 * value.grad
            self.assertLess(float((torch.from_numpy(model.state[name]) - after).detach().abs().max()), 1e-5, name)
        self.assertLess(float((torch.from_numpy(model.state["norm.running_mean"]) - theirs.norm.running_mean)
                              .abs().max()), 1e-5)


if __name__ == "__main__":
    runner.main()
