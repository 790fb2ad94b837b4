"""Networks of ours beside PyTorch's: outputs, gradients, 50 steps of training, and weights both ways.

    run.py PROGRAM DEVICE [NETWORK...]

PROGRAM is test_torch_nets. PyTorch computes in double precision with the same first weights. Exits with 77 where there is
no PyTorch or no such device; TENON_PYTHON names the interpreter that has one."""
import os
import subprocess
import sys
import tempfile
import zlib

try:
    import torch
except ImportError:
    print("skipped: this Python has no PyTorch; TENON_PYTHON can name one that has")
    sys.exit(77)

sys.dont_write_bytecode = True
import files
import net as base
import other  # noqa: F401: these fill NETS
import sequence  # noqa: F401
import vision  # noqa: F401

STEPS = 50
OUTPUT, GRADIENT, TRAINED = 1e-5, 1e-4, 1e-3


class Worst:
    """The largest error so far against its limit: of the largest number of a tensor."""

    def __init__(self):
        self.error = {"outputs": 0, "gradients": 0, "trained": 0}
        self.failed = []

    def compare(self, kind, limit, name, got, want, least):
        want = torch.as_tensor(want, dtype=torch.float64)
        if got is None or tuple(got.shape) != tuple(want.shape):
            self.failed.append("%s: %s" % (name, "missing" if got is None else "shape %s" % list(got.shape)))
            return
        error = ((got.double() - want).abs().max() / max(want.abs().max().item(), least)).item() if want.numel() else 0
        self.error[kind] = max(self.error[kind], error)
        if not error <= limit:
            self.failed.append("%s is off by %.2g" % (name, error))


def trained_by(module, phase):
    prefix = module.phases[phase]
    return {name: p for name, p in module.named_parameters() if name.startswith(prefix)}


def check_phase(worst, make, inputs, phase, results):
    """The gradients of all parameters, those that another phase trains as well."""
    module = make()
    params = dict(module.named_parameters())
    y, loss = module.run(phase, **inputs)
    grads = torch.autograd.grad(loss, list(params.values()), allow_unused=True)
    largest = max(g.abs().max().item() for g in grads if g is not None)
    worst.compare("outputs", OUTPUT, "y%d" % phase, results.get("y%d" % phase), y.detach(), 1)
    worst.compare("outputs", OUTPUT, "loss%d" % phase, results.get("loss%d" % phase), loss.detach(), 1)
    for (name, p), grad in zip(params.items(), grads):
        key = "grad%d.%s" % (phase, name)
        want = torch.zeros_like(p) if grad is None else grad
        worst.compare("gradients", GRADIENT, key, results.get(key), want.detach(), 1e-2 * largest)


def train(module, inputs):
    optimizers = [module.optimizer_of(trained_by(module, k).values()) for k in range(len(module.phases))]
    losses = []
    for _ in range(STEPS):
        for phase, optimizer in enumerate(optimizers):
            module.zero_grad()
            loss = module.run(phase, **inputs)[1]
            loss.backward()
            optimizer.step()
            module.after(phase)
            losses.append(loss.item())
    return losses


def check_training(worst, make, inputs, results, weights):
    module = make()
    losses = train(module, inputs)
    worst.compare("trained", TRAINED, "losses", results.get("losses"), losses, 1)
    for name, want in module.state_dict().items():
        if not name.endswith("num_batches_tracked"):
            worst.compare("trained", TRAINED, name, weights.get(name), want, 1)


def check_ours_in_pytorch(worst, make, inputs, results, weights):
    module = make()
    module.load_state_dict(weights)
    y = module.run(0, **inputs)[0].detach()
    worst.compare("outputs", OUTPUT, "y by the trained weights", results.get("y"), y, 1)


def check(program, device, name, folder):
    torch.manual_seed(zlib.crc32(name.encode()))
    net = base.NETS[name]
    first = net().state_dict()
    inputs = net.inputs()
    paths = [os.path.join(folder, part) for part in ("from", "results", "weights")]
    files.write(paths[0], {**first, **{"in:" + k: x.int() if x.dtype == torch.int64 else x for k, x in inputs.items()}})
    command = [program, name, device, net.optimizer, str(net.lr), str(STEPS)] + paths
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True)
    worst = Worst()
    if done.returncode:
        worst.failed.append(done.stderr.strip() or "exit status %d" % done.returncode)
        return done.returncode, worst
    results, weights = files.read(paths[1]), files.read(paths[2])
    inputs = {k: x.double() if x.dtype == torch.float32 else x for k, x in inputs.items()}

    def make():
        module = net()
        module.load_state_dict(first)
        return module.double()

    for phase in range(len(net.phases)):
        check_phase(worst, make, inputs, phase, results)
    check_training(worst, make, inputs, results, weights)
    check_ours_in_pytorch(worst, make, inputs, results, weights)
    return 0, worst


def main():
    program, device, names = sys.argv[1], sys.argv[2], sys.argv[3:] or list(base.NETS)
    torch.set_num_threads(1)
    failed = 0
    print("PyTorch %s; %d networks on %s; of outputs, gradients, after %d steps:" % (torch.__version__, len(names), device, STEPS))
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            status, worst = check(program, device, name, folder)
            if status == 77:
                print("skipped: %s" % "; ".join(worst.failed))
                sys.exit(77)
            errors = " ".join("%9.2g" % e for e in worst.error.values())
            print("%-20s %s  %s" % (name, errors, "; ".join(worst.failed) or "fine"), flush=True)
            failed += bool(worst.failed)
    print("%d of %d networks failed" % (failed, len(names)))
    sys.exit(bool(failed))


main()
