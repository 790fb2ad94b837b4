"""errors.py: what goes wrong, as exceptions with the library's own lines. Each status of the library has its class,
which is also the built-in exception that Python people would catch."""
from __future__ import annotations

from typing import Dict, Type


class TenonError(Exception):
    """Any failure of the library. `status` is its number in C, `name` its name."""

    status = 0
    name = "TN_OK"


class InvalidError(TenonError, ValueError):
    """A bad argument, option or value."""


class ShapeError(TenonError, ValueError):
    """Shapes that do not fit."""


class DtypeError(TenonError, TypeError):
    """Element types that do not fit."""


class UnsupportedError(TenonError, NotImplementedError):
    """What a device, or the library, does not do."""


class OutOfMemoryError(TenonError, MemoryError):
    """Out of memory, on the host or the device."""


class FileError(TenonError, OSError):
    """A file could not be read or written."""


class FormatError(TenonError, ValueError):
    """A file's content is not what it should be."""


class DeviceError(TenonError, RuntimeError):
    """The device or its driver failed or was lost."""


class MissingError(TenonError, LookupError):
    """A name that is not there: a file, device, tensor, layer."""


class StateError(TenonError, RuntimeError):
    """A call that is out of order, or on what has been closed."""


_OF: Dict[int, Type[TenonError]] = {}
for _status, (_name, _class) in enumerate([
    ("TN_EINVAL", InvalidError), ("TN_ESHAPE", ShapeError), ("TN_EDTYPE", DtypeError),
    ("TN_EUNSUPPORTED", UnsupportedError), ("TN_ENOMEM", OutOfMemoryError), ("TN_EIO", FileError),
    ("TN_EFORMAT", FormatError), ("TN_EDEVICE", DeviceError), ("TN_EMISSING", MissingError),
    ("TN_ESTATE", StateError),
], start=1):
    _class.status, _class.name = _status, _name
    _OF[_status] = _class


def error_of(status: int, text: str) -> TenonError:
    """The exception for a status of the library."""
    kind = _OF.get(status)
    return kind(text) if kind else TenonError(f"status {status}: {text}")
