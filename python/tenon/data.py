"""data.py: data sets: samples and their targets, from arrays, which are used where they lie, or from files."""
from __future__ import annotations

import ctypes
import functools
import math
import os
import time
from typing import Any, Callable, Iterator, List, Optional, Tuple

from . import c
from ._build import dtype as dtype_of, shape as shape_of
from ._library import Handle, check, lib, not_pickled, text
from .errors import InvalidError, ShapeError
from .memory import ITEM, Array, Memory, memory_of, numpy


# Batches of samples that only go through: measure.c.
BATCH_MOST, BATCH_LEAST, BATCH_BYTES = 1000, 10, 16 << 20
FIRST = 4  # of them in the first part


def samples_of(x: Any) -> Memory:
    """Bytes stay bytes, whole numbers become i32, others f32."""
    found = memory_of(x, what="samples")
    wanted = found.dtype if found.dtype in (c.TN_U8, c.TN_I32) else c.TN_F32
    return memory_of(x, wanted, what="samples") if found.dtype != wanted else found


def _is_whole(y: Any) -> bool:
    kind = getattr(getattr(y, "dtype", None), "kind", None)
    if kind is not None:
        return kind in "iub"
    return memory_of(y).dtype in (c.TN_I32, c.TN_U8)


def _free(free: Callable[[Any], None], _kept: Any, pointer: Any) -> None:
    """Lets go of what the library made, and of what Python kept for it."""
    free(pointer)


class Dataset:
    """Samples x, (count, the sample's shape): bytes, which are levels to be divided by 255, or f32, or i32 numbers; and
    what belongs to them: labels, i32 (count) from 0 to classes - 1, or targets, f32 (count, ...). `sample_weight`,
    (count), says how often each counts in losses and accuracy, 0 or from 1e-18 to 1e18. Of arrays that are dense and of these types nothing is
    copied; they stay alive as long as this does."""

    __reduce__ = not_pickled

    def __init__(self, x: Any, y: Any = None, *, classes: int = 0, labels: Optional[bool] = None,
                 sample_weight: Any = None, name: str = "the arrays") -> None:
        self.struct = c.tn_dataset()
        self._kept: List[Any] = [name.encode()]
        self._owner: Optional[Handle] = None
        memory = samples_of(x)
        self._x: Optional[Memory] = memory
        self._kept.append(memory)
        if not memory.shape:
            raise ShapeError("samples are (count, the sample's shape), not a number")
        s = self.struct
        s.count, s.sample, s.x_dtype, s.x = memory.shape[0], shape_of(memory.shape[1:]), memory.dtype, memory.address
        s.source = self._kept[0]
        if y is not None:
            self._take_targets(y, classes, labels)
        self._take_weights(sample_weight)

    def _take_weights(self, sample_weight: Any) -> None:
        if sample_weight is None:
            return
        memory = memory_of(sample_weight, c.TN_F32, what="sample_weight")
        if memory.shape != (self.struct.count,):
            raise ShapeError(f"sample_weight is {memory.shape}, and there are {self.struct.count} samples")
        self._kept.append(memory)
        self.struct.weight = memory.address
        check(lib.tn_dataset_check_weights(ctypes.byref(self.struct)))

    def _take_targets(self, y: Any, classes: int, labels: Optional[bool]) -> None:
        s = self.struct
        if labels is None:
            labels = _is_whole(y)
        memory = memory_of(y, c.TN_I32 if labels else c.TN_F32, what="labels" if labels else "targets")
        if not memory.shape or memory.shape[0] != s.count:
            raise ShapeError(f"there are {s.count} samples, and what belongs to them is {memory.shape}")
        self._kept.append(memory)
        if labels:
            self._take_labels(memory, classes)
            return
        s.target, s.targets = memory.address, 1
        for n in memory.shape[1:]:
            s.targets *= n

    def _take_labels(self, memory: Memory, classes: int) -> None:
        if len(memory.shape) > 1 and memory.shape[1:] != (1,):
            raise ShapeError(f"labels are ({self.struct.count},), not {memory.shape}")
        self.struct.label, self.struct.classes = memory.address, classes or _most(memory) + 1

    @classmethod
    def from_function(cls, count: int, sample: Any, fill: Callable[[int], Any], *, classes: int = 0, targets: int = 0,
                      dtype: Any = "f32", sample_weight: Any = None, name: str = "a function") -> "Dataset":
        """Samples that are made as they are needed: fill(i) gives sample number i, or (sample, label or targets). The
        library's threads call it, in any order, while the device computes; each time it gives the same."""
        made = cls.__new__(cls)
        made._x, made._owner, made.struct = None, None, c.tn_dataset()
        source = _source(fill, dtype_of(dtype), tuple(sample), classes, targets)
        loader = ctypes.c_void_p()
        check(lib.tn_loader_new(ctypes.byref(source), ctypes.byref(loader)))
        handle = Handle(loader.value, functools.partial(_free, lib.tn_loader_free, source))
        made._kept = [name.encode(), source, handle]
        s = made.struct
        s.count, s.sample, s.x_dtype, s.loader = count, shape_of(sample), dtype_of(dtype), loader.value
        s.classes, s.targets, s.source = classes, targets, made._kept[0]
        made._take_weights(sample_weight)
        return made

    @classmethod
    def _of(cls, struct: c.tn_dataset) -> "Dataset":
        """One that the library made, and frees."""
        made = cls.__new__(cls)
        made.struct, made._kept, made._x = struct, [], None
        made._owner = Handle(ctypes.addressof(struct), functools.partial(_free, lib.tn_dataset_free, struct))
        return made

    def __len__(self) -> int:
        return self.struct.count

    @property
    def sample(self) -> Tuple[int, ...]:
        """A sample's shape."""
        return tuple(self.struct.sample.dim[:self.struct.sample.rank])

    @property
    def classes(self) -> int:
        """How many classes the labels are of; 0: there are none."""
        return self.struct.classes

    def _array(self, address: Optional[int], dtype: int, shape: Tuple[int, ...]) -> Any:
        if not address:
            return None
        return Array(Memory(address, dtype, shape, self)).array()

    @property
    def x(self) -> Any:
        """The samples, where they lie; None for those that are read as they are needed (`load`)."""
        return self._array(self.struct.x, self.struct.x_dtype, (len(self),) + self.sample)

    @property
    def y(self) -> Any:
        """The labels or targets, where they lie; None: there are none."""
        if self.struct.label:
            return self._array(self.struct.label, c.TN_I32, (len(self),))
        return self._array(self.struct.target, c.TN_F32, (len(self), self.struct.targets))

    @property
    def sample_weight(self) -> Any:
        """How often each sample counts, where these numbers lie; None: once."""
        return self._array(self.struct.weight, c.TN_F32, (len(self),))

    def parts(self, seconds: float) -> Iterator[Tuple[int, c.tn_dataset]]:
        """The samples in parts, for calls of about so many seconds each: where a part begins, and the part. They are of
        whole batches as the library makes them for so many samples, whose numbers are then the same as in one part."""
        size = math.prod(self.sample) * ITEM.get(self.struct.x_dtype, 4)
        batch = min(max(BATCH_BYTES // max(4 * math.prod(self.sample), 1), BATCH_LEAST), BATCH_MOST)
        start, count = 0, FIRST * batch if self.struct.x else len(self)
        while start < len(self):
            part = c.tn_dataset.from_buffer_copy(self.struct)
            part.count = min(count, len(self) - start)
            if self.struct.x:
                part.x = self.struct.x + start * size
            began = time.monotonic()
            yield start, part
            start += part.count
            faster = min(seconds / max(time.monotonic() - began, 1e-9), 8)
            count = max(int(count * faster) // batch, 1) * batch

    def not_finite(self) -> Optional[int]:
        """The first sample with numbers that are NaN or infinite; None: there is none, or they are not in memory."""
        if not self.struct.x or self.struct.x_dtype != c.TN_F32:
            return None
        size = math.prod(self.sample)
        flat = Array(Memory(self.struct.x, c.TN_F32, (len(self) * size,), self))
        np = numpy()
        if np is not None:
            wrong = np.flatnonzero(~np.isfinite(flat.array()))
            return int(wrong[0]) // size if len(wrong) else None
        return next((i // size for i, n in enumerate(flat.tolist()) if not math.isfinite(n)), None)

    def load(self) -> "Dataset":
        """Reads all samples into memory."""
        check(lib.tn_dataset_load(ctypes.byref(self.struct)))
        return self

    def split(self, share: float, seed: int = 0) -> Tuple["Dataset", "Dataset"]:
        """Two data sets: the first without a share (0..1) of the samples, which the seed chooses, the second with
        them."""
        count = len(self)
        if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 < share < 1:
            raise InvalidError(f"the share that is set apart is a number between 0 and 1, not {share!r}")
        part = min(max(int(round(count * share)), 1), count - 1)
        if count < 2:
            raise InvalidError("a data set of one sample can't be split")
        order = (ctypes.c_int32 * count)()
        lib.tn_shuffle(order, count, seed, 0)
        return self._rows(sorted(order[part:])), self._rows(sorted(order[:part]))

    def _rows(self, rows: List[int]) -> "Dataset":
        x = _gathered(self.x, rows)
        y = _gathered(self.y, rows) if self.y is not None else None
        weight = _gathered(self.sample_weight, rows) if self.struct.weight else None
        return Dataset(x, y, classes=self.classes, labels=bool(self.struct.label) if y is not None else None,
                       sample_weight=weight)

    def __repr__(self) -> str:
        of = f"{self.classes} classes" if self.classes else f"{self.struct.targets} targets"
        return f"tenon.Dataset({len(self)} samples of {self.sample}, {of})"


def _source(fill: Callable[[int], Any], dtype: int, sample: Tuple[int, ...], classes: int,
            targets: int) -> c.tn_source:
    """A source of samples for the library; an exception becomes its message."""
    def write(value: Any, kind: int, shape: Tuple[int, ...], to: int) -> None:
        memory = memory_of(value, kind)
        if memory.shape != shape:
            raise ShapeError(f"it is {memory.shape}, not {shape}")
        ctypes.memmove(to, memory.address, memory.bytes)

    def call(_arg: Any, index: int, x: int, target: int, msg: int) -> int:
        try:
            made = fill(index)
            first, *rest = made if classes or targets else (made,)
            write(first, dtype, sample, x)
            if target and classes:
                write(int(rest[0]), c.TN_I32, (), target)
            elif target:
                write(rest[0], c.TN_F32, (targets,), target)
            return c.TN_OK
        except Exception as e:  # it can't pass through C
            _say(msg, f"{type(e).__name__}: {e}")
            return getattr(e, "status", 0) or c.TN_EINVAL

    kinds: Any = {f[0]: f[1] for f in c.tn_source._fields_}
    return c.tn_source(kinds["fill"](call), kinds["close"](), None)


def _say(msg: Optional[int], line: str) -> None:
    """A line into a message of the library."""
    if not msg:
        return
    to = c.tn_msg.from_address(msg)
    data = line.encode()[:max(to.capacity - 1, 0)] + b"\0"
    if to.capacity:
        ctypes.memmove(ctypes.cast(ctypes.byref(to), ctypes.POINTER(ctypes.c_void_p))[0], data, len(data))


def _most(memory: Memory) -> int:
    np = numpy()
    array = Array(memory).array()
    if memory.shape[0] == 0:
        return 0
    return int(array.max()) if np is not None else max(array.tolist())


def _gathered(array: Any, rows: List[int]) -> Any:
    """Those rows of an array, copied."""
    if array is None:
        raise InvalidError("samples that are read as they are needed can't be split: load() them first")
    source = memory_of(array)
    out = Array.new(source.dtype, (len(rows),) + source.shape[1:])
    size = out._memory.bytes // max(len(rows), 1)
    for i, row in enumerate(rows):
        ctypes.memmove(out.address + i * size, source.address + row * size, size)
    return out


def open_dataset(name: Any, *, seed: int = 1, target: Optional[str] = None,
                 sample_weight: Optional[str] = None) -> Tuple[Dataset, Dataset]:
    """A training and a test set by a name: "digits" or "digits-rgb", drawn by the library, "digits:1000", a folder
    with MNIST's files or with images, an .npz, .safetensors or CSV file. `target`: the column of a table to predict;
    `sample_weight`: the one that says how often each row counts."""
    train, test, options = c.tn_dataset(), c.tn_dataset(), c.tn_csv_options()
    options.classify = c.TN_CLASSIFY_AUTO
    if target is not None:
        options.target = target.encode()
    if sample_weight is not None:
        options.weights = sample_weight.encode()
    check(lib.tn_dataset_open(os.fsencode(name), seed, ctypes.byref(options), ctypes.byref(train),
                              ctypes.byref(test)))
    return Dataset._of(train), Dataset._of(test)


def dataset_of(x: Any, y: Any, classes: int = 0, labels: Optional[bool] = None, sample_weight: Any = None) -> Dataset:
    """A data set, or one of arrays."""
    if not isinstance(x, Dataset):
        return Dataset(x, y, classes=classes, labels=labels, sample_weight=sample_weight)
    if sample_weight is not None:
        raise InvalidError("a Dataset has its own weights: Dataset(x, y, sample_weight=...)")
    return x


def column_names(data: Dataset) -> List[str]:
    """The names of a table's columns, if it has them."""
    return text(data.struct.column_names).splitlines()
