"""Snapshots of training: one batch, run on a copy of the network and observed at every step."""

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cep._cep import DivergenceError
from cep._engine.words import STATES, WEIGHTS
from cep.learning.rules import LearningRule
from cep.network.network import Network
from cep.training.batches import train_batch
from cep.training.history import History

if TYPE_CHECKING:
    from cep._cep import Step


@dataclass(frozen=True)
class Snapshot:
    """The data of a live view at one point of training."""

    epoch: int
    """The present epoch; the first is 1."""
    epochs: int
    """The total number of epochs."""
    done: int
    """Samples of the epoch trained so far."""
    samples: int
    """Samples of an epoch."""
    errors: int
    """Wrong predictions among those done."""
    history: History
    """The history of finished epochs."""
    residuals: NDArray[np.float64]
    """The residual of each step of the observed batch."""
    free_steps: int
    """The number of these steps that belong to the free phase."""
    activity: list[NDArray[Any]]
    """For each layer except the input, at the end of the free phase: samples × units."""
    movement: list[NDArray[np.float64]]
    """For each connection: ‖W(t) − W(0)‖ before the nudged phase, after each of its steps, and, for
    a rule that updates once, after the update."""
    is_continual: bool
    """Whether weights move during the nudged phase."""
    diverged: str = ""
    """The error message if the batch diverged."""

    @property
    def train_error(self) -> float | None:
        """Share of wrong predictions in the epoch so far; None before the first batch."""
        return self.errors / self.done if self.done else None


class Probe:
    """The batch that is observed, always the same."""

    def __init__(self, net: Network, x: NDArray[Any], y: NDArray[Any]) -> None:
        self._net = net
        self._x = x
        self._y = y
        self._probe = net.like()

    def run(self, rule: LearningRule) -> dict[str, Any]:
        """Run the batch on a copy of the network; returns fields of `Snapshot`.

        If the rule draws the sign of β, the copy uses the given sign.
        """
        if getattr(rule, "beta_sign", None) == "random":
            rule = dataclasses.replace(rule, beta_sign="fixed")  # type: ignore[type-var]
        probe = self._probe
        for mine, theirs in zip(probe.parameters(), self._net.parameters(), strict=True):
            mine[...] = theirs
        steps = _Steps(probe)
        diverged = ""
        probe._observer = steps
        try:
            train_batch(probe, self._x, self._y, rule)
            steps.end()
        except DivergenceError as error:
            diverged = str(error)
        finally:
            probe._observer = None
        return steps.fields() | {"diverged": diverged}


class _Steps:
    """Collects the data of each step. Only the initial weights are kept."""

    def __init__(self, probe: Network) -> None:
        self._probe = probe
        self._start = [np.array(weights) for weights in probe.weights]
        self._residuals: list[float] = []
        self._free_steps = 0
        self._activity: list[NDArray[Any]] = []
        self._movement: list[list[float]] = [[] for _ in self._start]
        self._is_continual = False

    def __call__(self, step: "Step") -> None:
        number, beta, residual, weights_move = step.summary()
        if number:
            self._residuals.append(residual)
        if not beta:
            self._free_steps = number
            layers = range(1, len(self._probe.sizes))
            self._activity = [np.array(step.array(STATES, layer)) for layer in layers]
            return
        self._is_continual = weights_move
        for k, (start, norms) in enumerate(zip(self._start, self._movement, strict=True)):
            weights = np.asarray(step.array(WEIGHTS, k)) if weights_move else start
            norms.append(_distance(weights, start))

    def end(self) -> None:
        """Finish after the batch: a rule that updates once has made its update."""
        if self._is_continual:
            return
        for weights, start, norms in zip(
            self._probe.weights, self._start, self._movement, strict=True
        ):
            norms.append(_distance(weights, start))

    def fields(self) -> dict[str, Any]:
        """The fields of `Snapshot`."""
        return {
            "residuals": np.array(self._residuals),
            "free_steps": self._free_steps,
            "activity": self._activity,
            "movement": [np.array(norms) for norms in self._movement],
            "is_continual": self._is_continual,
        }


def _distance(weights: NDArray[Any], start: NDArray[Any]) -> float:
    return float(np.linalg.norm(weights - start))
