"""test_model_data.py: models from Python whose samples have weights, or several inputs and heads."""
import math
import random
import tempfile
import unittest

import runner
import tenon
from test_model import line


def array_of(values):
    """Flat, as Python's numbers."""
    values = values.tolist()
    return [n for row in values for n in row] if values and isinstance(values[0], list) else values


class Weights(unittest.TestCase):
    def train(self, x, y, loss="mse", **more):
        model = tenon.Model("linear outputs" if isinstance(loss, str) else "linear 1", loss, tenon.SGD(0.1),
                            device="cpu", seed=3)
        model.fit(x, y, epochs=4, batch=len(x), verbose=False, **more)
        return model, [n for name in sorted(model.parameters()) for n in list(array_of(model.state[name]))]

    def same(self, a, b):
        self.assertEqual(len(a), len(b))
        for i, j in zip(a, b):
            self.assertAlmostEqual(i, j, places=5)

    def test_a_weight_is_so_many_equal_samples(self):
        x, y = line(random.Random(4), 20)
        times = [i % 3 for i in range(20)]
        more = [i for i in range(20) for _ in range(times[i])]
        heavy, weights = self.train(x, y, sample_weight=times)
        longer, repeated = self.train([x[i] for i in more], [y[i] for i in more])
        self.same(weights, repeated)
        self.assertNotAlmostEqual(weights[0], self.train(x, y)[1][0], places=3)
        want = longer.evaluate([x[i] for i in more], [y[i] for i in more])
        self.assertAlmostEqual(heavy.evaluate(x, y, sample_weight=times).loss, want.loss, places=5)
        data = tenon.Dataset(x, y, sample_weight=times)
        self.assertEqual(list(array_of(data.sample_weight)), times)
        self.assertAlmostEqual(heavy.evaluate(data).loss, want.loss, places=5)
        kept, apart = data.split(0.25)
        self.assertEqual(len(array_of(kept.sample_weight)) + len(array_of(apart.sample_weight)), 20)
        made = tenon.Dataset.from_function(20, (2,), lambda i: (x[i], [y[i]]), targets=1, sample_weight=times)
        self.assertAlmostEqual(heavy.evaluate(made).loss, want.loss, places=5)

    def test_validation_and_mistakes(self):
        x, y = line(random.Random(4), 12)
        model, _ = self.train(x, y, sample_weight=[1] * 12, validation=(x, y, [2] + [0] * 11))
        self.assertAlmostEqual(model.history["val_loss"].tolist()[-1], model.evaluate(x[:1], y[:1]).loss, places=5)
        self.train(x, y, sample_weight=[1] * 12, validation=0.25)
        for weights, error in (([1] * 11, tenon.ShapeError), ([-1] * 12, tenon.InvalidError),
                               ([0] * 12, tenon.InvalidError)):
            with self.assertRaises(error):
                self.train(x, y, sample_weight=weights)
        with self.assertRaisesRegex(tenon.InvalidError, "all 12 validation samples have the weight 0"):
            self.train(x, y, validation=(x, y, [0] * 12))
        for weight in (-1, 1e-39, 1e37):
            with self.assertRaisesRegex(tenon.InvalidError, "the arrays: sample 1 has the weight .*, not 0 or from 1e-18"):
                tenon.Dataset(x, y, sample_weight=[1, weight] + [1] * 10)
        with self.assertRaises(tenon.InvalidError):
            model.fit(tenon.Dataset(x, y), sample_weight=[1] * 12)

    def test_a_loss_of_one_s_own_does_what_the_named_one_does(self):
        x, y = line(random.Random(5), 20)
        named, weights = self.train(x, y)
        own, same = self.train(x, y, lambda out, target: tenon.nn.loss("mse", out, target))
        self.assertEqual(weights, same)
        self.assertEqual(named.evaluate(x, y).loss, own.evaluate(x, y).loss)
        self.assertTrue(math.isnan(own.evaluate(x, y).accuracy))
        labels = [int(n > 0) for n in y]
        classes = tenon.Model("linear 2", lambda out, label: tenon.nn.loss("cross_entropy", out, label), device="cpu")
        classes.fit(x, labels, epochs=2, verbose=False)
        self.assertGreater(classes.evaluate(x, labels).loss, 0)
        with self.assertRaisesRegex(tenon.InvalidError, "probabilities"):
            own.predict(x, probabilities=True)
        with self.assertRaisesRegex(tenon.InvalidError, "takes no weights"):
            own.fit(x, y, sample_weight=[1] * 20)
        with self.assertRaisesRegex(ZeroDivisionError, ""):
            self.train(x, y, lambda out, target: 1 / 0)
        with self.assertRaisesRegex(tenon.InvalidError, "the loss gave a float"):
            self.train(x, y, lambda out, target: 1.5)
        with tempfile.TemporaryDirectory() as folder:
            own.save(folder + "/own.safetensors")
            with self.assertRaisesRegex(tenon.InvalidError, "what network it is"):
                tenon.load_model(folder + "/own.safetensors")


class Parts(unittest.TestCase):
    """Several inputs and heads."""

    def setUp(self):
        rng = random.Random(6)
        self.a = [[[rng.uniform(-1, 1) for _ in range(2)] for _ in range(3)] for _ in range(24)]
        self.b = [[rng.uniform(-1, 1)] for _ in range(24)]
        self.sum = [sum(map(sum, a)) + b[0] for a, b in zip(self.a, self.b)]
        self.sides = [[a[0][0] > 0, b[0] > 0] for a, b in zip(self.a, self.b)]

    @staticmethod
    def network(a, b):
        h = tenon.tanh(tenon.concat([tenon.nn.linear(tenon.reshape(a, (a.shape[0], -1)), "a", units=5),
                                     tenon.nn.linear(b, "b", units=4)], 1))
        number, side = tenon.nn.linear(h, "number", units=1), tenon.nn.linear(h, "side", units=2)
        return tenon.reshape(number, (number.shape[0],)), side

    @staticmethod
    def loss(heads, targets):
        return (tenon.nn.loss("mse", tenon.reshape(heads[0], (-1, 1)), tenon.reshape(targets[0], (-1, 1)))
                + tenon.nn.loss("binary_cross_entropy", heads[1], targets[1]))

    def test_inputs_and_heads_are_tensors_of_their_own(self):
        model = tenon.Model(self.network, self.loss, tenon.SGD(0.1), device="cpu", seed=2, inputs=[(3, 2), (1,)])
        both, aims = (self.a, self.b), (self.sum, self.sides)
        model.fit(both, aims, epochs=3, batch=8, validation=(both, aims), verbose=False)
        numbers, sides = model.predict(both)
        self.assertEqual((len(numbers.tolist()), len(sides.tolist()), len(sides.tolist()[0])), (24, 24, 2))

        def flat(x):
            a, b = tenon.reshape(tenon.slice(x, 1, 0, 6), (x.shape[0], 3, 2)), tenon.slice(x, 1, 6, 1)
            first, second = self.network(a, b)
            return tenon.concat([tenon.reshape(first, (x.shape[0], 1)), second], 1)

        def cost(y, t):
            return self.loss((tenon.slice(y, 1, 0, 1), tenon.slice(y, 1, 1, 2)),
                             (tenon.slice(t, 1, 0, 1), tenon.slice(t, 1, 1, 2)))
        x = [[n for row in a for n in row] + b for a, b in zip(self.a, self.b)]
        y = [[s] + [float(v) for v in side] for s, side in zip(self.sum, self.sides)]
        plain = tenon.Model(flat, cost, tenon.SGD(0.1), device="cpu", seed=2)
        plain.fit(x, y, epochs=3, batch=8, verbose=False)
        for name in plain.parameters():
            self.assertEqual(array_of(plain.state[name]), array_of(model.state[name]), name)
        self.assertEqual([row[0] for row in plain.predict(x).tolist()], numbers.tolist())
        self.assertEqual([row[1:] for row in plain.predict(x).tolist()], sides.tolist())
        self.assertEqual(model.evaluate(both, aims).loss, plain.evaluate(x, y).loss)
        self.assertAlmostEqual(model.history["val_loss"].tolist()[-1], plain.evaluate(x, y).loss, places=6)

    def test_one_head_and_a_named_loss(self):
        model = tenon.Model(lambda a, b: tenon.nn.linear(tenon.concat([tenon.reshape(a, (a.shape[0], -1)), b], 1), "fc",
                                                         units=1), "mse", device="cpu", inputs=[(3, 2), (1,)])
        model.fit((self.a, self.b), self.sum, epochs=2, verbose=False)
        self.assertEqual(len(model.predict((self.a, self.b)).tolist()), 24)

    def test_mistakes(self):
        model = tenon.Model(self.network, self.loss, device="cpu", inputs=[(3, 2), (1,)])
        for x in (self.a, (self.a,), (self.b, self.a), (self.a, self.b[:5]), (self.a, self.b, self.b)):
            with self.assertRaisesRegex(tenon.ShapeError, "samples are"):
                model.fit(x, (self.sum, self.sides), verbose=False)
        with self.assertRaisesRegex(tenon.ShapeError, "targets are"):
            model.fit((self.a, self.b), (self.sum, self.sides[:3]), verbose=False)


if __name__ == "__main__":
    runner.main()
