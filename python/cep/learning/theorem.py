"""The GDU property: updates of the nudged phase compared with the negative gradients of BPTT."""

import math
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cep._engine.words import ASYMMETRIES, BIASES, FEEDBACK_WEIGHTS, STATES, WEIGHTS
from cep._util import validation
from cep.learning import rules
from cep.network.network import Network, PhaseOutcome
from cep.plotting import plots

if TYPE_CHECKING:
    from matplotlib.figure import Figure


# The residual of the free phase that is negligible relative to the effect of a nudging β.
_NEGLIGIBLE = 1e-3


class ConvergenceWarning(UserWarning):
    """The free phase has not reached its steady state."""


@dataclass(frozen=True, eq=False)
class Curves:
    """Both sides of the theorem for the neurons of a layer, or the parameters of a connection."""

    updates: NDArray[Any] = field(repr=False)
    """K × the parameter's shape (or the layer's units): row t is the nudged phase's step t."""
    gradients: NDArray[Any] = field(repr=False)
    """The negative gradients in the same shape: row t belongs to step T − t of the free phase."""
    relative_error: float
    """``|updates − gradients| / |gradients|``, Euclidean over all steps and entries."""
    sign_agreement: float
    """Share of entries whose signs agree, among those where neither is 0."""

    def some_entries(self, entries: int = 5, seed: int = 0) -> "Curves":
        """Steps × entries, chosen at random among those that move, for plots.

        The relative error and sign agreement stay those of all entries.
        """
        steps = len(self.updates)
        updates, gradients = self.updates.reshape(steps, -1), self.gradients.reshape(steps, -1)
        moving = np.flatnonzero(np.abs(gradients).max(axis=0))
        chosen = np.random.default_rng(seed).permutation(moving)[:entries]
        return replace(self, updates=updates[:, chosen], gradients=gradients[:, chosen])


@dataclass(frozen=True, eq=False)
class GDUReport:
    """The result of `gdu_check`: ``print(report)`` shows a table, ``report.plot()`` a figure."""

    states: list[Curves | None]
    """For each layer, summed over the batch; None for the clamped input."""
    weights: list[Curves]
    """For each connection, input first."""
    biases: list[Curves]
    feedback_weights: list[Curves | None]
    """None for a connection without feedback weights."""
    angle: float
    """Degrees between the total update and the negative total gradient of all weights and feedback
    weights, without biases."""
    free_phase: PhaseOutcome
    free_steps: int
    nudged_steps: int
    beta: float
    learning_rates: tuple[float, ...]
    edges: list[tuple[int, int]]
    """The layers that each connection joins (from, to). A readout, which is outside the dynamics,
    has no curves."""
    description: str
    """The network's description."""

    def rows(self) -> Iterator[tuple[str, Curves]]:
        """Every pair of curves with its name, such as "weights 0→1"."""
        for layer, curves in enumerate(self.states):
            if curves is not None:
                yield f"neurons {layer}", curves
        for name, kind in (("weights", self.weights), ("biases", self.biases)):
            for k, curves in enumerate(kind):
                below, above = self.edges[k]
                yield f"{name} {below}→{above}", curves
        for (below, above), feedback in zip(self.edges, self.feedback_weights, strict=True):
            if feedback is not None:
                yield f"feedback {above}→{below}", feedback

    def __str__(self) -> str:
        rates = ", ".join(f"{rate:g}" for rate in self.learning_rates)
        lines = [
            f"GDU check of {self.description}",
            f"T = {self.free_steps}, K = {self.nudged_steps}, β = {self.beta:g}, η = {rates}; "
            f"residual of the free phase {self.free_phase.residual:.1e}",
            "",
            f"{'':16} relative error   sign agreement",
        ]
        lines += [
            f"{name:16} {curves.relative_error:14.2e}   {curves.sign_agreement:14.1%}"
            for name, curves in self.rows()
        ]
        return "\n".join(
            [*lines, "", f"angle of the total update to the negative gradient: {self.angle:.2f}°"]
        )

    def to_dict(self) -> dict[str, Any]:
        """Everything as numbers and lists for JSON; None for NaN.

        A relative error is NaN if all gradients are 0.
        """
        return {
            "network": self.description,
            "free_steps": self.free_steps,
            "nudged_steps": self.nudged_steps,
            "beta": self.beta,
            "learning_rates": list(self.learning_rates),
            "free_phase": self.free_phase._asdict(),
            "angle": _finite(self.angle),
            "curves": {
                name: {
                    "relative_error": _finite(curves.relative_error),
                    "sign_agreement": _finite(curves.sign_agreement),
                    "updates": curves.updates.tolist(),
                    "gradients": curves.gradients.tolist(),
                }
                for name, curves in self.rows()
            },
        }

    def plot(self, entries: int = 5, seed: int = 0) -> "Figure":
        """Draw the paper's figure: updates dashed, negative gradients solid, a panel per layer.

        Parameters
        ----------
        entries : int
            Neurons or synapses drawn in each panel, chosen at random among those that move.
        seed : int
            The seed of the choice.

        Returns
        -------
        matplotlib.figure.Figure
            ``figure.savefig(path)`` saves the figure.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        return plots.plot_gdu(self, entries=entries, seed=seed)


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None


def gdu_check(
    net: Network,
    x: ArrayLike,
    y: ArrayLike,
    free_steps: int,
    nudged_steps: int,
    beta: float,
    learning_rates: float | Sequence[float] = 0,
    *,
    bias_learning_rates: float | Sequence[float] | None = None,
    asymmetry: str = "vector-field",
    as_recorded: bool = False,
) -> GDUReport:
    """Compare each update of the nudged phase with the negative gradient of BPTT, step by step.

    Theorem 1 of Ernoult et al. (2020): if the free phase has reached its steady state K steps
    before its end, then for every t < K, as β → 0 and η → 0, the neurons' and synapses' updates at
    step t of the nudged phase equal the negative gradients of the loss with respect to the neurons
    and synapses at step T − t of the free phase::

        (1/βB) Σ (s(t+1) − s(t)) = −∂L/∂s(T−t)          (1/βB) ΔW(t) = −∂L/∂W(T−t)

    (divided by dt for the neurons in the real-time setting). The check is computed in float64 for
    any dtype of the network, because the effect of a small β on float32 states is mostly rounding.
    For a network on imperfect hardware, an ideal one with the same weights is checked.

    The equality is exact if the dynamics descend an energy: in the real-time setting with tied
    feedback and ``follows_energy=True``, if no state is clamped. The published equations lack a
    factor at the output layer, σ′ in the prototypical setting and ρ′ in the real-time one; the
    closer this factor is to 1, the better their curves agree (see docs/equations.md).

    Parameters
    ----------
    net : Network
        Its parameters and states do not change.
    x : array_like, batch × units of the input layer
        Real numbers, all finite.
    y : array_like
        Integer classes, one for each sample, or target values, batch × output units.
    free_steps : int
        Steps T of the free phase.
    nudged_steps : int
        Steps K of the nudged phase, at most T.
    beta : float
        Strength of the nudging, small, not 0.
    learning_rates : float or sequence of float
        η of the weights during the nudged phase, one for all or one for each connection, input
        first: 0 for EP and VF, small for C-EP and C-VF.
    bias_learning_rates : float or sequence of float, optional
        η of the biases. Default: the learning rates.
    asymmetry : {"vector-field", "exact"}
        Whether the nudged phase is corrected for untied feedback (see `EP`): with "exact" the
        curves agree for any weights, settings and activations.
    as_recorded : bool
        Whether to leave out of the curves what the paper's code leaves out: the term t = 0 of the
        weights, on both sides; the updates of neurons that the nudging has not reached yet (layer l
        at t < L − l), which otherwise show the residual of the free phase; and those of neurons
        that a step leaves at a bound of the clamping.

    Returns
    -------
    GDUReport
        Curves, relative errors and sign agreements of each layer and connection, and the angle of
        the total update to the negative total gradient.

    Raises
    ------
    TypeError, ValueError
        For an argument of the wrong type, shape or value.
    DivergenceError
        If a state became infinite or not a number.

    Warns
    -----
    ConvergenceWarning
        If the free phase has not reached its steady state, as the theorem requires: its last step
        moved a state by more than β / 1000.
    """
    inputs, wanted = validation.samples(x, y, net.dtype, net.shapes[0])
    connections = len(net.edges)
    rule = rules.EP(1, 1, 1.0, learning_rates, bias_learning_rates)
    rates, bias_rates = rule.spread_learning_rates(connections)
    steps = validation.integer("free_steps", free_steps)
    nudged = validation.integer("nudged_steps", nudged_steps)
    strength = validation.real("beta", beta)
    options: dict[str, Any] = {
        "free_steps": steps,
        "nudged_steps": nudged,
        "beta": strength,
        "learning_rates": rates,
        "asymmetry": validation.choice("asymmetry", asymmetry, ASYMMETRIES),
        "as_recorded": bool(as_recorded),
    }
    if bias_rates:
        options["bias_learning_rates"] = bias_rates
    check = net._engine.check_theorem(inputs, wanted, options)
    angle, outcome = check.summary()
    free_phase = PhaseOutcome(*outcome)
    if free_phase.residual > _NEGLIGIBLE * abs(strength):
        warnings.warn(
            f"the free phase has not converged: after {free_steps} steps the states still move by "
            f"{free_phase.residual:.1e} a step, so the theorem need not hold; take more free_steps",
            ConvergenceWarning,
            stacklevel=2,
        )

    def curves(name: str, index: int, shape: tuple[int, ...]) -> Curves:
        updates, gradients, relative_error, sign_agreement = check.compare(name, index)
        return Curves(
            np.asarray(updates).reshape(-1, *shape),
            np.asarray(gradients).reshape(-1, *shape),
            relative_error,
            sign_agreement,
        )

    readout = len(net.sizes) - 2 if net._has_readout else None
    inside = [k for k in range(connections) if k != readout]
    return GDUReport(
        states=[
            None,
            *(curves(STATES, k, net.shapes[k]) for k in range(1, len(net.states))),
        ],
        weights=[curves(WEIGHTS, k, net.weights[k].shape) for k in inside],
        biases=[curves(BIASES, k, net.biases[k].shape) for k in inside if k < len(net.sizes) - 1],
        feedback_weights=[
            None if (v := net.feedback_weights[k]) is None else curves(FEEDBACK_WEIGHTS, k, v.shape)
            for k in inside
        ],
        edges=[net.edges[k] for k in inside],
        angle=angle,
        free_phase=free_phase,
        free_steps=steps,
        nudged_steps=nudged,
        beta=strength,
        learning_rates=rates,
        description=repr(net).strip("<>"),
    )
