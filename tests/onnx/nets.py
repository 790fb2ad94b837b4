#!/usr/bin/env python3
"""Networks of torchvision and PyTorch with random weights, exported to ONNX by both of PyTorch's exporters, and what
`tenon predict` makes of them beside what PyTorch does: the largest difference, in units of the largest output.
Needs PyTorch, torchvision, onnx and onnxscript.
With --one they are exported for a batch of 1, as most are, and run for three samples.
usage: nets.py TENON FOLDER [--one] [--device NAME]... [--net NAME]... [--exporter torchscript|dynamo]...
"""
import argparse, math, os, subprocess, sys, time, warnings

warnings.filterwarnings("ignore")
import numpy as np
import torch
import torchvision
from torch import nn

WITHIN = 1e-4


class Tagger(nn.Module):
    """Words of a text to tags, by an LSTM in both directions."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(100, 16)
        self.lstm = nn.LSTM(16, 24, num_layers=2, bidirectional=True, batch_first=True)
        self.tags = nn.Linear(48, 7)

    def forward(self, words):
        return self.tags(self.lstm(self.embedding(words))[0])


class Block(nn.Module):
    """A layer of a transformer: with `past` its keys and values stand before those of this call."""

    def __init__(self, width, heads, causal):
        super().__init__()
        self.heads, self.causal = heads, causal
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x, past=None):
        b, t, w = x.shape
        q, k, v = self.qkv(self.first(x)).view(b, t, 3, self.heads, w // self.heads).permute(2, 0, 3, 1, 4)
        if past is not None:
            k, v = torch.cat([past[0], k], 2), torch.cat([past[1], v], 2)
        scores = q @ k.transpose(-1, -2) / math.sqrt(w // self.heads)
        if self.causal:
            hidden = torch.ones(t, k.shape[2]).triu(k.shape[2] - t + 1).bool()
            scores = scores.masked_fill(hidden, float("-inf"))
        y = (scores.softmax(-1) @ v).transpose(1, 2).reshape(b, t, w)
        x = x + self.out(y)
        return x + self.mlp(self.second(x)), torch.stack([k, v])


class Encoder(nn.Module):
    """As BERT: words and places, layers of both directions, a vector for the whole."""

    def __init__(self):
        super().__init__()
        self.words, self.places = nn.Embedding(200, 32), nn.Embedding(16, 32)
        self.blocks = nn.ModuleList(Block(32, 4, False) for _ in range(3))
        self.norm, self.pool = nn.LayerNorm(32), nn.Linear(32, 32)

    def forward(self, words):
        x = self.words(words) + self.places(torch.arange(words.shape[1]))
        for block in self.blocks:
            x, _ = block(x)
        x = self.norm(x)
        return x, torch.tanh(self.pool(x[:, 0]))


class Decoder(nn.Module):
    """As GPT: the next words, by those before, whose keys and values are given and given back."""

    def __init__(self):
        super().__init__()
        self.words, self.places = nn.Embedding(200, 32), nn.Embedding(32, 32)
        self.blocks = nn.ModuleList(Block(32, 4, True) for _ in range(2))
        self.norm = nn.LayerNorm(32)

    def forward(self, words, past):
        at = past.shape[4]
        x = self.words(words) + self.places(torch.arange(at, at + words.shape[1]))
        kept = []
        for block, before in zip(self.blocks, past):
            x, now = block(x, before)
            kept.append(now)
        return self.norm(x) @ self.words.weight.T, torch.stack(kept)


class UNet(nn.Module):
    """Down and up again, with what was seen on the way down beside it."""

    def __init__(self):
        super().__init__()

        def twice(i, o):
            return nn.Sequential(nn.Conv2d(i, o, 3, padding=1), nn.BatchNorm2d(o), nn.ReLU(),
                                 nn.Conv2d(o, o, 3, padding=1), nn.GroupNorm(4, o), nn.SiLU())

        self.down = nn.ModuleList([twice(3, 8), twice(8, 16)])
        self.bottom = twice(16, 32)
        self.up = nn.ModuleList([nn.ConvTranspose2d(32, 16, 2, stride=2), nn.Upsample(scale_factor=2, mode="bilinear")])
        self.beside = nn.ModuleList([twice(32, 16), twice(24, 8)])
        self.out = nn.Conv2d(8, 2, 1)

    def forward(self, x):
        seen = []
        for down in self.down:
            x = down(x)
            seen.append(x)
            x = nn.functional.max_pool2d(x, 2)
        x = self.bottom(x)
        for up, beside in zip(self.up, self.beside):
            x = beside(torch.cat([up(x), seen.pop()], 1))
        return self.out(x)


class Detector(nn.Module):
    """As YOLO: boxes and scores at each place of two scales."""

    def __init__(self, classes=5, anchors=3):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 16, 3, 2, 1), nn.BatchNorm2d(16), nn.LeakyReLU(0.1),
                                  nn.Conv2d(16, 32, 3, 2, 1), nn.BatchNorm2d(32), nn.SiLU())
        self.coarse = nn.Sequential(nn.Conv2d(32, 32, 3, 2, 1), nn.Hardswish())
        self.classes, self.anchors = classes, anchors
        self.head = nn.ModuleList(nn.Conv2d(i, anchors * (5 + classes), 1) for i in (64, 32))

    def boxes(self, y, stride):
        b, _, h, w = y.shape
        y = y.view(b, self.anchors, 5 + self.classes, h, w).permute(0, 1, 3, 4, 2).sigmoid()
        rows, columns = torch.meshgrid(torch.arange(h), torch.arange(w), indexing="ij")
        place = (y[..., :2] * 2 - 0.5 + torch.stack([columns, rows], -1)) * stride
        return torch.cat([place, (y[..., 2:4] * 2) ** 2 * stride, y[..., 4:]], -1).view(b, -1, 5 + self.classes)

    def forward(self, x):
        fine = self.body(x)
        coarse = self.coarse(fine)
        near = torch.cat([fine, nn.functional.interpolate(coarse, scale_factor=2, mode="nearest")], 1)
        return torch.cat([self.boxes(self.head[0](near), 4), self.boxes(self.head[1](coarse), 8)], 1)


def vision(name, size=64, **more):
    return lambda: (getattr(torchvision.models, name)(weights=None, **more), (torch.randn(2, 3, size, size),))


def words(*shape, below=100):
    return torch.randint(0, below, shape)


NETS = {
    "lenet": lambda: (nn.Sequential(nn.Conv2d(1, 8, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 16, 5),
                                    nn.ReLU(), nn.MaxPool2d(3), nn.Flatten(), nn.Linear(144, 10)),
                      (torch.randn(2, 1, 28, 28),)),
    "resnet18": vision("resnet18"),
    "resnet50": vision("resnet50"),
    "vgg11": lambda: (nn.Sequential(torchvision.models.vgg11(weights=None).features, nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                                    nn.Linear(512, 10)), (torch.randn(2, 3, 64, 64),)),
    "mobilenet_v2": vision("mobilenet_v2"),
    "mobilenet_v3": vision("mobilenet_v3_small"),
    "squeezenet": vision("squeezenet1_1"),
    "efficientnet_b0": vision("efficientnet_b0"),
    "densenet121": vision("densenet121"),
    "regnet": vision("regnet_y_400mf"),
    "convnext_tiny": vision("convnext_tiny"),
    "vit": lambda: (torchvision.models.VisionTransformer(32, 8, 3, 4, 64, 128), (torch.randn(2, 3, 32, 32),)),
    "unet": lambda: (UNet(), (torch.randn(1, 3, 32, 32),)),
    "tagger": lambda: (Tagger(), (words(2, 9),)),
    "encoder": lambda: (Encoder(), (words(2, 12),)),
    "decoder": lambda: (Decoder(), (words(2, 3), torch.randn(2, 2, 2, 4, 5, 8))),
    "detector": lambda: (Detector(), (torch.randn(1, 3, 64, 64),)),
}


def stir(net):
    """Statistics of batch normalisation other than 0 and 1, and no weight that is all zeros."""
    for m in net.modules():
        if isinstance(m, nn.BatchNorm2d):
            m.running_mean.normal_(0, 0.1)
            m.running_var.uniform_(0.5, 1.5)
    for p in net.parameters():
        if not p.detach().any():
            nn.init.normal_(p, 0, 0.1)
    return net.eval()


def export(net, x, exporter, path):
    names = [f"in{i}" for i in range(len(x))]
    with open(os.devnull, "w") as nowhere:
        kept, sys.stdout = sys.stdout, nowhere
        try:
            torch.onnx.export(net, x, path, dynamo=exporter == "dynamo", input_names=names, opset_version=18)
        finally:
            sys.stdout = kept
    return names


def predict(tenon, device, path, folder, names, x, count):
    words = []
    for name, one in zip(names, x):
        np.save(f"{folder}/{name}.npy", one.numpy())
        words.append(f"{name}={folder}/{name}.npy")
    for old in os.listdir(folder):
        if old.startswith("y."):
            os.remove(f"{folder}/{old}")
    run = subprocess.run([tenon, "predict", "--model", path, "--device", device, "--out", f"{folder}/y.npy", *words],
                         capture_output=True, text=True)
    if run.returncode:
        return None, run.stderr.strip()
    outputs = [line.split()[0] for line in run.stdout.splitlines()]
    files = [f"{folder}/y.npy"] if count == 1 else [f"{folder}/y.{name.replace('/', '_')}.npy" for name in outputs]
    return [np.load(f) for f in files], run.stderr.strip()


def off(got, want):
    if got is None:
        return math.inf
    return max(float(np.abs(g - w.numpy()).max() / max(float(w.abs().max()), 1e-30)) for g, w in zip(got, want))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tenon")
    parser.add_argument("folder")
    parser.add_argument("--one", action="store_true")
    parser.add_argument("--device", action="append")
    parser.add_argument("--net", action="append", choices=NETS)
    parser.add_argument("--exporter", action="append", choices=["torchscript", "dynamo"])
    o = parser.parse_args()
    os.makedirs(o.folder, exist_ok=True)
    failed = 0
    for name in o.net or NETS:
        torch.manual_seed(1)
        net, x = NETS[name]()
        net = stir(net)
        declared = x
        if o.one and name != "decoder":  # its past has the batch elsewhere
            declared = tuple(one[:1] for one in x)
            x = tuple(torch.cat([one, one.flip(-1), one.roll(1, -1)]) for one in declared)
        with torch.no_grad():
            want = net(*x)
        want = want if isinstance(want, tuple) else (want,)
        for exporter in o.exporter or ["torchscript", "dynamo"]:
            path = f"{o.folder}/{name}-{exporter}.onnx"
            try:
                names = export(net, declared, exporter, path)
            except Exception as e:  # the exporter's failure, not ours
                print(f"{name:16} {exporter:12} is not exported: {str(e).splitlines()[0][:80]}", flush=True)
                continue
            for device in o.device or ["cpu"]:
                begin = time.time()
                got, said = predict(o.tenon, device, path, o.folder, names, x, len(want))
                worst = off(got, want)
                failed += not worst <= WITHIN
                print(f"{name:16} {exporter:12} {device:10} {worst:8.1e} {time.time() - begin:6.2f} s "
                      f"{'' if worst <= WITHIN else 'FAILED'} {said[:300]}", flush=True)
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
