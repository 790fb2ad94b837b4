"""test_core.py: graphs, operators, programs, states and devices from Python; errors; who lives how long; threads."""
import array
import ctypes
import gc
import math
import os
import random
import sys
import tempfile
import threading
import unittest

import runner
import tenon
from tenon import c, lib, nn

try:
    import numpy as np
except ImportError:
    np = None

DEVICES = ("reference", "cpu")


def collect():
    """All garbage goes: PyPy takes it in turns."""
    for _ in range(5):
        gc.collect()


def values(rng, *shape):
    """Nested lists of random numbers."""
    if not shape:
        return rng.uniform(-2, 2)
    return [values(rng, *shape[1:]) for _ in range(shape[0])]


def run(device, build, **inputs):
    """The output "y" of what `build` makes of inputs of f32."""
    graph = tenon.Graph()
    made = [graph.input(name, shape_of(value)) for name, value in inputs.items()]
    build(*made).output("y")
    return tolist(graph.compile(device)(**inputs)["y"])


def shape_of(value):
    return (len(value),) + shape_of(value[0]) if isinstance(value, list) else ()


def tolist(value):
    return value.tolist()


class Close(unittest.TestCase):
    def close_to(self, got, expected, tolerance=1e-5, where=""):
        if isinstance(expected, (list, tuple)):
            self.assertEqual(len(got), len(expected), where)
            for i, (g, e) in enumerate(zip(got, expected)):
                self.close_to(g, e, tolerance, f"{where}[{i}]")
        else:
            self.assertLessEqual(abs(got - expected), tolerance * max(1, abs(expected)), f"{where}: {got}, {expected}")


class Operators(Close):
    def test_arithmetic_reads_as_python_does(self):
        rng = random.Random(1)
        a, b = values(rng, 3, 4), values(rng, 4)
        build = {
            "a + b * 2 - 1": lambda x, y: x + y * 2 - 1,
            "1 - a / (b + 5)": lambda x, y: 1 - x / (y + 5),
            "-a + abs(b)": lambda x, y: -x + abs(y),
            "(a < b) * a": lambda x, y: (x < y) * x,
            "(a >= 0) * 3 + (b != a)": lambda x, y: (x >= 0) * 3 + (y != x),
            "2 ** a + b ** 2": lambda x, y: 2 ** x + y ** 2,
            "a % (b + 5)": lambda x, y: x % (y + 5),
        }
        for device in DEVICES:
            for text, graph in build.items():
                expected = [[eval(text, {"a": p, "b": q, "abs": abs}) for p, q in zip(row, b)] for row in a]
                self.close_to(run(device, graph, a=a, b=b), expected, where=f"{device} {text}")

    def test_products_and_reductions(self):
        rng = random.Random(2)
        a, b, d = values(rng, 3, 5), values(rng, 5, 2), values(rng, 2)
        product = [[sum(a[i][k] * b[k][j] for k in range(5)) + d[j] for j in range(2)] for i in range(3)]
        for device in DEVICES:
            self.close_to(run(device, lambda x, y, z: x @ y + z, a=a, b=b, c=d), product, where=device)
            self.close_to(run(device, lambda x: x.sum(1), a=a), [math.fsum(r) for r in a], where=device)
            self.close_to(run(device, lambda x: x.mean(0, keepdims=True), a=a),
                          [[math.fsum(col) / 3 for col in zip(*a)]], where=device)
            self.close_to(run(device, lambda x: x.amax(axis=-1), a=a), [max(r) for r in a], where=device)
            self.close_to(run(device, lambda x: x.T, a=a), [list(col) for col in zip(*a)], where=device)
            self.close_to(run(device, lambda x: x.sum(), a=a), math.fsum(map(math.fsum, a)), where=device)

    def test_slices_are_those_of_lists(self):
        rng = random.Random(3)
        a = values(rng, 6, 5)
        for _ in range(60):
            cut = [slice(*[rng.choice([None, rng.randint(-7, 7)]) for _ in range(2)], rng.choice([None, 1, 2, -1, -3]))
                   for _ in range(2)]
            expected = [row[cut[1]] for row in a[cut[0]]]
            if not expected or not expected[0]:
                continue
            self.assertEqual(run("cpu", lambda x: x[cut[0], cut[1]] * 1, a=a), self.rounded(expected), cut)
        self.assertEqual(run("cpu", lambda x: x[2] * 1, a=a), self.rounded(a[2]))
        self.assertEqual(run("cpu", lambda x: x[..., -1] * 1, a=a), self.rounded([r[-1] for r in a]))
        self.assertEqual(run("cpu", lambda x: x[1:3, None, 2] * 1, a=a), self.rounded([[a[1][2]], [a[2][2]]]))

    @staticmethod
    def rounded(value):
        return [Operators.rounded(v) for v in value] if isinstance(value, list) else ctypes.c_float(value).value

    def test_operators_with_several_results(self):
        a = [[3.0, 1.0, 2.0], [0.0, 5.0, 4.0]]
        self.assertEqual(run("cpu", lambda x: x.topk(2)[0], a=a), [[3, 2], [5, 4]])
        self.assertEqual(run("cpu", lambda x: tenon.concat(x.split(3, 1)[::-1], 1), a=a), [[2, 1, 3], [4, 5, 0]])

    def test_gradients(self):
        graph = tenon.Graph()
        x = graph.input("x", 3)
        graph.grad((x ** 2 * x).sum(), [x])[0].output("y")
        self.close_to(tolist(graph.compile("cpu")(x=[1, 2, 3])["y"]), [3, 12, 27])

    @unittest.skipIf(np is None, "there is no NumPy")
    def test_operators_agree_with_numpy(self):
        rng = np.random.default_rng(4)
        x, y = rng.uniform(0.1, 0.9, (4, 1, 6)), rng.uniform(0.1, 0.9, (5, 6))
        one = ("abs sign square sqrt exp exp2 expm1 log log2 log10 log1p sin cos tan sinh cosh floor ceil trunc "
               "reciprocal isnan isfinite").split()
        other = {"asin": "arcsin", "acos": "arccos", "atan": "arctan", "asinh": "arcsinh", "atanh": "arctanh"}
        two = {"add": "add", "sub": "subtract", "mul": "multiply", "div": "divide", "min": "minimum",
               "max": "maximum", "pow": "power", "fmod": "fmod", "remainder": "remainder", "atan2": "arctan2",
               "eq": "equal", "lt": "less", "logical_and": "logical_and"}
        with np.errstate(all="ignore"):
            for ours, theirs in list(zip(one, one)) + list(other.items()):
                got = run("cpu", getattr(tenon, ours), x=x.tolist())
                self.close_to(got, getattr(np, theirs)(x).astype(float).tolist(), 1e-4, ours)
            for ours, theirs in two.items():
                got = run("cpu", getattr(tenon, ours), x=x.tolist(), y=y.tolist())
                self.close_to(got, getattr(np, theirs)(x, y).astype(float).tolist(), 1e-4, ours)
            for name in "sum prod mean std".split():
                got = run("cpu", lambda t: getattr(t, name)(axis=(0, 2)), x=x.tolist())
                self.close_to(got, getattr(np, name)(x, axis=(0, 2)).tolist(), 1e-4, name)

    def test_every_operator_is_a_function_with_its_text(self):
        for name in ("relu", "conv2d", "softmax", "gather", "attention", "arange"):
            self.assertTrue(getattr(tenon, name).__doc__, name)
        self.assertIn("groups", tenon.conv2d.__doc__)
        self.assertIn("relu", dir(tenon))
        for name in ("no_such_operator", "Any", "op"):
            self.assertFalse(hasattr(tenon, name), name)


class Files(unittest.TestCase):
    def test_a_graph_comes_back_and_trains_to_the_same_numbers(self):
        graph = tenon.Graph(training=True)
        x, label = graph.input("x", (4, 6)), graph.input("label", (4,), "i32")
        hidden = nn.linear(x, "first", units=5).tanh()
        loss = nn.cross_entropy(nn.linear(hidden, "second", units=3), label)
        graph.output(loss, "loss")
        graph.minimize(loss, "adam", lr=0.1)
        rng, losses = random.Random(3), []
        fed = {"x": values(rng, 4, 6), "label": [0, 2, 1, 1]}
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "graph.json")
            graph.save(path)
            loaded = tenon.Graph.load(path)
            self.assertRaisesRegex(tenon.MissingError, "no/such", tenon.Graph.load, "no/such")
        self.assertEqual((loaded.inputs, loaded.outputs), (graph.inputs, graph.outputs))
        for one in graph, loaded:
            program = tenon.Program(one, "reference", seed=5)
            losses.append([program(**fed)["loss"].tolist() for _ in range(3)])
        self.assertEqual(*losses)
        self.assertLess(losses[0][2], losses[0][0])


class Options(unittest.TestCase):
    def test_keywords_are_the_fields_of_structs(self):
        graph = tenon.Graph()
        x = graph.input("x", (2, 3, 8, 8))
        self.assertEqual(nn.conv2d(x, "c", filters=4, kernel=3, pad=1, stride=2).shape, (2, 4, 4, 4))
        self.assertEqual(nn.conv2d(x, "d", filters=4, kernel=(3, 1)).shape, (2, 4, 6, 8))
        self.assertEqual(tenon.maxpool2d(x, window=2).shape, (2, 3, 4, 4))
        with self.assertRaises(TypeError):
            nn.linear(x, "l", unit=3)
        with self.assertRaises(tenon.InvalidError):
            graph.minimize(x.sum(), "adam", lrate=3)
        with self.assertRaises(tenon.InvalidError):
            nn.linear(x, "l", units="many")

    def test_compiling_takes_words(self):
        graph = tenon.Graph()
        x = graph.input("x", (1, 2, 4, 4))
        nn.conv2d(x, "c", filters=2, kernel=3).output("y")
        images = [[[[0.5] * 4] * 4] * 2]
        usual = tolist(graph.compile("reference", storage="f32", precision="f32")(x=images)["y"])
        for layout in ("tuned", "usual", "channels-last", "try", c.TN_LAYOUT_LAST):
            program = graph.compile("reference", layout=layout, seed=0)
            self.assertEqual("channels_last" in str(program.explain()), layout in ("channels-last", c.TN_LAYOUT_LAST))
            self.assertEqual(len(tolist(program(x=images)["y"])), len(usual))
        for option, word, words in (("precision", "f16", "f32, f32-fast, bf16"),
                                    ("layout", "last", "tuned, usual, channels-last, try")):
            with self.assertRaisesRegex(tenon.InvalidError, f"^{option}='{word}': it is one of {words}$"):
                graph.compile("reference", **{option: word})

    def test_first_values(self):
        graph = tenon.Graph()
        graph.variable("a", (3,), tenon.initial.Constant(2.5)).output("a")
        nn.linear(graph.input("x", (1, 4)), "l", units=2, init=tenon.initial.Constant(0.5)).output("y")
        got = graph.compile("cpu")(x=[[1, 2, 3, 4]])
        self.assertEqual(tolist(got["a"]), [2.5] * 3)
        self.assertEqual(tolist(got["y"]), [[5.0, 5.0]])

    def test_a_decay_of_zero_is_zero(self):
        for decay, moves in ((0, False), (0.5, True)):
            graph = tenon.Graph()
            w = graph.param("w", (1,), tenon.initial.Constant(1))
            graph.minimize((w * 0).sum(), tenon.AdamW(0.1, weight_decay=decay))
            program = graph.compile("cpu")
            program.run()
            self.assertEqual(tolist(program.state["w"])[0] != 1.0, moves, decay)


class Errors(unittest.TestCase):
    def test_they_have_the_library_s_lines_and_python_s_classes(self):
        graph = tenon.Graph()
        x = graph.input("x", (2, 3))
        with self.assertRaises(tenon.ShapeError) as caught:
            x @ x
        self.assertIn("matmul", str(caught.exception))
        self.assertIsInstance(caught.exception, ValueError)
        self.assertEqual(caught.exception.status, c.TN_ESHAPE)
        self.assertEqual(caught.exception.name, "TN_ESHAPE")
        with self.assertRaises(tenon.ShapeError):
            graph.compile("cpu")

    def test_element_types_that_there_are_are_all_listed(self):
        with self.assertRaisesRegex(tenon.DtypeError, "f32, i32, u8, f16, bf16, f64, i8$"):
            tenon.Graph().input("x", 3, "f8")

    def test_each_status_has_a_class(self):
        for status in range(1, 11):
            name = lib.tn_status_name(status).decode()
            self.assertEqual(tenon.errors.error_of(status, "").name, name)
            self.assertEqual(getattr(c, name), status)

    def test_name_the_node_and_its_scope(self):
        graph = tenon.Graph()
        with graph.scope("encoder"), graph.scope("0"):
            x = graph.input("x", (2, 3))
            with graph.scope(None):
                graph.param("whole", (1,))
            graph.output(graph.param("w", (1,)), "y")
            with self.assertRaisesRegex(tenon.ShapeError, r"^matmul: .*\[node 3, in encoder\.0\.\]$"):
                _ = x @ x
        self.assertEqual(list(graph.inputs) + list(graph.outputs), ["encoder.0.x", "encoder.0.y"])
        self.assertEqual([v.name for v in graph.variables()], ["whole", "encoder.0.w"])

    def test_of_devices_files_and_names(self):
        with self.assertRaises(tenon.MissingError):
            tenon.Device("no such device")
        with self.assertRaises(LookupError):
            tenon.Checkpoint("/nowhere/at/all.safetensors")
        graph = tenon.Graph()
        graph.input("x", 2).output("y")
        program = graph.compile("cpu")
        for call in (lambda: program.feed("z", [1, 2]), lambda: program.fetch("z"), lambda: program.state["z"]):
            with self.assertRaises(tenon.MissingError):
                call()
        with self.assertRaises(tenon.ShapeError):
            program.feed("x", [1, 2, 3])
        with self.assertRaises(tenon.StateError):
            program.run()

    def test_operands_of_other_graphs_and_kinds(self):
        x, y = tenon.Graph().input("x", 2), tenon.Graph().input("x", 2)
        with self.assertRaises(tenon.InvalidError):
            x + y
        with self.assertRaises(tenon.InvalidError):
            x + "2"
        with self.assertRaises(TypeError):
            bool(x == x)
        with self.assertRaises(IndexError):
            x[2]


    def test_after_a_mistake_the_graph_says_that_it_was_before(self):
        graph = tenon.Graph()
        x = graph.input("x", (2, 3))
        with self.assertRaisesRegex(tenon.ShapeError, "^matmul"):
            x @ x
        with self.assertRaisesRegex(tenon.ShapeError, "^the graph had failed before: matmul"):
            (x * 2).output("y")


class Arrays(Close):
    def program(self, dtype):
        graph = tenon.Graph()
        graph.input("count", 3, dtype).output("y")
        return graph.compile("cpu")

    def test_numbers_that_would_be_others_are_refused_by_the_input_s_name(self):
        program = self.program("i32")
        for wrong in ([1, 2, 2 ** 31], [1, 2, -2 ** 40], [1, 2, 1.5], [1, 2, math.nan], [1, 2, math.inf], [1, 2, 3j]):
            for made in [list] if np is None else [list, np.array]:
                with self.assertRaisesRegex(tenon.DtypeError, "input 'count'"):
                    program.feed("count", made(wrong))
        for right in ([1, 2, -2 ** 31], [1.0, 2.0, -2.0 ** 31], [True, 2, 3]):
            self.assertEqual(tolist(program(count=right)["y"]), right)
        with self.assertRaisesRegex(tenon.DtypeError, "input 'count'"):
            self.program("u8").feed("count", [1, 2, 256])
        with self.assertRaisesRegex(tenon.DtypeError, "input 'count'"):
            self.program("i8").feed("count", [1, 2, -129])
        with self.assertRaisesRegex(tenon.DtypeError, "input 'count'"):
            self.program("f32").feed("count", [1, 2, 3j])

    @unittest.skipIf(np is None, "there is no NumPy")
    def test_masked_elements_are_refused(self):
        program = self.program("f32")
        with self.assertRaisesRegex(tenon.InvalidError, "input 'count'.*masked"):
            program.feed("count", np.ma.array(np.ones(3, "f4"), mask=[0, 1, 0]))
        self.assertEqual(tolist(program(count=np.ma.array(np.ones(3, "f4")))["y"]), [1, 1, 1])

    def test_they_show_their_numbers(self):
        made = tenon.memory.Array.new(c.TN_F32, (2, 6))
        made.view()[7] = 0.5
        self.assertEqual(repr(made), "tenon.Array([[0, 0, 0, ..., 0], [0, 0.5, 0, ..., 0]], f32, (2, 6))")

    def test_what_has_the_buffer_protocol_is_fed(self):
        graph = tenon.Graph()
        (graph.input("x", (2, 2)) * 2).output("y")
        program = graph.compile("cpu")
        flat = array.array("f", [1, 2, 3, 4])
        for x in ([[1, 2], [3, 4]], memoryview(flat).cast("B").cast("f", [2, 2]), ((1.0, 2), (3, 4))):
            self.assertEqual(tolist(program(x=x)["y"]), [[2, 4], [6, 8]])
        with self.assertRaises(tenon.ShapeError):
            program.feed("x", [[1, 2], [3]])

    def test_results_go_into_an_array_of_ones_own(self):
        graph = tenon.Graph()
        (graph.input("x", 3) + 1).output("y")
        program = graph.compile("cpu")
        out = array.array("f", [0, 0, 0])
        program.feed("x", [1, 2, 3])
        program.run()
        self.assertIs(program.fetch("y", out), out)
        self.assertEqual(list(out), [2, 3, 4])
        for wrong in (array.array("d", [0, 0, 0]), b"123456789abc", [0, 0, 0]):
            with self.assertRaises(tenon.DtypeError):
                program.fetch("y", wrong)

    @unittest.skipIf(np is None, "there is no NumPy")
    def test_numpy_s_arrays_of_any_layout_and_type(self):
        graph = tenon.Graph()
        (graph.input("x", (3, 4)) * 1).output("y")
        program = graph.compile("cpu")
        x = np.arange(24, dtype=np.float64).reshape(4, 6)
        for given in (x[:, ::2].T, np.asfortranarray(x[:3, :4]), x[:3, :4].astype(">i8"), x[:3, :4].astype("f2")):
            given = given.reshape(3, 4) if given.shape != (3, 4) else given
            self.close_to(program(x=given)["y"].tolist(), given.astype(float).tolist())
        frozen = np.ones((3, 4), np.float32)
        frozen.flags.writeable = False
        self.close_to(program(x=frozen)["y"].tolist(), frozen.tolist())


class States(Close):
    def program(self, device="cpu", seed=3):
        graph = tenon.Graph()
        nn.linear(graph.input("x", (1, 2)), "fc", units=2).output("y")
        return graph.compile(device, seed=seed)

    def test_tensors_are_read_and_written_by_name(self):
        state = self.program().state
        self.assertEqual(list(state), ["fc.weight", "fc.bias"])
        self.assertEqual(state.describe("fc.weight"), ("f32", (2, 2)))
        state["fc.weight"] = [[1, 2], [3, 4]]
        self.assertEqual(tolist(state["fc.weight"]), [[1, 2], [3, 4]])
        self.assertIn("fc.bias", state)
        with self.assertRaises(tenon.ShapeError):
            state["fc.weight"] = [1, 2]
        with self.assertRaisesRegex(tenon.MissingError, "no tensor 'fc.wieght'"):
            state["fc.wieght"] = [[1, 2], [3, 4]]
        self.assertEqual(list(state), ["fc.weight", "fc.bias"])

    def test_files(self):
        first, second = self.program(seed=1), self.program(seed=2)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "a.safetensors")
            first.state.save(path, {"made by": "a test"})
            with tenon.Checkpoint(path) as file:
                self.assertEqual(file.note("made by"), "a test")
                self.assertIsNone(file.note("nothing"))
                self.assertEqual(file["fc.weight"].tolist(), tolist(first.state["fc.weight"]))
                kept = file["fc.weight"]
            collect()
            self.assertEqual(kept.tolist(), tolist(first.state["fc.weight"]))
            self.assertNotEqual(tolist(first.state["fc.weight"]), tolist(second.state["fc.weight"]))
            second.state.load(path)
            self.assertEqual(tolist(first.state["fc.weight"]), tolist(second.state["fc.weight"]))
            third = tenon.Graph()
            nn.linear(third.input("x", (1, 3)), "fc", units=2).output("y")
            told = third.compile("cpu").state.load(path, fitting=True)
            self.assertEqual(told, {"fc.weight": "shape"})


class Lifetimes(unittest.TestCase):
    def test_nothing_is_freed_before_what_stands_on_it(self):
        program = States().program()
        program.state.device.close()
        program.state.close()
        program.feed("x", [[1, 2]])
        program.run()
        self.assertEqual(len(tolist(program.fetch("y"))[0]), 2)
        program.close()
        with self.assertRaises(tenon.StateError):
            program.run()

    def test_garbage_in_circles_is_freed_in_order(self):
        order = []
        free = {name: getattr(lib, name) for name in ("tn_program_free", "tn_state_free", "tn_device_close")}
        for name, function in free.items():
            setattr(lib, name, lambda p, n=name, f=function: (order.append(n), f(p)))
        try:
            for _ in range(3):
                circle = {"program": States().program()}
                circle["state"], circle["self"] = circle["program"].state, circle
                del circle
                collect()
        finally:
            for name, function in free.items():
                setattr(lib, name, function)
        self.assertEqual(order, list(free) * 3)

    def test_a_tensor_keeps_its_graph(self):
        tensor = tenon.Graph().input("x", (2, 3))
        collect()
        self.assertEqual((tensor + 1).shape, (2, 3))

    @unittest.skipIf(sys.implementation.name != "cpython", "this Python frees memory when it likes")
    def test_nothing_leaks(self):
        def once():
            program = States().program()
            program(x=[[1, 2]])
            program.state.names()
            tenon.Graph().input("x", 3)
        import resource
        for _ in range(20):
            once()
        collect()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for _ in range(200):
            once()
        collect()
        self.assertLess(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, 8000, "KiB more after 200 turns")


class Threads(unittest.TestCase):
    def test_programs_of_one_state_run_from_many_threads(self):
        graph = tenon.Graph()
        total = graph.variable("total", (1,))
        graph.assign(total, total + graph.input("x", (1,)))
        program = graph.compile("cpu")
        program.feed("x", [1])
        threads = [threading.Thread(target=lambda: [program.run() for _ in range(200)]) for _ in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(tolist(program.state["total"]), [800.0])

    def test_messages_are_those_of_the_thread(self):
        def fail(name, found):
            try:
                tenon.Device(name)
            except tenon.MissingError as e:
                found.append(str(e))
        found = []
        threads = [threading.Thread(target=fail, args=(f"nowhere{i}", found)) for i in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(sorted(i for i in range(4) for m in found if f"nowhere{i}" in m), [0, 1, 2, 3])


class Layout(unittest.TestCase):
    def test_structs_are_as_large_as_the_library_s(self):
        state = tenon.State("cpu")
        state.put("a", [1.0, 2.0])
        self.assertEqual(state.describe("a"), ("f32", (2,)))
        self.assertEqual(ctypes.sizeof(c.tn_shape), 72)
        self.assertEqual(ctypes.sizeof(c.tn_init), 40)

    def test_devices_are_listed(self):
        names = [d.name for d in tenon.devices()]
        self.assertIn("cpu", names)
        self.assertEqual(names[-1], "reference")
        self.assertIn("cpu", [b.id for b in tenon.backends()])
        with tenon.Device("cpu") as device:
            self.assertEqual(device.info.kind, "cpu")
        self.assertEqual(repr(device), "tenon.Device(closed)")


if __name__ == "__main__":
    runner.main()
