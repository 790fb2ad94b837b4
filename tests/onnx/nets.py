#!/usr/bin/env python3
"""Networks of torchvision and of PyTorch, with random weights, exported to ONNX by both of PyTorch's exporters; and
what the command makes of them beside what PyTorch makes of them.

  make DIR [NAME...]           writes DIR/NAME.EXPORTER.onnx, the inputs NAME.npz and PyTorch's outputs NAME.out.npz
  check DIR [NAME...]          runs each by `tenon predict` and compares: 1e-4 of the largest element of an output
  check DIR --onnxruntime      by ONNX Runtime: whether the exporter was right

Needs PyTorch, torchvision, onnx and onnxscript; `check` needs NumPy alone."""
import argparse
import glob
import json
import os
import subprocess
import sys
import tempfile

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
EXPORTERS = {"dynamo": True, "script": False}

# ---- networks: name -> the module, and its inputs by name ----


def ours():
    """Networks of our own, as people write them."""
    import torch
    from torch import nn
    from torch.nn import functional

    class Mnist(nn.Module):
        """As MNIST-12 of ONNX's zoo: products written as such, a reshape to a constant shape."""

        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Conv2d(1, 8, 5, padding=2, bias=False), nn.Conv2d(8, 16, 5, padding=2, bias=False)
            self.shift_a, self.shift_b = nn.Parameter(torch.randn(8, 1, 1)), nn.Parameter(torch.randn(16, 1, 1))
            self.last, self.shift = nn.Parameter(torch.randn(256, 10) / 16), nn.Parameter(torch.randn(1, 10))

        def forward(self, image):
            x = functional.max_pool2d(torch.relu(self.a(image) + self.shift_a), 2)
            x = functional.max_pool2d(torch.relu(self.b(x) + self.shift_b), 3)
            return x.reshape(1, 256) @ self.last + self.shift

    class UNet(nn.Module):
        def __init__(self):
            super().__init__()

            def block(i, o):
                return nn.Sequential(nn.Conv2d(i, o, 3, padding=1), nn.BatchNorm2d(o), nn.LeakyReLU(0.1),
                                     nn.Conv2d(o, o, 3, padding=1), nn.GroupNorm(4, o), nn.SiLU())
            self.down, self.middle, self.bottom = block(3, 16), block(16, 32), block(32, 64)
            self.up, self.right, self.last = nn.ConvTranspose2d(64, 32, 2, 2), block(64, 32), block(48, 16)
            self.out = nn.Conv2d(16, 2, 1)

        def forward(self, image):
            a = self.down(image)
            b = self.middle(functional.max_pool2d(a, 2))
            x = self.up(self.bottom(functional.avg_pool2d(b, 2)))
            x = self.right(torch.cat([x, b], 1))
            x = functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
            return self.out(self.last(torch.cat([x, a], 1)))

    class Tagger(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed, self.lstm = nn.Embedding(100, 24), nn.LSTM(24, 20, 2, bidirectional=True, batch_first=True)
            self.gru, self.out = nn.GRU(40, 12, batch_first=True), nn.Linear(12, 7)

        def forward(self, words):
            x = self.gru(self.lstm(self.embed(words))[0])[0]
            return functional.log_softmax(self.out(x), -1)

    class Bert(nn.Module):
        def __init__(self):
            super().__init__()
            self.word, self.place = nn.Embedding(200, 48), nn.Embedding(32, 48)
            layer = nn.TransformerEncoderLayer(48, 4, 96, 0.1, "gelu", batch_first=True)
            self.layers, self.out = nn.TransformerEncoder(layer, 3, enable_nested_tensor=False), nn.Linear(48, 5)

        def forward(self, words, mask):
            place = torch.arange(words.shape[1])
            x = self.word(words) + self.place(place)
            bias = (1.0 - mask[:, None, :].float()).expand(-1, words.shape[1], -1) * -1e4
            x = self.layers(x, mask=bias.repeat_interleave(4, 0))
            return self.out(torch.tanh(x[:, 0]))

    class Gpt(nn.Module):
        """One step of a decoder: the last tokens, and the keys and values of those before."""

        def __init__(self):
            super().__init__()
            self.word, self.place = nn.Embedding(100, 32), nn.Embedding(64, 32)
            self.first, self.second = nn.LayerNorm(32), nn.LayerNorm(32)
            self.qkv, self.project = nn.Linear(32, 96), nn.Linear(32, 32)
            self.up, self.down = nn.Linear(32, 128), nn.Linear(128, 32)

        def forward(self, words, past_k, past_v):
            old, new = past_k.shape[2], words.shape[1]
            x = self.word(words) + self.place(torch.arange(old, old + new))
            q, k, v = (t.reshape(t.shape[0], new, 4, 8).transpose(1, 2) for t in self.qkv(self.first(x)).split(32, -1))
            k, v = torch.cat([past_k, k], 2), torch.cat([past_v, v], 2)
            bias = torch.full((new, old + new), float("-inf")).triu(old + 1)
            mixed = functional.scaled_dot_product_attention(q, k, v, attn_mask=bias)
            x = x + self.project(mixed.transpose(1, 2).reshape(x.shape))
            x = x + self.down(functional.gelu(self.up(self.second(x)), approximate="tanh"))
            return x @ self.word.weight.T, k, v

    class Yolo(nn.Module):
        """A detector's head: boxes from a grid, then those that are not hidden by a better one."""

        def __init__(self):
            super().__init__()
            self.body = nn.Sequential(nn.Conv2d(3, 16, 3, 2, 1), nn.BatchNorm2d(16), nn.SiLU(), nn.Conv2d(16, 32, 3, 2, 1),
                                      nn.Hardswish(), nn.MaxPool2d(5, 1, 2), nn.Conv2d(32, 6, 1))

        def forward(self, image):
            x = self.body(image)
            rows, columns = torch.arange(x.shape[2]), torch.arange(x.shape[3])
            y0, x0 = torch.meshgrid(rows, columns, indexing="ij")
            x = x[0].permute(1, 2, 0)
            middle = (torch.sigmoid(x[..., :2]) + torch.stack([x0, y0], -1)) * 4
            size = torch.exp(x[..., 2:4].clamp(-2, 2)) * 8
            boxes = torch.cat([middle - size / 2, middle + size / 2], -1).reshape(-1, 4)
            return boxes, torch.sigmoid(x[..., 4] * x[..., 5]).reshape(-1)

    class Suppress(Yolo):
        def forward(self, image):
            from torchvision.ops import nms
            boxes, scores = super().forward(image)
            return boxes[nms(boxes, scores, 0.45)]

    words = torch.randint(0, 100, (2, 11))
    image = torch.randn(2, 3, 64, 64)
    cache = torch.randn(2, 4, 6, 8)
    return {
        "mnist": lambda: (Mnist(), {"image": torch.randn(1, 1, 28, 28)}),
        "unet": lambda: (UNet(), {"image": image}),
        "tagger": lambda: (Tagger(), {"words": words}),
        "bert": lambda: (Bert(), {"words": words, "mask": (torch.arange(11) < torch.tensor([[11], [7]])).long()}),
        "gpt": lambda: (Gpt(), {"words": words[:, :3], "past_k": cache, "past_v": cache.flip(0)}),
        "yolo": lambda: (Yolo(), {"image": image[:1]}),
        "yolo_nms": lambda: (Suppress(), {"image": image[:1]}),
    }


def theirs():
    """Networks of torchvision, for images of 64 x 64; of 224 x 224 where the exporter asks for windows of one size."""
    import torch
    from torchvision import models

    names = ["resnet18", "resnet50", "vgg11", "vgg11_bn", "mobilenet_v2", "mobilenet_v3_small", "mobilenet_v3_large",
             "squeezenet1_1", "efficientnet_b0", "densenet121", "regnet_y_400mf", "regnet_x_400mf", "convnext_tiny",
             "shufflenet_v2_x0_5", "mnasnet0_5", "googlenet", "alexnet", "swin_t"]

    def one(name):
        options = {"init_weights": True, "aux_logits": False} if name == "googlenet" else {}
        size = 224 if name.startswith(("vgg", "alexnet")) else 64
        return getattr(models, name)(weights=None, **options), {"image": torch.randn(2, 3, size, size)}

    known = {name: lambda name=name: one(name) for name in names}
    known["vit_tiny"] = lambda: (models.VisionTransformer(64, 8, 4, 3, 192, 768, num_classes=100),
                                 {"image": torch.randn(2, 3, 64, 64)})
    return known


def known():
    return {**ours(), **theirs()}


# ---- making ----

def settle(module, inputs):
    """Running statistics as after a training, so that an evaluation has numbers of a usual size."""
    import torch
    module.train()
    with torch.no_grad():
        for _ in range(3):
            module(*inputs.values())
    return module.eval()


def make(o):
    import torch
    nets = known()
    for name in o.names or nets:
        torch.manual_seed(sum(name.encode()))
        module, inputs = nets[name]()
        module = settle(module, inputs)
        with torch.no_grad():
            out = module(*inputs.values())
        out = out if isinstance(out, tuple) else (out,)
        np.savez(os.path.join(o.folder, name + ".npz"), **{k: v.numpy() for k, v in inputs.items()})
        np.savez(os.path.join(o.folder, name + ".out.npz"), **{f"out{i}": t.numpy() for i, t in enumerate(out)})
        for exporter, dynamo in EXPORTERS.items():
            path = os.path.join(o.folder, f"{name}.{exporter}.onnx")
            try:
                torch.onnx.export(module, tuple(inputs.values()), path, dynamo=dynamo, verbose=False,
                                  input_names=list(inputs), output_names=[f"out{i}" for i in range(len(out))])
                print(path)
            except Exception as error:  # the exporter's own limits: whatever it raises
                print(f"{path}: not exported: {str(error).strip().splitlines()[-1]}")


# ---- comparing ----

def difference(got, wanted):
    if got.shape != wanted.shape:
        return f"shape {got.shape} in place of {wanted.shape}"
    largest = float(np.abs(wanted).max(initial=0)) or 1.0
    off = float(np.abs(got.astype(np.float64) - wanted).max(initial=0)) / largest
    return None if off <= 1e-4 else f"off by {off:.2g}"


def run(o, path, inputs, folder):
    """Outputs by name, or a line that says why there are none."""
    files = []
    for name, value in inputs.items():
        np.save(os.path.join(folder, name + ".npy"), value.astype(np.int32) if value.dtype == np.int64 else value)
        files.append(f"{name}={os.path.join(folder, name)}.npy")
    answer = os.path.join(folder, "answer.npz")
    done = subprocess.run([o.tenon, "predict", "--model", path, *files, "--out", answer, "--device", o.device],
                          capture_output=True, text=True, check=False)
    if done.returncode:
        return (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
    with np.load(answer) as found:
        return {name: found[name] for name in found.files}


def run_peer(path, inputs):
    import onnxruntime
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    taken = {one.name for one in session.get_inputs()}
    names = [one.name for one in session.get_outputs()]
    return dict(zip(names, session.run(names, {k: v for k, v in inputs.items() if k in taken})))


def check(o):
    failed = 0
    names = o.names or sorted(os.path.basename(p)[:-8] for p in glob.glob(os.path.join(o.folder, "*.out.npz")))
    for name in names:
        inputs = dict(np.load(os.path.join(o.folder, name + ".npz")))
        wanted = dict(np.load(os.path.join(o.folder, name + ".out.npz")))
        for path in sorted(glob.glob(os.path.join(o.folder, name + ".*.onnx"))):
            with tempfile.TemporaryDirectory() as folder:
                got = run_peer(path, inputs) if o.onnxruntime else run(o, path, inputs, folder)
            wrong = {"": got} if isinstance(got, str) else \
                {key: difference(got[key], value) if key in got else "missing" for key, value in wanted.items()}
            wrong = {key: why for key, why in wrong.items() if why}
            failed += bool(wrong)
            print(f"{os.path.basename(path)}: " + (json.dumps(wrong) if wrong else "ok"), flush=True)
    return bool(failed)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = arguments.add_subparsers(required=True)
    for name, work in (("make", make), ("check", check)):
        one = commands.add_parser(name)
        one.add_argument("folder")
        one.add_argument("names", nargs="*")
        one.add_argument("--device", default="cpu")
        one.add_argument("--tenon", default=os.path.join(HERE, "../../build/release/bin/tenon"))
        one.add_argument("--onnxruntime", action="store_true")
        one.set_defaults(run=work)
    o = arguments.parse_args()
    return o.run(o)


if __name__ == "__main__":
    sys.exit(main())
