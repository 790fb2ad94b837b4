"""Models of texts beside PyTorch: the loss on the held-out end and the text that is likeliest, by the weights that the
command trained, in a network of PyTorch's own layers. Skipped where there is no PyTorch.
usage: writing.py TENON SCRATCH"""
import json
import math
import pathlib
import random
import shutil
import struct
import subprocess
import sys

try:
    import torch
    from torch import nn
except ImportError:
    print("no PyTorch here")
    sys.exit(77)

TENON, SCRATCH = sys.argv[1], pathlib.Path(sys.argv[2])
WIDTH, HEADS, BLOCKS, CONTEXT = 16, 4, 2, 20
NET = f"embedding outputs {WIDTH}, position, " + f"transformer {HEADS} causal 1, " * BLOCKS + "layer_norm, project outputs"


def run(*words):
    done = subprocess.run([TENON, *words, "--device", "cpu"], capture_output=True, cwd=SCRATCH)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode("utf-8")


class Net(nn.Module):
    """By the names that the saved model has."""

    def __init__(self):
        super().__init__()
        self.embedding1, self.position1 = nn.Embedding(256, WIDTH), nn.Embedding(CONTEXT, WIDTH)
        for i in range(BLOCKS):
            layer = nn.TransformerEncoderLayer(WIDTH, HEADS, 4 * WIDTH, 0, "gelu", batch_first=True, norm_first=True)
            setattr(self, f"transformer{i + 1}", layer)
        self.ln1, self.fc1 = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, 256)

    def forward(self, x):
        steps = x.shape[1]
        mask = nn.Transformer.generate_square_subsequent_mask(steps)
        h = self.embedding1(x) + self.position1.weight[:steps]
        for i in range(BLOCKS):
            h = getattr(self, f"transformer{i + 1}")(h, src_mask=mask)
        return self.fc1(self.ln1(h))


def weights(path):
    """A safetensors file's, by the format's description."""
    raw = path.read_bytes()
    size = struct.unpack("<Q", raw[:8])[0]
    head, body = json.loads(raw[8:8 + size]), raw[8 + size:]
    head.pop("__metadata__", None)
    return {name: torch.frombuffer(bytearray(body[slice(*t["data_offsets"])]), dtype=torch.float32).reshape(t["shape"])
            for name, t in head.items()}


def loss_of(net, text):
    count = (len(text) - 1) // CONTEXT
    tokens = torch.tensor(list(text))
    x, y = tokens[:count * CONTEXT].view(count, CONTEXT), tokens[1:count * CONTEXT + 1]
    logits = net(x).reshape(-1, 256)
    return nn.functional.cross_entropy(logits, y).item(), (logits.argmax(1) == y).double().mean().item()


def likeliest(net, text, length):
    """One byte after the other; the text is ASCII, and the network learnt that nothing else is likely."""
    text = list(text.encode())
    for _ in range(length):
        text.append(net(torch.tensor([text[-CONTEXT:]]))[0, -1].argmax().item())
    return bytes(text).decode()


def main():
    shutil.rmtree(SCRATCH, ignore_errors=True)
    SCRATCH.mkdir(parents=True)
    rng = random.Random(3)
    words = ["net", "learns", "what", "comes", "next", "of", "a", "text"]
    text = " ".join(rng.choice(words) + rng.choice([".", "", ","]) for _ in range(2500)).encode()
    (SCRATCH / "book.txt").write_bytes(text)
    said = run("train", "--data", "book.txt", "--context", str(CONTEXT), "--net", NET, "--epochs", "4", "--lr", "0.01",
               "--weights", "w.safetensors", "--save", "m.safetensors", "--json")
    ours = json.loads(said.splitlines()[-1])["test"]
    net = Net()
    net.load_state_dict(weights(SCRATCH / "w.safetensors"))
    with torch.no_grad():
        loss, right = loss_of(net.eval(), text[len(text) - len(text) // 10:])
        cold = likeliest(net, "what comes", 60)
    assert abs(ours["loss"] - loss) < 1e-5 * loss, (ours, loss)
    assert abs(ours["bits_per_byte"] - loss / math.log(2)) < 1e-5 * loss and abs(ours["perplexity"] / math.exp(loss) - 1) < 1e-4
    assert abs(ours["accuracy"] - right) < 1e-3, (ours, right)
    mine = run("predict", "--model", "m.safetensors", "--prompt", "what comes", "--length", "60", "--temperature", "0")
    assert mine == cold + "\n", (mine, cold)
    print(f"loss {ours['loss']:.6f}, PyTorch's {loss:.6f}; both write: {cold}")


main()
