"""shapes.py: for draw.py, what operators that move, find and place elements may be given."""

import math

# ---- shapes ----


def reshape(c):
    shape = c.shape(1)
    count, to = math.prod(shape), []
    while count > 1 and len(to) < 4:
        d = c.r.choice([d for d in range(1, count + 1) if count % d == 0])
        to.append(d)
        count //= d
    to.append(count)
    if c.maybe():
        to[c.size(0, len(to) - 1)] = -1
    if c.maybe(0.3) and to[0] == shape[0]:
        to[0] = 0
    return c.feed(c.array(shape, c.pick("f4", "i8"))).feed(c.np.array(to, "i8"), 0.5)


def flatten(c):
    shape = c.shape(1)
    return c.feed(c.array(shape)).sometimes("axis", lambda: c.size(0, len(shape)))


def squeeze(c):
    shape = [1 if c.maybe() else d for d in c.shape(1)]
    c.feed(c.array(shape))
    ones = [d - (len(shape) if c.maybe(0.3) and c.opset >= 11 else 0) for d, s in enumerate(shape) if s == 1]
    return c.known("axes", c.np.array(ones, "i8"), 1) if c.maybe(0.7) and ones else c


def unsqueeze(c):
    shape = c.shape(0, 3)
    rank = len(shape) + c.size(1, 2)
    axes = c.r.sample(range(rank), rank - len(shape))
    return c.feed(c.array(shape)).known(
        "axes", c.np.array([a - (rank if c.maybe(0.3) and c.opset >= 11 else 0) for a in axes], "i8"), 1
    )


def transpose(c):
    shape = c.shape(1, 5)
    return c.feed(c.array(shape, c.pick("f4", "i4"))).sometimes(
        "perm", lambda: c.r.sample(range(len(shape)), len(shape)), 0.8
    )


def concat(c):
    shape, kind = c.shape(1), c.pick("f4", "f4", "i8")
    axis = c.size(0, len(shape) - 1)
    for _ in range(c.size(1, 4)):
        shape[axis] = c.size(1, 4)
        c.feed(c.array(shape, kind))
    return c.set("axis", axis - (len(shape) if c.maybe(0.3) and c.opset >= 11 else 0))


def split(c):
    shape = c.shape(1)
    axis, parts = c.size(0, len(shape) - 1), c.size(1, 3)
    c.outputs = [True] * parts
    c.set("axis", axis)
    if c.maybe():
        sizes = [c.size(1, 3) for _ in range(parts)]
        shape[axis] = sum(sizes)
        return c.feed(c.array(shape)).known("split", c.np.array(sizes, "i8"), 1)
    shape[axis] = parts * c.size(1, 3)
    return c.feed(c.array(shape)).set("num_outputs", parts)


def cut(c):
    shape = c.shape(1)
    count = c.size(1, len(shape))
    axes = sorted(c.r.sample(range(len(shape)), count))
    starts = [c.r.randint(-7, 7) for _ in axes]
    ends = [c.pick(2**31 - 1, c.r.randint(-7, 7), c.r.randint(0, 7)) for _ in axes]
    c.feed(c.array(shape))
    kind = c.pick("i4", "i8")
    c.known("starts", c.np.array(starts, kind), 1).known("ends", c.np.array(ends, kind), 2)
    if axes != list(range(count)) or c.maybe():
        axes = [a - (len(shape) if c.maybe(0.3) and c.opset >= 10 else 0) for a in axes]
        c.known("axes", c.np.array(axes, kind), 3)
        if c.opset >= 10 and c.maybe():
            steps = [c.pick(1, 2, 3) if end > 9 else c.pick(1, 2, 3, -1, -2) for end in ends]
            c.feed(c.np.array(steps, kind), 0.5)
    return c


def pad(c):
    shape, mode = [c.size(2, 5) for _ in range(c.size(1, 4))], c.pick("constant", "constant", "edge", "reflect", "wrap")
    if c.opset < 19 and mode == "wrap":
        mode = "edge"
    axes = sorted(c.r.sample(range(len(shape)), c.size(1, len(shape)))) if c.opset >= 18 and c.maybe(0.4) else None
    used = axes or range(len(shape))
    low = -1 if mode == "constant" and c.maybe(0.4) else 0
    pads = [c.r.randint(low, shape[a] - 1 if mode == "reflect" else 3) for a in [*used, *used]]
    c.set("mode", mode) if mode != "constant" or c.maybe() else None
    c.feed(c.array(shape)).known("pads", c.np.array(pads, "i8"), 1)
    if c.opset < 11:
        return c.sometimes("value", lambda: c.r.uniform(-2, 2)) if mode == "constant" else c
    if mode == "constant" and c.maybe():
        c.feed(c.np.array(c.r.uniform(-2, 2), "f4"), 0.5)
    elif axes:
        c.absent()
    return c.feed(c.np.array([a - (len(shape) if c.maybe(0.3) else 0) for a in axes], "i8"), 0.5) if axes else c


def tile(c):
    shape = c.shape(1)
    return c.feed(c.array(shape)).feed(c.np.array([c.size(1, 3) for _ in shape], "i8"), 0.5)


def expand(c):
    shape = c.shape(1)
    return c.feed(c.array(c.broad(shape))).feed(c.np.array([1 if c.maybe(0.2) else d for d in shape], "i8"), 0.5)


def blocks(c):
    r, shape = c.size(1, 3), [c.size(1, 2), c.size(1, 3), c.size(1, 4), c.size(1, 4)]
    if c.operator == "DepthToSpace":
        shape[1] *= r * r
        c.sometimes("mode", lambda: c.pick("DCR", "CRD"))
    else:
        shape[2] *= r
        shape[3] *= r
    return c.set("blocksize", r).feed(c.array(shape))


def triangle(c):
    c.feed(c.array(c.shape(2), c.pick("f4", "i8"))).sometimes("upper", lambda: c.size(0, 1))
    return c.feed(c.np.array(c.r.randint(-4, 4), "i8"), 0.5) if c.maybe(0.7) else c


def reversed_parts(c):
    shape = c.shape(2)
    batch = c.size(0, 1)
    lengths = c.n.integers(1, shape[1 - batch] + 1, shape[batch]).astype("i8")
    return c.set("batch_axis", batch).set("time_axis", 1 - batch).feed(c.array(shape)).feed(lengths)


def crop(c):
    shape = c.shape(1)
    c.feed(c.array(shape))
    axes = sorted(c.r.sample(range(len(shape)), c.size(1, len(shape)))) if c.maybe() else None
    if axes:
        c.set("axes", axes)
    return c.feed(c.np.array([c.size(1, 8) for _ in axes or shape], "i8"), 0.5)


def filled(c):
    kind = c.pick("f4", "i8", "i4", "?")
    value = c.onnx.numpy_helper.from_array(c.array([1], kind))
    return c.sometimes("value", lambda: value, 0.8).feed(c.np.array(c.shape(0), "i8"), 0.5)


def counted(c):
    kind = c.allowed("f4 i4 i8")
    step = c.pick(1, 2, -1, 3) if kind[0] == "i" else c.pick(0.5, 1, -0.75, 0.3)
    return (
        c.feed(c.np.array(c.size(-4, 4), kind), 0.5)
        .feed(c.np.array(c.size(-9, 9), kind), 0.5)
        .feed(c.np.array(step, kind), 0.5)
    )


def eye(c):
    c.sometimes("k", lambda: c.r.randint(-3, 3)).sometimes("dtype", lambda: c.pick(1, 6, 7, 9, 11))
    return c.feed(c.array([c.size(), c.size()], c.pick("f4", "i4")))


def shape_of(c):
    shape = c.shape(0)
    if c.operator == "Shape" and c.has("start"):
        c.sometimes("start", lambda: c.r.randint(-5, 5)).sometimes("end", lambda: c.r.randint(-5, 5))
    return c.feed(c.array(shape, c.pick("f4", "i4", "?")))


# ---- places ----


def places(c, shape, size):
    low = -size if c.opset >= 11 and c.maybe() else 0
    return c.n.integers(low, size, tuple(shape)).astype(c.pick("i4", "i8"))


def gather(c):
    shape = c.shape(1)
    axis = c.size(0, len(shape) - 1)
    c.feed(c.array(shape, c.pick("f4", "i8"))).feed(places(c, c.shape(0, 2), shape[axis]))
    return c.set("axis", axis - (len(shape) if c.maybe(0.3) and c.opset >= 11 else 0)) if axis or c.maybe() else c


def gather_elements(c):
    shape = c.shape(1)
    axis = c.size(0, len(shape) - 1)
    by = [c.size(1, d) for d in shape]
    by[axis] = c.size(1, 6)
    return c.set("axis", axis).feed(c.array(shape)).feed(places(c, by, shape[axis]))


def gather_nd(c):
    shape = c.shape(2)
    batch = c.size(0, 1) if c.opset >= 12 else 0
    depth = c.size(1, len(shape) - batch)
    lead = shape[:batch] + c.shape(0 if batch else 1, 2, 3)
    index = c.np.stack(
        [c.n.integers(-d if c.maybe(0.3) else 0, d, tuple(lead)) for d in shape[batch : batch + depth]], -1
    )
    if batch:
        c.set("batch_dims", batch)
    return c.feed(c.array(shape)).feed(index.astype("i8"))


def scatter_elements(c):
    shape = c.shape(1)
    axis = c.size(0, len(shape) - 1)
    by = [c.size(1, d) for d in shape]
    reduce = c.pick("none", "add", "mul", "max", "min") if c.has("reduction") else "none"
    if c.opset < 18 and reduce in ("max", "min"):
        reduce = "add"
    kind = c.pick("f4", "f4", "i4")
    order = c.n.permuted(c.np.broadcast_to(c.np.arange(shape[axis]), (math.prod(by) // by[axis], shape[axis])), axis=1)
    index = c.np.moveaxis(
        order[:, : by[axis]].reshape([d for k, d in enumerate(by) if k != axis] + [by[axis]]), -1, axis
    )
    if reduce != "none":
        index = places(c, by, shape[axis])
        c.set("reduction", reduce)
    c.set("axis", axis) if axis or c.maybe() else None
    return c.feed(c.array(shape, kind)).feed(index.astype("i8")).feed(c.array(by, kind))


def scatter_nd(c):
    shape = c.shape(1)
    depth = c.size(1, len(shape))
    reduce = c.pick("none", "add", "mul", "max", "min") if c.has("reduction") else "none"
    if c.opset < 18 and reduce in ("max", "min"):
        reduce = "add"
    all_places = c.n.permutation(math.prod(shape[:depth]))[: c.size(1, 5)]
    if reduce != "none":
        all_places = c.n.integers(0, math.prod(shape[:depth]), c.size(1, 6))
        c.set("reduction", reduce)
    index = c.np.stack(c.np.unravel_index(all_places, shape[:depth]), -1).astype("i8")
    return c.feed(c.array(shape)).feed(index).feed(c.array([len(all_places)] + shape[depth:]))


def one_hot(c):
    shape, depth = c.shape(0, 3), c.size(1, 6)
    kind = c.pick("f4", "i8")
    c.feed(c.n.integers(-depth, depth, tuple(shape)).astype("i8")).feed(c.np.array(depth, "i8"), 0.5)
    return c.feed(c.array([2], kind)).sometimes("axis", lambda: c.r.randint(-len(shape) - 1, len(shape)))


def top(c):
    shape = c.shape(1)
    axis = c.size(0, len(shape) - 1)
    x = c.np.arange(math.prod(shape), dtype="f4")
    c.n.shuffle(x)
    c.set("axis", axis).sometimes("largest", lambda: c.size(0, 1))
    c.outputs = [True, True]
    c.feed(x.reshape(shape))
    k = c.size(1, shape[axis])
    return c.set("k", k) if c.opset < 10 else c.feed(c.np.array([k], "i8"), 0.5)


def chosen(c):
    shape = c.shape(1)
    x = (
        c.array(shape, c.pick("f4", "i8"), -2, 3)
        if c.operator == "Unique"
        else c.array(shape, c.pick("i4", "?", "f4"), 0, 2)
    )
    if x.dtype.kind == "f":
        x = c.np.round(x)
    c.feed(x)
    if c.operator == "NonZero":
        return c
    axis = c.size(0, len(shape) - 1)
    whole = c.maybe()
    if not whole:
        c.set("axis", axis)
    if c.operator == "Compress":
        return c.feed(c.array([c.size(1, math.prod(shape) if whole else shape[axis])], "?"))
    c.outputs = [True] * c.size(1, 4)
    return c.sometimes("sorted", lambda: c.size(0, 1))


def suppression(c):
    batch, classes, boxes = c.size(1, 2), c.size(1, 3), c.size(1, 12)
    corner, size = c.n.uniform(0, 3, (batch, boxes, 2)), c.n.uniform(0.5, 2, (batch, boxes, 2))
    centre = c.maybe(0.4)
    both = [corner, size] if centre else [corner, corner + size]
    c.feed(c.np.concatenate(both, -1).astype("f4")).feed(c.array([batch, classes, boxes], "f4", 0, 1))
    c.feed(c.np.array([c.size(0, 6)], "i8"), 0.5).feed(c.np.array([c.r.uniform(0, 0.8)], "f4"), 0.5)
    if c.maybe():
        c.feed(c.np.array([c.r.uniform(0, 0.6)], "f4"), 0.5)
    return c.set("center_point_box", 1) if centre else c
