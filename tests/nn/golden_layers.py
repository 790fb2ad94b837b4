"""Writes golden_layers.inc: layers, losses and optimizers by their textbook formulas in NumPy's double precision,
independent of the library. Run by hand: python3 golden_layers.py > golden_layers.inc (last run with NumPy 1.24.2)."""
import math
import numpy as np


def fill(shape, seed):
    """The numbers that the test feeds: multiples of 1/8, exact in single precision."""
    n = int(np.prod(shape))
    return np.array([((7 * (i + 1) + 5 * seed + i * i) % 17 - 8) / 8 for i in range(n)]).reshape(shape)


def named(shape, name):
    return fill(shape, sum(name.encode()) % 11)


def emit(name, value):
    numbers = ", ".join("%.17g" % v for v in np.asarray(value, dtype=float).ravel())
    print("static const double golden_%s[] = {%s};" % (name, numbers))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def scaled(x, axes, eps, centre=True):
    m = x.mean(axes, keepdims=True) if centre else 0
    return (x - m) / np.sqrt(((x - m) ** 2).mean(axes, keepdims=True) + eps)


# ---- normalisation ----
x = fill((3, 5), 1)
emit("layer_norm", scaled(x, 1, 1e-5) * named(5, "n.weight") + named(5, "n.bias"))
emit("rms_norm", scaled(x, 1, 2**-23, False) * named(5, "n.weight"))
x = fill((2, 4, 3), 1)
per = lambda v: v.reshape(1, -1, 1)
y = scaled(x.reshape(2, 2, 6), 2, 1e-5).reshape(x.shape)
emit("group_norm", y * per(named(4, "n.weight")) + per(named(4, "n.bias")))
emit("batch_norm", scaled(x, (0, 2), 1e-5) * per(named(4, "n.weight")) + per(named(4, "n.bias")))
mean = 0.9 * 0 + 0.1 * x.mean((0, 2))
var = 0.9 * 1 + 0.1 * x.var((0, 2), ddof=1)
emit("running_mean", mean)
emit("running_var", var)
y = (x - per(mean)) / np.sqrt(per(var) + 1e-5)
emit("batch_norm_eval", y * per(named(4, "n.weight")) + per(named(4, "n.bias")))


# ---- recurrent ----
def recurrent(kind, gates, x, units, lengths, suffix="l0"):
    w, u = named((gates * units, x.shape[2]), f"r.weight_ih_{suffix}"), named((gates * units, units), f"r.weight_hh_{suffix}")
    b, d = named(gates * units, f"r.bias_ih_{suffix}"), named(gates * units, f"r.bias_hh_{suffix}")
    out = np.zeros((x.shape[0], x.shape[1], units))
    for s in range(x.shape[0]):
        h, c = np.zeros(units), np.zeros(units)
        for t in reversed(range(lengths[s])) if suffix.endswith("reverse") else range(lengths[s]):
            a, r = w @ x[s, t] + b, u @ h + d
            if kind == "rnn":
                h = np.tanh(a + r)
            elif kind == "lstm":
                i, f, g, o = np.split(a + r, 4)
                c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
                h = sigmoid(o) * np.tanh(c)
            else:
                (ar, az, an), (rr, rz, rn) = np.split(a, 3), np.split(r, 3)
                z = sigmoid(az + rz)
                h = (1 - z) * np.tanh(an + sigmoid(ar + rr) * rn) + z * h
            out[s, t] = h
    return out


x = fill((2, 4, 3), 1)
for kind, gates in (("rnn", 1), ("lstm", 4), ("gru", 3)):
    emit(kind, recurrent(kind, gates, x, 2, [4, 2]))
    y = x
    for layer in ("l0", "l1"):
        y = np.concatenate([recurrent(kind, gates, y, 2, [4, 2], layer + way) for way in ("", "_reverse")], axis=2)
    emit("deep_" + kind, y)

# ---- attention: 2 heads of 2, each step sees those up to itself ----
x = fill((2, 3, 4), 1)
w, b = named((12, 4), "a.in_proj_weight"), named(12, "a.in_proj_bias")
out = np.zeros((2, 3, 4))
for s in range(2):
    q, k, v = np.split(x[s] @ w.T + b, 3, axis=1)
    for head in (slice(0, 2), slice(2, 4)):
        for t in range(3):
            e = np.exp(k[: t + 1, head] @ q[t, head] / math.sqrt(2))
            out[s, t, head] = (e / e.sum()) @ v[: t + 1, head]
emit("self_attention", out @ named((4, 4), "a.out_proj.weight").T + named(4, "a.out_proj.bias"))

# ---- losses ----
o, t = fill((3, 4), 1), fill((3, 4), 2)
op, tp = o + 1.25, t + 1.25
share = np.tile([0.25, 0.5, 0, 0.25], (3, 1))
logs = o - np.log(np.exp(o).sum(1, keepdims=True))
label, weight = [2, 0, 3], np.array([0.5, 1, 2, 0.25])
own = np.array([-logs[i, c] for i, c in enumerate(label)])
emit("cross_entropy", own.mean())
emit("nll", np.mean([-o[i, c] for i, c in enumerate(label)]))
emit("binary_cross_entropy", np.mean([-math.log(sigmoid(a) if b > 0 else 1 - sigmoid(a)) for a, b in zip(o.ravel(), t.ravel())]))
emit("mse", ((o - t) ** 2).mean())
emit("half_mse", ((o - t) ** 2).sum() / 2 / 3)
emit("l2", ((o - t) ** 2).sum())
emit("mae", abs(o - t).mean())
emit("l1", abs(o - t).sum())
emit("msle", ((np.log(1 + op) - np.log(1 + tp)) ** 2).mean())
emit("mape", 100 * (abs(op - tp) / tp).mean())
emit("huber", np.where(abs(o - t) < 1, (o - t) ** 2 / 2, abs(o - t) - 0.5).mean())
emit("log_cosh", np.log(np.cosh(o - t)).mean())
emit("kl_divergence", sum(p * (math.log(p) - q) for p, q in zip(share.ravel(), o.ravel()) if p) / 3)
emit("cosine_similarity", np.mean([1 - a @ b / np.linalg.norm(a) / np.linalg.norm(b) for a, b in zip(o, t)]))
each = weight[label] * own
emit("weighted", each.sum() / weight[label].sum())
smooth = 0.9 * each + 0.1 / 4 * (-logs * weight).sum(1)
emit("smoothed", smooth)
emit("smoothed_mean", smooth.sum() / weight[label].sum())


# ---- optimizers: five steps on c (p - 1)^2 / 2 ----
def minimize(kind, decay=0.0, clip_norm=0.0, clip_value=0.0, lr=0.05, steps=5):
    p, c = fill(6, 1), fill(6, 3) + 1.25
    a, b = np.zeros(6), np.zeros(6)
    for t in range(1, steps + 1):
        g = c * (p - 1)
        if clip_norm:
            g = g * min(1, clip_norm / (np.linalg.norm(g) + 1e-6))
        if clip_value:
            g = np.clip(g, -clip_value, clip_value)
        if kind != "adamw":
            g = g + decay * p
        if kind == "sgd":
            p = p - lr * g
        elif kind == "nesterov":
            a = 0.9 * a + g
            p = p - lr * (g + 0.9 * a)
        elif kind == "adagrad":
            a = a + g * g
            p = p - lr * g / (np.sqrt(a) + 1e-10)
        elif kind == "rmsprop":
            a = 0.99 * a + 0.01 * g * g
            p = p - lr * g / (np.sqrt(a) + 1e-8)
        else:
            p = p - lr * (decay or 0.01) * p
            a, b = 0.9 * a + 0.1 * g, 0.999 * b + 0.001 * g * g
            p = p - lr * (a / (1 - 0.9**t)) / (np.sqrt(b / (1 - 0.999**t)) + 1e-8)
    return p


for kind in ("nesterov", "adagrad", "rmsprop", "adamw"):
    emit(kind, minimize(kind))
emit("decay", minimize("sgd", decay=0.1))
emit("clip_norm", minimize("sgd", clip_norm=0.5))
emit("clip_value", minimize("sgd", clip_value=0.25))
