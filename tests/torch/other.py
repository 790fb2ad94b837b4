"""The networks of other.c."""
import torch
from torch import nn
from torch.nn import functional as F

from net import Net, certainty, mask_of, n, whole


class Gan(Net):
    phases = ("d.", "g.")

    def __init__(self):
        super().__init__()
        self.g = nn.Sequential(nn.Linear(4, 10), nn.ReLU(), nn.Linear(10, 6))
        self.d = nn.Sequential(nn.Linear(6, 12), nn.LeakyReLU(0.2), nn.Linear(12, 1, bias=False))

    def inputs():
        return dict(x=n(8, 6), z=n(8, 4))

    def run(self, phase, x, z):
        fake = self.g(z)
        if phase:
            y = self.d(fake)
            return y, certainty(y, 1)
        y = self.d(fake.detach())
        return y, certainty(self.d(x), 1) + certainty(y, 0)


class Wgan(Gan):
    optimizer, lr = "rmsprop", 0.001

    def run(self, phase, x, z):
        fake = self.g(z)
        if phase:
            y = self.d(fake)
            return y, -y.mean()
        y = self.d(fake.detach())
        return y, y.mean() - self.d(x).mean()

    def after(self, phase):
        for p in () if phase else self.d.parameters():
            p.data.clamp_(-0.2, 0.2)


class GradientPenalty(Gan):
    def inputs():
        return dict(x=n(8, 6), z=n(8, 4), share=torch.rand(8, 1))

    def run(self, phase, x, z, share):
        fake = self.g(z)
        if phase:
            y = self.d(fake)
            return y, -y.mean()
        y = self.d(fake.detach())
        mixed = (x + share * (fake.detach() - x)).requires_grad_()
        score = self.d[2](self.d[0](mixed).tanh())
        slope, = torch.autograd.grad(score.sum(), mixed, create_graph=True)
        return y, y.mean() - self.d(x).mean() + 10 * ((slope.norm(dim=1) - 1) ** 2).mean()


class Physics(Net):
    def __init__(self):
        super().__init__()
        self.f = nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1))

    def inputs():
        return dict(x=2 * n(10, 1), place=n(2, 1), value=n(2, 1))

    def run(self, phase, x, place, value):
        x = x.clone().requires_grad_()
        y = self.f(x)
        first, = torch.autograd.grad(y.sum(), x, create_graph=True)
        second, = torch.autograd.grad(first.sum(), x, create_graph=True)
        return y, ((second + y) ** 2).mean() + F.mse_loss(self.f(place), value)


class Siamese(Net):
    def __init__(self):
        super().__init__()
        self.fc1, self.bn, self.fc2 = nn.Linear(6, 10, bias=False), nn.BatchNorm1d(10), nn.Linear(10, 4, bias=False)

    def inputs():
        return dict(a=n(8, 6), b=n(8, 6) * 2 + 1, same=whole(2, 8).float())

    def twin(self, x):
        return self.fc2(self.bn(self.fc1(x)).relu())

    def run(self, phase, a, b, same):
        first, y = self.twin(a), self.twin(b)
        d = F.pairwise_distance(first, y)
        return y, torch.where(same > 0, d ** 2, (1.5 - d).relu() ** 2).mean() / 2


class Vae(Net):
    def __init__(self):
        super().__init__()
        self.enc, self.mean, self.log_var = nn.Linear(12, 10), nn.Linear(10, 3), nn.Linear(10, 3)
        self.dec, self.out = nn.Linear(3, 10), nn.Linear(10, 12)

    def inputs():
        return dict(x=torch.rand(6, 12), noise=n(6, 3))

    def run(self, phase, x, noise):
        h = self.enc(x).tanh()
        mean, log_var = self.mean(h), self.log_var(h)
        y = self.out(self.dec(mean + noise * (log_var / 2).exp()).tanh())
        apart = (mean ** 2 + log_var.exp() - log_var - 1).sum() / 2
        return y, (F.binary_cross_entropy_with_logits(y, x, reduction="sum") + apart) / len(x)


class Experts(Net):
    def __init__(self):
        super().__init__()
        self.gate = nn.Linear(5, 4, bias=False)
        self.w1, self.b1, self.w2 = self.number(4, 5, 8), self.number(4, 1, 8), self.number(4, 8, 3)

    def inputs():
        return dict(x=n(7, 5), label=whole(3, 7))

    def run(self, phase, x, label):
        gate = self.gate(x).softmax(-1)
        each = (x @ self.w1 + self.b1).relu() @ self.w2
        y = (each * gate.T[:, :, None]).sum(0)
        return y, F.cross_entropy(y, label) + 0.4 * (gate.mean(0) ** 2).sum()


class Rank5(Net):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = self.number(3, 5, 1, 6), self.number(2, 1, 5, 4, 1), self.number(5, 4, 6)

    def inputs():
        return dict(x=n(2, 3, 1, 4, 1), target=n(2, 5, 6))

    def run(self, phase, x, target):
        y = (x * self.a + self.b).tanh()
        y = ((y - y.mean(2, keepdim=True)) ** 2 * self.c).sum((1, 3))
        return y, F.mse_loss(y, target)


class Highway(Net):
    def __init__(self):
        super().__init__()
        self.gate = nn.ModuleList(nn.Linear(6, 6) for _ in range(3))
        self.way = nn.ModuleList(nn.Linear(6, 6) for _ in range(3))
        self.head = nn.Linear(6, 3)

    def inputs():
        return dict(x=n(8, 6), label=whole(3, 8))

    def run(self, phase, x, label):
        for gate, way in zip(self.gate, self.way):
            g = gate(x).sigmoid()
            x = g * way(x).relu() + (1 - g) * x
        y = self.head(x)
        return y, F.cross_entropy(y, label)


class Rbf(Net):
    def __init__(self):
        super().__init__()
        self.centre, self.log_width, self.out = self.number(6, 2), self.number(6), nn.Linear(6, 1)

    def inputs():
        return dict(x=n(9, 2), target=n(9, 1))

    def run(self, phase, x, target):
        far = ((x[:, None] - self.centre) ** 2).sum(-1)
        y = self.out((-self.log_width.exp() * far).exp())
        return y, F.mse_loss(y, target)


class TiedAutoencoder(Net):
    def __init__(self):
        super().__init__()
        self.weight, self.inner, self.outer = self.number(4, 10), self.number(4), self.number(10)

    def inputs():
        return dict(x=n(8, 10))

    def run(self, phase, x):
        y = (x @ self.weight.T + self.inner).sigmoid() @ self.weight + self.outer
        return y, F.mse_loss(y, x)


class Multitask(Net):
    def __init__(self):
        super().__init__()
        self.trunk, self.classes, self.value = nn.Linear(6, 8), nn.Linear(8, 3), nn.Linear(8, 2)
        self.log_var = self.number(2)

    def inputs():
        return dict(x=n(8, 6), label=whole(3, 8), target=2 * n(8, 2))

    def run(self, phase, x, label, target):
        h = self.trunk(x).relu()
        y = self.classes(h)
        losses = torch.stack([F.cross_entropy(y, label), F.huber_loss(self.value(h), target)])
        return y, ((-self.log_var).exp() * losses + self.log_var).sum()


class DeepSets(Net):
    def __init__(self):
        super().__init__()
        self.phi, self.rho, self.head = nn.Linear(3, 8), nn.Linear(8, 6), nn.Linear(6, 3)

    def inputs():
        return dict(x=n(5, 7, 3), mask=mask_of([7, 1, 4, 6, 2], 7).float(), label=whole(3, 5))

    def run(self, phase, x, mask, label):
        y = self.head(self.rho((self.phi(x).relu() * mask[:, :, None]).sum(1)).relu())
        return y, F.cross_entropy(y, label)


class GraphConvolution(Net):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Linear(4, 8), nn.Linear(8, 3)

    def inputs():
        edges = (torch.rand(6, 6) < 0.4).float() + torch.eye(6)
        return dict(edges=edges / edges.sum(1, keepdim=True), x=n(3, 6, 4), label=whole(3, 3, 6))

    def run(self, phase, edges, x, label):
        y = edges @ self.conv2((edges @ self.conv1(x)).relu())
        return y, F.cross_entropy(y.flatten(0, 1), label.flatten())


class NeuralOde(Net):
    def __init__(self):
        super().__init__()
        self.f = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 2))

    def inputs():
        return dict(x=n(6, 2), target=n(6, 2))

    def run(self, phase, x, target):
        for _ in range(4):
            a = self.f(x)
            b = self.f(x + a / 8)
            c = self.f(x + b / 8)
            x = x + (a + 2 * b + 2 * c + self.f(x + c / 4)) / 24
        return x, F.mse_loss(x, target)


class MixtureDensity(Net):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(1, 8), nn.Linear(8, 9)

    def inputs():
        return dict(x=n(10, 1), target=n(10, 1))

    def run(self, phase, x, target):
        y = self.fc2(self.fc1(x).tanh())
        share, mean, log_scale = y.chunk(3, 1)
        off = (target - mean) * (-log_scale).exp()
        return y, -(share.log_softmax(-1) - off ** 2 / 2 - log_scale).logsumexp(-1).mean()


class WideAndDeep(Net):
    def __init__(self):
        super().__init__()
        self.bag, self.wide = nn.Embedding(6, 3, padding_idx=0), nn.Linear(4, 1, bias=False)
        self.add_module("class", nn.Embedding(5, 4))
        self.deep1, self.deep2 = nn.Linear(11, 8), nn.Linear(8, 1)

    def inputs():
        bag = whole(6, 8, 4, low=1) * mask_of([4, 2, 0, 1, 3, 4, 2, 1], 4)
        return {"number": n(8, 4), "class": whole(5, 8), "bag": bag, "target": whole(2, 8, 1).float()}

    def run(self, phase, number, bag, target, **others):
        parts = [number, getattr(self, "class")(others["class"]), self.bag(bag).sum(1)]
        y = self.deep2(self.deep1(torch.cat(parts, 1)).relu()) + self.wide(number)
        return y, F.binary_cross_entropy_with_logits(y, target)
