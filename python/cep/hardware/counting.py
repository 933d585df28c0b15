"""The cost of training on hardware, from counters of the engine."""

import math
from collections.abc import Mapping
from dataclasses import astuple, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cep._util import validation
from cep._util.tables import table
from cep.learning.rules import LearningRule
from cep.network.network import Network
from cep.training.fitting import fit
from cep.training.loop import Callback, Training


@dataclass(frozen=True)
class SynapseCounts:
    """Numbers of updates, writes and pulses of synapses that are devices.

    Ideal synapses are not counted. Each is written at every update.
    """

    synapses: int
    """Number of synapses."""
    updates: int
    """Number of updates, counted once per tensor."""
    writes: int
    """Number of writes of single synapses. A synapse is written if its level changes or it receives
    a pulse."""
    pulses_up: int
    """Number of pulses that increase a weight."""
    pulses_down: int
    """Number of pulses that decrease a weight."""

    @property
    def pulses(self) -> int:
        """Number of pulses in both directions."""
        return self.pulses_up + self.pulses_down

    @property
    def pulses_per_synapse(self) -> float:
        """Mean number of pulses per device; NaN without devices."""
        return self.pulses / self.synapses if self.synapses else math.nan


@dataclass(frozen=True)
class Counts(SynapseCounts):
    """Counts of the operations for some samples.

    Nothing is estimated: the engine counts steps, products and stored values, and the pulses of
    each device. A phase ends when all samples of its batch have settled. Until then, all samples
    are counted at each step, because hardware does not stop for single samples.
    """

    arrays: Mapping[str, SynapseCounts]
    """Counts of each tensor of parameters by name, such as ``weights.0``. Their sums are the counts
    above."""
    samples: int
    """Number of training samples."""
    steps: int
    """Number of steps of all phases. A step of a batch counts once."""
    sample_steps: int
    """Number of steps of all phases, times the samples of the batch."""
    multiply_accumulates: int
    """Number of multiply-accumulate operations in the phases: of the products between the layers,
    forward and back, at each step; and of those with the clamped input, once per phase, or at each
    step if weights change during the phase. The local products of updates are not included."""
    states_sent: int
    """Number of states of hidden and output layers, summed over the steps."""
    values_remembered: int
    """Number of values that are stored from one phase to the next, summed over the samples. For EP:
    the free states. For C-EP: none. For BPTT: states and preactivations of each step."""

    def bits_remembered(self, bits: int = 32) -> float:
        """Bits stored from one phase to the next per sample, with this number of bits per value."""
        return self.values_remembered * validation.count("bits", bits) / self.samples

    def energy(
        self,
        pulse: float = 0.0,
        multiply_accumulate: float = 0.0,
        state_sent: float = 0.0,
        stored_bit: float = 0.0,
        bits: int = 32,
    ) -> "Energy":
        """Energy per sample.

        Parameters
        ----------
        pulse, multiply_accumulate, state_sent, stored_bit : float
            Energy of one of each in joules, 0 or more.
        bits : int
            Number of bits of a stored value.

        Returns
        -------
        Energy
            The energy per sample in joules.
        """
        given = {
            "pulse": pulse,
            "multiply_accumulate": multiply_accumulate,
            "state_sent": state_sent,
            "stored_bit": stored_bit,
        }
        for name, value in given.items():
            if not 0 <= validation.real(name, value) < math.inf:
                raise ValueError(f"{name} must be finite and 0 or more, got {value}")
        return Energy(
            pulses=pulse * self.pulses / self.samples,
            products=multiply_accumulate * self.multiply_accumulates / self.samples,
            states=state_sent * self.states_sent / self.samples,
            memory=stored_bit * self.bits_remembered(bits),
        )

    def per_sample(self) -> dict[str, float]:
        """Each count divided by the number of samples, without `synapses` and `arrays`."""
        left_out = ("samples", "synapses", "arrays")
        names = [each.name for each in fields(self) if each.name not in left_out]
        return {name: getattr(self, name) / self.samples for name in names}

    def __str__(self) -> str:
        lines = [f"{name:22}{value:14,.1f}" for name, value in self.per_sample().items()]
        headings = ["in all", *(each.name for each in fields(SynapseCounts))]
        rows = [[name, *map(str, astuple(each))] for name, each in self.arrays.items()]
        return "\n".join(
            [f"for one sample (of {self.samples})", *lines, *([table(headings, rows)] * bool(rows))]
        )


@dataclass(frozen=True)
class Energy:
    """Energy per sample in joules, by its use."""

    pulses: float
    products: float
    states: float
    memory: float

    @property
    def total(self) -> float:
        """The sum of all parts."""
        return self.pulses + self.products + self.states + self.memory

    def __str__(self) -> str:
        parts = {**vars(self), "total": self.total}
        return "\n".join(f"{name:10}{value:12.4g} J" for name, value in parts.items())


def count(
    net: Network,
    rule: LearningRule,
    data: tuple[ArrayLike, ArrayLike],
    batch_size: int = 20,
    seed: int = 0,
) -> Counts:
    """Count the operations of one epoch of training.

    A copy of the network is trained, so that the network does not change.

    Parameters
    ----------
    net : Network
        The network.
    rule : LearningRule
        The learning rule.
    data : (x, y)
        The training data.
    batch_size : int
        Samples per batch, 1 or more.
    seed : int
        The seed of the order of the samples.

    Returns
    -------
    Counts

    Raises
    ------
    TypeError, ValueError
        As for `cep.fit`.
    DivergenceError
        If a state becomes infinite or not a number.

    Examples
    --------
    >>> net = cep.Network([64, 32, 10], synapses=cep.hardware.presets.ecram(), seed=0)
    >>> x, y = cep.datasets.digits()
    >>> rule = cep.CEP(20, 5, 0.5, learning_rates=0.05)
    >>> counts = cep.hardware.count(net, rule, (x[:100], y[:100]))
    >>> counts.steps, counts.bits_remembered()
    (125, 0.0)
    """
    validation.kind("net", net, Network, "cep.Network(…)")
    copy = net.copy()
    counter = Counter(copy)
    fit(copy, data, rule, 1, batch_size, seed=seed, progress=False, callbacks=[counter])
    return counter.epochs[0]


class Counter(Callback):
    """Counts the operations of a network in a ``with`` block, or per epoch as a callback.

    ``cep.fit(net, data, rule, epochs, callbacks=[counter])`` adds the counts of each epoch to
    `epochs`. They include the evaluation of the epoch.

    Parameters
    ----------
    net : Network
        The network. Evaluations and gradients are counted, too.

    Attributes
    ----------
    epochs : list of Counts
        The counts of each epoch so far.
    """

    batch_interval = None

    def __init__(self, net: Network) -> None:
        validation.kind("net", net, Network, "cep.Network(…)")
        self._net = net
        self._start = _counters(net)
        self._first_sample = self._samples = 0
        self.epochs: list[Counts] = []

    def __enter__(self) -> "Counter":
        self._start = _counters(self._net)
        return self

    def __exit__(self, *error: object) -> None:
        """Do nothing."""

    def on_epoch_begin(self, training: Training) -> None:
        """Start counting."""
        self._start = _counters(self._net)
        self._first_sample = training.position.samples

    def on_progress(self, training: Training) -> None:
        """Store the number of samples. The last report of an epoch includes all of them."""
        self._samples = training.position.samples

    def on_epoch_end(self, training: Training) -> None:
        """Add the counts of the epoch to `epochs`."""
        self.epochs.append(self.counts(self._samples - self._first_sample))

    def counts(self, samples: int) -> Counts:
        """The counts since the start, during which this number of samples was trained."""
        now, parameters = _counters(self._net), self._net._named_parameters()
        done = {name: (now[name] - start).astype(int) for name, start in self._start.items()}
        steps, sample_steps, products, sent, remembered = done.pop(_NETWORK).tolist()
        arrays = {
            # The number of batches is left out.
            name: SynapseCounts(parameters[name].size, *np.delete(counters, 1).tolist())
            for name, counters in done.items()
        }
        sums: dict[str, Any] = {
            each.name: sum(getattr(one, each.name) for one in arrays.values())
            for each in fields(SynapseCounts)
        }
        return Counts(
            **sums,
            arrays=arrays,
            samples=validation.count("samples", samples),
            steps=steps,
            sample_steps=sample_steps,
            multiply_accumulates=products,
            states_sent=sent,
            values_remembered=remembered,
        )


_NETWORK = "network"


def _counters(net: Network) -> dict[str, NDArray[np.float64]]:
    """Copies of the counters of the network, and of those of devices by tensor of parameters."""
    found = {_NETWORK: net._view("counters", 0).copy()}
    for name, array in net._device_arrays().items():
        parameter, is_counters, index = name.partition(".counters.")
        if is_counters:
            found[f"{parameter}.{index}"] = array.copy()
    return found
