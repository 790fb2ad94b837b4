"""Writes golden_sync.inc: a small network with batch normalisation, trained by PyTorch on whole batches in double
precision. Run by hand: python3 golden_sync.py > golden_sync.inc (last run with PyTorch 2.15)."""
import numpy as np
import torch

torch.set_default_dtype(torch.float64)
COUNT, SIDE, CLASSES, STEPS = 12, 4, 3, 3


def fill(count, seed):
    """The numbers that the test begins with: multiples of 1/8."""
    return torch.tensor([((7 * (i + 1) + 5 * seed + i * i) % 17 - 8) / 8 for i in range(count)])


net = torch.nn.Sequential()
net.add_module("conv1", torch.nn.Conv2d(1, 2, 2, bias=False))
net.add_module("bn1", torch.nn.BatchNorm2d(2))
net.add_module("relu", torch.nn.ReLU())
net.add_module("flatten", torch.nn.Flatten())
net.add_module("fc1", torch.nn.Linear(18, 4))
net.add_module("bn2", torch.nn.BatchNorm1d(4))
net.add_module("tanh", torch.nn.Tanh())
net.add_module("fc2", torch.nn.Linear(4, CLASSES))
with torch.no_grad():
    for number, (name, p) in enumerate(net.named_parameters()):
        scale = 1 if "bn" in name else 0.5
        p.copy_(fill(p.numel(), number).reshape(p.shape) * scale + (1 if name.startswith("bn") and "weight" in name else 0))

x = (fill(COUNT * SIDE * SIDE, 3) + 2).reshape(COUNT, 1, SIDE, SIDE)
label = torch.arange(COUNT) % CLASSES
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
losses = []
for _ in range(STEPS):
    loss = torch.nn.functional.cross_entropy(net(x), label)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())

print("/* golden_sync.inc: written by golden_sync.py. */")
print("static const double golden_losses[] = {%s};" % ", ".join("%.17g" % v for v in losses))
print("static const struct {\n    const char *name;\n    double value[72];\n} golden[] = {")
for name, value in net.state_dict().items():
    if "tracked" not in name:
        print('    {"%s", {%s}},' % (name, ", ".join("%.17g" % v for v in np.asarray(value).ravel())))
print("};")
