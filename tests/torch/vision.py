"""The networks of vision.c."""
import torch
from torch import nn
from torch.nn import functional as F

from net import Net, certainty, n, whole


def normed(inputs, outputs, kernel, stride=1, groups=1):
    conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs))


class Unet(Net):
    def __init__(self):
        super().__init__()
        self.down1, self.down2 = nn.Conv2d(2, 4, 3, padding=1), nn.Conv2d(4, 8, 3, padding=1)
        self.up, self.mix = nn.ConvTranspose2d(8, 4, 2, 2), nn.Conv2d(8, 4, 3, padding=1)
        self.out = nn.Conv2d(4, 1, 1)

    def inputs():
        return dict(x=n(2, 2, 8, 8), target=whole(2, 2, 1, 8, 8).float())

    def run(self, phase, x, target):
        a = self.down1(x).relu()
        b = self.down2(F.max_pool2d(a, 2)).relu()
        y = self.out(self.mix(torch.cat([self.up(b), a], 1)).relu())
        return y, F.binary_cross_entropy_with_logits(y, target)


class Bottleneck(Net):
    def __init__(self):
        super().__init__()
        self.shortcut, self.reduce = normed(6, 12, 1, 2), normed(6, 3, 1)
        self.middle, self.expand, self.head = normed(3, 3, 3, 2), normed(3, 12, 1), nn.Linear(12, 3)

    def inputs():
        return dict(x=n(4, 6, 6, 6), label=whole(3, 4))

    def run(self, phase, x, label):
        y = self.expand(self.middle(self.reduce(x).relu()).relu())
        y = self.head((y + self.shortcut(x)).relu().mean((2, 3)))
        return y, F.cross_entropy(y, label)


class Mobilenet(Net):
    def __init__(self):
        super().__init__()
        self.expand, self.depthwise = normed(4, 12, 1), normed(12, 12, 3, groups=12)
        self.project, self.head = normed(12, 4, 1), nn.Linear(4, 3)

    def inputs():
        return dict(x=n(4, 4, 6, 6), label=whole(3, 4))

    def run(self, phase, x, label):
        y = self.project(F.relu6(self.depthwise(F.relu6(self.expand(x))))) + x
        y = self.head(y.mean((2, 3)))
        return y, F.cross_entropy(y, label)


class SqueezeExcite(Net):
    def __init__(self):
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 8, 3, padding=1), nn.Linear(8, 3)
        self.squeeze, self.excite = nn.Linear(8, 2), nn.Linear(2, 8)

    def inputs():
        return dict(x=n(5, 3, 6, 5), label=whole(3, 5))

    def run(self, phase, x, label):
        x = self.conv(x).relu()
        scale = self.excite(self.squeeze(x.mean((2, 3))).relu()).sigmoid()
        y = self.head((x * scale[:, :, None, None]).mean((2, 3)))
        return y, F.cross_entropy(y, label)


class Vit(Net):
    optimizer, lr = "momentum", 0.02

    def __init__(self):
        super().__init__()
        self.patch, self.first, self.position = nn.Conv2d(1, 12, 4, 4), self.number(1, 1, 12), self.number(1, 5, 12)
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(12, 3, 24, 0, "gelu", batch_first=True, norm_first=True) for _ in range(2))
        self.norm, self.head = nn.LayerNorm(12), nn.Linear(12, 3)

    def inputs():
        return dict(x=n(3, 1, 8, 8), label=whole(3, 3))

    def run(self, phase, x, label):
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.first.expand(len(x), 1, 12), x], 1) + self.position
        for layer in self.layers:
            x = layer(x)
        y = self.head(self.norm(x)[:, 0])
        return y, F.cross_entropy(y, label)


class Mixer(Net):
    def __init__(self):
        super().__init__()
        self.patch, self.head = nn.Conv2d(1, 6, 4, 4), nn.Linear(6, 3)
        self.norm1, self.norm2 = nn.LayerNorm(6, 1e-3), nn.LayerNorm(6, 1e-3)
        self.tokens = nn.Sequential(nn.Linear(4, 5), nn.GELU(), nn.Linear(5, 4))
        self.channels = nn.Sequential(nn.Linear(6, 9), nn.GELU(), nn.Linear(9, 6))

    def inputs():
        return dict(x=n(4, 1, 8, 8), label=whole(3, 4))

    def run(self, phase, x, label):
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = x + self.tokens(self.norm1(x).transpose(1, 2)).transpose(1, 2)
        x = x + self.channels(self.norm2(x))
        y = self.head(x.mean(1))
        return y, F.cross_entropy(y, label)


class FocalHead(Net):
    def __init__(self):
        super().__init__()
        self.body, self.box = nn.Conv2d(3, 6, 3, padding=1), nn.Conv2d(6, 4, 3, padding=1)
        self.objectness = nn.Conv2d(6, 1, 3, padding=1)

    def inputs():
        return dict(x=n(2, 3, 5, 6), object=(torch.rand(2, 1, 5, 6) < 0.2).float(), box=2 * n(2, 4, 5, 6))

    def run(self, phase, x, object, box):
        x = self.body(x).relu()
        y = self.objectness(x)
        bits = F.binary_cross_entropy_with_logits(y, object, reduction="none")
        focal = ((1 - (-bits).exp()) ** 2 * bits).mean()
        off = F.smooth_l1_loss(self.box(x), box, reduction="none")
        return y, focal + (off * object).sum() / object.sum()


class Film(Net):
    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(2, 6, 3, padding=1), nn.GroupNorm(3, 6, 1e-2)
        self.film, self.head = nn.Linear(3, 12), nn.Linear(6, 2)

    def inputs():
        return dict(x=n(4, 2, 5, 5), condition=n(4, 3), target=n(4, 2))

    def run(self, phase, x, condition, target):
        scale, shift = self.film(condition)[:, :, None, None].chunk(2, 1)
        y = self.head(F.silu(self.norm(self.conv(x)) * scale + shift).mean((2, 3)))
        return y, F.mse_loss(y, target)


def squash(x):
    square = (x * x).sum(-2, keepdim=True)
    return x * (square + 1e-8).sqrt() / (1 + square)


class Capsules(Net):
    def __init__(self):
        super().__init__()
        self.weight = self.number(1, 6, 3, 4, 5)

    def inputs():
        return dict(x=0.5 * n(4, 6, 5), label=whole(3, 4))

    def run(self, phase, x, label):
        votes = self.weight @ x[:, :, None, :, None]
        agree = torch.zeros_like(votes[:, :, :, :1])
        for _ in range(3):
            v = squash((agree.softmax(2) * votes).sum(1, keepdim=True))
            agree = agree + (votes * v).sum(3, keepdim=True)
        y = v.norm(dim=3).reshape(-1, 3)
        true = F.one_hot(label, 3)
        return y, (true * (0.9 - y).relu() ** 2 + 0.5 * (1 - true) * (y - 0.1).relu() ** 2).mean()


class Triplet(Net):
    def __init__(self):
        super().__init__()
        self.conv, self.fc = nn.Conv2d(1, 4, 3, padding=1), nn.Linear(36, 4)

    def inputs():
        return dict(anchor=n(5, 1, 6, 6), positive=n(5, 1, 6, 6), negative=n(5, 1, 6, 6))

    def embedded(self, x):
        x = F.avg_pool2d(self.conv(x).relu(), 3, 2, 1, count_include_pad=False)
        return F.normalize(self.fc(x.flatten(1)), dim=-1)

    def run(self, phase, anchor, positive, negative):
        y = self.embedded(anchor)
        return y, F.triplet_margin_loss(y, self.embedded(positive), self.embedded(negative), 0.5)


class Dcgan(Net):
    phases, lr = ("d.", "g."), 0.002

    def __init__(self):
        super().__init__()
        self.g, self.d = nn.Module(), nn.Module()
        self.g.fc, self.g.bn = nn.Linear(5, 32, bias=False), nn.BatchNorm2d(8)
        self.g.up1, self.g.up2 = nn.ConvTranspose2d(8, 4, 4, 2, 1), nn.ConvTranspose2d(4, 1, 4, 2, 1)
        self.d.conv1, self.d.conv2 = nn.Conv2d(1, 4, 4, 2, 1), nn.Conv2d(4, 8, 4, 2, 1, bias=False)
        self.d.bn, self.d.fc = nn.BatchNorm2d(8), nn.Linear(32, 1)

    def inputs():
        return dict(x=n(6, 1, 8, 8), z=n(6, 5))

    def drawn(self, z):
        z = self.g.bn(self.g.fc(z).reshape(-1, 8, 2, 2)).relu()
        return self.g.up2(self.g.up1(z).relu()).tanh()

    def judged(self, x):
        x = F.leaky_relu(self.d.conv1(x), 0.2)
        return self.d.fc(F.leaky_relu(self.d.bn(self.d.conv2(x)), 0.2).flatten(1))

    def run(self, phase, x, z):
        fake = self.drawn(z)
        if phase:
            y = self.judged(fake)
            return y, certainty(y, 1)
        real, y = self.judged(x), self.judged(fake.detach())
        return y, certainty(real, 1) + certainty(y, 0)
