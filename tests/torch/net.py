"""What the networks of nets.def as PyTorch's modules share: the same parameters by the same names. A class is a network:
what it is made of, its inputs, and `run`, which gives y and the loss of a phase."""
import torch
from torch import nn
from torch.nn import functional as F

NETS = {}


def n(*shape):
    return torch.randn(shape)


def whole(high, *shape, low=0):
    return torch.randint(low, high, shape)


def lengths(*counts):
    return torch.tensor(counts)


def mask_of(counts, steps):
    return (torch.arange(steps)[None] < torch.tensor(counts)[:, None]).int()


class Net(nn.Module):
    """Adam, unless a gradient is 0 but for rounding (a key's bias): its noise would be scaled to whole steps."""
    optimizer, lr = "adam", 0.01
    phases = ("",)

    def __init_subclass__(cls):
        words = "".join("_" + c.lower() if c.isupper() else c for c in cls.__name__)
        NETS[words.lstrip("_")] = cls

    def optimizer_of(self, params):
        if self.optimizer == "momentum":
            return torch.optim.SGD(params, lr=self.lr, momentum=0.9)
        return {"adam": torch.optim.Adam, "rmsprop": torch.optim.RMSprop}[self.optimizer](params, lr=self.lr)

    def after(self, phase):
        pass

    def number(self, *shape):
        return nn.Parameter(n(*shape))


def certainty(x, real):
    return F.binary_cross_entropy_with_logits(x, torch.full_like(x, real))
