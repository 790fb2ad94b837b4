"""test_dlpack.py: memory that is shared with NumPy and PyTorch, shown by its address, and who keeps it alive."""
import gc
import sys
import unittest

import runner
import tenon
from tenon import dlpack
from tenon.memory import memory_of

try:
    import numpy as np
except ImportError:
    np = None
try:
    import torch
except ImportError:
    torch = None

CPYTHON = sys.implementation.name == "cpython"


def doubled():
    """A program that doubles the variable "w" (2, 3) with each run."""
    graph = tenon.Graph()
    w = graph.variable("w", (2, 3), tenon.initial.Constant(1))
    graph.assign(w, w * 2)
    return graph.compile("cpu")


class Ours(unittest.TestCase):
    def test_a_state_s_tensor_is_read_and_written_in_place(self):
        program = doubled()
        view = program.state.view("w")
        self.assertEqual(view.address, program.state.where("w").handle)
        self.assertEqual(view.tolist(), [[1, 1, 1], [1, 1, 1]])
        program.run()
        program.wait()
        self.assertEqual(view.tolist(), [[2, 2, 2], [2, 2, 2]])
        view.view()[4] = 7
        self.assertEqual(program.state["w"].tolist(), [[2, 2, 2], [2, 7, 2]])
        with self.assertRaises(tenon.MissingError):
            program.state.view("v")

    def test_on_opencl_a_tensor_has_a_cl_mem(self):
        try:
            state = tenon.State("opencl:0")
        except tenon.TenonError as e:
            self.skipTest(f"there is no OpenCL device: {e}")
        state.put("w", [1.0, 2.0])
        place = state.where("w")
        self.assertEqual((place.kind, place.bytes), ("opencl", 8))
        self.assertTrue(place.handle)
        with self.assertRaises(tenon.UnsupportedError):
            state.view("w")

    def test_the_memory_stays_as_long_as_the_view(self):
        program = doubled()
        view, other = program.state.view("w"), program.state.view("w")
        program.close()
        program.state.close()
        del program, other
        gc.collect()
        self.assertEqual(view.tolist(), [[1, 1, 1], [1, 1, 1]])

    @unittest.skipUnless(CPYTHON, "DLPack needs CPython's C interface")
    def test_both_kinds_of_capsules_are_taken_and_given_back(self):
        array = tenon.Array.new(tenon.c.TN_I32, (4, 5))
        array.view()[7] = 3
        for version in (None, (1, 0), (0, 8)):
            capsule = array.__dlpack__(max_version=version)
            self.assertIn("versioned" if version == (1, 0) else '"dltensor"', repr(capsule))

            class Once:
                def __dlpack__(self, **_):
                    return capsule
            taken = tenon.from_dlpack(Once())
            self.assertEqual((taken.address, taken.shape, taken.dtype), (array.address, (4, 5), "i32"))
            self.assertEqual(taken[1][2], 3)
            with self.assertRaises(tenon.InvalidError):  # a capsule is taken once
                tenon.from_dlpack(Once())
            del taken
            gc.collect()
        self.assertEqual(array.__dlpack_device__(), (1, 0))
        del capsule
        array.__dlpack__()  # and one that nobody takes is let go of
        gc.collect()
        self.assertEqual(dlpack._exported, {})

    @unittest.skipUnless(CPYTHON, "DLPack needs CPython's C interface")
    def test_copies_and_devices_are_asked_for(self):
        array = tenon.Array.new(tenon.c.TN_F32, (2,))
        with self.assertRaises(BufferError):
            array.__dlpack__(dl_device=(2, 0))

        class Elsewhere:
            def __dlpack_device__(self):
                return (2, 0)

            def __dlpack__(self, **_):
                raise AssertionError("asked for")
        with self.assertRaises(tenon.UnsupportedError):
            tenon.from_dlpack(Elsewhere())


@unittest.skipIf(np is None, "there is no NumPy")
class NumPy(unittest.TestCase):
    def test_it_shows_a_state_s_tensor_at_its_address(self):
        program = doubled()
        address = program.state.where("w").handle
        for array in (np.asarray(program.state.view("w")), np.from_dlpack(program.state.view("w"))):
            self.assertEqual(array.__array_interface__["data"][0], address)
            self.assertEqual(array.shape, (2, 3))
        program.run()
        program.wait()
        self.assertEqual(array.tolist(), [[2, 2, 2], [2, 2, 2]])
        del program
        gc.collect()
        self.assertEqual(array.tolist(), [[2, 2, 2], [2, 2, 2]])

    def test_its_arrays_are_taken_where_they_lie(self):
        x = np.arange(6, dtype=np.float32).reshape(2, 3)
        address = x.__array_interface__["data"][0]
        self.assertEqual(tenon.from_dlpack(x).address, address)
        self.assertEqual(memory_of(x).address, address)
        self.assertEqual(tenon.Dataset(x, [0, 1]).struct.x, address)
        taken = tenon.from_dlpack(x)
        del x
        gc.collect()
        self.assertEqual(taken.tolist(), [[0, 1, 2], [3, 4, 5]])
        with self.assertRaises(tenon.InvalidError):
            tenon.from_dlpack(np.ones((3, 4), np.float32).T)
        with self.assertRaises(tenon.DtypeError):
            tenon.from_dlpack(np.ones(3, np.complex64))


class Tensor:
    """A tensor as PyTorch's, of which DLPack says nothing, or which it does not give."""

    def __init__(self, numbers, negate=False, fails=None, **marks):
        self.numbers, self.negate, self.fails = numbers, negate, fails
        self.__dict__.update(marks)

    def is_neg(self):
        return self.negate

    def resolve_neg(self):
        return Tensor([-n for n in self.numbers])

    def __dlpack__(self, **how):
        if self.fails:
            raise self.fails
        taken = memory_of(self.numbers, tenon.c.TN_F32)
        return dlpack.export(tenon.memory.Array(taken), **how)


def negated(x):
    """What a program gives that gives "x" (2) back with the other sign."""
    graph = tenon.Graph()
    graph.output(-graph.input("x", (2,)), "y")
    program = graph.compile("cpu")
    program.feed("x", x)
    program.run()
    return list(program.fetch("y"))


@unittest.skipUnless(CPYTHON, "DLPack needs CPython's C interface")
class Others(unittest.TestCase):
    def test_a_sign_that_is_yet_to_be_turned_is(self):
        lazy = Tensor([1.0, -2.0], negate=True)
        self.assertEqual(negated(lazy), [1, -2])
        self.assertEqual(negated(Tensor([1.0, -2.0])), [-1, 2])
        with self.assertRaisesRegex(tenon.InvalidError, "resolve_neg"):
            tenon.from_dlpack(lazy)

    def test_what_is_not_given_is_said_of_the_input(self):
        for fails, marks, said in ((BufferError("no"), {"requires_grad": True}, r"detach\(\)"),
                                   (RuntimeError("no"), {"is_sparse": True}, r"to_dense\(\)"),
                                   (ValueError("other words"), {}, "other words")):
            with self.assertRaisesRegex(tenon.InvalidError, "input 'x': .*" + said):
                negated(Tensor([1.0, 2.0], fails=fails, **marks))


@unittest.skipIf(torch is None, "there is no PyTorch")
class PyTorch(unittest.TestCase):
    def test_one_without_numbers_is_refused_by_name(self):
        meta = torch.empty(2, 3, device="meta")
        for call in (tenon.from_dlpack, memory_of, lambda t: tenon.Dataset(t, [0, 1])):
            with self.assertRaisesRegex(tenon.InvalidError, "a tensor on the device meta"):
                call(meta)

    def test_tensors_that_are_not_just_numbers_are_fed_or_refused_by_name(self):
        lazy = torch._neg_view(torch.ones(2))
        self.assertEqual(negated(lazy), [1, 1])
        for x, said in ((torch.ones(2, requires_grad=True), "detach"), (torch.ones(2).to_sparse(), "to_dense")):
            with self.assertRaisesRegex(tenon.InvalidError, "input 'x': .*" + said):
                negated(x)

    def test_one_without_elements_is_fed(self):
        g = tenon.Graph()
        (g.input("a", (0, 3)) * 2).output("y")
        self.assertEqual(g.compile("reference")(a=torch.zeros(0, 3))["y"].shape, (0, 3))

    def test_it_shows_a_state_s_tensor_at_its_address(self):
        program = doubled()
        tensor = torch.from_dlpack(program.state.view("w"))
        self.assertEqual(tensor.data_ptr(), program.state.where("w").handle)
        program.run()
        program.wait()
        self.assertEqual(tensor.tolist(), [[2, 2, 2], [2, 2, 2]])
        tensor[1, 1] = 9
        self.assertEqual(program.state["w"].tolist()[1], [2, 9, 2])

    def test_its_tensors_are_taken_where_they_lie(self):
        for kind, name in ((torch.float32, "f32"), (torch.float64, "f64"), (torch.float16, "f16"),
                           (torch.bfloat16, "bf16"), (torch.int32, "i32"), (torch.uint8, "u8"),
                           (torch.int8, "i8")):
            x = torch.arange(6).reshape(2, 3).to(kind)
            taken = tenon.from_dlpack(x)
            self.assertEqual((taken.address, taken.dtype), (x.data_ptr(), name))
            self.assertEqual(taken.tolist(), x.tolist())
            self.assertEqual(torch.from_dlpack(taken).data_ptr(), x.data_ptr())
            if name != "bf16":
                self.assertEqual(memory_of(x, tenon.c.TN_F64).shape, (2, 3))
            self.assertEqual(torch.from_dlpack(tenon.from_dlpack(x.new_zeros(2, 0, 3))).shape, (2, 0, 3))
        for kind, name in ((torch.int64, "int64"), (torch.bool, "bool,"), (torch.complex64, "complex64")):
            with self.assertRaisesRegex(tenon.DtypeError, "are " + name):
                tenon.from_dlpack(torch.ones(2, dtype=kind))
        self.assertEqual(memory_of(torch.ones(3)).shape, (3,))

    def test_it_is_fed_and_trained_on(self):
        x, y = torch.randn(64, 3), torch.randint(0, 2, (64,))
        model = tenon.Model(tenon.Linear(2), device="cpu")
        model.fit(x, y, epochs=1, batch=16, verbose=False)
        weight = torch.from_numpy(model.state["fc1.weight"])
        bias = torch.from_numpy(model.state["fc1.bias"])
        expected = x @ weight.T + bias
        self.assertLess(float((torch.from_numpy(model.predict(x)) - expected).abs().max()), 1e-5)


if __name__ == "__main__":
    runner.main()
