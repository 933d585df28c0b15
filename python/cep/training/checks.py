"""Warnings if a network does not learn, after its first batch and its epochs."""

import math
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cep._cep import DivergenceError
from cep.network.network import Network
from cep.training.sources import Source

_PACKAGE = str(Path(__file__).parents[1])
_ADVICE = "cep.suggest(net, x, y, rule=cep.CEP) measures values that train"
# An error of at least this share of the chance error counts as chance.
_AT_CHANCE = 0.98
# The error is compared with chance after an epoch of at least _LARGE_EPOCH samples, or after at
# least _FEWEST_SAMPLES in several epochs: with small data sets, learning begins slowly.
_LARGE_EPOCH = 1000
_FEWEST_SAMPLES = 5000
_LARGEST_RATIO = 1e9  # A change may overflow.
# Bounds of the states in the prototypical setting.
_BOUNDS = {
    "shifted_sigmoid": (0, 1),
    "sigmoid": (0, 1),
    "hard_sigmoid": (0, 1),
    "half_hard_sigmoid": (0, 1),
    "tanh": (-1, 1),
}


class LearningWarning(UserWarning):
    """The network will probably not learn. The message states the cause and a remedy.

    A training gives each of the following warnings at most once:

    - The inputs are far outside [0, 1], so that most units of layer 1 are at a bound of their
      activation.
    - The first update is larger than the weights.
    - The training error of an epoch is at chance.
    - After the first epoch, more than 95 % of the units of a layer are at a bound of their
      activation for all samples.
    - After the first epoch, the free phase of most samples alternates between two states.

    ``warnings.filterwarnings("ignore", category=cep.LearningWarning)`` disables them.
    """


class LearningChecks:
    """The checks of a training, after its first batch and after each epoch.

    Attributes
    ----------
    messages : list of str
        The messages of the given warnings.
    awaits_batch : bool
        Whether the next batch is the first one.
    """

    def __init__(self, net: Network, source: Source) -> None:
        self.messages: list[str] = []
        self.awaits_batch = False
        self._net, self._source = net, source
        self._kinds: set[str] = set()
        self._weights: list[NDArray[Any]] = []
        # A network that was trained before is not checked.
        self._is_new = net._epochs_trained == 0
        self._began = not self._is_new
        self._seen = 0

    def begin_epoch(self) -> None:
        """Copy the weights before the first batch."""
        if not self._began:
            self._began = self.awaits_batch = True
            self._weights = [weights.copy() for weights in self._net.weights]

    def check_first_batch(self, free_steps: int) -> None:
        """Check the first update and the inputs."""
        before, self._weights, self.awaits_batch = self._weights, [], False
        self._check_inputs(free_steps)
        # Inputs that are too large cause large updates. One warning is enough.
        for k, (old, new) in enumerate(zip(before, self._net.weights, strict=True)):
            with np.errstate(over="ignore", invalid="ignore"):
                norm = _norm(old)
                change = _norm(np.subtract(new, old, dtype=np.float64))
            ratio = min(change / norm, _LARGEST_RATIO) if norm else 0.0
            if ratio > 1 and "inputs" not in self._kinds:
                self._warn(
                    "update",
                    f"the first update of weights {k} is {ratio:.2g} times as large as they are: "
                    f"divide learning_rates[{k}] by {math.ceil(10 * ratio)} or more; {_ADVICE}",
                )

    def check_epoch(self, epoch: int, samples: int, error: float, free_steps: int) -> None:
        """Check the training error, and after the first epoch the states."""
        is_first, self._seen = self._is_new and not self._seen, self._seen + samples
        chance = self._source.chance(self._net.sizes[-1])
        learns = not chance or error < _AT_CHANCE * chance
        is_decisive = samples >= _LARGE_EPOCH or self._seen >= _FEWEST_SAMPLES
        if not learns and (is_first or (is_decisive and "chance" not in self._kinds)):
            # The error of the epoch is an average. Its end is decisive.
            error = self._error(free_steps)
            learns = error < _AT_CHANCE * chance
        if not learns and is_decisive:
            self._warn(
                "chance",
                f"the training error after epoch {epoch} is {error:.1%}, and guessing gives "
                f"{chance:.1%}: train longer if the loss falls; otherwise divide the learning "
                f"rates by ten, or take a larger beta; {_ADVICE}",
            )
        if is_first and self._net.setting == "prototypical":
            self._check_states(free_steps, learns=learns)

    def _error(self, free_steps: int) -> float:
        """The present error on some of the training samples."""
        x, y = self._source.probe
        try:
            samples, errors, _ = self._net._frozen()._engine.evaluate(
                np.ascontiguousarray(x), np.ascontiguousarray(y), free_steps
            )
        except DivergenceError:
            return 1.0
        return float(errors / samples)

    def _check_inputs(self, free_steps: int) -> None:
        net, (x, _) = self._net, self._source.probe
        if np.mean(np.abs(x) > 3) < 0.05 or _bounds(net, 1) is None:
            return
        # In the real-time setting the inputs themselves go through the activation.
        if net.setting == "prototypical":
            states = _free_states(net, x, free_steps)
            if not states or _at_bound(net, 1, states[0][1]).mean() < 0.5:
                return
        self._warn(
            "inputs",
            f"the inputs reach {np.abs(x).max():.4g}, so that most units of layer 1 are at a bound "
            "of their activation: scale them to [0, 1], for example images with x / 255 and "
            "features with sklearn.preprocessing.MinMaxScaler",
        )

    def _check_states(self, free_steps: int, *, learns: bool) -> None:
        net, (x, _) = self._net, self._source.probe
        states = _free_states(net, x, free_steps, more=2)
        if not states:
            return
        # If the network learns, outputs at their targets are expected, and targets are bounds.
        layers = range(1, len(states[0]) - (learns and not net._has_readout))
        for layer in layers if "inputs" not in self._kinds else ():
            if _bounds(net, layer) is None:
                continue
            share = float(_at_bound(net, layer, states[0][layer]).all(axis=0).mean())
            if share > 0.95:
                self._warn(
                    "bounds",
                    f"{share:.0%} of the units of layer {layer} are at a bound of their activation "
                    f"for all of {len(x)} samples, and do not learn: take smaller learning rates "
                    "or initial weights, and scale inputs to [0, 1]",
                )
        step, two_steps = (
            np.max([_largest_of_samples(b - a) for a, b in zip(states[0], after, strict=True)], 0)
            for after in states[1:]
        )
        share = float(np.mean((step > 0.1) & (two_steps < step / 2)))
        if share > 0.5:
            self._warn(
                "oscillation",
                f"the free phases of {share:.0%} of the samples end in a cycle of two states, so "
                'that updates measure the cycle: make the network with relaxation="alternating", '
                "or take smaller learning rates",
            )

    def _warn(self, kind: str, message: str) -> None:
        if kind in self._kinds:
            return
        self._kinds.add(kind)
        self.messages.append(message)
        warn(message)


def _norm(values: NDArray[Any]) -> float:
    """The Euclidean norm, computed without the threads of NumPy's BLAS."""
    return math.sqrt(np.square(values, dtype=np.float64).sum())


def warn(message: str) -> None:
    """Give a `LearningWarning`, located at the line that called the package."""
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, LearningWarning, stacklevel=level)


def _bounds(net: Network, layer: int) -> tuple[int, int] | None:
    """The bounds of the activation of a layer; None if it has none or is tabulated."""
    if layer == len(net.shapes) - 1 and net.loss == "cross_entropy":
        return None  # Linear.
    name = net.activation if isinstance(net.activation, str) else net.activation[layer - 1]
    return _BOUNDS.get(name)


def _at_bound(net: Network, layer: int, states: NDArray[Any]) -> NDArray[np.bool_]:
    """Whether each state is at a bound, within a hundredth of the range."""
    bounds = _bounds(net, layer)
    assert bounds is not None
    near = 0.01 * (bounds[1] - bounds[0])
    return (states <= bounds[0] + near) | (states >= bounds[1] - near)


def _largest_of_samples(change: NDArray[Any]) -> NDArray[Any]:
    largest: NDArray[Any] = np.abs(change).reshape(len(change), -1).max(axis=1)
    return largest


def _free_states(
    net: Network, x: NDArray[Any], steps: int, more: int = 0
) -> list[list[NDArray[Any]]]:
    """The states after a free phase and after each of `more` further steps.

    Empty if the states diverge.
    """
    frozen = net._frozen()
    found = []
    try:
        for k in range(1 + more):
            frozen.free_phase(x, 1 if k else steps, reset=not k)
            found.append([layer.copy() for layer in frozen.states])
    except DivergenceError:
        return []
    return found
