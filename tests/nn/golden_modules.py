"""Writes golden_modules.inc: layers and their gradients by PyTorch's modules in double precision.
Run by hand: python3 golden_modules.py > golden_modules.inc (last run with PyTorch 1.13.0)."""
import math
import numpy as np
import torch
from torch import nn

torch.set_default_dtype(torch.float64)


def fill(shape, seed):
    """The numbers that the test feeds: multiples of 1/8, exact in single precision."""
    n = int(np.prod(shape))
    return torch.tensor(np.array([((7 * (i + 1) + 5 * seed + i * i) % 17 - 8) / 8 for i in range(n)]).reshape(shape))


def emit(name, value):
    print("static const double golden_%s[] = {%s};" % (name, ", ".join("%.17g" % v for v in value.detach().numpy().ravel())))


def named(name):
    return sum(name.encode()) % 11


def layer(case, module, run, **inputs):
    """The result y, and the gradients of the sum of y times fill(y, 4) for all parameters in the order of their names.
    Inputs are parameters too."""
    parameters = {k: fill(shape, named(k)).requires_grad_() for k, shape in inputs.items()}
    for name, p in (module.named_parameters() if module else ()):
        p.grad = None
        p.data.copy_(fill(p.shape, named("l." + name)))
        parameters["l." + name] = p
    y = run(*(parameters[k] for k in inputs))
    (y * fill(y.shape, 4)).sum().backward()
    emit(case, y)
    emit(case + "_grad", torch.cat([(p.grad if p.grad is not None else p * 0).ravel() for _, p in sorted(parameters.items())]))


m = nn.Conv1d(4, 6, 3, stride=2, padding=1, dilation=2, groups=2)
layer("conv1d", m, m, x=(2, 4, 7))
m = nn.Conv1d(3, 2, 4, padding="same", bias=False)
layer("conv1d_same", m, m, x=(2, 3, 5))
m = nn.ConvTranspose1d(4, 6, 3, stride=2, padding=1, output_padding=1, groups=2)
layer("conv1d_transpose", m, m, x=(2, 4, 5))
layer("maxpool1d", None, nn.MaxPool1d(3, 2, 1), x=(2, 3, 8))
layer("avgpool1d", None, nn.AvgPool1d(3, 2, 1, ceil_mode=True, count_include_pad=False), x=(2, 3, 8))
layer("adaptive_avgpool1d", None, nn.AdaptiveAvgPool1d(3), x=(2, 3, 7))
m = nn.InstanceNorm2d(3, affine=True)
layer("instance_norm", m, m, x=(2, 3, 2, 4))
layer("instance_norm_plain", None, nn.InstanceNorm1d(3), x=(2, 3, 5))
m = nn.PReLU()
layer("prelu", m, m, x=(2, 3, 4))
m = nn.PReLU(3)
layer("prelu_channels", m, m, x=(2, 3, 4))
m = nn.Embedding(5, 3, padding_idx=2)
layer("embedding_padded", m, lambda: m(torch.tensor([[0, 2, 4], [2, 1, 0]])))

seen, own = torch.tensor([[1, 1, 1, 0, 0], [0, 1, 1, 1, 1]]), torch.tensor([[1, 1, 0], [1, 1, 1]])
causal = torch.triu(torch.ones(3, 3), 1).bool()
m = nn.MultiheadAttention(4, 2, batch_first=True)
layer("cross", m, lambda x, z: m(x, z, z)[0], x=(2, 3, 4), z=(2, 5, 4))
layer("cross_masked", m, lambda x, z: m(x, z, z, key_padding_mask=seen == 0)[0], x=(2, 3, 4), z=(2, 5, 4))
m = nn.MultiheadAttention(4, 2, batch_first=True)
layer("causal_masked", m, lambda x: m(x, x, x, key_padding_mask=own == 0, attn_mask=causal)[0], x=(2, 3, 4))

m = nn.TransformerEncoderLayer(4, 2, 8, 0, "relu", batch_first=True)
layer("encoder", m, m, x=(2, 3, 4))
m = nn.TransformerEncoderLayer(4, 2, 6, 0, "gelu", batch_first=True, norm_first=True)
layer("encoder_first", m, lambda x: m(x, causal, own == 0), x=(2, 3, 4))
m = nn.TransformerDecoderLayer(4, 2, 16, 0, "gelu", batch_first=True, norm_first=True)
layer("decoder_first", m, lambda x, z: m(x, z, causal, memory_key_padding_mask=seen == 0), x=(2, 3, 4), z=(2, 5, 4))
m = nn.TransformerDecoderLayer(4, 2, 8, 0, "relu", batch_first=True)
layer("decoder", m, lambda x, z: m(x, z), x=(2, 3, 4), z=(2, 5, 4))


def sinusoids(steps, width):
    row = lambda p: [(math.cos if i % 2 else math.sin)(p / 10000 ** ((i - i % 2) / width)) for i in range(width)]
    return torch.tensor([row(p) for p in range(steps)])


emit("sinusoids", sinusoids(7, 6))
emit("sinusoids_odd", sinusoids(3, 5))
