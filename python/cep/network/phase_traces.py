"""Records of phases: the states of every step, and the weights where they move."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cep._engine.words import BIASES, FEEDBACK_WEIGHTS, STATES, WEIGHTS
from cep._util import validation
from cep.network.network import Network

if TYPE_CHECKING:
    from cep._cep import Step

Stack = NDArray[Any]
"""Arrays of the same shape, one a moment."""


class RecordedPhase:
    """A phase, moment by moment: where it began is moment 0, then comes one after each step.

    Arrays are copies, of the network's dtype. Where shapes below say units, those of a feature map
    are channels × height × width; weights of a convolution have the shape that they have in
    `Network.weights`.
    """

    def __init__(self, beta: float, weights_move: bool) -> None:
        self.beta = beta
        """Strength β of the nudging; 0 in a free phase."""
        self.weights_move = weights_move
        """Whether it is the nudged phase of a continual rule."""
        self._residuals: list[float] = []
        self._states: list[list[Stack] | None] = []
        self._parameters: dict[str, list[list[Stack] | None]] = {}

    @property
    def name(self) -> str:
        """``"free"`` or ``"nudged"``."""
        return "nudged" if self.beta else "free"

    @property
    def steps(self) -> int:
        """Steps taken."""
        return max(0, len(self._residuals) - 1)

    @property
    def residuals(self) -> NDArray[np.float64]:
        """Of each step: ``max |s(t+1) − s(t)|`` over all units and all samples of the batch."""
        return np.array(self._residuals[1:], dtype=np.float64)

    @property
    def states(self) -> list[Stack | None]:
        """Of each layer, 0 being the input: (steps + 1) × samples × units; None where not kept."""
        return [None if kept is None else np.stack(kept) for kept in self._states]

    @property
    def weights(self) -> list[Stack] | None:
        """Of each connection: (steps + 1) × units above × units below; None where they stand still.

        The last are to the last bit what the phase leaves in the network.
        """
        return self._moved(WEIGHTS)

    @property
    def biases(self) -> list[Stack] | None:
        """Of each layer but the input: (steps + 1) × units; None where weights stand still."""
        return self._moved(BIASES)

    @property
    def feedback_weights(self) -> list[Stack | None] | None:
        """Of each connection: (steps + 1) × units below × units above; None where there are none.

        None altogether where weights stand still.
        """
        return self._moved(FEEDBACK_WEIGHTS)

    def layer_residuals(self, layer: int) -> NDArray[np.float64]:
        """The residuals of one layer, over the samples that were kept: steps."""
        states = self.states[layer]
        if states is None:
            raise ValueError(f"the states of layer {layer} were not recorded")
        flat = states.reshape(len(states), -1)
        changes: NDArray[np.float64] = np.abs(np.diff(flat, axis=0)).max(axis=1)
        return changes.astype(np.float64)

    def weight_movement(self, connection: int) -> NDArray[np.float64]:
        """How far the weights of a connection are from where the phase began: steps + 1.

        The Frobenius norm of W(t) − W(0); zeros where weights stand still.
        """
        if self.weights_move and not self._parameters:
            raise ValueError("the weights were not recorded")
        weights = self.weights
        if weights is None:
            return np.zeros(self.steps + 1)
        moved = weights[connection].reshape(self.steps + 1, -1).astype(np.float64)
        moved -= moved[:1].copy()
        norms: NDArray[np.float64] = np.linalg.norm(moved, axis=1)
        return norms

    def _moved(self, name: str) -> list[Any] | None:
        if not self._parameters:
            return None
        return [None if kept is None else np.stack(kept) for kept in self._parameters[name]]

    def __repr__(self) -> str:
        nudging = f", beta={self.beta:g}" if self.beta else ""
        return f"<cep.RecordedPhase {self.name}, {self.steps} steps{nudging}>"


class Record:
    """What `record` recorded."""

    def __init__(self) -> None:
        self.phases: list[RecordedPhase] = []
        """In the order in which they were run."""

    @property
    def free(self) -> RecordedPhase:
        """The last free phase; raises ValueError where there is none."""
        return self._last("free")

    @property
    def nudged(self) -> RecordedPhase:
        """The last nudged phase; raises ValueError where there is none."""
        return self._last("nudged")

    @property
    def residuals(self) -> NDArray[np.float64]:
        """Of each step of all phases, one phase after another."""
        return np.concatenate([np.empty(0), *(phase.residuals for phase in self.phases)])

    @property
    def states(self) -> list[Stack | None]:
        """Of each layer, after each step of all phases: steps × samples × units; None if not kept.

        Raises ValueError where there are no phases, or phases with batches of different sizes.
        """
        if not self.phases:
            raise ValueError("no phase has been recorded")
        layers = zip(*(phase.states for phase in self.phases), strict=True)
        return [
            None
            if parts[0] is None
            else np.concatenate([part[1:] for part in parts if part is not None])
            for parts in layers
        ]

    def _last(self, name: str) -> RecordedPhase:
        for phase in reversed(self.phases):
            if phase.name == name:
                return phase
        raise ValueError(f"no {name} phase has been recorded")

    def __repr__(self) -> str:
        return f"<cep.Record of {self.phases!r}>"


@contextmanager
def record(
    net: Network,
    *,
    layers: Iterable[int] | None = None,
    samples: int | None = None,
    weights: bool = True,
) -> Iterator[Record]:
    """Record every step of the phases that a network runs within a ``with`` block.

    Those of `Network.free_phase`, `Network.nudged_phase`, `train_batch` and `gradient`. The numbers
    that the network comes to are the same, to the last bit. `evaluate` and `Network.predict`, which
    leave its states alone, are not recorded; a whole epoch (`fit`, `run`) is refused.

    Parameters
    ----------
    net : Network
        Recorded by one block at a time.
    layers : iterable of int, optional
        Layers whose states are kept, 0 being the input; default: all.
    samples : int, optional
        The first so many samples of each batch are kept; default: all.
    weights : bool
        Whether to keep the weights of continual nudged phases, which takes as much memory at every
        step as the parameters do.

    Yields
    ------
    Record
        It grows while the block runs, and stays when it has ended.

    Raises
    ------
    TypeError, ValueError
        For an argument of the wrong type or value.
    RuntimeError
        Where the network is being recorded already.

    Examples
    --------
    >>> net = cep.Network([4, 6, 3], seed=0)
    >>> with cep.record(net) as record:
    ...     outcome = net.free_phase(np.full((2, 4), 0.5), 10)
    ...     outcome = net.nudged_phase([0, 2], beta=0.5, steps=5)
    >>> record.states[1].shape
    (15, 2, 6)
    >>> record.nudged.states[2].shape
    (6, 2, 3)
    """
    validation.kind("net", net, Network, "cep.Network(…)")
    recorder = _Recorder(net, layers, samples, weights)
    if net._observer is not None:
        raise RuntimeError("the network is being recorded already")
    net._observer = recorder
    try:
        yield recorder.record
    finally:
        net._observer = None


class _Recorder:
    """Copies what each step shows."""

    def __init__(
        self, net: Network, layers: Iterable[int] | None, samples: int | None, weights: bool
    ) -> None:
        self.record = Record()
        self._layers = len(net.sizes) - net._has_readout
        self._connections = len(net.edges)
        self._biases = len(net.sizes) - 1
        self._kept = set(range(self._layers)) if layers is None else _layers(layers, self._layers)
        self._samples = None if samples is None else validation.count("samples", samples)
        self._weights = bool(weights)
        self._has_feedback_weights = net._has_feedback_weights

    def __call__(self, step: "Step") -> None:
        number, beta, residual, weights_move = step.summary()
        if number == 0:
            self.record.phases.append(self._new_phase(step, beta, weights_move))
        phase = self.record.phases[-1]
        phase._residuals.append(residual)
        for layer, kept in enumerate(phase._states):
            if kept is not None:
                # The clamped input does not move: one copy of it will do.
                again = kept[0] if layer == 0 and kept else self._states(step, layer)
                kept.append(again)
        for kind, connections in phase._parameters.items():
            for k, kept in enumerate(connections):
                if kept is not None:
                    kept.append(_copy(step, kind, k))

    def _new_phase(self, step: "Step", beta: float, weights_move: bool) -> RecordedPhase:
        phase = RecordedPhase(beta, weights_move)
        phase._states = [[] if layer in self._kept else None for layer in range(self._layers)]
        if weights_move and self._weights:
            connections = range(self._connections)
            has: dict[str, Callable[[int], bool]] = {
                WEIGHTS: lambda k: True,
                BIASES: lambda k: k < self._biases,
                FEEDBACK_WEIGHTS: self._has_feedback_weights,
            }
            phase._parameters = {
                kind: [[] if has_one(k) else None for k in connections]
                for kind, has_one in has.items()
            }
        return phase

    def _states(self, step: "Step", layer: int) -> Stack:
        return np.array(np.asarray(step.array(STATES, layer))[: self._samples])


def _copy(step: "Step", name: str, index: int) -> Stack:
    return np.array(step.array(name, index))


def _layers(layers: Iterable[int], count: int) -> set[int]:
    try:
        numbers = list(layers)
    except TypeError:
        raise TypeError(f"layers must be integers, got {layers!r}") from None
    chosen = {validation.integer(f"layers[{k}]", number) for k, number in enumerate(numbers)}
    if wrong := sorted(chosen - set(range(count))):
        raise ValueError(f"there is no layer {wrong[0]}; the network's layers are 0 to {count - 1}")
    return chosen
