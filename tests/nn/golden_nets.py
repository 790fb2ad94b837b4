#!/usr/bin/env python3
"""Writes golden_nets.inc: what whole networks ought to give, by PyTorch in double precision.

    python3 tests/nn/golden_nets.py > tests/nn/golden_nets.inc

Weights and pictures are filled by a rule that test_nets.c knows too."""
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)


def numbers(count, seed):
    h = (torch.arange(count, dtype=torch.int64) + 1000 * seed) * 2654435761 & 0xFFFFFFFF
    h = (h ^ h >> 15) * 2246822519 & 0xFFFFFFFF
    return (h >> 8).to(torch.float64) / 2**23 - 1


def fill(net):
    """By a parameter's name: weights of a size that keeps signals alive, running variances positive."""
    for name, p in net.state_dict().items():
        if name.endswith("num_batches_tracked"):
            continue
        x = numbers(p.numel(), sum(name.encode()) % 11).reshape(p.shape)
        if p.dim() > 1:
            x = x / (p[0].numel() / 2) ** 0.5
        elif name.endswith("running_var") or name.endswith("weight"):
            x = 1 + x / 2
        else:
            x = 0.3 + x / 4
        p.copy_(x)


class Block(nn.Module):
    def __init__(self, channels, filters, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, filters, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(filters)
        self.conv2 = nn.Conv2d(filters, filters, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(filters)
        self.more = filters - channels
        self.stride = stride

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        x = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.more // 2, self.more - self.more // 2))
        return F.relu(y + x)


class ResNet20(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        sizes = [(16, 16, 1)] * 3 + [(16, 32, 2)] + [(32, 32, 1)] * 2 + [(32, 64, 2)] + [(64, 64, 1)] * 2
        for i, size in enumerate(sizes):
            setattr(self, f"block{i + 1}", Block(*size))
        self.fc1 = nn.Linear(64, 10)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        for i in range(9):
            x = getattr(self, f"block{i + 1}")(x)
        return self.fc1(x.mean((2, 3)))


class Transformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(6, 8)
        self.position1 = nn.Embedding(5, 8)
        self.transformer1 = nn.TransformerEncoderLayer(8, 2, 12, 0, "gelu", batch_first=True, norm_first=True)
        self.ln1 = nn.LayerNorm(8)
        self.fc2 = nn.Linear(40, 3)

    def forward(self, x):
        x = self.fc1(x[:, 0]) + self.position1.weight
        return self.fc2(self.ln1(self.transformer1(x)).flatten(1))


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru1 = nn.GRU(6, 4, batch_first=True)
        self.lstm1 = nn.LSTM(4, 5, batch_first=True)
        self.rnn1 = nn.RNN(5, 3, batch_first=True)
        self.fc1 = nn.Linear(3, 2)

    def forward(self, x):
        return self.fc1(self.rnn1(self.lstm1(self.gru1(x[:, 0])[0])[0])[0][:, -1])


def emit(name, x):
    print(f"static const double golden_{name}[] = {{{', '.join(repr(v) for v in x.flatten().tolist())}}};")


with torch.no_grad():
    for name, net, shape in [("resnet20", ResNet20(), (2, 3, 32, 32)), ("transformer", Transformer(), (2, 1, 5, 6)),
                             ("recurrent", Recurrent(), (2, 1, 5, 6))]:
        fill(net)
        x = numbers(torch.Size(shape).numel(), 3).reshape(shape)
        net.eval()
        emit(name, net(x))
        if name == "resnet20":
            print(f"#define RESNET20_PARAMETERS {sum(p.numel() for p in net.parameters())}")
            net.train()
            emit("resnet20_training", net(x))
            emit("resnet20_mean", net.block9.bn2.running_mean)
            emit("resnet20_var", net.block9.bn2.running_var)
