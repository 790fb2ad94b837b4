"""test_numbers.py: numbers beside tensors, which a whole type may not have, and Python's operators for whole numbers."""
import math
import random
import unittest
import warnings

import runner
import tenon
from test_core import DEVICES, np, run, tolist


class Numbers(unittest.TestCase):
    def test_whole_quotients_and_rests_are_python_s(self):
        rng = random.Random(11)
        a = [rng.choice([-2 ** 31, 2 ** 31 - 1, rng.randint(-50, 50)]) for _ in range(60)]
        b = [rng.choice([n for n in range(-9, 10) if n not in (-1, 0)]) for _ in a]
        for device in DEVICES:
            graph = tenon.Graph()
            x, y = graph.input("x", len(a), "i32"), graph.input("y", len(a), "i32")
            for name, made in {"//": x // y, "x//7": x // 7, "40//y": 40 // y, "40%y": 40 % y}.items():
                made.output(name)
            got = graph.compile(device)(x=a, y=b)
            self.assertEqual(tolist(got["//"]), [p // q for p, q in zip(a, b)])
            self.assertEqual(tolist(got["x//7"]), [p // 7 for p in a])
            self.assertEqual(tolist(got["40//y"]), [40 // q for q in b])
            self.assertEqual(tolist(got["40%y"]), [40 % q for q in b])
            real = [float(n) / 4 for n in range(-20, 21)]
            self.assertEqual(run(device, lambda x: x // 0.75, x=real), [r // 0.75 for r in real])
            self.assertEqual(run(device, lambda x: x // 0.1, x=[1.0]), [9.0])

    def test_numbers_that_a_whole_type_does_not_have_are_refused(self):
        for build in (lambda a: a == 5.5, lambda a: a < 1.5, lambda a: a * 1.5, lambda a: a + 2 ** 40,
                      lambda a: a * 2 ** 31, lambda a: a * math.nan, lambda a: 2.7 - a, lambda a: a - math.inf):
            with self.assertRaisesRegex(tenon.DtypeError, "the number .* is no i32.*make it f32 first"):
                build(tenon.Graph().input("a", 3, "i32"))
        with self.assertRaisesRegex(tenon.DtypeError, "300 is no u8"):
            tenon.Graph().full(3, 300, "u8")
        with self.assertRaisesRegex(tenon.DtypeError, "1.5 is no i32"):
            tenon.Graph().scalar("s", 1.5, "i32")
        with self.assertRaisesRegex(tenon.InvalidError, "a number is wanted, not a str"):
            tenon.Graph().full(3, "x")
        with self.assertRaisesRegex(tenon.InvalidError, "401 digits"):
            tenon.Graph().input("a", 3) + 10 ** 400
        graph = tenon.Graph()
        (graph.input("a", 3, "i32") * 2.0 + -2 ** 31).output("y")
        self.assertEqual(tolist(graph.compile("cpu")(a=[1, 2, 3])["y"]), [2 - 2 ** 31, 4 - 2 ** 31, 6 - 2 ** 31])

    def feeds(self, dtype, x):
        graph = tenon.Graph()
        graph.input("x", len(x), dtype).cast("f32").output("y")
        return tolist(graph.compile("cpu")(x=x)["y"])

    def test_numbers_beyond_a_type_become_infinite_with_a_warning(self):
        numbers = [1e300, -1e300, 2.0]
        try:
            for found in {None, np}:
                tenon.memory._numpy = found
                for x in [numbers] if np is None else [numbers, np.array(numbers)]:
                    for dtype in ("f32", "f16"):
                        with self.assertWarnsRegex(RuntimeWarning, f"input 'x': numbers beyond {dtype} become inf") as w:
                            self.assertEqual(self.feeds(dtype, x), [math.inf, -math.inf, 2])
                        self.assertEqual(w.filename, __file__)
                with warnings.catch_warnings():
                    warnings.simplefilter("error")
                    largest = 2.0 ** 128 - 2.0 ** 104
                    self.assertEqual(self.feeds("f32", [math.inf, 3.4028235677973362e38]), [math.inf, largest])
                    self.assertEqual(self.feeds("f16", [65519.0]), [65504])
        finally:
            tenon.memory._numpy = False  # it is looked for again

    @unittest.skipIf(np is None, "there is no NumPy")
    def test_numpy_s_scalars_are_numbers(self):
        self.assertEqual(run("cpu", lambda x: np.float32(2) * x * np.int64(3) + np.array(1), x=[1.0, 2.0]), [7, 13])
        for wrong in (np.ones(2), np.complex64(2)):
            with self.assertRaises(tenon.InvalidError):
                tenon.Graph().input("x", 2) * wrong

    def test_and_or_and_not_are_logical_and_refuse_patterns_of_bits(self):
        graph = tenon.Graph()
        a = graph.input("a", 3, "i32")
        ((a > 1) & (a < 6) | (a == 0)).output("y")
        (~a).output("n")
        got = graph.compile("cpu")(a=[0, 6, 3])
        self.assertEqual((tolist(got["y"]), tolist(got["n"])), ([1, 0, 1], [1, 0, 0]))
        for build in (lambda: a & 3, lambda: 6 | a, lambda: a ^ 2):
            with self.assertRaises((tenon.InvalidError, TypeError)):
                build()

    def test_the_gradient_for_one_tensor_is_one(self):
        def build(x):
            made = x.graph.grad((x * x * x).sum(), x)
            self.assertEqual(made.shape, (2,))
            return made
        self.assertEqual(run("cpu", build, x=[1.0, 2.0]), [3, 12])


if __name__ == "__main__":
    runner.main()
