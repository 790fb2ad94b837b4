"""parts.py: several inputs and heads of a network: side by side in what the library sees as one sample and one output,
and apart, each in its shape, for networks, losses and callers."""
from __future__ import annotations

import ctypes
import math
from typing import Any, List, Sequence, Tuple

from . import c, ops
from .errors import ShapeError
from .memory import ITEM, Array, memory_of, new_array
from .tensor import Tensor

Shapes = Tuple[Tuple[int, ...], ...]


def shapes_of(arrays: Sequence[Any], what: str) -> Shapes:
    """Of a sample of each."""
    memories = [memory_of(a, c.TN_F32, what=what) for a in arrays]
    if not memories or any(not m.shape for m in memories):
        raise ShapeError(f"{what} are arrays, (count, the sample's shape) each")
    return tuple(m.shape[1:] for m in memories)


def beside(arrays: Any, shapes: Shapes, what: str) -> Any:
    """One array, (count, numbers), f32."""
    if not isinstance(arrays, (tuple, list)) or len(arrays) != len(shapes):
        raise ShapeError(f"{what} are {len(shapes)} arrays, one for each of {list(shapes)}")
    memories = [memory_of(a, c.TN_F32, what=what) for a in arrays]
    counts = {m.shape[:1] for m in memories}
    if len(counts) != 1 or tuple(m.shape[1:] for m in memories) != shapes:
        raise ShapeError(f"{what} are {[m.shape for m in memories]}, not (count,) + each of {list(shapes)}")
    (count,) = counts.pop()
    widths = [ITEM[c.TN_F32] * math.prod(s) for s in shapes]
    made = Array.new(c.TN_F32, (count, sum(widths) // ITEM[c.TN_F32]))
    for i in range(count):
        to = made.address + i * sum(widths)
        for memory, width in zip(memories, widths):
            ctypes.memmove(to, memory.address + i * width, width)
            to += width
    return made


def apart(x: Tensor, shapes: Shapes) -> Tuple[Tensor, ...]:
    """The parts of a batch, (batch,) + each shape."""
    parts: List[Tensor] = []
    batch, start = x.shape[0], 0
    x = ops.reshape(x, (batch, -1))
    for shape in shapes:
        width = math.prod(shape)
        parts.append(ops.reshape(ops.slice(x, 1, start, width), (batch,) + shape))
        start += width
    return tuple(parts)


def together(parts: Sequence[Tensor]) -> Tensor:
    """Heads as one output, (batch, numbers)."""
    return ops.concat([ops.reshape(p, (p.shape[0], -1)) for p in parts], 1)


def arrays_apart(out: Any, shapes: Shapes) -> Tuple[Any, ...]:
    """The parts of outputs, each an array of its own."""
    whole = memory_of(out, c.TN_F32)
    count, row, start, made = whole.shape[0], ITEM[c.TN_F32] * math.prod(whole.shape[1:]), 0, []
    for shape in shapes:
        width = ITEM[c.TN_F32] * math.prod(shape)
        part, memory = new_array(c.TN_F32, (count,) + shape)
        for i in range(count):
            ctypes.memmove(memory.address + i * width, whole.address + i * row + start, width)
        made.append(part)
        start += width
    return tuple(made)
