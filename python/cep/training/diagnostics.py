"""Records of a network during training, which do not affect the training.

Every record uses the first batch of the training data, so that only the network changes from one
to the next. It is computed on a copy of the network; if the rule draws the sign of β, the copy uses
the given sign. A record is a dictionary with ``epoch`` (from 1), ``batch`` (the batches trained in
this epoch), ``batches`` (of an epoch), and by kind:

==================== ==========================================================================
``residuals``        ``free_residual``, ``nudged_residual``: ``max |s(t+1) − s(t)|`` of the last
                     step of either phase, with constant weights.
``energy``           ``free_energy``, ``nudged_energy``: mean over the batch at the end of either
                     phase (see `Network.energy`); with tied feedback.
``weight_norms``     Frobenius norms of the weights of each connection, input first, and with
                     untied feedback ``feedback_weight_norms`` from connection 1 on.
``feedback_angles``  Degrees, from connection 1 on; with untied feedback.
``gradient_angle``   Degrees between the negative update of all weights and the gradient that
                     BPTT computes through all free steps; None if one of them is 0.
==================== ==========================================================================

BPTT has no nudged phase, and no gradient angle. If the copy diverges, the message ``diverged``
replaces the later entries.
"""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cep._cep import DivergenceError
from cep._util import validation
from cep.learning.gradients import gradient
from cep.learning.rules import BPTT, LearningRule, TwoPhaseRule
from cep.network.network import Network
from cep.training.loop import Callback, Training
from cep.training.sources import ArraySource

KINDS = ("residuals", "energy", "weight_norms", "feedback_angles", "gradient_angle")


class Diagnostics(Callback):
    """Records a network during training, on the first batch of the training data.

    Parameters
    ----------
    every : int
        Batches between two records, from the first one of each epoch; 1 or more.
    kinds : sequence of str
        The kinds to record; some of "residuals", "energy", "weight_norms", "feedback_angles",
        "gradient_angle". Default: all.

    Attributes
    ----------
    records : list of dict
        The records.

    Raises
    ------
    TypeError, ValueError
        For an argument of the wrong type or value; when training begins, for data in batches.
    """

    _probe: Network
    _x: NDArray[Any]
    _y: NDArray[Any]

    def __init__(self, every: int, kinds: Sequence[str] = KINDS) -> None:
        self.every = self.batch_interval = validation.count("every", every)
        self.kinds = tuple(validation.choice("a kind of record", kind, KINDS) for kind in kinds)
        self.records: list[dict[str, Any]] = []

    def on_train_begin(self, training: Training) -> None:
        """Keep the first batch, and create the copy of the network."""
        source = training.source
        if not isinstance(source, ArraySource):
            raise ValueError("diagnostics need arrays as data, got batches")
        size = source.batch_size
        self._x, self._y = source.inputs[:size], source.targets[:size]
        self._probe = training.net.like()

    def on_epoch_begin(self, training: Training) -> None:
        """Record before the first batch."""
        self.on_batch_end(training)

    def on_batch_end(self, training: Training) -> None:
        """Record, except at the end of the epoch, where the next one begins."""
        epoch, batch, batches = training.epoch, training.position.batch, training.batches
        assert batches is not None
        last = self.records[-1] if self.records else {"epoch": 0, "batch": 0}
        if batch % self.every or batch == batches:
            return
        if (last["epoch"], last["batch"]) < (epoch, batch):
            moment = {"epoch": epoch, "batch": batch, "batches": batches}
            self.records.append(moment | self._look(training.net, training.rule))

    def _look(self, net: Network, rule: LearningRule) -> dict[str, Any]:
        for mine, theirs in zip(self._probe.parameters(), net.parameters(), strict=True):
            mine[...] = theirs
        record: dict[str, Any] = {}
        if "weight_norms" in self.kinds:
            record |= self._weight_norms()
        if "feedback_angles" in self.kinds and self._probe.feedback == "untied":
            record["feedback_angles"] = self._probe.feedback_angles()[1:]
        try:
            if "residuals" in self.kinds or "energy" in self.kinds:
                record |= self._phases(rule)
            if "gradient_angle" in self.kinds and isinstance(rule, TwoPhaseRule):
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

    def _phases(self, rule: LearningRule) -> dict[str, float]:
        record = self._end("free", self._probe.free_phase(self._x, rule.free_steps))
        if isinstance(rule, TwoPhaseRule):
            outcome = self._probe.nudged_phase(self._y, rule.beta, rule.nudged_steps)
            record |= self._end("nudged", outcome)
        return record

    def _end(self, phase: str, outcome: Any) -> dict[str, float]:
        """The residual and energy at the end of a phase."""
        record = {}
        if "residuals" in self.kinds:
            record[f"{phase}_residual"] = outcome.residual
        if "energy" in self.kinds and self._probe.feedback == "tied":
            record[f"{phase}_energy"] = float(self._probe.energy().mean())
        return record

    def _gradient_angle(self, rule: TwoPhaseRule) -> float | None:
        if rule.beta_sign == "random":
            rule = dataclasses.replace(rule, beta_sign="fixed")
        estimate = gradient(self._probe, self._x, self._y, rule)
        exact = gradient(self._probe, self._x, self._y, BPTT(rule.free_steps))
        with np.errstate(invalid="ignore"):
            angle = estimate.angle(exact)
        return angle if math.isfinite(angle) else None


def _norm(weights: NDArray[Any]) -> float:
    return float(np.linalg.norm(weights.astype(np.float64)))
