"""A learning rule for a network and its data, from a few batches, with the numbers behind it."""

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

# A free phase with this residual is over; one whose residual has not fallen for so many steps too.
_NEGLIGIBLE = 1e-5
_PATIENCE = 10
# Degrees that a larger β, or fewer nudged steps, may cost.
_TOLERATED = 5.0
# Free steps beside those that suffice after the range test, as weights go on growing.
_ROOM = 1.5
# Sizes of the first update beside that of the weights: the range test tries them from the largest.
_SIZES = tuple(2.0**-k for k in range(2, 14))
# By which the size with the lowest loss is divided; that of C-EP is limited in another way too.
_DIVISORS: dict[type[Any], int] = {EP: 4, CEP: 2}
# Samples that the loss after a range test is measured with.
_EVALUATED = 500


@dataclass(frozen=True)
class Suggestion:
    """What `suggest` recommends, and why: ``print(suggestion)`` shows the rule and its reasons."""

    rule: EP | CEP
    """Ready for `cep.fit`."""
    angle: float
    """Degrees between EP's estimate with these steps and β, and BPTT through all free steps."""
    residuals: list[float] = field(repr=False)
    """``max |s(t+1) − s(t)|`` after each step of a free phase of the network as it is."""
    angles: dict[tuple[int, float], float] = field(repr=False)
    """Degrees for every (K, β) tried with that network, the mean over the batches."""
    losses: dict[tuple[float, ...], float] = field(repr=False)
    """The range test: learning rates, and the loss after training with them; NaN if it diverged."""
    deviation: float
    """``|Δ − Δ_EP| / |Δ_EP|`` of C-EP's update Δ with these rates and EP's; 0 for EP."""
    reasons: tuple[str, ...] = field(repr=False)
    """A sentence for each choice."""

    @property
    def free_steps(self) -> int:
        """T of the rule."""
        return self.rule.free_steps

    @property
    def nudged_steps(self) -> int:
        """K of the rule."""
        return self.rule.nudged_steps

    @property
    def beta(self) -> float:
        """β of the rule."""
        return self.rule.beta

    @property
    def learning_rates(self) -> tuple[float, ...]:
        """Of the rule, one a connection, input first."""
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
    """Recommend a learning rule for a network as it is, from measurements and short trainings.

    It takes seconds with dense networks. Steady states come later as weights grow: the free steps
    leave room for that, but ask again if training gets worse after many epochs.

    Parameters
    ----------
    net : Network
        Neither its parameters nor its states change.
    x, y : array_like
        Inputs and targets to train on.
    rule : {cep.EP, cep.CEP}
        What is to be trained with.
    batch_size : int
        Samples a batch, as the network is to be trained with.
    batches : int
        Batches that angles and gradients are averaged over; fewer if there are not so many samples.
    max_free_steps : int
        The most free steps to recommend.
    betas : sequence of float
        Strengths of the nudging to consider. Negative ones are allowed, 0 is not.
    test_batches : int
        Batches that each training of the range test takes.

    Returns
    -------
    Suggestion
        ``.rule``, and the numbers behind it.

    Raises
    ------
    TypeError, ValueError
        For an argument of the wrong type, shape or value, and if training diverges with all
        learning rates.
    DivergenceError
        A state of the network as it is became infinite or not a number.

    Notes
    -----
    Free steps: those after which the residual is at most 1e-5, or no longer falls, in the network
    as it is or after the range test, and half as many again.

    β: the largest one with an angle between EP's estimate and BPTT within 5° of the smallest, as a
    large β is less sensitive to noise and rounding, and lets C-EP take larger learning rates. Then
    the fewest nudged steps within 1° of the best at this β, at least one a connection, raised with
    the free steps. The sign of β is random: its errors then cancel, and the error does not jump
    from epoch to epoch.

    Learning rates: a first update is to be of the same size beside the weights in each connection,
    η_k = r ‖W_k‖ / ‖g_k‖. The range test trains copies with r = 1/4, 1/8, … for ``test_batches``;
    the recommendation is a quarter of the r with the lowest loss for EP, half of it for C-EP.

    C-EP: the weights that move in the nudged phase act on the states like a second nudge, in
    proportion to η/β, so that its update Δ differs from EP's. r is halved until
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
    # Data that are sorted by class have all classes in the batches.
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
    free_steps = min(math.ceil(_ROOM * later), max_free_steps)
    steps_later = min(2 * math.ceil(steps * later / settled / 2), max(steps, free_steps))
    found = rule(free_steps, steps_later, beta, beta_sign="random")
    chosen, deviation = _limited(net, few, found, unit, chosen)
    found = replace(found, learning_rates=_rates(unit, chosen))
    reasons = [
        f"free_steps: the residual is {residuals[settled - 1]:.0e} after {settled} steps, and "
        f"settles after {later} when the weights have grown in the range test; half as many again",
        f"beta: the largest one within {_TOLERATED:g}° of the smallest angle to BPTT; of random "
        "sign, so that the errors that it makes cancel",
        f"nudged_steps: {steps} come within 1° of the best; more with the free steps",
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
    net: Network, parts: list[Batch], free_steps: int, betas: Sequence[float]
) -> dict[tuple[int, float], float]:
    fractions = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0)
    # At least as many as it takes to reach the first layer; and even, so that a state that
    # alternates is back where it was.
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
                # A nudged phase too short to reach a layer has no direction there at all.
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
    """Learning rates with which a first update is as large as the weights of its connection."""
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
    """The size, halved until C-EP's update is near enough to EP's, and how far it is off."""
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
        """A copy of the network after its training; None if it diverged."""
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
            # Smaller ones learn less.
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
