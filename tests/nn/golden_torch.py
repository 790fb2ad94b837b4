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


# ---- losses: value and gradient ----
F = torch.nn.functional
LABELS, WEIGHTS = torch.tensor([2, 0, 3]), torch.tensor([0.5, 1, 2, 0.25], dtype=torch.float64)
POSITIVE = torch.tensor([2, 0.5, 1, 3], dtype=torch.float64)


def loss(name, make, shape=(3, 4)):
    x = (2 * fill(shape, 1)).requires_grad_()
    y = make(x)
    y.sum().backward()
    emit(name, y)
    emit(name + "_dx", x.grad)


t = fill((3, 4), 2)
yes = (t > 0).double()
ignoring = torch.tensor([2, -100, 3])
loss("ignored", lambda x: F.cross_entropy(x, ignoring))
loss("ignored_weighted", lambda x: F.cross_entropy(x, ignoring, weight=WEIGHTS, label_smoothing=0.1))
loss("ignored_none", lambda x: F.cross_entropy(x, ignoring, weight=WEIGHTS, label_smoothing=0.1, reduction="none"))
loss("ignored_class", lambda x: F.nll_loss(x, LABELS, ignore_index=0))
steps = torch.tensor([[1, 0, -1], [2, 3, -1]])
loss("steps", lambda x: F.cross_entropy(x.transpose(1, 2), steps, ignore_index=-1), (2, 3, 4))
loss("steps_none", lambda x: F.cross_entropy(x.transpose(1, 2), steps, ignore_index=-1, reduction="none"), (2, 3, 4))
loss("positive", lambda x: F.binary_cross_entropy_with_logits(x, yes, pos_weight=POSITIVE))
loss("huber_delta", lambda x: F.huber_loss(x, t, delta=0.75))
loss("smooth_l1", lambda x: F.smooth_l1_loss(x, t))
loss("smooth_l1_delta", lambda x: F.smooth_l1_loss(x, t, beta=0.5))
loss("poisson", lambda x: F.poisson_nll_loss(x, t + 1.25, log_input=True, full=False))
loss("hinge", lambda x: (0.3 - (2 * yes - 1) * x).clamp(min=0).mean())
loss("multi_margin", lambda x: F.multi_margin_loss(x, LABELS))
loss("multi_margin_weighted", lambda x: F.multi_margin_loss(x, LABELS, margin=0.3, weight=WEIGHTS))


def focal(x, gamma, weight=1):
    p = x.softmax(1).gather(1, LABELS[:, None])[:, 0]
    return (-weight * (1 - p) ** gamma * p.log()).mean()


def binary_focal(x, gamma, positive=1):
    p = torch.sigmoid(x)
    wrong = yes * (1 - p) + (1 - yes) * p
    return (F.binary_cross_entropy_with_logits(x, yes, pos_weight=POSITIVE if positive else None, reduction="none") * wrong**gamma).mean()


loss("focal", lambda x: focal(x, 2))
loss("focal_weighted", lambda x: focal(x, 1.5, WEIGHTS[LABELS]))
loss("binary_focal", lambda x: binary_focal(x, 2, 0))
loss("binary_focal_positive", lambda x: binary_focal(x, 1))

# ---- losses of pairs ----
a, b, side = fill((3, 4), 2), fill((3, 4), 3), torch.tensor([1.0, -1, 1])
loss("triplet", lambda x: F.triplet_margin_loss(x, a, b, margin=1.5))
distance = lambda x: F.pairwise_distance(x, a)
loss("contrastive", lambda x: torch.where(side > 0, distance(x) ** 2, (4 - distance(x)).clamp(min=0) ** 2).mean() / 2)
loss("ranking", lambda x: F.margin_ranking_loss(x, a, 2 * yes - 1, margin=0.5))
loss("cosine_embedding", lambda x: F.cosine_embedding_loss(x, a, side, margin=-0.2))
loss("gaussian", lambda x: F.gaussian_nll_loss(x, a, b + 1.25, full=False))
loss("gaussian_variance", lambda x: F.gaussian_nll_loss(a, b, x + 2.25, full=False))
