"""Networks in the words of `tenon train --net`, as PyTorch's modules: the layers that the jobs use."""
import torch
from torch import nn
from torch.nn import functional

import jobs

PLAIN = {"sigmoid": nn.Sigmoid, "relu": nn.ReLU, "tanh": nn.Tanh, "relu6": nn.ReLU6, "flatten": nn.Flatten}


class Residual(nn.Module):
    """A branch that is added to what goes in; shapes are met by every second pixel, and channels of zeros on either
    side (He and others' kind A)."""

    def __init__(self, branch):
        super().__init__()
        self.branch = branch

    def forward(self, x):
        y = self.branch(x)
        if y.shape != x.shape:
            step, more = x.shape[2] // y.shape[2], (y.shape[1] - x.shape[1]) // 2
            x = functional.pad(x[:, :, ::step, ::step], (0, 0, 0, 0, more, more))
        return y + x


class Recurrent(nn.Module):
    def __init__(self, features, units):
        super().__init__()
        self.lstm = nn.LSTM(features, units, batch_first=True)

    def forward(self, x):
        return self.lstm(x)[0]


class Last(nn.Module):
    def forward(self, x):
        return x[:, -1]


class Position(nn.Module):
    def __init__(self, steps, width):
        super().__init__()
        self.weight = nn.Parameter(0.02 * torch.randn(steps, width))

    def forward(self, x):
        return x + self.weight


class Transformer(nn.Module):
    """Attention, then two linear layers with gelu, each normalised before and added to what went in; attention by
    PyTorch's own fused function."""

    def __init__(self, width, heads, causal):
        super().__init__()
        self.heads, self.causal = heads, causal
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.in_proj, self.out_proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.linear1, self.linear2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def attend(self, x):
        b, t, c = x.shape
        q, k, v = (part.view(b, t, self.heads, c // self.heads).transpose(1, 2) for part in self.in_proj(x).split(c, 2))
        y = functional.scaled_dot_product_attention(q, k, v, is_causal=self.causal)
        return self.out_proj(y.transpose(1, 2).reshape(b, t, c))

    def forward(self, x):
        x = x + self.attend(self.norm1(x))
        return x + self.linear2(functional.gelu(self.linear1(self.norm2(x))))


def block(channels, filters, stride):
    branch = nn.Sequential(nn.Conv2d(channels, filters, 3, stride, 1, bias=False), nn.BatchNorm2d(filters), nn.ReLU(),
                           nn.Conv2d(filters, filters, 3, 1, 1, bias=False), nn.BatchNorm2d(filters))
    return nn.Sequential(Residual(branch), nn.ReLU())


def conv(words, shape, follower):
    size = [int(n) for n in words[2].split("x")]
    pad = jobs.option(words, "pad", 0)
    return nn.Conv2d(shape[0], int(words[1]), size[0] if len(size) == 1 else tuple(size),
                     stride=int(jobs.option(words, "stride", 1)), padding="same" if pad == "same" else int(pad),
                     groups=int(jobs.option(words, "groups", 1)), bias=follower != "batch_norm")


def layer(words, shape, follower):
    """The module for a layer's words behind what has that shape, the batch left out; `follower`: the next layer."""
    name = words[0]
    if name in PLAIN:
        return PLAIN[name]()
    if name in ("linear", "project"):
        return nn.Linear(shape[-1], int(words[1]))
    if name == "conv":
        return conv(words, shape, follower)
    if name == "block":
        return block(shape[0], int(words[1]), int(jobs.option(words, "stride", 1)))
    if name == "transformer":
        return Transformer(shape[-1], int(words[1]), jobs.option(words, "causal", "0") == "1")
    return {"maxpool": lambda: nn.MaxPool2d(int(words[1])), "batch_norm": lambda: nn.BatchNorm2d(shape[0]),
            "layer_norm": lambda: nn.LayerNorm(shape[-1]), "position": lambda: Position(*shape), "last": Last,
            "lstm": lambda: Recurrent(shape[-1], int(words[1])),
            "embedding": lambda: nn.Embedding(int(words[1]), int(words[2])),
            "global_avgpool": lambda: nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())}[name]()


def build(net, shape):
    """The network for samples of that shape, as jobs.sample_shape has it."""
    words, open_branches = jobs.layers(net), [[]]
    x = torch.zeros((2, *shape), dtype=torch.int64 if jobs.tokens(net) else torch.float32)
    inputs = []  # of the branches that are open
    for number, word in enumerate(words):
        if word[0] == "residual":
            open_branches.append([])
            inputs.append(x)
            continue
        if word[0] == "end":
            module, x = Residual(nn.Sequential(*open_branches.pop())), inputs.pop()
        else:
            module = layer(word, x.shape[1:], words[number + 1][0] if number + 1 < len(words) else "")
        with torch.no_grad():
            x = module.eval()(x)
        open_branches[-1].append(module)
    return nn.Sequential(*open_branches[0]).train()
