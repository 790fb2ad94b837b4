"""operators.py: for draw.py, what operators that work element by element, reductions and products may be given: a
function for each kind, which draws attributes, shapes, types and numbers."""

import math

FLOATS, NUMBERS = "f4 f4 f4 f8", "f4 f4 f4 f8 i4 i8"
WHOLE = "i4 i8 u1 i1 i2 u2"


# ---- element by element ----


def unary(c):
    ranges = {
        "Acos": (-1, 1),
        "Asin": (-1, 1),
        "Atanh": (-0.95, 0.95),
        "Acosh": (1, 5),
        "Log": (0.01, 9),
        "Sqrt": (0, 9),
        "Reciprocal": (0.2, 3),
        "Tan": (-1.4, 1.4),
    }
    low, high = ranges.get(c.operator, (None, None))
    if c.operator == "Not":
        return c.feed(c.array(c.shape(0), "?"))
    kind = c.allowed("f4 f4 f4 f8 i4 i8 i1" if c.operator in ("Abs", "Neg", "Sign", "Relu") else FLOATS)
    c.feed(c.array(c.shape(0), kind, low, high) if kind[0] == "f" else c.array(c.shape(0), kind))
    if c.operator in ("Ceil", "Floor", "Round") and kind[0] == "f" and c.maybe():
        c.operands[0] = ((c.np.round(c.operands[0][0] * 2) / 2).astype(kind), "fed")
    return c


def parametric(c):
    for name in ("alpha", "beta", "gamma", "lambd", "bias"):
        c.sometimes(name, lambda: round(c.r.uniform(0.1, 2), 3))
    c.sometimes("approximate", lambda: c.pick("none", "tanh"))
    kind = c.allowed("f4 f4 f8 i4 i1" if c.operator == "Shrink" else FLOATS)
    return c.feed(c.array(c.shape(0), kind))


def binary(c):
    bools, bits = ("And", "Or", "Xor"), ("BitwiseAnd", "BitwiseOr", "BitwiseXor")
    kind = "?" if c.operator in bools else c.allowed(WHOLE if c.operator in bits else NUMBERS + " u1 i1 i2 u2")
    shape = c.shape(0)
    a, b = c.broad(shape), shape
    if c.maybe():
        a, b = b, a
    low, high = (None, None) if kind[0] == "f" or c.operator not in bits else ({"i": -120, "u": 0}[kind[0]], 127)
    x, y = c.array(a, kind, low, high), c.array(b, kind, low, high)
    if c.operator == "Div":
        y = c.np.where(y == 0, c.np.array(3, y.dtype), y).astype(y.dtype)
    return c.feed(x).feed(y)


def shifts(c):
    kind, shape = c.allowed("u1 u2 u4 u8"), c.shape(0)
    return (
        c.set("direction", c.pick("LEFT", "RIGHT"))
        .feed(c.array(shape, kind, 0, 200))
        .feed(c.array(c.broad(shape), kind, 0, 8))
    )


def power(c):
    kind, by = c.pick("f4", "f4", "f8", "i4", "i8"), c.pick("f4", "i4", "i8")
    if c.opset < 12:
        kind = by = "f4"
    shape = c.shape(0)
    x = c.array(shape, kind, 0.1, 3) if kind[0] == "f" else c.array(shape, kind, -5, 6)
    y = c.array(c.broad(shape), by, -2, 3) if by[0] == "f" and kind[0] == "f" else c.array(c.broad(shape), by, 0, 4)
    return c.feed(x).feed(y)


def modulo(c):
    kind, shape = c.allowed(NUMBERS + " u1 i1 i2"), c.shape(0)
    y = c.array(c.broad(shape), kind)
    y = c.np.where(y == 0, c.np.array(3, y.dtype), y).astype(y.dtype)
    c.feed(c.array(shape, kind)).feed(y)
    return c.set("fmod", 1) if kind[0] == "f" or c.maybe(0.4) else c.sometimes("fmod", lambda: 0)


def several(c):
    kind = c.allowed(NUMBERS if c.operator in ("Max", "Min") else FLOATS)
    shape = c.shape(0)
    for _ in range(c.size(1, 4)):
        c.feed(c.array(c.broad(shape), kind))
    return c


def where(c):
    kind, shape = c.allowed(NUMBERS + " u1 ?", 1), c.shape(0)
    return c.feed(c.array(c.broad(shape), "?")).feed(c.array(c.broad(shape), kind)).feed(c.array(shape, kind))


def clip(c):
    kind = c.allowed(NUMBERS)
    c.feed(c.array(c.shape(0), kind))
    low, high = c.array([], kind, -2, 0), c.array([], kind, 0, 3)
    if c.opset < 11:
        c.sometimes("min", lambda: float(low))
        return c.sometimes("max", lambda: float(high))
    c.feed(low) if c.maybe(0.7) else c.absent()
    return c.feed(high) if c.maybe(0.7) else c


def prelu(c):
    shape = c.shape(1)
    return c.feed(c.array(shape, c.allowed(FLOATS))).weight(c.array(c.broad(shape), c.operands[0][0].dtype.str[1:]))


def cast(c):
    kinds = ["f4", "f8", "f2", "i4", "i8", "u1", "i1", "i2", "u2", "?"]
    source, to = c.pick(*kinds), c.pick(*kinds)
    x = c.array(
        c.shape(0),
        source,
        *(
            (-100, 100)
            if source[0] == "f" and to[0] == "i"
            else (0, 100)
            if source[0] == "f" and to[0] == "u"
            else (None, None)
        ),
    )
    return c.set("to", c.onnx.helper.np_dtype_to_tensor_dtype(c.np.dtype(to))).feed(x)


def infinite(c):
    x = c.array(c.shape(1), c.allowed("f4 f8"))
    x.flat[0], x.flat[-1] = c.pick(math.inf, -math.inf, math.nan), c.pick(-math.inf, math.nan)
    c.sometimes("detect_positive", lambda: c.size(0, 1))
    return c.sometimes("detect_negative", lambda: c.size(0, 1)).feed(x)


# ---- reductions, softmax, norms ----


def reduction(c):
    shape = c.shape(1)
    positive = "Log" in c.operator  # of whole numbers everybody rounds as they like
    kind = c.allowed(FLOATS if positive else NUMBERS)
    c.feed(
        c.array(shape, kind, 0.1, 3)
        if positive and kind[0] == "f"
        else c.array(shape, kind, *((1, 5) if positive else ()))
    )
    c.sometimes("keepdims", lambda: c.size(0, 1))
    if c.maybe(0.75):
        axes = c.r.sample(range(len(shape)), c.size(1, len(shape)))
        axes = [a - len(shape) if c.maybe(0.3) and c.opset >= 11 else a for a in axes]
        c.known("axes", c.np.array(axes, "i8"), 1)
    elif c.maybe(0.3) and c.has("noop_with_empty_axes"):
        c.set("noop_with_empty_axes", 1)
    return c


def along_axis(c):
    shape = c.shape(2 if c.opset < 13 else 1)
    kinds = "f4 f4 f8 i4" if c.operator.startswith("Arg") else FLOATS if c.operator != "Hardmax" else "f4"
    c.feed(c.array(shape, c.allowed(kinds)))
    if len(shape) > 1 or c.opset >= 13:
        c.sometimes("axis", lambda: c.axis(len(shape)), 0.8 if len(shape) > 1 else 0)
    for name in ("keepdims", "select_last_index"):
        c.sometimes(name, lambda: c.size(0, 1))
    return c.sometimes("p", lambda: c.size(1, 2))


def running(c):
    shape = c.shape(1)
    c.feed(c.array(shape, c.allowed("f4 f8 i4 i8"))).feed(c.np.array(c.axis(len(shape)), c.pick("i4", "i8")), 0.5)
    return c.sometimes("exclusive", lambda: c.size(0, 1)).sometimes("reverse", lambda: c.size(0, 1))


def pictures(c, axes=None):
    return [c.size(1, 3), c.size(1, 6)] + [c.size(3, 9) for _ in range(axes or c.size(1, 3))]


def batch_norm(c):
    shape = pictures(c) if c.maybe(0.8) else [c.size(), c.size()]
    c.feed(c.array(shape))
    for low, high in ((0.5, 2), (-1, 1), (-1, 1), (0.3, 2)):
        c.weight(c.array(shape[1:2], "f4", low, high))
    return c.sometimes("epsilon", lambda: 10 ** c.r.uniform(-5, -1)).sometimes("momentum", lambda: 0.8, 0.3)


def channel_norm(c):
    shape = pictures(c)
    parts = shape[1]
    if c.operator == "GroupNormalization":
        groups = c.r.choice([g for g in range(1, shape[1] + 1) if shape[1] % g == 0])
        c.set("num_groups", groups)
        parts = groups if c.opset < 21 else shape[1]
    c.feed(c.array(shape)).weight(c.array([parts])).weight(c.array([parts]))
    return c.sometimes("epsilon", lambda: 10 ** c.r.uniform(-5, -1))


def last_norm(c):
    shape = c.shape(2)
    axis = c.size(0, len(shape) - 1)
    c.feed(c.array(shape)).weight(c.array(shape[axis:]))
    if c.operator == "LayerNormalization":
        if c.maybe(0.7):
            c.weight(c.array(shape[axis:]))
        c.outputs = c.pick([True], [True], [True, True, True])
    if axis != len(shape) - 1 or c.maybe():
        c.set("axis", axis - (len(shape) if c.maybe(0.4) else 0))
    return c.sometimes("epsilon", lambda: 10 ** c.r.uniform(-5, -1))


def response_norm(c):
    c.feed(c.array([c.size(1, 2), c.size(2, 8), *[c.size(1, 4)] * 2])).set(
        "size", c.pick(1, 3, 5, 7)
    )  # even ones nobody computes rightly
    c.sometimes("alpha", lambda: c.r.uniform(0.01, 1)).sometimes("beta", lambda: c.r.uniform(0.2, 1))
    return c.sometimes("bias", lambda: c.r.uniform(0.5, 2))


def mean_variance(c):
    return c.feed(c.array(pictures(c, 2))).sometimes("axes", lambda: sorted(c.r.sample(range(4), c.size(1, 4))))


# ---- products ----


def product(c):
    m, k, n = c.size(), c.size(), c.size()
    batch = c.shape(0, 2, 3)
    a, b = c.broad(batch) + [m, k], batch + [k, n]
    if c.maybe(0.2):
        a = [k]
    elif c.maybe(0.2):
        b = [k]
    kind = c.allowed("f4 f4 f8 i4")
    return c.feed(c.array(a, kind)).weight(c.array(b, kind))


def gemm(c):
    m, k, n = c.size(), c.size(), c.size()
    ta, tb = c.size(0, 1), c.size(0, 1)
    kind = c.allowed("f4 f4 f4 f8")
    c.feed(c.array([k, m] if ta else [m, k], kind)).weight(c.array([n, k] if tb else [k, n], kind))
    if c.opset < 11 or c.maybe(0.8):
        c.weight(c.array(c.pick([n], [m, n], [m, 1], [1, n], [1], []), kind))
    for name, flag in (("transA", ta), ("transB", tb)):
        if flag or c.maybe(0.3):
            c.set(name, flag)
    return c.sometimes("alpha", lambda: c.r.uniform(-2, 2), 0.4).sometimes("beta", lambda: c.r.uniform(-2, 2), 0.4)


def einsum(c):
    size = {letter: c.size() for letter in "ijkbn"}
    equation = c.pick(
        "ij,jk->ik",
        "bij,bjk->bik",
        "ij->ji",
        "ii->i",
        "ij->",
        "ij,ij->i",
        "i,j->ij",
        "bij,bkj->bik",
        "...ij,...jk->...ik",
        "ij,jk",
        "bnij,bnkj->bnik",
        "ijk->kji",
        "ii->",
        "ij,jk,kn->in",
    )
    c.set("equation", equation)
    for part in equation.split("->")[0].split(","):
        c.feed(c.array([size[x] for x in part.replace("...", "b")]))
    return c
