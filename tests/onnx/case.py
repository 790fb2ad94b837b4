"""case.py: for draw.py, one node that is being drawn."""

import random


class Case:
    """What a schema of the opset does not have is left out, or given as the other of attribute and operand."""

    def __init__(self, numpy, onnx, seed, operator, opset):
        self.np, self.onnx, self.operator, self.opset = numpy, onnx, operator, opset
        self.r, self.n = random.Random(seed), numpy.random.default_rng(seed)
        self.schema = onnx.defs.get_schema(operator, max_inclusive_version=opset)
        self.attributes, self.operands, self.outputs = {}, [], [True]

    # chance
    def maybe(self, chance=0.5):
        return self.r.random() < chance

    def pick(self, *what):
        return self.r.choice(what)

    def size(self, low=1, high=5):
        return self.r.randint(low, high)

    def shape(self, low=1, high=4, most=5):
        return [self.size(1, most) for _ in range(self.size(low, high))]

    def allowed(self, kinds, position=0):
        """Of these element types one that the schema has for an operand."""
        inputs = self.schema.inputs
        types = inputs[min(position, len(inputs) - 1)].types
        names = {
            "f4": "float",
            "f8": "double",
            "f2": "float16",
            "i4": "int32",
            "i8": "int64",
            "i2": "int16",
            "i1": "int8",
            "u1": "uint8",
            "u2": "uint16",
            "u4": "uint32",
            "u8": "uint64",
            "?": "bool",
        }
        fit = [k for k in kinds.split() if f"tensor({names[k]})" in types]
        return self.r.choice(fit) if fit else "f4"

    # numbers
    def array(self, shape, kind="f4", low=None, high=None):
        shape = tuple(shape)
        if kind == "?":
            return self.n.integers(0, 2, shape).astype(bool)
        if kind[0] in "iu":
            least = (-9 if kind[0] == "i" else 0) if low is None else low
            return self.n.integers(least, 10 if high is None else high, shape).astype(kind)
        if low is not None:
            return self.n.uniform(low, high, shape).astype(kind)
        return self.n.normal(0, 1.5, shape).astype(kind)

    def broad(self, shape):
        """A shape that is broadcast to it."""
        part = list(shape)[self.size(0, len(shape)) :] if self.maybe(0.4) else list(shape)
        return [1 if self.maybe(0.25) else d for d in part]

    # operands and attributes
    def feed(self, array, constant=0.15):
        how = "fed" if not self.maybe(constant) else self.pick("initializer", "constant")
        self.operands.append((self.np.asarray(array), how))
        return self

    def weight(self, array):
        return self.feed(array, 0.7)

    def absent(self):
        self.operands.append(None)
        return self

    def has(self, name):
        return name in self.schema.attributes

    def set(self, name, value):
        if self.has(name):
            self.attributes[name] = value
        return self

    def sometimes(self, name, draw, chance=0.6):
        if self.maybe(chance):
            self.set(name, draw())
        return self

    def known(self, name, array, position):
        """An attribute of older opsets, the operand number `position` of newer ones."""
        if self.has(name):
            array = self.np.asarray(array)
            self.attributes[name] = array.tolist()
        elif len(self.schema.inputs) > position:
            while len(self.operands) < position:
                self.absent()
            self.feed(array, 0.5)
        return self

    def axis(self, rank, high=None):
        d = self.size(0, rank - 1 if high is None else high)
        return d - rank if self.maybe(0.3) and self.opset >= 13 else d
