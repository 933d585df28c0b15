"""Hyperparameters for a network and its data, from a few batches, with the numbers behind them."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cep._util import validation
from cep.learning import rules
from cep.learning.gradients import gradient
from cep.network.network import Network

# A residual so small has come down far enough beside what nudging moves; one that has not fallen
# for so many steps has stopped falling.
_NEGLIGIBLE = 1e-5
_PATIENCE = 10


@dataclass(frozen=True)
class Suggestion:
    """What `suggest` recommends, and why. ``print(suggestion)`` is a table."""

    free_steps: int
    """T: after so many steps the residual has stopped falling, or fallen far enough."""
    nudged_steps: int
    """K with the smallest angle to BPTT, the fewest steps among angles within half a degree."""
    beta: float
    """β with the smallest angle to BPTT."""
    angle: float
    """Degrees between EP's estimate with these values and BPTT through all T steps."""
    residuals: list[float] = field(repr=False)
    """``max |s(t+1) − s(t)|`` after each step of a free phase."""
    angles: dict[tuple[int, float], float] = field(repr=False)
    """Degrees for every (K, β) tried, the mean over the batches."""

    def __str__(self) -> str:
        betas = sorted({beta for _, beta in self.angles})
        lines = [
            f"free_steps={self.free_steps}, nudged_steps={self.nudged_steps}, beta={self.beta:g}",
            "",
            f"residual after {self.free_steps} steps: {self.residuals[self.free_steps - 1]:.1e}",
            "degrees between EP's estimate and BPTT:",
            "   K  " + "  ".join(f"β={beta:<6g}" for beta in betas),
        ]
        for steps in sorted({steps for steps, _ in self.angles}):
            row = "  ".join(f"{self.angles[steps, beta]:8.2f}" for beta in betas)
            lines.append(f"{steps:4}  {row}")
        return "\n".join(lines)


def suggest(
    net: Network,
    x: ArrayLike,
    y: ArrayLike,
    *,
    batch_size: int = 20,
    batches: int = 3,
    max_free_steps: int = 500,
    betas: Sequence[float] = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0),
) -> Suggestion:
    """Recommend free steps, nudged steps and β for a network as it is, from a few batches.

    Steady states come later as weights grow, so ask again after some training.

    Parameters
    ----------
    net : Network
        Neither its parameters nor its states change.
    x, y : array_like
        Inputs and targets; the first ``batches × batch_size`` of them are used.
    batch_size : int
        Samples a batch.
    batches : int
        Batches that angles are averaged over; fewer where there are not so many samples.
    max_free_steps : int
        The most free steps to consider.
    betas : sequence of float
        Strengths of the nudging to consider. Negative ones are allowed, 0 is not.

    Returns
    -------
    Suggestion
        The three values, and the residuals and angles behind them.

    Raises
    ------
    TypeError, ValueError
        For an argument of the wrong type, shape or value.
    DivergenceError
        Where a state became infinite or not a number.

    Notes
    -----
    T is the first step after which the residual has come below 1e-5, or the step of its lowest
    value where it has not fallen for ten steps after. The nudged phase moves states for as long as
    it is nudged, so K is looked for among fractions of T.
    """
    inputs, wanted = validation.samples(x, y, net.dtype, net.shapes[0])
    for name, number in (("batch_size", batch_size), ("batches", batches)):
        validation.count(name, number)
    validation.count("max_free_steps", max_free_steps)
    net._engine.check_samples(inputs, wanted)
    if not isinstance(betas, (Sequence, np.ndarray)) or isinstance(betas, (str, bytes)):
        raise TypeError(f"betas must be a sequence of numbers, got {betas!r}")
    strengths = list(dict.fromkeys(validation.real("beta", beta) for beta in betas))
    if not strengths:
        raise ValueError("betas is empty; expected one or more strengths of the nudging")
    slices = [
        slice(start, start + batch_size)
        for start in range(0, min(len(inputs), batches * batch_size), batch_size)
    ]
    residuals = _residuals(net.copy(), inputs[slices[0]], max_free_steps)
    free_steps = _steps_until_steady(residuals)
    angles = _angles(net, [(inputs[part], wanted[part]) for part in slices], free_steps, strengths)
    best = min(angles.values())
    steps, beta = min(key for key, angle in angles.items() if angle <= best + 0.5)
    beta = min((b for k, b in angles if k == steps), key=lambda b: angles[steps, b])
    return Suggestion(free_steps, steps, beta, angles[steps, beta], residuals, angles)


def _residuals(net: Network, x: NDArray[Any], steps: int) -> list[float]:
    # All steps at once first: one that diverges is then reported by its number.
    net.free_phase(x, steps)
    residuals = [net.free_phase(x, 1).residual]
    while len(residuals) < steps and residuals[-1] > 0:
        residuals.append(net.free_phase(x, 1, reset=False).residual)
    return residuals


def _steps_until_steady(residuals: list[float]) -> int:
    lowest, since = residuals[0], 1
    for step, residual in enumerate(residuals, start=1):
        if residual <= _NEGLIGIBLE:
            return step
        if residual < lowest:
            lowest, since = residual, step
        elif step - since >= _PATIENCE:
            return since
    return since


def _angles(
    net: Network,
    parts: list[tuple[NDArray[Any], NDArray[Any]]],
    free_steps: int,
    betas: Sequence[float],
) -> dict[tuple[int, float], float]:
    fractions = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0)
    candidates = sorted({max(1, round(free_steps * fraction)) for fraction in fractions})
    sums: dict[tuple[int, float], float] = {}
    for x, y in parts:
        exact = gradient(net, x, y, rules.BPTT(free_steps))
        for steps in candidates:
            for beta in betas:
                estimate = gradient(net, x, y, rules.EP(free_steps, steps, beta))
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", RuntimeWarning)
                    angle = estimate.angle(exact)
                # A nudged phase too short to reach a layer has no direction there at all.
                sums[steps, beta] = sums.get((steps, beta), 0.0) + (
                    angle if np.isfinite(angle) else 180.0
                )
    return {key: total / len(parts) for key, total in sums.items()}
