"""callbacks.py: what is called while a model trains."""
from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Callable, Iterable, List, Union

from .errors import InvalidError

if TYPE_CHECKING:
    from .model import Epoch, Model


class Callback:
    """Called at the beginning, after each epoch, and at the end, whatever ended it."""

    def begin(self, model: "Model") -> None:
        """Before the first step."""

    def epoch(self, model: "Model", epoch: "Epoch") -> Any:
        """After an epoch; ends the training by returning True."""

    def end(self, model: "Model") -> None:
        """After the last step."""


class _Function(Callback):
    def __init__(self, function: Callable[["Epoch"], Any]) -> None:
        self._function = function

    def epoch(self, model: "Model", epoch: "Epoch") -> Any:
        return self._function(epoch)


class Checkpoints(Callback):
    """Saves the model after each epoch, or, with `best`, after each whose validation loss, or else training loss, is
    the lowest so far. "{epoch}" in the path is the epoch's number."""

    def __init__(self, path: Any, *, best: bool = True) -> None:
        self._path, self._best, self._lowest = str(path), best, math.inf

    def epoch(self, model: "Model", epoch: "Epoch") -> None:
        loss = epoch.loss if math.isnan(epoch.val_loss) else epoch.val_loss
        if loss < self._lowest or not self._best:
            model.save(self._path.format(epoch=epoch.number))
        self._lowest = min(self._lowest, loss)


def callback_of(value: Union[Callback, Callable[["Epoch"], Any]]) -> Callback:
    """A callback, or one that calls a function."""
    if not isinstance(value, Callback) and not callable(value):
        raise InvalidError(f"callbacks: {value!r} is neither a Callback nor a function")
    return value if isinstance(value, Callback) else _Function(value)


def callbacks_of(values: Any) -> List[Callback]:
    """Several of them, or one."""
    if isinstance(values, Callback) or callable(values):
        return [callback_of(values)]
    if not isinstance(values, Iterable):
        raise InvalidError(f"callbacks={values!r}: it takes a list of functions and Callbacks")
    return [callback_of(v) for v in values]
