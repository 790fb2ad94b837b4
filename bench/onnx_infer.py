#!/usr/bin/env python3
"""Uses a network with ONNX Runtime on noise and prints samples a second, as one JSON line: the counterpart of
`tenon bench infer`. The model is the one that torch_net.py builds, written by PyTorch's exporter; it is kept in a
folder for the next round."""
import argparse
import hashlib
import json
import os
import statistics
import sys
import time

import numpy
import onnxruntime

import jobs


def export(o, path):
    import torch

    import torch_net

    shape = jobs.sample_shape(o.net, o.shape)
    model = torch_net.build(o.net, shape).eval()
    x = torch.zeros((o.batch, *shape), dtype=torch.int64 if jobs.tokens(o.net) else torch.float32)
    torch.onnx.export(model, (x,), path + ".new", dynamo=False, opset_version=17, input_names=["x"], output_names=["y"])
    os.replace(path + ".new", path)


def model_file(o):
    name = hashlib.sha256(f"{o.net} {o.shape} {o.batch}".encode()).hexdigest()[:16]
    path = os.path.join(o.folder, name + ".onnx")
    os.makedirs(o.folder, exist_ok=True)
    if not os.path.exists(path):
        export(o, path)
    return path


def open_session(o):
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = o.threads
    settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    return onnxruntime.InferenceSession(model_file(o), settings, providers=["CPUExecutionProvider"])


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    jobs.add_arguments(arguments)
    arguments.add_argument("--folder", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), "../build/onnx"))
    o = arguments.parse_args()
    session, vocabulary = open_session(o), jobs.tokens(o.net)
    random, shape = numpy.random.default_rng(1), (8, o.batch, *jobs.sample_shape(o.net, o.shape))
    x = random.integers(0, vocabulary, shape) if vocabulary else random.random(shape, numpy.float32)

    def rate(seconds):
        done, begun = 0, time.perf_counter()
        while time.perf_counter() - begun < seconds:
            session.run(None, {"x": x[done // o.batch % 8]})
            done += o.batch
        return done / (time.perf_counter() - begun)

    rate(o.seconds / 2)
    rates = sorted(rate(o.seconds) for _ in range(o.repeats))
    print(json.dumps({"version": onnxruntime.__version__, "threads": o.threads,
                      "samples_per_s": statistics.median(rates), "slowest": rates[0], "fastest": rates[-1]}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
