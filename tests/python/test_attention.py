"""test_attention.py: attention of lengths at which the cpu backend computes it in tiles, against NumPy's matrices of all
scores: masks, shared heads, gradients, numbers that are none."""
import unittest

import runner
import tenon

try:
    import numpy as np
except ImportError:
    np = None

LONG = 211  # queries, and as many keys and more: several tiles, none of them whole


def weights(q, k, scale, hidden=None, bias=None):
    s = q @ np.swapaxes(k, -1, -2) * scale
    if bias is not None:
        s = s + bias
    if hidden is not None:
        s = np.where(hidden, -np.inf, s)
    top = s.max(-1, keepdims=True)
    e = np.exp(s - np.where(np.isfinite(top), top, 0))
    total = e.sum(-1, keepdims=True)
    return np.where(total > 0, e / np.where(total > 0, total, 1), 0)


def slopes(q, k, v, dy, p, scale):
    """What dy means for q, k and v."""
    dp = dy @ np.swapaxes(v, -1, -2)
    ds = p * (dp - (dp * p).sum(-1, keepdims=True)) * scale
    return ds @ k, np.swapaxes(ds, -1, -2) @ q, np.swapaxes(p, -1, -2) @ dy


def by_heads(x, heads):
    return np.repeat(x, heads // x.shape[1], axis=1)


def of_groups(x, groups):
    b, heads = x.shape[:2]
    return x.reshape(b, groups, heads // groups, *x.shape[2:]).sum(2)


@unittest.skipIf(np is None, "there is no NumPy")
class InTiles(unittest.TestCase):
    def setUp(self):
        self.rng = np.random.default_rng(7)

    def operands(self, heads=4, groups=4, more=0):
        shapes = (2, heads, LONG, 9), (2, groups, LONG + more, 9), (2, groups, LONG + more, 21), (2, heads, LONG, 21)
        return [self.rng.standard_normal(s).astype(np.float32) for s in shapes]

    def compiled(self, arrays, **options):
        """y and the three gradients, and the program."""
        graph = tenon.Graph()
        extra = {name: graph.input(name, a.shape) for name, a in options.items() if isinstance(a, np.ndarray)}
        q, k, v, dy = (graph.input(name, a.shape) for name, a in zip("q k v dy".split(), arrays))
        y = tenon.attend(q, k, v, **{**options, **extra})
        y.output("y")
        for name, g in zip(("dq", "dk", "dv"), graph.grad((y * dy).sum(), [q, k, v])):
            g.output(name)
        program = graph.compile("cpu")
        given = {name: a for name, a in options.items() if isinstance(a, np.ndarray)}
        return program(**dict(zip("q k v dy".split(), arrays)), **given), program

    def check(self, arrays, hidden=None, bias=None, scale=1 / 3, **options):
        got, program = self.compiled(arrays, scale=scale, **options)
        q, k, v, dy = (a.astype(np.float64) for a in arrays)
        heads, groups = q.shape[1], k.shape[1]
        wide_k, wide_v = by_heads(k, heads), by_heads(v, heads)
        p = weights(q, wide_k, scale, hidden, bias)
        dq, dk, dv = slopes(q, wide_k, wide_v, dy, p, scale)
        wanted = {"y": p @ wide_v, "dq": dq, "dk": of_groups(dk, groups), "dv": of_groups(dv, groups)}
        for name, want in wanted.items():
            off = np.abs(np.asarray(got[name]) - want).max() / np.abs(want).max()
            self.assertLess(off, 2e-6, f"{name} with {list(options)}")
        self.assertIn("attend_grad", program.explain())
        return program

    def test_all_keys(self):
        self.check(self.operands())

    def test_no_matrix_of_scores_is_stored(self):
        program = self.check(self.operands(heads=16, groups=16))
        scores = 2 * 16 * LONG * LONG * 4
        self.assertLess(program.report()["arena_actual"], scores)

    def test_causal_and_later_queries(self):
        places = np.arange(LONG)
        self.check(self.operands(), hidden=places[None, :] > places[:, None], causal=1)
        later = np.arange(LONG + 70)[None, :] > places[:, None] + 70
        self.check(self.operands(more=70), hidden=later, causal=1, first=70)

    def test_heads_that_share_keys(self):
        places = np.arange(LONG)
        self.check(self.operands(heads=6, groups=2), hidden=places[None, :] > places[:, None], causal=1)

    def test_masks(self):
        arrays = self.operands(more=90)
        seen = (self.rng.uniform(size=(2, 1, LONG, LONG + 90)) > 0.4).astype(np.float32)
        seen[1, 0, 17] = 0  # this query sees nothing
        self.check(arrays, hidden=seen == 0, mask=seen)
        bias = self.rng.standard_normal((1, 4, 1, LONG + 90)).astype(np.float32)
        bias[0, 1, 0, :80] = -np.inf
        got, _ = self.compiled(arrays, scale=0.5, bias=bias)
        q, k, v, _ = (a.astype(np.float64) for a in arrays)
        want = weights(q, k, 0.5, bias=bias) @ v
        self.assertLess(np.abs(np.asarray(got["y"]) - want).max(), 1e-5)

    def written_out(self, arrays, shown=False):
        """Two products with softmax between them, as other programs have it."""
        graph = tenon.Graph()
        q, k, v, mask = (graph.input(name, a.shape) for name, a in zip("q k v mask".split(), arrays))
        p = tenon.softmax(tenon.matmul(q, tenon.transpose(k, (0, 1, 3, 2))) / 3.0 + mask, -1)
        if shown:
            p.output("p")
        tenon.matmul(p, v).output("y")
        program = graph.compile("cpu")
        return np.asarray(program(**dict(zip("q k v mask".split(), arrays)))["y"]), program.explain()

    def test_products_with_softmax_between_them_are_found(self):
        q, k, v, _ = self.operands()
        mask = self.rng.standard_normal((2, 1, 1, LONG)).astype(np.float32)
        p = weights(q.astype(float), k.astype(float), 1 / 3, bias=mask)
        for shown in (False, True):
            y, text = self.written_out((q, k, v, mask), shown=shown)
            self.assertLess(np.abs(y - p @ v).max(), 1e-5)
            self.assertEqual("attend" in text, not shown, text)

    def test_few_queries_of_many_keys_are_products(self):
        for queries, tiles in ((1, False), (15, False), (16, True)):
            q = self.rng.standard_normal((1, 2, queries, 4)).astype(np.float32)
            k, v = (self.rng.standard_normal((1, 2, 40000, 4)).astype(np.float32) for _ in range(2))
            graph = tenon.Graph()
            tenon.attend(*(graph.input(name, a.shape) for name, a in zip("qkv", (q, k, v)))).output("y")
            program = graph.compile("cpu")
            y = np.asarray(program(q=q, k=k, v=v)["y"])
            self.assertLess(np.abs(y - weights(q.astype(float), k.astype(float), 0.5) @ v).max(), 1e-5)
            self.assertEqual("attend" in program.explain(), tiles, queries)

    def test_scores_that_are_all_minus_infinity(self):
        """A mask that leaves nothing above that gives 0, as PyTorch has it; without one it is NaN, as softmax is."""
        for device, length in (("cpu", LONG), ("cpu", 5), ("reference", 5)):
            with self.subTest(device=device, length=length):
                q, k, v = (self.rng.standard_normal((1, 2, length, 3)).astype(np.float32) for _ in range(3))
                q[0, 1, 3], k[..., 0] = (-np.inf, 0, 0), 1
                seen = np.ones((1, 1, length, length), np.float32)
                for hidden in (0, 2):
                    seen[..., :hidden] = 0
                    for masked in (True, False):
                        graph = tenon.Graph()
                        inputs = [graph.input(name, a.shape) for name, a in zip("qkv", (q, k, v))]
                        mask = {"mask": graph.input("mask", seen.shape)} if masked else {}
                        tenon.attend(*inputs, **mask).output("y")
                        given = {"q": q, "k": k, "v": v, **({"mask": seen} if masked else {})}
                        y = np.asarray(graph.compile(device)(**given)["y"])
                        self.assertTrue((y[0, 1, 3] == 0).all() if masked else np.isnan(y[0, 1, 3]).all(), y[0, 1, 3])
                        self.assertTrue(np.isfinite(np.delete(y[0, 1], 3, 0)).all())

    def test_large_scores_and_numbers_that_are_none(self):
        arrays = self.operands()
        arrays[0][0, 1, 3] *= 1e4  # one weight of 1, the others 0
        arrays[0][1, 2, 5, 4] = np.nan
        got, _ = self.compiled(arrays, scale=1.0, causal=1)
        places = np.arange(LONG)
        q, k, v, _ = (a.astype(np.float64) for a in arrays)
        with np.errstate(invalid="ignore"):
            want = weights(q, k, 1.0, hidden=places[None, :] > places[:, None])
        want = want @ v
        y = np.asarray(got["y"])
        self.assertTrue(np.isnan(y[1, 2, 5]).all())
        there = np.ones(y.shape[:3], bool)
        there[1, 2, 5] = False
        self.assertLess(np.abs(y[there] - want[there]).max(), 2e-4)


if __name__ == "__main__":
    runner.main()
