"""dlpack.py: arrays from others and to others without copying, by DLPack (https://dmlc.github.io/dlpack): the capsules
of version 1 and those before it. Memory of the host alone crosses."""
from __future__ import annotations

import ctypes
from typing import Any, Callable, Dict, List, Optional, Tuple

from . import c
from .errors import DtypeError, InvalidError, UnsupportedError
from .memory import Array, ITEM, Memory, memory_of

VERSION = (1, 0)
CPU = 1
READ_ONLY = 1
_CODES = {c.TN_F32: (2, 32), c.TN_F64: (2, 64), c.TN_F16: (2, 16), c.TN_BF16: (4, 16), c.TN_I32: (0, 32),
          c.TN_U8: (1, 8), c.TN_I8: (0, 8)}
_TYPES = {code: dtype for dtype, code in _CODES.items()}
_WORDS = {0: "int", 1: "uint", 2: "float", 4: "bfloat", 5: "complex", 6: "bool"}


class _Tensor(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("device_type", ctypes.c_int32), ("device_id", ctypes.c_int32),
                ("ndim", ctypes.c_int32), ("code", ctypes.c_uint8), ("bits", ctypes.c_uint8),
                ("lanes", ctypes.c_uint16), ("shape", ctypes.POINTER(ctypes.c_int64)),
                ("strides", ctypes.POINTER(ctypes.c_int64)), ("byte_offset", ctypes.c_uint64)]


class _Managed(ctypes.Structure):
    _fields_ = [("tensor", _Tensor), ("context", ctypes.c_void_p), ("deleter", ctypes.c_void_p)]


class _Versioned(ctypes.Structure):
    _fields_ = [("major", ctypes.c_uint32), ("minor", ctypes.c_uint32), ("context", ctypes.c_void_p),
                ("deleter", ctypes.c_void_p), ("flags", ctypes.c_uint64), ("tensor", _Tensor)]


_KINDS = ((_Managed, b"dltensor", b"used_dltensor"), (_Versioned, b"dltensor_versioned", b"used_dltensor_versioned"))
_api: Any = getattr(ctypes, "pythonapi", None)
_deleter_type = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
_exported: Dict[int, Tuple[Any, ...]] = {}  # by address: what the others have, and what keeps it alive


def _prepare() -> None:
    """Python's own functions for capsules."""
    if _api is None or not hasattr(_api, "PyCapsule_New"):
        raise UnsupportedError("DLPack needs CPython's C interface, which this Python lacks")
    _api.PyCapsule_New.restype = ctypes.py_object
    _api.PyCapsule_New.argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)
    _api.PyCapsule_GetPointer.restype = ctypes.c_void_p
    _api.PyCapsule_GetPointer.argtypes = (ctypes.py_object, ctypes.c_char_p)
    _api.PyCapsule_IsValid.argtypes = (ctypes.py_object, ctypes.c_char_p)
    _api.PyCapsule_SetName.argtypes = (ctypes.py_object, ctypes.c_char_p)


def _let_go(address: int, exported: Dict[int, Tuple[Any, ...]] = _exported) -> None:
    exported.pop(address, None)


_deleter = _deleter_type(_let_go)


def _unused(capsule: int) -> None:
    """A capsule that nobody took is gone. It is an object at its end: only looked at, by its address."""
    valid, pointer = _raw
    for _, name, _ in _KINDS:
        if valid(capsule, name):
            _let_go(pointer(capsule, name))


_destructor = _deleter_type(_unused)
if _api is not None and hasattr(_api, "PyCapsule_New"):
    _flat = ctypes.PyDLL(None)
    _raw = (_flat.PyCapsule_IsValid, _flat.PyCapsule_GetPointer)
    for _f in _raw:
        _f.argtypes = (ctypes.c_void_p, ctypes.c_char_p)
    _raw[1].restype = ctypes.c_void_p


def export(array: Array, max_version: Any = None, device: Any = None, copy: Any = None) -> Any:
    """A capsule of the array: versioned for those who ask for version 1 or later."""
    _prepare()
    if device is not None and tuple(device) != (CPU, 0):
        raise BufferError(f"the array is in the host's memory, not on device {device}")
    versioned = max_version is not None and max_version[0] >= 1
    if array.readonly and not versioned:
        raise BufferError("the array can't be written, which only version 1 of DLPack can say")
    if copy:
        taken = Array.new(array._memory.dtype, array.shape)
        ctypes.memmove(taken.address, array.address, array._memory.bytes)
        array = taken
    kind, name, _ = _KINDS[versioned]
    made = kind()
    kept = _fill(made.tensor, array._memory)
    made.deleter = ctypes.cast(_deleter, ctypes.c_void_p)
    if versioned:
        made.major, made.minor = VERSION
        made.flags = READ_ONLY if array.readonly else 0
    _exported[ctypes.addressof(made)] = (made, kept, array._memory)
    return _api.PyCapsule_New(ctypes.addressof(made), name, ctypes.cast(_destructor, ctypes.c_void_p))


def _fill(t: _Tensor, memory: Memory) -> Any:
    dims = memory.shape
    steps: List[int] = []
    step = 1
    for n in reversed(dims):
        steps.insert(0, step)
        step *= n
    kind = ctypes.c_int64 * max(len(dims), 1)
    shape, strides = kind(*dims), kind(*steps)
    t.data, t.device_type, t.ndim, t.lanes = memory.address, CPU, len(dims), 1
    t.code, t.bits = _CODES[memory.dtype]
    t.shape, t.strides = (ctypes.cast(a, ctypes.POINTER(ctypes.c_int64)) for a in (shape, strides))
    return shape, strides


class _Taken:
    """A tensor that was taken over: it is given back when the last array of it is gone."""

    def __init__(self, address: int, deleter: Optional[int]) -> None:
        self.address, self.deleter = address, deleter

    def __del__(self, kind: Any = _deleter_type) -> None:
        if self.deleter:
            kind(self.deleter)(self.address)


def _capsule(value: Any) -> Any:
    try:
        return value.__dlpack__(max_version=VERSION)
    except TypeError:  # from before version 1
        return value.__dlpack__()


def _is_lazy(value: Any, question: str) -> bool:
    """Whether PyTorch has yet to do to the numbers what it is asked by that name."""
    ask = getattr(value, question, None)
    return callable(ask) and ask() is True


def resolved(value: Any) -> Any:
    """The tensor itself, or a copy with the signs that PyTorch has yet to turn."""
    for question, answer in (("is_conj", "resolve_conj"), ("is_neg", "resolve_neg")):
        if _is_lazy(value, question) and hasattr(value, answer):
            value = getattr(value, answer)()
    return value


def _remedy(value: Any) -> str:
    """What PyTorch's people do about a tensor that is not just numbers in memory."""
    if getattr(value, "requires_grad", False) is True:
        return " of a tensor that requires gradients, give its .detach()"
    if getattr(value, "is_meta", False) is True:
        return " of a tensor on the device meta, which has a shape and no numbers"
    return " of a sparse tensor, give its .to_dense()" if getattr(value, "is_sparse", False) is True else ""


def _asked(value: Any, question: Callable[[], Any]) -> Any:
    """What its maker says, or why that says nothing."""
    try:
        return question()
    except (BufferError, RuntimeError, TypeError, ValueError) as e:
        raise InvalidError(f"its maker gives no memory{_remedy(value)}: {e}") from e


def from_dlpack(value: Any) -> Array:
    """The array of whatever has `__dlpack__`: the same memory, which stays its maker's until this array is gone."""
    if _is_lazy(value, "is_neg"):  # DLPack does not say it: the numbers would come with the wrong sign
        raise InvalidError("its numbers are yet to be negated: give its .resolve_neg()")
    device = _asked(value, getattr(value, "__dlpack_device__", lambda: (CPU, 0)))
    if device[0] != CPU:
        raise UnsupportedError(f"the tensor is on device {tuple(device)}, not in the host's memory")
    _prepare()
    capsule = _asked(value, lambda: _capsule(value))
    for kind, name, used in _KINDS:
        if _api.PyCapsule_IsValid(capsule, name):
            address = _api.PyCapsule_GetPointer(capsule, name)
            _api.PyCapsule_SetName(capsule, used)
            made = kind.from_address(address)
            taken = _Taken(address, made.deleter)
            return _array(made, taken)
    raise InvalidError("what __dlpack__ gave is no capsule of DLPack")


def _array(made: Any, taken: _Taken) -> Array:
    if isinstance(made, _Versioned) and made.major != VERSION[0]:
        raise UnsupportedError(f"the tensor is of DLPack {made.major}.{made.minor}")
    t = made.tensor
    dtype = _TYPES.get((t.code, t.bits), 0)
    if not dtype or t.lanes != 1:
        bits = "" if (t.code, t.bits) == (6, 8) else str(t.bits)
        named = _WORDS.get(t.code, f"DLPack's code {t.code}, ") + bits + f" x {t.lanes}" * (t.lanes != 1)
        raise DtypeError(f"the tensor's elements are {named}, of which there are none here: convert them first")
    shape = tuple(t.shape[:t.ndim])
    _require_dense(t, shape)
    readonly = bool(isinstance(made, _Versioned) and made.flags & READ_ONLY)
    return Array(Memory((t.data or 0) + t.byte_offset, dtype, shape, taken), readonly)


def _require_dense(t: _Tensor, shape: Tuple[int, ...]) -> None:
    step = 1
    for i in reversed(range(0 if 0 in shape else len(shape))):  # where there are no elements, any steps are right
        if t.strides and shape[i] != 1 and t.strides[i] != step:
            raise InvalidError("the tensor is not dense and row-major: copy it first (contiguous())")
        step *= shape[i]


__all__ = ["from_dlpack", "export", "memory_of", "ITEM"]
