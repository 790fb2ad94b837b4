"""optimizers.py: optimizers, by name and options. What is left out is as usual; optim.h says what that is, and what
each of them computes."""
from __future__ import annotations

import ctypes
from typing import Any, Dict, List, NamedTuple, Optional, Union

from . import c
from ._build import options
from ._library import lib, text
from .errors import InvalidError


class Optimizer:
    """An optimizer by its name in the library, with options: lr, momentum, beta1, beta2, epsilon, alpha,
    weight_decay, clip_norm, clip_value, amsgrad, centered, no_decay, rates, decays, only, name."""

    kind = ""

    def __init__(self, lr: Optional[float] = None, *, kind: str = "", **more: Any) -> None:
        self.kind = kind or self.kind
        if lr == 0:  # which stands for the usual one in C
            raise InvalidError("lr=0: the learning rate is a number above 0")
        self.given: Dict[str, Any] = dict(more, lr=lr)
        options(c.tn_optim_options, self.given)  # what is wrong shows here

    def struct(self) -> c.tn_optim_options:
        """The options for C, which keep the texts that they point to."""
        return options(c.tn_optim_options, self.given)[0]

    def __repr__(self) -> str:
        given = ", ".join(([f"kind={self.kind!r}"] if type(self) is Optimizer else []) +
                          [f"{k}={v!r}" for k, v in self.given.items() if v is not None])
        return f"{type(self).__name__}({given})"


class SGD(Optimizer):
    """p -= lr g"""

    kind = "sgd"


class Momentum(Optimizer):
    """v = momentum v + g, p -= lr v"""

    kind = "momentum"


class Nesterov(Optimizer):
    """v = momentum v + g, p -= lr (g + momentum v)"""

    kind = "nesterov"


class Adam(Optimizer):
    """Kingma and Ba, 2015"""

    kind = "adam"


class AdamW(Optimizer):
    """Adam with its weight decay apart: Loshchilov and Hutter, 2019"""

    kind = "adamw"


class AdaGrad(Optimizer):
    """Duchi, Hazan and Singer, 2011"""

    kind = "adagrad"


class RMSProp(Optimizer):
    """Tieleman and Hinton, 2012"""

    kind = "rmsprop"


class AdaDelta(Optimizer):
    """Zeiler, 2012"""

    kind = "adadelta"


class AdaMax(Optimizer):
    """Kingma and Ba, 2015, algorithm 2"""

    kind = "adamax"


class NAdam(Optimizer):
    """Dozat, 2016"""

    kind = "nadam"


class RAdam(Optimizer):
    """Liu and others, 2020"""

    kind = "radam"


class Lion(Optimizer):
    """Chen and others, 2023"""

    kind = "lion"


def optimizer_of(value: Union[str, Optimizer]) -> Optimizer:
    """An optimizer, or one by its name with the usual options."""
    if not isinstance(value, (str, Optimizer)):
        raise InvalidError(f"optimizer={value!r}: it takes an Optimizer, such as Adam(1e-3), or a name, such as 'adam'")
    return value if isinstance(value, Optimizer) else Optimizer(kind=value)


class OptimizerInfo(NamedTuple):
    """An optimizer of the library, its usual learning rate, and which options it takes besides."""

    name: str
    doc: str
    lr: float
    options: str


def optimizers() -> List[OptimizerInfo]:
    """The optimizers that the library has."""
    found: List[OptimizerInfo] = []
    entry = c.tn_optimizer_entry()
    while lib.tn_optimizer_at(len(found), ctypes.byref(entry)):
        found.append(OptimizerInfo(text(entry.name), text(entry.doc), entry.lr, text(entry.options)))
    return found
