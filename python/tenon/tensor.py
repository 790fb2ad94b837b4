"""tensor.py: graphs and their tensors. A graph says what to compute; nothing is computed until it is compiled
(program.py). Tensors have Python's operators, NumPy's slices and broadcasting, and each operator of ops.py as a method.

A graph is used by one thread at a time. Its first mistake is raised, and stays: begin a new graph after it."""
from __future__ import annotations

import builtins
import contextlib
import ctypes
import os
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple

from . import c, ops
from ._build import (NAMES, WHOLE, Axes, Dtype, Operand, Shape, classes, dtype as dtype_of, initial, is_number, number,
                     op, shape as shape_of)
from ._library import Handle, check, lib, message, text
from .errors import InvalidError, StateError, error_of
from .initial import Init, LeCun
from .memory import memory_of
from .optimizers import Optimizer, optimizer_of


class Graph(ops.GraphMethods):
    """What to compute. Freed when nothing of Python's uses it any more. `training` is for layers that differ then."""

    def __init__(self, training: bool = False) -> None:
        made = lib.tn_graph_new()
        if not made:
            raise MemoryError("no memory for a graph")
        self._handle: Optional[Handle] = Handle(made, lib.tn_graph_free)
        self._begin(None, training)

    def _begin(self, borrowed: Optional[int], training: bool) -> None:
        self._borrowed, self.training, self.classes = borrowed, training, 0
        self._failed = False
        self.inputs: Dict[str, Tuple[int, Tuple[int, ...]]] = {}
        self.outputs: Dict[str, Tuple[int, Tuple[int, ...]]] = {}
        self.layers: Dict[str, Any] = {}  # that were called in it, by name
        self.beginnings: Dict[Tuple[Any, str], None] = {}  # layers that bring first values, for names that begin so

    @classmethod
    def borrow(cls, pointer: int, training: bool = False) -> "Graph":
        """A graph that the library keeps, until `forget`."""
        made = cls.__new__(cls)
        made._handle = None
        made._begin(pointer, training)
        return made

    @classmethod
    def load(cls, path: Any) -> "Graph":
        """The graph of a file that `save` wrote, with its inputs and outputs by their names."""
        import json  # takes a tenth of what importing this package does

        pointer = ctypes.c_void_p()
        check(lib.tn_graph_load(os.fsencode(path), ctypes.byref(pointer)))
        made = cls.__new__(cls)
        made._handle = Handle(pointer.value, lib.tn_graph_free)
        made._begin(None, False)
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
        port = [(dtype_of(x["dtype"]), tuple(x["shape"])) for x in content["tensors"]]
        made.inputs = {x["name"]: port[i] for i, x in enumerate(content["tensors"]) if x["op"] == "input"}
        made.outputs = {s["output"]: port[s["value"]] for s in content["sinks"] if "output" in s}
        return made

    def save(self, path: Any) -> None:
        """Writes the graph as JSON that people can read: all that it is made of, and no values of variables."""
        check(lib.tn_graph_save(self.pointer(), os.fsencode(path)))

    def needs(self, handle: Handle) -> None:
        """The graph uses what the handle is for, which stays as long."""
        if self._handle is not None:
            self._handle.stand_on(handle)

    def constant(self, value: Any, dtype: Optional[Dtype] = None) -> "Tensor":
        """Numbers that are known now, from an array: copied."""
        memory = memory_of(value, 0 if dtype is None else dtype_of(dtype))
        return self._take(lib.tn_constant(self.pointer(), memory.dtype, shape_of(memory.shape), memory.address))

    def forget(self) -> None:
        """The library's graph is gone: its tensors can't be used any more."""
        self._borrowed = None

    @contextlib.contextmanager
    def scope(self, name: Optional[str]) -> Iterator["Graph"]:
        """Names of variables, inputs and outputs begin with this one and a ".": with graph.scope("encoder.0"): ...
        Scopes lie within each other; None leads out of all of them."""
        lib.tn_scope_push(self.pointer(), None if name is None else name.encode())
        self.check()
        try:
            yield self
        finally:
            lib.tn_scope_pop(self.pointer())

    def scoped(self, name: str) -> str:
        """The name as it is whole, with all scopes that are open."""
        return text(lib.tn_scope_of(self.pointer())) + name

    def pointer(self) -> int:
        """For calls."""
        pointer = self._handle.get() if self._handle else self._borrowed
        if not pointer:
            raise StateError("the graph was the library's, and is gone: tensors of a model's call stay there")
        return pointer

    def check(self) -> None:
        """Raises the graph's first error, and says of it, from the second time on, that it is from before."""
        status = lib.tn_graph_status(self.pointer())
        if status:
            before, self._failed = self._failed, True
            raise error_of(status, ("the graph had failed before: " if before else "") + message())

    def _take(self, pointer: int) -> "Tensor":
        self.check()
        return Tensor(self, pointer)

    def input(self, name: str, shape: Shape, dtype: Dtype = "f32") -> "Tensor":
        """A tensor that is filled before a run."""
        made = self._take(lib.tn_input(self.pointer(), name.encode(), dtype_of(dtype), shape_of(shape)))
        self.inputs[self.scoped(name)] = (dtype_of(dtype), made.shape)
        return made

    def full(self, shape: Shape, value: float, dtype: Dtype = "f32") -> "Tensor":
        """The number in every element."""
        kind = dtype_of(dtype)
        return self._take(lib.tn_full(self.pointer(), kind, shape_of(shape), number(value, kind)))

    def zeros(self, shape: Shape, dtype: Dtype = "f32") -> "Tensor":
        """All 0."""
        return self.full(shape, 0.0, dtype)

    def ones(self, shape: Shape, dtype: Dtype = "f32") -> "Tensor":
        """All 1."""
        return self.full(shape, 1.0, dtype)

    def scalar(self, name: str, value: float, dtype: Dtype = "f32") -> "Tensor":
        """A number that may change at each run without compiling again (Program.set)."""
        kind = dtype_of(dtype)
        return self._take(lib.tn_scalar_input(self.pointer(), name.encode(), kind, number(value, kind)))

    def variable(self, name: str, shape: Shape, init: Optional[Init] = None, dtype: Dtype = "f32", *,
                 trainable: bool = False, transient: bool = False) -> "Tensor":
        """A named tensor that lives in the state and keeps its value between runs. Zeros at first, or by `init`."""
        flags = trainable * c.TN_TRAINABLE | transient * c.TN_TRANSIENT
        first = initial(init) if init is not None else c.tn_init()
        return self._take(lib.tn_variable(self.pointer(), name.encode(), dtype_of(dtype), shape_of(shape), first,
                                          flags))

    def param(self, name: str, shape: Shape, init: Optional[Init] = None) -> "Tensor":
        """A trainable f32 variable."""
        return self._take(lib.tn_param(self.pointer(), name.encode(), shape_of(shape), initial(init or LeCun())))

    def output(self, x: "Tensor", name: str) -> "Tensor":
        """Keeps x readable after each run under that name; returns x."""
        if x.graph is not self:
            raise InvalidError(f"output '{name}' is a tensor of another graph")
        lib.tn_output(x._pointer, name.encode())
        self.check()
        self.outputs[self.scoped(name)] = (lib.tn_dtype_of(x._pointer), x.shape)
        return x

    def assign(self, variable: "Tensor", value: "Tensor") -> None:
        """At the end of a run the variable takes the value; everything else in the run sees the old one."""
        lib.tn_assign(variable._pointer, value._pointer)
        self.check()

    def freeze(self, patterns: str) -> None:
        """Makes variables stay as they are, by names and patterns: "conv*, fc1.bias". Before `minimize`."""
        lib.tn_freeze(self.pointer(), patterns.encode())
        self.check()

    def grad(self, loss: "Tensor", wrt: Any) -> Any:
        """d(loss)/d(w) for each of the list `wrt`, as tensors of the graph; they have gradients in turn. For one
        tensor, its gradient alone."""
        if isinstance(wrt, Tensor):
            return self.grad(loss, [wrt])[0]
        kind = ctypes.c_void_p * len(wrt)
        out = kind()
        lib.tn_grad(loss._pointer, kind(*[w._pointer for w in wrt]), len(wrt), out)
        self.check()
        return [Tensor(self, p) for p in out]

    def minimize(self, loss: "Tensor", optimizer: Any = "sgd", **options: Any) -> None:
        """Adds the gradients of the loss and the update of every trainable variable: minimize(loss, Adam(1e-3)) or
        minimize(loss, "adam", lr=1e-3)."""
        how = Optimizer(kind=optimizer, **options) if isinstance(optimizer, str) else optimizer_of(optimizer)
        lib.tn_minimize(loss._pointer, how.kind.encode(), how.struct())
        self.check()

    def apply_gradients(self, params: Sequence["Tensor"], grads: Sequence["Tensor"], optimizer: Any = "sgd",
                        **options: Any) -> None:
        """The optimizer's updates alone, by gradients that the caller brings."""
        how = Optimizer(kind=optimizer, **options) if isinstance(optimizer, str) else optimizer_of(optimizer)
        kind = ctypes.c_void_p * len(params)
        if len(params) != len(grads):
            raise InvalidError(f"there are {len(params)} parameters and {len(grads)} gradients")
        lib.tn_apply_gradients(kind(*[p._pointer for p in params]), kind(*[g._pointer for g in grads]), len(params),
                               how.kind.encode(), how.struct())
        self.check()

    def variables(self, trainable: bool = False) -> List["Tensor"]:
        """The graph's variables, or those alone that are trained, in the order in which they were made."""
        flags = c.TN_TRAINABLE if trainable else 0
        count = lib.tn_variables(self.pointer(), flags, None, 0)
        out = (ctypes.c_void_p * count)()
        lib.tn_variables(self.pointer(), flags, out, count)
        return [Tensor(self, p) for p in out]

    def compile(self, device: Any = "auto", **options: Any) -> Any:
        """Makes the graph ready for a device, or for a state and its variables: a Program."""
        from .program import Program
        return Program(self, device, **options)


def _axis_index(index: Any, rank: int) -> List[Any]:
    """The parts of x[...], with what "..." stands for written out."""
    parts = list(index) if isinstance(index, tuple) else [index]
    taken = builtins.sum(p is not None and p is not Ellipsis for p in parts)
    if taken > rank:
        raise IndexError(f"{taken} indices for a tensor of {rank} dimensions")
    fill: List[Any] = [builtins.slice(None)] * (rank - taken)
    at = next((i for i, p in enumerate(parts) if p is Ellipsis), None)
    return parts + fill if at is None else parts[:at] + fill + parts[at + 1:]


class Tensor(ops.TensorMethods):
    """A tensor of a graph: the result of one operator, or a leaf. Its operators are Python's, but for &, |, ^ and ~,
    which are logical for all types: what is not 0 is true, and the result is 1 or 0, never a pattern of bits; and /,
    which is towards zero between whole numbers."""

    __slots__ = ("graph", "_pointer", "_shape")
    __hash__ = object.__hash__
    __array_priority__ = 1000  # NumPy leaves its own operators to ours
    __array_ufunc__ = None

    def __init__(self, graph: Graph, pointer: Optional[int]) -> None:
        self.graph, self._pointer = graph, pointer
        self._shape: Optional[Tuple[int, ...]] = None

    @property
    def shape(self) -> Tuple[int, ...]:
        """The size of each dimension."""
        if self._shape is None:
            self.graph.pointer()
            s = lib.tn_shape_of(self._pointer)
            self._shape = tuple(s.dim[:s.rank])
        return self._shape

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self.shape)

    @property
    def dtype(self) -> str:
        """The element type, "f32" and so on."""
        self.graph.pointer()
        return NAMES.get(lib.tn_dtype_of(self._pointer), "?")

    @property
    def name(self) -> str:
        """The name of a variable or an input; "" for what has none."""
        self.graph.pointer()
        return text(lib.tn_name_of(self._pointer))

    @property
    def T(self) -> "Tensor":
        """Its dimensions reversed."""
        return transpose(self)

    def transpose(self, *axes: int) -> "Tensor":
        """Dimension d of the result is dimension axes[d]; none: reversed."""
        return transpose(self, axes or None)

    def reshape(self, *shape: Any) -> "Tensor":
        """The same elements in another shape, of which one dimension may be -1."""
        return ops.reshape(self, shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape)

    def output(self, name: str) -> "Tensor":
        """Keeps it readable after each run under that name."""
        return self.graph.output(self, name)

    def topk(self, k: int, axis: int = -1, smallest: bool = False) -> Tuple["Tensor", "Tensor"]:
        """The k largest (or smallest) elements along an axis, and their places."""
        return topk(self, k, axis, smallest)

    def split(self, parts: int, axis: int = -1) -> List["Tensor"]:
        """As many equal parts along an axis."""
        return split(self, parts, axis)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("a tensor of no dimensions has no length")
        return self.shape[0]

    def __iter__(self) -> Iterator["Tensor"]:
        return (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        raise TypeError("a tensor of a graph has no value before the graph is run")

    def __getitem__(self, index: Any) -> "Tensor":
        x, axis = self, 0
        for part in _axis_index(index, self.ndim):
            if part is None:
                x = ops.unsqueeze(x, axis)
            elif isinstance(part, builtins.slice):
                x = _sliced(x, axis, part)
            elif isinstance(part, Tensor):
                x = ops.index_select(x, axis, part)
            else:
                x, axis = _picked(x, axis, part), axis - 1
            axis += 1
        return x

    def __add__(self, other: Operand) -> "Tensor":
        return ops.add(self, other)

    def __radd__(self, other: Operand) -> "Tensor":
        return ops.add(other, self)

    def __sub__(self, other: Operand) -> "Tensor":
        return ops.sub(self, other)

    def __rsub__(self, other: Operand) -> "Tensor":
        return ops.sub(other, self)

    def __mul__(self, other: Operand) -> "Tensor":
        return ops.mul(self, other)

    def __rmul__(self, other: Operand) -> "Tensor":
        return ops.mul(other, self)

    def __truediv__(self, other: Operand) -> "Tensor":
        return ops.div(self, other)

    def __rtruediv__(self, other: Operand) -> "Tensor":
        return ops.div(other, self)

    def __floordiv__(self, other: Operand) -> "Tensor":
        return _floor_div(self, other, self)

    def __rfloordiv__(self, other: Operand) -> "Tensor":
        return _floor_div(other, self, self)

    def __mod__(self, other: Operand) -> "Tensor":
        return ops.remainder(self, other)

    def __rmod__(self, other: Operand) -> "Tensor":
        return ops.remainder(other, self)

    def __pow__(self, other: Operand) -> "Tensor":
        return ops.square(self) if isinstance(other, int) and other == 2 else ops.pow(self, other)

    def __rpow__(self, other: Operand) -> "Tensor":
        return ops.pow(other, self)

    def __matmul__(self, other: Operand) -> "Tensor":
        return ops.matmul(self, other)

    def __neg__(self) -> "Tensor":
        return ops.neg(self)

    def __abs__(self) -> "Tensor":
        return ops.abs(self)

    def __invert__(self) -> "Tensor":
        return ops.logical_not(self)

    def __and__(self, other: Operand) -> "Tensor":
        return ops.logical_and(self, _truth(other))

    def __or__(self, other: Operand) -> "Tensor":
        return ops.logical_or(self, _truth(other))

    def __xor__(self, other: Operand) -> "Tensor":
        return ops.logical_xor(self, _truth(other))

    def __lt__(self, other: Operand) -> "Tensor":
        return ops.lt(self, other)

    def __le__(self, other: Operand) -> "Tensor":
        return ops.le(self, other)

    def __gt__(self, other: Operand) -> "Tensor":
        return ops.gt(self, other)

    def __ge__(self, other: Operand) -> "Tensor":
        return ops.ge(self, other)

    def __eq__(self, other: Operand) -> "Tensor":  # type: ignore[override]
        return ops.eq(self, other)

    def __ne__(self, other: Operand) -> "Tensor":  # type: ignore[override]
        return ops.ne(self, other)

    def __repr__(self) -> str:
        name = f" '{self.name}'" if self.name else ""
        return f"tenon.Tensor({self.dtype}, {self.shape}{name})"


classes(Tensor, Graph)


def _floor_div(a: Operand, b: Operand, like: Tensor) -> Tensor:
    """The quotient rounded down: one less than that towards zero where the two rests differ. 0 for whole a // 0."""
    rest = ops.fmod(a, b)
    towards_zero = ops.div(a, b) if dtype_of(like.dtype) in WHOLE else ops.round((a - rest) / b)
    return towards_zero - ops.ne(rest, ops.remainder(a, b))


def _truth(value: Operand) -> Operand:
    """An operand of &, | and ^, which is no pattern of bits."""
    if is_number(value) and value not in (0, 1):
        raise InvalidError(f"&, | and ^ are logical, not of bits: {value} is neither 0 nor 1")
    return value


def _sliced(x: Tensor, axis: int, part: Any) -> Tensor:
    start, stop, step = part.indices(x.shape[axis])
    count = len(range(start, stop, step))
    if (start, count, step) == (0, x.shape[axis], 1):
        return x
    return ops.slice(x, axis, start if count else 0, count, step)


def _picked(x: Tensor, axis: int, index: Any) -> Tensor:
    if not hasattr(index, "__index__"):
        raise InvalidError(f"an index is a whole number, a slice, None, ... or a tensor of whole numbers, not a "
                           f"{type(index).__name__}")
    index = index.__index__()
    if not -x.shape[axis] <= index < x.shape[axis]:
        raise IndexError(f"index {index} is beyond the {x.shape[axis]} elements of axis {axis}")
    return ops.squeeze(ops.slice(x, axis, index, 1, 1), axis)


def transpose(x: Tensor, axes: Optional[Sequence[int]] = None) -> Tensor:
    """Dimension d of the result is dimension axes[d] of x; None reverses them."""
    if axes is None:
        return x.graph._take(lib.tn_transpose(x._pointer, None))
    if len(axes) != x.ndim:
        raise InvalidError(f"transpose: {len(axes)} axes for a tensor of {x.ndim} dimensions")
    return x.graph._take(lib.tn_transpose(x._pointer, (ctypes.c_int32 * len(axes))(*[a % x.ndim for a in axes])))


def topk(x: Tensor, k: int, axis: int = -1, smallest: bool = False) -> Tuple[Tensor, Tensor]:
    """The k largest (or smallest) elements along an axis, best first, and their places, i32."""
    values = ctypes.c_void_p()
    x.graph.pointer()
    places = x.graph._take(lib.tn_topk(x._pointer, k, axis, smallest, ctypes.byref(values)))
    assert values.value
    return Tensor(x.graph, values.value), places


def split(x: Tensor, parts: int, axis: int = -1) -> List[Tensor]:
    """As many equal parts along an axis."""
    out = (ctypes.c_void_p * parts)()
    x.graph.pointer()
    lib.tn_split(x._pointer, axis, parts, out)
    x.graph.check()
    return [Tensor(x.graph, p) for p in out]


def recurrent(x: Tensor, name: str, state: Optional[Sequence[Any]] = None, **options: Any) -> Tuple[Tensor, List[Any]]:
    """A recurrent layer (nn.h: tn_recurrent): its results, and the last state of each layer and direction, (h, c).
    `state` is where to begin, as pairs (h, c) of tensors or None."""
    from ._build import options as struct_of
    made, kept = struct_of(c.tn_recurrent_options, options, x.graph)
    count = max(made.layers, 1) * (2 if made.bidirectional else 1)
    ends = (c.tn_recurrent_state * count)()
    for end, begun in zip(ends, state or []):
        end.h, end.c = (t._pointer if t is not None else None for t in begun)
    y = x.graph._take(lib.tn_recurrent_layer(x._pointer, name.encode(), made, ends))
    del kept
    pairs = [(Tensor(x.graph, e.h), Tensor(x.graph, e.c) if e.c else None) for e in ends]
    return y, pairs




__all__ = ["Axes", "Graph", "Tensor", "recurrent", "split", "topk", "transpose"]
