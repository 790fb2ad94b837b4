#!/usr/bin/env python3
"""One step of SGD on networks that PyTorch exported, beside PyTorch's own: gradients and running statistics, each in
units of its tensor's largest (or of a thousandth of the largest of all, where a gradient is all but 0). The networks are
those of nets.py, in training and without dropout, for another batch than the file declares where it allows that.
PyTorch computes in double precision, and so do we with --f64: in f32 a rounding decides which of two all but equal
numbers a maximum takes, or on which side of 0 a relu is, so that both libraries' gradients are off where that matters;
PyTorch's own in f32 are shown beside.
Needs PyTorch, torchvision, onnx and onnxscript, and the package tenon (PYTHONPATH, TENON_LIBRARY).
usage: steps.py FOLDER [--f64] [--device NAME]... [--net NAME]...
    [--exporter torchscript|dynamo]...
"""
import argparse, os, sys, time, warnings

warnings.filterwarnings("ignore")
import numpy as np
import onnx
import torch
from torch import nn

import nets
import tenon

WITHIN, RATE = 1e-4, 0.01


def for_training(net):
    """Nothing at random."""
    for m in net.modules():
        if isinstance(m, nn.Dropout):
            m.p = 0.0
        if type(m).__name__ == "StochasticDepth":
            m.p = 0.0
        if isinstance(m, nn.MultiheadAttention):
            m.dropout = 0.0
    return net.train()


def export(net, x, exporter, path):
    names = [f"in{i}" for i in range(len(x))]
    kept = {k: v.clone() for k, v in net.state_dict().items()}
    with open(os.devnull, "w") as nowhere:
        shown, sys.stdout = sys.stdout, nowhere
        try:
            if exporter == "dynamo":
                torch.onnx.export(net.eval(), x, path, dynamo=True, optimize=False, input_names=names, opset_version=18)
            else:
                torch.onnx.export(net, x, path, dynamo=False, input_names=names, opset_version=18,
                                  do_constant_folding=False, training=torch.onnx.TrainingMode.TRAINING)
        finally:
            sys.stdout = shown
    net.train().load_state_dict(kept)  # tracing has run it, and the file has the statistics of afterwards
    file = {t.name: onnx.numpy_helper.to_array(t) for t in onnx.load(path).graph.initializer}
    for name, buffer in net.named_buffers():
        if name in file and buffer.is_floating_point():
            buffer.copy_(torch.tensor(file[name]))
    return names


def floats(y):
    y = y if isinstance(y, tuple) else (y,)
    return [one for one in y if one.is_floating_point()]


def theirs(net, x, targets, wide):
    """Loss, gradients by parameter, and statistics after the step."""
    if wide:
        net, x, targets = net.double(), [y.double() if y.is_floating_point() else y for y in x], [t.double() for t in targets]
    kept = {k: v.clone() for k, v in net.state_dict().items()}
    net.zero_grad()
    loss = sum(((y - t) ** 2).mean() for y, t in zip(floats(net(*x)), targets))
    loss.backward()
    grads = {k: p.grad.clone() for k, p in net.named_parameters() if p.grad is not None}
    stats = {k: b.clone() for k, b in net.named_buffers() if b.is_floating_point()}
    net.load_state_dict(kept)
    net.float()
    return float(loss), grads, stats


def ours(network, names, x, targets, device, wide):
    graph = tenon.Graph(training=True)
    kinds = {torch.float32: "f32", torch.int64: "i32"}
    given = [graph.input(n, tuple(one.shape), kinds[one.dtype]) for n, one in zip(names, x)]
    made = network(*given)
    made = made if isinstance(made, list) else [made]
    loss = None
    for i, (y, t) in enumerate(zip([y for y in made if y.dtype == "f32"], targets)):
        off = y - graph.input(f"target{i}", tuple(t.shape))
        mean = tenon.mean(off * off)
        loss = mean if loss is None else loss + mean
    graph.output(loss, "the loss")
    params = graph.variables(trainable=True)
    trained = [v.name for v in params]
    for v, g in zip(params, graph.grad(loss, params)):
        graph.output(g, "the gradient of " + v.name)
    graph.minimize(loss, "sgd", lr=RATE)
    state, real = tenon.State(device), np.float64 if wide else np.float32
    network.first_values(state)
    before = {k: np.array(state[k]).astype(real) for k in state.names()}
    if wide:
        state = tenon.State(device)
        for k, value in before.items():
            state.put(k, value, trainable=True)
    program = graph.compile(state, f64=wide)
    for n, one in zip(names, x):
        program.feed(n, one.numpy().astype(np.int32) if one.dtype == torch.int64 else one.numpy().astype(real))
    for i, t in enumerate(targets):
        program.feed(f"target{i}", t.numpy().astype(real))
    program.run()
    value = float(program.fetch("the loss"))
    after = {k: np.array(state[k]) for k in before}
    grads = {k: np.array(program.fetch("the gradient of " + k)) for k in trained}
    for k in trained:  # the weights follow
        assert np.abs(before[k] - RATE * grads[k] - after[k]).max() <= 1e-6 * np.abs(before[k]).max(), k
    return value, grads, {k: v for k, v in after.items() if k not in trained}


def furthest(got, want, least):
    """The worst tensor, and how far it is off; PyTorch's is transposed where the exporter wrote it so."""
    worst, where, missing = 0.0, "", 0
    for name, w in want.items():
        w = np.asarray(w)
        g = got.get(name)
        if g is None or g.size != w.size:
            missing += 1
            continue
        if g.shape != w.shape:
            g = g.T if g.T.shape == w.shape else g.reshape(w.shape)
        off = float(np.abs(g - w).max() / max(float(np.abs(w).max()), least))
        if not off <= worst:
            worst, where = off, name
    return worst, where, missing


def batch_of(x, times):
    return tuple(torch.cat([one.roll(i, 0) if i else one for i in range(times)]) if one.shape[0] > 0 else one for one in x)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--f64", action="store_true")
    parser.add_argument("--device", action="append")
    parser.add_argument("--net", action="append", choices=nets.NETS)
    parser.add_argument("--exporter", action="append", choices=["torchscript", "dynamo"])
    o = parser.parse_args()
    os.makedirs(o.folder, exist_ok=True)
    failed = 0
    for name in o.net or nets.NETS:
        torch.manual_seed(1)
        net, x = nets.NETS[name]()
        net = for_training(nets.stir(net))
        more = x if name == "decoder" else tuple(torch.cat([one, one.flip(-1)]) for one in x)
        for exporter in o.exporter or ["torchscript", "dynamo"]:
            path = f"{o.folder}/{name}-{exporter}-train.onnx"
            try:
                names = export(net, x, exporter, path)
            except Exception as e:  # the exporter's failure, not ours
                print(f"{name:16} {exporter:12} is not exported: {str(e).splitlines()[0][:80]}", flush=True)
                continue
            for device in o.device or ["cpu"]:
                begin = time.time()
                try:
                    used = more
                    try:
                        tenon.from_onnx(path).compile("reference", **{n: tuple(one.shape) for n, one in zip(names, more)})
                    except tenon.TenonError:
                        used = x  # the file allows no other batch
                    kept = {k: v.clone() for k, v in net.state_dict().items()}
                    targets = [torch.randn_like(y) for y in floats(net(*used))]
                    net.load_state_dict(kept)
                    value, grads, stats = theirs(net, used, targets, True)
                    narrow = theirs(net, used, targets, False)[1]
                    largest = max(float(g.abs().max()) for g in grads.values())
                    v, g, s = ours(tenon.from_onnx(path), names, used, targets, device, o.f64)
                except tenon.TenonError as e:
                    print(f"{name:16} {exporter:12} {device:10} FAILED {str(e)[:300]}", flush=True)
                    failed += 1
                    continue
                worst, where, missing = furthest(g, grads, 1e-3 * largest)
                own, _, _ = furthest({k: np.asarray(v) for k, v in narrow.items()}, grads, 1e-3 * largest)
                moved, _, gone = furthest(s, stats, 1e-3)

                bad = not (worst <= (WITHIN if o.f64 else max(WITHIN, 4 * own)) and moved <= WITHIN and abs(v - value) <= WITHIN * abs(value))
                failed += bad
                print(f"{name:16} {exporter:12} {device:10} loss {abs(v - value) / abs(value):7.1e} gradients {worst:7.1e} "
                      f"(PyTorch's {own:7.1e}) "
                      f"of {len(grads) - missing:3} statistics {moved:7.1e} of {len(stats) - gone:3} "
                      f"{time.time() - begin:6.1f} s{f'  {missing} named otherwise' if missing else ''}"
                      f"{'  at the declared batch' if used is x and more is not x else ''}"
                      f"{f'  FAILED at {where}' if bad else ''}", flush=True)
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
