"""Tenon: neural networks on whatever compute device is there.

Graphs of tensors are built by operators and layers, compiled for a device, and run; a Model trains itself on arrays.

    import tenon
    model = tenon.Sequential([tenon.Linear(100), tenon.Sigmoid(), tenon.Linear(10)])
"""
import typing as _typing

from . import c, initial, nn, ops
from ._library import lib, text
from .callbacks import Callback, Checkpoints
from .data import Dataset, open_dataset
from .device import BackendInfo, Device, DeviceInfo, backend_option, backends, devices, load_backend
from .dlpack import from_dlpack
from .errors import (DeviceError, DtypeError, FileError, FormatError, InvalidError, MissingError, OutOfMemoryError,
                     ShapeError, StateError, TenonError, UnsupportedError)
from .layers import *  # noqa: F403
from .memory import Array
from .model import Epoch, History, Model, Score, load_model
from .onnx import OnnxNetwork, from_onnx, to_onnx
from .optimizers import (SGD, AdaDelta, AdaGrad, Adam, AdaMax, AdamW, Lion, Momentum, NAdam, Nesterov, Optimizer,
                         RAdam, RMSProp, optimizers)
from .program import Checkpoint, Program, State
from .tensor import Graph, Tensor, recurrent, split, topk, transpose

__version__ = text(lib.tn_version())


def _is_operator(name: str) -> bool:
    found = vars(ops).get(name)
    return getattr(found, "__module__", "") == ops.__name__ and not isinstance(found, type)


def __getattr__(name: str) -> _typing.Any:
    """Each operator of ops.py is found here, too: tenon.relu(x)."""
    if _is_operator(name):
        return getattr(ops, name)
    raise AttributeError(f"module 'tenon' has no attribute '{name}'")


def __dir__() -> _typing.List[str]:
    return sorted(set(globals()) | {name for name in vars(ops) if _is_operator(name)})
