"""mnist.py: a convolutional network reads digits: MNIST's, where its four files are, else digits that the library draws.

usage: mnist.py [--small] [FOLDER]      FOLDER has MNIST's files; or TENON_MNIST names it"""
import os
import sys

import tenon

small = "--small" in sys.argv
folder = next((a for a in sys.argv[1:] if not a.startswith("-")), os.environ.get("TENON_MNIST"))
train, test = tenon.open_dataset(folder if folder and not small else "digits:2000" if small else "digits")

network = tenon.Sequential(
    tenon.Conv2d(16, 5, pad=2), tenon.ReLU(), tenon.MaxPool2d(2),
    tenon.Conv2d(32, 5, pad=2), tenon.ReLU(), tenon.MaxPool2d(2),
    tenon.Flatten(), tenon.Dropout(0.25), tenon.Linear(10))
model = tenon.Model(network, optimizer=tenon.Adam(2e-3))
print(f"{len(train)} samples to learn from, {len(test)} to test with, on {model.state.device.name}")

model.fit(train, epochs=2 if small else 3, batch=32 if small else 64, validation=test)
score = model.evaluate(test)
wrong = [i for i, (row, label) in enumerate(zip(model.predict(test.x).tolist(), test.y.tolist()))
         if row.index(max(row)) != label]
print(f"{score.accuracy:.2%} right; the first it gets wrong: {wrong[:5]}")

goal = 0.9 if small else 0.98
print(f"{'shown' if score.accuracy > goal else 'NOT SHOWN'}: over {goal:.0%} of digits that it had never seen are read")
sys.exit(score.accuracy <= goal)
