#!/usr/bin/env python3
"""Writes golden_arrays.inc: files as NumPy writes them.

    python3 tests/data/golden_arrays.py > tests/data/golden_arrays.inc

Element number i of an array, in row-major order, is i * 7 % 23 - 5, or without the - 5 where it has no sign; labels are
i % 3."""
import io

import numpy as np


def numbers(shape, dtype):
    dtype = np.dtype(dtype)
    x = np.arange(int(np.prod(shape))) * 7 % 23 - (0 if dtype.kind in "ub" else 5)
    return (x % 2 if dtype.kind == "b" else x).astype(dtype).reshape(shape)


def emit(name, data):
    print(f"static const unsigned char {name}[] = {{{','.join(str(b) for b in data)}}};")


def npy(x):
    file = io.BytesIO()
    np.save(file, x)
    return file.getvalue()


def npz(save, **arrays):
    file = io.BytesIO()
    save(file, **arrays)
    return file.getvalue()


for name, x in {
    "f4": numbers((3, 4), "<f4"), "f8_big": numbers((3, 4), ">f8"), "i8": numbers((12,), "<i8"),
    "i2_big": numbers((2, 6), ">i2"), "u1": numbers((3, 4), "u1"), "u4": numbers((3, 4), "<u4"),
    "bool": numbers((3, 4), "?"), "scalar": numbers((), "<f8"), "empty": numbers((0, 4), "<f4"),
    "fortran": np.asfortranarray(numbers((2, 3, 2), "<f4")),
}.items():
    emit(f"npy_{name}", npy(x))
label = (np.arange(12) % 3).astype("<i8")
emit("npz_pictures", npz(np.savez_compressed, x=numbers((12, 5, 4), "u1"), y=label))
emit("npz_parts", npz(np.savez, x_train=numbers((6, 3), "<f8"), y_train=numbers((6, 2), "<f4"),
                      x_test=numbers((2, 3), "<f8"), y_test=numbers((2, 2), "<f4")))
emit("npz_alone", npz(np.savez_compressed, whatever=numbers((3, 4), "<f4")))
emit("npz_colour", npz(np.savez_compressed, x=numbers((2, 4, 5, 3), "u1"), y=numbers((2, 1), "<f8")))
