"""program.py: states, which keep named tensors on a device, and programs, which are graphs made ready for it.

A state and its programs are used by one thread at a time: these classes see to that by a lock."""
from __future__ import annotations

import ctypes
import threading
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Tuple

from . import c
from ._build import NAMES, dtype as dtype_of, options as struct_of, shape as shape_of, whole
from ._library import Handle, check, lib, text
from .device import open_device
from .errors import InvalidError, MissingError, ShapeError, UnsupportedError
from .memory import ITEM, READ, WRITE, Array, Borrower, Memory, memory_of, new_array
from .tensor import Graph

WORDS = {"precision": {"f32": c.TN_PRECISION_F32, "f32-fast": c.TN_PRECISION_F32_FAST, "bf16": c.TN_PRECISION_BF16},
         "layout": {"tuned": c.TN_LAYOUT_TUNED, "usual": c.TN_LAYOUT_USUAL, "channels-last": c.TN_LAYOUT_LAST,
                    "try": c.TN_LAYOUT_TRY}}


class Place(NamedTuple):
    """Where a tensor lies: "host", an address, or "opencl", a cl_mem and the offset in it; and its bytes."""

    kind: str
    handle: int
    offset: int
    bytes: int


class State:
    """Named tensors that live on a device: parameters, optimizer moments, the step count and the seed. Tensors are
    read and written as those of a dict."""

    def __init__(self, device: Any = "auto", seed: int = 0) -> None:
        self.device = open_device(device)
        self._lock = threading.RLock()
        made = ctypes.c_void_p()
        check(lib.tn_state_new(self.device._handle.get(), whole(seed, "seed"), ctypes.byref(made)))
        self._handle = Handle(made.value, lib.tn_state_free, self.device._handle)

    @property
    def seed(self) -> int:
        """Of first values and of random numbers."""
        return lib.tn_state_seed(self._handle.get())

    @seed.setter
    def seed(self, value: int) -> None:
        lib.tn_state_set_seed(self._handle.get(), whole(value, "seed"))

    @property
    def step(self) -> int:
        """The training steps done."""
        return lib.tn_state_step(self._handle.get())

    @step.setter
    def step(self, value: int) -> None:
        lib.tn_state_set_step(self._handle.get(), whole(value, "step"))

    def _entries(self) -> List[c.tn_state_entry]:
        found: List[c.tn_state_entry] = []
        entry = c.tn_state_entry()
        with self._lock:
            while lib.tn_state_at(self._handle.get(), len(found), ctypes.byref(entry)):
                found.append(entry)
                entry = c.tn_state_entry()
        return found

    def _entry(self, name: str) -> c.tn_state_entry:
        entry = c.tn_state_entry()
        if not lib.tn_state_find(self._handle.get(), name.encode(), ctypes.byref(entry)):
            raise MissingError(f"the state has no tensor '{name}'")
        return entry

    def names(self, trainable: bool = False) -> List[str]:
        """The tensors' names, or those alone that are trained."""
        return [text(e.name) for e in self._entries() if e.flags & c.TN_TRAINABLE or not trainable]

    def describe(self, name: str) -> Tuple[str, Tuple[int, ...]]:
        """A tensor's element type and shape."""
        entry = self._entry(name)
        return NAMES[entry.dtype], tuple(entry.shape.dim[:entry.shape.rank])

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def __len__(self) -> int:
        return len(self._entries())

    def __contains__(self, name: str) -> bool:
        return bool(lib.tn_state_find(self._handle.get(), name.encode(), ctypes.byref(c.tn_state_entry())))

    def keys(self) -> List[str]:
        """The tensors' names."""
        return self.names()

    def items(self) -> Iterator[Tuple[str, Any]]:
        """Names and copies of values."""
        return ((name, self[name]) for name in self.names())

    def __getitem__(self, name: str) -> Any:
        entry = self._entry(name)
        out, memory = new_array(entry.dtype, tuple(entry.shape.dim[:entry.shape.rank]))
        with self._lock:
            check(lib.tn_state_read(self._handle.get(), name.encode(), memory.address, memory.bytes))
        return out

    def __setitem__(self, name: str, value: Any) -> None:
        if name not in self:
            raise MissingError(f"the state has no tensor '{name}': put(...) makes one")
        entry = self._entry(name)
        memory = memory_of(value, entry.dtype, what=f"'{name}'")
        wanted = tuple(entry.shape.dim[:entry.shape.rank])
        if memory.shape != wanted:
            raise ShapeError(f"'{name}' is {wanted}, not {memory.shape}")
        with self._lock:
            check(lib.tn_state_write(self._handle.get(), name.encode(), memory.address, memory.bytes))

    def where(self, name: str) -> Place:
        """Where a tensor lies, if the backend tells. Waits for the device."""
        found = c.tn_state_place()
        with self._lock:
            check(lib.tn_state_where(self._handle.get(), name.encode(), ctypes.byref(found)))
        return Place("host" if found.kind == c.TN_PLACE_HOST else "opencl", found.handle, found.offset, found.bytes)

    def view(self, name: str) -> Array:
        """A tensor in the device's own memory, where that is the host's ("cpu"): NumPy and PyTorch show it without a
        copy, and what is written there is the tensor's. The memory stays as long as the array does. Wait for programs
        before reading; after another program was compiled for the state, ask again."""
        place, entry = self.where(name), self._entry(name)
        if place.kind != "host":
            raise UnsupportedError(f"'{name}' is in {self.device.name}'s own memory: copy it by state['{name}']")
        shape = tuple(entry.shape.dim[:entry.shape.rank])
        keeper = Handle(place.handle, lambda _: None, self._handle)
        return Array(Memory(place.handle, entry.dtype, shape, keeper))

    def put(self, name: str, value: Any, *, dtype: Any = None, trainable: bool = False,
            transient: bool = False) -> None:
        """Makes a tensor of that value."""
        memory = memory_of(value, dtype_of(dtype) if dtype is not None else 0, what=f"'{name}'")
        flags = trainable * c.TN_TRAINABLE | transient * c.TN_TRANSIENT
        with self._lock:
            check(lib.tn_state_put(self._handle.get(), name.encode(), memory.dtype, shape_of(memory.shape), flags,
                                   memory.address))

    def save(self, path: Any, notes: Optional[Mapping[str, str]] = None, *, weights_only: bool = False,
             not_finite: bool = False) -> None:
        """Saves the tensors, the seed, the step and the notes in a safetensors file, which is replaced whole."""
        given = [c.tn_note(k.encode(), v.encode()) for k, v in (notes or {}).items()]
        how = c.tn_save_options(not_finite, weights_only)
        with self._lock:
            check(lib.tn_state_save_with(self._handle.get(), _path(path), ctypes.byref(how),
                                         (c.tn_note * len(given))(*given), len(given)))

    def load(self, path: Any, *, fitting: bool = False, rename: str = "") -> Dict[str, str]:
        """Fills the tensors from a file; with `fitting` those that it has by name, shape and type, and says of the
        others what is the matter: {name: "shape", "dtype", "missing" or "unused"}. `rename`: "OLD=NEW, ..."."""
        with Checkpoint(path) as file, self._lock:
            if rename:
                check(lib.tn_checkpoint_rename(file._handle.get(), rename.encode()))
            if not fitting:
                check(lib.tn_checkpoint_load(file._handle.get(), self._handle.get()))
                return {}
            return self._load_fitting(file)

    def _load_fitting(self, file: "Checkpoint") -> Dict[str, str]:
        told: Dict[str, str] = {}
        words = {c.TN_LOAD_SHAPE: "shape", c.TN_LOAD_DTYPE: "dtype", c.TN_LOAD_MISSING: "missing",
                 c.TN_LOAD_UNUSED: "unused"}

        def report(_arg: Any, fit: int, ours: Any, theirs: Any) -> None:
            if fit != c.TN_LOAD_TAKEN:
                told[text(c.tn_state_entry.from_address(ours or theirs).name)] = words[fit]

        check(lib.tn_checkpoint_load_fitting(file._handle.get(), self._handle.get(), c.tn_load_report(report), None,
                                             None))
        return told

    def close(self) -> None:
        """Lets go of it: it is freed when its programs are."""
        self._handle.close()

    def __enter__(self) -> "State":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"tenon.State({self.device!r}, {len(self)} tensors, step {self.step})"


def _path(path: Any) -> bytes:
    import os
    return os.fsencode(path)


class Checkpoint:
    """A safetensors file, read whole: ours or any other. Its tensors are arrays of the file's own memory."""

    def __init__(self, path: Any) -> None:
        made = ctypes.c_void_p()
        check(lib.tn_checkpoint_open(_path(path), ctypes.byref(made)))
        self._handle = Handle(made.value, lib.tn_checkpoint_close)

    def note(self, key: str) -> Optional[str]:
        """The note's text, or None."""
        found = lib.tn_checkpoint_note(self._handle.get(), key.encode())
        return text(found) if found is not None else None

    def names(self) -> List[str]:
        """The tensors' names, in the file's order."""
        found: List[str] = []
        entry = c.tn_state_entry()
        while lib.tn_checkpoint_at(self._handle.get(), len(found), ctypes.byref(entry), None):
            found.append(text(entry.name))
        return found

    def __getitem__(self, name: str) -> Array:
        entry, data = c.tn_state_entry(), ctypes.c_void_p()
        if not lib.tn_checkpoint_find(self._handle.get(), name.encode(), ctypes.byref(entry), ctypes.byref(data)):
            raise MissingError(f"the file has no tensor '{name}'")
        shape = tuple(entry.shape.dim[:entry.shape.rank])
        keeper = Handle(data.value, lambda _: None, self._handle)  # the file stays open as long as the array
        return Array(Memory(data.value or 0, entry.dtype, shape, keeper), readonly=True)

    def close(self) -> None:
        """Lets go of it."""
        self._handle.close()

    def __enter__(self) -> "Checkpoint":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()


def compile_options(given: Dict[str, Any]) -> c.tn_compile_options:
    """strict, unfused, f64, storage ("f32", "f16", "bf16"), precision ("f32", "f32-fast", "bf16"), layout ("tuned",
    "usual", "channels-last", "try")."""
    given = dict(given)
    if given.get("storage") is not None:
        given["storage"] = dtype_of(given["storage"])
        if given["storage"] == c.TN_F32:
            del given["storage"]  # the usual one
    for option, words in WORDS.items():
        word = given.get(option)
        if isinstance(word, str):
            if word not in words:
                raise InvalidError(f"{option}='{word}': it is one of {', '.join(words)}")
            given[option] = words[word]
    return struct_of(c.tn_compile_options, given)[0]


def first_values(graph: Graph, state: State) -> None:
    """Layers that bring their parameters' first values put them into the state."""
    for layer, prefix in list(graph.beginnings):
        layer.first_values(state, prefix)


def _port(name: str, dtype: int, shape: Tuple[int, ...]) -> Tuple[bytes, int, Tuple[int, ...], List[int], int]:
    """What is needed to feed an input or to fetch an output: its name, type, shape, as a list too, and its bytes."""
    size = ITEM[dtype]
    for n in shape:
        size *= n
    return name.encode(), dtype, shape, list(shape), size


class Program:
    """A graph made ready for a device. `program(x=array)` feeds, runs, and returns the outputs; feed, run and fetch
    do it step by step. Compiled for a state, it shares the state's variables with its other programs."""

    def __init__(self, graph: Graph, device: Any = "auto", *, seed: int = 0, **options: Any) -> None:
        self.state = device if isinstance(device, State) else State(device, seed)
        how = compile_options(options)
        made = ctypes.c_void_p()
        self._lock = self.state._lock
        with self._lock:
            first_values(graph, self.state)
            check(lib.tn_compile(graph.pointer(), self.state._handle.get(), ctypes.byref(how), ctypes.byref(made)))
        self._handle = Handle(made.value, lib.tn_program_free, self.state._handle)
        wide = {c.TN_F32: c.TN_F64} if how.f64 else {}
        self.inputs = {n: _port(n, wide.get(d, d), s) for n, (d, s) in graph.inputs.items()}
        self.outputs = {n: _port(n, wide.get(d, d), s) for n, (d, s) in graph.outputs.items()}
        self._borrower = Borrower()
        self._run, self._feed, self._fetch = lib.tn_program_run, lib.tn_feed, lib.tn_fetch

    def feed(self, name: str, value: Any) -> None:
        """Copies an array into an input. Numbers of other types are converted."""
        try:
            encoded, dtype, shape, dims, size = self.inputs[name]
        except KeyError:
            raise MissingError(f"the program has no input '{name}': it has {', '.join(self.inputs) or 'none'}"
                               ) from None
        with self._lock:
            pointer = self._handle.get()
            address = self._borrower.take(value, dtype, dims, READ)
            if address:
                status = self._feed(pointer, encoded, address, size)
                self._borrower.release()
            else:
                memory = memory_of(value, dtype, what=f"input '{name}'")
                if memory.shape != shape:
                    raise ShapeError(f"input '{name}' is {shape}, not {memory.shape}")
                status = self._feed(pointer, encoded, memory.address, size)
            if status:
                check(status)

    def run(self) -> None:
        """Enqueues one run; does not wait for it."""
        with self._lock:
            status = self._run(self._handle.get())
            if status:
                check(status)

    def fetch(self, name: str, out: Any = None) -> Any:
        """Waits, and copies an output into an array: a new one, or `out`."""
        try:
            encoded, dtype, shape, dims, size = self.outputs[name]
        except KeyError:
            raise MissingError(f"the program has no output '{name}': it has {', '.join(self.outputs) or 'none'}"
                               ) from None
        with self._lock:
            pointer = self._handle.get()
            address = self._borrower.take(out, dtype, dims, WRITE) if out is not None else 0
            if address:
                status = self._fetch(pointer, encoded, address, size)
                self._borrower.release()
            else:
                out, memory = new_array(dtype, shape) if out is None else (out, memory_of(out, dtype, writable=True))
                if memory.shape != shape:
                    raise ShapeError(f"output '{name}' is {shape}, not {memory.shape}")
                status = self._fetch(pointer, encoded, memory.address, size)
            if status:
                check(status)
        return out

    def set(self, name: str, value: float) -> None:
        """Sets a scalar input for the runs that follow: the learning rate is "lr"."""
        with self._lock:
            check(lib.tn_set(self._handle.get(), name.encode(), value))

    def wait(self) -> None:
        """Waits for what was enqueued."""
        with self._lock:
            check(lib.tn_wait(self._handle.get()))

    def __call__(self, **inputs: Any) -> Dict[str, Any]:
        """Feeds, runs, and fetches all outputs."""
        with self._lock:
            for name, value in inputs.items():
                self.feed(name, value)
            self.run()
            return {name: self.fetch(name) for name in self.outputs}

    def report(self) -> Dict[str, Any]:
        """What compiling and running came to: tn_program_report's fields by their names."""
        found = c.tn_program_report()
        with self._lock:
            lib.tn_program_get_report(self._handle.get(), ctypes.byref(found))
        return {f[0]: text(v) if isinstance(v, bytes) else v for f in found._fields_ for v in [getattr(found, f[0])]}

    def explain(self) -> str:
        """The compiled program as a table for people."""
        lines: List[str] = []
        kind: Any = c.FUNCTIONS["tn_program_explain"][1][1]
        with self._lock:
            lib.tn_program_explain(self._handle.get(), kind(lambda _arg, line: lines.append(text(line))), None)
        return "\n".join(lines)

    def close(self) -> None:
        """Frees it now."""
        self._handle.close()

    def __enter__(self) -> "Program":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()
