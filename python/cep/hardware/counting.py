"""What training costs on hardware, from counters of the engine."""

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
    """What was done to synapses that are devices.

    Ideal synapses are not counted: each is written at every update.
    """

    synapses: int
    """How many there are."""
    updates: int
    """Of tensors of them."""
    writes: int
    """Synapses written: those that got a pulse, or another level."""
    pulses_up: int
    pulses_down: int

    @property
    def pulses(self) -> int:
        """Up and down together."""
        return self.pulses_up + self.pulses_down

    @property
    def pulses_per_synapse(self) -> float:
        """Mean over the devices; NaN without any."""
        return self.pulses / self.synapses if self.synapses else math.nan


@dataclass(frozen=True)
class Counts(SynapseCounts):
    """What was done for some samples, phase by phase and write by write.

    Nothing is estimated: the engine counts steps, products and what it keeps as it takes them, and
    each device its pulses. A sample at rest counts as one that moves, because hardware does not
    stop for it, until all samples of the batch are at rest: there the phase ends.
    """

    arrays: Mapping[str, SynapseCounts]
    """Of each tensor of parameters, by its name: ``weights.0``. Their sums are the counts above."""
    samples: int
    """Samples that were learned."""
    steps: int
    """Steps of phases, each of a whole batch."""
    sample_steps: int
    """The same, times the samples of the batch."""
    multiply_accumulates: int
    """Of the products of phases: at each step between layers that move, forward and back; of the
    clamped input once a phase, and at each step if weights change in between. The local products of
    updates are not part of it."""
    states_sent: int
    """States of the layers that move, at each step."""
    values_remembered: int
    """Numbers kept from one phase to the next, summed over the samples. EP: the free states. C-EP:
    none. BPTT: states and preactivations of each step."""

    def bits_remembered(self, bits: int = 32) -> float:
        """Bits kept from one phase to the next for a sample, with so many bits for a number."""
        return self.values_remembered * validation.count("bits", bits) / self.samples

    def energy(
        self,
        pulse: float = 0.0,
        multiply_accumulate: float = 0.0,
        state_sent: float = 0.0,
        stored_bit: float = 0.0,
        bits: int = 32,
    ) -> "Energy":
        """Energy of a sample.

        Parameters
        ----------
        pulse, multiply_accumulate, state_sent, stored_bit : float
            Joules for one of each; 0 or more.
        bits : int
            Of a number that is remembered.

        Returns
        -------
        Energy
            In joules.
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
        """Each count divided by the samples; synapses and arrays left out."""
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
    """Energy of a sample in joules, by what it goes into."""

    pulses: float
    products: float
    states: float
    memory: float

    @property
    def total(self) -> float:
        """All of it."""
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
    """Count what one epoch of training costs. It is run on a copy: the network does not change.

    Parameters
    ----------
    net : Network
        What would be trained.
    rule : LearningRule
        What with.
    data : (x, y)
        What on.
    batch_size : int
        Samples a batch, 1 or more.
    seed : int
        Of the order of the samples.

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
    """Counts what a network does: in a ``with`` block, or as a callback in every epoch.

    ``cep.fit(net, data, rule, epochs, callbacks=[counter])`` adds the counts of each epoch, its
    evaluation included, to `epochs`.

    Parameters
    ----------
    net : Network
        What is watched. Evaluations and gradients count as well.

    Attributes
    ----------
    epochs : list of Counts
        Of each epoch so far.
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
        """Nothing has to be undone."""

    def on_epoch_begin(self, training: Training) -> None:
        """Count from here."""
        self._start = _counters(self._net)
        self._first_sample = training.position.samples

    def on_progress(self, training: Training) -> None:
        """Note how many samples were learned: the last report of an epoch has all of them."""
        self._samples = training.position.samples

    def on_epoch_end(self, training: Training) -> None:
        """Add the counts of the epoch that has ended to `epochs`."""
        self.epochs.append(self.counts(self._samples - self._first_sample))

    def counts(self, samples: int) -> Counts:
        """What was done since the start, for so many samples."""
        now, parameters = _counters(self._net), self._net._named_parameters()
        done = {name: (now[name] - start).astype(int) for name, start in self._start.items()}
        steps, sample_steps, products, sent, remembered = done.pop(_NETWORK).tolist()
        arrays = {
            # What is left out is the number of batches.
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
    """Copies of the counters of the network, and of those of devices by the parameter."""
    found = {_NETWORK: net._view("counters", 0).copy()}
    for name, array in net._device_arrays().items():
        parameter, is_counters, index = name.partition(".counters.")
        if is_counters:
            found[f"{parameter}.{index}"] = array.copy()
    return found
