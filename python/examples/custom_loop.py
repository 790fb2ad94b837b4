"""custom_loop.py: a training that no fit() does: two networks against each other, each with its own optimizer, in steps
of one's own. A generator learns to draw numbers from a distribution that it only sees through a judge.

usage: custom_loop.py [--small]"""
import sys

import tenon
from tenon import nn

steps = 3000 if "--small" in sys.argv else 10000
BATCH = 64


def generator(noise):
    return tenon.Linear(1, name="g.out")(tenon.Linear(16, name="g.hidden")(noise).tanh())


def judge(x):
    return tenon.Linear(1, name="d.out")(tenon.Linear(16, name="d.hidden")(x).leaky_relu(0.2))


def judging():
    """A step of the judge: the true are to be told from the made."""
    graph = tenon.Graph()
    true = graph.random_normal((BATCH, 1)) * 0.5 + 3
    made = generator(graph.random_normal((BATCH, 4))).stop_gradient()
    both = judge(tenon.concat([true, made]))
    said = tenon.concat([graph.ones((BATCH, 1)), graph.zeros((BATCH, 1))])
    loss = nn.binary_cross_entropy(both, said).output("loss")
    graph.minimize(loss, tenon.Adam(2e-3, beta1=0.5, only="d.*", name="d"))
    return graph


def making():
    """A step of the generator: what it makes is to be taken for true."""
    graph = tenon.Graph()
    made = generator(graph.random_normal((BATCH, 4))).output("made")
    loss = nn.binary_cross_entropy(judge(made), graph.ones((BATCH, 1))).output("loss")
    graph.minimize(loss, tenon.Adam(1e-3, beta1=0.5, only="g.*", name="g"))
    return graph


state = tenon.State("cpu", seed=2)
judges, makes = judging().compile(state), making().compile(state)
for step in range(steps):
    judges.run()
    makes.run()
    makes.set("g.lr", 1e-3 * (1 - step / steps))  # the learning rate is an input like others
    if step % (steps // 5) == 0:
        losses = [program.fetch("loss").tolist() for program in (judges, makes)]
        print(f"step {step:5}  judge {losses[0]:.3f}  generator {losses[1]:.3f}")

drawn = []
for _ in range(20):
    makes.run()
    drawn += [row[0] for row in makes.fetch("made").tolist()]
mean = sum(drawn) / len(drawn)
print(f"the generator's numbers have the mean {mean:.2f}; the true ones 3")
print(f"{'shown' if abs(mean - 3) < 0.5 else 'NOT SHOWN'}: two programs of one state train against each other")
sys.exit(abs(mean - 3) >= 0.5)
