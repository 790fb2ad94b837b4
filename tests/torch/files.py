"""safetensors files by hand: what is needed of the format, so that the package isn't. A file is the header's length in 8
bytes, the header in JSON, and the tensors' bytes."""
import json
import struct

import torch

TYPES = {torch.float32: "F32", torch.int32: "I32", torch.int64: "I64"}


def write(path, tensors):
    header, data = {}, b""
    for name, x in tensors.items():
        own = bytes(x.detach().contiguous().reshape(-1).view(torch.uint8).tolist()) if x.numel() else b""
        header[name] = {"dtype": TYPES[x.dtype], "shape": list(x.shape), "data_offsets": [len(data), len(data) + len(own)]}
        data += own
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def read(path):
    with open(path, "rb") as file:
        text = file.read(struct.unpack("<Q", file.read(8))[0])
        data = bytearray(file.read())
    types = {name: dtype for dtype, name in TYPES.items()}
    tensors = {}
    for name, entry in json.loads(text).items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        flat = torch.frombuffer(data[begin:end], dtype=types[entry["dtype"]]) if end > begin else torch.zeros(0)
        tensors[name] = flat.reshape(entry["shape"]).clone()
    return tensors
