"""onnx.py: networks that come as ONNX files: used as they are, or as layers, whose weights are then trained."""
from __future__ import annotations

import contextlib
import copy
import ctypes
import os
import threading
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence, Set, Tuple

from . import c
from ._build import NAMES, dtype as dtype_of, is_number, whole
from ._library import Handle, check, lib, text
from .errors import InvalidError, ShapeError, UnsupportedError
from .layers import Layer, graph_of
from .memory import Memory, memory_of
from .tensor import Graph, Tensor

KEPT = 8  # programs of a network, each for other shapes


class Port(NamedTuple):
    """An input or output as the file declares it. A dimension is a number, a name that stands for one, or None."""

    name: str
    dtype: str
    shape: Optional[Tuple[Any, ...]]


class OnnxNetwork(Layer):
    """A network of an ONNX file. Called on tensors, one for each of its inputs, it is a layer: its weights, f32, are
    parameters by the file's names, behind the network's own and a "." if it was given one or is a Module's attribute,
    and begin as the file has them. `compile` makes a program of it as it is. Inputs that have a default in the file are
    `defaults`, and need not be given.

    `bare` leaves away the softmax or sigmoid that its first output ends in; with `outputs` its last layer has so many,
    and begins anew. `most` is the room for what NonZero, NonMaxSuppression, Compress and Unique find in what is fed.
    `freeze` names weights in the file, or patterns of them, that stay as they are; batch normalisation among them goes
    by its running statistics in training too."""

    kind = "onnx"

    def __init__(self, path: Any, name: Optional[str] = None, *, bare: bool = False, outputs: int = 0,
                 most: int = 0, freeze: Optional[str] = None) -> None:
        most, outputs = whole(most, "most"), whole(outputs, "outputs")
        made = ctypes.c_void_p()
        check(lib.tn_onnx_load(os.fsencode(path), ctypes.byref(made)))
        self._begin(made, name, bare, outputs, os.fsdecode(path))
        self.most = most
        if freeze is not None:
            check(lib.tn_onnx_freeze(self._handle.get(), freeze.encode()))

    @classmethod
    def of_text(cls, words: str, *, bare: bool = False, path: str = "") -> "OnnxNetwork":
        """One of `text`, of the file that was at `path`: its weights are those of a state that has them."""
        made = ctypes.c_void_p()
        check(lib.tn_onnx_of_text(words.encode(), ctypes.byref(made)))
        network = cls.__new__(cls)
        network._begin(made, None, bare, 0, path)
        return network

    def _begin(self, made: ctypes.c_void_p, name: Optional[str], bare: bool, outputs: int, path: str) -> None:
        Layer.__init__(self, name)
        self.bare, self.count, self.path, self.most = bare, outputs, path, 0
        self._scope: Optional[str] = None  # what its weights' names begin with, once it was called
        self._handle = Handle(made.value, lib.tn_onnx_free)
        self.inputs, self.outputs = self._ports(lib.tn_onnx_input_at), self._ports(lib.tn_onnx_output_at)
        self.defaults = self._ports(lib.tn_onnx_default_at)
        self._lock, self._device = threading.RLock(), None
        self._state: Any = None
        self._kept: Dict[Any, Any] = {}  # programs by the shapes of inputs and the numbers of some, the latest last
        self._known: Set[str] = set()  # inputs whose numbers decide about shapes: constants of programs

    def _ports(self, at: Any) -> List[Port]:
        found: List[Port] = []
        port = c.tn_onnx_port()
        while at(self._handle.get(), len(found), ctypes.byref(port)):
            found.append(_port(port))
        return found

    @property
    def operators(self) -> Dict[str, int]:
        """The file's operators, and how many nodes are of each."""
        found: Dict[str, int] = {}
        entry = c.tn_onnx_operator()
        while lib.tn_onnx_operator_at(self._handle.get(), len(found), ctypes.byref(entry)):
            domain = text(entry.domain)
            found[f"{domain}.{text(entry.name)}" if domain else text(entry.name)] = entry.count
        return found

    def problems(self) -> List[str]:
        """What the last use of it could not do, each kind of thing once."""
        found: List[str] = []
        p = c.tn_onnx_problem()
        while lib.tn_onnx_problem_at(self._handle.get(), len(found), ctypes.byref(p)):
            domain = f"{text(p.domain)}, " if text(p.domain) else ""
            found.append(f"{text(p.op)} ({domain}opset {p.opset}): {text(p.why)}, first at '{text(p.node)}', "
                         f"{p.count} times")
        return found

    # ---- as a layer ----

    def forward(self, *x: Tensor) -> Any:
        return self._apply(x, True)

    def __call__(self, *x: Tensor) -> Any:
        if not x:
            raise InvalidError("a network is called on a tensor for each of its inputs")
        graph = graph_of(self, x[0])
        if self._scope is None:
            above = self._parent.name if self._parent is not None else ""
            self._scope = ".".join(filter(None, (above, self._name)))
        self._named_in(graph)
        with graph.scope(self._scope) if self._scope else contextlib.nullcontext():
            self._begin_in(graph)
            return self.forward(*x)

    def _begin_in(self, graph: Graph) -> None:
        """Notes where its weights are in the graph, unless they are there already."""
        prefix = graph.scoped("")
        if (self, prefix) not in graph.beginnings:
            self._check_names(graph)
            graph.beginnings[self, prefix] = None

    def _check_names(self, graph: Graph) -> None:
        """That no other layer of the graph has a weight of a name that one of its own has."""
        others = {v.name for v in graph.variables()}
        for name in self._weights():
            if graph.scoped(name) in others:
                raise InvalidError(f"two layers have weights named '{graph.scoped(name)}': give the network a name, "
                                   f"OnnxNetwork(path, name=\"...\")")

    def _weights(self) -> Iterator[str]:
        """The names of the file's weights."""
        name, shape, index = ctypes.c_char_p(), c.tn_shape(), 0
        while lib.tn_onnx_weight_at(self._handle.get(), index, ctypes.byref(name), ctypes.byref(shape), None):
            yield text(name.value)
            index += 1

    @property
    def is_whole(self) -> bool:
        """Whether its weights have the file's own names, and nothing stands before them."""
        return not self._scope

    def end(self) -> Tuple[str, int]:
        """What the first output ends in, "Softmax", "LogSoftmax", "Sigmoid" or "", and how many outputs its last layer
        has; 0: there is none that could be replaced."""
        found = c.tn_onnx_end()
        lib.tn_onnx_end_of(self._handle.get(), ctypes.byref(found))
        return text(found.activation), found.outputs

    def without_end(self) -> "OnnxNetwork":
        """The same network and weights, `bare`."""
        made = copy.copy(self)
        made.bare, made._state, made._kept = True, None, {}
        return made

    def text(self) -> str:
        """The network without the numbers of its weights, as letters and digits, for `of_text`."""
        how, found = c.tn_onnx_options(outputs=self.count, most=self.most), ctypes.c_char_p()
        check(lib.tn_onnx_text(self._handle.get(), ctypes.byref(how), ctypes.byref(found)))
        return text(found.value)

    def _apply(self, x: Sequence[Optional[Tensor]], trainable: bool) -> Any:
        given = [t for t in x if t is not None]
        if not given:
            raise InvalidError("the network has no inputs: there is nothing to run" if not self.defaults else
                               "the network is given nothing: one of its defaults has to be")
        graph = given[0].graph
        graph.needs(self._handle)
        inputs = (ctypes.c_void_p * len(x))(*[t._pointer if t is not None else None for t in x])
        outputs = (ctypes.c_void_p * len(self.outputs))()
        how = c.tn_onnx_options(trainable, graph.training, self.bare, outputs=self.count, most=self.most)
        status = lib.tn_onnx_apply(self._handle.get(), inputs, len(x), outputs, len(outputs), ctypes.byref(how))
        if status == c.TN_EUNSUPPORTED and self.problems():
            raise UnsupportedError("the network needs what is not there: " + "; ".join(self.problems()))
        check(status)
        graph.check()
        made = [Tensor(graph, p) for p in outputs]
        return made[0] if len(made) == 1 else made

    def first_values(self, state: Any, prefix: str = "") -> None:
        """Puts the file's weights into a state, those that it lacks."""
        replaced = self._replaced()
        for index, name in enumerate(self._weights()):
            whole = prefix + name
            if name not in replaced and whole not in state:
                check(lib.tn_onnx_put_weight(self._handle.get(), index, state._handle.get(), whole.encode()))

    def _replaced(self) -> Tuple[str, ...]:
        """The weights of a last layer that begins anew."""
        found = c.tn_onnx_end()
        lib.tn_onnx_end_of(self._handle.get(), ctypes.byref(found))
        return (text(found.weight), text(found.bias)) if self.count not in (0, found.outputs) else ()

    # ---- as it is ----

    def compile(self, device: Any = "auto", *, options: Optional[Dict[str, Any]] = None, **shapes: Any) -> Any:
        """A program of the network for a device, its weights constants: compile("cpu", input=(1, 3, 224, 224)).
        Inputs that aren't given have the declared shape, or are the default that the file has for them. An input
        without dimensions may be given as its number, a constant of the program: compile("cpu", rate=16000)."""
        self._check_inputs(shapes)
        graph = Graph()
        needed = {p.name for p in self.inputs} | set(shapes)
        made = self._apply([_leaf(graph, p, shapes.get(p.name)) if p.name in needed else None
                            for p in self.inputs + self.defaults], False)
        for port, y in zip(self.outputs, made if isinstance(made, list) else [made]):
            graph.output(y, port.name)
        return graph.compile(device, **(options or {}))

    # ---- on arrays of any shape ----

    def run(self, *x: Any, device: Any = "auto", **named: Any) -> Dict[str, Any]:
        """The outputs by name, for arrays in the order of the inputs or by their names, by which inputs that have a
        default in the file may be given, too. For shapes that are new a
        program is compiled; the latest eight are kept, so that batches of different sizes may come by turns. All share
        one copy of the weights on the device; a change of the device begins anew. Of inputs whose numbers decide about
        shapes or conditions there is a program for each number, too."""
        names = [p.name for p in self.inputs]
        if len(x) > len(names):
            raise InvalidError(f"{len(x)} arrays for a network of {len(names)} input{'' if len(names) == 1 else 's'}")
        self._check_inputs(named)
        twice = [n for n in names[:len(x)] if n in named]
        if twice:
            raise InvalidError(f"input '{twice[0]}' is given twice, by its place and by its name")
        given = {**dict(zip(names, x)), **named}
        lacking = [n for n in names if n not in given]
        if lacking:
            raise InvalidError(f"input '{lacking[0]}' is not given: the network wants an array for each of "
                               f"{', '.join(names)}")
        ports = [p for p in self.inputs + self.defaults if p.name in given]
        memory = {p.name: memory_of(given[p.name], dtype_of(p.dtype), what=f"input '{p.name}'") for p in ports}
        for p in ports:
            numbers = p in self.defaults and dtype_of(p.dtype) != c.TN_I32
            _fitting(p, tuple(memory[p.name].shape), numbers)
        program = self._program_for(device, memory)
        made: Dict[str, Any] = program(**{n: given[n] for n in memory if n in program.inputs})
        return made

    def _check_inputs(self, given: Dict[str, Any]) -> None:
        names = [p.name for p in self.inputs + self.defaults]
        for name in given:
            if name not in names:
                raise InvalidError(f"the network has no input '{name}': it has {', '.join(names)}")

    def _program_for(self, device: Any, memory: Dict[str, Memory]) -> Any:
        from .program import State
        with self._lock:
            if self._state is None or self._device != device:
                self._state, self._device, self._kept = State(device), device, {}
            while True:
                try:
                    return self._kept_for(memory)
                except UnsupportedError:
                    needed = self._needed() - self._known
                    if not needed:
                        raise
                    self._known |= needed

    def _needed(self) -> Set[str]:
        """The inputs whose numbers the last use of the network needed when the graph was built."""
        found, port = set(), c.tn_onnx_port()
        for at, ports in ((lib.tn_onnx_input_at, self.inputs), (lib.tn_onnx_default_at, self.defaults)):
            for i, p in enumerate(ports):
                if at(self._handle.get(), i, ctypes.byref(port)) and port.needed:
                    found.add(p.name)
        return found

    def _kept_for(self, memory: Dict[str, Memory]) -> Any:
        key = tuple((name, tuple(m.shape), ctypes.string_at(m.address, m.bytes) if name in self._known else b"")
                    for name, m in memory.items())
        program = self._kept.pop(key, None) or self._compile_for(memory)
        self._kept[key] = program
        if len(self._kept) > KEPT:
            del self._kept[next(iter(self._kept))]
        return program

    def _compile_for(self, memory: Dict[str, Memory]) -> Any:
        graph = Graph()
        made = self._apply([None if p.name not in memory else
                            graph.constant(memory[p.name]) if p.name in self._known else
                            graph.input(p.name, memory[p.name].shape, p.dtype)
                            for p in self.inputs + self.defaults], True)
        for port, y in zip(self.outputs, made if isinstance(made, list) else [made]):
            graph.output(y, port.name)
        self.first_values(self._state)
        return graph.compile(self._state)

    def __repr__(self) -> str:
        return f"tenon.OnnxNetwork({', '.join(p.name for p in self.inputs)} -> " \
               f"{', '.join(p.name for p in self.outputs)})"


def _leaf(graph: Graph, port: Port, given: Any) -> Tensor:
    """An input of the given shape, of the declared one for None; or a constant, for a number."""
    if given is None and (port.shape is None or not all(isinstance(n, int) for n in port.shape)):
        raise ShapeError(f"input '{port.name}' is declared as {port.shape}: give its shape")
    if is_number(given) and (port.shape == () or hasattr(given, "dtype")):
        _fitting(port, ())
        return graph.constant(given, port.dtype)
    if given is None:
        return graph.input(port.name, port.shape or (), port.dtype)
    shape = (given,) if is_number(given) else tuple(given)
    if not all(hasattr(n, "__index__") and is_number(n) for n in shape):
        raise ShapeError(f"input '{port.name}' takes a shape, whole numbers, not a {type(given).__name__} of others")
    return graph.input(port.name, _fitting(port, shape), port.dtype)


def _fitting(port: Port, shape: Tuple[int, ...], whole: bool = False) -> Tuple[int, ...]:
    """The shape, if it is as declared but for those dimensions that are not numbers, and for the first, the batch's.
    That must be as declared, too, where it is `whole`: numbers with a default, but for whole ones, such as a shape."""
    declared = shape if port.shape is None else port.shape
    differ = [isinstance(n, int) and n != m for n, m in zip(declared, shape)]
    if len(declared) != len(shape) or any(differ if whole else differ[1:]):
        raise ShapeError(f"input '{port.name}' is declared as {declared}, not {shape}")
    return shape


def _port(port: Any) -> Port:
    shape = None
    if port.rank >= 0:
        shape = tuple(port.dim[i] if port.dim[i] >= 0 else text(port.symbol[i]) or None for i in range(port.rank))
    return Port(text(port.name), NAMES.get(port.dtype, text(port.element)), shape)


def to_onnx(path: Any, graph: Graph, state: Any, other: Optional[Graph] = None, *, opset: int = 0,
            name: str = "tenon", notes: Optional[Dict[str, str]] = None, external: int = 0) -> None:
    """Writes a graph, its inputs and outputs, with its variables' values in a state, as an ONNX file. With `other`, the
    same graph for another batch, the file takes any number of samples. Weights of `external` bytes or more go to a file
    beside it."""
    given = [c.tn_note(k.encode(), v.encode()) for k, v in (notes or {}).items()]
    kept = (c.tn_note * len(given))(*given)
    how = c.tn_onnx_save_options(opset, other.pointer() if other else None,
                                 name.encode(), ctypes.addressof(kept), len(given), external)
    with state._lock:
        check(lib.tn_onnx_save(graph.pointer(), state._handle.get(), os.fsencode(path), ctypes.byref(how)))


def from_onnx(path: Any, name: Optional[str] = None, *, bare: bool = False, outputs: int = 0,
              most: int = 0, freeze: Optional[str] = None) -> OnnxNetwork:
    """The network of an ONNX file, opsets 7 to 23: a layer, or `compile`d a program."""
    return OnnxNetwork(path, name, bare=bare, outputs=outputs, most=most, freeze=freeze)
