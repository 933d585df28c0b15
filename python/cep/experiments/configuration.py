"""Configurations: everything a run needs to be repeated, as one value and as JSON."""

import dataclasses
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cep import datasets
from cep._engine.words import (
    ACTIVATIONS,
    ASYMMETRIES,
    BETA_SIGNS,
    DTYPES,
    FEEDBACK_UPDATES,
    FEEDBACKS,
    LOSSES,
    NUDGINGS,
    RELAXATIONS,
    SETTINGS,
)
from cep._util import validation
from cep._util.files import parse_json
from cep.learning.optimizers import SGD, Adam, Optimizer
from cep.learning.rules import BPTT, CEP, EP, LearningRule
from cep.network.layers import Conv2d, Dense, Input, Layer, Readout, from_word, number_or_word
from cep.network.layers import shapes as layer_shapes
from cep.network.network import Network
from cep.network.options import NetworkOptions
from cep.training.diagnostics import KINDS

RULES = ("ep", "c-ep", "bptt")
OPTIMIZERS = ("sgd", "adam")


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """Everything that determines what a run computes, to the last bit on one instruction set.

    Where the data lies, threads and progress bars are no part of it: they change no result.

    Parameters
    ----------
    data : str
        What is learned (see `cep.datasets.load`), or a name of your own for arrays that `cep.run`
        is given.
    flip, crop
        Whether each training image is mirrored with p = ½, and how many pixels it may be shifted by
        (see `cep.datasets.augment`): drawn anew in every epoch.
    hidden : sequence of int, str or Conv2d
        The hidden layers, from the input on; at least one. A number means so many units. A
        convolution is kept as a word: "conv2d:32:5x5:pool=max" is ``Conv2d(32, 5, pool="max")``.
    setting, activation, dt, clamp, follows_energy, feedback, feedback_angle, dtype
        As for `Network`.
    relaxation, tolerance, loss, nudging
        As for `Network`. The loss of a network with a readout is "cross_entropy".
    readout : bool
        Whether the last layer is a softmax readout outside the dynamics (see `Readout`).
    rule : {"ep", "c-ep", "bptt"}
        With untied feedback the first two are VF and C-VF. BPTT takes no notice of the nudged
        phase.
    accumulate : bool
        As for `EP`; no other rule has it.
    free_steps, nudged_steps, beta, beta_sign, feedback_update
        As for `EP` and `CEP`.
    learning_rates : float or sequence of float
        One for all connections, or one each, input first; kept as one each.
    bias_learning_rates : float or sequence of float, optional
        Of the biases; default: the learning rates.
    feedback_learning_rates : float or sequence of float, optional
        Of feedback weights, which 0 holds as they are; default: the learning rates.
    asymmetry : {"vector-field", "exact"}
        As for `EP` and `CEP`.
    optimizer : {"sgd", "adam"}
        From the estimated gradient to the change of the parameters (see `SGD` and `Adam`).
    momentum : float
        Of SGD, in [0, 1).
    weight_decay : float
        Of either optimizer; 0 or more.
    learning_rate_decay : float
        What all learning rates are multiplied with after every epoch; above 0.
    learning_rate_schedule : sequence of (int, float)
        Pairs (epoch, factor): from that epoch on (the first is 1) the learning rates are the
        initial ones times this factor, and times the decay.
    epochs : int
        Passes over the training data, 1 or more.
    batch_size : int
        Samples a batch, 1 or more.
    seed : int
        Of parameters, of the digits' split, of the order of samples and the random signs of β.
    patience : int, optional
        Epochs without a lower validation error after which the run stops. Default: it does not.
    record_every : int, optional
        Batches between two records, counted from the first of each epoch (see
        `cep.Diagnostics`). Default: none are made.
    record_kinds : sequence of str
        What is recorded: some of "residuals", "energy", "weight_norms", "feedback_angles",
        "gradient_angle"; default: all.

    validation_fraction : float
        Share of the training data that is held out, each class in its proportion: for `patience`,
        the best checkpoint and the order of sweep tables. 0 holds out nothing, as in the published
        experiments. Data with validation data of their own take no notice of it.
    test_every_epoch : bool
        Whether the test data are evaluated after every epoch, for curves. Otherwise they are once,
        at the end.
    inputs : int or (int, int, int), optional
        Features, or channels, height and width, of data with a name of your own. `cep.run` fills
        it in.
    classes : int, optional
        Likewise.

    Raises
    ------
    TypeError, ValueError
        For a field that is not of its kind or out of its range.

    Examples
    --------
    >>> configuration = cep.Configuration(epochs=3, hidden=[32], learning_rates=0.02)
    >>> configuration.make_network().sizes
    (64, 32, 10)
    >>> configuration.replace(seed=1) == cep.Configuration.from_json(
    ...     configuration.replace(seed=1).to_json()
    ... )
    True
    """

    data: str = "digits"
    hidden: Sequence[int | str | Conv2d] = (128,)
    setting: str = "prototypical"
    activation: str = "shifted_sigmoid"
    dt: float = 0.2
    clamp: bool = True
    feedback: str = "tied"
    feedback_angle: float = 0.0
    follows_energy: bool = False
    dtype: str = "float32"
    relaxation: str = "synchronous"
    tolerance: float = 0.0
    rule: Literal["ep", "c-ep", "bptt"] = "c-ep"
    accumulate: bool = False
    free_steps: int = 50
    nudged_steps: int = 10
    beta: float = 0.5
    beta_sign: Literal["fixed", "random", "symmetric"] = "fixed"
    learning_rates: float | Sequence[float] = (0.03, 0.008)
    bias_learning_rates: float | Sequence[float] | None = None
    learning_rate_decay: float = 1.0
    learning_rate_schedule: Sequence[tuple[int, float]] = ()
    epochs: int = 100
    batch_size: int = 20
    seed: int = 0
    patience: int | None = None
    record_every: int | None = None
    record_kinds: Sequence[str] = KINDS
    loss: str | None = None
    readout: bool = False
    nudging: str | None = None
    optimizer: Literal["sgd", "adam"] = "sgd"
    momentum: float = 0.0
    weight_decay: float = 0.0
    feedback_update: Literal["own", "shared"] = "own"
    flip: bool = False
    crop: int = 0
    feedback_learning_rates: float | Sequence[float] | None = None
    asymmetry: Literal["vector-field", "exact"] = "vector-field"
    validation_fraction: float = 0.1
    test_every_epoch: bool = False
    inputs: Sequence[int] | int | None = None
    classes: int | None = None

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            validation.choice(name, getattr(self, name), choices)
        for name, choices in (("loss", LOSSES), ("nudging", NUDGINGS)):
            if getattr(self, name) is not None:
                validation.choice(name, getattr(self, name), choices)
        if not isinstance(self.data, str) or not self.data:
            raise TypeError(f"data must be the name of a data set, got {self.data!r}")
        flags = ("clamp", "follows_energy", "accumulate", "readout", "flip", "test_every_epoch")
        for name in flags:
            self._set(name, validation.flag(name, getattr(self, name)))
        for name in (
            *("dt", "feedback_angle", "tolerance", "beta", "learning_rate_decay"),
            *("momentum", "weight_decay", "validation_fraction"),
        ):
            self._set(name, _real(name, getattr(self, name)))
        for name in ("free_steps", "nudged_steps", "epochs", "batch_size"):
            self._set(name, validation.count(name, getattr(self, name)))
        for name in ("patience", "record_every"):
            if getattr(self, name) is not None:
                self._set(name, validation.count(name, getattr(self, name)))
        if self.seed is None:
            raise TypeError("seed must be an integer, got None: a run is to be repeatable")
        self._set("seed", validation.seed(self.seed))
        self._set("crop", validation.integer("crop", self.crop))
        if self.crop < 0:
            raise ValueError(f"crop must be 0 or more, got {self.crop}")
        self._set("hidden", _hidden(self.hidden))
        self._check_data()
        self._set("record_kinds", _record_kinds(self.record_kinds))
        for name in ("learning_rates", "bias_learning_rates", "feedback_learning_rates"):
            self._set(name, _rates(name, getattr(self, name), len(self.hidden) + 1))
        self._set("learning_rate_schedule", _schedule(self.learning_rate_schedule))
        if self.learning_rate_decay <= 0:
            raise ValueError(f"learning_rate_decay must be above 0, got {self.learning_rate_decay}")
        if self.accumulate and self.rule != "ep":
            raise ValueError(f"accumulate belongs to the rule 'ep'; the rule is {self.rule!r}")
        if self.momentum and self.optimizer != "sgd":
            raise ValueError(f"momentum belongs to sgd; the optimizer is {self.optimizer!r}")
        self.make_rule()

    def _check_data(self) -> None:
        if not 0 <= self.validation_fraction < 1:
            raise ValueError(
                f"validation_fraction must be in [0, 1), got {self.validation_fraction}"
            )
        if self.inputs is not None:
            shape = self.inputs if isinstance(self.inputs, Sequence) else (self.inputs,)
            if isinstance(shape, str) or len(shape) not in (1, 3):
                raise ValueError(
                    f"inputs must be features, or (channels, height, width), got {self.inputs!r}"
                )
            sizes = tuple(validation.count("inputs", size) for size in shape)
            self._set("inputs", sizes if len(sizes) == 3 else sizes[0])
        if self.classes is not None:
            self._set("classes", validation.count("classes", self.classes))
        if self.data in datasets.SHAPES and (self.inputs, self.classes) != (None, None):
            raise ValueError(
                "inputs and classes belong to data with a name of your own; those of "
                f"{self.data!r} are known"
            )

    def of_data(self, inputs: Sequence[int], classes: int) -> "Configuration":
        """The configuration for data of these sizes, which are filled in if they are not known.

        Raises
        ------
        ValueError
            It is of data of other sizes.
        """
        shape = tuple(inputs)
        if self.data not in datasets.SHAPES and (self.inputs, self.classes) == (None, None):
            sizes = shape if len(shape) == 3 else math.prod(shape)
            return self.replace(inputs=sizes, classes=classes)
        features, known = math.prod(self._input_shape), self._classes
        if features != math.prod(shape) or classes > known:
            raise ValueError(
                f"the configuration is of {self.data}, with {features} features and {known} "
                f"classes; the data have {math.prod(shape)} and {classes}: give them another name, "
                "as data='mine' of the configuration"
            )
        return self

    @property
    def _input_shape(self) -> tuple[int, ...]:
        if self.data in datasets.SHAPES:
            return datasets.SHAPES[self.data]
        if self.inputs is None or self.classes is None:
            raise ValueError(
                f"the sizes of the data {self.data!r} are not known: give inputs and classes, or "
                "run the configuration with its data"
            )
        return tuple(self.inputs) if isinstance(self.inputs, Sequence) else (self.inputs,)

    @property
    def _classes(self) -> int:
        return datasets.CLASSES[self.data] if self.classes is None else self.classes

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Units of each layer, input first."""
        return tuple(math.prod(shape) for shape in layer_shapes(self.layers))

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers of the network, input first."""
        hidden = [from_word(each) for each in self.hidden]
        has_images = any(isinstance(each, Conv2d) for each in hidden)
        shape = self._input_shape
        first = shape if has_images else (math.prod(shape),)
        last = Readout(self._classes) if self.readout else Dense(self._classes)
        return (Input(*first), *hidden, last)

    @property
    def title(self) -> str:
        """What is trained on what, as in "C-VF on mnist"."""
        name = self.make_rule().name
        return f"{name.replace('EP', 'VF') if self.feedback == 'untied' else name} on {self.data}"

    def make_network(self) -> Network:
        """A new network, as freshly drawn.

        Raises
        ------
        ValueError
            For what the engine cannot make a network of: a layer without units, a dt or an angle
            out of range.
        MemoryError
            Where the machine cannot hold it.
        """
        options: Any = {
            name: getattr(self, name)
            for name in NetworkOptions.__annotations__
            if name != "connections"
        }
        return Network(self.layers, **options)

    def make_rule(self, epoch: int | None = None) -> LearningRule:
        """The learning rule, with the learning rates of an epoch (the first is 1).

        Without an epoch with the initial ones, which schedule and decay have not changed.
        """
        factor = 1.0 if epoch is None else self.learning_rate_factor(epoch)
        rates = _scaled(self.learning_rates, factor)
        bias_rates = _scaled(self.bias_learning_rates, factor)
        if self.rule == "bptt":
            return BPTT(
                self.free_steps,
                learning_rates=rates,
                bias_learning_rates=bias_rates,
                feedback_learning_rates=_scaled(self.feedback_learning_rates, factor),
                optimizer=self.make_optimizer(),
            )
        phases = (self.free_steps, self.nudged_steps, self.beta, rates, bias_rates)
        options: Any = {
            "beta_sign": self.beta_sign,
            "feedback_update": self.feedback_update,
            "asymmetry": self.asymmetry,
            "feedback_learning_rates": _scaled(self.feedback_learning_rates, factor),
            "optimizer": self.make_optimizer(),
        }
        if self.rule == "ep":
            return EP(*phases, accumulate=self.accumulate, **options)
        return CEP(*phases, **options)

    def make_optimizer(self) -> Optimizer:
        """The optimizer of the learning rule."""
        if self.optimizer == "adam":
            return Adam(weight_decay=self.weight_decay)
        return SGD(momentum=self.momentum, weight_decay=self.weight_decay)

    def learning_rate_factor(self, epoch: int) -> float:
        """What the learning rates are multiplied with in an epoch (the first is 1)."""
        steps = [factor for start, factor in self.learning_rate_schedule if start <= epoch]
        return (steps[-1] if steps else 1.0) * self.learning_rate_decay ** (epoch - 1)

    def augment(self, images: NDArray[Any], seed: "np.random.Generator") -> NDArray[Any]:
        """Training images as an epoch has them (see `cep.datasets.augment`)."""
        return datasets.augment(images, flip=self.flip, crop=self.crop, seed=seed)

    @property
    def augments(self) -> bool:
        """Whether training images are mirrored or shifted."""
        return self.flip or self.crop > 0

    def load_data(self, data_root: Path | None = None) -> tuple[datasets.Dataset, datasets.Dataset]:
        """Training and test data; `data_root` is MNIST's folder (see `cep.datasets.load`)."""
        return datasets.load(self.data, data_root, seed=self.seed)

    def replace(self, **changes: Any) -> "Configuration":
        """The same with some fields changed.

        Raises
        ------
        TypeError, ValueError
            For a field that does not exist, with the nearest that does, or a value that cannot be.
        """
        known = [field.name for field in dataclasses.fields(self)]
        for name in changes:
            if name not in known:
                raise ValueError(validation.unknown("field of a configuration", name, known))
        return dataclasses.replace(self, **changes)

    def can_become(self, other: "Configuration") -> bool:
        """Whether a run of this configuration can be resumed as one of another.

        It is the same one, but for more epochs or more patience.
        """
        for name in self.differences(other):
            mine, theirs = getattr(self, name), getattr(other, name)
            if name not in ("epochs", "patience") or mine is None:
                return False
            if theirs is not None and theirs < mine:
                return False
        return True

    def differences(self, other: "Configuration") -> dict[str, tuple[Any, Any]]:
        """The fields in which two configurations differ: (mine, the other's)."""
        return {
            field.name: (getattr(self, field.name), getattr(other, field.name))
            for field in dataclasses.fields(self)
            if getattr(self, field.name) != getattr(other, field.name)
        }

    def to_dict(self) -> dict[str, Any]:
        """All fields, as numbers, strings and lists."""
        # Through JSON, which knows no tuples, so that both forms are one.
        values: dict[str, Any] = json.loads(self.to_json())
        return values

    @classmethod
    def from_dict(cls, values: object) -> "Configuration":
        """The configuration that `to_dict` was called on.

        Raises
        ------
        TypeError, ValueError
            For fields that are unknown or missing, or a value that cannot be.
        """
        if not isinstance(values, dict):
            raise TypeError(
                f"a configuration must be an object of fields, got {type(values).__name__}"
            )
        known = [field.name for field in dataclasses.fields(cls)]
        for name in values:
            if name not in known:
                raise ValueError(validation.unknown("field of a configuration", name, known))
        if missing := [name for name in known if name not in values and name not in _LATER]:
            raise ValueError(f"the configuration lacks {', '.join(missing)}")
        # Runs of earlier versions learned from all training data, and tested after every epoch.
        before: dict[str, Any] = {"validation_fraction": 0.0, "test_every_epoch": True}
        return cls(**({} if "validation_fraction" in values else before) | values)

    def to_json(self) -> str:
        """All fields as a JSON object, readable: a field a line."""
        fields = [
            f"  {json.dumps(field.name)}: {json.dumps(getattr(self, field.name), allow_nan=False)}"
            for field in dataclasses.fields(self)
        ]
        return "{\n" + ",\n".join(fields) + "\n}\n"

    @classmethod
    def from_json(cls, text: str) -> "Configuration":
        """The configuration that `to_json` was called on.

        Raises
        ------
        TypeError, ValueError
            For text that is no JSON object, fields that are unknown or missing, or a value that
            cannot be.
        """
        try:
            values = parse_json(text)
        except ValueError as error:
            raise ValueError(f"the configuration is not JSON: {error}") from None
        return cls.from_dict(values)


_CHOICES: dict[str, Iterable[str]] = {
    "setting": SETTINGS,
    "activation": ACTIVATIONS,
    "feedback": FEEDBACKS,
    "dtype": DTYPES,
    "relaxation": RELAXATIONS,
    "rule": RULES,
    "beta_sign": BETA_SIGNS,
    "feedback_update": FEEDBACK_UPDATES,
    "asymmetry": ASYMMETRIES,
    "optimizer": OPTIMIZERS,
}

# Fields that configurations of earlier versions lack; they have the defaults then.
_LATER = (
    *("loss", "readout", "nudging", "optimizer", "momentum", "weight_decay"),
    *("feedback_update", "flip", "crop", "feedback_learning_rates", "asymmetry"),
    *("validation_fraction", "test_every_epoch", "inputs", "classes"),
)


def _real(name: str, value: object) -> float:
    if isinstance(value, bool):
        raise TypeError(f"{name} must be a real number, got bool {value!r}")
    number = validation.real(name, value)
    if not math.isfinite(number):
        raise ValueError(f"{name} must be finite, got {number}")
    return number


def _sequence(name: str, value: object, of: str) -> list[Any]:
    if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
        raise TypeError(f"{name} must be a sequence of {of}, got {value!r}")
    return list(value)


def _hidden(value: object) -> tuple[int | str, ...]:
    layers = _sequence("hidden", value, "layers")
    if not layers:
        raise ValueError("hidden is empty; expected one hidden layer or more")
    return tuple(_hidden_layer(f"hidden[{k}]", each) for k, each in enumerate(layers))


def _hidden_layer(name: str, value: object) -> int | str:
    if isinstance(value, Conv2d):
        return value.word
    if not isinstance(value, str):
        return validation.integer(name, value)
    try:
        layer = from_word(value)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    return number_or_word(layer)


def _record_kinds(value: object) -> tuple[str, ...]:
    kinds = _sequence("record_kinds", value, "kinds of records")
    for kind in kinds:
        if kind not in KINDS:
            raise ValueError(validation.unknown("kind of record", kind, KINDS))
    return tuple(kind for kind in KINDS if kind in kinds)


def _rates(name: str, value: object, connections: int) -> tuple[float, ...] | None:
    if value is None and name != "learning_rates":
        return None
    if not isinstance(value, Iterable):
        return (_real(name, value),) * connections
    rates = _sequence(name, value, "numbers")
    if len(rates) != connections:
        raise ValueError(
            f"{name} has {len(rates)} values; the network has {connections} connections "
            "(one rate for all, or one each, input first)"
        )
    return tuple(_real(f"{name}[{k}]", rate) for k, rate in enumerate(rates))


def _schedule(value: object) -> tuple[tuple[int, float], ...]:
    name, kind = "learning_rate_schedule", "pairs (epoch, factor)"
    pairs = []
    for k, pair in enumerate(_sequence(name, value, kind)):
        parts = _sequence(f"{name}[{k}]", pair, "an epoch and a factor")
        if len(parts) != 2:
            raise ValueError(f"{name} must be a sequence of {kind}, got {pair!r}")
        epoch, factor = (
            validation.count(f"{name}[{k}][0]", parts[0]),
            _real(f"{name}[{k}][1]", parts[1]),
        )
        if factor < 0:
            raise ValueError(f"{name}[{k}][1] must be 0 or more, got {factor}")
        pairs.append((epoch, factor))
    starts = [epoch for epoch, _ in pairs]
    if starts != sorted(set(starts)):
        raise ValueError(f"the epochs of {name} must rise, got {starts}")
    return tuple(pairs)


def _scaled(rates: Any, factor: float) -> tuple[float, ...] | None:
    return None if rates is None else tuple(rate * factor for rate in rates)
