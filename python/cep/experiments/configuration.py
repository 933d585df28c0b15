"""Configurations: everything a run needs to be repeated, as one value and as JSON."""

import dataclasses
import functools
import inspect
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cep import datasets
from cep._engine.words import DTYPES, FEEDBACKS, LOSSES, NUDGINGS, RELAXATIONS, SETTINGS
from cep._util import validation
from cep._util.files import parse_json
from cep.devices.neurons import Neurons, TabulatedActivation
from cep.devices.synapses import Synapse
from cep.experiments import kinds, options
from cep.experiments.options import choice, like, option, whole
from cep.learning.default_rates import absolute_rates, relative_rate
from cep.learning.optimizers import SGD, Adam, Optimizer
from cep.learning.rules import BPTT, CEP, EP, RBP, LearningRule
from cep.network.layers import Conv2d, Dense, Input, Layer, Readout, from_word
from cep.network.layers import shapes as layer_shapes
from cep.network.network import Network
from cep.training.diagnostics import KINDS

RULES: dict[str, type[Any]] = {"ep": EP, "c-ep": CEP, "bptt": BPTT, "rbp": RBP}
OPTIMIZERS: dict[str, type[Any]] = {"sgd": SGD, "adam": Adam}

_RATES = ("learning_rates", "bias_learning_rates", "feedback_learning_rates")
_REAL_TIME = {"setting": "real-time"}
_UNTIED = {"feedback": "untied"}
_NUDGED = {"rule": ("ep", "c-ep")}
_RBP = {"rule": "rbp"}
_ADAM = {"optimizer": "adam"}
Rates = float | Sequence[float]
Synapses = str | Synapse | Sequence[str | Synapse] | None


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """Everything that determines the result of a run, bit for bit on one instruction set.

    The folder of the data, threads and progress bars are not included, because they do not change
    results.

    Raises
    ------
    TypeError, ValueError
        If a field has the wrong type or is out of range, is missing from a file, or is unknown. For
        an unknown field, the message contains the most similar name.

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

    # Add new options at the end: files, and the names of the runs of a sweep, have this order.
    data: str = option(
        "digits",
        f"The data set: {', '.join(datasets.SHAPES)}, or any other name for your own data. On the "
        "command line, your own data are an .npz file with the arrays x and y, and optionally "
        "x_test, y_test, x_validation and y_validation.",
        kinds.DATA,
    )
    hidden: Sequence[int | str | Conv2d] = option(
        (128,),
        "The hidden layers, input first: a number of units, or a convolution "
        "conv2d:CHANNELS:KERNEL, optionally with :stride=N, :padding=N and :pool=max or "
        ":pool=average.",
        kinds.HIDDEN,
    )
    setting: str = like(Network, "prototypical", choice(SETTINGS))
    activation: str | TabulatedActivation | Sequence[str | TabulatedActivation] = like(
        Network, "shifted_sigmoid", kinds.ACTIVATION
    )
    dt: float = like(Network, 0.2, needs=_REAL_TIME)
    clamp: bool = like(Network, True, needs=_REAL_TIME)
    feedback: str = like(Network, "tied", choice(FEEDBACKS))
    feedback_angle: float = like(Network, 0.0, needs=_UNTIED)
    follows_energy: bool = like(Network, False, needs=_REAL_TIME | {"feedback": "tied"})
    dtype: str = like(Network, "float32", choice(DTYPES))
    relaxation: str = like(Network, "alternating", choice(RELAXATIONS))
    tolerance: float = like(Network, 0.0)
    rule: Literal["ep", "c-ep", "bptt", "rbp"] = option(
        "ep",
        "The learning rule. ep: one update per batch. c-ep: one update per step of the nudged "
        "phase. bptt, rbp: the exact gradient, with the hyperparameters of ep, for comparison. "
        "With untied feedback, ep is VF and c-ep is C-VF.",
    )
    accumulate: bool = like(EP, False, needs={"rule": "ep"})
    free_steps: int = like(EP, 30)
    nudged_steps: int = like(EP, 8, needs=_NUDGED)
    beta: float = like(EP, 0.5, needs=_NUDGED)
    beta_sign: Literal["fixed", "random", "symmetric"] = like(EP, "fixed", needs=_NUDGED)
    learning_rates: Rates | None = option(
        None,
        "Learning rates of the weights, one for all connections or one each, input first. By "
        "default they follow from the number of inputs n of a unit: c / (n + 1), with c = 2, or "
        "0.5 for C-EP, and 4 times as large for the first connection, whose inputs are between 0 "
        "and 1. For a convolution, n is multiplied by the square root of the number of pixels of a "
        "map.",
        kinds.RATES,
        owner=EP,
    )
    bias_learning_rates: Rates | None = like(EP, None, kinds.RATES)
    learning_rate_decay: float = option(
        1.0,
        "Factor by which all learning rates are multiplied after every epoch, above 0.",
        kinds.POSITIVE,
    )
    learning_rate_schedule: Sequence[tuple[int, float]] = option(
        (),
        "Pairs (epoch, factor). From this epoch on (the first is 1), the learning rates are the "
        "initial ones times the factor and the decay.",
        kinds.SCHEDULE,
    )
    epochs: int = option(100, "Passes over the training data, 1 or more.")
    batch_size: int = option(20, "Samples per batch, 1 or more.")
    seed: int = option(
        0,
        "Seed of the initial parameters, the validation split, the order of the samples and random "
        "signs of β.",
        kinds.SEED,
        owner=Network,
    )
    patience: int | None = option(
        None, "Number of epochs without a lower validation error after which the run stops."
    )
    diagnostics_every: int | None = option(
        None,
        "Number of batches between two records of diagnostics, counted from the first batch of "
        "each epoch (see `cep.Diagnostics`). By default none are made.",
    )
    diagnostics_kinds: Sequence[str] = option(
        KINDS,
        f"The quantities that are recorded, some of {', '.join(KINDS)}.",
        kinds.RECORDS,
        needs={"diagnostics_every": None},
        command="--diagnostics",
    )
    # The options from here on may be missing from a file, and then have their defaults.
    loss: str | None = like(Network, None, choice(LOSSES))
    readout: bool = option(
        False, "Whether the last layer is a softmax readout outside the dynamics (see `Readout`)."
    )
    nudging: str | None = like(Network, None, choice(NUDGINGS), needs={"setting": "prototypical"})
    optimizer: Literal["sgd", "adam"] = option(
        "sgd", "The optimizer that computes the change of the parameters (`SGD`, `Adam`)."
    )
    momentum: float = like(SGD, 0.0, needs={"optimizer": "sgd"})
    weight_decay: Rates = like(SGD, 0.0, kinds.RATES)
    feedback_update: Literal["own", "shared"] = like(EP, "own", needs=_UNTIED | _NUDGED)
    flip: bool = option(
        False,
        "Whether each training image is mirrored with probability ½ (see `cep.datasets.augment`).",
    )
    crop: int = option(
        0,
        "Largest shift of each training image in pixels, drawn again in every epoch.",
        whole(0),
    )
    feedback_learning_rates: Rates | None = like(EP, None, kinds.RATES, needs=_UNTIED)
    asymmetry: Literal["vector-field", "exact"] = like(EP, "vector-field", needs=_UNTIED | _NUDGED)
    validation_fraction: float = option(
        0.1,
        "Share of the training data that is held out for validation, stratified by class. The "
        "validation data are used for `patience`, the best checkpoint and the order of sweep "
        "tables. 0 holds out nothing, as in the published experiments. It has no effect on data "
        "that include validation data.",
        kinds.SHARE,
    )
    test_every_epoch: bool = option(
        False,
        "Whether the test data are evaluated after every epoch, for curves. Otherwise they are "
        "evaluated once, at the end.",
    )
    inputs: Sequence[int] | int | None = option(
        None,
        "Number of features, or channels, height and width, of your own data. `cep.run` sets it.",
        kinds.SHAPE,
        command=None,
    )
    classes: int | None = option(
        None, "Number of classes of your own data. `cep.run` sets it.", command=None
    )
    synapses: Synapses = like(Network, None, kinds.SYNAPSES)
    bias_synapses: Synapses = like(Network, None, kinds.SYNAPSES)
    state_noise: float = like(Neurons, 0.0)
    state_bits: int | None = like(Neurons, None)
    gain_dtod: float = like(Neurons, 0.0)
    offset_dtod: float = like(Neurons, 0.0)
    read_noise: float = like(Network, 0.0, kinds.NOT_NEGATIVE)
    read_noise_every: Literal["step", "phase"] = like(Network, "step", needs={"read_noise": None})
    feedback_mismatch: float = like(Network, 0.0, kinds.NOT_NEGATIVE, needs=_UNTIED)
    write_every_step: bool = like(CEP, False, needs={"rule": "c-ep"})
    last_steps: int | None = like(BPTT, None, needs={"rule": "bptt"})
    rbp_tolerance: float = like(RBP, 1e-6, target="tolerance", needs=_RBP)
    max_iterations: int = like(RBP, 10_000, needs=_RBP)
    beta1: float = like(Adam, 0.9, needs=_ADAM)
    beta2: float = like(Adam, 0.999, needs=_ADAM)
    epsilon: float = like(Adam, 1e-8, needs=_ADAM)
    connections: Sequence[str | tuple[int, int] | tuple[int, int, str | Conv2d]] = like(
        Network, (), kinds.CONNECTIONS
    )

    def __post_init__(self) -> None:
        for each in OPTIONS.values():
            self._set(each.name, each.check(getattr(self, each.name)))
        for name in _RATES:
            self._set(name, self._one_each(name))
        if self.data in datasets.SHAPES and (self.inputs, self.classes) != (None, None):
            raise ValueError(
                f"inputs and classes are for your own data; those of {self.data!r} are known"
            )
        for each in OPTIONS.values():
            for field, owner in each.needs.items():
                there = getattr(self, field)
                is_of_one = field in ("rule", "optimizer") and isinstance(owner, str)
                if is_of_one and owner != there and getattr(self, each.name) != each.default:
                    raise ValueError(
                        f"{each.name} belongs to the {field} {owner!r}; the {field} is {there!r}"
                    )
        self.neurons  # noqa: B018 - checks the numbers.
        if self.learning_rates is None and not self._has_sizes:
            self.replace(learning_rates=0.0)  # Checks the other numbers.
        else:
            self.make_rule()

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    def _one_each(self, name: str) -> tuple[float, ...] | None:
        """Learning rates, one per connection."""
        rates: float | tuple[float, ...] | None = getattr(self, name)
        connections = len(self.hidden) + 1 + len(self.connections)
        if isinstance(rates, float | int):
            return (rates,) * connections
        if rates is not None and len(rates) != connections:
            raise ValueError(
                f"{name} has {len(rates)} values; the network has {connections} connections "
                "(one rate for all, or one each, input first)"
            )
        return rates

    def without_effect(self, name: str) -> str:
        """Why an option has no effect, such as "feedback is 'tied'"; empty if it has one."""
        for field, value in OPTIONS[name].needs.items():
            there = getattr(self, field)
            allowed = value if isinstance(value, tuple) else (value,)
            if not (there if value is None else there in allowed):
                return f"{field} is {there!r}"
        return ""

    def _arguments(self, owner: type, family: type) -> dict[str, Any]:
        """The arguments of a class that options set; `family` is its base class."""
        known = _parameters(owner)
        return {
            each.target: getattr(self, each.name)
            for each in OPTIONS.values()
            if issubclass(each.owner or object, family) and each.target in known
        }

    def of_data(self, inputs: Sequence[int], classes: int) -> "Configuration":
        """The configuration for data of these sizes, which are set if they are not known.

        Raises
        ------
        ValueError
            If the configuration is for data of other sizes.
        """
        shape = tuple(inputs)
        if self.data not in datasets.SHAPES and (self.inputs, self.classes) == (None, None):
            sizes = shape if len(shape) == 3 else math.prod(shape)
            return self.replace(inputs=sizes, classes=classes)
        features, known = math.prod(self._input_shape), self._classes
        if features != math.prod(shape) or classes > known:
            raise ValueError(
                f"the configuration is for {self.data}, with {features} features and {known} "
                f"classes; the data have {math.prod(shape)} and {classes}: give them another name, "
                "such as data='mine' in the configuration"
            )
        return self

    @property
    def _has_sizes(self) -> bool:
        return self.data in datasets.SHAPES or None not in (self.inputs, self.classes)

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
    def edges(self) -> tuple[tuple[int, int] | tuple[int, int, str], ...]:
        """The additional connections, in the form that `Network` takes."""
        return tuple(kinds.read_connection(str(each)) for each in self.connections)

    @property
    def title(self) -> str:
        """Rule and data, such as "C-VF on mnist"."""
        name = self.make_rule().name
        return f"{name.replace('EP', 'VF') if self.feedback == 'untied' else name} on {self.data}"

    @property
    def neurons(self) -> Neurons:
        """The neurons of the network."""
        return Neurons(**self._arguments(Neurons, Neurons))

    def make_network(self) -> Network:
        """A new network; ValueError or MemoryError if it cannot be made."""
        arguments: dict[str, Any] = self._arguments(Network, Network)
        arguments["connections"] = self.edges
        return Network(self.layers, neurons=self.neurons, **arguments)

    def make_rule(self, epoch: int | None = None) -> LearningRule:
        """The learning rule with the learning rates of an epoch (the first is 1).

        Without an epoch, it has the initial learning rates, without schedule and decay.
        """
        arguments: dict[str, Any] = self._arguments(RULES[self.rule], LearningRule)
        optimizer = self.make_optimizer()
        if self.learning_rates is None:
            arguments |= self._default_rates(optimizer)
        rule: LearningRule = RULES[self.rule](optimizer=optimizer, **arguments)
        return rule if epoch is None else rule.scaled(self.learning_rate_factor(epoch))

    def _default_rates(self, optimizer: Optimizer) -> dict[str, list[float]]:
        """The learning rates of weights and biases if none are given."""
        shapes = dict(enumerate(layer_shapes(self.layers)))
        # The layer below, and the number of inputs of a unit.
        connections = [
            (k, math.prod(layer.weights_shape(shapes[k])[1:]) * math.sqrt(math.prod(above[1:])))
            for k, (layer, above) in enumerate(
                zip(self.layers[1:], [*shapes.values()][1:], strict=True)
            )
            if not isinstance(layer, Input)
        ]
        connections += [(below, math.prod(shapes.get(below, ()))) for below, *_ in self.edges]
        rates, bias_rates = absolute_rates(
            [relative_rate(self.rule, optimizer)] * len(connections),
            [inputs for _, inputs in connections],
            [0.25 if below == 0 else 1.0 for below, _ in connections],
            optimizer,
        )
        found = {"learning_rates": _three_digits(rates)}
        if self.bias_learning_rates is None:
            found["bias_learning_rates"] = _three_digits(bias_rates)
        return found

    def make_optimizer(self) -> Optimizer:
        """The optimizer of the learning rule."""
        owner = OPTIMIZERS[self.optimizer]
        made: Optimizer = owner(**self._arguments(owner, Optimizer))
        return made

    def learning_rate_factor(self, epoch: int) -> float:
        """The factor of the learning rates in an epoch (the first is 1)."""
        steps = [factor for start, factor in self.learning_rate_schedule if start <= epoch]
        return (steps[-1] if steps else 1.0) * self.learning_rate_decay ** (epoch - 1)

    def augment(self, images: NDArray[Any], seed: "np.random.Generator") -> NDArray[Any]:
        """Training images, augmented for an epoch (see `cep.datasets.augment`)."""
        flat = images.ndim == 2 and len(self._input_shape) == 3
        shape: Any = self._input_shape if flat else None
        return datasets.augment(images, flip=self.flip, crop=self.crop, shape=shape, seed=seed)

    @property
    def augments(self) -> bool:
        """Whether training images are mirrored or shifted."""
        return self.flip or self.crop > 0

    def load_data(self, data_root: Path | None = None) -> tuple[datasets.Dataset, datasets.Dataset]:
        """Training and test data; `data_root` is MNIST's folder (see `cep.datasets.load`)."""
        return datasets.load(self.data, data_root, seed=self.seed)

    def replace(self, **changes: Any) -> "Configuration":
        """A copy with some fields changed."""
        _check_names(changes)
        return dataclasses.replace(self, **changes)

    def can_become(self, other: "Configuration") -> bool:
        """Whether a run of this configuration can be resumed with another one.

        The other one may have more epochs or more patience. All other fields must be equal.
        """
        for name in self.differences(other):
            mine, theirs = getattr(self, name), getattr(other, name)
            if name not in ("epochs", "patience") or mine is None:
                return False
            if theirs is not None and theirs < mine:
                return False
        return True

    def differences(self, other: "Configuration") -> dict[str, tuple[Any, Any]]:
        """The fields in which two configurations differ, with both values: own, other."""
        pairs = {name: (getattr(self, name), getattr(other, name)) for name in OPTIONS}
        return {name: (mine, theirs) for name, (mine, theirs) in pairs.items() if mine != theirs}

    def to_dict(self) -> dict[str, Any]:
        """All fields, as numbers, strings and lists."""
        # JSON has no tuples, so the result equals that of reading a file.
        values: dict[str, Any] = json.loads(self.to_json())
        return values

    @classmethod
    def from_dict(cls, values: object) -> "Configuration":
        """The configuration whose `to_dict` returned these values."""
        if not isinstance(values, dict):
            raise TypeError(
                f"a configuration must be an object of fields, got {type(values).__name__}"
            )
        _check_names(values)
        names = list(OPTIONS)
        if missing := [name for name in names[: names.index("loss")] if name not in values]:
            raise ValueError(f"the configuration lacks {', '.join(missing)}")
        # Runs of earlier versions learned from all training data, and tested after every epoch.
        before: dict[str, Any] = {"validation_fraction": 0.0, "test_every_epoch": True}
        return cls(**({} if "validation_fraction" in values else before) | values)

    def to_json(self) -> str:
        """All fields as a JSON object with one field per line."""
        fields = (
            f"  {json.dumps(name)}: {json.dumps(getattr(self, name), allow_nan=False)}"
            for name in OPTIONS
        )
        return "{\n" + ",\n".join(fields) + "\n}\n"

    @classmethod
    def from_json(cls, text: str) -> "Configuration":
        """The configuration whose `to_json` returned this text."""
        try:
            values = parse_json(text)
        except ValueError as error:
            raise ValueError(f"the configuration is not JSON: {error}") from None
        return cls.from_dict(values)


def _check_names(names: Iterable[str]) -> None:
    for name in names:
        if name not in OPTIONS:
            raise ValueError(validation.unknown("field of a configuration", name, OPTIONS))


@functools.cache
def _parameters(owner: type) -> frozenset[str]:
    return frozenset(inspect.signature(owner).parameters)


OPTIONS = options.declared_by(Configuration)


def _three_digits(rates: Iterable[float]) -> list[float]:
    """Rounded, so that a rule is easier to read."""
    return [float(f"{rate:.3g}") for rate in rates]


Configuration.__doc__ = inspect.cleandoc(Configuration.__doc__ or "").replace(
    "Raises\n", options.documentation(OPTIONS.values()) + "\nRaises\n", 1
)
