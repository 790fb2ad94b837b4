"""device.py: which devices there are, and opening one."""
from __future__ import annotations

import ctypes
import os
from typing import Any, List, NamedTuple, Optional

from . import c
from ._library import Handle, check, lib, text
from .errors import InvalidError

KINDS = {c.TN_DEVICE_CPU: "cpu", c.TN_DEVICE_GPU: "gpu", c.TN_DEVICE_ACCELERATOR: "accelerator"}


class DeviceInfo(NamedTuple):
    """What a device says of itself. `name` opens it, `title` is for people; memory in bytes, 0: not known."""

    name: str
    title: str
    vendor: str
    driver: str
    kind: str
    units: int
    memory: int


def _info(name: str, info: c.tn_device_info) -> DeviceInfo:
    return DeviceInfo(name, text(info.name), text(info.vendor), text(info.driver), KINDS.get(info.kind, "other"),
                      info.units, info.memory)


def devices() -> List[DeviceInfo]:
    """The devices of all backends, the reference last. Starts all of their drivers."""
    found: List[DeviceInfo] = []
    entry = c.tn_device_entry()
    while lib.tn_device_at(len(found), ctypes.byref(entry)):
        found.append(_info(text(entry.name), entry.info))
    return found


class BackendInfo(NamedTuple):
    """A backend that was found. `problem` says why it is not used; None: it is."""

    id: str
    version: str
    doc: str
    file: str
    problem: Optional[str]
    devices: int


def backends() -> List[BackendInfo]:
    """The backends that were found."""
    found: List[BackendInfo] = []
    report = c.tn_backend_report()
    while lib.tn_backend_at(len(found), ctypes.byref(report)):
        problem = text(report.problem) if report.problem else None
        found.append(BackendInfo(text(report.id), text(report.version), text(report.doc), text(report.file), problem,
                                 report.devices))
    return found


def load_backend(path: Any) -> None:
    """Loads one more backend from a file."""
    check(lib.tn_backend_load(os.fsencode(path)))


def backend_option(backend: str, key: str, value: str) -> None:
    """Sets an option of a backend before its first device is used: backend_option("opencl", "platform", "pocl")."""
    check(lib.tn_backend_option(backend.encode(), key.encode(), value.encode()))


class Device:
    """An open device: "cpu", "opencl:0", a part of a human name, or "auto", the fastest. Close it, or use it in a
    `with`, or leave that to Python."""

    def __init__(self, name: str = "auto") -> None:
        if not isinstance(name, str):
            raise InvalidError(f"device={name!r}: it takes a Device or its name, such as 'cpu' or 'auto'")
        opened = ctypes.c_void_p()
        check(lib.tn_device_open(name.encode(), ctypes.byref(opened)))
        self._handle = Handle(opened.value, lib.tn_device_close)

    @property
    def name(self) -> str:
        """The name that opens it."""
        return text(lib.tn_device_name(self._handle.get()))

    @property
    def info(self) -> DeviceInfo:
        """What it says of itself."""
        found = c.tn_device_info.from_address(lib.tn_device_get_info(self._handle.get()))
        return _info(self.name, found)

    def measure(self) -> float:
        """f32 operations a second in a matrix product, by the device's own kernels."""
        flops = ctypes.c_double()
        check(lib.tn_device_measure(self._handle.get(), ctypes.byref(flops)))
        return flops.value

    def close(self) -> None:
        """Lets go of it: it closes when nothing of Python's uses it any more."""
        self._handle.close()

    def __enter__(self) -> "Device":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"tenon.Device('{self.name}')" if self._handle.is_open else "tenon.Device(closed)"


def open_device(device: Any) -> Device:
    """A device, or one by its name."""
    return device if isinstance(device, Device) else Device(device)
