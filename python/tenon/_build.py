"""_build.py: calls the functions that build graphs: turns Python's arguments into those of C, and the results into
tensors. The codes are those that generate.py gives to parameters."""
from __future__ import annotations

import ctypes
import math
from typing import Any, Dict, List, Optional, Sequence, Tuple, Union

from . import c
from ._library import lib
from .errors import DtypeError, InvalidError

Shape = Union[int, Sequence[int]]
Axes = Optional[Union[int, Sequence[int]]]
Dtype = Union[str, int, Any]
Operand = Any

DTYPES = {"f32": c.TN_F32, "i32": c.TN_I32, "u8": c.TN_U8, "f16": c.TN_F16, "bf16": c.TN_BF16, "f64": c.TN_F64,
          "i8": c.TN_I8}
DTYPES.update({"float32": c.TN_F32, "int32": c.TN_I32, "uint8": c.TN_U8, "float16": c.TN_F16,
               "bfloat16": c.TN_BF16, "float64": c.TN_F64, "int8": c.TN_I8})
NAMES = {number: name for name, number in list(DTYPES.items())[:7]}
WHOLE = {c.TN_I32: (-2 ** 31, 2 ** 31 - 1), c.TN_U8: (0, 255), c.TN_I8: (-128, 127)}  # the least and the largest
# Options in which 0 itself is said by TN_ZERO, for 0 there stands for the usual value.
ZERO = ("momentum", "beta1", "beta2", "epsilon", "alpha", "weight_decay")
TN_ZERO = -1e-300

_tensor: Any = None  # set by tensor.py, which knows these classes
_graph: Any = None


def classes(tensor: type, graph: type) -> None:
    """Makes the two classes known here."""
    global _tensor, _graph
    _tensor, _graph = tensor, graph


def dtype(value: Dtype) -> int:
    """The number of an element type: "f32", "float32", numpy.float32, TN_F32."""
    if isinstance(value, int):
        return value
    name = str(value if isinstance(value, str) else getattr(value, "name", "") or getattr(value, "__name__", value))
    try:
        return DTYPES[name]
    except KeyError:
        raise DtypeError(f"'{name}' is no element type: there are {', '.join(NAMES.values())}") from None


def whole(value: Any, what: str, least: int = 0) -> int:
    """A whole number of at least so much; `what` is the argument's name."""
    if not hasattr(value, "__index__") or isinstance(value, bool) or value.__index__() < least:
        raise InvalidError(f"{what}={value!r}: it takes a whole number from {least}")
    return int(value.__index__())


def shape(value: Shape) -> c.tn_shape:
    """A shape from a number or several."""
    dims = (value,) if isinstance(value, int) else tuple(value)
    if len(dims) > c.TN_MAX_RANK:
        raise InvalidError(f"a shape has at most {c.TN_MAX_RANK} dimensions, not {len(dims)}")
    return c.tn_shape(len(dims), (ctypes.c_int64 * c.TN_MAX_RANK)(*dims))


def axes(value: Axes) -> c.tn_axes:
    """A set of axes: None is all of them."""
    if value is None:
        return c.tn_axes(-1)
    list_of = (value,) if isinstance(value, int) else tuple(value)
    if len(list_of) > c.TN_MAX_RANK:
        raise InvalidError(f"there are at most {c.TN_MAX_RANK} axes, not {len(list_of)}")
    return c.tn_axes(len(list_of), (ctypes.c_int32 * c.TN_MAX_RANK)(*list_of))


def graph_of(values: Sequence[Any]) -> Any:
    """The graph of the first argument that has one."""
    for v in values:
        if isinstance(v, _tensor):
            return v.graph
        if isinstance(v, _graph):
            return v
        if isinstance(v, (list, tuple)) and v and isinstance(v[0], _tensor):
            return v[0].graph
    raise InvalidError("none of the operands is a tensor of a graph")


def is_number(value: Any) -> bool:
    """Whether it is one real number: Python's, or NumPy's scalars and arrays of no dimensions."""
    if isinstance(value, (bool, int, float)):
        return True
    return getattr(value, "shape", None) == () and isinstance(getattr(value, "item", int)(), (bool, int, float))


def number(value: Any, kind: int) -> float:
    """A number for an element of that type: an error if a whole type does not have it."""
    if not is_number(value):
        raise InvalidError(f"a number is wanted, not a {type(value).__name__}")
    low, high = WHOLE.get(kind, (-math.inf, math.inf))
    plain = value if isinstance(value, (bool, int, float)) else value.item()
    if kind in WHOLE and not (low <= plain <= high and plain == int(plain)):
        raise DtypeError(f"the number {plain} is no {NAMES[kind]}, which is the tensor's type: make it f32 first, "
                         "x.cast('f32')")
    try:
        return float(plain)
    except OverflowError:
        raise InvalidError(f"a number of {len(str(plain))} digits is beyond all element types") from None


def pointer(value: Any, graph: Any, like: Any) -> int:
    """A tensor for C; a number becomes one of the type of the first operand."""
    if isinstance(value, _tensor):
        if value.graph is not graph:
            raise InvalidError("the operands are of different graphs")
        return value._pointer
    if is_number(value):
        return lib.tn_number(like._pointer, number(value, lib.tn_dtype_of(like._pointer)))
    raise InvalidError(f"an operand is a tensor or a number, not a {type(value).__name__}")


def like_of(values: Sequence[Any]) -> Any:
    """The last tensor among the operands, whose type numbers take: of where(condition, a, b) that of a or b."""
    found = [v for v in values if isinstance(v, _tensor)]
    return found[-1] if found else None


def initial(value: Any) -> c.tn_init:
    """First values of a variable, from an init (layers.py) or its kind."""
    made = value if isinstance(value, c.tn_init) else getattr(value, "struct", None)
    if made is None:
        raise InvalidError(f"first values are an init, not a {type(value).__name__}")
    return made


def _set(struct: Any, name: str, value: Any, graph: Any, kept: List[Any]) -> None:
    """Sets one option; arrays take a number for all."""
    if name == "init" and not isinstance(value, str):
        kept.append(initial(value))
        value = ctypes.addressof(kept[-1])
    elif isinstance(value, _tensor):
        value = pointer(value, graph, value)
    elif isinstance(value, str):
        value = value.encode()
    elif isinstance(getattr(struct, name), ctypes.Array):
        room = getattr(struct, name)
        given = [value] * len(room) if isinstance(value, int) else list(value)
        value = type(room)(*given)
    elif isinstance(value, bool):
        value = int(value)
    elif name in ZERO and value == 0:
        value = TN_ZERO
    setattr(struct, name, value)


def options(kind: Any, given: Dict[str, Any], graph: Any = None) -> Tuple[Any, List[Any]]:
    """A struct of options, and what it points to. None is what is left out."""
    made = kind()
    kept: List[Any] = []
    for name, value in given.items():
        if value is None:
            continue
        if name not in kind.__dict__:
            known = ", ".join(f[0] for f in kind._fields_)
            raise InvalidError(f"there is no option '{name}': there are {known}")
        try:
            _set(made, name, value, graph, kept)
        except (TypeError, ValueError) as e:
            if isinstance(e, InvalidError):
                raise
            why = "it takes no text" if isinstance(value, str) and isinstance(e, TypeError) else e
            raise InvalidError(f"{name}={value!r}: {why}") from None
    return made, kept


def _tensors(values: Sequence[Any], graph: Any) -> Any:
    return (ctypes.c_void_p * len(values))(*[pointer(v, graph, values[0]) for v in values])


def arguments(codes: str, values: Sequence[Any], graph: Any) -> Tuple[List[Any], List[Any]]:
    """The arguments for C, and what has to live as long as the call."""
    out: List[Any] = []
    kept: List[Any] = []
    like = None
    for code, v in zip(codes, values):
        if code == "t":
            like = like_of(values) if like is None else like
            out.append(pointer(v, graph, like))
        elif code == "o":
            made, more = options(v[0], v[1], graph)
            out.append(made)
            kept.append(more)
        elif code == "l":
            out += [_tensors(v, graph), len(v)]
        else:
            out.append(_PLAIN[code](v))
    return out, kept


_PLAIN: Dict[str, Any] = {
    "g": lambda v: v.pointer(),
    "s": shape,
    "a": axes,
    "d": dtype,
    "i": int,
    "f": float,
    "b": bool,
    "z": lambda v: None if v is None else str(v).encode(),
}


def op(name: str, codes: str, *values: Any) -> Any:
    """Calls a function that adds to a graph; what is wrong is raised at once."""
    graph = graph_of(values)
    out, kept = arguments(codes, values, graph)
    graph.pointer()
    made = getattr(lib, name)(*out)
    del kept
    graph.check()
    return _tensor(graph, made)
