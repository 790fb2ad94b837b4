"""memory.py: arrays that lie in the host's memory, wherever they come from: the buffer protocol (NumPy's, array.array,
bytes), DLPack (PyTorch's and others'), or nested lists. NumPy is used where it is installed, and not needed."""
from __future__ import annotations

import ctypes
import math
import struct
import sys
import warnings
from array import array
from typing import Any, Dict, List, Optional, Tuple

from . import c
from ._build import NAMES, WHOLE
from .errors import DtypeError, InvalidError, ShapeError, TenonError

ITEM = {c.TN_F32: 4, c.TN_I32: 4, c.TN_U8: 1, c.TN_I8: 1, c.TN_F16: 2, c.TN_BF16: 2, c.TN_F64: 8}
ORDER = "<" if sys.byteorder == "little" else ">"  # of bytes, in NumPy's words
CODES = {c.TN_F32: "f", c.TN_I32: "i", c.TN_U8: "B", c.TN_I8: "b", c.TN_F16: "e", c.TN_F64: "d"}  # bf16 has none
_OF_FORMAT = {"f": c.TN_F32, "i": c.TN_I32, "l": c.TN_I32, "B": c.TN_U8, "b": c.TN_I8, "?": 0, "e": c.TN_F16,
              "d": c.TN_F64}


_ROUNDED_TO_INFINITY = {c.TN_F16: 65520.0, c.TN_F32: 2.0 ** 128 - 2.0 ** 103}  # from these numbers on


class _Buffer(ctypes.Structure):  # Py_buffer of CPython's stable ABI
    _fields_ = [("buf", ctypes.c_void_p), ("obj", ctypes.py_object), ("len", ctypes.c_ssize_t),
                ("itemsize", ctypes.c_ssize_t), ("readonly", ctypes.c_int), ("ndim", ctypes.c_int),
                ("format", ctypes.c_char_p), ("shape", ctypes.POINTER(ctypes.c_ssize_t)),
                ("strides", ctypes.c_void_p), ("suboffsets", ctypes.c_void_p), ("internal", ctypes.c_void_p)]


_api = getattr(ctypes, "pythonapi", None) if sys.implementation.name == "cpython" else None
_nothing = ctypes.create_string_buffer(64)  # where no elements are, of which others say NULL
_FULL, _WRITABLE = 0x0008 | 0x0010 | 0x0004 | 0x0020, 0x0001  # shape, strides, format, contiguous in C's order
if _api:
    _get = _api.PyObject_GetBuffer
    _get.argtypes, _get.restype = (ctypes.py_object, ctypes.c_void_p, ctypes.c_int), ctypes.c_int
    _release = ctypes.PyDLL(None).PyBuffer_Release
    _release.argtypes, _release.restype = (ctypes.c_void_p,), None


_FORMATS = {code.encode(): dtype for code, dtype in _OF_FORMAT.items() if dtype}


class Borrower:
    """Borrows the memory of one array after another, for as long as a call: faster than a Memory. One thread's at a
    time."""

    __slots__ = ("_view", "_at")

    def __init__(self) -> None:
        self._view = _Buffer()
        self._at = ctypes.addressof(self._view)

    def take(self, value: Any, dtype: int, shape: List[int], flags: int) -> int:
        """The address of an array that is just that, until `release`; 0: it is something else, and nothing is to be
        released."""
        if _api is None or hasattr(value, "mask"):
            return 0
        try:
            _get(value, self._at, flags)
        except (BufferError, TypeError, ValueError):
            return 0
        view = self._view
        if _FORMATS.get(view.format) == dtype and view.itemsize == ITEM[dtype] and view.shape[:view.ndim] == shape:
            return view.buf or 0
        _release(self._at)
        return 0

    def release(self) -> None:
        """Gives it back."""
        _release(self._at)


READ, WRITE = _FULL, _FULL | _WRITABLE


class Memory:
    """Dense memory, row-major: where it is, what lies there, and who keeps it."""

    __slots__ = ("address", "bytes", "shape", "dtype", "owner", "_view")

    def __init__(self, address: int, dtype: int, shape: Tuple[int, ...], owner: Any, view: Any = None) -> None:
        self.address = address if address or 0 not in shape else ctypes.addressof(_nothing)
        self.dtype, self.shape, self.owner, self._view = dtype, shape, owner, view
        self.bytes = ITEM[dtype]
        for n in shape:
            self.bytes *= n

    def __del__(self) -> None:
        if self._view is not None and _release:
            _release(ctypes.addressof(self._view))
            self._view = None


_numpy: Any = False  # not looked for yet


def numpy() -> Any:
    """NumPy, or None where it is not installed."""
    global _numpy
    if _numpy is False:
        try:
            import numpy as found
            _numpy = found
        except ImportError:
            _numpy = None
    return _numpy




def _of_buffer(value: Any, writable: bool) -> Optional[Memory]:
    """The memory of what has the buffer protocol, as it is; None where it is not dense, or has no such elements."""
    if _api is None:
        return _of_view(value, writable)
    view = _Buffer()
    try:
        _get(value, ctypes.addressof(view), _FULL | (_WRITABLE if writable else 0))
    except (BufferError, TypeError, ValueError):
        return None
    code = (view.format or b"B").decode().lstrip("@=<")
    dtype = _OF_FORMAT.get(code, 0)
    if not dtype or ITEM[dtype] != view.itemsize:
        _release(ctypes.addressof(view))
        return None
    return Memory(view.buf or 0, dtype, tuple(view.shape[:view.ndim]), value, view)


def _of_view(value: Any, writable: bool) -> Optional[Memory]:
    """The same by a memoryview: where Python's C interface is not there. What can't be written is copied."""
    try:
        view = memoryview(value)
    except TypeError:
        return None
    dtype = _OF_FORMAT.get(view.format.lstrip("@=<"), 0)
    if not view.c_contiguous or not dtype or ITEM[dtype] != view.itemsize or (writable and view.readonly):
        return None
    flat = view.cast("B") if view.nbytes else memoryview(bytearray(1))
    kind = ctypes.c_char * flat.nbytes
    kept = kind.from_buffer_copy(flat) if view.readonly else kind.from_buffer(flat)
    return Memory(ctypes.addressof(kept), dtype, tuple(view.shape or ()), (kept, value))


def _flatten(value: Any, out: List[float]) -> Tuple[int, ...]:
    """The numbers of nested lists, and their shape."""
    if not isinstance(value, (list, tuple)):
        out.append(value)
        return ()
    shapes = {_flatten(v, out) for v in value}
    if len(shapes) > 1:
        raise ShapeError(f"the lists are of different lengths: {sorted(shapes)}")
    return (len(value),) + (shapes.pop() if shapes else ())


def _warn_of_overflow(what: str, dtype: int) -> None:
    """As NumPy does, but that the array is named, and the line is the caller's."""
    frame, level = sys._getframe(), 1
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] == __name__.partition(".")[0]:
        frame, level = frame.f_back, level + 1
    warnings.warn(f"{what}: numbers beyond {NAMES[dtype]} become infinite", RuntimeWarning, stacklevel=level)


def _check_array(array: Any, dtype: int, what: str) -> None:
    """That converting NumPy's array loses nothing but a fraction's last digits, and what becomes infinite."""
    np: Any = numpy()
    if array.dtype.kind not in "biuf":
        raise DtypeError(f"{what}: elements of {array.dtype} are no real numbers")
    if dtype not in WHOLE or not array.size or array.dtype.kind == "b":
        return
    low, high = WHOLE[dtype]
    wrong = (array < low) | (array > high)
    if array.dtype.kind == "f":
        wrong |= ~np.isfinite(array) | (array != np.floor(array))
    if wrong.any():
        at = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise DtypeError(f"{what}: {array[at]} at {at} is no {NAMES[dtype]}")


def _check_numbers(numbers: List[Any], dtype: int, what: str) -> None:
    """The same of a list."""
    low, high = WHOLE.get(dtype, (-math.inf, math.inf))
    for i, n in enumerate(numbers):
        if not isinstance(n, (int, float)):
            raise DtypeError(f"{what}: an element is a {type(n).__name__}, not a real number")
        if dtype in WHOLE and not (low <= n <= high and n == int(n)):
            raise DtypeError(f"{what}: {n}, number {i}, is no {NAMES[dtype]}")


def _converted(value: Any, dtype: int, what: str) -> Memory:
    """A copy of the numbers, as elements of that type."""
    if dtype not in CODES:
        raise DtypeError(f"{NAMES[dtype]} has no form in Python: give f32 and cast it in the graph")
    np = numpy()
    if np is not None:
        try:
            array_of = np.asarray(value)
        except ValueError as e:
            raise ShapeError(f"{what}: {e}") from None
        if array_of.dtype.kind == "O":
            raise DtypeError(f"{what}: a {type(value).__name__} is no array of numbers")
        _check_array(array_of, dtype, what)
        try:
            with np.errstate(over="raise"):
                made = array_of.astype(CODES[dtype], order="C")
        except FloatingPointError:
            _warn_of_overflow(what, dtype)
            with np.errstate(over="ignore"):
                made = array_of.astype(CODES[dtype], order="C")
        return _of_buffer(made, False) or Memory(0, dtype, (), made)
    return _converted_list(value, dtype, what)


def _converted_list(value: Any, dtype: int, what: str) -> Memory:
    """The same without NumPy."""
    if not isinstance(value, (list, tuple, int, float, complex)):
        if not hasattr(value, "tolist"):
            raise DtypeError(f"{what}: a {type(value).__name__} is no array of numbers")
        value = value.tolist()
    numbers: List[float] = []
    shape = _flatten(value, numbers)
    _check_numbers(numbers, dtype, what)
    most = _ROUNDED_TO_INFINITY.get(dtype, math.inf)
    if any(most <= abs(n) < math.inf for n in numbers):
        _warn_of_overflow(what, dtype)
        numbers = [math.copysign(math.inf, n) if abs(n) >= most else n for n in numbers]
    if dtype == c.TN_F16:
        made: Any = bytearray(struct.pack(f"{len(numbers)}e", *numbers))
    else:
        made = array(CODES[dtype], numbers if dtype in (c.TN_F32, c.TN_F64) else [int(n) for n in numbers])
    flat = _of_buffer(made, False)
    return Memory(flat.address if flat else 0, dtype, shape, (flat, made))


def memory_of(value: Any, dtype: int = 0, writable: bool = False, what: str = "the array") -> Memory:
    """The memory of an array: as it is, where it is dense and of that type (0: any); else a copy, converted, and it is
    an error, which says `what` it is, if an element has no like of that type. Of floating point one beyond it becomes
    infinite, with a RuntimeWarning, as with NumPy."""
    if _is_masked(value):
        raise InvalidError(f"{what}: elements are masked: fill them first")
    found = value if isinstance(value, Memory) else getattr(value, "_memory", None)
    if found is None:
        found = _of_buffer(value, writable)
    if found is None and hasattr(value, "__dlpack__") and not hasattr(value, "__array_interface__"):
        value = _taken_over(value, writable, what)
        found = getattr(value, "_memory", None)
    if found is not None and dtype in (0, found.dtype):
        return found
    if writable:
        raise DtypeError(f"it takes an array of {NAMES.get(dtype, 'numbers')} that is dense and can be written")
    if found is not None and found.dtype == c.TN_BF16:
        raise DtypeError(f"{what}: an array of bf16 is not converted: cast it where it is made")
    return _converted(value if found is None or not hasattr(value, "_memory") else value.array(),
                      dtype or _natural(value), what)


def _is_masked(value: Any) -> bool:
    """Whether it is an array of numpy.ma with elements that are not there."""
    np = numpy() if hasattr(value, "mask") else None
    return np is not None and isinstance(value, np.ma.MaskedArray) and bool(np.ma.getmaskarray(value).any())


def _taken_over(value: Any, writable: bool, what: str) -> Any:
    """What DLPack gives, without copying; or NumPy's array of what it can't give."""
    from .dlpack import from_dlpack, resolved
    try:
        value = value if writable else resolved(value)
        return from_dlpack(value)
    except TenonError as refused:
        np = numpy()
        try:
            if np is not None and hasattr(value, "__array__"):
                return np.asarray(value)
        except (RuntimeError, TypeError, ValueError):
            pass  # what DLPack said is as good
        raise type(refused)(f"{what}: {refused}") from refused


def _natural(value: Any) -> int:
    """The type for numbers that say none of ours: whole ones are i32, others f32."""
    code = getattr(getattr(value, "dtype", None), "kind", None)
    if code is None:
        numbers: List[float] = []
        _flatten(value, numbers)
        code = "i" if numbers and all(isinstance(n, int) for n in numbers) else "f"
    return c.TN_I32 if code in "iub" else c.TN_F32


def new_array(dtype: int, shape: Tuple[int, ...]) -> Tuple[Any, Memory]:
    """An array for results, and its memory: NumPy's where it is installed and has the type, else an Array."""
    np = numpy()
    if dtype not in CODES or np is None:
        made = Array.new(dtype, shape)
        return made, made._memory
    made = np.empty(shape, CODES[dtype])
    found = _of_buffer(made, True)
    assert found is not None
    return made, found


def _nested(numbers: List[Any], shape: Tuple[int, ...]) -> Any:
    """A flat list as nested ones."""
    if not shape:
        return numbers[0]
    for n in reversed(shape[1:]):
        numbers = [numbers[i * n:(i + 1) * n] for i in range(len(numbers) // n)] if n else [[] for _ in range(shape[0])]
    return numbers


def _numbers(memory: Memory) -> List[Any]:
    """The elements of memory, one after another."""
    count = memory.bytes // ITEM[memory.dtype]
    kind: Any = {c.TN_F32: ctypes.c_float, c.TN_F64: ctypes.c_double, c.TN_I32: ctypes.c_int32, c.TN_U8: ctypes.c_uint8,
            c.TN_I8: ctypes.c_int8,
            c.TN_F16: ctypes.c_uint16, c.TN_BF16: ctypes.c_uint16}[memory.dtype]
    found = list((kind * count).from_address(memory.address)) if count else []
    if memory.dtype == c.TN_BF16:  # the upper half of an f32
        return list(struct.unpack(f"{count}f", struct.pack(f"{count}I", *[n << 16 for n in found])))
    if memory.dtype == c.TN_F16:
        return list(struct.unpack(f"{count}e", struct.pack(f"{count}H", *found)))
    return found


def _shown(value: Any) -> str:
    """Numbers for people: of each dimension the first three and the last, in their shortest form."""
    if not isinstance(value, Array) or not value.shape:
        number = value if not isinstance(value, Array) else value.tolist()
        return f"{number:.6g}" if isinstance(number, float) else str(number)
    count = len(value)
    parts = [_shown(value[i]) for i in range(min(count, 3))]
    return "[" + ", ".join(parts + ["..."] * (count > 4) + [_shown(value[count - 1])] * (count > 3)) + "]"


def _restored(numbers: bytes, dtype: int, shape: Tuple[int, ...], readonly: bool) -> "Array":
    made = Array.new(dtype, shape)
    ctypes.memmove(made.address, numbers, len(numbers))
    made.readonly = readonly
    return made


class Array:
    """Numbers in memory that somebody else keeps, or our own: what DLPack gave, a variable of a state. NumPy and
    PyTorch take it without copying (numpy.asarray, from_dlpack)."""

    def __init__(self, memory: Memory, readonly: bool = False) -> None:
        self._memory, self.readonly = memory, readonly

    @classmethod
    def new(cls, dtype: int, shape: Tuple[int, ...]) -> "Array":
        """Memory of its own, all zeros."""
        made = Memory(0, dtype, tuple(shape), None)
        made.owner = ctypes.create_string_buffer(max(made.bytes, 1) + 64)
        made.address = (ctypes.addressof(made.owner) + 63) // 64 * 64
        return cls(made)

    def __reduce__(self) -> Any:
        """A copy of the numbers: an address means nothing elsewhere."""
        return _restored, (ctypes.string_at(self.address, self._memory.bytes), self._memory.dtype, self.shape,
                           self.readonly)

    @property
    def shape(self) -> Tuple[int, ...]:
        """The size of each dimension."""
        return self._memory.shape

    @property
    def dtype(self) -> str:
        """The element type: "f32" and so on."""
        return NAMES[self._memory.dtype]

    @property
    def address(self) -> int:
        """Where the first element lies."""
        return self._memory.address

    @property
    def __array_interface__(self) -> Dict[str, Any]:
        if self._memory.dtype not in CODES:
            raise DtypeError("NumPy has no bf16")
        kind = {"i": "i", "b": "i", "B": "u"}.get(CODES[self._memory.dtype], "f")
        return {"shape": self.shape, "typestr": f"{ORDER}{kind}{ITEM[self._memory.dtype]}",
                "data": (self.address, self.readonly), "version": 3}

    def view(self) -> memoryview:
        """A memoryview of it, which keeps it alive: flat."""
        kept: Any = (ctypes.c_char * self._memory.bytes).from_address(self.address)
        kept._owner = self._memory
        flat: Any = memoryview(kept).cast("B")
        return flat.cast(CODES.get(self._memory.dtype, "B"))

    def array(self) -> Any:
        """NumPy's array of this memory, or this where there is no NumPy."""
        np = numpy()
        return np.asarray(self) if np is not None and self._memory.dtype in CODES else self

    def tolist(self) -> Any:
        """Its numbers as nested lists."""
        return _nested(_numbers(self._memory), self.shape)

    def __getitem__(self, index: int) -> Any:
        """A number of an array of one dimension; part of the first of several."""
        if not self.shape or not -self.shape[0] <= index < self.shape[0]:
            raise IndexError(f"index {index} of an array of {self.shape}")
        rest = self.shape[1:]
        part = Memory(0, self._memory.dtype, rest, self._memory)
        part.address = self.address + index % self.shape[0] * part.bytes
        return Array(part, self.readonly) if rest else _numbers(part)[0]

    def __dlpack__(self, *, stream: Any = None, max_version: Any = None, dl_device: Any = None,
                   copy: Any = None) -> Any:
        from .dlpack import export
        return export(self, max_version, dl_device, copy)

    def __dlpack_device__(self) -> Tuple[int, int]:
        return (1, 0)

    def __len__(self) -> int:
        return self.shape[0]

    def __repr__(self) -> str:
        return f"tenon.Array({_shown(self)}, {self.dtype}, {self.shape})"
