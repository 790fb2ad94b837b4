"""builder.py: a model's network and loss as the library calls them while it builds graphs, and what the end of a network
and its loss have to do with each other."""
from __future__ import annotations

import ctypes
import warnings
from typing import Any, Callable, Dict, Optional, Union

from . import c, nn
from ._library import check, lib, text
from .errors import InvalidError
from .onnx import OnnxNetwork
from .parts import Shapes, apart, together
from .program import compile_options
from .tensor import Graph, Tensor


def losses() -> Dict[str, c.tn_loss_entry]:
    found: Dict[str, c.tn_loss_entry] = {}
    entry = c.tn_loss_entry()
    while lib.tn_loss_at(len(found), ctypes.byref(entry)):
        found[text(entry.name)] = entry
        entry = c.tn_loss_entry()
    return found


# Losses that have in themselves what a network of an ONNX file may end in, and those that can't be meant behind it,
# with the one that is.
_ENDS = {("Softmax", "cross_entropy"): "", ("Softmax", "focal"): "", ("Softmax", "nll"): "cross_entropy",
         ("Softmax", "kl_divergence"): "cross_entropy", ("LogSoftmax", "cross_entropy"): "",
         ("LogSoftmax", "focal"): "", ("Sigmoid", "cross_entropy"): "", ("Sigmoid", "focal"): "",
         ("Sigmoid", "binary_cross_entropy"): "", ("Sigmoid", "binary_focal"): ""}


def settled(network: Any, loss: str, quiet: bool = False) -> Any:
    """The network without a softmax or sigmoid at its end that the loss has in itself."""
    if not isinstance(network, OnnxNetwork) or network.bare:
        return network
    activation, _ = network.end()
    rather = _ENDS.get((activation, loss))
    if rather is None:
        return network
    if rather:
        raise InvalidError(f"the loss '{loss}' takes logarithms, and the network ends in {activation}: "
                           f"'{rather}' is meant for that")
    if not quiet:
        warnings.warn(f"the network ends in {activation}, which is left away: the loss '{loss}' has in itself what "
                      "belongs there, and so has predict(..., probabilities=True)", stacklevel=3)
    return network.without_end()


_BUILD: Any = {f[0]: f[1] for f in c.tn_model._fields_}["build"]
_COST: Any = {f[0]: f[1] for f in c.tn_model._fields_}["cost"]
Cost = Callable[..., Tensor]  # of outputs and targets, each a tensor or a tuple of heads


class Builder:
    """A network as the library calls it, and a loss of the caller's own. An exception in them ends the library's call,
    and goes on from there."""

    def __init__(self, network: Callable[..., Any], loss: Union[str, Cost], compile: Dict[str, Any],
                 readable: bool = False, inputs: Shapes = ()) -> None:
        self.network, self.readable, self.classes = network, loss if readable else None, 0
        self.inputs, self.heads, self.targets = inputs, (), ()  # type: Shapes, Shapes, Shapes
        self.error: Optional[BaseException] = None
        self._function, self._own = _BUILD(self._build), None if isinstance(loss, str) else loss
        name = loss.encode() if isinstance(loss, str) else None
        self.struct = c.tn_model(self._function, name, None, compile_options(compile))
        if self._own is not None:
            self._cost_function = _COST(self._cost)
            self.struct.cost = self._cost_function

    def _build(self, pointer: int, training: int, _arg: Any) -> Optional[int]:
        return self._in_graph(pointer, training, lambda graph: self.call(Tensor(graph, pointer)))

    def _cost(self, pointer: int, target: int, training: int, _arg: Any) -> Optional[int]:
        return self._in_graph(pointer, training, lambda graph: self.cost(Tensor(graph, pointer), Tensor(graph, target)))

    def _in_graph(self, pointer: int, training: int, make: Callable[[Graph], Tensor]) -> Optional[int]:
        graph = Graph.borrow(lib.tn_graph_of(pointer), bool(training))
        graph.classes = self.classes
        try:
            return make(graph)._pointer
        except BaseException as e:  # it can't pass through C
            self.error = e
            line = f"{type(e).__name__}: {e}".replace("%", "%%").encode()
            lib.tn_graph_fail(graph.pointer(), getattr(e, "status", 0) or c.TN_EINVAL, line)
            return pointer
        finally:
            graph.forget()

    def call(self, x: Tensor) -> Tensor:
        y = self.network(*apart(x, self.inputs)) if self.inputs else self.network(x)
        if isinstance(y, (tuple, list)) and y and all(isinstance(head, Tensor) for head in y):
            self.heads = tuple(tuple(head.shape[1:]) for head in y)
            y = together(y)
        if not isinstance(y, Tensor):
            raise InvalidError(f"the network gave a {type(y).__name__}, not a tensor")
        if self.readable is None:
            return y
        if not isinstance(self.readable, str):
            raise InvalidError("a loss of your own doesn't say how outputs become probabilities")
        return nn.loss_readable(self.readable, y)

    def cost(self, y: Tensor, target: Tensor) -> Tensor:
        if self._own is None:
            raise InvalidError("the loss has a name")
        loss = self._own(apart(y, self.heads) if self.heads else y,
                         apart(target, self.targets) if self.targets else target)
        if not isinstance(loss, Tensor):
            raise InvalidError(f"the loss gave a {type(loss).__name__}, not a tensor")
        return loss

    def check(self, status: int) -> None:
        """Raises the network's own exception, or the library's."""
        error, self.error = self.error, None
        if error is not None:
            raise error
        check(status)
