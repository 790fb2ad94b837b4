"""layers.py: layers as objects that are called on tensors: Linear(100)(x). Parameters are named and shaped as PyTorch
does it: the layer "fc1" has "fc1.weight" (out, in) and "fc1.bias" (out).

A layer gets its name from `name=`, from the attribute of the Module that it is assigned to, or else from its kind and
a number, in the order in which the layers of a graph are called: "conv1", "fc1", "fc2". What differs in training
(dropout, batch normalisation) looks at the graph's `training`."""
from __future__ import annotations

from typing import Any, Callable, Iterator, List, Optional, Sequence, Tuple, Union

from . import nn, ops, tensor
from .errors import InvalidError
from .initial import Init
from .tensor import Tensor

Size = Union[int, Sequence[int]]


class Layer:
    """What is called on tensors. A layer of your own has `forward`, and a `kind`, from which it is named."""

    kind = "layer"
    _name: Optional[str] = None
    _parent: Optional["Layer"] = None

    def __init__(self, name: Optional[str] = None) -> None:
        self._name = name

    @property
    def name(self) -> str:
        """Its whole name, "encoder.fc1"; "" before it has one."""
        above = self._parent.name if self._parent is not None else ""
        return f"{above}.{self._name}" if above and self._name else self._name or ""

    def __call__(self, x: Tensor, *more: Any, **options: Any) -> Any:
        if self.kind:
            self._named_in(graph_of(self, x))
        return self.forward(x, *more, **options)

    def _named_in(self, graph: Any) -> None:
        """Takes a name if it has none; no other layer of the graph may have it."""
        above = self._parent.name + "." if self._parent is not None and self._parent.name else ""
        number = 0
        while self._name is None or (number and above + self._name in graph.layers):
            number += 1
            self._name = f"{self.kind}{number}"
        if graph.layers.setdefault(self.name, self) is not self:
            raise InvalidError(f"two layers are named '{self.name}'")

    def forward(self, x: Tensor) -> Any:
        """What it makes of x."""
        raise NotImplementedError(f"{type(self).__name__} has no forward")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})" if self.name else f"{type(self).__name__}()"


def graph_of(layer: Layer, x: Any) -> Any:
    """The graph of what a layer is called on."""
    if not hasattr(x, "graph"):
        raise InvalidError(f"{layer!r} is called on tensors of a graph, not on {type(x).__name__}: arrays are for "
                           "Model and Program")
    return x.graph


class Module(Layer):
    """Layers put together, as attributes, from which they have their names: PyTorch's way."""

    kind = ""

    def __init__(self, name: Optional[str] = None) -> None:
        super().__init__(name)

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith("_"):
            many = enumerate(value) if isinstance(value, (list, tuple)) else ()
            for own, layer in [(name, value)] + [(f"{name}.{i}", v) for i, v in many]:
                if isinstance(layer, Layer):
                    self._adopt(own, layer)
        object.__setattr__(self, name, value)

    def _adopt(self, name: str, layer: Layer) -> None:
        if layer._parent is None:
            layer._parent = self
            layer._name = layer._name or name

    def layers(self) -> Iterator[Layer]:
        """The layers that it has as attributes."""
        several = [v if isinstance(v, (list, tuple)) else [v] for k, v in vars(self).items() if not k.startswith("_")]
        return (v for values in several for v in values if isinstance(v, Layer))


class Sequential(Layer):
    """Layers one after another: a list of them, or of functions of tensors. Their names are those of kinds and
    numbers, behind its own name if it has one."""

    kind = ""

    def __init__(self, *layers: Any, name: Optional[str] = None) -> None:
        super().__init__(name)
        flat = layers[0] if len(layers) == 1 and isinstance(layers[0], (list, tuple)) else layers
        self.layers: List[Callable[[Tensor], Tensor]] = [Net(x) if isinstance(x, str) else x for x in flat]
        for layer in self.layers:
            if isinstance(layer, Layer) and layer._parent is None:
                layer._parent = self

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x)
        return x

    def __iter__(self) -> Iterator[Any]:
        return iter(self.layers)

    def __len__(self) -> int:
        return len(self.layers)

    def __getitem__(self, index: int) -> Any:
        return self.layers[index]

    def __repr__(self) -> str:
        return f"Sequential({', '.join(getattr(x, '__name__', '') or repr(x) for x in self.layers)})"


class Net(Layer):
    """A network in words, as the command takes it: "linear 100, sigmoid, linear 10", or a named one, "lenet".
    `outputs` is how many numbers it gives where its words say "outputs"."""

    kind = ""

    def __init__(self, words: str, *, outputs: int = 0, init: Optional[str] = None, scale: float = 0.0,
                 freeze: Optional[str] = None) -> None:
        super().__init__(None)
        self.words, self.outputs = words, outputs
        self._options = {"init": init, "scale": scale, "freeze": freeze}

    def __repr__(self) -> str:
        return f"Net({self.words!r})"

    def forward(self, x: Tensor) -> Tensor:
        outputs = self.outputs or x.graph.classes
        return nn.net(x, self.words, training=x.graph.training, outputs=outputs, **self._options)


class Linear(Layer):
    """y = x W' + b over the last dimension: (..., in) -> (..., units)."""

    kind = "fc"

    def __init__(self, units: int, *, bias: bool = True, init: Optional[Init] = None,
                 name: Optional[str] = None) -> None:
        super().__init__(name)
        self._options = {"units": units, "no_bias": not bias, "init": init}

    def forward(self, x: Tensor) -> Tensor:
        return nn.linear(x, self.name, **self._options)


class _Convolution(Layer):
    kind = "conv"
    function: Any = None

    def __init__(self, filters: int, kernel: Size, *, stride: Optional[Size] = None, pad: Union[Size, str, None] = None,
                 dilation: Optional[Size] = None, groups: int = 1, bias: bool = True, init: Optional[Init] = None,
                 name: Optional[str] = None, **more: Any) -> None:
        super().__init__(name)
        self._options = dict(more, filters=filters, kernel=kernel, stride=stride, pad=pad, dilation=dilation,
                             groups=groups, no_bias=not bias, init=init)
        if pad == "same":
            self._options.update(pad=None, same=True)

    def forward(self, x: Tensor) -> Tensor:
        return type(self).function(x, self.name, **self._options)


class Conv2d(_Convolution):
    """Convolution of (batch, channels, height, width). pad="same": y is as large as x, divided by the stride."""

    function = staticmethod(nn.conv2d)


class Conv1d(_Convolution):
    """Convolution of (batch, channels, length)."""

    function = staticmethod(nn.conv1d)


class ConvTranspose2d(_Convolution):
    """Transposed convolution of (batch, channels, height, width). `more`: rows and columns added at the end."""

    kind = "up"
    function = staticmethod(nn.conv2d_transpose)


class ConvTranspose1d(_Convolution):
    """Transposed convolution of (batch, channels, length)."""

    kind = "up"
    function = staticmethod(nn.conv1d_transpose)


class BatchNorm(Layer):
    """Batch normalisation over channels: x is (batch, channels, ...). `sync`: over all shards of a batch."""

    kind = "bn"

    def __init__(self, *, momentum: Optional[float] = None, epsilon: Optional[float] = None, sync: bool = False,
                 name: Optional[str] = None) -> None:
        super().__init__(name)
        self._options = {"momentum": momentum, "epsilon": epsilon, "sync": sync}

    def forward(self, x: Tensor) -> Tensor:
        return nn.batch_norm(x, self.name, training=x.graph.training, **self._options)


class _Norm(Layer):
    function: Any = None

    def __init__(self, *, epsilon: Optional[float] = None, name: Optional[str] = None) -> None:
        super().__init__(name)
        self._epsilon = epsilon

    def forward(self, x: Tensor) -> Tensor:
        return type(self).function(x, name=self.name, epsilon=self._epsilon)


class LayerNorm(_Norm):
    """Normalisation over the last dimension."""

    kind, function = "ln", staticmethod(nn.layer_norm)


class RMSNorm(_Norm):
    """The same without mean and bias."""

    kind, function = "rms", staticmethod(nn.rms_norm)


class InstanceNorm(_Norm):
    """Each channel of each sample by itself."""

    kind, function = "in", staticmethod(nn.instance_norm)


class GroupNorm(Layer):
    """Over each of some groups of channels."""

    kind = "gn"

    def __init__(self, groups: int, *, epsilon: Optional[float] = None, name: Optional[str] = None) -> None:
        super().__init__(name)
        self._options = {"groups": groups, "epsilon": epsilon}

    def forward(self, x: Tensor) -> Tensor:
        return nn.group_norm(x, self.name, **self._options)


class Embedding(Layer):
    """Rows of a trainable table: i32 (...) -> (..., units). `padding`: a row of zeros that is not trained."""

    kind = "embedding"

    def __init__(self, count: int, units: int, *, padding: Optional[int] = None, name: Optional[str] = None) -> None:
        super().__init__(name)
        self._count, self._units, self._padding = count, units, padding

    def forward(self, x: Tensor) -> Tensor:
        index = x if x.dtype == "i32" else ops.cast(x, "i32")
        if self._padding is None:
            return nn.embedding(index, self.name, self._count, self._units)
        return nn.embedding_padded(index, self.name, self._count, self._units, self._padding)


class _Recurrent(Layer):
    number = 0

    def __init__(self, units: int, *, layers: int = 1, bidirectional: bool = False, dropout: float = 0.0,
                 last: bool = False, name: Optional[str] = None) -> None:
        super().__init__(name)
        self._options = {"kind": self.number, "units": units, "layers": layers, "bidirectional": bidirectional}
        self._dropout, self._last = dropout, last

    def forward(self, x: Tensor, state: Any = None, lengths: Optional[Tensor] = None) -> Any:
        rate = self._dropout if x.graph.training else 0.0
        y, ends = tensor.recurrent(x, self.name, state, dropout=rate, lengths=lengths, **self._options)
        y = y[:, -1] if self._last else y
        return y if state is None else (y, ends)


class RNN(_Recurrent):
    """h = tanh(W x + U h + b): (batch, steps, features) -> (batch, steps, units), or with `last` the last step's.
    Called with a state, a list of (h, c), it gives its results and the last state."""

    kind, number = "rnn", 0


class LSTM(_Recurrent):
    """Long short-term memory, called as RNN is."""

    kind, number = "lstm", 1


class GRU(_Recurrent):
    """Gated recurrent units, called as RNN is."""

    kind, number = "gru", 2


class MultiheadAttention(Layer):
    """Attention with several heads of x (batch, steps, width) to itself, or to memory=..."""

    kind = "attention"

    def __init__(self, heads: int, *, causal: bool = False, dropout: float = 0.0, name: Optional[str] = None) -> None:
        super().__init__(name)
        self._options, self._dropout = {"heads": heads, "causal": causal}, dropout

    def forward(self, x: Tensor, memory: Optional[Tensor] = None, mask: Optional[Tensor] = None) -> Tensor:
        rate = self._dropout if x.graph.training else 0.0
        return nn.multihead_attention(x, self.name, memory=memory, mask=mask, dropout=rate, **self._options)


class Transformer(Layer):
    """A transformer's layer over x (batch, steps, width). Options are those of nn.transformer."""

    kind = "transformer"

    def __init__(self, heads: int, *, dropout: float = 0.0, name: Optional[str] = None, **options: Any) -> None:
        super().__init__(name)
        self._options, self._dropout = dict(options, heads=heads), dropout

    def forward(self, x: Tensor, **options: Any) -> Tensor:
        rate = self._dropout if x.graph.training else 0.0
        return nn.transformer(x, self.name, dropout=rate, **self._options, **options)


class PReLU(Layer):
    """x, or x times a trainable slope when negative."""

    kind = "prelu"

    def __init__(self, *, each_channel: bool = False, name: Optional[str] = None) -> None:
        super().__init__(name)
        self._each = each_channel

    def forward(self, x: Tensor) -> Tensor:
        return nn.prelu(x, self.name, self._each)


class Lambda(Layer):
    """A function of a tensor as a layer."""

    kind = ""

    def __init__(self, function: Callable[..., Any], *arguments: Any, **options: Any) -> None:
        super().__init__(None)
        self._call = (function, arguments, options)

    def forward(self, x: Tensor) -> Tensor:
        function, arguments, options = self._call
        return function(x, *arguments, **options)


class _Training(Lambda):
    """What does nothing where nothing is trained."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) if x.graph.training else x


class Dropout(_Training):
    """x / (1 - rate) or, with probability `rate`, 0: in training alone."""

    def __init__(self, rate: float) -> None:
        super().__init__(ops.dropout, rate)


class DropoutChannels(_Training):
    """Dropout of whole channels."""

    def __init__(self, rate: float) -> None:
        super().__init__(nn.dropout_channels, rate)


class RandomFlip(_Training):
    """Half of the pictures mirrored left to right, in training."""

    def __init__(self) -> None:
        super().__init__(nn.random_flip)


class RandomCrop(_Training):
    """Pictures shifted by up to `pad` rows and columns, in training."""

    def __init__(self, pad: int) -> None:
        super().__init__(nn.random_crop, pad)


class Flatten(Lambda):
    """(n, ...) -> (n, the rest)"""

    def __init__(self) -> None:
        super().__init__(ops.flatten)


class _Pool(Lambda):
    function: Any = None

    def __init__(self, window: Size, *, stride: Optional[Size] = None, pad: Optional[Size] = None,
                 ceil_mode: bool = False, **more: Any) -> None:
        super().__init__(type(self).function, window=window, stride=stride, pad=pad, ceil_mode=ceil_mode, **more)


class MaxPool2d(_Pool):
    """The largest of each window of pictures (batch, channels, height, width)."""

    function = staticmethod(ops.maxpool2d)


class AvgPool2d(_Pool):
    """The mean of each window. count_pad=True: averages count the padding."""

    function = staticmethod(ops.avgpool2d)


class MaxPool1d(_Pool):
    """The largest of each window of (batch, channels, length)."""

    function = staticmethod(nn.maxpool1d)


class AvgPool1d(_Pool):
    """The mean of each window of (batch, channels, length)."""

    function = staticmethod(nn.avgpool1d)


class AdaptiveAvgPool2d(Lambda):
    """(b, c, h, w) -> (b, c, height, width)"""

    def __init__(self, height: int, width: int) -> None:
        super().__init__(ops.adaptive_avgpool2d, height, width)


class GlobalAvgPool2d(Lambda):
    """The mean of each channel: (b, c, h, w) -> (b, c)"""

    def __init__(self) -> None:
        super().__init__(ops.global_avgpool2d)


def _activation(name: str, function: Any) -> Any:
    def begin(self: Lambda, *arguments: Any) -> None:
        Lambda.__init__(self, function, *arguments)
    return type(name, (Lambda,), {"__init__": begin, "__doc__": function.__doc__, "__module__": __name__})


ReLU = _activation("ReLU", ops.relu)
ReLU6 = _activation("ReLU6", ops.relu6)
LeakyReLU = _activation("LeakyReLU", lambda x, slope=0.01: ops.leaky_relu(x, slope))
ELU = _activation("ELU", lambda x, alpha=1.0: ops.elu(x, alpha))
SELU = _activation("SELU", ops.selu)
GELU = _activation("GELU", ops.gelu)
SiLU = _activation("SiLU", ops.silu)
Mish = _activation("Mish", ops.mish)
Sigmoid = _activation("Sigmoid", ops.sigmoid)
Tanh = _activation("Tanh", ops.tanh)
Softplus = _activation("Softplus", ops.softplus)
Softsign = _activation("Softsign", ops.softsign)
HardSigmoid = _activation("HardSigmoid", ops.hard_sigmoid)
HardSwish = _activation("HardSwish", ops.hard_swish)
Softmax = _activation("Softmax", ops.softmax)
LogSoftmax = _activation("LogSoftmax", ops.log_softmax)

__all__: Tuple[str, ...] = tuple(n for n, v in list(globals().items())
                                 if isinstance(v, type) and issubclass(v, Layer) and not n.startswith("_"))
