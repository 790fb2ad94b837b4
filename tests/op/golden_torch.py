#!/usr/bin/env python3
"""Writes golden_torch.inc: results and gradients of operators, and of layers, as PyTorch computes them in double
precision.

    python3 tests/op/golden_torch.py > tests/op/golden_torch.inc        (last run with PyTorch 2.15.0)

Operands have the elements of golden.py's `operand`, which the test makes by the same rule. What flows back is the sum
of the result's elements times the factors of `factors`. A line holds the result, then the gradient of each operand
that is no whole number."""
import math

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)


def operand(number, shape, integer=None):
    i = torch.arange(int(torch.tensor(shape).prod()) if shape else 1)
    if integer:
        low, high = integer
        return ((i * 7919 + number * 104729) % (high - low + 1) + low).reshape(shape)
    return (((i * 7919 + number * 104729) % 41 - 20) / 8).reshape(shape)


def factors(count):
    return (torch.arange(count) * 31 % 11 - 5) / 4


def conv(pad=0, stride=1, dilation=1, groups=1):
    return lambda x, w: F.conv2d(x, w, None, stride, pad, dilation, groups)


def transposed(pad=0, stride=1, dilation=1, groups=1, more=0):
    return lambda x, w: F.conv_transpose2d(x, w, None, stride, pad, more, groups, dilation)


def max_pool(window, stride=None, pad=0, ceil=False):
    return lambda x: F.max_pool2d(x, window, stride, pad, ceil_mode=ceil)


def avg_pool(window, stride=None, pad=0, ceil=False, count=False):
    return lambda x: F.avg_pool2d(x, window, stride, pad, ceil, count)


def attention(causal):
    def f(q, k, v):
        score = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5
        if causal:
            score = score.masked_fill(torch.ones(score.shape[-2:]).triu(1) != 0, -torch.inf)
        return score.softmax(-1) @ v

    return f


def normalize(axes, centre=True):
    def f(x):
        mean = x.mean(axes, keepdim=True) if centre else 0
        return (x - mean) / (((x - mean) ** 2).mean(axes, keepdim=True) + 1e-3).sqrt()

    return f


def scatter(rows):
    """Rows whose number is outside are left out."""
    def f(index, x):
        inside = (index >= 0) & (index < rows)
        return torch.zeros(rows, *x.shape[1:]).index_add(0, index[inside], x[inside])

    return f


def gather(table, index):
    inside = (index >= 0) & (index < len(table))
    return table[index.clamp(0, len(table) - 1)] * inside.reshape(inside.shape + (1,) * (table.dim() - 1))


def take(axis):
    def f(x, index):
        inside = (index >= 0) & (index < x.shape[axis])
        return x.gather(axis, index.clamp(0, x.shape[axis] - 1)) * inside

    return f


def put(axis, size):
    def f(index, x):
        inside = (index >= 0) & (index < size)
        shape = list(x.shape)
        shape[axis] = size
        return torch.zeros(shape).scatter_add(axis, index.clamp(0, size - 1), x * inside)

    return f


def topk(k, axis, largest=True):
    return lambda x: x.topk(k, axis, largest).values


def pool_slope(x, dy):
    x = (x * 1.0).requires_grad_()
    return torch.autograd.grad(F.max_pool2d(x, (2, 3)), x, dy * 1.0)[0]


def later_sum(x):
    """Exclusive, from the end."""
    return x.flip(1).cumsum(1).flip(1) - x


def gradients(y, inputs):
    """Of the sum that flows back, in one vector that has gradients in turn."""
    total = (y.reshape(-1) * factors(y.numel())).sum()
    d = torch.autograd.grad(total, inputs, create_graph=True, materialize_grads=True)
    return torch.cat([g.reshape(-1) for g in d])


def slopes(f):
    return lambda *x: gradients(f(*x), [v for v in x if v.requires_grad])


def penalty(f):
    def g(x, *others):
        d, = torch.autograd.grad(f(x, *others).sum(), x, create_graph=True)
        return ((d.norm(dim=1) - 1) ** 2).mean()

    return g


def net(x, v, w):
    return F.softplus(torch.tanh(x @ v) @ w)


def resize(mode, size, corners=None):
    return lambda x: F.interpolate(x, size, mode=mode, align_corners=corners)


def conv_nd(n, pads=0, stride=1, dilation=1, groups=1):
    """`pads` as F.pad takes them, the last dimension first."""
    f = (F.conv1d, F.conv2d, F.conv3d)[n - 1]
    return lambda x, w: f(F.pad(x, pads) if pads else x, w, None, stride, 0, dilation, groups)


def transposed_nd(n, cut=(), **more):
    """`cut` as F.pad takes it, the last dimension first."""
    f = (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)[n - 1]
    return lambda x, w: F.pad(f(x, w, **more), [-c for c in cut])


def pool_nd(f, pads, window, stride, fill=0, **more):
    return lambda x: f(F.pad(x, pads, value=fill), window, stride, **more)


def mean_nd(pads, window, stride):
    """The mean of what is not padding."""
    f = F.avg_pool3d if len(window) == 3 else F.avg_pool2d
    return lambda x: f(F.pad(x, pads), window, stride) / f(F.pad(torch.ones_like(x), pads), window, stride)


def dilated_mean(window, dilation):
    def f(x):
        b, c, h, w = x.shape
        y = F.unfold(x, window, dilation).reshape(b, c, window[0] * window[1], -1).mean(2)
        size = [n - (k - 1) * d for n, k, d in zip((h, w), window, dilation)]
        return y.reshape(b, c, *size)

    return f


def lp_pool(p, window):
    return lambda x: (F.avg_pool2d(x.abs() ** p, window) * window[0] * window[1]) ** (1 / p)


def places(f, columns=False, **more):
    """PyTorch numbers the elements of each picture, row by row."""
    def g(x):
        n = x.dim() - 2
        at = f(x, return_indices=True, **more)[1]
        base = torch.arange(x.shape[0] * x.shape[1]).reshape(x.shape[:2] + (1,) * n) * x[0, 0].numel()
        if columns:
            step = [int(torch.tensor(x.shape[2:2 + d]).prod()) for d in range(n)]
            at = sum(c * s for c, s in zip(torch.unravel_index(at, x.shape[2:]), step))
        return base + at

    return g


def unpool(x):
    y, at = F.max_pool2d(x, (2, 2), return_indices=True)
    return F.max_unpool2d(y, at, (2, 2), output_size=x.shape)


def spread(start, step, size):
    def f(x):
        y = torch.zeros(size)
        y[start:start + step * len(x):step] = 1
        at = y.nonzero()[:, 0]
        return torch.zeros(size).index_add(0, at, x)

    return f


def sample(mode, outside, corners=False, f=0.43):
    return lambda x, g: F.grid_sample(x, g * f, mode, outside, corners)


def affine(size, corners):
    return lambda t: F.affine_grid(t, size, corners)


def later_product(x):
    """Exclusive, from the end."""
    y = torch.cat([x, torch.ones(len(x), 1)], 1)
    return y.flip(1).cumprod(1).flip(1)[:, 1:]


def einsum(equation):
    return lambda *x: torch.einsum(equation, *x)


REDUCTIONS = [None, "sum", "prod", "amax", "amin"]


def scatter_to(axis, how):
    """Of several updates that take a place the last counts, which PyTorch leaves open: one after another."""
    def f(x, index, u):
        if how:
            return x.scatter_reduce(axis, index, u, REDUCTIONS[how])
        for i in range(index.shape[axis]):
            at = torch.tensor([i])
            x = x.scatter(axis, index.index_select(axis, at), u.index_select(axis, at))
        return x

    return f


def scatter_nd(how):
    def f(x, index, u):
        k = index.shape[-1]
        size = torch.tensor(x.shape[:k])
        flat = (index * torch.tensor([int(size[i + 1:].prod()) for i in range(k)])).sum(-1).reshape(-1)
        rows, u = x.reshape(int(size.prod()), -1), u.reshape(len(flat), -1)
        return scatter_to(0, how)(rows, flat[:, None].expand(u.shape), u).reshape(x.shape)

    return f


def interpolated(mode, sizes, **more):
    return lambda x: F.interpolate(x, sizes, mode=mode, **more)


def at_places(count, start, step, weight, reach, exclude=False):
    """Element by element, from the definition."""
    def f(x):
        n, out = x.shape[-1], []
        for i in range(count):
            place, terms, total = start + i * step, 0, 0
            for k in range(-reach - 9, n + reach + 9):
                w = weight(abs(k - place))
                if exclude and not 0 <= k < n:
                    continue
                terms, total = terms + w * x[..., min(max(k, 0), n - 1)], total + w
            out.append(terms / total if total else terms)
        return torch.stack(out, -1)

    return f


def keys(a):
    def w(d):
        if d <= 1:
            return ((a + 2) * d - (a + 3)) * d * d + 1
        return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a if d < 2 else 0

    return w


def attend(**more):
    """PyTorch's own; `first` and `reach` by a mask."""
    def f(q, k, v, mask=None):
        if mask is not None and "bias" not in more:
            mask = mask != 0
        if "first" in more:
            i, j = torch.arange(q.shape[-2])[:, None] + more["first"], torch.arange(k.shape[-2])
            mask = (j <= i) & (i - j < more.get("reach", 99))
        return F.scaled_dot_product_attention(q, k, v, mask, scale=more.get("scale"),
                                              enable_gqa=q.shape[-3] != k.shape[-3])

    return f


def capped(cap):
    def f(q, k, v, bias):
        return (torch.tanh(q @ k.mT / q.shape[-1] ** 0.5 / cap) * cap + bias).softmax(-1) @ v

    return f


def rotary(pairs, interleaved, first=0, base=10000.0):
    """By complex numbers."""
    def f(x):
        angle = torch.outer(torch.arange(first, first + x.shape[-2]), base ** (-torch.arange(pairs) / pairs))
        if not interleaved:
            halves = x[..., :2 * pairs].unflatten(-1, (2, pairs)).transpose(-1, -2)
        else:
            halves = x[..., :2 * pairs].unflatten(-1, (pairs, 2))
        y = torch.view_as_real(torch.view_as_complex(halves.contiguous()) * torch.polar(torch.ones_like(angle), angle))
        y = (y if interleaved else y.transpose(-1, -2)).flatten(-2)
        return torch.cat([y, x[..., 2 * pairs:]], -1)

    return f


def quantized(scale, zero, low, high, axis=None):
    def f(x):
        s, z = torch.tensor(scale), torch.tensor(zero)
        if axis is None:
            return torch.clamp((x / s).round() + z, low, high).long()
        shape = [1] * x.dim()
        shape[axis] = -1
        return torch.clamp((x / s.reshape(shape)).round() + z.reshape(shape), low, high).long()

    return f


def depth_to_space(r):
    """By the channels' other order."""
    def f(x):
        b, c, h, w = x.shape
        return F.pixel_shuffle(x.reshape(b, r * r, c // (r * r), h, w).transpose(1, 2).reshape(x.shape), r)

    return f


def space_to_depth(r):
    def f(x):
        y = F.pixel_unshuffle(x, r)
        return y.reshape(len(x), -1, r * r, *y.shape[2:]).transpose(1, 2).reshape(y.shape)

    return f


def reverse_parts(x, n):
    return torch.stack([torch.cat([row[:k].flip(0), row[k:]]) for row, k in zip(x, n)])


def fourier(f, part, **more):
    return lambda *x: getattr(f(torch.complex(*x) if len(x) == 2 else x[0], **more), part) + 0 * x[0].sum()


def filled(x, most, none=-1):
    return F.pad(x, (0, most - x.shape[-1]), value=none)


def unique(part):
    def f(x):
        y, inverse, counts = torch.unique(x, return_inverse=True, return_counts=True)
        first = torch.stack([(inverse.reshape(-1) == i).nonzero()[0, 0] for i in range(len(y))])
        n = x.numel()
        return {"": filled(y, n, 0), "first": filled(first, n), "inverse": inverse, "counts": filled(counts, n, 0),
                "count": torch.tensor(len(y))}[part]

    return f


def nms(most, overlap, least=-torch.inf, centres=False):
    import torchvision

    def f(boxes, scores):
        a, b = boxes[..., :2], boxes[..., 2:]
        boxes = torch.cat([a - b / 2, a + b / 2] if centres else [torch.minimum(a, b), torch.maximum(a, b)], -1)
        y = torch.full((*scores.shape[:2], most), -1)
        for i in range(scores.shape[0]):
            for c in range(scores.shape[1]):
                there = (scores[i, c] > least).nonzero()[:, 0]
                kept = there[torchvision.ops.nms(boxes[i, there], scores[i, c, there], overlap)][:most]
                y[i, c, :len(kept)] = kept
        return y

    return f


def pad(mode, before, after):
    """Of the last axis; PyTorch's own does it for the last of three."""
    return lambda x: F.pad(x, (before, after), mode)


CONV = "tn_convolve2d(in[0], in[1], (tn_conv_options){%s})"
BACK = "tn_convolve2d_transposed(in[0], in[1], (tn_conv_options){%s})"
# Gradients of gradients: rows, each of an expression of in[0] that lies where it has slopes; and other operators.
ABOVE = "tn_add(tn_square(in[0]), tn_number(in[0], 0.25))", lambda x: x * x + 0.25
WITHIN = "tn_mul(in[0], tn_number(in[0], 0.375))", lambda x: x * 0.375
BEYOND = "tn_add(tn_square(in[0]), tn_number(in[0], 1.25))", lambda x: x * x + 1.25
PLAIN = "in[0]", lambda x: x
BESIDE = "tn_add(in[0], tn_number(in[0], 0.0625))", lambda x: x + 0.0625  # never 0, a kink
UNARY = [
    ("square", PLAIN, torch.square), ("sqrt", ABOVE, torch.sqrt), ("rsqrt", ABOVE, torch.rsqrt),
    ("reciprocal", ABOVE, torch.reciprocal), ("exp", PLAIN, torch.exp), ("exp2", PLAIN, torch.exp2),
    ("expm1", PLAIN, torch.expm1), ("log", ABOVE, torch.log), ("log2", ABOVE, torch.log2),
    ("log10", ABOVE, torch.log10), ("log1p", ABOVE, torch.log1p), ("sin", PLAIN, torch.sin), ("cos", PLAIN, torch.cos),
    ("tan", WITHIN, torch.tan), ("asin", WITHIN, torch.asin), ("acos", WITHIN, torch.acos), ("atan", PLAIN, torch.atan),
    ("sinh", PLAIN, torch.sinh), ("cosh", PLAIN, torch.cosh), ("asinh", PLAIN, torch.asinh),
    ("acosh", BEYOND, torch.acosh), ("atanh", WITHIN, torch.atanh), ("erf", PLAIN, torch.erf),
    ("abs", PLAIN, torch.abs), ("relu", PLAIN, F.relu), ("softsign", PLAIN, F.softsign),
    ("tanh_shrink", PLAIN, F.tanhshrink), ("sigmoid", PLAIN, torch.sigmoid), ("tanh", PLAIN, torch.tanh),
    ("softplus", PLAIN, F.softplus), ("log_sigmoid", PLAIN, F.logsigmoid), ("gelu", PLAIN, F.gelu),
    ("gelu_tanh", PLAIN, lambda x: F.gelu(x, approximate="tanh")), ("silu", PLAIN, F.silu), ("selu", BESIDE, F.selu),
    ("hard_swish", PLAIN, F.hardswish), ("mish", PLAIN, F.mish),
]
CUBED = "tn_mul(tn_square(in[0]), in[0])", lambda x: x**3
SECOND = [
    *((f"second derivative of {name}", f"slopes(tn_{name}({of}), in, 1)", slopes(lambda x, f=f, at=at: f(at(x))), [(41,)])
      for name, (of, at), f in UNARY),
    ("second derivatives of a product", "slopes(tn_mul(in[0], tn_square(in[1])), in, 2)",
     slopes(lambda a, b: a * b * b), [(3, 5), (5,)]),
    ("second derivatives of a quotient",
     "slopes(tn_div(in[0], tn_add(tn_square(in[1]), tn_number(in[1], 0.5))), in, 2)",
     slopes(lambda a, b: a / (b * b + 0.5)), [(3, 1), (5,)]),
    ("second derivatives of a power", "slopes(tn_pow(tn_add(tn_square(in[0]), tn_number(in[0], 0.5)), in[1]), in, 2)",
     slopes(lambda a, b: (a * a + 0.5) ** b), [(3, 1), (5,)]),
    ("second derivatives of atan2", "slopes(tn_atan2(in[0], tn_add(tn_square(in[1]), tn_number(in[1], 0.5))), in, 2)",
     slopes(lambda a, b: torch.atan2(a, b * b + 0.5)), [(5, 1), (4,)]),
    ("second derivatives of the larger", "slopes(tn_square(tn_max(in[0], in[1])), in, 2)",
     slopes(lambda a, b: torch.where(b > a, b, a) ** 2), [(5, 1), (4,)]),
    ("second derivatives of matmul", "slopes(tn_matmul(in[0], in[1]), in, 2)", slopes(lambda a, b: a @ b),
     [(3, 4), (4, 2)]),
    ("second derivatives of batches that stretch", "slopes(tn_matmul_t(in[0], in[1], 1, 1), in, 2)",
     slopes(lambda a, b: a.mT @ b.mT), [(2, 1, 4, 3), (3, 2, 4)]),
    ("second derivative of sums", "slopes(tn_square(tn_mean(tn_square(in[0]), TN_AXES(0), 0)), in, 1)",
     slopes(lambda x: (x * x).mean(0) ** 2), [(4, 5)]),
    ("second derivative of prod, zeros too", "slopes(tn_prod(in[0], TN_AXES(1), 0), in, 1)",
     slopes(lambda x: x.prod(1)), [(9, 4)]),
    ("second derivative of the largest", "slopes(tn_square(tn_amax(in[0], TN_AXES(1), 0)), in, 1)",
     slopes(lambda x: x.amax(1) ** 2), [(5, 4)]),
    ("second derivative of softmax", "slopes(tn_softmax(in[0], 1), in, 1)", slopes(lambda x: x.softmax(1)), [(3, 4)]),
    ("second derivative of log_softmax", "slopes(tn_log_softmax(in[0], 0), in, 1)", slopes(lambda x: x.log_softmax(0)),
     [(3, 4)]),
    ("second derivative of logsumexp", "slopes(tn_logsumexp(in[0], TN_AXES(1), 0), in, 1)",
     slopes(lambda x: x.logsumexp(1)), [(3, 4)]),
    ("second derivative of normalize", "slopes(tn_normalize(in[0], TN_AXES(1), 1e-3), in, 1)",
     slopes(lambda x: normalize((1,))(x)), [(3, 4)]),
    ("second derivatives of attention", "slopes(tn_attention(in[0], in[1], in[2], 0), in, 3)", slopes(attention(False)),
     [(1, 3, 4), (1, 5, 4), (1, 5, 2)]),
    ("second derivative of moved elements",
     "slopes(tn_square(tn_concat((tn_tensor *[]){tn_slice(in[0], 1, 1, 2, 2), tn_transpose(in[0], NULL)}, 2, 1)), in, 1)",
     slopes(lambda x: torch.cat([x[:, 1:4:2], x.T], 1) ** 2), [(4, 4)]),
    ("second derivative of padding", f"slopes(tn_pad({CUBED[0]}, 1, 2, 1), in, 1)",
     slopes(lambda x: F.pad(CUBED[1](x), (2, 1))), [(3, 4)]),
    ("second derivative of cumsum", "slopes(tn_square(tn_cumsum(in[0], 1, 0, 0)), in, 1)",
     slopes(lambda x: x.cumsum(1) ** 2), [(3, 5)]),
    ("second derivatives of gather", "slopes(tn_square(tn_gather(in[0], in[1])), in, 1)",
     slopes(lambda t, i: gather(t, i) ** 2), [(4, 3), ((7,), -1, 4)]),
    ("second derivatives of scatter_add", "slopes(tn_square(tn_scatter_add(in[1], in[0], 4)), in, 1)",
     slopes(lambda x, i: scatter(4)(i, x) ** 2), [(9, 3), ((9,), -1, 4)]),
    ("second derivatives of take", "slopes(tn_square(tn_take(in[0], in[1], 1)), in, 1)",
     slopes(lambda x, i: take(1)(x, i) ** 2), [(3, 4, 2), ((3, 3, 2), -1, 4)]),
    ("second derivatives of conv2d", f"slopes({CONV % '.stride = {2, 1}, .pad = {1, 2}'}, in, 2)",
     slopes(conv((1, 2), (2, 1))), [(1, 2, 5, 4), (2, 2, 3, 3)]),
    ("second derivatives of conv2d, squared", f"slopes(tn_square({CONV % '.groups = 2'}), in, 2)",
     slopes(lambda x, w: conv(groups=2)(x, w) ** 2), [(1, 4, 3, 3), (2, 2, 2, 2)]),
    ("second derivatives of conv2d_data", f"slopes(tn_square({BACK % '.stride = {2, 1}'}), in, 2)",
     slopes(lambda x, w: transposed(stride=(2, 1))(x, w) ** 2), [(1, 2, 3, 2), (2, 2, 2, 2)]),
    ("second derivative of maxpool2d, padded, over the end",
     "slopes(tn_square(tn_maxpool2d(in[0], .window = {3, 2}, .stride = {2, 2}, .pad = {1, 0}, .ceil_mode = 1)), in, 1)",
     slopes(lambda x: F.max_pool2d(x, (3, 2), 2, (1, 0), ceil_mode=True) ** 2), [(1, 2, 6, 7)]),
    ("second derivative of maxpool2d, windows that overlap",
     "slopes(tn_square(tn_maxpool2d(in[0], .window = {3, 3}, .stride = {1, 2}, .pad = {1, 1})), in, 1)",
     slopes(lambda x: F.max_pool2d(x, 3, (1, 2), 1) ** 2), [(2, 1, 5, 6)]),
    ("second derivative of avgpool2d", "slopes(tn_square(tn_avgpool2d(in[0], .window = {2, 2})), in, 1)",
     slopes(lambda x: F.avg_pool2d(x, 2) ** 2), [(1, 2, 4, 4)]),
    ("third derivative of tanh", "slopes(slopes(tn_tanh(in[0]), in, 1), in, 1)", slopes(slopes(torch.tanh)), [(41,)]),
    ("gradient penalty", "penalty(tn_softplus(tn_matmul(tn_tanh(tn_matmul(in[0], in[1])), in[2])), in[0])",
     penalty(net), [(3, 4), (4, 5), (5, 1)]),
    ("gradient penalty of pictures", "penalty(tn_matmul(tn_flatten(tn_leaky_relu(tn_convolve2d(tn_reshape(in[0], "
     "TN_SHAPE(2, 1, 4, 4)), in[1], (tn_conv_options){.stride = {2, 2}, .pad = {1, 1}}), tn_number(in[0], 0.2))), in[2]), "
     "in[0])", penalty(lambda x, w, v: F.leaky_relu(F.conv2d(x.reshape(2, 1, 4, 4), w, None, 2, 1), 0.2).flatten(1) @ v),
     [(2, 16), (3, 1, 3, 3), (12, 1)]),
]
CONV_ND = "tn_conv_nd(in[0], in[1], (tn_conv_nd_options){%s})"
BACK_ND = "tn_conv_nd_transposed(in[0], in[1], (tn_conv_nd_options){%s})"
POOL_ND = "tn_%spool_nd(in[0], (tn_pool_nd_options){%s})"
PLACES = "tn_maxpool_nd_places(in[0], (tn_pool_nd_options){%s}, %d, NULL)"
SAMPLE = "tn_grid_sample(in[0], tn_mul(in[1], tn_number(in[1], 0.43)), (tn_grid_options){%s})"
WINDOWED = "tn_mul(in[0], %s)"
RESIZE = "tn_resize(in[0], TN_SHAPE(%s), (tn_resize_options){%s})"
LAYER = "tn_layer_normalize(%s, in[1], %s, (tn_layer_normalize_options){%s})"
ATTEND = "tn_attend(in[0], in[1], in[2], (tn_attend_options){%s})"
ROTARY = "turned(in[0], %d, %d, %d)"
EINSUM = "tn_einsum(\"%s\", in, %d)"
ND = [
    ("conv_nd, volumes", CONV_ND % "0", conv_nd(3), [(2, 2, 3, 3, 4), (2, 2, 2, 2, 3)]),
    ("conv_nd, volumes, uneven padding, stride and dilation",
     CONV_ND % ".begin = {1, 0, 2}, .end = {2, 1, 0}, .stride = {2, 1, 2}, .dilation = {1, 2, 1}",
     conv_nd(3, (2, 0, 0, 1, 1, 2), (2, 1, 2), (1, 2, 1)), [(1, 2, 4, 3, 4), (3, 2, 3, 2, 2)]),
    ("conv_nd, volumes, groups, dilated in depth", CONV_ND % ".groups = 2, .dilation = {2}, .begin = {1}, .end = {1}",
     conv_nd(3, (0, 0, 0, 0, 1, 1), 1, (2, 1, 1), 2), [(1, 4, 4, 3, 2), (4, 2, 2, 2, 2)]),
    ("conv_nd, pictures, uneven padding", CONV_ND % ".begin = {0, 1}, .end = {2, 0}, .stride = {2, 1}",
     conv_nd(2, (1, 0, 0, 2), (2, 1)), [(1, 2, 5, 4), (3, 2, 3, 2)]),
    ("conv_nd, rows", CONV_ND % ".begin = {2}, .stride = {2}, .dilation = {2}, .groups = 2",
     conv_nd(1, (2, 0), 2, 2, 2), [(2, 4, 7), (2, 2, 3)]),
    ("conv_nd_transposed, volumes", BACK_ND % "0", transposed_nd(3), [(2, 2, 2, 2, 3), (2, 2, 2, 2, 2)]),
    ("conv_nd_transposed, volumes, all options",
     BACK_ND % ".stride = {2, 1, 2}, .dilation = {1, 2, 1}, .groups = 2, .begin = {1, 0, 0}, .end = {0, 1, 2}, "
     ".more = {1, 0, 1}",
     transposed_nd(3, (0, 2, 0, 1, 1, 0), stride=(2, 1, 2), dilation=(1, 2, 1), groups=2, output_padding=(1, 0, 1)),
     [(1, 4, 2, 2, 3), (4, 1, 3, 2, 2)]),
    ("conv_nd_transposed, pictures", BACK_ND % ".stride = {2, 2}, .begin = {0, 1}, .end = {1, 0}, .more = {0, 1}",
     transposed_nd(2, (1, 0, 0, 1), stride=2, output_padding=(0, 1)), [(1, 2, 3, 2), (2, 2, 3, 3)]),
    ("conv_nd_transposed, rows", BACK_ND % ".stride = {3}, .end = {1}", transposed_nd(1, (0, 1), stride=3),
     [(2, 3, 3), (3, 2, 2)]),
    ("maxpool_nd, volumes", POOL_ND % ("max", ".window = {2, 2, 3}, .begin = {1, 0, 1}, .end = {0, 0, 2}, "
     ".stride = {2, 1, 2}"), pool_nd(F.max_pool3d, (1, 2, 0, 0, 1, 0), (2, 2, 3), (2, 1, 2), -torch.inf),
     [(1, 2, 3, 3, 5)]),
    ("maxpool_nd, dilated", POOL_ND % ("max", ".window = {3, 2}, .dilation = {2, 3}, .stride = {1, 2}, "
     ".begin = {1, 1}, .end = {1, 1}"), lambda x: F.max_pool2d(x, (3, 2), (1, 2), 1, (2, 3)), [(1, 2, 6, 7)]),
    ("maxpool_nd, over the end", POOL_ND % ("max", ".window = {3, 2}, .stride = {2, 3}, .ceil_mode = 1"),
     lambda x: F.max_pool2d(x, (3, 2), (2, 3), ceil_mode=True), [(1, 2, 6, 6)]),
    ("maxpool_nd, rows", POOL_ND % ("max", ".window = {3}, .stride = {2}, .begin = {2}"),
     pool_nd(F.max_pool1d, (2, 0), 3, 2, -torch.inf), [(2, 3, 8)]),
    ("maxpool_nd of whole numbers", POOL_ND % ("max", ".window = {2, 3}, .stride = {1, 1}, .end = {1, 1}"),
     lambda x: F.max_pool2d(F.pad(x * 1.0, (0, 1, 0, 1), value=-torch.inf), (2, 3), 1).long(),
     [((1, 2, 4, 5), -90, -3)]),
    ("avgpool_nd, volumes", POOL_ND % ("avg", ".window = {2, 2, 2}, .stride = {2, 1, 1}, .begin = {1, 0, 1}, "
     ".end = {1, 0, 1}"), lambda x: F.avg_pool3d(x, 2, (2, 1, 1), (1, 0, 1), count_include_pad=False),
     [(1, 2, 3, 3, 4)]),
    ("avgpool_nd, volumes, padding counted, over the end",
     POOL_ND % ("avg", ".window = {2, 3, 2}, .stride = {2, 2, 3}, .begin = {1, 1, 0}, .end = {1, 1, 0}, "
     ".ceil_mode = 1, .count_pad = 1"), lambda x: F.avg_pool3d(x, (2, 3, 2), (2, 2, 3), (1, 1, 0), True),
     [(1, 2, 4, 4, 5)]),
    ("avgpool_nd, uneven padding", POOL_ND % ("avg", ".window = {2, 3}, .stride = {2, 1}, .begin = {0, 2}, "
     ".end = {1, 0}"), mean_nd((2, 0, 0, 1), (2, 3), (2, 1)), [(1, 2, 5, 4)]),
    ("avgpool_nd, uneven padding counted", POOL_ND % ("avg", ".window = {2, 3}, .stride = {2, 1}, .begin = {0, 2}, "
     ".end = {1, 0}, .count_pad = 1"), pool_nd(F.avg_pool2d, (2, 0, 0, 1), (2, 3), (2, 1)), [(1, 2, 5, 4)]),
    ("avgpool_nd, dilated", POOL_ND % ("avg", ".window = {2, 3}, .stride = {1, 1}, .dilation = {2, 2}"),
     dilated_mean((2, 3), (2, 2)), [(1, 2, 5, 6)]),
    ("avgpool_nd, rows", POOL_ND % ("avg", ".window = {3}, .stride = {1}"),
     lambda x: F.avg_pool1d(x, 3, 1), [(2, 2, 6)]),
    ("lppool_nd by 3", "tn_lppool_nd(in[0], 3, (tn_pool_nd_options){.window = {2, 3}})", lp_pool(3, (2, 3)),
     [(1, 2, 4, 6)]),
    ("lppool_nd by 2", "tn_lppool_nd(in[0], 2, (tn_pool_nd_options){.window = {3, 2}})", lp_pool(2, (3, 2)),
     [(1, 2, 6, 4)]),
    ("maxpool_nd_places", PLACES % (".window = {2, 3}, .stride = {1, 1}", 0),
     places(F.max_pool2d, kernel_size=(2, 3), stride=1), [(2, 2, 4, 5)]),
    ("maxpool_nd_places by columns, dilated", PLACES % (".window = {2, 2}, .dilation = {2, 1}, .begin = {1, 0}, "
     ".end = {1, 0}, .stride = {1, 1}", 1),
     places(F.max_pool2d, True, kernel_size=2, stride=1, dilation=(2, 1), padding=(1, 0)), [(1, 2, 4, 5)]),
    ("maxpool_nd_places among equals", PLACES % (".window = {3, 2}, .stride = {1, 1}", 0),
     lambda x: places(F.max_pool2d, kernel_size=(3, 2), stride=1)(x * 1.0), [((1, 2, 5, 5), -1, 1)]),
    ("maxpool_nd_places of volumes", PLACES % (".window = {2, 2, 2}", 0), places(F.max_pool3d, kernel_size=2),
     [(1, 2, 4, 3, 4)]),
    ("maxpool_nd_places of volumes by columns", PLACES % (".window = {2, 2, 2}, .stride = {1, 1, 2}", 1),
     places(F.max_pool3d, True, kernel_size=2, stride=(1, 1, 2)), [(1, 2, 3, 3, 4)]),
    ("elements that maxpool_nd_places names", "peaks(in[0])", lambda x: F.max_pool2d(x, 2, 1), [(1, 2, 4, 5)]),
    ("max_unpool_nd", "unpooled(in[0])", unpool, [(1, 2, 4, 5)]),
    ("grid_sample", SAMPLE % "0", sample("bilinear", "zeros"), [(2, 2, 3, 4), (2, 3, 3, 2)]),
    ("grid_sample, corners aligned, border", SAMPLE % ".align_corners = 1, .outside = TN_OUTSIDE_BORDER",
     sample("bilinear", "border", True), [(1, 2, 3, 4), (1, 4, 3, 2)]),
    ("grid_sample, mirrored", SAMPLE % ".outside = TN_OUTSIDE_REFLECTION", sample("bilinear", "reflection"),
     [(1, 2, 3, 4), (1, 4, 3, 2)]),
    ("grid_sample, mirrored at corners", SAMPLE % ".outside = TN_OUTSIDE_REFLECTION, .align_corners = 1",
     sample("bilinear", "reflection", True), [(1, 2, 3, 4), (1, 4, 3, 2)]),
    ("grid_sample, nearest", SAMPLE % ".mode = TN_NEAREST", sample("nearest", "zeros"), [(2, 1, 3, 4), (2, 3, 3, 2)]),
    ("grid_sample, nearest, mirrored", SAMPLE % ".mode = TN_NEAREST, .outside = TN_OUTSIDE_REFLECTION",
     sample("nearest", "reflection"), [(1, 2, 3, 4), (1, 4, 3, 2)]),
    ("grid_sample, cubic", SAMPLE % ".mode = TN_CUBIC", sample("bicubic", "zeros"), [(1, 2, 4, 5), (1, 3, 3, 2)]),
    ("grid_sample, cubic, border", SAMPLE % ".mode = TN_CUBIC, .outside = TN_OUTSIDE_BORDER",
     sample("bicubic", "border"), [(1, 2, 4, 5), (1, 3, 3, 2)]),
    ("grid_sample, cubic, mirrored, corners aligned",
     SAMPLE % ".mode = TN_CUBIC, .outside = TN_OUTSIDE_REFLECTION, .align_corners = 1",
     sample("bicubic", "reflection", True), [(1, 2, 4, 5), (1, 3, 3, 2)]),
    ("grid_sample of volumes", SAMPLE % "0", sample("bilinear", "zeros"), [(1, 2, 3, 2, 4), (1, 2, 3, 2, 3)]),
    ("grid_sample of volumes, nearest, border", SAMPLE % ".mode = TN_NEAREST, .outside = TN_OUTSIDE_BORDER",
     sample("nearest", "border"), [(1, 2, 3, 2, 4), (1, 2, 3, 2, 3)]),
    ("affine_grid", "tn_affine_grid(in[0], TN_SHAPE(3, 4), 0)", affine((2, 1, 3, 4), False), [(2, 2, 3)]),
    ("affine_grid of volumes, corners aligned", "tn_affine_grid(in[0], TN_SHAPE(2, 3, 1), 1)",
     affine((1, 1, 2, 3, 1), True), [(1, 3, 4)]),
    ("cumprod", "tn_cumprod(in[0], 1, 0, 0)", lambda x: x.cumprod(1), [(3, 7)]),
    ("cumprod from the end, exclusive", "tn_cumprod(in[0], -1, 1, 1)", later_product, [(3, 5)]),
    ("local_response_norm", "tn_local_response_norm(in[0], (tn_response_options){1, 1, 0.2, 0.75, 1.5})",
     lambda x: F.local_response_norm(x, 3, 0.2, 0.75, 1.5), [(2, 4, 2, 3)]),
    ("local_response_norm, more before", "tn_local_response_norm(in[0], (tn_response_options){2, 1, 0.5, 0.5, 1})",
     lambda x: F.local_response_norm(x, 4, 0.5, 0.5, 1), [(2, 5, 3)]),
    ("reverse_sequence", "tn_reverse_sequence(in[0], in[1], 1, 0)", reverse_parts, [(4, 5, 2), ((4,), 0, 5)]),
    ("hann", WINDOWED % "tn_hann(tn_graph_of(in[0]), 7, 0)", lambda x: x * torch.hann_window(7), [(7,)]),
    ("hamming, symmetric", WINDOWED % "tn_hamming(tn_graph_of(in[0]), 6, 1)",
     lambda x: x * torch.hamming_window(6, False, 25 / 46, 21 / 46), [(6,)]),
    ("blackman, symmetric", WINDOWED % "tn_blackman(tn_graph_of(in[0]), 5, 1)",
     lambda x: x * torch.blackman_window(5, False), [(5,)]),
    ("blackman", WINDOWED % "tn_blackman(tn_graph_of(in[0]), 8, 0)", lambda x: x * torch.blackman_window(8), [(8,)]),
    ("dft", "dft_part(in[0], in[1], (tn_dft_options){0}, 0)", fourier(torch.fft.fft, "real"), [(3, 5), (3, 5)]),
    ("dft, imaginary, cut", "dft_part(in[0], in[1], (tn_dft_options){.size = 4}, 1)",
     fourier(torch.fft.fft, "imag", n=4), [(2, 7), (2, 7)]),
    ("dft of a real signal, filled up", "dft_part(in[0], NULL, (tn_dft_options){.size = 9, .half = 1}, 1)",
     fourier(torch.fft.rfft, "imag", n=9), [(2, 6)]),
    ("inverse dft", "dft_part(in[0], in[1], (tn_dft_options){.inverse = 1}, 0)", fourier(torch.fft.ifft, "real"),
     [(2, 6), (2, 6)]),
    ("depth_to_space", "tn_depth_to_space(in[0], 2)", depth_to_space(2), [(2, 8, 2, 3)]),
    ("space_to_depth", "tn_space_to_depth(in[0], 3)", space_to_depth(3), [(1, 2, 3, 6)]),
    ("det", "tn_det(tn_add(in[0], tn_mul(tn_eye(tn_graph_of(in[0]), 4), tn_number(in[0], 3))))",
     lambda x: torch.linalg.det(x + 3 * torch.eye(4)), [(2, 4, 4)]),
    ("det of rows turned round", "tn_det(tn_flip(tn_triu(in[0], 0), 0))", lambda x: torch.linalg.det(x.triu().flip(0)),
     [(3, 3)]),
    ("einsum, matrices", EINSUM % ("ij,jk", 2), einsum("ij,jk"), [(3, 4), (4, 2)]),
    ("einsum, batches, one transposed", EINSUM % ("bij,bkj->bik", 2), einsum("bij,bkj->bik"), [(2, 3, 4), (2, 2, 4)]),
    ("einsum, trace", EINSUM % ("ii", 1), einsum("ii"), [(5, 5)]),
    ("einsum, diagonals", EINSUM % ("...ii->...i", 1), einsum("...ii->...i"), [(2, 3, 3)]),
    ("einsum, transposed", EINSUM % ("cba", 1), einsum("cba"), [(2, 3, 4)]),
    ("einsum, three operands", EINSUM % ("ij, kj ,jl -> li", 3), einsum("ij, kj ,jl -> li"),
     [(2, 4), (3, 4), (4, 2)]),
    ("einsum, dots that stretch", EINSUM % ("...ij,j...->i...", 2), einsum("...ij,j...->i..."),
     [(2, 1, 3, 2), (2, 4)]),
    ("einsum, sums over dots", EINSUM % ("b...,b...,b->b", 3), einsum("b...,b...,b->b"), [(3, 2, 2), (3, 2, 2), (3,)]),
    ("einsum, outer", EINSUM % ("i,j", 2), einsum("i,j"), [(3,), (4,)]),
    *[("scatter, " + word, "tn_scatter(in[0], in[1], in[2], 1, %d)" % how, scatter_to(1, how),
       [(2, 5, 2), ((2, 7, 2), 0, 4), (2, 7, 2)])
      for how, word in enumerate(["the last", "sums", "products", "largest", "smallest"])],
    ("scatter of a few", "tn_scatter(in[0], in[1], in[2], 0, TN_SCATTER_SET)", scatter_to(0, 0),
     [(6, 3), ((2, 3), 0, 5), (2, 3)]),
    *[("scatter_nd, " + word, "tn_scatter_nd(in[0], in[1], in[2], %d)" % how, scatter_nd(how),
       [(3, 2, 4), ((5, 2), 0, 1), (5, 4)]) for how, word in enumerate(["the last", "sums", "products"])],
    ("scatter_nd of rows, largest", "tn_scatter_nd(in[0], in[1], in[2], TN_SCATTER_MAX)", scatter_nd(3),
     [(4, 3), ((2, 3, 1), 0, 3), (2, 3, 3)]),
    ("scatter_nd of elements, smallest", "tn_scatter_nd(in[0], in[1], in[2], TN_SCATTER_MIN)", scatter_nd(4),
     [(3, 3), ((6, 2), 0, 2), (6,)]),
    ("gather_nd", "tn_gather_nd(in[0], in[1])", lambda x, i: x[i[..., 0], i[..., 1]], [(3, 4, 2), ((2, 3, 2), 0, 2)]),
    ("resize, cubic", RESIZE % ("5, 3", ".mode = TN_CUBIC"), interpolated("bicubic", (5, 3)), [(1, 2, 3, 4)]),
    ("resize, cubic, corners aligned", RESIZE % ("5, 7", ".mode = TN_CUBIC, .align_corners = 1"),
     interpolated("bicubic", (5, 7), align_corners=True), [(1, 2, 3, 4)]),
    ("resize of volumes", RESIZE % ("3, 2, 5", "0"), interpolated("trilinear", (3, 2, 5)), [(1, 2, 2, 3, 3)]),
    ("resize of rows", RESIZE % ("9", ".align_corners = 1"), interpolated("linear", 9, align_corners=True), [(2, 2, 5)]),
    ("resize, antialias", RESIZE % ("3, 2", ".antialias = 1"), interpolated("bilinear", (3, 2), antialias=True),
     [(1, 2, 7, 5)]),
    ("resize, cubic, antialias", RESIZE % ("3, 5", ".antialias = 1, .mode = TN_CUBIC"),
     interpolated("bicubic", (3, 5), antialias=True), [(1, 2, 8, 3)]),
    ("resize, nearest", RESIZE % ("5, 3", ".mode = TN_NEAREST"), interpolated("nearest", (5, 3)), [(1, 2, 3, 7)]),
    ("resize, nearest, to 49 times the size", RESIZE % ("98", ".mode = TN_NEAREST"),
     lambda x: x.repeat_interleave(49, 2), [(1, 1, 2)]),
    ("resize, nearest by centres", RESIZE % ("5, 3", ".mode = TN_NEAREST, .exact = 1"),
     interpolated("nearest-exact", (5, 3)), [(1, 2, 3, 7)]),
    ("interpolate beyond the ends", "tn_interpolate(in[0], 1, 6, -1.3, 1.1, (tn_interpolate_options){0})",
     at_places(6, -1.3, 1.1, lambda d: max(0, 1 - d), 2), [(2, 4)]),
    ("interpolate, cubic, without what is outside",
     "tn_interpolate(in[0], 1, 5, -0.4, 0.9, (tn_interpolate_options){.mode = TN_CUBIC, .cubic = -0.6, .exclude = 1})",
     at_places(5, -0.4, 0.9, keys(-0.6), 2, True), [(2, 4)]),
    *[("interpolate, nearest, rounding %d" % i,
       "tn_interpolate(in[0], 0, 6, 0.25, 0.625, (tn_interpolate_options){.mode = TN_NEAREST, .round = %d})" % i,
       (lambda r: lambda x: x[[min(max(r(0.25 + k * 0.625), 0), 3) for k in range(6)]])(r), [(4, 2)])
      for i, r in enumerate([lambda p: math.ceil(p - 0.5), lambda p: math.floor(p + 0.5), math.floor, math.ceil])],
    ("attend with a mask", ATTEND % ".mask = in[3]", attend(),
     [(1, 2, 3, 4), (1, 2, 5, 4), (1, 2, 5, 2), ((3, 5), 0, 2)]),
    ("attend in groups, scaled", ATTEND % ".scale = 0.3", attend(scale=0.3), [(1, 4, 2, 3), (1, 2, 3, 3), (1, 2, 3, 2)]),
    ("attend after others, in groups", ATTEND % ".causal = 1, .first = 2", attend(first=2),
     [(2, 4, 3, 3), (2, 2, 5, 3), (2, 2, 5, 2)]),
    ("attend with a bias of each head", ATTEND % ".bias = in[3]", attend(bias=1),
     [(2, 2, 3, 3), (2, 2, 4, 3), (2, 2, 4, 2), (1, 2, 3, 4)]),
    ("attend after others, not too far", ATTEND % ".causal = 1, .first = 3, .reach = 3", attend(first=3, reach=3),
     [(2, 2, 2, 3), (2, 1, 5, 3), (2, 1, 5, 2)]),
    ("attend, bounded scores and a bias", ATTEND % ".cap = 1.25, .bias = in[3]", capped(1.25),
     [(2, 3, 2), (2, 4, 2), (2, 4, 3), (3, 4)]),
    ("rotary", ROTARY % (0, 2, 0), rotary(2, False), [(2, 3, 4)]),
    ("rotary of a part, interleaved, later", ROTARY % (5, 2, 1), rotary(2, True, 5), [(2, 3, 6)]),
    ("quantize", "tn_quantize(in[0], tn_number(in[0], 0.3), tn_full(tn_graph_of(in[0]), TN_I32, TN_SCALAR, 7), "
     "(tn_quantize_options){0, 0, 12})", quantized(0.3, 7, 0, 12), [(3, 7)]),
    ("quantize along an axis", "tn_quantize(in[0], tn_add(tn_abs(in[1]), tn_number(in[1], 0.1)), NULL, "
     "(tn_quantize_options){1, -4, 3})",
     lambda x, s: torch.clamp((x / (s.abs() + 0.1)[:, None]).round(), -4, 3).long(), [(2, 3, 4), (3,)]),
    ("dequantize", "tn_dequantize(in[0], in[1], in[2], 0)", lambda x, s, z: (x - z[:, None]) * s[:, None],
     [((3, 4), -9, 9), (3,), ((3,), -2, 2)]),
    ("dequantize by blocks", "tn_dequantize(in[0], in[1], NULL, 1)", lambda x, s: x * s.repeat_interleave(2, 1),
     [((3, 4), -9, 9), (3, 2)]),
    ("scale of a range", "range_part(in[0], 0)", lambda x: (x.amax().clamp(min=0) - x.amin().clamp(max=0)) / 255, [(9,)]),
    ("zero of a range", "range_part(tn_add(in[0], tn_number(in[0], 0.7)), 1)",
     lambda x: (-(x + 0.7).amin() / ((x + 0.7).amax() - (x + 0.7).amin()) * 255).round().long(), [(41,)]),
    ("nonzero", "tn_nonzero(in[0], 9, NULL)", lambda x: filled(x.nonzero().T, 9), [((3, 5), -1, 1)]),
    ("nonzero, the first", "tn_nonzero(in[0], 4, NULL)", lambda x: x.nonzero().T[:, :4], [((3, 2, 3), -1, 1)]),
    ("compress", "tn_compress(in[0], in[1], 1, 4, NULL)",
     lambda x, c: F.pad(x[:, :4][:, c != 0], (0, 4 - int((c != 0).sum()))), [(2, 5), ((4,), -1, 1)]),
    ("unique", "tn_unique(in[0], NULL)", unique(""), [((3, 5), -2, 3)]),
    ("unique, the first", "unique_part(in[0]).first", unique("first"), [((3, 5), -2, 3)]),
    ("unique, inverse", "unique_part(in[0]).inverse", unique("inverse"), [((3, 5), -2, 3)]),
    ("unique, counts", "unique_part(in[0]).counts", unique("counts"), [((15,), -2, 3)]),
    ("unique, count", "unique_part(in[0]).count", unique("count"), [((15,), -2, 3)]),
    ("nms", "tn_nms(in[0], in[1], 4, (tn_nms_options){0.3, -1e30, 0})", nms(4, 0.3), [(2, 7, 4), (2, 3, 7)]),
    ("nms of centres, above a score", "tn_nms(tn_abs(in[0]), in[1], 5, (tn_nms_options){0.2, 0.3, 1})",
     lambda b, s: nms(5, 0.2, 0.3, True)(b.abs(), s), [(1, 9, 4), (1, 2, 9)]),
    ("unslice by steps", "tn_unslice(in[0], 0, 2, 3, 11)", spread(2, 3, 11), [(3,)]),
    ("pad_value", "tn_pad_value(in[0], 1, 2, 1, -1.5)", lambda x: F.pad(x, (2, 1), value=-1.5), [(2, 3)]),
]
WINDOW = "tn_dynamic_slice(in[0], tn_scalar_input(tn_graph_of(in[0]), \"start\", TN_I32, %d), 3)"
OPERATORS = [
    ("conv2d", CONV % "0", conv(), [(2, 2, 5, 4), (3, 2, 3, 2)]),
    ("conv2d, stride and padding", CONV % ".stride = {2, 3}, .pad = {1, 2}", conv((1, 2), (2, 3)),
     [(1, 2, 6, 7), (2, 2, 3, 3)]),
    ("conv2d, dilation", CONV % ".dilation = {2, 3}, .pad = {2, 1}", conv((2, 1), 1, (2, 3)),
     [(1, 2, 5, 8), (2, 2, 3, 2)]),
    ("conv2d, groups", CONV % ".groups = 2, .pad = {1, 1}, .stride = {2, 1}", conv(1, (2, 1), 1, 2),
     [(1, 4, 5, 4), (6, 2, 3, 3)]),
    ("conv2d, depthwise", CONV % ".groups = 3, .pad = {1, 0}", conv((1, 0), 1, 1, 3), [(2, 3, 4, 5), (6, 1, 3, 3)]),
    ("conv2d of a row", CONV % ".pad = {0, 1}, .stride = {1, 2}", lambda x, w: F.conv1d(
        x[:, :, 0], w[:, :, 0], None, 2, 1)[:, :, None], [(2, 3, 1, 9), (4, 3, 1, 4)]),
    ("conv2d, bias and relu", "tn_relu(tn_add(tn_convolve2d(in[0], in[1], (tn_conv_options){0}), tn_reshape(in[2], "
     "TN_SHAPE(3, 1, 1))))", lambda x, w, b: F.conv2d(x, w, b).relu(), [(1, 2, 4, 4), (3, 2, 2, 2), (3,)]),
    ("conv2d_data", BACK % "0", transposed(), [(2, 3, 3, 2), (3, 2, 2, 3)]),
    ("conv2d_data, stride and padding", BACK % ".stride = {2, 3}, .pad = {1, 0}", transposed((1, 0), (2, 3)),
     [(1, 3, 4, 3), (3, 2, 3, 2)]),
    ("conv2d_data of a given size", BACK % ".stride = {2, 2}, .pad = {1, 1}, .size = {8, 6}",
     transposed(1, 2, more=1), [(1, 2, 4, 3), (2, 2, 3, 3)]),
    ("conv2d_data, dilation and groups", BACK % ".dilation = {2, 1}, .groups = 2, .pad = {1, 1}",
     transposed(1, 1, (2, 1), 2), [(1, 4, 3, 4), (4, 1, 2, 3)]),
    ("maxpool2d", "tn_maxpool2d(in[0], .window = {2, 2})", max_pool(2), [(1, 2, 5, 6)]),
    ("maxpool2d, padded, over the end",
     "tn_maxpool2d(in[0], .window = {3, 2}, .stride = {2, 2}, .pad = {1, 0}, .ceil_mode = 1)",
     max_pool((3, 2), 2, (1, 0), True), [(1, 2, 6, 7)]),
    ("maxpool2d, windows that overlap", "tn_maxpool2d(in[0], .window = {3, 3}, .stride = {1, 2}, .pad = {1, 1})",
     max_pool(3, (1, 2), 1), [(2, 1, 5, 6)]),
    ("gradient of maxpool2d among equals", "pool_slope(tn_cast(in[0], TN_F32), in[1])", pool_slope,
     [((1, 2, 6, 6), -1, 1), ((1, 2, 3, 2), -4, 4)]),
    ("avgpool2d", "tn_avgpool2d(in[0], .window = {2, 3})", avg_pool((2, 3)), [(1, 2, 5, 6)]),
    ("avgpool2d, padded", "tn_avgpool2d(in[0], .window = {3, 3}, .stride = {2, 2}, .pad = {1, 1})",
     avg_pool(3, 2, 1), [(1, 2, 5, 6)]),
    ("avgpool2d, over the end, with the padding counted",
     "tn_avgpool2d(in[0], .window = {3, 2}, .stride = {2, 2}, .pad = {1, 1}, .ceil_mode = 1, .count_pad = 1)",
     avg_pool((3, 2), 2, 1, True, True), [(1, 2, 6, 6)]),
    ("adaptive_avgpool2d", "tn_adaptive_avgpool2d(in[0], 3, 4)", lambda x: F.adaptive_avg_pool2d(x, (3, 4)),
     [(1, 2, 7, 5)]),
    ("global averages", "tn_global_avgpool2d(in[0])", lambda x: x.mean((2, 3)), [(2, 3, 3, 2)]),
    ("global maxima", "tn_global_maxpool2d(in[0])", lambda x: x.amax((2, 3)), [(2, 3, 3, 2)]),
    ("slice", "tn_slice(in[0], 1, 1, 3, 2)", lambda x: x[:, 1:6:2], [(3, 7)]),
    ("slice backwards", "tn_slice(in[0], 0, -1, 3, -2)", lambda x: x.flip(0)[::2][:3], [(6, 2)]),
    ("unslice", "tn_pad(in[0], 1, 2, 1)", lambda x: F.pad(x, (2, 1)), [(3, 4)]),
    ("concat", "tn_concat(in, 3, 1)", lambda *x: torch.cat(x, 1), [(2, 1, 2), (2, 3, 2), (2, 2, 2)]),
    ("stack", "tn_stack(in, 2, 1)", lambda *x: torch.stack(x, 1), [(2, 3), (2, 3)]),
    ("scatter_add", "tn_scatter_add(in[0], in[1], 4)", scatter(4), [((9,), -1, 4), (9, 3)]),
    ("gather", "tn_gather(in[0], in[1])", gather, [(4, 3), ((7,), -1, 4)]),
    ("take", "tn_take(in[0], in[1], 1)", take(1), [(3, 4, 2), ((3, 3, 2), -1, 4)]),
    ("put", "tn_put(in[0], in[1], 0, 4)", put(0, 4), [((5, 3), -1, 4), (5, 3)]),
    ("cumsum", "tn_cumsum(in[0], 1, 0, 0)", lambda x: x.cumsum(1), [(3, 5, 2)]),
    ("cumsum from the end, exclusive", "tn_cumsum(in[0], 1, 1, 1)", later_sum, [(3, 5)]),
    ("topk", "top(in[0], 3, 1, 0)", topk(3, 1), [(3, 7)]),
    ("topk of the smallest", "top(in[0], 2, 0, 1)", topk(2, 0, False), [(6, 4)]),
    ("places of topk", "tn_topk(in[0], 4, -1, 0, NULL)", lambda x: x.topk(4, -1).indices, [(4, 6)]),
    ("tril", "tn_tril(in[0], 1)", lambda x: x.tril(1), [(2, 3, 4)]),
    ("triu", "tn_triu(in[0], -1)", lambda x: x.triu(-1), [(4, 3)]),
    ("masked_softmax", "tn_masked_softmax(in[0], in[1], -1)",
     lambda x, m: x.masked_fill(m == 0, -torch.inf).softmax(-1), [(3, 5), ((3, 5), 0, 1)]),
    ("attention", "tn_attention(in[0], in[1], in[2], 0)", attention(False), [(2, 3, 4), (2, 5, 4), (2, 5, 2)]),
    ("causal attention", "tn_attention(in[0], in[1], in[2], 1)", attention(True), [(2, 4, 3), (2, 4, 3), (2, 4, 2)]),
    ("normalize", "tn_normalize(in[0], TN_AXES(0, 2), 1e-3)", normalize((0, 2)), [(3, 2, 4)]),
    ("rms_normalize", "tn_rms_normalize(in[0], TN_AXES(-1), 1e-3)", normalize((-1,), False), [(3, 5)]),
    ("layer_normalize", LAYER % ("in[0]", "1e-3", ".bias = in[2]"),
     lambda x, w, b: F.layer_norm(x, w.shape, w, b, 1e-3), [(3, 7), (7,), (7,)]),
    ("layer_normalize of two dimensions, without a bias", LAYER % ("in[0]", "1e-5", "0"),
     lambda x, w: F.layer_norm(x, w.shape, w, None, 1e-5), [(2, 2, 3, 4), (3, 4)]),
    ("layer_normalize far from 0", LAYER % ("tn_add(in[0], tn_number(in[0], 256))", "1e-5", ".bias = in[2]"),
     lambda x, w, b: F.layer_norm(x + 256, w.shape, w, b, 1e-5), [(3, 33), (33,), (33,)]),
    ("layer_normalize, the mean kept", LAYER % ("in[0]", "1e-3", ".bias = in[2], .keep_mean = 1"),
     lambda x, w, b: F.rms_norm(x, w.shape, w, 1e-3) + b, [(2, 3, 5), (5,), (5,)]),
    ("matmul of batches", "tn_matmul(in[0], in[1])", lambda a, b: a @ b, [(2, 3, 4), (2, 4, 2)]),
    ("matmul, both transposed", "tn_matmul_t(in[0], in[1], 1, 1)", lambda a, b: a.T @ b.T, [(4, 3), (2, 4)]),
    ("matmul of batches that stretch", "tn_matmul(in[0], in[1])", lambda a, b: a @ b, [(2, 1, 3, 2), (4, 2, 2)]),
    ("matmul, one matrix for the last of a batch", "tn_matmul_t(in[0], in[1], 0, 1)", lambda a, b: a @ b.mT,
     [(2, 3, 2, 4), (2, 1, 3, 4)]),
    ("matmul, one matrix for the last of a batch, transposed", "tn_matmul_t(in[0], in[1], 1, 0)",
     lambda a, b: a.mT @ b, [(2, 3, 4, 2), (2, 1, 4, 3)]),
    ("matmul, one on the left for the last of a batch", "tn_matmul(in[0], in[1])", lambda a, b: a @ b,
     [(2, 1, 2, 4), (2, 3, 4, 2)]),
    ("matmul of five dimensions", "tn_matmul(in[0], in[1])", lambda a, b: a @ b, [(2, 1, 2, 2, 3), (3, 1, 3, 2)]),
    ("matmul of a vector and a matrix", "tn_matmul(in[0], in[1])", lambda a, b: a @ b, [(5,), (5, 3)]),
    ("matmul of a vector and a batch", "tn_matmul(in[0], in[1])", lambda a, b: a @ b, [(3,), (2, 2, 3, 4)]),
    ("matmul of a batch and a vector", "tn_matmul(in[0], in[1])", lambda a, b: a @ b, [(2, 3, 4), (4,)]),
    ("matmul of vectors", "tn_matmul(in[0], in[1])", lambda a, b: a @ b, [(7,), (7,)]),
    ("softmax", "tn_softmax(in[0], 1)", lambda x: x.softmax(1), [(2, 5, 3)]),
    ("log_softmax", "tn_log_softmax(in[0], -1)", lambda x: x.log_softmax(-1), [(3, 5)]),
    ("transpose", "tn_transpose(in[0], ((int32_t[]){1, 2, 0}))", lambda x: x.permute(1, 2, 0), [(2, 3, 4)]),
    ("where", "tn_where(in[0], in[1], in[2])", lambda q, a, b: torch.where(q != 0, a, b),
     [((3, 1), 0, 1), (4,), (3, 4)]),
    ("pick", "tn_pick(in[0], in[1])", lambda x, k: x[torch.arange(len(k)), k], [(5, 4), ((5,), 0, 3)]),
    ("prod", "tn_prod(in[0], TN_AXES(1), 0)", lambda x: x.prod(1), [(3, 5)]),
    ("amin of equals", "tn_amin(in[0], TN_AXES(0, 1), 0)", lambda x: x.amin((0, 1)), [(7, 7)]),
    ("mean", "tn_mean(in[0], TN_AXES(0, 2), 0)", lambda x: x.mean((0, 2)), [(3, 2, 4)]),
    ("stop_gradient", "tn_mul(tn_square(in[0]), tn_stop_gradient(tn_exp(in[0])))", lambda x: x**2 * x.exp().detach(),
     [(3, 5)]),
    ("all gradients stopped", "tn_stop_gradient(tn_mul(in[0], in[1]))", lambda x, y: (x * y).detach(), [(5,), (5,)]),
    ("broadcast", "tn_broadcast(in[0], TN_SHAPE(2, 3, 2))", lambda x: x.expand(2, 3, 2), [(3, 1)]),
    ("celu", "tn_celu(in[0], 0.75)", lambda x: F.celu(x, 0.75), [(41,)]),
    ("hard_shrink", "tn_hard_shrink(in[0], 0.7)", lambda x: F.hardshrink(x, 0.7), [(41,)]),
    ("soft_shrink", "tn_soft_shrink(in[0], 0.7)", lambda x: F.softshrink(x, 0.7), [(41,)]),
    ("threshold", "tn_threshold(in[0], 0.5, -3)", lambda x: F.threshold(x, 0.5, -3), [(41,)]),
    ("clamp", "tn_clamp(in[0], -1, 1.25)", 
     lambda x: torch.where(x < -1, -1.0, torch.where(x > 1.25, 1.25, x)), [(41,)]),
    ("relu6", "tn_relu6(tn_mul(in[0], tn_number(in[0], 4)))", lambda x: F.relu6(x * 4), [(41,)]),
    ("hard_tanh", "tn_hard_tanh(in[0])", F.hardtanh, [(41,)]),
    ("softsign", "tn_softsign(in[0])", F.softsign, [(41,)]),
    ("tanh_shrink", "tn_tanh_shrink(in[0])", F.tanhshrink, [(41,)]),
    ("round", "tn_round(tn_mul(in[0], tn_number(in[0], 4)))", lambda x: (x * 4).round(), [(41,)]),
    ("remainder", "tn_remainder(in[0], in[1])", torch.remainder, [(41, 1), (4,)]),
    ("fmod", "tn_fmod(in[0], in[1])", torch.fmod, [(41, 1), (4,)]),
    ("atan2", "tn_atan2(in[0], in[1])", torch.atan2, [(5, 1), (4,)]),
    ("logical_xor", "tn_logical_xor(in[0], in[1])", lambda a, b: torch.logical_xor(a, b).long(),
     [((5, 1), -1, 1), ((4,), -1, 1)]),
    ("logical_not", "tn_logical_not(in[0])", lambda a: torch.logical_not(a).long(), [((2, 3), -1, 1)]),
    ("glu", "tn_glu(in[0], 1)", lambda x: F.glu(x, 1), [(3, 6, 2)]),
    ("masked_fill", "tn_masked_fill(in[0], in[1], -7)", lambda x, m: x.masked_fill(m != 0, -7),
     [(3, 5), ((3, 1), 0, 1)]),
    ("any", "tn_any(in[0], TN_AXES(1), 0)", lambda x: x.any(1).long(), [((6, 3), -1, 1)]),
    ("all", "tn_all(in[0], TN_AXES(0), 1)", lambda x: x.all(0, True).long(), [((2, 7), -1, 1)]),
    ("outer", "tn_outer(in[0], in[1])", torch.outer, [(4,), (5,)]),
    ("variance", "tn_variance(in[0], TN_AXES(0, 2), 1, 0)", lambda x: x.var((0, 2)), [(3, 2, 4)]),
    ("biased variance, kept", "tn_variance(in[0], TN_AXES(-1), 0, 1)", lambda x: x.var(-1, False, True), [(3, 5)]),
    ("std", "tn_std(in[0], TN_AXES(1), 1, 0)", lambda x: x.std(1), [(3, 5)]),
    ("2-norm", "tn_norm(in[0], 2, TN_AXES(1), 0)", lambda x: x.norm(2, 1), [(3, 5)]),
    ("2-norm of zeros", "tn_norm(tn_mul(in[0], tn_number(in[0], 0)), 2, TN_ALL, 0)", lambda x: (x * 0).norm(), [(5,)]),
    ("1-norm", "tn_norm(in[0], 1, TN_AXES(0), 1)", lambda x: x.norm(1, 0, True), [(9, 5)]),
    ("3-norm", "tn_norm(in[0], 3, TN_AXES(0, 1), 0)", lambda x: x.norm(3, (0, 1)), [(9, 5)]),
    ("norm by 0.5", "tn_norm(in[0], 0.5, TN_AXES(1), 0)", lambda x: x.norm(0.5, 1), [(3, 4)]),
    ("norm by -2", "tn_norm(in[0], -2, TN_AXES(1), 0)", lambda x: x.norm(-2, 1), [(3, 4)]),
    ("largest norm", "tn_norm(in[0], INFINITY, TN_AXES(1), 0)", lambda x: x.norm(torch.inf, 1), [(3, 5)]),
    ("smallest norm", "tn_norm(in[0], -INFINITY, TN_AXES(1), 0)", lambda x: x.norm(-torch.inf, 1), [(3, 5)]),
    ("count by norm", "tn_norm(in[0], 0, TN_ALL, 0)", lambda x: x.norm(0) + 0 * x.sum(), [(43,)]),
    ("l2_normalize", "tn_l2_normalize(in[0], TN_AXES(1), 1e-12)", lambda x: F.normalize(x, dim=1), [(3, 5, 2)]),
    ("l2_normalize of zeros", "tn_l2_normalize(tn_mul(in[0], tn_number(in[0], 0)), TN_AXES(-1), 1e-3)",
     lambda x: F.normalize(x * 0, dim=-1, eps=1e-3), [(2, 3)]),
    ("unsqueeze", "tn_unsqueeze(in[0], -2)", lambda x: x.unsqueeze(-2), [(2, 3)]),
    ("squeeze", "tn_squeeze(in[0], 1)", lambda x: x.squeeze(1), [(2, 1, 3)]),
    ("swap_axes", "tn_swap_axes(in[0], 0, -1)", lambda x: x.transpose(0, -1), [(2, 3, 4)]),
    ("roll", "tn_roll(in[0], 1, 2)", lambda x: x.roll(2, 1), [(2, 5, 2)]),
    ("roll back, beyond the end", "tn_roll(in[0], 0, -9)", lambda x: x.roll(-9, 0), [(7, 2)]),
    ("split", "part(in[0], 1, 3, 1)", lambda x: x.chunk(3, 1)[1], [(2, 6, 2)]),
    ("index_select", "tn_index_select(in[0], 1, in[1])", lambda x, i: x.index_select(1, i), [(3, 4, 2), ((7,), 0, 3)]),
    ("index_select of rows", "tn_index_select(in[0], 0, in[1])", lambda x, i: x.index_select(0, i),
     [(4, 3), ((5,), 0, 3)]),
    ("sort", "tn_sort(in[0], 1, 0)", lambda x: x.sort(1).values, [(2, 7, 3)]),
    ("sort, the largest first", "tn_sort(in[0], 0, 1)", lambda x: x.sort(0, True).values, [(9, 2)]),
    ("argsort of equals", "tn_argsort(in[0], -1, 0)", lambda x: x.sort(dim=-1, stable=True).indices, [((3, 11), -2, 2)]),
    ("pad_edge", "tn_pad_edge(in[0], -1, 2, 3)", pad("replicate", 2, 3), [(1, 2, 3)]),
    ("pad_reflect", "tn_pad_reflect(in[0], -1, 2, 1)", pad("reflect", 2, 1), [(1, 2, 3)]),
    ("pad_wrap", "tn_pad_wrap(in[0], -1, 3, 1)", pad("circular", 3, 1), [(1, 2, 3)]),
    ("diag", "tn_diag(in[0])", torch.diag, [(4,)]),
    ("diag of a matrix", "tn_diag(in[0])", torch.diag, [(5, 3)]),
    ("diag of a wide matrix", "tn_diag(in[0])", torch.diag, [(3, 5)]),
    ("eye", "tn_mul(in[0], tn_eye(tn_graph_of(in[0]), 3))", lambda x: x * torch.eye(3), [(3, 3)]),
    ("arange", "tn_mul(in[0], tn_arange(tn_graph_of(in[0]), 3, -0.5, 6))", lambda x: x * torch.arange(3, 0, -0.5),
     [(6,)]),
    ("linspace", "tn_mul(in[0], tn_linspace(tn_graph_of(in[0]), -1, 0.7, 7))", lambda x: x * torch.linspace(-1, 0.7, 7),
     [(7,)]),
    ("linspace of one", "tn_mul(in[0], tn_linspace(tn_graph_of(in[0]), 3, 5, 1))", lambda x: x * 3, [(1,)]),
    ("resize_nearest", "tn_resize_nearest(in[0], 5, 7)", resize("nearest", (5, 7)), [(1, 2, 3, 5)]),
    ("resize_nearest to less", "tn_resize_nearest(in[0], 4, 3)", resize("nearest", (4, 3)), [(2, 1, 7, 6)]),
    ("resize_nearest by whole numbers", "tn_resize_nearest(in[0], 6, 4)", resize("nearest", (6, 4)), [(1, 2, 3, 2)]),
    ("resize_bilinear", "tn_resize_bilinear(in[0], 5, 7, 0)", resize("bilinear", (5, 7), False), [(1, 2, 3, 4)]),
    ("resize_bilinear to less", "tn_resize_bilinear(in[0], 3, 2, 0)", resize("bilinear", (3, 2), False), [(1, 2, 7, 5)]),
    ("resize_bilinear, corners aligned", "tn_resize_bilinear(in[0], 5, 7, 1)", resize("bilinear", (5, 7), True),
     [(2, 1, 3, 4)]),
    ("resize_bilinear to one pixel", "tn_resize_bilinear(in[0], 1, 1, 1)", resize("bilinear", (1, 1), True),
     [(2, 1, 3, 4)]),
    ("pixel_shuffle", "tn_pixel_shuffle(in[0], 2)", lambda x: F.pixel_shuffle(x, 2), [(2, 8, 2, 3)]),
    ("pixel_unshuffle", "tn_pixel_unshuffle(in[0], 3)", lambda x: F.pixel_unshuffle(x, 3), [(1, 2, 3, 6)]),
    *ND,
    *SECOND,
    ("window", WINDOW % 2, lambda x: x[2:5], [((6, 2), 0, 50)]),
    ("window beyond the end", WINDOW % 9, lambda x: x[3:], [((6, 2), 0, 50)]),
]


# ---- layers: named parameters, written by the names that both sides give them ----------------------------------------
def layer(module, f=None):
    return module, f or module



class RMSNorm(torch.nn.Module):
    def __init__(self, units):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(units))

    def forward(self, x):
        return x / ((x * x).mean(-1, keepdim=True) + 2**-23).sqrt() * self.weight


def recurrent(kind):
    module = getattr(torch.nn, kind)(3, 2, batch_first=True)
    return layer(module, lambda x: module(x)[0])


class GruBefore(torch.nn.GRU):
    """Step by step: the reset before the product."""
    def forward(self, x):
        h, out = torch.zeros(len(x), self.hidden_size), []
        u, b = self.weight_hh_l0.chunk(3), self.bias_hh_l0.chunk(3)
        for t in range(x.shape[1]):
            r, z, n = (x[:, t] @ self.weight_ih_l0.T + self.bias_ih_l0).chunk(3, 1)
            r, z = torch.sigmoid(r + h @ u[0].T + b[0]), torch.sigmoid(z + h @ u[1].T + b[1])
            h = (1 - z) * torch.tanh(n + (r * h) @ u[2].T + b[2]) + z * h
            out.append(h)
        return torch.stack(out, 1)


def attend_all():
    module = torch.nn.MultiheadAttention(4, 2, batch_first=True)
    mask = torch.ones(3, 3).triu(1) != 0
    return layer(module, lambda x: module(x, x, x, attn_mask=mask)[0])


LAYERS = [
    ("linear", "tn_linear(x, \"l\", .units = 2)", layer(torch.nn.Linear(4, 2)), (3, 4)),
    ("conv2d", "tn_conv2d(x, \"l\", .filters = 2, .kernel = {3, 2}, .stride = {2, 1}, .pad = {1, 0})",
     layer(torch.nn.Conv2d(2, 2, (3, 2), (2, 1), (1, 0))), (1, 2, 5, 3)),
    ("conv2d_transpose", "tn_conv2d_transpose(x, \"l\", .filters = 2, .kernel = {3, 2}, .stride = {2}, .pad = {1, 0}, "
     ".more = {1, 0}, .groups = 2)", layer(torch.nn.ConvTranspose2d(4, 2, (3, 2), 2, (1, 0), (1, 0), 2)), (1, 4, 3, 2)),
    ("conv1d, as pictures of height 1",
     "tn_conv2d(x, \"l\", .filters = 2, .kernel = {1, 3}, .stride = {1, 2}, .dilation = {1, 2}, .pad = {0, 1})",
     layer(torch.nn.Conv2d(3, 2, (1, 3), (1, 2), (0, 1), (1, 2))), (2, 3, 1, 7)),
    ("batch_norm", "tn_batch_norm(x, \"l\", .training = 1)", layer(torch.nn.BatchNorm1d(3)), (4, 3, 2)),
    ("layer_norm", "tn_layer_norm(x, \"l\")", layer(torch.nn.LayerNorm(5)), (3, 5)),
    ("group_norm", "tn_group_norm(x, \"l\", 2)", layer(torch.nn.GroupNorm(2, 4)), (2, 4, 3)),
    ("rms_norm", "tn_rms_norm(x, \"l\")", layer(RMSNorm(5)), (3, 5)),
    ("rnn", "tn_recurrent(x, \"l\", NULL, .kind = TN_RNN, .units = 2)", recurrent("RNN"), (2, 4, 3)),
    ("lstm", "tn_recurrent(x, \"l\", NULL, .kind = TN_LSTM, .units = 2)", recurrent("LSTM"), (2, 4, 3)),
    ("gru", "tn_recurrent(x, \"l\", NULL, .kind = TN_GRU, .units = 2)", recurrent("GRU"), (2, 4, 3)),
    ("gru, reset before the product", "tn_recurrent(x, \"l\", NULL, .kind = TN_GRU_BEFORE, .units = 2)",
     layer(GruBefore(3, 2, batch_first=True)), (2, 4, 3)),
    ("self-attention", "tn_self_attention(x, \"l\", 2, 1)", attend_all(), (2, 3, 4)),
]


# ---- writing ---------------------------------------------------------------------------------------------------------
def numbers(tensors):
    return ", ".join(repr(float(v)) for t in tensors for v in t.reshape(-1))


def described(shape):
    whole = bool(shape) and isinstance(shape[0], tuple)
    dims, low, high = shape if whole else (shape, 0, 0)
    return "{%d, {%d, {%s}}, %d, %d}" % (whole, len(dims), ", ".join(map(str, dims)), low, high)


def back(y, leaves):
    total = (y.reshape(-1) * factors(y.numel())).sum()
    return torch.autograd.grad(total, leaves) if leaves and y.is_floating_point() and y.requires_grad else []


def operators():
    for name, call, f, shapes in OPERATORS:
        inputs = []
        for number, shape in enumerate(shapes):
            whole = isinstance(shape[0], tuple)
            x = operand(number, shape[0], shape[1:]) if whole else operand(number, shape).requires_grad_()
            inputs.append(x)
        y = f(*inputs)
        grads = back(y, [x for x in inputs if x.requires_grad])
        text = ", ".join(map(described, shapes))
        print(f'OPERATOR("{name}", {call},\n         OPERANDS({text}),\n         VALUES({numbers([y, *grads])}))')


def layers():
    for name, call, (module, f), shape in LAYERS:
        x = operand(0, shape).requires_grad_()
        named = list(module.named_parameters())
        with torch.no_grad():
            for number, (_, parameter) in enumerate(named):
                parameter.copy_(operand(number + 1, parameter.shape) / 2)
        y = f(x)
        grads = back(y, [x] + [parameter for _, parameter in named])
        text = ", ".join('{"l.%s", %s}' % (key, described(tuple(parameter.shape))) for key, parameter in named)
        print(f'LAYER("{name}", {call},\n      OPERANDS({described(shape)}),\n      PARAMETERS({text}),')
        print(f"      VALUES({numbers([y, *grads])}))")


print("/* golden_torch.inc: written by golden_torch.py. */\n#ifdef OPERATOR")
operators()
print("#endif\n#ifdef LAYER")
layers()
print("#endif")
