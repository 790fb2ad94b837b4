"""test_model.py: layers and models from Python: training, measuring, predicting, files, callbacks; and PyTorch's
numbers, where there is a PyTorch."""
import array
import copy
import ctypes
import gc
import io
import math
import os
import pickle
import random
import tempfile
import unittest

import runner
import tenon
from tenon import progress

try:
    import numpy as np
except ImportError:
    np = None
try:
    import torch
except ImportError:
    torch = None


def digits(count=600):
    return tenon.open_dataset(f"digits:{count}")


def line(rng, count):
    """y = 2 a - b + 1"""
    x = [[rng.uniform(-1, 1), rng.uniform(-1, 1)] for _ in range(count)]
    return x, [2 * a - b + 1 for a, b in x]


def most_likely(rows):
    return [max(range(len(r)), key=r.__getitem__) for r in rows]


class Training(unittest.TestCase):
    def test_it_learns_digits_and_says_so(self):
        train, test = digits(2000)
        net = tenon.Sequential(tenon.Flatten(), tenon.Linear(64), tenon.ReLU(), tenon.Linear(10))
        model = tenon.Model(net, optimizer=tenon.Adam(2e-3), device="cpu")
        history = model.fit(train, epochs=4, batch=32, validation=test, verbose=False)
        score = model.evaluate(test)
        self.assertGreater(score.accuracy, 0.8)
        self.assertAlmostEqual(history["val_accuracy"].tolist()[-1], score.accuracy)
        self.assertLess(history["loss"].tolist()[-1], history["loss"].tolist()[0])
        self.assertEqual(model.state.names(trainable=True), ["fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"])
        guess = most_likely(model.predict(test.x).tolist())
        right = sum(g == t for g, t in zip(guess, test.y.tolist()))
        self.assertAlmostEqual(right / len(test), score.accuracy)
        for row in model.predict(test.x, probabilities=True).tolist()[:5]:
            self.assertAlmostEqual(sum(row), 1, places=5)

    def test_from_python_and_in_c_it_comes_to_the_same_bits(self):
        train, _ = digits(300)
        models = [tenon.Model(n, optimizer=tenon.SGD(0.1), device="cpu", seed=5) for n in (
            "linear 20, sigmoid, linear 10",
            tenon.Sequential(tenon.Flatten(), tenon.Linear(20, init=tenon.initial.Xavier()), tenon.Sigmoid(),
                             tenon.Linear(10, init=tenon.initial.Xavier())))]
        for model in models:
            model.fit(train, epochs=2, batch=50, verbose=False)
        a, b = ({k: v.tolist() for k, v in m.parameters().items()} for m in models)
        self.assertEqual(a, b)

    def test_numbers_are_regressed_from_lists(self):
        rng = random.Random(1)
        x, y = line(rng, 200)
        model = tenon.Model(tenon.Linear(1), "mse", tenon.Adam(0.05), device="cpu")
        model.fit(x, y, epochs=60, batch=20, verbose=False)
        x, y = line(rng, 50)
        self.assertLess(model.evaluate(x, y).loss, 1e-4)
        self.assertTrue(math.isnan(model.evaluate(x, y).accuracy))
        for got, expected in zip(model.predict(x).tolist(), y):
            self.assertAlmostEqual(got[0], expected, places=1)

    def test_whole_numbers_are_numbers_to_a_loss_of_numbers(self):
        model = tenon.Model(tenon.Linear(1), "mse", tenon.Adam(0.1), device="cpu")
        model.fit([[1.0], [2.0], [3.0], [4.0]], [10, 20, 30, 40], epochs=400, batch=4, verbose=False)
        self.assertAlmostEqual(model.predict([[2.5]]).tolist()[0][0], 25, delta=1)

    def test_yes_and_no(self):
        rng = random.Random(2)
        x, y = line(rng, 300)
        model = tenon.Model(tenon.Linear(1), "binary_cross_entropy", tenon.Adam(0.1), device="cpu")
        model.fit(x, [int(v > 1) for v in y], epochs=20, batch=30, verbose=False)
        self.assertGreater(model.evaluate(x, [int(v > 1) for v in y]).accuracy, 0.93)

    def test_a_part_is_set_apart_for_validation(self):
        train, _ = digits(300)
        model = tenon.Model("mlp", device="cpu")
        history = model.fit(train.x, train.y, epochs=1, validation=0.2, verbose=False)
        self.assertEqual(len(history), 1)
        self.assertGreater(history["val_loss"].tolist()[0], 0)
        first, second = train.split(0.25, seed=3)
        self.assertEqual((len(first), len(second)), (225, 75))

        for wrong in (0, 0.0, 1.0, 2.0, -1, -0.5, math.nan, True, "a", (1, 2, 3, 4)):
            with self.assertRaisesRegex(ValueError, "between 0 and 1"):
                model.fit(train.x, train.y, validation=wrong, verbose=False)

    def test_callbacks_see_epochs_and_end_it(self):
        seen = []
        train, _ = digits(100)
        model = tenon.Model("mlp", device="cpu")

        class Watch(tenon.Callback):
            def begin(self, model):
                seen.append("begin")

            def end(self, model):
                seen.append("end")

        model.fit(train, epochs=9, callbacks=[Watch(), lambda e: seen.append(e.number), lambda e: e.number == 3],
                  verbose=False)
        self.assertEqual(seen, ["begin", 1, 2, 3, "end"])
        with self.assertRaises(KeyboardInterrupt):
            model.fit(train, epochs=9, callbacks=[self.interrupt], verbose=False)
        self.assertEqual(len(model.history), 4)

    @staticmethod
    def interrupt(epoch):
        raise KeyboardInterrupt

    def test_what_it_shows(self):
        class Terminal(io.StringIO):
            def isatty(self):
                return True
        epoch = tenon.Epoch(1, 0.5, 0.75, math.nan, math.nan, 1.0)
        for file, bar in ((io.StringIO(), False), (Terminal(), True)):
            shown = progress.Progress(2, True, file)
            shown.step(1, 5, 10)
            shown.epoch(epoch)
            self.assertIn("epoch 1/2  loss 0.5  accuracy 75.00%", file.getvalue())
            self.assertEqual("[############............]" in file.getvalue(), bar)
        quiet = io.StringIO()
        progress.Progress(2, False, quiet).epoch(epoch)
        self.assertEqual(quiet.getvalue(), "")


class Networks(unittest.TestCase):
    def fits(self, network, x, y, loss="cross_entropy", **options):
        model = tenon.Model(network, loss, tenon.Adam(0.01), device="cpu", **options)
        model.fit(x, y, epochs=2, batch=8, verbose=False)
        return model

    def test_modules_have_their_names_from_attributes(self):
        class Block(tenon.Module):
            def __init__(self, channels):
                super().__init__()
                self.conv = tenon.Conv2d(channels, 3, pad=1, bias=False)
                self.bn = tenon.BatchNorm()

            def forward(self, x):
                return self.bn(self.conv(x)).relu() + x

        class Net(tenon.Module):
            def __init__(self):
                super().__init__()
                self.stem = tenon.Conv2d(4, 3, pad="same")
                self.blocks = [Block(4), Block(4)]
                self.head = tenon.Sequential(tenon.GlobalAvgPool2d(), tenon.Dropout(0.1), tenon.Linear(10))

            def forward(self, x):
                x = self.stem(x)
                for block in self.blocks:
                    x = block(x)
                return self.head(x)

        train, _ = digits(40)
        model = self.fits(Net(), train.x, train.y)
        self.assertEqual(set(model.state.names(trainable=True)), {
            "stem.weight", "stem.bias", "blocks.0.conv.weight", "blocks.0.bn.weight", "blocks.0.bn.bias",
            "blocks.1.conv.weight", "blocks.1.bn.weight", "blocks.1.bn.bias", "head.fc1.weight", "head.fc1.bias"})
        self.assertIn("blocks.0.bn.running_mean", model.state)

    def test_sequences_and_tokens(self):
        rng = random.Random(3)
        x = [[rng.randint(0, 9) for _ in range(6)] for _ in range(40)]
        for layer in (tenon.LSTM(8, last=True), tenon.GRU(8, last=True, bidirectional=True), tenon.RNN(4, last=True)):
            self.fits(tenon.Sequential(tenon.Embedding(10, 4), layer, tenon.Linear(2)), x, [r[-1] % 2 for r in x])
        net = tenon.Sequential(tenon.Embedding(10, 8), tenon.Transformer(2), tenon.LayerNorm(),
                               tenon.MultiheadAttention(2), lambda t: t.mean(1), tenon.Linear(2))
        self.fits(net, x, [r[-1] % 2 for r in x])

    def test_layers_of_one_name_are_refused(self):
        graph = tenon.Graph()
        x = graph.input("x", (2, 3))
        tenon.Linear(3, name="a")(x)
        with self.assertRaises(tenon.InvalidError):
            tenon.Linear(3, name="a")(x)
        shared = tenon.Linear(3, name="b")
        shared(shared(x))

    def test_a_network_s_own_exceptions_come_through(self):
        train, _ = digits(20)

        def bad(x):
            raise KeyError("100 %s")
        for call in (lambda m: m.fit(train, verbose=False), lambda m: m.predict(train.x)):
            with self.assertRaises(KeyError):
                call(tenon.Model(bad, device="cpu"))
        kept = []
        model = tenon.Model(lambda x: kept.append(x) or tenon.Linear(10)(x.flatten()), device="cpu")
        model.fit(train, verbose=False)
        gc.collect()
        theirs = [tensor for tensor in kept if tensor.graph._handle is None]
        self.assertTrue(theirs)
        for tensor in theirs:  # their graphs were the library's, and are gone
            with self.assertRaises(tenon.StateError):
                tensor + 1
        with self.assertRaises(tenon.InvalidError):
            tenon.Model(lambda x: 3, device="cpu").fit(train, verbose=False)

    def test_a_training_that_diverges_says_what_has_become_of_the_parameters(self):
        model = tenon.Model("linear 8, relu, linear 2", "mse", optimizer=tenon.SGD(1e10), device="cpu")
        x, y = [[1.0, 2.0], [3.0, 4.0]] * 8, [[0.0, 1.0], [1.0, 3.0]] * 8
        for _ in range(2):
            with self.assertRaisesRegex(tenon.StateError, "has diverged.*; '.*' has numbers that are not finite now"):
                model.fit(x, y, epochs=50, verbose=False)

    def test_wrong_words_and_shapes(self):
        train, _ = digits(20)
        with self.assertRaises(tenon.InvalidError):
            tenon.Model("mlp", "no such loss")
        with self.assertRaises(tenon.TenonError):
            tenon.Model("no such layer", device="cpu").fit(train, verbose=False)
        with self.assertRaises(tenon.ShapeError):
            tenon.Model("mlp", device="cpu").fit(train.x, train.y.tolist()[:5], verbose=False)
        with self.assertRaises(tenon.TenonError):
            tenon.Model("mlp", device="cpu", optimizer="no such").fit(train, verbose=False)
        with self.assertRaises(tenon.InvalidError):
            tenon.Model("mlp", device="cpu").fit(train, no_such_option=1, verbose=False)


    def test_samples_of_another_shape_are_refused_and_change_nothing(self):
        model = tenon.Model("linear 3, relu, linear 2", device="cpu")
        before = model.predict([[1.0] * 8])
        with self.assertRaisesRegex(tenon.ShapeError, r"samples are \(5,\), the model was built for \(8,\)"):
            model.predict([[1.0] * 5])
        self.assertEqual(model._seen[0], (8,))
        self.assertEqual(model.predict([[1.0] * 8]).tolist(), before.tolist())

    def test_labels_that_are_no_classes_are_refused(self):
        for wrong in ([0.5, 1.0], [0, 2 ** 40], [0.0, math.nan]):
            with self.assertRaisesRegex(tenon.DtypeError, "labels"):
                tenon.Model("linear 3", device="cpu").fit([[1.0, 2.0]] * 2, wrong, verbose=False)

    def test_whole_numbers_are_samples_of_networks_of_numbers(self):
        for net in ("linear 3", tenon.Sequential(tenon.Linear(4), tenon.ReLU(), tenon.Linear(3))):
            model = tenon.Model(net, device="cpu")
            model.fit([[1, 2], [3, 4]], [0, 2], verbose=False)
            self.assertEqual(model.predict([[1, 2]]).tolist(), model.predict([[1.0, 2.0]]).tolist())
            self.assertEqual(model.predict([[True, False]]).tolist(), model.predict([[1.0, 0.0]]).tolist())
            model.evaluate([[1, 2], [3, 4]], [0, 2])
        tokens = tenon.Model("embedding 5 4, flatten, linear outputs", device="cpu")
        tokens.fit([[1, 2], [3, 4]], [0, 2], verbose=False)
        self.assertEqual(tokens._seen[1], tenon.c.TN_I32)

    def test_wrong_arguments_are_named(self):
        x, y = [[1.0, 2.0], [3.0, 4.0]], [0, 1]
        model = tenon.Model("linear 2", device="cpu")
        wrong = {"epochs": (2.5, 0, "a", True), "batch": (0, 3.5, -2), "patience": (1.5, -1), "schedule": (3,),
                 "callbacks": (3, [3])}
        for name, values in wrong.items():
            for value in values:
                with self.assertRaisesRegex(tenon.InvalidError, name):
                    model.fit(x, y, verbose=False, **{name: value})
        for name, values in {"device": (None, 3), "optimizer": (3, tenon.SGD, None), "seed": ("a", 1.5)}.items():
            for value in values:
                with self.assertRaisesRegex(tenon.InvalidError, name):
                    tenon.Model("linear 2", **dict({"device": "cpu"}, **{name: value}))
        with self.assertRaisesRegex(tenon.InvalidError, "seed='a'"):
            model.state.seed = "a"
        with self.assertRaisesRegex(tenon.InvalidError, "lr=0"):
            tenon.SGD(0)
        with self.assertRaisesRegex(tenon.InvalidError, "network"):
            tenon.Model(3, device="cpu")
        with self.assertRaisesRegex(tenon.InvalidError, "tensors of a graph"):
            tenon.Linear(3)(x)
        with self.assertRaisesRegex(tenon.InvalidError, "an index"):
            tenon.Graph().input("x", (4, 3))[[0, 1]]
        for given in ({"x": x}, (row for row in x), None):
            with self.assertRaisesRegex(tenon.DtypeError, "samples"):
                model.fit(given, y, verbose=False)

    def test_predicting_in_parts_gives_the_same_and_can_be_ended(self):
        rng = random.Random(3)
        x = [[rng.random() for _ in range(4)] for _ in range(9137)]
        model = tenon.Model("linear 8, tanh, linear 2", device="cpu")
        data = tenon.Dataset(x)
        model.predict(x[:2])
        whole = array.array("f", bytes(4 * 2 * len(x)))
        struct = model._builder.struct
        self.assertEqual(tenon._library.lib.tn_predict(model.state._handle.get(), ctypes.byref(struct),
                                              ctypes.byref(data.struct), whole.buffer_info()[0], 8 * len(x)), 0)
        self.assertEqual([v for row in model.predict(x).tolist() for v in row], whole.tolist())
        for patience in (1e-9, 1e9):
            places = [(start, part.count) for start, part in data.parts(patience)]
            self.assertGreater(len(places), 1)
            self.assertTrue(all(start % 1000 == 0 for start, _ in places))
            self.assertEqual(sum(count for _, count in places), len(x))

    def test_one_function_is_a_callback(self):
        seen = []
        tenon.Model("linear 2", device="cpu").fit([[1.0, 2.0]], [0], callbacks=seen.append, verbose=False)
        self.assertEqual(len(seen), 1)

    def test_samples_that_are_not_finite_are_named(self):
        x = [[1.0, 2.0], [3.0, 4.0], [5.0, math.inf]]
        for call in (lambda m: m.fit(x, [0, 1, 0], verbose=False), lambda m: m.evaluate(x, [0, 1, 0])):
            with self.assertRaisesRegex(tenon.InvalidError, "sample 2 has NaN or infinite"):
                call(tenon.Model("linear 2", device="cpu"))

    def test_they_show_what_they_are(self):
        net = tenon.Sequential(tenon.Linear(4), tenon.Net("relu"))
        self.assertEqual(repr(net), "Sequential(Linear(), Net('relu'))")
        self.assertIn("Sequential(Linear())", repr(tenon.Model(tenon.Sequential(tenon.Linear(4)), device="cpu")))


class Files(unittest.TestCase):
    def test_what_the_library_holds_is_not_pickled_and_numbers_are(self):
        model = tenon.Model("linear 2", device="cpu")
        data = tenon.Dataset(array.array("f", [1, 2, 3]), array.array("f", [1, 2, 3]))
        for held in (model, model.state, data, tenon.Graph()):
            with self.assertRaisesRegex(TypeError, "neither pickled nor copied"):
                pickle.dumps(held)
        numbers = tenon.Array.new(tenon.c.TN_I32, (2, 3))
        for made in (pickle.loads(pickle.dumps(numbers)), copy.deepcopy(numbers)):
            self.assertEqual((made.tolist(), made.dtype), (numbers.tolist(), numbers.dtype))
            self.assertNotEqual(made.address, numbers.address)
        with self.assertRaisesRegex(tenon.InvalidError, "lr='a': it takes no text"):
            tenon.Adam(lr="a")

    def test_a_model_goes_on_where_it_was(self):
        train, test = digits(200)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "m.safetensors")
            once = tenon.Model("mlp", device="cpu", seed=4)
            once.fit(train, epochs=2, verbose=False)
            once.save(path)
            again = tenon.load_model(path, device="cpu")
            self.assertEqual(again.evaluate(test), once.evaluate(test))
            self.assertEqual(again.state.step, once.state.step)
            for model in (once, again):
                model.fit(train, epochs=1, verbose=False)
            self.assertEqual(again.parameters()["fc1.weight"].tolist(), once.parameters()["fc1.weight"].tolist())
            checkpoints = tenon.Checkpoints(os.path.join(folder, "{epoch}.safetensors"), best=False)
            once.fit(train, epochs=2, callbacks=[checkpoints], verbose=False)
            self.assertEqual(sorted(os.listdir(folder)), ["1.safetensors", "2.safetensors", "m.safetensors"])

    def test_a_layered_model_is_loaded_by_its_maker(self):
        def made():
            return tenon.Model(tenon.Sequential(tenon.Flatten(), tenon.Linear(10)), device="cpu")
        train, test = digits(100)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "m.safetensors")
            first, second = made(), made()
            first.fit(train, verbose=False)
            first.save(path, weights_only=True)
            second.build(1, 28, 28).load(path, fitting=True)
            self.assertEqual(second.evaluate(test), first.evaluate(test))
            with self.assertRaises(tenon.InvalidError):
                made().load(self.bare(folder))
            with self.assertRaises(tenon.InvalidError):
                tenon.load_model(path)

    @staticmethod
    def bare(folder):
        """A file that says nothing of samples."""
        path = os.path.join(folder, "bare.safetensors")
        state = tenon.State("cpu")
        state.put("a", [1.0])
        state.save(path)
        return path


class Arrays(unittest.TestCase):
    def test_samples_are_used_where_they_lie(self):
        x = array.array("f", range(12))
        data = tenon.Dataset(memoryview(x).cast("B").cast("f", [4, 3]), [0, 1, 0, 1])
        self.assertEqual(data.struct.x, x.buffer_info()[0])
        self.assertEqual(data.x.tolist(), [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 10, 11]])
        self.assertEqual(data.y.tolist(), [0, 1, 0, 1])
        with self.assertRaises(tenon.ShapeError):
            tenon.Dataset([[1.0], [2.0]], [1])

    def test_samples_are_made_as_they_are_needed(self):
        asked = set()

        def fill(i):
            asked.add(i)
            x = [math.sin(i), math.cos(i)]
            return x, int(x[0] > x[1])
        data = tenon.Dataset.from_function(200, (2,), fill, classes=2)
        model = tenon.Model(tenon.Linear(2), optimizer=tenon.Adam(0.1), device="cpu")
        model.fit(data, epochs=8, batch=20, verbose=False)
        self.assertEqual(asked, set(range(200)))
        self.assertGreater(model.evaluate(data).accuracy, 0.95)
        self.assertEqual(len(model.predict(data)), 200)
        self.assertIn("6 parameters on cpu", model.summary())

        def broken(i):
            raise ValueError(f"no sample {i}")
        with self.assertRaisesRegex(tenon.TenonError, "ValueError: no sample"):
            model.fit(tenon.Dataset.from_function(40, (2,), broken, classes=2), verbose=False)

    def test_devices_share_a_batch(self):
        train, _ = digits(128)
        model = tenon.Model("linear 8, relu, linear 10", optimizer=tenon.SGD(0.1), device="cpu")
        model.fit(train, batch=32, shards=2, devices=["reference"], verbose=False)
        alone = tenon.Model("linear 8, relu, linear 10", optimizer=tenon.SGD(0.1), device="cpu")
        alone.fit(train, batch=32, shards=2, verbose=False)
        self.assertAlmostEqual(model.history["loss"].tolist()[0], alone.history["loss"].tolist()[0], places=4)

    def test_the_library_s_samples_outlive_their_data_set(self):
        x = digits(50)[0].x
        gc.collect()
        self.assertEqual(len(x), 50)
        self.assertGreater(max(max(r) for r in x.tolist()[0][0]), 0)


@unittest.skipIf(torch is None, "there is no PyTorch")
class BesidePyTorch(unittest.TestCase):
    def test_a_convolutional_network_gives_the_same(self):
        theirs = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3, padding=1), torch.nn.BatchNorm2d(4), torch.nn.ReLU(),
                                     torch.nn.MaxPool2d(2), torch.nn.Flatten(), torch.nn.Linear(4 * 14 * 14, 10))
        ours = tenon.Sequential(tenon.Conv2d(4, 3, pad=1, name="0"), tenon.BatchNorm(name="1"), tenon.ReLU(),
                                tenon.MaxPool2d(2), tenon.Flatten(), tenon.Linear(10, name="5"))
        x = torch.rand(16, 1, 28, 28)
        y = torch.randint(0, 10, (16,))
        model = tenon.Model(ours, optimizer=tenon.SGD(0.1), device="cpu").build(1, 28, 28)
        for name, value in theirs.state_dict().items():
            if name in model.state:
                model.state[name] = value.detach()
        with torch.no_grad():
            expected = theirs.eval()(x)
        self.assertLess(float((torch.from_numpy(model.predict(x)) - expected).abs().max()), 1e-5)
        model.fit(x, y, epochs=1, batch=16, verbose=False)
        optimizer = torch.optim.SGD(theirs.train().parameters(), 0.1)
        torch.nn.functional.cross_entropy(theirs(x), y).backward()
        optimizer.step()
        for name, value in theirs.named_parameters():
            self.assertLess(float((torch.from_numpy(model.state[name]) - value.detach()).abs().max()), 1e-5, name)


if __name__ == "__main__":
    runner.main()
