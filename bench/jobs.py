"""The networks that are measured, in the words of `tenon train --net`, and what a network's words mean to all peers."""
import collections

Job = collections.namedtuple("Job", "net optimizer batch shape samples more title", defaults=((), ""))

SIGMOID = "linear 100, sigmoid, linear 40, sigmoid, linear 10"
RELU = "linear 512, relu, linear 512, relu, linear 10"
TANH = "linear 300, tanh, " * 5 + "linear 1"
LENET = "conv 32 5x5, relu, maxpool 2, conv 64 5x5, relu, maxpool 2, flatten, linear 512, relu, linear 10"
RESNET20 = ("conv 16 3 pad same, batch_norm, relu, " + "block 16, " * 3 + "block 32 stride 2, block 32, block 32, "
            "block 64 stride 2, block 64, block 64, global_avgpool, linear 10")
TRANSFORMER = "embedding 256 128, position, " + "transformer 4 causal 1, " * 5 + "layer_norm, project 256"


def inverted(channels, filters, stride=1, expansion=6):
    """A block of MobileNetV2 (Sandler and others, 2018): wider, each channel for itself, narrower; added to what went
    in where that has the same shape."""
    wide = channels * expansion
    words = f"conv {wide} 1, batch_norm, relu6, " if expansion > 1 else ""
    words += (f"conv {wide} 3 stride {stride} pad 1 groups {wide}, batch_norm, relu6, conv {filters} 1, batch_norm, ")
    return f"residual, {words}end, " if stride == 1 and channels == filters else words


MOBILENET = ("conv 32 3 pad same, batch_norm, relu6, " + inverted(32, 16, 1, 1) + inverted(16, 24) + inverted(24, 24) +
             inverted(24, 32, 2) + inverted(32, 32) + inverted(32, 64, 2) + inverted(64, 64) +
             "conv 256 1, batch_norm, relu6, global_avgpool, linear 10")

YES_OR_NO = ("--loss", "binary_cross_entropy", "--classes", "2")

JOBS = {  # samples: in an epoch of Tenon's
    "a32": Job(SIGMOID, "sgd", 32, "1x28x28", 12800, title="784-100-40-10, sigmoid, SGD, batch 32"),
    "a128": Job(SIGMOID, "sgd", 128, "1x28x28", 12800, title="the same, batch 128"),
    "b128": Job(RELU, "adam", 128, "1x28x28", 12800, title="784-512-512-10, ReLU, Adam, batch 128"),
    "lenet64": Job(LENET, "adam", 64, "1x28x28", 1280, title="LeNet on 1x28x28, Adam, batch 64"),
    "resnet20": Job(RESNET20, "momentum", 64, "3x32x32", 128, title="ResNet-20 on 3x32x32, momentum, batch 64"),
    "tanh100": Job(TANH, "sgd", 100, "1x1x28", 6400, YES_OR_NO, "28-300-300-300-300-300-1, tanh, SGD, batch 100"),
    "lstm32": Job("lstm 128, last, linear 10", "sgd", 32, "1x50x32", 640,
                  title="LSTM of 128, 50 steps of 32, SGD, batch 32"),
    "transformer16": Job(TRANSFORMER, "adamw", 16, "1x1x64", 64, ("--clip-norm", "1"),
                         "transformer, 5 blocks of 128, 64 bytes, AdamW, batch 16"),
    "mobilenet64": Job(MOBILENET, "momentum", 64, "3x32x32", 128,
                       title="MobileNetV2's blocks on 3x32x32, momentum, batch 64"),
}

SIZES = {  # what of a job changes: to the job
    "width": {width: JOBS["b128"]._replace(net=RELU.replace("512", str(width)), samples=max(256, 12800 * 128 // width),
                                           title=f"784-{width}-{width}-10") for width in (2 ** i for i in range(7, 14))},
    "batch": {batch: JOBS["resnet20"]._replace(batch=batch, samples=max(64, 2 * batch), title=f"ResNet-20, batch {batch}")
              for batch in (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)},
}
ALL = {**JOBS, **{f"{what}{size}": job for what, jobs in SIZES.items() for size, job in jobs.items()}}


def layers(net):
    """The words of each layer."""
    return [part.split() for part in net.split(",")]


def option(words, name, usual):
    """What follows a name among a layer's words."""
    return words[words.index(name) + 1] if name in words else usual


def kind(net):
    """What a sample is: tokens, a sequence, a picture, or a row of numbers."""
    first = net.split()[0]
    return {"embedding": "tokens", "lstm": "sequence", "conv": "picture"}.get(first, "row")


def sample_shape(net, shape):
    """A sample's dimensions as that kind of network takes it, from "CHANNELSxROWSxCOLUMNS"."""
    c, h, w = (int(size) for size in shape.split("x"))
    return {"tokens": (c * h * w,), "sequence": (h, c * w), "picture": (c, h, w), "row": (c * h * w,)}[kind(net)]


def tokens(net):
    return int(net.split()[1]) if kind(net) == "tokens" else 0


def add_arguments(arguments):
    """What all programs that stand beside `tenon bench train` and `tenon bench infer` are told, in the same words."""
    arguments.add_argument("--net", default=SIGMOID)
    arguments.add_argument("--optimizer", default="sgd")
    arguments.add_argument("--lr", type=float, default=0.01)
    arguments.add_argument("--clip-norm", type=float)
    arguments.add_argument("--loss", default="cross_entropy", choices=["cross_entropy", "binary_cross_entropy"])
    arguments.add_argument("--classes", type=int, default=10)
    arguments.add_argument("--batch", type=int, default=128)
    arguments.add_argument("--shape", default="1x28x28", help="channels, rows and columns of a sample")
    arguments.add_argument("--infer", action="store_true", help="use the network and do not train it")
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--seconds", type=float, default=0.5, help="that one repeat takes")
    arguments.add_argument("--repeats", type=int, default=3, help="of which the median counts")


def count(net, batch):
    """Samples that there are: whole batches, and of small ones thousands."""
    return batch * max(2, {"row": 12800, "tokens": 64}.get(kind(net), 128) // batch)
