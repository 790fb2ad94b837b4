"""nn.py: layers, losses and metrics, as functions that build graphs. Made by python/generate.py from the headers: don't edit."""
# fmt: off
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Sequence

from . import c
from ._build import op

if TYPE_CHECKING:
    from ._build import Axes, Dtype, Operand, Shape
    from .tensor import Graph, Tensor


def linear(x: Operand, name: str, *, units: Any = None, no_bias: Any = None, init: Any = None) -> Tensor:
    """y = x W' + b over the last dimension: (..., in) -> (..., units). linear(x, "fc1", units=100)

    units: required, at least 1
    init: of the weight; None: TN_INIT_LECUN. The bias begins at zero"""
    return op("tn_linear_layer", "tzo", x, name, (c.tn_linear_options, {"units": units, "no_bias": no_bias,
                  "init": init}))


def conv2d(x: Operand, name: str, *, filters: Any = None, kernel: Any = None, stride: Any = None, pad: Any = None,
        dilation: Any = None, groups: Any = None, same: Any = None, no_bias: Any = None,
        init: Any = None) -> Tensor:
    """Convolution of (batch, channels, height, width), with parameters "conv1.weight" (filters, channels / groups, kernel)
    and "conv1.bias" (filters). conv2d(x, "conv1", filters=32, kernel=(5, 5))

    filters: required, at least 1
    kernel: required; a width of 0 is the height
    stride: 0: 1; a width of 0 is the height
    pad: of zeros on all sides; a width of 0 is none, for a kernel of one column wants that
    dilation: as the stride
    groups: 0: 1
    same: instead of `pad`: y is as large as x, divided by the stride and rounded up
    init: of the weight; None: TN_INIT_LECUN. The bias begins at zero"""
    return op("tn_conv2d_layer", "tzo", x, name, (c.tn_conv2d_options, {"filters": filters, "kernel": kernel,
                  "stride": stride, "pad": pad, "dilation": dilation, "groups": groups, "same": same,
                  "no_bias": no_bias, "init": init}))


def conv2d_transpose(x: Operand, name: str, *, filters: Any = None, kernel: Any = None, stride: Any = None,
        pad: Any = None, more: Any = None, dilation: Any = None, groups: Any = None, no_bias: Any = None,
        init: Any = None) -> Tensor:
    """Transposed convolution (Zeiler and others, 2010), which leads back from the size of a convolution's result to that of
    its operand, with parameters "NAME.weight" (channels of x, filters / groups, kernel) and "NAME.bias" (filters).
    conv2d_transpose(x, "up1", filters=32, kernel=(2), stride=(2)) doubles height and width.

    filters: channels of y; required, at least 1
    kernel: required; a width of 0 is the height, as of stride and dilation
    stride: 0: 1
    pad: rows and columns that are left out on both sides of y; a width of 0 is none
    more: rows and columns added at the end of y: PyTorch's output_padding
    groups: 0: 1
    init: as in conv2d"""
    return op("tn_conv2d_transpose_layer", "tzo", x, name, (c.tn_conv2d_transpose_options, {"filters": filters,
                  "kernel": kernel, "stride": stride, "pad": pad, "more": more, "dilation": dilation,
                  "groups": groups, "no_bias": no_bias, "init": init}))


def conv1d(x: Operand, name: str, *, filters: Any = None, kernel: Any = None, stride: Any = None, pad: Any = None,
        more: Any = None, dilation: Any = None, groups: Any = None, same: Any = None, no_bias: Any = None,
        init: Any = None) -> Tensor:
    """Along one dimension: (batch, channels, length), with parameters "NAME.weight" (filters, channels / groups, kernel),
    transposed (channels, filters / groups, kernel), and "NAME.bias" (filters). Options are as in two dimensions.
    conv1d(x, "conv1", filters=32, kernel=5)

    filters: required, at least 1
    kernel: required
    stride: 0: 1
    more: transposed alone
    dilation: 0: 1
    groups: 0: 1
    same: not transposed"""
    return op("tn_conv1d_layer", "tzo", x, name, (c.tn_conv1d_options, {"filters": filters, "kernel": kernel,
                  "stride": stride, "pad": pad, "more": more, "dilation": dilation, "groups": groups, "same": same,
                  "no_bias": no_bias, "init": init}))


def conv1d_transpose(x: Operand, name: str, *, filters: Any = None, kernel: Any = None, stride: Any = None,
        pad: Any = None, more: Any = None, dilation: Any = None, groups: Any = None, same: Any = None,
        no_bias: Any = None, init: Any = None) -> Tensor:
    """Along one dimension: (batch, channels, length), with parameters "NAME.weight" (filters, channels / groups, kernel),
    transposed (channels, filters / groups, kernel), and "NAME.bias" (filters). Options are as in two dimensions.
    conv1d(x, "conv1", filters=32, kernel=5)

    filters: required, at least 1
    kernel: required
    stride: 0: 1
    more: transposed alone
    dilation: 0: 1
    groups: 0: 1
    same: not transposed"""
    return op("tn_conv1d_transpose_layer", "tzo", x, name, (c.tn_conv1d_options, {"filters": filters,
                  "kernel": kernel, "stride": stride, "pad": pad, "more": more, "dilation": dilation,
                  "groups": groups, "same": same, "no_bias": no_bias, "init": init}))


def maxpool1d(x: Operand, *, window: Any = None, stride: Any = None, pad: Any = None, ceil_mode: Any = None,
        count_pad: Any = None) -> Tensor:
    """Pooling of (batch, channels, length); the window is required. maxpool1d(x, window=2)

    stride: 0: as the window
    ceil_mode: these two as in pool_options"""
    return op("tn_maxpool1d_with", "to", x, (c.tn_pool1d_options, {"window": window, "stride": stride, "pad": pad,
                  "ceil_mode": ceil_mode, "count_pad": count_pad}))


def avgpool1d(x: Operand, *, window: Any = None, stride: Any = None, pad: Any = None, ceil_mode: Any = None,
        count_pad: Any = None) -> Tensor:
    """Pooling of (batch, channels, length); the window is required. maxpool1d(x, window=2)

    stride: 0: as the window
    ceil_mode: these two as in pool_options"""
    return op("tn_avgpool1d_with", "to", x, (c.tn_pool1d_options, {"window": window, "stride": stride, "pad": pad,
                  "ceil_mode": ceil_mode, "count_pad": count_pad}))


def adaptive_avgpool1d(x: Operand, length: int) -> Tensor:
    """Pooling of (batch, channels, length); the window is required. maxpool1d(x, window=2)"""
    return op("tn_adaptive_avgpool1d", "ti", x, length)


def batch_norm(x: Operand, name: str, *, training: Any = None, momentum: Any = None, epsilon: Any = None,
        sync: Any = None) -> Tensor:
    """Normalisation, with PyTorch's names, shapes and semantics; x is (batch, channels, ...) where channels count. Zero
    options mean the usual value, and TN_ZERO as an epsilon 0. Batch normalisation (Ioffe and Szegedy, 2015) takes the
    batch's own mean and variance in training, and moves "running_mean" and "running_var" (unbiased) towards them, each
    use of the layer in turn where a graph has several; otherwise it takes these. Where a training cuts its batches into
    shards (fit.h), each shard is a batch of its own, unless `sync` asks for the whole batch's mean and variance.

    momentum: share of the new batch in the running statistics: 0.1
    epsilon: 1e-5
    sync: over all shards of the batch, as PyTorch's SyncBatchNorm; no difference where there are none"""
    return op("tn_batch_norm_layer", "tzo", x, name, (c.tn_batch_norm_options, {"training": training,
                  "momentum": momentum, "epsilon": epsilon, "sync": sync}))


def layer_norm(x: Operand, *, name: Any = None, epsilon: Any = None) -> Tensor:
    """Over the last dimension (Ba, Kiros and Hinton, 2016); without mean and bias (Zhang and Sennrich, 2019).
    layer_norm(x, "ln1") or layer_norm(x, "ln1", epsilon=1e-6)

    epsilon: added to the variance, or the mean square: 1e-5; rms_norm: 2^-23, the distance of 1 from the next f32"""
    return op("tn_layer_norm_layer", "to", x, (c.tn_norm_options, {"name": name, "epsilon": epsilon}))


def rms_norm(x: Operand, *, name: Any = None, epsilon: Any = None) -> Tensor:
    """Over the last dimension (Ba, Kiros and Hinton, 2016); without mean and bias (Zhang and Sennrich, 2019).
    layer_norm(x, "ln1") or layer_norm(x, "ln1", epsilon=1e-6)

    epsilon: added to the variance, or the mean square: 1e-5; rms_norm: 2^-23, the distance of 1 from the next f32"""
    return op("tn_rms_norm_layer", "to", x, (c.tn_norm_options, {"name": name, "epsilon": epsilon}))


def instance_norm(x: Operand, *, name: Any = None, epsilon: Any = None) -> Tensor:
    """Each channel of each sample by itself (Ulyanov, Vedaldi and Lempitsky, 2016); a None name means without scale and
    shift, as PyTorch does it unless told otherwise.

    epsilon: added to the variance, or the mean square: 1e-5; rms_norm: 2^-23, the distance of 1 from the next f32"""
    return op("tn_instance_norm_layer", "to", x, (c.tn_norm_options, {"name": name, "epsilon": epsilon}))


def group_norm(x: Operand, name: str, *, groups: Any = None, epsilon: Any = None) -> Tensor:
    """Over each of some groups of channels (Wu and He, 2018). group_norm(x, "gn1", 8)

    groups: required; they divide the channels
    epsilon: 1e-5"""
    return op("tn_group_norm_layer", "tzo", x, name, (c.tn_group_norm_options, {"groups": groups,
                  "epsilon": epsilon}))


def prelu(x: Operand, name: str, each_channel: bool = False) -> Tensor:
    """x, or x times a trainable slope, "NAME.weight" (1), when negative; with `each_channel` (channels). It begins at 0.25.
    He, Zhang, Ren and Sun, 2015."""
    return op("tn_prelu", "tzb", x, name, each_channel)


def dropout_channels(x: Operand, rate: float) -> Tensor:
    """Dropout of whole channels of each sample, (batch, channels, ...): Tompson and others, 2015. 0 <= rate < 1."""
    return op("tn_dropout_channels", "tf", x, rate)


def random_flip(x: Operand) -> Tensor:
    """Images (batch, channels, height, width), half of them mirrored left to right; and shifted by -pad..pad rows and
    columns, zeros coming in, which is to pad them on all sides and crop them to their size again. pad <= 2^20."""
    return op("tn_random_flip", "t", x)


def random_crop(x: Operand, pad: int) -> Tensor:
    """Images (batch, channels, height, width), half of them mirrored left to right; and shifted by -pad..pad rows and
    columns, zeros coming in, which is to pad them on all sides and crop them to their size again. pad <= 2^20."""
    return op("tn_random_crop", "ti", x, pad)


def embedding(index: Operand, name: str, count: int, units: int) -> Tensor:
    """Rows of a trainable table, "NAME.weight" (count, units), from N(0, 1): i32 (...) -> (..., units). A number outside
    gives zeros."""
    return op("tn_embedding", "tzii", index, name, count, units)


def embedding_padded(index: Operand, name: str, count: int, units: int, padding: int) -> Tensor:
    """The same, but row `padding`, one of them, begins with zeros and gets no gradient: PyTorch's padding_idx. What a file
    has in that row is kept and given as it is, as PyTorch does it."""
    return op("tn_embedding_padded", "tziii", index, name, count, units, padding)


def multihead_attention(x: Operand, name: str, *, heads: Any = None, memory: Any = None, mask: Any = None,
        causal: Any = None, dropout: Any = None) -> Tensor:
    """Attention with several heads of x (batch, steps, width) to itself or to a memory, with PyTorch's names:
    "NAME.in_proj_weight" (3 width, width) and "in_proj_bias" for queries, keys and values, "NAME.out_proj.weight" and
    ".bias". multihead_attention(x, "attention", heads=4, causal=1)

    heads: required; they divide the width
    memory: (batch, keys, width): what to look at; None: x
    mask: (batch, keys): not 0 where there is a key, 0 for padding; None: all. A query that sees no key gets zeros
    causal: step i sees the keys 0..i alone
    dropout: rate for the weights of keys; leave it 0 in a graph that evaluates"""
    return op("tn_multihead_attention_layer", "tzo", x, name, (c.tn_attention_options, {"heads": heads,
                  "memory": memory, "mask": mask, "causal": causal, "dropout": dropout}))


def self_attention(x: Operand, name: str, heads: int, causal: bool = False) -> Tensor:
    """Attention with several heads of x (batch, steps, width) to itself or to a memory, with PyTorch's names:
    "NAME.in_proj_weight" (3 width, width) and "in_proj_bias" for queries, keys and values, "NAME.out_proj.weight" and
    ".bias". multihead_attention(x, "attention", heads=4, causal=1)"""
    return op("tn_self_attention", "tzib", x, name, heads, causal)


def transformer(x: Operand, name: str, *, heads: Any = None, hidden: Any = None, memory: Any = None,
        mask: Any = None, memory_mask: Any = None, causal: Any = None, norm_last: Any = None, relu: Any = None,
        dropout: Any = None, epsilon: Any = None) -> Tensor:
    """A transformer's layer over x (batch, steps, width): attention to itself; to a memory, if there is one; and two linear
    layers. Names are those of PyTorch's TransformerEncoderLayer and, with a memory, TransformerDecoderLayer:
    "self_attn", "multihead_attn", "linear1", "linear2", "norm1" and so on. Normalisation stands before each part (Xiong
    and others, 2020) and the activation is gelu, unless told otherwise.

    heads: required
    hidden: units between the linear layers; 0: 4 width
    memory: (batch, keys, width), of an encoder; None: none
    mask: as of attention_options: of x, and of the memory
    memory_mask: as of attention_options: of x, and of the memory
    causal: for x
    norm_last: after each part, as in Vaswani and others, 2017, and PyTorch's norm_first=False
    relu: instead of gelu
    dropout: rate, where PyTorch has it; leave it 0 in a graph that evaluates
    epsilon: of the normalisations, as in norm_options"""
    return op("tn_transformer_layer", "tzo", x, name, (c.tn_transformer_options, {"heads": heads, "hidden": hidden,
                  "memory": memory, "mask": mask, "memory_mask": memory_mask, "causal": causal,
                  "norm_last": norm_last, "relu": relu, "dropout": dropout, "epsilon": epsilon}))


def sinusoids(graph: Graph, steps: int, width: int) -> Tensor:
    """The positions of that paper, f32 (steps, width), to be added to each sample: sin(p / 10000^(i / width)) in each even
    column i, and the cosine in the next."""
    return op("tn_sinusoids", "gii", graph, steps, width)


def net(x: Operand, spec: str, *, training: Any = None, outputs: Any = None, init: Any = None, scale: Any = None,
        freeze: Any = None, sync_norm: Any = None, each: Any = None, arg: Any = None) -> Tensor:
    """Builds a network from a named one ("mlp", "perceptron", ...) or from layers in order:
    "linear 100, sigmoid, linear 40, sigmoid, linear 10". Layers are named by kind and number: "conv1", "fc2". The first
    dimension is the batch; `linear` flattens what has more than two. `outputs` is how many numbers the network gives
    for a sample: a spec writes "linear outputs" for it, and so do the named networks.
    `training` switches dropout on. `init` names the initialisation of the weights: "auto" (he before relu and its like,
    xavier before all else) or another that net_init_at lists; None: "auto". `scale` is the deviation of "normal" and
    "truncated", the end of "uniform", the value of "constant", and a factor for others; 0: the usual. `freeze`, unless
    None, is as for freeze; frozen batch normalisation takes the running statistics in training too. `sync_norm` makes
    every batch normalisation one over all shards of the batch (batch_norm_options.sync). `each`, unless None, is
    called with `arg` after each layer, as it is written, and what came out of it. Errors name the layer."""
    return op("tn_net", "tzo", x, spec, (c.tn_net_options, {"training": training, "outputs": outputs, "init": init,
                  "scale": scale, "freeze": freeze, "sync_norm": sync_norm, "each": each, "arg": arg}))


def mean_squared_error(prediction: Operand, target: Operand) -> Tensor:
    """Mean of (prediction - target)^2 over all elements."""
    return op("tn_mean_squared_error", "tt", prediction, target)


def half_squared_error(prediction: Operand, target: Operand) -> Tensor:
    """Sum over the outputs of (prediction - target)^2 / 2, mean over the batch: the classic quadratic cost."""
    return op("tn_half_squared_error", "tt", prediction, target)


def binary_cross_entropy(logits: Operand, target: Operand) -> Tensor:
    """Mean of -(t log s + (1 - t) log(1 - s)) with s = sigmoid(logits); stable for any logits."""
    return op("tn_binary_cross_entropy", "tt", logits, target)


def cross_entropy(logits: Operand, label: Operand) -> Tensor:
    """Mean of -log softmax(logits)[label]: logits (..., classes), two or more, label i32 (...); stable for any logits."""
    return op("tn_cross_entropy", "tt", logits, label)


def loss(name: str, output: Operand, target: Operand, *, reduction: Any = None, weight: Any = None,
        smoothing: Any = None, ignores: Any = None, ignored: Any = None, positive: Any = None, delta: Any = None,
        margin: Any = None, gamma: Any = None, sample_weight: Any = None) -> Tensor:
    """How the losses of elements or samples become one: the mean that belongs to the loss, their sum, or not at all.

    weight: of each class, f32 (classes), for losses of labels; a mean is then a weighted one, and 0 where all weights are
    smoothing: share of the target that is spread over all classes: Szegedy and others, 2016
    ignores: samples of the label `ignored`, such as padding, which may be outside the classes, have no loss and no part
    in the mean; which is 0 where all are ignored
    positive: binary_cross_entropy, binary_focal: weight of a target of 1, f32, broadcast to the outputs
    delta: huber, smooth_l1: where the square ends: 1
    margin: hinge, multi_margin: 1
    gamma: focal, binary_focal (Lin and others, 2017): 2, at least 1
    sample_weight: of each sample, f32 (batch), 0 or more: its losses count that many times, so that a whole number does
    what as many equal samples do. A mean is then a weighted one, and 0 where all weights are, as with `weight`, by which
    these are multiplied"""
    return op("tn_loss_with", "ztto", name, output, target, (c.tn_loss_options, {"reduction": reduction,
                  "weight": weight, "smoothing": smoothing, "ignores": ignores, "ignored": ignored,
                  "positive": positive, "delta": delta, "margin": margin, "gamma": gamma,
                  "sample_weight": sample_weight}))


def loss_total(name: str, output: Operand, target: Operand, *, reduction: Any = None, weight: Any = None,
        smoothing: Any = None, ignores: Any = None, ignored: Any = None, positive: Any = None, delta: Any = None,
        margin: Any = None, gamma: Any = None, sample_weight: Any = None) -> Tensor:
    """What the mean of such a loss is divided by, of rank 0: the number of its elements or samples, or the sum of their
    weights; of a loss that is a sum anyway, the samples or their weights. For means over several batches.

    weight: of each class, f32 (classes), for losses of labels; a mean is then a weighted one, and 0 where all weights are
    smoothing: share of the target that is spread over all classes: Szegedy and others, 2016
    ignores: samples of the label `ignored`, such as padding, which may be outside the classes, have no loss and no part
    in the mean; which is 0 where all are ignored
    positive: binary_cross_entropy, binary_focal: weight of a target of 1, f32, broadcast to the outputs
    delta: huber, smooth_l1: where the square ends: 1
    margin: hinge, multi_margin: 1
    gamma: focal, binary_focal (Lin and others, 2017): 2, at least 1
    sample_weight: of each sample, f32 (batch), 0 or more: its losses count that many times, so that a whole number does
    what as many equal samples do. A mean is then a weighted one, and 0 where all weights are, as with `weight`, by which
    these are multiplied"""
    return op("tn_loss_total", "ztto", name, output, target, (c.tn_loss_options, {"reduction": reduction,
                  "weight": weight, "smoothing": smoothing, "ignores": ignores, "ignored": ignored,
                  "positive": positive, "delta": delta, "margin": margin, "gamma": gamma,
                  "sample_weight": sample_weight}))


def loss_readable(name: str, output: Operand) -> Tensor:
    """The outputs as people read them: probabilities where the loss takes logits or logarithms of those, the mean for
    "poisson", else as they are."""
    return op("tn_loss_readable", "zt", name, output)


def triplet_margin(anchor: Operand, positive: Operand, negative: Operand, margin: float = 1.0) -> Tensor:
    """max(0, |anchor - positive| - |anchor - negative| + margin): Schroff, Kalenichenko and Philbin, "FaceNet", 2015."""
    return op("tn_triplet_margin", "tttf", anchor, positive, negative, margin)


def contrastive(a: Operand, b: Operand, same: Operand, margin: float = 1.0) -> Tensor:
    """d^2 / 2 of pairs that are the same (above 0), max(0, margin - d)^2 / 2 of others, d = |a - b|: a and b (..., width),
    same (...). Hadsell, Chopra and LeCun, 2006."""
    return op("tn_contrastive", "tttf", a, b, same, margin)


def margin_ranking(a: Operand, b: Operand, order: Operand, margin: float = 1.0) -> Tensor:
    """max(0, margin - order (a - b)): a should be above b where the order is 1, below where it is -1."""
    return op("tn_margin_ranking", "tttf", a, b, order, margin)


def cosine_embedding(a: Operand, b: Operand, same: Operand, margin: float = 1.0) -> Tensor:
    """1 - cos of pairs that are the same (above 0), max(0, cos - margin) of others: a and b (..., width), same (...)."""
    return op("tn_cosine_embedding", "tttf", a, b, same, margin)


def gaussian_likelihood(mean: Operand, variance: Operand, target: Operand) -> Tensor:
    """(log(variance) + (mean - target)^2 / variance) / 2 with a variance of 1e-6 or more: Nix and Weigend, 1994."""
    return op("tn_gaussian_likelihood", "ttt", mean, variance, target)


def root_mean_squared_error(prediction: Operand, target: Operand) -> Tensor:
    """Root of the mean of the squared errors, of rank 0."""
    return op("tn_root_mean_squared_error", "tt", prediction, target)


def count_correct(output: Operand, target: Operand) -> Tensor:
    """How many of the batch are right, as f32 of rank 0: arg-max against i32 labels (...) of outputs (..., classes); for
    one output or for targets of the outputs' shape, the sign of the logit against a target of 0 or 1."""
    return op("tn_count_correct", "tt", output, target)


def is_correct(output: Operand, target: Operand) -> Tensor:
    """1 for each of the batch that is right by that rule, and 0 for others: f32 (batch), of several labels each (batch x
    labels)."""
    return op("tn_is_correct", "tt", output, target)
