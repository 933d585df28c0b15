"""Trains the network that an estimator describes, and runs it; labels are not known here."""

import copy
import math
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state

from cep.learning.rules import LearningRule
from cep.sklearn import parameters
from cep.sklearn.architecture import Parameters, parameters_of
from cep.training.data import source_of
from cep.training.history import History
from cep.training.loop import STOP, Callback, Training


class NetworkEstimator(BaseEstimator):  # type: ignore[misc]
    """An estimator whose hyperparameters describe a network and how it is trained."""

    # Hyperparameters that are looked at here.
    setting: str
    free_steps: int
    random_state: Any
    max_iter: int
    shuffle: bool
    tol: float
    verbose: bool
    early_stopping: bool
    validation_fraction: float
    n_iter_no_change: int

    def _begin(self, X: NDArray[Any], outputs: int) -> None:
        """Draw a new network for inputs like these."""
        self._architecture = parameters.architecture(self, X.shape[1], outputs)
        self._mean_square = 0.25
        if self.setting == "prototypical":
            self._mean_square = _mean_square(X, np.dtype(self._architecture.dtype))
        self._seed = int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        net = self._architecture.new_network(self._seed)
        net.weights[0][...] *= 0.5 / math.sqrt(self._mean_square)
        self._keep(parameters_of(net))
        self._history = History()
        self.t_ = 0
        self.n_layers_ = len(self._architecture.sizes)
        self.n_outputs_ = outputs
        self.out_activation_ = self._architecture.activation

    def _train(self, X: NDArray[Any], targets: NDArray[Any], *, incremental: bool) -> None:
        """Train until there is a reason to stop; for one epoch where it is incremental."""
        self._check_same_architecture()
        rule = parameters.rule(self, self._architecture.sizes, self._mean_square)
        progress = _Progress(self)
        training = self._make_training(X, targets, rule, progress, 1 if incremental else None)
        training.run()
        if training.stop_reason == "finished" and not incremental:
            warnings.warn(
                f"the {self.max_iter} epochs of max_iter are over, and training has not "
                "converged yet",
                ConvergenceWarning,
                stacklevel=3,
            )
        self._keep(progress.best or parameters_of(training.net))
        self._record(training, rule, progress.scores)

    def _make_training(
        self,
        X: NDArray[Any],
        targets: NDArray[Any],
        rule: LearningRule,
        progress: "_Progress",
        epochs: int | None,
    ) -> Training:
        """Training of the present network, with samples held out for early stopping."""
        held_out = None
        if self.early_stopping:
            split: list[Any] = train_test_split(
                X,
                targets,
                test_size=float(self.validation_fraction),
                random_state=self._seed,
                stratify=targets,
            )
            X, held_out_X, targets, held_out_targets = split
            held_out = (held_out_X, held_out_targets)
        net = self._architecture.network(self._parameters)
        source, held_out = source_of(
            net,
            (X, targets),
            batch_size=parameters.batch_size(self),
            seed=self._seed,
            validation_data=held_out,
            shuffle=self.shuffle,
        )
        # The order of an epoch's samples follows from how many epochs there were before.
        history = copy.deepcopy(self._history)
        return Training(
            net,
            source,
            rule,
            len(history) + (epochs or self.max_iter),
            validation_data=held_out,
            callbacks=[progress],
            history=history,
        )

    def _say(self, line: str) -> None:
        if self.verbose:
            print(line)

    def _record(self, training: Training, rule: LearningRule, scores: list[float]) -> None:
        history = self._history = training.history
        self.n_iter_ = len(scores)
        assert training.samples is not None
        self.t_ += self.n_iter_ * training.samples
        self.loss_curve_ = list(history.train_loss)
        self.loss_ = self.loss_curve_[-1]
        self.best_loss_ = None if self.early_stopping else min(self.loss_curve_)
        validation_scores = [1 - error for error in history.validation_error]
        self.validation_scores_ = validation_scores if self.early_stopping else None
        self.best_validation_score_ = max(scores) if self.early_stopping else None
        rates = rule.spread_learning_rates(self.n_layers_ - 1)
        self.learning_rates_, self.bias_learning_rates_ = map(list, rates)

    @property
    def _parameters(self) -> Parameters:
        return self.coefs_, self.intercepts_, self.feedback_coefs_

    def _keep(self, arrays: Parameters) -> None:
        self.coefs_, self.intercepts_, self.feedback_coefs_ = arrays

    def _outputs(self, X: NDArray[Any]) -> NDArray[Any]:
        """States of the output layer after a free phase, samples × output units."""
        return self._architecture.network(self._parameters).outputs(X, self.free_steps)

    def _check_same_architecture(self) -> None:
        """Refuse to go on with a network where another one is described by now."""
        before = self._architecture
        now = parameters.architecture(self, before.sizes[0], before.sizes[-1])
        changed = [
            f"{name} was {value!r} and is {getattr(now, name)!r}"
            for name, value in vars(before).items()
            if getattr(now, name) != value
        ]
        if changed:
            raise ValueError(f"training cannot go on with another network: {', '.join(changed)}")

    @contextmanager
    def _unchanged_by_failure(self) -> Iterator[None]:
        before = dict(self.__dict__)
        try:
            yield
        except BaseException:
            self.__dict__.clear()
            self.__dict__.update(before)
            raise


class _Progress(Callback):
    """Scores every epoch, keeps the best parameters, and stops as MLPClassifier does."""

    def __init__(self, estimator: NetworkEstimator) -> None:
        self.scores: list[float] = []
        self.best: Parameters | None = None
        self._estimator = estimator

    def on_epoch_end(self, training: Training) -> object:
        """Score the epoch."""
        estimator, history = self._estimator, training.history
        estimator._say(f"Iteration {len(history)}, loss = {history.train_loss[-1]:.8f}")
        score = -history.train_loss[-1]
        if estimator.early_stopping:
            score = 1 - history.validation_error[-1]
            estimator._say(f"Validation score: {score:f}")
            if score > max(self.scores, default=-math.inf):
                self.best = parameters_of(training.net)
        self.scores.append(score)
        if epochs_without_improvement(self.scores, estimator.tol) <= estimator.n_iter_no_change:
            return None
        epochs = estimator.n_iter_no_change
        estimator._say(f"No improvement by {estimator.tol} for {epochs} epochs.")
        return STOP


def epochs_without_improvement(scores: Iterable[float], tol: float) -> int:
    """How many of the last scores were less than `tol` above the best before them."""
    best, epochs = -math.inf, 0
    for score in scores:
        epochs = epochs + 1 if score < best + tol else 0
        best = max(best, score)
    return epochs


def _mean_square(X: NDArray[Any], dtype: np.dtype[Any]) -> float:
    """Of all of X, where a network of this dtype can have learning rates that are divided by it."""
    largest = float(max(X.max(), -X.min()))
    if largest == 0:
        return 0.25  # As good as any.
    with np.errstate(over="ignore", under="ignore"):
        square = float(np.einsum("ij,ij->", X, X, dtype=np.float64)) / X.size
    # The precision is left as room for sums over inputs and samples, and for small rates.
    limits = np.finfo(dtype)
    lowest, highest = float(limits.tiny / limits.eps), float(limits.max * limits.eps)
    if not lowest <= square <= highest:
        size = "small" if square < lowest else "large"
        raise ValueError(
            f"X is too {size} for its squares in {dtype}: its largest absolute value is "
            f"{largest:.3g}, expected a mean square from {lowest:.1g} to {highest:.1g}; scale its "
            "features, as by StandardScaler"
        )
    return square
