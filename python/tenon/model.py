"""model.py: a network that trains itself on arrays, measures, predicts, is saved and loaded. The steps are loops inside
the library (fit.h): samples that fit are copied to the device once, or used where they lie."""
from __future__ import annotations

import contextlib
import ctypes
import math
from typing import Any, Dict, Iterable, Iterator, List, NamedTuple, Optional, Tuple, Union

from . import c
from ._build import dtype as dtype_of, whole
from ._library import Handle, check, lib, not_pickled, text
from .builder import Builder, Cost, losses, settled
from .callbacks import Callback, callbacks_of
from .data import Dataset, _is_whole, dataset_of, samples_of
from .device import open_device
from .errors import DtypeError, InvalidError, ShapeError, StateError, TenonError
from .layers import Net
from .memory import memory_of, new_array, numpy
from .onnx import OnnxNetwork, to_onnx
from .optimizers import optimizer_of
from .parts import Shapes, apart, arrays_apart, beside, shapes_of
from .program import Checkpoint, State, first_values
from .progress import Progress
from .tensor import Graph, Tensor

PATIENCE = 2.0  # seconds for which a call of the library's keeps Ctrl-C waiting
LOOK = 32  # steps between two looks at the clock


class Score(NamedTuple):
    """Means over the samples. Accuracy is NaN where nothing can be right or wrong."""

    loss: float
    accuracy: float


class Epoch(NamedTuple):
    """What came of an epoch: of the batches as they were trained on, and of the validation set after it (NaN without
    one). `seconds` without the validation."""

    number: int
    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float
    seconds: float


class History:
    """All epochs of a model: history["loss"] is an array of numbers, one an epoch; so are "accuracy", "val_loss",
    "val_accuracy" and "seconds"."""

    def __init__(self) -> None:
        self.epochs: List[Epoch] = []

    def __getitem__(self, key: str) -> Any:
        if key not in Epoch._fields:
            raise KeyError(f"{key}: there are {', '.join(Epoch._fields)}")
        values = [float(getattr(e, key)) for e in self.epochs]
        out, memory = new_array(c.TN_F64, (len(values),))
        ctypes.memmove(memory.address, (ctypes.c_double * len(values))(*values), memory.bytes)
        return out

    def keys(self) -> Tuple[str, ...]:
        """What there is of each epoch."""
        return Epoch._fields

    def __len__(self) -> int:
        return len(self.epochs)

    def __repr__(self) -> str:
        return f"tenon.History({len(self)} epochs{f', last {self.epochs[-1]}' if self.epochs else ''})"


class Model:
    """A network, its loss and its optimizer, on a device. The network is anything that makes a tensor of a batch of
    samples: a layer, a function, a net in words. The loss is a name, or a function of the outputs and of a batch's
    targets, f32 (batch, targets), or labels, i32 (batch), that makes a tensor of rank 0, the batch's mean: then
    accuracy is NaN.

    A network of several inputs takes each as a tensor of its own: `inputs` has their shapes, [(1, 28, 28), (3,)], and
    samples are then that many arrays, fit((pictures, numbers), y), f32. One of several heads returns several tensors:
    the loss gets them, predict returns as many arrays, and y may be as many, f32, too.

    Options: `device` ("auto", "cpu", a Device), `state` to share parameters, `seed` of first values and shuffling, and
    those of compiling: storage="f16", precision="bf16", layout="channels-last", strict=True."""

    __reduce__ = not_pickled

    def __init__(self, network: Any, loss: Union[str, Cost] = "cross_entropy", optimizer: Any = "adam", *, device: Any = "auto",
                 state: Optional[State] = None, seed: int = 1, inputs: Iterable[Iterable[int]] = (),
                 **compile: Any) -> None:
        self.network = Net(network) if isinstance(network, str) else network
        if not callable(self.network):
            raise InvalidError(f"the network is a layer, a function of tensors or words, not {network!r}")
        if not callable(loss) and loss not in losses():
            raise InvalidError(f"there is no loss '{loss}': there are {', '.join(losses())}")
        self.network = settled(self.network, loss) if isinstance(loss, str) else self.network
        self.loss, self._loss = loss, losses()[loss] if isinstance(loss, str) else None
        self.optimizer = optimizer_of(optimizer)
        self.state = state or State(device, seed)
        self.history = History()
        self._inputs: Shapes = tuple(tuple(shape) for shape in inputs)
        self._builder = Builder(self.network, loss, compile, inputs=self._inputs)
        self._readable = Builder(self.network, loss, compile, readable=True, inputs=self._inputs)
        self._notes: Dict[str, str] = {}
        self._lock = self.state._lock
        self._begun = False
        self._seen: Optional[Tuple[Tuple[int, ...], int]] = None

    # ---- data ----

    def _graph(self, sample: Tuple[int, ...], dtype: int, readable: bool = False, batch: int = 1) -> Tensor:
        """The network's output for one sample, or several."""
        builder = self._readable if readable else self._builder
        graph = Graph()
        graph.classes = builder.classes
        y = builder.call(graph.input("x", (batch,) + sample, c.TN_F32 if dtype == c.TN_U8 else dtype))
        if not self._begun:
            first_values(graph, self.state)
        self._begun = True
        return y

    @contextlib.contextmanager
    def _seeing(self, given: Dataset) -> Iterator[Dataset]:
        """Around a use of samples, whose shape and type are those of the model if that goes well."""
        try:
            yield given
        except ShapeError as e:
            if self._seen is None or self._seen[0] == given.sample:
                raise
            raise ShapeError(f"samples are {given.sample}, the model was built for {self._seen[0]}: {e}") from None
        self._seen = (given.sample, given.struct.x_dtype)

    def _samples(self, x: Any) -> Any:
        """Whole numbers as f32 where the network takes no other: one that has no embedding at its beginning."""
        if isinstance(x, Dataset):
            return x
        if self._inputs:
            return beside(x, self._inputs, "samples")
        memory = samples_of(x)
        if memory.dtype != c.TN_I32 or not memory.shape:
            return memory
        try:
            self._graph(memory.shape[1:], memory.dtype)
        except DtypeError:
            return memory_of(x, c.TN_F32, what="samples")
        except TenonError:  # it shows again where it matters
            pass
        return memory

    def _dataset(self, x: Any, y: Any, sample_weight: Any = None) -> Dataset:
        """Labels or numbers, as the loss takes them."""
        x = self._samples(x)
        if isinstance(y, tuple) and self._loss is None:
            self._builder.targets = shapes_of(y, "targets")
            y = beside(y, self._builder.targets, "targets")
        if isinstance(x, Dataset) or y is None:
            made = dataset_of(x, y, sample_weight=sample_weight)
        else:
            made = Dataset(x, y, sample_weight=sample_weight, **self._targets(y))
        self._outputs(made)
        return made

    def _targets(self, y: Any) -> Dict[str, Any]:
        """What y is to the loss; one of the caller's own takes what it is."""
        if self._loss is None:
            return {"classes": self._builder.classes if _is_whole(y) else 0}
        if self._loss.labels:
            return {"classes": self._builder.classes, "labels": True}
        if self._loss.classes:
            return {"classes": self._builder.classes, "labels": None if len(memory_of(y).shape) == 1 else False}
        return {"labels": False}

    def _outputs(self, data: Dataset) -> None:
        """Of arrays of labels, how many classes there are is what the network has outputs for."""
        s = data.struct
        for builder in (self._builder, self._readable):
            builder.classes = builder.classes or s.classes or s.targets
        out = self._graph(data.sample, s.x_dtype).shape if data._owner is None or not self._begun else ()
        if s.classes and data._owner is None:
            s.classes = max(s.classes, out[-1] if len(out) > 1 else 1, 2)

    # ---- training ----

    def fit(self, x: Any, y: Any = None, *, epochs: int = 1, batch: int = 32, validation: Any = None,
            callbacks: Iterable[Any] = (), schedule: Optional[str] = None, patience: int = 0, verbose: bool = True,
            class_weights: Optional[Any] = None, sample_weight: Optional[Any] = None, devices: Iterable[Any] = (),
            **options: Any) -> History:
        """Trains on samples x and what belongs to them, y, or on a Dataset. `validation`: (x, y) or (x, y,
        sample_weight), a Dataset, or the share of the samples that is set apart for it. `sample_weight`, (count), says
        how often each sample counts in the loss and in accuracy; a batch's loss is divided by the sum of its weights
        (fit.h). `schedule` of the learning rate: "cosine 1000" (optim.h).
        `patience`: ends after so many epochs without a new lowest loss. Callbacks are functions of an Epoch, which end
        the training by returning True, or Callbacks. `devices` share each batch with the model's own. Other options are
        those of tn_fit_options: smoothing, shards, least_fall. Ctrl-C ends it after a step; what was trained stays.
        A training that diverges is a StateError, and parameters are then what it made of them: nothing keeps those of
        before but what was saved."""
        with self._lock, self._seeing(self._dataset(x, y, sample_weight)) as data:
            data, checked = self._validation(data, validation)
            run = _Fit(self, data, checked, callbacks_of(callbacks))
            run.options(epochs, batch, schedule, patience, class_weights, options)
            run.share(devices)
            self._note(data)
            try:
                run.run(Progress(epochs, verbose))
            except StateError as e:
                _check_finite(data, e)
                raise self._diverged(e) from e
        return self.history

    def _diverged(self, error: StateError) -> StateError:
        """The error of a training that diverged, with what has become of the parameters."""
        lost = [name for name in self.state.names(trainable=True)
                if not _is_finite(self.state.describe(name)[0], self.state[name])]
        if not lost:
            return error
        return StateError(f"{error}; '{lost[0]}' has numbers that are not finite now: load what was saved before, or "
                          "begin with a new model, and a lower learning rate")

    def _validation(self, data: Dataset, validation: Any) -> Tuple[Dataset, Optional[Dataset]]:
        if validation is None:
            return data, None
        if isinstance(validation, Dataset):
            return data, validation
        if not isinstance(validation, (tuple, list)) or len(validation) not in (2, 3):
            share: Any = validation
            return data.split(share, self.state.seed)
        checked = self._dataset(*validation)
        checked.struct.classes = data.struct.classes
        return data, checked

    def evaluate(self, x: Any, y: Any = None, *, sample_weight: Optional[Any] = None) -> Score:
        """Measures the model on samples and what belongs to them, each as often as its weight says."""
        score = c.tn_score()
        with self._lock, self._seeing(self._dataset(x, y, sample_weight)) as data:
            self._builder.check(lib.tn_evaluate(self.state._handle.get(), ctypes.byref(self._builder.struct),
                                                ctypes.byref(data.struct), ctypes.byref(score)))
            if not math.isfinite(score.loss):
                _check_finite(data)
        return Score(score.loss, score.accuracy)

    def predict(self, x: Any, *, probabilities: bool = False) -> Any:
        """The network's outputs for samples, f32, (count, ...); or what people read in them: probabilities where the
        loss takes logits. Ctrl-C ends it within seconds, where the samples are in memory."""
        with self._lock, self._seeing(dataset_of(self._samples(x), None)) as data:
            builder = self._readable if probabilities else self._builder
            shape = self._graph(data.sample, data.struct.x_dtype, probabilities).shape
            out, memory = new_array(c.TN_F32, (len(data),) + shape[1:])
            each = memory.bytes // max(len(data), 1)
            for start, part in data.parts(PATIENCE):
                builder.check(lib.tn_predict(self.state._handle.get(), ctypes.byref(builder.struct), ctypes.byref(part),
                                             memory.address + start * each, part.count * each))
        return arrays_apart(out, builder.heads) if builder.heads else out

    __call__ = predict

    def __repr__(self) -> str:
        return f"tenon.Model({self.network!r}, {self.loss!r}, {self.optimizer!r}, {self.state!r})"

    # ---- parameters and files ----

    def build(self, *sample: int, dtype: str = "f32") -> "Model":
        """Makes the parameters for samples of that shape, which training and predicting do by themselves."""
        with self._lock:
            y = self._graph(tuple(sample), dtype_of(dtype))
            y.output("y").graph.compile(self.state).close()
            self._seen = (tuple(sample), dtype_of(dtype))
        return self

    def summary(self) -> str:
        """The parameters, with their shapes, and how many numbers they are."""
        lines, total = [], 0
        for name in self.state.names(trainable=True):
            kind, shape = self.state.describe(name)
            count = 1
            for n in shape:
                count *= n
            total += count
            lines.append(f"{name:40} {kind:4} {str(shape):24} {count:>10}")
        return "\n".join(lines + [f"{total} parameter{'' if total == 1 else 's'} on {self.state.device.name}, step {self.state.step}"])

    def parameters(self) -> Dict[str, Any]:
        """Copies of what is trained, by name."""
        return {name: self.state[name] for name in self.state.names(trainable=True)}

    def _note(self, data: Dataset) -> None:
        """What the command needs to know of a model that it is to use: `tenon predict --model FILE`."""
        s = data.struct
        if not isinstance(self.loss, str):  # nobody else has it
            self._notes = {"sample": "x".join(map(str, data.sample))}
            return
        words = {"net": self.network.words} if isinstance(self.network, Net) else {}
        scale = "0.0039215686274509803" if s.x_dtype == c.TN_U8 else "1"
        self._notes = dict(words, loss=self.loss, sample="x".join(map(str, data.sample)), x_scale=scale,
                           x_type="u8" if s.x_dtype == c.TN_U8 else "f32", classes=str(s.classes),
                           targets=str(s.targets))

    def save(self, path: Any, *, weights_only: bool = False, notes: Optional[Dict[str, str]] = None) -> None:
        """Saves parameters, optimizer, seed and step in a safetensors file with PyTorch's names; with `weights_only`
        what PyTorch's load_state_dict takes."""
        if self._seen is None and not len(self.state):
            raise InvalidError("the model has no parameters yet: call build(...) with a sample's shape first")
        words = {}
        if isinstance(self.network, OnnxNetwork) and self._notes and self.network.is_whole:
            words = {"net": self.network.path, "onnx": self.network.text()}
        self.state.save(path, dict(self._notes, **words, **(notes or {})), weights_only=weights_only)

    def to_onnx(self, path: Any, *, opset: int = 0, probabilities: bool = False) -> None:
        """Writes the network with its parameters as an ONNX file, for any number of samples: f32 input "x", where bytes
        have been divided by 255, output "y"."""
        if self._seen is None:
            raise InvalidError("the model has seen no samples yet: call build(...) with a sample's shape first")
        with self._lock:
            two, three = (self._graph(*self._seen, probabilities, batch).output("y").graph for batch in (2, 3))
            to_onnx(path, two, self.state, three, opset=opset, notes=self._notes)

    def load(self, path: Any, *, fitting: bool = False, rename: str = "") -> Dict[str, str]:
        """Fills the parameters from a file, ours or PyTorch's; with `fitting` those that fit, for transfer learning,
        and says what is the matter with the others. Before the first training the parameters are made by `build`."""
        if not len(self.state):
            with Checkpoint(path) as file:
                sample = file.note("sample")
            if not sample:
                raise InvalidError("the model has no parameters yet: call build(...) with a sample's shape first")
            self.build(*map(int, sample.split("x")))
        return self.state.load(path, fitting=fitting, rename=rename)

    def close(self) -> None:
        """Lets go of the state."""
        self.state.close()

    def __enter__(self) -> "Model":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()


def _is_finite(kind: str, array: Any) -> bool:
    np = numpy()
    if kind not in ("f32", "f64"):
        return True
    if np is not None:
        return bool(np.isfinite(array).all())
    memory = memory_of(array)
    number: Any = ctypes.c_float if kind == "f32" else ctypes.c_double
    return all(map(math.isfinite, (number * math.prod(memory.shape)).from_address(memory.address)))


def _check_finite(data: Dataset, error: Optional[Exception] = None) -> None:
    """Where a loss is not finite: names the first sample that is not either."""
    number = data.not_finite()
    if number is not None:
        raise InvalidError(f"sample {number} has NaN or infinite numbers" + (f": {error}" if error else "")) from error


def load_model(path: Any, *, device: Any = "auto", **options: Any) -> Model:
    """A model from a file that knows its own network: those of networks in words and of ONNX files, ours and the
    command's."""
    with Checkpoint(path) as file:
        net, loss, graph = file.note("net"), file.note("loss"), file.note("onnx")
        counts = [int(file.note(key) or 0) for key in ("classes", "targets")]
    if not (net or graph) or not loss:
        raise InvalidError(f"{path}: it does not say what network it is: make the Model, and load it there")
    network: Any = settled(OnnxNetwork.of_text(graph, path=net or ""), loss, quiet=True) if graph else Net(net or "")
    model = Model(network, loss, device=device, **options)
    for builder in (model._builder, model._readable):
        builder.classes = counts[0] or counts[1]
    model.load(path)
    return model


class _Fit:
    """One training: its options, what they point to, and its loop."""

    def __init__(self, model: Model, data: Dataset, checked: Optional[Dataset], callbacks: List[Callback]) -> None:
        self.model, self.data, self.checked, self.callbacks = model, data, checked, callbacks
        self.struct, self.kept = c.tn_fit_options(), []  # type: Tuple[c.tn_fit_options, List[Any]]

    def options(self, epochs: int, batch: int, schedule: Optional[str], patience: int, class_weights: Any,
                more: Dict[str, Any]) -> None:
        s, optimizer = self.struct, self.model.optimizer
        s.epochs, s.batch = whole(epochs, "epochs", 1), whole(batch, "batch", 1)
        s.patience = whole(patience, "patience")
        s.optimizer, s.optim = optimizer.kind.encode(), optimizer.struct()
        if schedule is not None and not isinstance(schedule, str):
            raise InvalidError(f"schedule={schedule!r}: it takes words, such as 'cosine 1000'")
        s.schedule = schedule.encode() if schedule else None
        if self.checked is not None:
            s.validation = ctypes.addressof(self.checked.struct)
        if class_weights is not None:
            weights = memory_of(class_weights, c.TN_F32, what="class_weights")
            if weights.shape != (self.data.classes,):
                raise ShapeError(f"class_weights are {weights.shape}, and there are {self.data.classes} classes")
            self.kept.append(weights)
            s.class_weights = weights.address
        for name, value in more.items():
            if name not in ("smoothing", "shards", "least_fall", "step_loss", "bucket"):
                raise InvalidError(f"fit has no option '{name}'")
            setattr(s, name, value)

    def share(self, devices: Iterable[Any]) -> None:
        """Other devices that take parts of each batch."""
        opened = [open_device(d) for d in devices]
        pointers = (ctypes.c_void_p * len(opened))(*[d._handle.get() for d in opened])
        self.kept += [opened, pointers]
        if opened:
            self.struct.devices, self.struct.n_devices = ctypes.addressof(pointers), len(opened)

    def run(self, progress: Progress) -> None:
        builder, made = self.model._builder, ctypes.c_void_p()
        builder.check(lib.tn_training_new(self.model.state._handle.get(), ctypes.byref(builder.struct),
                                          ctypes.byref(self.data.struct), ctypes.byref(self.struct),
                                          ctypes.byref(made)))
        self.model._seen = (self.data.sample, self.data.struct.x_dtype)
        training = Handle(made.value, lib.tn_training_free, self.model.state._handle)
        try:
            for callback in self.callbacks:
                callback.begin(self.model)
            while not self.epoch(training.get(), progress):
                pass
        finally:
            training.close()
            for callback in self.callbacks:
                callback.end(self.model)

    def epoch(self, training: int, progress: Progress) -> bool:
        """Runs one; returns whether it was the last."""
        place = lib.tn_training_where(training)
        if place.finished:
            return True
        step, done = lib.tn_training_step, place.step
        while done < place.steps:
            until = min(done + LOOK, place.steps)
            for _ in range(until - done):
                status = step(training)
                if status:
                    check(status)
            done = until
            progress.step(place.epochs + 1, done, place.steps)
        return self.end(training, progress)

    def end(self, training: int, progress: Progress) -> bool:
        found = c.tn_epoch()
        check(lib.tn_training_end_epoch(training, ctypes.byref(found)))
        epoch = Epoch(found.number, found.train.loss, found.train.accuracy, found.validation.loss,
                      found.validation.accuracy, found.seconds)
        self.model.history.epochs.append(epoch)
        progress.epoch(epoch)
        asked = [callback.epoch(self.model, epoch) for callback in self.callbacks]
        return any(asked) or bool(lib.tn_training_where(training).finished)
