#!/usr/bin/env python3
"""Writes golden.inc: what the operators ought to give, computed without Tenon.

    python3 tests/op/golden.py > tests/op/golden.inc

Element-wise rows are written down here a second time, as mathematics (mpmath, 60 digits), with the values that they
must have at infinities, at kinks and at the two zeros. Everything else is computed by NumPy in double precision from
operands whose elements the test makes by the same rule as `operand` below. Needs mpmath and numpy."""
import math

import mpmath as mp
import numpy as np

mp.mp.dps = 60
INF, NAN = math.inf, math.nan

# ---- rows of one operand ---------------------------------------------------------------------------------------------
# name: (f, f', places, limits: f(-inf), f(inf), f'(-inf), f'(inf); None: not looked at)
COMMON = [1.0, -1.0, 0.5, -0.5, 1e-3, -1e-3, 1e-8, -1e-8, 1e-20, -1e-20, 0.7, -0.7, 1.9, -1.9, 3.3, -3.3, 12.5, -12.5]
WIDE = COMMON + [37.0, -37.0, 300.0, -300.0, 1e5, -1e5]
POSITIVE = [1.0, 0.5, 1e-3, 1e-8, 1e-20, 1e-300, 0.9999999, 1.0000001, 2.0, 3.3, 12.5, 1e5, 1e20, 1e300]
one = mp.mpf(1)


def sigmoid(x):
    return 1 / (1 + mp.exp(-x))


def gelu_tanh(x):
    return x / 2 * (1 + mp.tanh(mp.sqrt(2 / mp.pi) * (x + mp.mpf("0.044715") * x**3)))


def mish(x):
    return x * mp.tanh(mp.log1p(mp.exp(x)))


# Klambauer and others, 2017, equation 14: the constants for which mean 0 and variance 1 are a fixed point.
SELU_SCALE, SELU_ALPHA = mp.mpf("1.05070098735548049341933498529"), mp.mpf("1.67326324235437728481704299167")


def selu(x):
    return SELU_SCALE * (x if x >= 0 else SELU_ALPHA * mp.expm1(x))


# The other side of these is a difference of numbers near 1, good to the same absolute error.
RIGHT = [p for p in WIDE if p > -1.5]

INSIDE = [0.5, -0.5, 1e-3, -1e-3, 1e-8, -1e-20, 0.7, -0.7, 0.99, -0.99, 0.999999, -0.999999]
HALVES = WIDE + [2.0, -2.0, 2.5, -2.5, 1.5, -1.5, 0.49999999999999994, -0.49999999999999994, 4503599627370495.5]

UNARY = {
    "neg": (lambda x: -x, lambda x: -one, WIDE, (INF, -INF, -1, -1)),
    "abs": (abs, mp.sign, WIDE, (INF, INF, -1, 1)),
    "sign": (mp.sign, None, WIDE, (-1, 1, None, None)),
    "square": (lambda x: x * x, lambda x: 2 * x, WIDE, (INF, INF, -INF, INF)),
    "sqrt": (mp.sqrt, lambda x: 1 / (2 * mp.sqrt(x)), POSITIVE, (NAN, INF, NAN, 0)),
    "rsqrt": (lambda x: 1 / mp.sqrt(x), lambda x: -1 / (2 * x * mp.sqrt(x)), [p for p in POSITIVE if p > 1e-99],
              (NAN, 0, NAN, 0)),
    "reciprocal": (lambda x: 1 / x, lambda x: -1 / (x * x), WIDE, (0, 0, 0, 0)),
    "exp": (mp.exp, mp.exp, WIDE + [709.0, -740.0], (0, INF, 0, INF)),
    "exp2": (lambda x: mp.power(2, x), lambda x: mp.power(2, x) * mp.log(2), WIDE[:-2] + [1023.0, -1074.0],
             (0, INF, 0, INF)),
    "expm1": (mp.expm1, mp.exp, WIDE, (-1, INF, 0, INF)),
    "log": (mp.log, lambda x: 1 / x, POSITIVE, (NAN, INF, 0, 0)),
    "log2": (lambda x: mp.log(x) / mp.log(2), lambda x: 1 / (x * mp.log(2)), POSITIVE + [8.0, 2.0**-1000],
             (NAN, INF, 0, 0)),
    "log10": (lambda x: mp.log(x) / mp.log(10), lambda x: 1 / (x * mp.log(10)), POSITIVE + [1000.0], (NAN, INF, 0, 0)),
    "log1p": (mp.log1p, lambda x: 1 / (1 + x), [1.0, 0.5, -0.5, 1e-3, -1e-3, 1e-8, -1e-8, 1e-20, -0.999, 3.3, 1e5],
              (NAN, INF, 0, 0)),
    "sin": (mp.sin, mp.cos, WIDE, (NAN, NAN, NAN, NAN)),
    "cos": (mp.cos, lambda x: -mp.sin(x), WIDE, (NAN, NAN, NAN, NAN)),
    "tan": (mp.tan, lambda x: mp.sec(x) ** 2, WIDE, (NAN, NAN, NAN, NAN)),
    "asin": (mp.asin, lambda x: 1 / mp.sqrt(1 - x * x), INSIDE, (NAN, NAN, NAN, NAN)),
    "acos": (mp.acos, lambda x: -1 / mp.sqrt(1 - x * x), INSIDE, (NAN, NAN, NAN, NAN)),
    "atan": (mp.atan, lambda x: 1 / (1 + x * x), WIDE + [1e300, -1e300], (-mp.pi / 2, mp.pi / 2, 0, 0)),
    "sinh": (mp.sinh, mp.cosh, WIDE + [700.0, -700.0], (-INF, INF, INF, INF)),
    "cosh": (mp.cosh, mp.sinh, WIDE + [700.0, -700.0], (INF, INF, -INF, INF)),
    "asinh": (mp.asinh, lambda x: 1 / mp.sqrt(1 + x * x), WIDE, (-INF, INF, 0, 0)),
    "acosh": (mp.acosh, lambda x: 1 / mp.sqrt(x * x - 1),
              [1.0000001, 1.001, 1.5, 2.0, 3.3, 12.5, 37.0, 300.0, 1e5, 1e20, 1e300], (NAN, INF, NAN, 0)),
    "atanh": (mp.atanh, lambda x: 1 / (1 - x * x), INSIDE, (NAN, NAN, None, None)),
    "erf": (mp.erf, lambda x: 2 / mp.sqrt(mp.pi) * mp.exp(-x * x), COMMON + [5.5, -5.5], (-1, 1, 0, 0)),
    "floor": (mp.floor, None, WIDE + [2.0, -2.0, 2.5, -2.5], (-INF, INF, None, None)),
    "ceil": (mp.ceil, None, HALVES, (-INF, INF, None, None)),
    "trunc": (lambda x: mp.floor(x) if x > 0 else mp.ceil(x), None, HALVES, (-INF, INF, None, None)),
    "round": (mp.nint, None, HALVES, (-INF, INF, None, None)),
    "isnan": (lambda x: 0 * x, None, WIDE, (0, 0, None, None)),
    "isinf": (lambda x: 0 * x, None, WIDE + [1.7e308], (1, 1, None, None)),
    "isfinite": (lambda x: one, None, WIDE + [1.7e308], (0, 0, None, None)),
    "step": (lambda x: one if x >= 0 else mp.mpf(0), None, WIDE, (0, 1, None, None)),
    "relu": (lambda x: max(x, mp.mpf(0)), lambda x: one if x > 0 else mp.mpf(0), WIDE, (0, INF, 0, 1)),
    "relu6": (lambda x: min(max(x, 0 * x), 6 * one), lambda x: one if 0 < x < 6 else 0 * x, WIDE + [6.0, 5.5, 6.5],
              (0, 6, 0, 0)),
    "hard_tanh": (lambda x: min(max(x, -one), one), lambda x: one if abs(x) < 1 else 0 * x, WIDE, (-1, 1, 0, 0)),
    "softsign": (lambda x: x / (1 + abs(x)), lambda x: 1 / (1 + abs(x)) ** 2, WIDE, (NAN, NAN, 0, 0)),
    "tanh_shrink": (lambda x: x - mp.tanh(x), lambda x: mp.tanh(x) ** 2, [p for p in WIDE if abs(p) > 0.9],
                    (-INF, INF, 1, 1)),
    "sigmoid": (sigmoid, lambda x: sigmoid(x) * sigmoid(-x), WIDE + [700.0, -700.0], (0, 1, 0, 0)),
    "tanh": (mp.tanh, lambda x: mp.sech(x) ** 2, WIDE, (-1, 1, 0, 0)),
    "softplus": (lambda x: mp.log1p(mp.exp(-abs(x))) + max(x, mp.mpf(0)), sigmoid, WIDE + [700.0, -700.0],
                 (0, INF, 0, 1)),
    "log_sigmoid": (lambda x: min(x, mp.mpf(0)) - mp.log1p(mp.exp(-abs(x))), lambda x: sigmoid(-x),
                    WIDE + [700.0, -700.0], (-INF, 0, 1, 0)),
    "gelu": (lambda x: x * mp.ncdf(x), lambda x: mp.ncdf(x) + x * mp.npdf(x), RIGHT, (NAN, INF, None, None)),
    "gelu_tanh": (gelu_tanh, lambda x: mp.diff(gelu_tanh, x), RIGHT, (NAN, INF, None, None)),
    "silu": (lambda x: x * sigmoid(x), lambda x: sigmoid(x) * (1 + x * sigmoid(-x)), WIDE, (NAN, INF, None, None)),
    "selu": (selu, lambda x: SELU_SCALE * (one if x >= 0 else SELU_ALPHA * mp.exp(x)), WIDE,
             (-SELU_SCALE * SELU_ALPHA, INF, 0, SELU_SCALE)),
    "hard_sigmoid": (lambda x: min(max(x / 6 + one / 2, 0 * x), one), lambda x: one / 6 if abs(x) < 3 else 0 * x, WIDE,
                     (0, 1, 0, 0)),
    "hard_swish": (lambda x: x * min(max(x / 6 + one / 2, 0 * x), one),
                   lambda x: 0 * x if x <= -3 else x / 3 + one / 2 if x < 3 else one, WIDE, (0, INF, 0, 1)),
    "mish": (mish, lambda x: mp.tanh(mp.log1p(mp.exp(x))) + x * mp.sech(mp.log1p(mp.exp(x))) ** 2 * sigmoid(x),
             [p for p in WIDE if abs(p) < 1e5], (NAN, INF, None, None)),
}
# At +0 and -0: f(+0), f'(+0), f(-0), f'(-0). A zero with a minus must keep it.
ZERO = {
    "neg": (-0.0, -1, 0.0, -1), "abs": (0.0, 0, 0.0, 0), "sign": (0, None, 0, None), "square": (0, 0, 0, 0),
    "sqrt": (0.0, INF, -0.0, None), "rsqrt": (INF, -INF, INF, None), "reciprocal": (INF, -INF, -INF, -INF),
    "exp": (1, 1, 1, 1), "expm1": (0.0, 1, -0.0, 1), "log": (-INF, INF, -INF, None), "log1p": (0.0, 1, -0.0, 1),
    "sin": (0.0, 1, -0.0, 1), "cos": (1, 0, 1, 0), "erf": (0.0, 2 / math.sqrt(math.pi), -0.0, 2 / math.sqrt(math.pi)),
    "exp2": (1, math.log(2), 1, math.log(2)), "log2": (-INF, INF, -INF, None), "log10": (-INF, INF, -INF, None),
    "tan": (0.0, 1, -0.0, 1), "asin": (0.0, 1, -0.0, 1), "acos": (mp.pi / 2, -1, mp.pi / 2, -1),
    "atan": (0.0, 1, -0.0, 1), "sinh": (0.0, 1, -0.0, 1), "cosh": (1, 0, 1, 0), "asinh": (0.0, 1, -0.0, 1),
    "acosh": (NAN, NAN, NAN, NAN), "atanh": (0.0, 1, -0.0, 1), "ceil": (0.0, None, -0.0, None),
    "trunc": (0.0, None, -0.0, None), "round": (0.0, None, -0.0, None), "isnan": (0, None, 0, None),
    "isinf": (0, None, 0, None), "isfinite": (1, None, 1, None), "relu6": (0.0, 0, -0.0, 0),
    "hard_tanh": (0.0, 1, -0.0, 1), "softsign": (0.0, 1, -0.0, 1), "tanh_shrink": (0.0, 0, None, 0),
    "floor": (0.0, None, -0.0, None), "step": (1, None, 1, None), "relu": (0.0, 0, -0.0, 0),
    "sigmoid": (0.5, 0.25, 0.5, 0.25), "tanh": (0.0, 1, -0.0, 1),
    "softplus": (math.log(2), 0.5, math.log(2), 0.5), "log_sigmoid": (-math.log(2), 0.5, -math.log(2), 0.5),
    "gelu": (0.0, 0.5, -0.0, 0.5), "gelu_tanh": (0.0, 0.5, -0.0, 0.5), "silu": (0.0, 0.5, -0.0, 0.5),
    "selu": (0.0, SELU_SCALE, -0.0, SELU_SCALE),
    "hard_sigmoid": (0.5, 1 / 6, 0.5, 1 / 6), "hard_swish": (0.0, 0.5, -0.0, 0.5), "mish": (0.0, 0.6, -0.0, 0.6),
}
# Of NaN; of the others it is NaN.
AT_NAN = {"isnan": 1, "isinf": 0, "isfinite": 0}
# Derivatives computed from y as a difference of numbers near 1: their error is relative to 1, not to themselves.
NEAR_ONE = {"sigmoid", "tanh", "expm1", "gelu", "gelu_tanh", "silu", "hard_swish", "mish"}

# ---- rows of two operands --------------------------------------------------------------------------------------------
PAIRS = [(1.0, 2.0), (2.0, 1.0), (-1.5, 0.25), (0.25, -1.5), (3.0, 3.0), (-2.0, -2.0), (1e-20, 1e20), (1e5, -1e-5),
         (0.1, 0.3), (-7.25, 2.0)]
BASES = [(2.0, 3.0), (2.0, -3.0), (0.5, 0.5), (1.5, 10.25), (1e-3, 2.5), (10.0, -0.1), (3.0, 0.0), (1.0, 5.0)]


def quotient(a, b):
    """Of whole numbers b in a, towards zero."""
    return mp.sign(a / b) * mp.floor(abs(a / b))


def compare(holds):
    return (lambda a, b: mp.mpf(1 if holds(a, b) else 0), None, None)


BINARY = {
    "add": (lambda a, b: a + b, lambda a, b: one, lambda a, b: one),
    "sub": (lambda a, b: a - b, lambda a, b: one, lambda a, b: -one),
    "mul": (lambda a, b: a * b, lambda a, b: b, lambda a, b: a),
    "div": (lambda a, b: a / b, lambda a, b: 1 / b, lambda a, b: -a / (b * b)),
    "min": (min, lambda a, b: one if a <= b else 0 * one, lambda a, b: one if b < a else 0 * one),
    "max": (max, lambda a, b: one if a >= b else 0 * one, lambda a, b: one if b > a else 0 * one),
    "pow": (mp.power, lambda a, b: b * mp.power(a, b - 1), lambda a, b: mp.power(a, b) * mp.log(a)),
    "fmod": (lambda a, b: a - b * quotient(a, b), lambda a, b: one, lambda a, b: -quotient(a, b)),
    "remainder": (lambda a, b: a - b * mp.floor(a / b), lambda a, b: one, lambda a, b: -mp.floor(a / b)),
    "atan2": (mp.atan2, lambda a, b: b / (a * a + b * b), lambda a, b: -a / (a * a + b * b)),
    "logical_and": compare(lambda a, b: a and b), "logical_or": compare(lambda a, b: a or b),
    "logical_xor": compare(lambda a, b: bool(a) != bool(b)),
    "eq": compare(lambda a, b: a == b), "ne": compare(lambda a, b: a != b), "lt": compare(lambda a, b: a < b),
    "le": compare(lambda a, b: a <= b), "gt": compare(lambda a, b: a > b), "ge": compare(lambda a, b: a >= b),
    "leaky_relu": (lambda a, b: a * b if a < 0 else a, lambda a, b: b if a < 0 else one,
                   lambda a, b: a if a < 0 else 0 * one),
    "elu": (lambda a, b: b * mp.expm1(a) if a < 0 else a, lambda a, b: b * mp.exp(a) if a < 0 else one,
            lambda a, b: mp.expm1(a) if a < 0 else 0 * one),
}
# (a, b): y, da, db
SPECIAL = {
    "add": [(INF, 1, INF, 1, 1), (INF, -INF, NAN, 1, 1), (NAN, 1, NAN, 1, 1), (-0.0, -0.0, -0.0, 1, 1)],
    "sub": [(INF, INF, NAN, 1, -1), (1, NAN, NAN, 1, -1)],
    "mul": [(0, INF, NAN, INF, 0), (-0.0, 2, -0.0, 2, None), (NAN, 0, NAN, 0, NAN)],
    "div": [(1, 0, INF, INF, None), (0, 0, NAN, None, NAN), (1, INF, 0, 0, 0), (-1, 0, -INF, INF, None)],
    "min": [(NAN, 1, NAN, 1, 0), (1, NAN, NAN, None, None), (INF, -INF, -INF, 0, 1)],
    "max": [(NAN, 1, NAN, 1, 0), (1, NAN, NAN, None, None), (INF, -INF, INF, 1, 0)],
    "pow": [(0, 2, 0, 0, 0), (-2, 3, -8, 12, 0), (0, 0, 1, 0, 0), (2, 0, 1, 0, math.log(2)), (-1, 0.5, NAN, NAN, 0)],
    "eq": [(NAN, NAN, 0, None, None), (0.0, -0.0, 1, None, None), (INF, INF, 1, None, None)],
    "ne": [(NAN, NAN, 1, None, None), (0.0, -0.0, 0, None, None)],
    "lt": [(NAN, 1, 0, None, None), (-INF, INF, 1, None, None)],
    "le": [(NAN, NAN, 0, None, None), (INF, INF, 1, None, None)],
    "gt": [(NAN, 1, 0, None, None), (INF, -INF, 1, None, None)],
    "ge": [(1, NAN, 0, None, None), (0.0, -0.0, 1, None, None)],
    "fmod": [(5, 3, 2, 1, -1), (-5, 3, -2, 1, 1), (5, -3, 2, 1, 1), (6, 3, 0, 1, -2), (1, 0, NAN, 1, NAN),
             (INF, 2, NAN, 1, NAN), (2, INF, 2, 1, 0), (NAN, 1, NAN, 1, NAN)],
    "remainder": [(5, 3, 2, 1, -1), (-5, 3, 1, 1, 2), (5, -3, -1, 1, 2), (-6, 3, 0, 1, 2), (1, 0, NAN, 1, NAN),
                  (INF, 2, NAN, 1, NAN), (2, INF, 2, 1, 0), (NAN, 1, NAN, 1, NAN)],
    "atan2": [(0.0, 1, 0.0, 1, 0), (-0.0, 1, -0.0, 1, 0), (0.0, -1, mp.pi, -1, 0), (-0.0, -1, -mp.pi, -1, 0),
              (1, 0, mp.pi / 2, 0, -1), (-1, 0, -mp.pi / 2, 0, 1), (INF, 1, mp.pi / 2, 0, 0), (1e-200, 0, mp.pi / 2, 0, -1e200),
              (INF, INF, mp.pi / 4, NAN, NAN), (NAN, 1, NAN, NAN, NAN)],
    "logical_and": [(0, 0, 0, None, None), (-0.0, 1, 0, None, None), (NAN, 2, 1, None, None), (INF, 0, 0, None, None)],
    "logical_or": [(0, 0, 0, None, None), (-0.0, 0, 0, None, None), (NAN, 0, 1, None, None), (0, -3, 1, None, None)],
    "logical_xor": [(0, 0, 0, None, None), (-0.0, 1, 1, None, None), (NAN, 2, 0, None, None), (NAN, 0, 1, None, None)],
    "elu": [(NAN, 1, NAN, 1, 0), (-INF, 2, -2, 0, -1), (INF, 1, INF, 1, 0), (0.0, 1, 0, 1, 0)],
    "leaky_relu": [(NAN, 0.1, NAN, 1, 0), (-INF, 0.1, -INF, 0.1, -INF), (INF, 0.1, INF, 1, 0), (0.0, 0.1, 0, 1, 0)],
}


# ---- writing ---------------------------------------------------------------------------------------------------------
def c(x):
    """A number as C; ANY where nothing is expected."""
    if x is None:
        return "ANY"
    x = float(x) if float(x) or isinstance(x, float) else 0.0  # what underflows loses its sign
    if math.isnan(x):
        return "NAN"
    if math.isinf(x):
        return "INFINITY" if x > 0 else "-INFINITY"
    return repr(x)


def point(name, args, y, d, slack):
    args = (list(args) + [0])[:2]
    d = (list(d) + [None])[:2]
    print(f'ROW("{name}", {c(args[0])}, {c(args[1])}, {c(y)}, {c(d[0])}, {c(d[1])}, {slack})')


def rows():
    for name, (f, df, places, limits) in UNARY.items():
        slack = 1 if name in NEAR_ONE else 0
        for x in places:
            point(name, [x], f(mp.mpf(x)), [df(mp.mpf(x)) if df else None], slack)
        point(name, [-INF], limits[0], [limits[2]], slack)
        point(name, [INF], limits[1], [limits[3]], slack)
        point(name, [NAN], AT_NAN.get(name, NAN), [None], slack)
        zero = ZERO[name]
        point(name, [0.0], zero[0], [zero[1]], slack)
        point(name, [-0.0], zero[2], [zero[3]], slack)
    for name, (f, da, db) in BINARY.items():
        for a, b in BASES if name == "pow" else PAIRS:
            args = mp.mpf(a), mp.mpf(b)
            point(name, [a, b], f(*args), [da and da(*args), db and db(*args)], 0)
        for a, b, y, ga, gb in SPECIAL[name]:
            point(name, [a, b], y, [ga, gb], 0)


def operand(number, shape, integer=None):
    """Operand `number` of a case: whole eighths from -2.5 to 2.5, or whole numbers from integer[0] to integer[1]."""
    i = np.arange(int(np.prod(shape)))
    if integer:
        low, high = integer
        return ((i * 7919 + number * 104729) % (high - low + 1) + low).reshape(shape).astype(np.int64)
    return (((i * 7919 + number * 104729) % 41 - 20) / 8).reshape(shape)


def softmax(x, axis):
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def log_softmax(x, axis):
    z = x - x.max(axis, keepdims=True)
    return z - np.log(np.exp(z).sum(axis, keepdims=True))


def logsumexp(x, axes, keep=False):
    return np.log(np.exp(x).sum(axes, keepdims=keep))


def log(x):
    """NaN of what is below 0."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.log(x)


def searchsorted(sorted_lines, values, side):
    return np.array([np.searchsorted(x, v, side) for x, v in zip(sorted_lines, values)])


def gather(table, index):
    y = np.zeros(index.shape + table.shape[1:])
    for place, i in np.ndenumerate(index):
        if 0 <= i < table.shape[0]:
            y[place] = table[i]
    return y


def pick(x, label):
    return np.array([x[i, k] if 0 <= k < x.shape[1] else 0 for i, k in enumerate(label)])


def shared(x, axis):
    best = x == x.max(axis, keepdims=True)
    return best / best.sum(axis, keepdims=True)


def others(x):
    """The product of all other elements of a row."""
    return np.array([[np.prod(np.delete(row, j)) for j in range(row.size)] for row in x])


def counts(n, index):
    return np.array([[np.sum(index == i)] * 3 for i in range(n)])


LEAST = -2**31


def wrap(x):
    """Whole numbers as 32 bits have them."""
    return (np.asarray(x).astype(object) + 2**31) % 2**32 - 2**31


def whole(f):
    """Of whole numbers: 0 where b is 0, as NumPy has it of integers."""
    return lambda a, b: np.where(b == 0, 0, f(a, np.where(b == 0, 1, b)))


# what it is, the call in C, the same in NumPy, the operands: a shape, or (shape, low, high) for whole numbers
KERNELS = [
    ("matmul", "tn_matmul(in[0], in[1])", lambda a, b: a @ b, [(3, 5), (5, 4)]),
    ("matmul of a transposed", "tn_matmul_t(in[0], in[1], 1, 0)", lambda a, b: a.T @ b, [(5, 3), (5, 4)]),
    ("matmul by b transposed", "tn_matmul_t(in[0], in[1], 0, 1)", lambda a, b: a @ b.T, [(3, 5), (4, 5)]),
    ("matmul of batches", "tn_matmul(in[0], in[1])", lambda a, b: a @ b, [(2, 3, 4), (2, 4, 2)]),
    ("matmul of batches by one matrix", "tn_matmul(in[0], in[1])", lambda a, b: a @ b, [(2, 3, 4), (4, 2)]),
    ("sum", "tn_sum(in[0], TN_AXES(1), 0)", lambda x: x.sum(1), [(3, 4, 2)]),
    ("sum over two axes, kept", "tn_sum(in[0], TN_AXES(0, 2), 1)", lambda x: x.sum((0, 2), keepdims=True),
     [(3, 4, 2)]),
    ("sum of everything", "tn_sum(in[0], TN_ALL, 0)", lambda x: x.sum(), [(3, 4, 2)]),
    ("prod", "tn_prod(in[0], TN_AXES(-1), 0)", lambda x: x.prod(-1), [(4, 5)]),
    ("mean", "tn_mean(in[0], TN_AXES(0), 0)", lambda x: x.mean(0), [(7, 3)]),
    ("amax", "tn_amax(in[0], TN_AXES(1), 0)", lambda x: x.max(1), [(5, 7)]),
    ("amin", "tn_amin(in[0], TN_AXES(0), 1)", lambda x: x.min(0, keepdims=True), [(5, 7)]),
    ("argmax", "tn_argmax(in[0], 1)", lambda x: x.argmax(1), [(5, 7)]),
    ("argmax of equals", "tn_argmax(tn_floor(in[0]), 0)", lambda x: np.floor(x).argmax(0), [(9, 4)]),
    ("argmin", "tn_argmin(in[0], 0)", lambda x: x.argmin(0), [(6, 5)]),
    ("softmax", "tn_softmax(in[0], -1)", lambda x: softmax(x, -1), [(3, 5)]),
    ("softmax along a middle axis", "tn_softmax(in[0], 1)", lambda x: softmax(x, 1), [(2, 3, 2)]),
    ("log_softmax", "tn_log_softmax(in[0], 0)", lambda x: log_softmax(x, 0), [(4, 3)]),
    ("softmax of large numbers", "tn_softmax(tn_mul(in[0], tn_number(in[0], 1000)), -1)",
     lambda x: softmax(1000 * x, -1), [(2, 4)]),
    ("logsumexp", "tn_logsumexp(in[0], TN_AXES(1), 0)", lambda x: logsumexp(x, 1), [(3, 5)]),
    ("logsumexp over two axes, kept", "tn_logsumexp(in[0], TN_AXES(0, 2), 1)", lambda x: logsumexp(x, (0, 2), True),
     [(2, 3, 4)]),
    ("logsumexp of large numbers", "tn_logsumexp(tn_mul(in[0], tn_number(in[0], 1000)), TN_AXES(-1), 0)",
     lambda x: 1000 * x.max(-1), [(3, 4)]),
    ("logsumexp of minus infinity", "tn_logsumexp(tn_log(tn_cast(in[0], TN_F32)), TN_AXES(-1), 0)",
     lambda x: np.array([-np.inf, 0, -np.inf, 0]), [((4, 1), 0, 1)]),
    ("logsumexp of infinity", "tn_logsumexp(tn_reciprocal(tn_cast(in[0], TN_F32)), TN_AXES(0), 0)",
     lambda x: np.array([np.inf]), [((2, 1), 0, 1)]),
    ("gradient of logsumexp", "slope(tn_logsumexp(in[0], TN_AXES(0), 1), NULL)", lambda x: softmax(x, 0), [(4, 3)]),
    ("transpose", "tn_transpose(in[0], ((int32_t[]){2, 0, 1}))", lambda x: x.transpose(2, 0, 1), [(2, 3, 4)]),
    ("gather", "tn_gather(in[0], in[1])", gather, [(4, 3), ((5,), -1, 4)]),
    ("pick", "tn_pick(in[0], in[1])", pick, [(5, 4), ((5,), -1, 4)]),
    ("one_hot", "tn_one_hot(in[0], 4)", lambda i: (i[..., None] == np.arange(4)) * 1.0, [((2, 3), -1, 4)]),
    ("searchsorted", "tn_searchsorted(tn_cumsum(in[0], 0, 0, 0), in[1], 0)",
     lambda x, v: np.searchsorted(x.cumsum(), v), [((9,), 0, 2), ((3, 5), -2, 20)]),
    ("searchsorted of each line, after equals", "tn_searchsorted(tn_cumsum(in[0], -1, 0, 0), in[1], 1)",
     lambda x, v: searchsorted(x.cumsum(-1), v, "right"), [((2, 7), 0, 1), ((2, 9), -1, 7)]),
    ("searchsorted of NaN, which is larger than all",
     "tn_searchsorted(tn_concat((tn_tensor *[]){in[0], tn_log(in[1])}, 2, 0), tn_log(in[2]), 1)",
     lambda x, y, v: np.searchsorted(np.concatenate([x, log(y)]), log(v), "right"), [(1,), (1,), (9,)]),
    ("where", "tn_where(in[0], in[1], in[2])", lambda q, a, b: np.where(q != 0, a, b), [((3, 1), 0, 1), (4,), (3, 4)]),
    ("broadcast", "tn_broadcast(in[0], TN_SHAPE(2, 3, 2))", lambda x: np.broadcast_to(x, (2, 3, 2)), [(3, 1)]),
    ("iota along a dimension of 1 that is stretched",
     "tn_add(in[0], tn_iota(in[0]->graph, TN_SHAPE(1, 3), 0))", lambda x: x, [((2, 3), 0, 9)]),
    ("gradient of amax, shared by equals", "slope(tn_amax(tn_cast(in[0], TN_F32), TN_AXES(1), 0), NULL)",
     lambda x: shared(x, 1), [((4, 6), -1, 1)]),
    ("gradient of prod with zeros", "slope(tn_prod(tn_cast(in[0], TN_F32), TN_AXES(1), 0), NULL)", others,
     [((6, 4), -1, 3)]),
    ("gradient of max: a takes that of a tie", "slope(tn_max(tn_cast(in[0], TN_F32), tn_cast(in[1], TN_F32)), NULL)",
     lambda a, b: (a >= b) * 1.0, [((5, 5), -1, 1), ((5, 5), -1, 1)]),
    ("gradient of gather", "slope(tn_gather(in[0], in[1]), in[0])", lambda t, i: counts(4, i),
     [(4, 3), ((9,), -1, 4)]),
    ("gradient of a stretched operand", "slope(tn_add(in[0], in[1]), in[0])",
     lambda a, b: np.full((3, 1), 8.0), [(3, 1), (2, 1, 4)]),
    ("iota", "tn_mul(tn_cast(tn_iota(in[0]->graph, TN_SHAPE(2, 3), 1), TN_F32), in[0])",
     lambda x: x * np.arange(3.0), [(2, 3)]),
    ("cast to whole numbers", "tn_cast(in[0], TN_I32)", np.trunc, [(17,)]),
    ("whole numbers without sign", "tn_abs(in[0])", np.abs, [((9,), -5, 5)]),
    ("minus whole numbers", "tn_neg(in[0])", np.negative, [((9,), -5, 5)]),
    ("signs of whole numbers", "tn_sign(in[0])", np.sign, [((9,), -5, 5)]),
    ("squares of whole numbers, which wrap", "tn_square(in[0])", lambda x: wrap(x * x), [((9,), -50000, 99999)]),
    ("the least whole number", "tn_concat((tn_tensor *[]){tn_neg(LEAST), tn_abs(LEAST), tn_sign(LEAST), tn_square(LEAST), "
     "tn_div(LEAST, in[0]), tn_fmod(LEAST, in[0]), tn_remainder(LEAST, in[0])}, 7, 0)",
     lambda x: np.array([LEAST, LEAST, -1, 0, LEAST, 0, 0]), [((1,), -1, -1)]),
    ("quotients of whole numbers", "tn_div(in[0], in[1])", whole(lambda a, b: np.trunc(a / b)),
     [((9, 1), -9, 9), ((7,), -3, 3)]),
    ("rests of whole numbers", "tn_fmod(in[0], in[1])", whole(np.fmod), [((9, 1), -9, 9), ((7,), -3, 3)]),
    ("remainders of whole numbers", "tn_remainder(in[0], in[1])", whole(np.remainder),
     [((9, 1), -9, 9), ((7,), -3, 3)]),
    ("products over whole numbers, which wrap", "tn_prod(in[0], TN_AXES(1), 0)", lambda x: wrap(x.astype(object).prod(1)),
     [((5, 7), -99, 99)]),
    ("matmul of whole numbers", "tn_matmul(in[0], in[1])", lambda a, b: a @ b, [((3, 5), -9, 9), ((5, 4), -9, 9)]),
    ("matmul of whole numbers, which wraps", "tn_matmul_t(in[0], in[1], 1, 1)", lambda a, b: wrap(a.T @ b.T),
     [((5, 3), -65536, 99999), ((4, 5), -65536, 99999)]),
    ("maxpool2d of whole numbers", "tn_maxpool2d(in[0], .window = {2, 2}, .pad = {1, 1})",
     lambda x: np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)), constant_values=LEAST).reshape(1, 2, 3, 2, 2, 2).max((3, 5)),
     [((1, 2, 4, 2), -9, -1)]),
    ("reshape", "tn_add(tn_reshape(in[0], TN_SHAPE(-1, 2)), in[1])", lambda x, y: x.reshape(-1, 2) + y, [(3, 4), (2,)]),
    ("logistic", "tn_logistic(in[0], 3, 2, 0.5)", lambda x: 3 / (1 + np.exp(-2 * (x - 0.5))), [(9,)]),
]


def kernels():
    for name, call, f, shapes in KERNELS:
        operands, text = [], []
        for number, shape in enumerate(shapes):
            integer = shape[1:] if isinstance(shape[0], tuple) else None
            dims = shape[0] if integer else shape
            operands.append(operand(number, dims, integer))
            low, high = integer or (0, 0)
            text.append("{%d, {%d, {%s}}, %d, %d}" % (bool(integer), len(dims), ", ".join(map(str, dims)), low, high))
        y = np.asarray(f(*operands), dtype=np.float64)
        print(f'KERNEL("{name}", {call},\n       OPERANDS({", ".join(text)}),\n       RESULT(', end="")
        print(", ".join(c(float(v)) for v in y.ravel()), end="))\n")


# ---- random numbers: backend.h's text, once more -------------------------------------------------------------------
def philox(counter, key):
    low = 0xFFFFFFFF
    for _ in range(10):
        p, q = 0xD2511F53 * counter[0], 0xCD9E8D57 * counter[2]
        counter = [q >> 32 ^ counter[1] ^ key[0], q & low, p >> 32 ^ counter[3] ^ key[1], p & low]
        key = [key[0] + 0x9E3779B9 & low, key[1] + 0xBB67AE85 & low]
    return counter


def random(kind, seed, step, stream, e):
    low, block = 0xFFFFFFFF, e // 4
    words = philox([block & low, stream + (block >> 32 << 24), step & low, step >> 32], [seed & low, seed >> 32])
    if kind == "uniform":
        return mp.mpf(words[e % 4] >> 8) / 2**24
    p = e % 4 // 2 * 2
    u, v = mp.mpf((words[p] >> 8) + 1) / 2**24, mp.mpf(words[p + 1] >> 8) / 2**24
    return mp.sqrt(-2 * mp.log(u)) * (mp.sin if e % 2 else mp.cos)(2 * mp.pi * v)


def randoms():
    for kind in "uniform", "normal":
        for seed, step, stream in (0, 0, 0), (1, 0, 5), (0x123456789ABCDEF0, 77, 0xFFFFFF), (2**64 - 1, 2**40 + 3, 12):
            for e in 0, 1, 2, 3, 4, 1023, 2**34 + 5, 2**35 + 2:
                print(f'RANDOM({kind}, {seed}u, {step}u, {stream}u, {e}u, {c(random(kind, seed, step, stream, e))})')


print("/* golden.inc: written by golden.py. */")
print("#ifdef ROW")
rows()
print("#endif")
print("#ifdef KERNEL")
kernels()
print("#endif")
print("#ifdef RANDOM")
randoms()
print("#endif")
