"""_library.py: finds and loads libtenon, binds its functions when they are first used, and turns its failures into
exceptions.

The library is looked for in TENON_LIBRARY (a file), beside this package (the wheel has it there), in the build folder
of the source tree that this package stands in, and then wherever the system's loader looks."""
from __future__ import annotations

import ctypes
import os
import threading
from typing import Any, Callable, List, Optional

from . import c
from .errors import StateError, error_of

HERE = os.path.dirname(os.path.abspath(__file__))


def _places() -> List[str]:
    name = "libtenon.so.0"
    tree = os.path.dirname(os.path.dirname(HERE))
    given = os.environ.get("TENON_LIBRARY")
    inside = [os.path.join(HERE, "lib", name), os.path.join(tree, "build", "release", "lib", name)]
    return [given] if given else [p for p in inside if os.path.exists(p)] + [name]


class Library:
    """The functions of the C interface as attributes: `lib.tn_version()`. Those that only build graphs keep Python's
    lock; all others let other threads go on."""

    def __init__(self) -> None:
        path = _places()[0]
        try:
            self._file = ctypes.CDLL(path)
        except OSError as e:
            raise ImportError(f"tenon: the library can't be loaded: {e}") from None
        self._quick = ctypes.PyDLL(path) if hasattr(ctypes, "PyDLL") else self._file
        self.path = path

    def __getattr__(self, name: str) -> Any:
        try:
            result, parameters, quick, declared, doc = c.FUNCTIONS[name]
        except KeyError:
            raise AttributeError(name) from None
        function = getattr(self._quick if quick else self._file, name)
        function.restype, function.argtypes = result, parameters
        try:
            function.__doc__ = declared + "\n\n" + doc
        except AttributeError:  # PyPy's have none of their own
            pass
        setattr(self, name, function)
        return function

    def __dir__(self) -> List[str]:
        return list(c.FUNCTIONS)


lib = Library()


def text(value: Optional[bytes]) -> str:
    """A text of the library."""
    return value.decode("utf-8", "replace") if value else ""


def message() -> str:
    """The line that goes with this thread's last failure."""
    return text(lib.tn_message())


def check(status: int) -> None:
    """Raises the exception of a failed call."""
    if status:
        raise error_of(status, message())


_lock = threading.RLock()


def not_pickled(_: Any) -> Any:
    """`__reduce__` of what holds on to something of the library's."""
    raise TypeError("what the library holds (models, states, data sets, networks, graphs, devices) is neither pickled "
                    "nor copied: write it to a file and load it where it is wanted")


class Handle:
    """Something of the library's that has to be freed, once, and before what it stands on: a parent is freed when the
    last of its children is, whoever lets go first. That holds for garbage in circles too, whose parts Python finalises
    in any order."""

    __slots__ = ("pointer", "_free", "_parents", "_children", "_open", "__weakref__")

    def __init__(self, pointer: Any, free: Callable[[Any], None], *parents: "Handle") -> None:
        self.pointer, self._free, self._parents, self._children, self._open = pointer, free, parents, 0, True
        with _lock:
            for parent in parents:
                parent._children += 1

    def close(self) -> None:
        """Lets go of it. It is freed once nothing stands on it any more."""
        with _lock:
            if self._open:
                self._open = False
                self._release()

    def _release(self) -> None:
        if self._open or self._children or self.pointer is None:
            return
        pointer, self.pointer = self.pointer, None
        self._free(pointer)
        for parent in self._parents:
            parent._children -= 1
            parent._release()

    def stand_on(self, parent: "Handle") -> None:
        """One more that must not be freed before it."""
        with _lock:
            if parent not in self._parents:
                parent._children += 1
                self._parents = self._parents + (parent,)

    def get(self) -> Any:
        """The pointer, for a call."""
        if not self._open:
            raise StateError("it has been closed")
        return self.pointer

    @property
    def is_open(self) -> bool:
        return self._open

    def __reduce__(self) -> Any:
        return not_pickled(self)

    def __del__(self) -> None:
        try:
            self.close()
        except (AttributeError, TypeError):  # half made, or the interpreter is at its end
            pass
