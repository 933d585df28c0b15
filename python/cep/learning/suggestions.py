"""Recommends a learning rule for a network and its data, from measurements on a few batches."""

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cep._cep import DivergenceError
from cep._util import validation
from cep._util.tables import table
from cep.learning.gradients import gradient
from cep.learning.rules import BPTT, CEP, EP
from cep.network.network import Network

Batch = tuple[NDArray[Any], NDArray[Any]]

# A free phase has settled if its residual is at most _NEGLIGIBLE, or has not fallen for _PATIENCE
# steps.
_NEGLIGIBLE = 1e-5
_PATIENCE = 10
# A larger β may increase the smallest angle by this many degrees.
_TOLERATED = 5.0
# Factor on the free steps that suffice after the range test, as weights continue to grow.
_MARGIN = 1.5
# Norm of the first update divided by that of the weights. The range test begins with the largest.
_SIZES = tuple(2.0**-k for k in range(2, 14))
# Divisor of the size with the lowest loss. The size of C-EP is also limited by its deviation.
_DIVISORS: dict[type[Any], int] = {EP: 4, CEP: 2}
# Number of samples on which the loss after a range test is measured.
_EVALUATED = 500


@dataclass(frozen=True)
class Suggestion:
    """The recommendation of `suggest`. ``print(suggestion)`` shows the rule and its reasons."""

    rule: EP | CEP
    """The recommended rule, for `cep.fit`."""
    angle: float
    """Angle in degrees between the estimate of EP, with these steps and β, and the gradient of BPTT
    through all free steps."""
    residuals: list[float] = field(repr=False)
    """``max |s(t+1) − s(t)|`` after each step of a free phase of the given network."""
    angles: dict[tuple[int, float], float] = field(repr=False)
    """Angle in degrees for every tried pair (K, β) with the given network, averaged over the
    batches."""
    losses: dict[tuple[float, ...], float] = field(repr=False)
    """Results of the range test: the loss after training with each set of learning rates. NaN if
    the training diverged."""
    deviation: float
    """``|Δ − Δ_EP| / |Δ_EP|``, where Δ is the update of C-EP with these rates, and Δ_EP that of EP.
    0 for EP."""
    reasons: tuple[str, ...] = field(repr=False)
    """One sentence for each choice."""

    @property
    def free_steps(self) -> int:
        """Number of free steps of the rule, T."""
        return self.rule.free_steps

    @property
    def nudged_steps(self) -> int:
        """Number of nudged steps of the rule, K."""
        return self.rule.nudged_steps

    @property
    def beta(self) -> float:
        """Strength of the nudging of the rule, β."""
        return self.rule.beta

    @property
    def learning_rates(self) -> tuple[float, ...]:
        """Learning rates of the rule, one per connection, input first."""
        return self.rule.spread_learning_rates(0)[0]

    def __str__(self) -> str:
        betas = sorted({beta for _, beta in self.angles})
        angles = [
            [str(steps), *(f"{self.angles[steps, beta]:.1f}" for beta in betas)]
            for steps in sorted({steps for steps, _ in self.angles})
        ]
        losses = [[_spelled(rates), f"{loss:.4f}"] for rates, loss in self.losses.items()]
        return "\n".join(
            [
                f"cep.{type(self.rule).__name__}(free_steps={self.free_steps}, "
                f"nudged_steps={self.nudged_steps}, beta={self.beta:g}, "
                f'learning_rates=[{_spelled(self.learning_rates)}], beta_sign="random")',
                *(f"- {reason}" for reason in self.reasons),
                "",
                "Degrees between EP's estimate and BPTT, for each K and β:",
                table(["K", *(f"β={beta:g}" for beta in betas)], angles),
                "",
                "Loss after the range test:",
                table(["learning rates", "loss"], losses),
            ]
        )


def suggest(
    net: Network,
    x: ArrayLike,
    y: ArrayLike,
    *,
    rule: type[EP] | type[CEP] = EP,
    batch_size: int = 20,
    batches: int = 3,
    max_free_steps: int = 500,
    betas: Sequence[float] = (0.05, 0.1, 0.2, 0.5, 1.0),
    test_batches: int = 100,
) -> Suggestion:
    """Recommend a learning rule for a network, from measurements and short trainings.

    With dense networks this takes seconds. As weights grow, the free phase takes more steps to
    settle. The recommended free steps include a margin for this. If training gets worse after many
    epochs, call `suggest` again.

    Parameters
    ----------
    net : Network
        The network. Its parameters and states do not change.
    x, y : array_like
        Inputs and targets of the training data.
    rule : {cep.EP, cep.CEP}
        The kind of rule to recommend.
    batch_size : int
        Samples per batch during training.
    batches : int
        The number of batches over which angles and gradients are averaged, or all if the data have
        fewer.
    max_free_steps : int
        Upper limit of the recommended free steps.
    betas : sequence of float
        Strengths of the nudging to consider. Negative ones are allowed, 0 is not.
    test_batches : int
        The number of batches of each training of the range test.

    Returns
    -------
    Suggestion
        The rule, ``.rule``, and the measurements.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type, shape or value, or if training diverges with all
        learning rates.
    DivergenceError
        If a state of the given network becomes infinite or not a number.

    Notes
    -----
    Free steps: the number of steps after which the residual is at most 1e-5 or no longer falls,
    times 1.5. The larger number of the given network and of the one after the range test is used.

    β: the largest one whose angle between the estimate of EP and the gradient of BPTT is within 5°
    of the smallest angle. A large β is less sensitive to noise and rounding, and allows larger
    learning rates of C-EP. Its sign is random, so that the errors of both signs cancel and the
    error does not jump from epoch to epoch.

    Nudged steps: the fewest steps within 1° of the smallest angle at this β, at least one per
    connection. They are increased in proportion to the free steps.

    Learning rates: the ratio r of the first update to the weights is the same in each connection,
    η_k = r ‖W_k‖ / ‖g_k‖. The range test trains copies with r = 1/4, 1/8, … for ``test_batches``
    batches. The recommended r is that with the lowest loss divided by 4 for EP, by 2 for C-EP.

    C-EP: the weights that move in the nudged phase act on the states like a second nudge, in
    proportion to η/β. Its update Δ therefore differs from that of EP. r is halved until
    ``|Δ − Δ_EP| ≤ |Δ_EP|`` (see `Suggestion.deviation`).
    """
    inputs, wanted = validation.samples(x, y, net.dtype, net.shapes[0])
    counts = {"batch_size": batch_size, "batches": batches, "test_batches": test_batches}
    for name, number in (counts | {"max_free_steps": max_free_steps}).items():
        validation.count(name, number)
    net._engine.check_samples(inputs, wanted)
    if rule not in (EP, CEP):
        raise TypeError(f"rule must be cep.EP or cep.CEP, got {rule!r}")
    strengths = _strengths(betas)
    # Shuffled, so that batches of data that are sorted by class have all classes.
    order = np.random.default_rng(0).permutation(len(inputs))
    size = min(batch_size, len(inputs))
    few = [
        (inputs[order[start : start + size]], wanted[order[start : start + size]])
        for start in range(0, min(len(inputs), batches * size), size)
    ]
    residuals = _residuals(net, few[0][0], max_free_steps)
    settled = _steps_until_steady(residuals)
    angles = _angles(net, few, settled, strengths)
    steps, beta = _steps_and_beta(angles)
    free_steps = min(2 * settled, max_free_steps)

    def rule_of(rates: Sequence[float] | None) -> EP | CEP:
        return rule(free_steps, steps, beta, rates, beta_sign="random")

    unit = _unit_rates(net, few, EP(free_steps, steps, beta))
    test = _RangeTest(net, inputs, wanted, size, test_batches, free_steps)
    losses, best = test.run(rule_of, unit)
    largest = best / _DIVISORS[rule]
    chosen, _ = _limited(net, few, rule_of(None), unit, largest)
    trained = test.trained(rule_of(_rates(unit, chosen)))
    later = settled
    if trained is not None:
        later = max(later, _steps_until_steady(_residuals(trained, few[0][0], max_free_steps)))
    free_steps = min(math.ceil(_MARGIN * later), max_free_steps)
    steps_later = min(2 * math.ceil(steps * later / settled / 2), max(steps, free_steps))
    found = rule(free_steps, steps_later, beta, beta_sign="random")
    chosen, deviation = _limited(net, few, found, unit, chosen)
    found = replace(found, learning_rates=_rates(unit, chosen))
    reasons = [
        f"free_steps: the residual is {residuals[settled - 1]:.0e} after {settled} steps, and "
        f"settles after {later} steps when the weights have grown in the range test; times 1.5",
        f"beta: the largest one within {_TOLERATED:g}° of the smallest angle to BPTT; its sign is "
        "random, so that the errors of both signs cancel",
        f"nudged_steps: {steps} steps are within 1° of the smallest angle; increased in proportion "
        "to the free steps",
        "learning_rates: those with the lowest loss in the range test, divided by "
        f"{best / chosen:g}",
    ]
    if not any(loss < test.untrained for loss in losses.values()):
        reasons.append(f"none of them lowers the loss of {test.untrained:.4f}: scale the inputs")
    if rule is CEP:
        reasons.append(
            "C-EP: the weights that move in the nudged phase act like a second nudge, in "
            f"proportion to rates / beta; here the update differs from EP's by {deviation:.0%}"
        )
    angle = angles[steps, beta]
    return Suggestion(found, angle, residuals, angles, losses, deviation, tuple(reasons))


def _strengths(betas: Any) -> list[float]:
    if not isinstance(betas, (Sequence, np.ndarray)) or isinstance(betas, (str, bytes)):
        raise TypeError(f"betas must be a sequence of numbers, got {betas!r}")
    strengths = list(dict.fromkeys(validation.real("beta", beta) for beta in betas))
    if not strengths:
        raise ValueError("betas is empty; expected one or more strengths of the nudging")
    return strengths


def _residuals(net: Network, x: NDArray[Any], steps: int) -> list[float]:
    net = net.copy()
    # First all steps at once: if one diverges, the error contains its number.
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
    net: Network, parts: list[Batch], free_steps: int, betas: Sequence[float]
) -> dict[tuple[int, float], float]:
    fractions = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0)
    # The nudge must reach the first layer. Numbers are even, so that an alternating state is the
    # same at the end as at the beginning.
    fewest = len(net.shapes) - 1
    candidates = sorted({2 * math.ceil(max(fewest, free_steps * f) / 2) for f in fractions})
    sums: dict[tuple[int, float], float] = {}
    for x, y in parts:
        exact = gradient(net, x, y, BPTT(free_steps))
        for steps in candidates:
            for beta in betas:
                estimate = gradient(net, x, y, EP(free_steps, steps, beta))
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", RuntimeWarning)
                    angle = estimate.angle(exact)
                # If the nudge does not reach a layer, its estimate is zero and has no angle.
                sums[steps, beta] = sums.get((steps, beta), 0.0) + (
                    angle if np.isfinite(angle) else 180.0
                )
    return {key: total / len(parts) for key, total in sums.items()}


def _steps_and_beta(angles: dict[tuple[int, float], float]) -> tuple[int, float]:
    best_of = {beta: min(a for (_, b), a in angles.items() if b == beta) for _, beta in angles}
    limit = min(best_of.values()) + _TOLERATED
    beta = max((b for b, angle in best_of.items() if angle <= limit), key=abs)
    steps = min(k for (k, b), a in angles.items() if b == beta and a <= best_of[beta] + 1)
    return steps, beta


def _unit_rates(net: Network, parts: list[Batch], rule: EP) -> NDArray[np.float64]:
    """Learning rates for which the first update of each connection is as large as its weights."""
    gradients = [gradient(net, x, y, rule).weights for x, y in parts]
    norms = np.array(
        [np.linalg.norm(np.mean(each, axis=0)) for each in zip(*gradients, strict=True)]
    )
    weights = np.array([np.linalg.norm(each) for each in net.weights])
    usable = (norms > 0) & (weights > 0)
    if not usable.any():
        raise ValueError(
            "the gradient is zero in every connection, so that no learning rates can be found: "
            "scale the inputs to [0, 1], or make the network with other weights"
        )
    rates = np.divide(weights, norms, out=np.full(len(norms), np.inf), where=usable)
    found: NDArray[np.float64] = np.where(usable, rates, rates.min())
    return found


def _rates(unit: NDArray[np.float64], size: float) -> tuple[float, ...]:
    return tuple(float(f"{rate:.2g}") for rate in size * unit)


def _spelled(rates: Sequence[float]) -> str:
    return ", ".join(f"{rate:g}" for rate in rates)


def _limited(
    net: Network, parts: list[Batch], rule: EP | CEP, unit: NDArray[np.float64], size: float
) -> tuple[float, float]:
    """The size, halved until the deviation of C-EP from EP is at most 1; and this deviation."""
    if isinstance(rule, EP):
        return size, 0.0
    estimate = EP(rule.free_steps, rule.nudged_steps, rule.beta)
    while (deviation := _deviation(net, parts, estimate, _rates(unit, size))) > 1:
        if size <= _SIZES[-1]:
            break
        size /= 2
    return size, deviation


def _deviation(net: Network, parts: list[Batch], rule: EP, rates: Sequence[float]) -> float:
    """``|Δ − Δ_EP| / |Δ_EP|``, the mean over the batches."""
    continual = CEP(rule.free_steps, rule.nudged_steps, rule.beta, rates)
    try:
        errors = [
            gradient(net, x, y, continual).relative_error(gradient(net, x, y, rule))
            for x, y in parts
        ]
    except DivergenceError:
        return math.inf
    return float(np.mean(errors))


class _RangeTest:
    """Trains copies of a network, all on the same batches."""

    def __init__(
        self,
        net: Network,
        x: NDArray[Any],
        y: NDArray[Any],
        batch_size: int,
        batches: int,
        free_steps: int,
    ) -> None:
        generator = np.random.default_rng(1)
        rows = batch_size * batches
        order = np.concatenate([generator.permutation(len(x)) for _ in range(-(-rows // len(x)))])[
            :rows
        ]
        self._net = net
        self._x, self._y = x, y
        self._batches = np.split(order, batches)
        self._evaluated = generator.permutation(len(x))[:_EVALUATED]
        self.untrained = self._loss(net, free_steps)

    def trained(self, rule: EP | CEP) -> Network | None:
        """A trained copy of the network; None if it diverged."""
        net = self._net.copy()
        options = rule._for_engine(len(net.edges))
        try:
            for rows in self._batches:
                net._engine.train_batch(self._x[rows], self._y[rows], options, None)
        except DivergenceError:
            return None
        return net

    def run(
        self, rule_of: Any, unit: NDArray[np.float64]
    ) -> tuple[dict[tuple[float, ...], float], float]:
        """Losses by learning rates, and the size with the lowest one."""
        losses: dict[tuple[float, ...], float] = {}
        best, lowest, since = 0.0, math.inf, 0
        for size in _SIZES:
            rule = rule_of(_rates(unit, size))
            net = self.trained(rule)
            loss = math.nan if net is None else self._loss(net, rule.free_steps)
            losses[_rates(unit, size)] = loss
            since += 1
            if loss < lowest:
                best, lowest, since = size, loss, 0
            # Two smaller sizes did not lower the loss further.
            if lowest < 0.9 * self.untrained and since == 2:
                break
        if not best:
            raise ValueError(
                "training diverges with all learning rates: scale the inputs to [0, 1], or take "
                "another network"
            )
        return losses, best

    def _loss(self, net: Network, free_steps: int) -> float:
        x, y = self._x[self._evaluated], self._y[self._evaluated]
        try:
            samples, _, loss_sum = net._engine.evaluate(x, y, free_steps)
        except DivergenceError:
            return math.nan
        return float(loss_sum / samples)
