"""Traces of phases: the states of every step, and the weights if they move."""

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
"""Arrays of the same shape, one for each step."""


class PhaseTrace:
    """The trace of a phase: index 0 is its start, index t the state after step t.

    Arrays are copies in the network's dtype. If shapes below mention units, the states of a feature
    map have channels × height × width instead; weights of a convolution have the shape of
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
        """The number of steps."""
        return max(0, len(self._residuals) - 1)

    @property
    def residuals(self) -> NDArray[np.float64]:
        """For each step: ``max |s(t+1) − s(t)|`` over all units and all samples of the batch."""
        return np.array(self._residuals[1:], dtype=np.float64)

    @property
    def states(self) -> list[Stack | None]:
        """For each layer, 0 being the input: (steps + 1) × samples × units; None if not kept."""
        return [None if kept is None else np.stack(kept) for kept in self._states]

    @property
    def weights(self) -> list[Stack] | None:
        """For each connection: (steps + 1) × units above × units below; None if they do not move.

        The last ones equal those after the phase bit for bit.
        """
        return self._moved(WEIGHTS)

    @property
    def biases(self) -> list[Stack] | None:
        """For each layer except the input: (steps + 1) × units; None if weights do not move."""
        return self._moved(BIASES)

    @property
    def feedback_weights(self) -> list[Stack | None] | None:
        """For each connection: (steps + 1) × units below × units above; None without feedback.

        None for the whole network if weights do not move.
        """
        return self._moved(FEEDBACK_WEIGHTS)

    def layer_residuals(self, layer: int) -> NDArray[np.float64]:
        """The residuals of one layer, over the samples kept; one for each step."""
        states = self.states[layer]
        if states is None:
            raise ValueError(f"the states of layer {layer} were not traced")
        flat = states.reshape(len(states), -1)
        changes: NDArray[np.float64] = np.abs(np.diff(flat, axis=0)).max(axis=1)
        return changes.astype(np.float64)

    def weight_movement(self, connection: int) -> NDArray[np.float64]:
        """The distance of a connection's weights from the start of the phase: steps + 1 values.

        The Frobenius norm of W(t) − W(0); zeros if weights do not move.
        """
        if self.weights_move and not self._parameters:
            raise ValueError("the weights were not traced")
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
        return f"<cep.PhaseTrace {self.name}, {self.steps} steps{nudging}>"


class Trace:
    """The phases traced by `trace`."""

    def __init__(self) -> None:
        self.phases: list[PhaseTrace] = []
        """The phases in order."""

    @property
    def free(self) -> PhaseTrace:
        """The last free phase; raises ValueError without one."""
        return self._last("free")

    @property
    def nudged(self) -> PhaseTrace:
        """The last nudged phase; raises ValueError without one."""
        return self._last("nudged")

    @property
    def residuals(self) -> NDArray[np.float64]:
        """The residual of each step of all phases in order."""
        return np.concatenate([np.empty(0), *(phase.residuals for phase in self.phases)])

    @property
    def states(self) -> list[Stack | None]:
        """For each layer, after each step of all phases: steps × samples × units; None if not kept.

        Raises ValueError without phases, and for phases with batches of different sizes.
        """
        if not self.phases:
            raise ValueError("no phase has been traced")
        layers = zip(*(phase.states for phase in self.phases), strict=True)
        return [
            None
            if parts[0] is None
            else np.concatenate([part[1:] for part in parts if part is not None])
            for parts in layers
        ]

    def _last(self, name: str) -> PhaseTrace:
        for phase in reversed(self.phases):
            if phase.name == name:
                return phase
        raise ValueError(f"no {name} phase has been traced")

    def __repr__(self) -> str:
        return f"<cep.Trace of {self.phases!r}>"


@contextmanager
def trace(
    net: Network,
    *,
    layers: Iterable[int] | None = None,
    samples: int | None = None,
    weights: bool = True,
) -> Iterator[Trace]:
    """Trace every step of the phases that a network runs within a ``with`` block.

    These are the phases of `Network.free_phase`, `Network.nudged_phase`, `train_batch` and
    `gradient`. Results do not change. `evaluate` and `Network.predict`, which leave the states
    unchanged, are not traced; a whole epoch (`fit`, `run`) is refused.

    Parameters
    ----------
    net : Network
        The network, traced by one block at a time.
    layers : iterable of int, optional
        Layers whose states are kept, 0 being the input. Default: all.
    samples : int, optional
        The number of samples kept, from the first of each batch on. Default: all.
    weights : bool
        Whether to keep the weights of continual nudged phases; each step then takes as much memory
        as the parameters.

    Yields
    ------
    Trace
        Grows while the block runs, and can be read after it.

    Raises
    ------
    TypeError, ValueError
        For an argument of the wrong type or value.
    RuntimeError
        If the network is being traced already.

    Examples
    --------
    >>> net = cep.Network([4, 6, 3], seed=0)
    >>> with cep.trace(net) as trace:
    ...     outcome = net.free_phase(np.full((2, 4), 0.5), 10)
    ...     outcome = net.nudged_phase([0, 2], beta=0.5, steps=5)
    >>> trace.states[1].shape
    (15, 2, 6)
    >>> trace.nudged.states[2].shape
    (6, 2, 3)
    """
    validation.kind("net", net, Network, "cep.Network(…)")
    tracer = _Tracer(net, layers, samples, weights)
    if net._observer is not None:
        raise RuntimeError("the network is being traced already")
    net._observer = tracer
    try:
        yield tracer.trace
    finally:
        net._observer = None


class _Tracer:
    """Copies the states and weights of each step."""

    def __init__(
        self, net: Network, layers: Iterable[int] | None, samples: int | None, weights: bool
    ) -> None:
        self.trace = Trace()
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
            self.trace.phases.append(self._new_phase(step, beta, weights_move))
        phase = self.trace.phases[-1]
        phase._residuals.append(residual)
        for layer, kept in enumerate(phase._states):
            if kept is not None:
                # The clamped input does not move, so one copy is enough.
                again = kept[0] if layer == 0 and kept else self._states(step, layer)
                kept.append(again)
        for kind, connections in phase._parameters.items():
            for k, kept in enumerate(connections):
                if kept is not None:
                    kept.append(_copy(step, kind, k))

    def _new_phase(self, step: "Step", beta: float, weights_move: bool) -> PhaseTrace:
        phase = PhaseTrace(beta, weights_move)
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
        raise ValueError(
            f"layer {wrong[0]} does not exist; the network's layers are 0 to {count - 1}"
        )
    return chosen
