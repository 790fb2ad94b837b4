"""table.py: what a flat's rent follows from: a table with a header, numbers to predict, features of unlike sizes.

usage: table.py [--small]"""
import os
import random
import sys
import tempfile

import tenon

rng = random.Random(7)


def flat():
    """One row: a rent that follows from size, rooms and floor, and a little chance."""
    size, rooms, floor = rng.uniform(20, 140), rng.randint(1, 5), rng.randint(0, 8)
    rent = 220 + 9.5 * size + 40 * rooms - 12 * floor + rng.gauss(0, 15)
    return f"{size:.1f},{rooms},{floor},{rent:.0f}"


with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "flats.csv")
    with open(path, "w") as file:
        file.write("size,rooms,floor,rent\n" + "\n".join(flat() for _ in range(800)) + "\n")
    train, test = tenon.open_dataset(path, target="rent")

# Each column gets mean 0 and deviation 1, by the training rows alone; so do the rents.
rows, rents = train.x.tolist(), [r[0] for r in train.y.tolist()]


def measures(column):
    mean = sum(column) / len(column)
    return mean, (sum((v - mean) ** 2 for v in column) / len(column)) ** 0.5


columns = [measures(c) for c in zip(*rows)]
mean, deviation = measures(rents)


def scaled(table):
    return [[(v - m) / d for v, (m, d) in zip(row, columns)] for row in table]


model = tenon.Model(tenon.Sequential(tenon.Linear(16), tenon.Tanh(), tenon.Linear(1)), "huber",
                    tenon.AdamW(0.01), device="cpu")
model.fit(scaled(rows), [(r - mean) / deviation for r in rents], epochs=60, batch=40, validation=0.1, patience=10,
          verbose="--small" not in sys.argv)

guesses = [mean + deviation * p[0] for p in model.predict(scaled(test.x.tolist())).tolist()]
errors = [abs(g - r[0]) for g, r in zip(guesses, test.y.tolist())]
typical = sum(errors) / len(errors)
print(f"the mean error of {len(errors)} flats: {typical:.1f}; without a model it would be "
      f"{sum(abs(mean - r[0]) for r in test.y.tolist()) / len(errors):.0f}")
print(f"{'shown' if typical < 25 else 'NOT SHOWN'}: rents are told to less than 25")
sys.exit(typical >= 25)
