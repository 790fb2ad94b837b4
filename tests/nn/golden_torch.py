"""Writes golden_torch.inc: optimizers and schedules by PyTorch in double precision; NumPy where PyTorch has none.
Run by hand: python3 golden_torch.py > golden_torch.inc (last run with PyTorch 1.13.0 and NumPy 1.24.2)."""
import numpy as np
import torch
from torch.optim import lr_scheduler


def fill(shape, seed):
    """The numbers that the test feeds: multiples of 1/8, exact in single precision."""
    n = int(np.prod(shape))
    x = np.array([((7 * (i + 1) + 5 * seed + i * i) % 17 - 8) / 8 for i in range(n)]).reshape(shape)
    return torch.tensor(x, dtype=torch.float64)


def emit(name, value):
    value = value.detach().numpy() if isinstance(value, torch.Tensor) else np.asarray(value, dtype=float)
    print("static const double golden_%s[] = {%s};" % (name, ", ".join("%.17g" % v for v in value.ravel())))


# ---- optimizers: steps on c (p - 1)^2 / 2 ----
STEPS = 12


def descend(name, make, **options):
    p, c = fill(6, 1).requires_grad_(), fill(6, 3) + 1.25
    optimizer = make([p], lr=0.05, **options)
    for _ in range(STEPS):
        optimizer.zero_grad()
        (c * (p - 1) ** 2 / 2).sum().backward()
        optimizer.step()
    emit(name, p)


O = torch.optim
descend("amsgrad", O.Adam, amsgrad=True, betas=(0.9, 0.5))
descend("amsgrad_w", O.AdamW, amsgrad=True, betas=(0.9, 0.5))
descend("rmsprop_momentum", O.RMSprop, momentum=0.8)
descend("rmsprop_centered", O.RMSprop, centered=True, alpha=0.9)
descend("rmsprop_both", O.RMSprop, centered=True, momentum=0.5, weight_decay=0.1)
descend("adadelta", O.Adadelta)
descend("adadelta_fast", O.Adadelta, rho=0.5, eps=0.01, weight_decay=0.1)
descend("adamax", O.Adamax)
descend("adamax_decay", O.Adamax, betas=(0.5, 0.8), weight_decay=0.1)
# Its loop over tensors multiplies mu twice into the next product in 1.13; foreach follows the paper, as later versions do.
descend("nadam", O.NAdam, foreach=True)
descend("nadam_decay", O.NAdam, foreach=True, betas=(0.5, 0.8), weight_decay=0.1)
descend("radam", O.RAdam)
descend("radam_decay", O.RAdam, betas=(0.5, 0.8), weight_decay=0.1)

p, c, m = fill(6, 1).numpy(), fill(6, 3).numpy() + 1.25, np.zeros(6)
for _ in range(STEPS):
    g = c * (p - 1)
    p = p - 0.05 * (np.sign(0.9 * m + 0.1 * g) + 0.1 * p)
    m = 0.99 * m + 0.01 * g
emit("lion", p)

# ---- groups of parameters: the bias without decay, the scale without decay and slower ----
w, b, s = fill((2, 3), 1).requires_grad_(), fill(3, 2).requires_grad_(), fill(3, 3).requires_grad_()
groups = [{"params": [w], "weight_decay": 0.1}, {"params": [b]}, {"params": [s], "lr": 0.005}]
optimizer = O.AdamW(groups, lr=0.05, weight_decay=0)
for _ in range(STEPS):
    optimizer.zero_grad()
    ((w * s + b) ** 2).sum().backward()
    optimizer.step()
emit("groups", torch.cat([w.ravel(), b, s]))


# ---- schedules: the factors of 24 steps ----
def schedule(name, make, steps=24):
    optimizer = O.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler, factors = make(optimizer), []
    for _ in range(steps):
        factors.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    emit(name, factors)


schedule("milestones", lambda o: lr_scheduler.MultiStepLR(o, [3, 4, 20], 0.1))
schedule("linear", lambda o: lr_scheduler.LinearLR(o, 1, 0, 16))
schedule("linear_end", lambda o: lr_scheduler.LinearLR(o, 1, 0.25, 16))
schedule("polynomial", lambda o: lr_scheduler.PolynomialLR(o, 16, 2.5))
schedule("onecycle", lambda o: lr_scheduler.OneCycleLR(o, 1.0, 24, cycle_momentum=False), 23)
schedule("restarts", lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 4, 2))
schedule("restarts_alike", lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 5, 1))
schedule("cosine_end", lambda o: lr_scheduler.CosineAnnealingLR(o, 24, 0.1))
