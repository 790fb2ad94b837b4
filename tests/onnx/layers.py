"""layers.py: for draw.py, what layers of ONNX may be given: convolution, pooling, pictures in another size, recurrent
layers, attention, quantised numbers, signals."""

import math

import operators

# ---- windows ----


def window(c, shape, kernel, dilates=True, ceils=False):
    axes = len(kernel)
    dilations = [c.size(1, 2) for _ in kernel] if dilates and c.has("dilations") and c.maybe(0.3) else [1] * axes
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilations)]
    for i in range(axes):
        shape[i + 2] = max(shape[i + 2], reach[i] + c.size(0, 4))
    if max(dilations) > 1 or c.maybe(0.2):
        c.set("dilations", dilations)
    strides = [c.size(1, 3) for _ in kernel] if c.maybe(0.6) else [1] * axes
    c.set("strides", strides) if max(strides) > 1 else None
    how = c.pick("pads", "pads", "pads", "SAME_UPPER", "SAME_LOWER", "VALID", "")
    if how == "pads":
        c.set("pads", [c.size(0, min(2, (k - 1) // 2 if c.operator.endswith("Pool") else k - 1)) for k in kernel * 2])
    elif how and (
        not c.operator.endswith("Pool") or max(d * s for d, s in zip(dilations, strides)) == 1 or how == "VALID"
    ):  # else negative padding, which some cut off and others don't
        c.set("auto_pad", how)
    if ceils and how in ("", "pads"):
        c.sometimes("ceil_mode", lambda: 1, 0.4)
    return shape


def convolution(c):
    shape, groups = operators.pictures(c), c.pick(1, 1, 2, 3)
    per, out = c.size(1, 3), c.size(1, 3)
    if c.maybe(0.2):
        per = out = 1
    shape[1] = groups * per
    kernel = [c.size(1, 3) for _ in shape[2:]]
    window(c, shape, kernel)
    if groups > 1 or c.maybe(0.3):
        c.set("group", groups)
    c.sometimes("kernel_shape", lambda: kernel)
    c.feed(c.array(shape)).weight(c.array([groups * out, per, *kernel]))
    return c.weight(c.array([groups * out])) if c.maybe(0.6) else c


def transposed(c):
    shape, groups = operators.pictures(c, c.size(1, 3)), c.pick(1, 1, 2)
    shape[2:] = [min(d, 5) for d in shape[2:]]
    per, out = c.size(1, 3), c.size(1, 3)
    shape[1] = groups * per
    kernel = [c.size(1, 3) for _ in shape[2:]]
    strides = [c.size(1, 3) for _ in kernel]
    c.set("strides", strides)
    how = c.pick("pads", "pads", "", "SAME_UPPER", "SAME_LOWER", "shape")
    if how == "pads":
        c.set("pads", [c.size(0, k // 2) for k in kernel * 2])
    elif how == "shape":
        c.set("output_shape", [d * s + c.size(0, s - 1) for d, s in zip(shape[2:], strides)])
    elif how:
        c.set("auto_pad", how)
    if how in ("", "pads"):
        c.sometimes("output_padding", lambda: [c.size(0, s - 1) for s in strides], 0.4)
        c.sometimes("dilations", lambda: [c.size(1, 2) for _ in kernel], 0.3)
    if groups > 1:
        c.set("group", groups)
    c.feed(c.array(shape)).weight(c.array([groups * per, out, *kernel]))
    return c.weight(c.array([groups * out])) if c.maybe(0.6) else c


def pool(c):
    shape = operators.pictures(c)
    kernel = [c.size(1, 3) for _ in shape[2:]]
    window(c, shape, kernel, ceils=True)
    c.set("kernel_shape", kernel)
    kind = c.allowed("f4 f4 f8 u1 i1" if c.operator == "MaxPool" else "f4")
    c.sometimes("count_include_pad", lambda: c.size(0, 1)).sometimes("p", lambda: c.size(1, 3))
    if c.operator == "MaxPool" and c.maybe(0.4):
        c.outputs = [True, True]
        kind = "f4"
        c.sometimes("storage_order", lambda: c.size(0, 1), 0.3)
    return c.feed(c.array(shape, kind))


def whole_picture(c):
    return c.feed(c.array(operators.pictures(c))).sometimes("p", lambda: c.size(1, 3))


def resize(c):
    shape, mode = operators.pictures(c, c.size(1, 2)), c.pick("nearest", "linear", "linear", "cubic")
    if mode == "cubic":
        shape = operators.pictures(c, 2)
    shape[2:] = [c.size(2, 8) for _ in shape[2:]]
    c.set("mode", mode).feed(c.array(shape))
    if c.opset < 11:
        return c.feed(c.np.array([1, 1] + [c.r.choice([0.5, 1.5, 2, 3]) for _ in shape[2:]], "f4"), 0.5)
    ways = ["half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"]
    ways += ["tf_half_pixel_for_nn"] if c.opset < 13 else []
    ways += ["half_pixel_symmetric"] if c.opset >= 19 and mode != "nearest" else []  # places in the middle of two
    way = c.r.choice(ways)
    if way != "half_pixel" or c.maybe():
        c.set("coordinate_transformation_mode", way)
    if mode == "nearest":
        c.sometimes("nearest_mode", lambda: c.pick("round_prefer_floor", "round_prefer_ceil", "floor", "ceil"), 0.7)
    if mode == "cubic":
        c.sometimes("cubic_coeff_a", lambda: -0.5).sometimes("exclude_outside", lambda: c.size(0, 1))
    if mode != "nearest" and way != "align_corners":
        c.sometimes("antialias", lambda: c.size(0, 1), 0.4)
    c.absent()
    axes = c.opset >= 18 and c.maybe(0.3)
    if axes:
        c.set("axes", list(range(2, len(shape))))
    some = shape[2:] if axes else shape
    lead = [] if axes else [1, 1]
    if way != "align_corners" and c.maybe():  # of a size that is not whole there are two readings
        return c.feed(c.np.array(lead + [c.pick(0.5, 0.6, 1.5, 2, 2.3, 3) for _ in shape[2:]], "f4"), 0.5)
    c.feed(c.np.array([], "f4"), 1) if c.opset < 13 else c.absent()
    sizes = some[: len(lead)] + [c.size(1, 12) for _ in shape[2:]]
    if c.opset >= 18 and axes and way != "align_corners":
        c.sometimes("keep_aspect_ratio_policy", lambda: c.pick("stretch", "not_larger", "not_smaller"))
    return c.feed(c.np.array(sizes, "i8"), 0.5)


def upsample(c):
    shape = operators.pictures(c, 2)
    shape[2:] = [min(d, 5) for d in shape[2:]]
    c.set("mode", c.pick("nearest", "linear")).feed(c.array(shape))
    return c.known("scales", c.np.array([1, 1, c.pick(1, 1.5, 2, 3), c.pick(1, 2, 2.5)], "f4"), 1)


def grid(c):
    axes = 2 if c.opset < 20 or c.maybe(0.7) else 3
    shape = [c.size(1, 2), c.size(1, 3)] + [c.size(2, 5) for _ in range(axes)]
    modes = ("bilinear", "nearest", "bicubic") if c.opset < 20 else ("linear", "nearest", "cubic")
    c.set("mode", c.pick(*modes[: 3 if axes == 2 else 2]))
    c.sometimes("padding_mode", lambda: c.pick("zeros", "border", "reflection")).sometimes(
        "align_corners", lambda: c.size(0, 1)
    )
    return c.feed(c.array(shape)).feed(
        c.array([shape[0]] + [c.size(1, 4) for _ in range(axes)] + [axes], "f4", -1.4, 1.4)
    )


def affine_grid(c):
    axes = c.size(2, 3)
    sizes = [c.size(1, 2), c.size(1, 3)] + [c.size(2, 4) for _ in range(axes)]
    c.feed(c.array([sizes[0], axes, axes + 1])).feed(c.np.array(sizes, "i8"), 0.5)
    return c.sometimes("align_corners", lambda: c.size(0, 1))


def regions(c):
    shape, boxes = [c.size(1, 2), c.size(1, 3), c.size(4, 9), c.size(4, 9)], c.size(1, 4)
    corner = c.n.uniform(0, 5, (boxes, 2))
    rois = c.np.concatenate([corner, corner + c.n.uniform(0.5, 6, (boxes, 2))], -1).astype("f4")
    c.feed(c.array(shape))
    if c.operator == "MaxRoiPool":
        rois = c.np.concatenate([c.n.integers(0, shape[0], (boxes, 1)), c.np.round(rois)], -1).astype("f4")
        return c.set("pooled_shape", [c.size(1, 3), c.size(1, 3)]).feed(rois).sometimes("spatial_scale", lambda: 0.7)
    c.feed(rois).feed(c.n.integers(0, shape[0], boxes).astype("i8"))
    c.sometimes("output_height", lambda: c.size(1, 3)).sometimes("output_width", lambda: c.size(1, 3))
    c.sometimes("sampling_ratio", lambda: c.size(0, 3)).sometimes("spatial_scale", lambda: c.r.uniform(0.5, 1.5))
    c.sometimes("mode", lambda: "avg", 0.3)
    return c.sometimes("coordinate_transformation_mode", lambda: c.pick("half_pixel", "output_half_pixel"))


def columns(c):
    image, block = [c.size(3, 6), c.size(3, 6)], [c.size(1, 3), c.size(1, 3)]
    strides, pads = [c.size(1, 2), c.size(1, 2)], [c.size(0, 1) for _ in range(4)]
    places = [(d + pads[i] + pads[i + 2] - k) // s + 1 for i, (d, k, s) in enumerate(zip(image, block, strides))]
    c.set("strides", strides).set("pads", pads).feed(
        c.array([c.size(1, 2), c.size(1, 2) * block[0] * block[1], math.prod(places)])
    )
    return c.feed(c.np.array(image, "i8"), 0.5).feed(c.np.array(block, "i8"), 0.5)


# ---- sequences ----


def recurrent(c):
    gates = {"RNN": 1, "GRU": 3, "LSTM": 4}[c.operator]
    steps, batch, inputs, hidden = c.size(1, 4), c.size(1, 3), c.size(1, 4), c.size(1, 4)
    direction = c.pick("forward", "reverse", "bidirectional")
    both = 2 if direction == "bidirectional" else 1
    c.set("hidden_size", hidden)
    if direction != "forward" or c.maybe():
        c.set("direction", direction)
    c.sometimes("clip", lambda: c.r.uniform(0.3, 2), 0.25)
    c.sometimes("linear_before_reset", lambda: c.size(0, 1)).sometimes("input_forget", lambda: 0, 0.2)
    if c.maybe(0.3):
        per = {"RNN": 1, "GRU": 2, "LSTM": 3}[c.operator] * both
        names = [
            c.pick("Relu", "Tanh", "Sigmoid", "LeakyRelu", "HardSigmoid", "Softsign", "Elu", "Affine", "ScaledTanh")
            for _ in range(per)
        ]
        c.set("activations", names)
        if set(names) & {"LeakyRelu", "HardSigmoid", "Elu", "Affine", "ScaledTanh"}:
            c.set(
                "activation_alpha",
                [
                    c.r.uniform(0.1, 1)
                    for n in names
                    if n in ("LeakyRelu", "HardSigmoid", "Elu", "Affine", "ScaledTanh")
                ],
            )
            betas = [c.r.uniform(0.1, 1) for n in names if n in ("HardSigmoid", "Affine", "ScaledTanh")]
            c.set("activation_beta", betas) if betas else None
    c.feed(c.array([steps, batch, inputs])).weight(c.array([both, gates * hidden, inputs])).weight(
        c.array([both, gates * hidden, hidden])
    )
    c.weight(c.array([both, 2 * gates * hidden])) if c.maybe(0.7) else c.absent()
    c.feed(c.n.integers(1, steps + 1, batch).astype("i4")) if c.maybe(0.3) else c.absent()
    for _ in range(2 if c.operator == "LSTM" else 1):
        c.feed(c.array([both, batch, hidden])) if c.maybe() else c.absent()
    if c.operator == "LSTM" and c.maybe(0.4):
        c.weight(c.array([both, 3 * hidden]))
    c.outputs = c.pick([True], [True, True], [False, True]) + ([True] if c.operator == "LSTM" and c.maybe() else [])
    if len(c.outputs) == 2 and c.operator == "LSTM" and c.maybe(0.5):
        c.outputs.append(True)
    while c.operands[-1] is None:
        c.operands.pop()
    return c


def attention(c):
    batch, heads, per, q, k, d, e = (
        c.size(1, 2),
        c.size(1, 2),
        c.size(1, 2),
        c.size(1, 4),
        c.size(1, 5),
        c.size(1, 3),
        c.size(1, 3),
    )
    flat, past = c.maybe(0.4), c.size(1, 3) if c.maybe(0.4) else 0
    if flat:
        c.set("q_num_heads", heads * per).set("kv_num_heads", heads)
        c.feed(c.array([batch, q, heads * per * d])).feed(c.array([batch, k, heads * d])).feed(
            c.array([batch, k, heads * e])
        )
    else:
        c.feed(c.array([batch, heads * per, q, d])).feed(c.array([batch, heads, k, d])).feed(
            c.array([batch, heads, k, e])
        )
    if c.maybe():
        mask = c.pick([q, k + past], [batch, 1, q, k + past], [batch, heads * per, q, k + past])
        c.feed(c.array(mask, c.pick("f4", "?")))
    else:
        c.absent()
    if past:
        c.feed(c.array([batch, heads, past, d])).feed(c.array([batch, heads, past, e]))
        c.outputs = [True, True, True]
    c.sometimes("is_causal", lambda: c.size(0, 1)).sometimes("scale", lambda: c.r.uniform(0.3, 1.5), 0.4)
    c.sometimes("softcap", lambda: c.r.uniform(1, 3), 0.3)
    while c.operands[-1] is None:
        c.operands.pop()
    return c


def rotary(c):
    batch, heads, steps, half, flat = c.size(1, 2), c.size(1, 3), c.size(1, 4), c.size(1, 4), c.maybe()
    c.feed(c.array([batch, steps, heads * 2 * half] if flat else [batch, heads, steps, 2 * half]))
    if flat or c.maybe(0.2):
        c.set("num_heads", heads)
    c.sometimes("interleaved", lambda: c.size(0, 1))
    turned = c.size(1, half) if c.maybe(0.3) else half
    if turned != half:
        c.set("rotary_embedding_dim", 2 * turned)
    if c.maybe():
        return (
            c.feed(c.array([8, turned]))
            .feed(c.array([8, turned]))
            .feed(c.n.integers(0, 8, (batch, steps)).astype("i8"))
        )
    return c.feed(c.array([batch, steps, turned])).feed(c.array([batch, steps, turned]))


# ---- quantised ----


def zero_of(c, kind, shape):
    return c.array(shape, kind, -20 if kind == "i1" else 0, 20 if kind == "i1" else 200)


def quantise(c):
    shape, axis = c.shape(2), None
    kind = c.pick("u1", "i1", "u1", "i1", "u2", "i2") if c.opset >= 21 else c.pick("u1", "i1")
    if c.opset >= 13 and c.maybe():
        axis = c.size(0, len(shape) - 1)
        c.set("axis", axis)
    part = [] if axis is None else [shape[axis]]
    if c.opset >= 21 and axis is not None and c.maybe(0.4):
        block = c.size(1, 3)
        shape[axis] *= block
        part = [d // block if k == axis else d for k, d in enumerate(shape)]
        c.set("block_size", block)
    if c.operator == "QuantizeLinear":
        x = c.array(shape, "f4", -30, 30)
    else:
        low = 0 if kind[0] == "u" else -120
        x = c.array(shape, kind, low, low + 250 if kind[1] == "1" and low == 0 else 120)
    c.feed(x).weight(c.array(part, "f4", 0.05, 0.4))
    if kind != "u1" and c.operator == "QuantizeLinear" or c.maybe(0.7):
        c.weight(zero_of(c, kind, part))
    return c


def dynamic(c):
    c.outputs = [True, True, True]
    return c.feed(c.array(c.shape(1), "f4", -c.size(0, 3), c.size(0, 5)))


def product_of_bytes(c):
    m, k, n, batch = c.size(), c.size(), c.size(), c.shape(0, 2, 3)
    a, b = c.allowed("u1 i1", 0), c.pick("u1", "i1")
    x = c.array(batch + [m, k], a, *((0, 255) if a == "u1" else (-120, 120)))
    w = c.array(c.pick(batch, []) + [k, n], b, *((0, 255) if b == "u1" else (-120, 120)))
    if c.operator == "MatMulInteger":
        c.feed(x).weight(w)
        if c.maybe(0.6):
            c.weight(zero_of(c, a, []))
            if c.maybe():
                c.weight(zero_of(c, b, c.pick([], [n])))
        return c
    c.feed(x).weight(c.array([], "f4", 0.01, 0.1)).weight(zero_of(c, a, []))
    columns = c.pick([], [n])
    c.weight(w).weight(c.array(columns, "f4", 0.01, 0.1)).weight(zero_of(c, b, columns))
    return c.weight(c.array([], "f4", 0.5, 4)).weight(zero_of(c, a, []))


def convolution_of_bytes(c):
    shape, groups, per, out = operators.pictures(c, 2), c.pick(1, 1, 2), c.size(1, 2), c.size(1, 3)
    shape[1] = groups * per
    kernel = [c.size(1, 3) for _ in shape[2:]]
    window(c, shape, kernel)
    if groups > 1:
        c.set("group", groups)
    a, b = "u1", "u1" if c.maybe() else "i1"
    x, w = (
        c.array(shape, a, 0, 255),
        c.array([groups * out, per, *kernel], b, *((0, 255) if b == "u1" else (-120, 120))),
    )
    if c.operator == "ConvInteger":
        c.feed(x).weight(w.astype("u1") if b == "u1" else w)
        if c.maybe(0.6):
            c.weight(zero_of(c, a, []))
            if c.maybe():
                c.weight(zero_of(c, b, []))
        return c
    by = c.pick([], [groups * out])
    c.feed(x).weight(c.array([], "f4", 0.01, 0.1)).weight(zero_of(c, a, []))
    c.weight(w).weight(c.array(by, "f4", 0.01, 0.1)).weight(zero_of(c, b, by) if b == "u1" else c.np.zeros(by, "i1"))
    c.weight(c.array([], "f4", 0.5, 4)).weight(zero_of(c, a, []))
    return c.weight(c.array([groups * out], "i4", -900, 900)) if c.maybe() else c


# ---- signals, losses ----


def transform(c):
    shape = [c.size(1, 2)] + [c.size(2, 9) for _ in range(c.size(1, 2))]
    real = c.maybe()
    axis = c.size(1, len(shape) - 1)
    c.feed(c.array(shape + [1 if real else 2]))
    if c.opset < 20:
        c.set("axis", axis)
        if c.maybe(0.4):
            c.feed(c.np.array(c.size(2, 10), "i8"), 0.5)
    else:
        c.feed(c.np.array(c.size(2, 10), "i8"), 0.5) if c.maybe(0.4) else c.absent()
        c.feed(c.np.array(axis, "i8"), 0.5)
    if real:
        return c.sometimes("onesided", lambda: c.size(0, 1))
    return c.sometimes("inverse", lambda: c.size(0, 1))


def short_transform(c):
    length = c.pick(4, 5, 8)
    c.feed(c.array([c.size(1, 2), c.size(12, 20), 1])).feed(c.np.array(c.size(1, 4), "i8"), 0.5)
    c.weight(c.array([length])).feed(c.np.array(length, "i8"), 0.5)
    return c.sometimes("onesided", lambda: c.size(0, 1))


def signal_window(c):
    c.sometimes("periodic", lambda: c.size(0, 1)).sometimes("output_datatype", lambda: c.pick(1, 11))
    return c.feed(c.np.array(c.size(2, 12), "i8"), 0.5)


def mel(c):
    c.feed(c.np.array(c.size(2, 6), "i8"), 0.5).feed(c.np.array(c.pick(16, 32, 64), "i8"), 0.5)
    c.feed(c.np.array(c.pick(4000, 8192), "i8"), 0.5)
    return c.feed(c.np.array(c.r.uniform(0, 300), "f4"), 0.5).feed(c.np.array(c.r.uniform(900, 2000), "f4"), 0.5)


def loss(c):
    shape = [c.size(1, 4), c.size(2, 5)] + [c.size(1, 3) for _ in range(c.size(0, 2))]
    target = c.n.integers(0, shape[1], tuple(shape[:1] + shape[2:])).astype(c.pick("i4", "i8"))
    c.sometimes("reduction", lambda: c.pick("mean", "sum", "none")).sometimes(
        "ignore_index", lambda: c.pick(0, 1, -100)
    )
    if c.operator == "SoftmaxCrossEntropyLoss" and c.maybe():
        c.outputs = [True, True]
    c.feed(c.array(shape)).feed(target)
    return c.weight(c.array(shape[1:2], "f4", 0.2, 2)) if c.maybe() else c
