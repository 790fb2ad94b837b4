"""choose_device.py: which devices there are, which is the fastest for this network, and the same results on each.

usage: choose_device.py [--small]"""
import sys
import time

import tenon

small = "--small" in sys.argv
train, test = tenon.open_dataset("digits:300" if small else "digits:4000")


def trained(device):
    """The same network on a device: its losses, and how many samples a second it took."""
    model = tenon.Model("linear 64, relu, linear 10", optimizer=tenon.SGD(0.1), device=device, seed=3)
    model.fit(train, epochs=1, batch=50, verbose=False)
    begin = time.perf_counter()
    model.fit(train, epochs=2, batch=50, verbose=False)
    return model.history["loss"].tolist(), 2 * len(train) / (time.perf_counter() - begin)


for backend in tenon.backends():
    print(f"backend {backend.id}: {backend.problem or backend.doc}")

results = {}
for device in tenon.devices():
    losses, speed = trained(device.name)
    results[device.name] = losses
    print(f"{device.name:12} {device.title[:40]:40}  {speed:9.0f} samples a second  loss {losses[-1]:.6f}")

print(f"'auto' takes {tenon.Device('auto').name}")
furthest = max(abs(a - b) for losses in results.values() for a, b in zip(losses, results["reference"]))
print(f"{'shown' if furthest < 1e-4 else 'NOT SHOWN'}: {len(results)} devices come to the same losses")
sys.exit(furthest >= 1e-4)
