"""test_layer_norm.py: normalised rows of any length and number, near to 0 and far from it, with their gradients, as one
operator and as several, against NumPy's formulas in double precision.

usage: test_layer_norm.py [DEVICE]: on which; exit status 77: it is not there"""
import os
import subprocess
import sys
import unittest

import runner
import tenon

try:
    import numpy as np
except ImportError:
    np = None

DEVICE = sys.argv[1] if len(sys.argv) > 1 else "cpu"
THREADS = """
import hashlib, sys, numpy as np
sys.path.insert(0, %r)
import test_layer_norm as t
x, dy, weight, bias = t.drawn(np.random.default_rng(3), 1500, 37)
got, _ = t.compiled([x, dy, weight, bias], 1e-5)
print(*[hashlib.sha256(np.asarray(got[name]).tobytes()).hexdigest() for name in sorted(got)])
"""


def drawn(rng, m, n, far=0.0):
    """x, dy, weight and bias; x is a number of f32 times what is beside it, so that far from 0 it is still exact."""
    return [a.astype(np.float32) for a in (rng.standard_normal((m, n)) + far, rng.standard_normal((m, n)),
                                           rng.uniform(-2, 2, n), rng.uniform(-1, 1, n))]


def build(arrays, epsilon, rms=False, affine=2):
    graph = tenon.Graph()
    x, dy, weight, bias = (graph.input(name, a.shape) for name, a in zip("x dy weight bias".split(), arrays))
    y = tenon.layer_normalize(x, weight, epsilon, bias=bias if affine > 1 else None, keep_mean=rms)
    return graph, y, [x, weight, bias][:1 + affine], (y * dy).sum()


def compiled(arrays, epsilon, device=DEVICE, options=None, **form):
    """y and the gradients, and the program."""
    graph, y, leaves, loss = build(arrays, epsilon, **form)
    y.output("y")
    for name, g in zip(("dx", "dweight", "dbias"), graph.grad(loss, leaves)):
        g.output(name)
    program = graph.compile(device, **(options or {}))
    return program(**dict(zip("x dy weight bias".split(), arrays))), program


def wanted(arrays, epsilon, rms=False, affine=2):
    x, dy, weight, bias = (a.astype(np.float64) for a in arrays)
    centred = x if rms else x - x.mean(-1, keepdims=True)
    scale = 1 / np.sqrt((centred**2).mean(-1, keepdims=True) + epsilon)
    normal, slope = centred * scale, dy * weight
    flat = 0 if rms else slope.mean(-1, keepdims=True)
    want = {"y": normal * weight + (bias if affine > 1 else 0),
            "dx": (slope - flat - normal * (slope * normal).mean(-1, keepdims=True)) * scale,
            "dweight": (dy * normal).sum(0), "dbias": dy.sum(0)}
    return {name: want[name] for name in ("y", "dx", "dweight", "dbias")[:2 + affine]}


@unittest.skipIf(np is None, "there is no NumPy")
class Rows(unittest.TestCase):
    def setUp(self):
        self.rng = np.random.default_rng(11)

    def check(self, arrays, epsilon, most=2e-6, **how):
        form = {k: v for k, v in how.items() if k in ("rms", "affine")}
        got, program = compiled(arrays, epsilon, **how)
        for name, want in wanted(arrays, epsilon, **form).items():
            top = np.abs(want).max() if want.size else 0
            off = np.abs(np.asarray(got[name]) - want).max() if want.size else 0
            self.assertLessEqual(off, most * top, f"{name} of {arrays[0].shape} with {how}")
        return program

    def test_rows_of_equal_numbers(self):
        """Nothing is left of them, however large they are and however small epsilon is."""
        for n in (1, 2, 165, 765, 5000):
            arrays = drawn(self.rng, 3, n)
            arrays[0][:] = np.array([[1e17], [-1e6], [7.1e20]], np.float32)
            for epsilon in (1e-5, 1e-30):
                got, _ = compiled(arrays, epsilon)
                slope = arrays[1].astype(np.float64) * arrays[2]
                want = {"y": np.broadcast_to(arrays[3], (3, n)), "dweight": np.zeros(n), "dbias": arrays[1].sum(0),
                        "dx": (slope - slope.mean(-1, keepdims=True)) / np.sqrt(epsilon)}
                for name in want:
                    top = np.abs(want[name]).max()
                    off = np.abs(np.asarray(got[name]) - want[name]).max()
                    self.assertLessEqual(off, 2e-6 * top, f"{name} of {n} with {epsilon}")

    def test_rows_that_are_small_beside_epsilon(self):
        """Their squares are nothing in f32, and they are not equal."""
        for size in (1e-9, 1e-18, 1e-25, 1e-33):
            arrays = drawn(self.rng, 5, 165)
            arrays[0] *= np.float32(size)
            self.check(arrays, 1e-5, affine=1)

    def test_drawn_sizes(self):
        for _ in range(12):
            m, n = (int(np.exp(self.rng.uniform(0, np.log(most)))) for most in (700, 1500))
            form = {"rms": bool(self.rng.integers(2)), "affine": int(self.rng.integers(1, 3))}
            program = self.check(drawn(self.rng, m, max(n, 3)), 1e-3, **form)
            text = program.explain()
            self.assertIn("layer_norm_grad", text)
            if form != {"rms": True, "affine": 2}:  # whose bias is added by a map
                self.assertNotIn("reduce", text)

    def test_odd_sizes(self):
        for m, n in ((0, 5), (1, 1), (4, 1), (1, 64), (33, 2), (2, 4097), (32, 65), (33, 65)):
            self.check(drawn(self.rng, m, n), 0.5)

    def test_far_from_0(self):
        for far in (1e3, -1e4, 3e5):
            self.check(drawn(self.rng, 65, 130, far), 1e-5, most=4e-6)

    def test_what_does_not_fit_is_refused(self):
        for rms in (False, True):
            for weight, bias in (((5,), (3, 5)), ((5,), (1,)), ((3,), (3,)), ((4, 3, 5), (4, 3, 5))):
                graph = tenon.Graph()
                x, w, b = (graph.input(name, shape) for name, shape in zip("xwb", ((3, 5), weight, bias)))
                with self.assertRaisesRegex(tenon.ShapeError, "layer_norm"):
                    tenon.layer_normalize(x, w, 1e-5, bias=b, keep_mean=rms)

    def test_large_and_small_numbers(self):
        for size in (1e-25, 1e-15, 1e15, 1e25):  # whose squares f32 does not hold
            x, *others = drawn(self.rng, 5, 40)
            self.check([(x * size).astype(np.float32), *others], 0.0)

    def test_numbers_that_are_none_stay_in_their_row(self):
        arrays = drawn(self.rng, 70, 50)
        arrays[0][7, 3], arrays[0][40, 49] = np.nan, np.inf
        got, _ = compiled(arrays, 1e-5)
        for name in ("y", "dx"):
            bad = ~np.isfinite(np.asarray(got[name])).all(-1)
            self.assertEqual(list(np.nonzero(bad)[0]), [7, 40], name)
        self.assertTrue(np.isnan(np.asarray(got["dweight"])).any())
        self.assertTrue(np.isfinite(np.asarray(got["dbias"])).all())

    def test_parts_give_the_same(self):
        """A row so long that threads share it, by reductions and maps; and operators one by one."""
        threads = min(int(os.environ.get("OMP_NUM_THREADS", 64)), len(os.sched_getaffinity(0)))
        for form in ({}, {"rms": True}, {"affine": 1}):
            text = self.check(drawn(self.rng, 1, 300000), 1e-3, most=1e-5, **form).explain()
            self.assertEqual("layer_norm" in text, threads == 1)
            self.check(drawn(self.rng, 9, 31), 1e-3, options={"unfused": True}, **form)

    def test_stored_in_16_bits(self):
        x, *others = drawn(self.rng, 96, 64)
        for storage, most in (("f16", 0.002), ("bf16", 0.02)):
            graph = tenon.Graph()
            a, dy, weight, bias = (graph.input(k, v.shape) for k, v in zip("x dy weight bias".split(), [x, *others]))
            y = tenon.sin(tenon.layer_normalize(tenon.tanh(a), weight, 1e-5, bias=bias))
            y.output("y")
            for name, g in zip(("dx", "dweight", "dbias"), graph.grad((y * dy).sum(), [a, weight, bias])):
                g.output(name)
            program = graph.compile(DEVICE, storage=storage)
            rows = [line for line in program.explain().splitlines() if "layer_norm " in line]
            self.assertTrue(all(f" {storage} (96, 64)" in line for line in rows) and rows, rows)
            got = program(**dict(zip("x dy weight bias".split(), [x, *others])))
            inner = [np.tanh(x.astype(np.float64)), *(o.astype(np.float64) for o in others)]
            turned = wanted(inner, 1e-5)["y"]
            want = wanted([inner[0], inner[1] * np.cos(turned), *inner[2:]], 1e-5)
            want["y"], want["dx"] = np.sin(turned), want["dx"] * (1 - inner[0]**2)
            for name, exact in want.items():
                self.assertLess(np.abs(np.asarray(got[name]) - exact).max() / np.abs(exact).max(), most, name)

    def test_gradients_of_gradients(self):
        arrays = drawn(self.rng, 6, 9)
        graph, _, leaves, loss = build(arrays, 0.1)
        first = graph.grad(loss, leaves[:1])[0]
        for name, g in zip(("dx", "dweight"), graph.grad((first * first).sum(), leaves[:2])):
            g.output(name)
        got = graph.compile(DEVICE)(**dict(zip("x dy weight bias".split(), arrays)))
        for at, name in ((0, "dx"), (2, "dweight")):
            slopes = np.zeros(arrays[at].shape)
            for place in np.ndindex(slopes.shape):
                side = []
                for step in (1e-5, -1e-5):
                    moved = [a.astype(np.float64) for a in arrays]
                    moved[at][place] += step
                    side.append((wanted(moved, 0.1)["dx"]**2).sum())
                slopes[place] = (side[0] - side[1]) / 2e-5
            self.assertLess(np.abs(np.asarray(got[name]) - slopes).max(), 1e-4 * np.abs(slopes).max(), name)

    def test_the_same_bits_for_any_number_of_threads(self):
        said = {subprocess.run([sys.executable, "-c", THREADS % os.path.dirname(os.path.abspath(__file__))],
                               env={**os.environ, "OMP_NUM_THREADS": threads}, check=True, capture_output=True).stdout
                for threads in ("1", "2", "5")}
        self.assertEqual(len(said), 1)


def main():
    try:
        tenon.State(DEVICE).close()
    except tenon.TenonError as error:
        print(f"skipped: {error}")
        sys.exit(77)
    runner.main(sys.argv[:1])


if __name__ == "__main__":
    main()
