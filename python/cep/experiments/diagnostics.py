"""Records: looks at a network while it learns, which change no bit of what it learns.

Every record is of the first batch of the training data, always the same, so that what changes from
one to the next is the network. A copy of the network is looked at; its β has the sign given, where
the rule draws it. A record is a dictionary with ``epoch`` (from 1), ``batch`` (how many of the
epoch were done), ``batches`` (of an epoch), and by kind:

==================== ==========================================================================
``residuals``        ``free_residual``, ``nudged_residual``: ``max |s(t+1) − s(t)|`` of the last
                     step of either phase, weights standing still.
``energy``           ``free_energy``, ``nudged_energy``: mean over the batch at the end of either
                     phase (see `Network.energy`); with tied feedback.
``weight_norms``     Frobenius norms of the weights of each connection, input first, and with
                     untied feedback ``feedback_weight_norms`` from connection 1 on.
``feedback_angles``  Degrees, from connection 1 on; with untied feedback.
``gradient_angle``   Degrees between minus the rule's update of all weights and the gradient that
                     BPTT finds through all free steps; None where one of them is 0.
==================== ==========================================================================

With BPTT there is no nudged phase, and no angle to itself. A copy that diverges leaves
``diverged``, the message, in place of what comes after.
"""

import dataclasses
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cep._cep import DivergenceError
from cep.experiments.configuration import Configuration
from cep.learning.gradients import gradient
from cep.learning.rules import BPTT, LearningRule
from cep.network.network import Network


class Recorder:
    """Makes the records of a run.

    Parameters
    ----------
    configuration : Configuration
        Of the run; its `record_every` and `record_kinds` say what to record.
    inputs, targets : numpy.ndarray
        The training data.
    """

    def __init__(
        self, configuration: Configuration, inputs: NDArray[Any], targets: NDArray[Any]
    ) -> None:
        self._configuration = configuration
        self._x = inputs[: configuration.batch_size]
        self._y = targets[: configuration.batch_size]
        self._probe = configuration.make_network()

    def record(
        self, net: Network, rule: LearningRule, epoch: int, batch: int, batches: int
    ) -> dict[str, Any]:
        """A record of a network as it is."""
        for mine, theirs in zip(self._probe.parameters(), net.parameters(), strict=True):
            mine[...] = theirs
        record: dict[str, Any] = {"epoch": epoch, "batch": batch, "batches": batches}
        kinds = self._configuration.record_kinds
        if "weight_norms" in kinds:
            record |= self._weight_norms()
        if "feedback_angles" in kinds and self._probe.feedback == "untied":
            record["feedback_angles"] = self._probe.feedback_angles()[1:]
        try:
            if "residuals" in kinds or "energy" in kinds:
                record |= self._phases()
            if "gradient_angle" in kinds and self._configuration.rule != "bptt":
                record["gradient_angle"] = self._gradient_angle(rule)
        except DivergenceError as error:
            record["diverged"] = str(error)
        return record

    def _weight_norms(self) -> dict[str, list[float]]:
        norms = {"weight_norms": [_norm(weights) for weights in self._probe.weights]}
        if self._probe.feedback == "untied":
            norms["feedback_weight_norms"] = [
                _norm(weights) for weights in self._probe.feedback_weights if weights is not None
            ]
        return norms

    def _phases(self) -> dict[str, float]:
        configuration = self._configuration
        record = self._end("free", self._probe.free_phase(self._x, configuration.free_steps))
        if configuration.rule != "bptt":
            record |= self._end(
                "nudged",
                self._probe.nudged_phase(self._y, configuration.beta, configuration.nudged_steps),
            )
        return record

    def _end(self, phase: str, outcome: Any) -> dict[str, float]:
        """How a phase ended."""
        record = {}
        if "residuals" in self._configuration.record_kinds:
            record[f"{phase}_residual"] = outcome.residual
        if "energy" in self._configuration.record_kinds and self._probe.feedback == "tied":
            record[f"{phase}_energy"] = float(self._probe.energy().mean())
        return record

    def _gradient_angle(self, rule: LearningRule) -> float | None:
        if getattr(rule, "beta_sign", None) == "random":
            rule = dataclasses.replace(rule, beta_sign="fixed")  # type: ignore[type-var]
        estimate = gradient(self._probe, self._x, self._y, rule)
        exact = gradient(self._probe, self._x, self._y, BPTT(rule.free_steps))
        with np.errstate(invalid="ignore"):
            angle = estimate.angle(exact)
        return angle if math.isfinite(angle) else None


def _norm(weights: NDArray[Any]) -> float:
    return float(np.linalg.norm(weights.astype(np.float64)))
