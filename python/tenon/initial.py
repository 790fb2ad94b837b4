"""initial.py: first values of variables. Random ones depend on the state's seed and the variable's name alone, so that
they are the same on every device."""
from __future__ import annotations

from . import c


class Init:
    """How a variable begins: a kind and its number (graph.h), and fans where they aren't those of the shape."""

    kind = c.TN_INIT_ZERO

    def __init__(self, a: float = 0.0, *, fan_in: int = 0, fan_out: int = 0, zero_row: int = 0) -> None:
        self.struct = c.tn_init(self.kind, a, fan_in, fan_out, zero_row)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.struct.a or ''})"


class Zeros(Init):
    """All 0."""


class Constant(Init):
    """All `a`."""

    kind = c.TN_INIT_CONSTANT


class Normal(Init):
    """Mean 0, standard deviation `a`."""

    kind = c.TN_INIT_NORMAL


class Uniform(Init):
    """From -a to a."""

    kind = c.TN_INIT_UNIFORM


class Xavier(Init):
    """Uniform, by sqrt(6 / (fan_in + fan_out)): Glorot and Bengio, 2010."""

    kind = c.TN_INIT_XAVIER


class He(Init):
    """Normal, sqrt(2 / fan_in): He, Zhang, Ren and Sun, 2015."""

    kind = c.TN_INIT_HE


class LeCun(Init):
    """Uniform, by 1 / sqrt(fan_in): PyTorch's usual one."""

    kind = c.TN_INIT_LECUN


class XavierNormal(Init):
    """Normal, sqrt(2 / (fan_in + fan_out))."""

    kind = c.TN_INIT_XAVIER_NORMAL


class HeUniform(Init):
    """Uniform, by sqrt(6 / fan_in)."""

    kind = c.TN_INIT_HE_UNIFORM


class LeCunNormal(Init):
    """Normal, sqrt(1 / fan_in)."""

    kind = c.TN_INIT_LECUN_NORMAL


class Truncated(Init):
    """Normal with standard deviation `a`, drawn anew where it is beyond two of these."""

    kind = c.TN_INIT_TRUNCATED


class Orthogonal(Init):
    """Rows, or columns if fewer, of length 1 and orthogonal: Saxe and others, 2014."""

    kind = c.TN_INIT_ORTHOGONAL
