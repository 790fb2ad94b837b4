"""finetune.py: a ResNet that comes as an ONNX file learns another task: its last layer's outputs get a new head, first
alone, with the rest frozen, then all of it with a lower rate.

usage: finetune.py [--small] [RESNET.onnx]      without a file torchvision makes one, of random weights, if it is there.
The network takes pictures (batch, 3, 32, 32), or of any size, and gives numbers (batch, count). Normalisation that was
folded into convolutions when the file was made is not trained."""
import os
import sys
import tempfile
import warnings

import tenon

small = "--small" in sys.argv
files = [a for a in sys.argv[1:] if not a.startswith("-")]


def made(folder):
    """A ResNet-18 of torchvision's as an ONNX file."""
    try:
        import torch
        import torchvision
    except ImportError:
        print("skipped: name an ONNX file, or install torch and torchvision")
        sys.exit(77)
    path = os.path.join(folder, "resnet18.onnx")
    warnings.simplefilter("ignore")
    torch.manual_seed(1)
    network = torchvision.models.resnet18(weights=None).eval()
    for name, value in network.state_dict().items():  # equal tensors would be one in the file, and trained as one
        if value.ndim == 1:
            value.add_(torch.rand(value.shape) / 100)
    torch.onnx.export(network, (torch.rand(1, 3, 32, 32),), path, dynamo=False, input_names=["picture"],
                      output_names=["logits"], dynamic_axes={"picture": {0: "batch"}, "logits": {0: "batch"}},
                      training=torch.onnx.TrainingMode.PRESERVE)  # batch normalisation stays, to be trained
    return path


with tempfile.TemporaryDirectory() as folder:
    body = tenon.from_onnx(files[0] if files else made(folder))
print(body, body.operators)

train, test = tenon.open_dataset("digits:600" if small else "digits:6000")
state = tenon.State("cpu")
head = tenon.Linear(10, name="new_head")


def whole(x):
    """Grey digits, (batch, 1, 28, 28), as pictures in colour with a margin; the network; the new head."""
    x = x.pad(2, 2, 2).pad(3, 2, 2)
    return head(body(tenon.concat([x, x, x], 1)).relu())


def frozen(x):
    """The same, but the new head alone is trained."""
    y = whole(x)
    x.graph.freeze(", ".join(v.name for v in x.graph.variables() if not v.name.startswith("new_head")))
    return y


first = tenon.Model(frozen, optimizer=tenon.Adam(2e-2), state=state)
first.fit(train, epochs=1 if small else 2, batch=50, validation=test)
second = tenon.Model(whole, optimizer=tenon.Adam(1e-3), state=state)
second.fit(train, epochs=2, batch=25, validation=test)

before, after = first.history["val_loss"].tolist()[-1], second.evaluate(test)
print(f"the head alone: a loss of {before:.3f}; all of it: {after.loss:.3f}, {after.accuracy:.1%} right")
learnt = after.loss < before and after.accuracy > (0.5 if small else 0.9)
print(f"{'shown' if learnt else 'NOT SHOWN'}: an imported network learns a new task, frozen and whole")
sys.exit(not learnt)
