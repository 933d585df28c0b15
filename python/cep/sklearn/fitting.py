"""Trains the network that an estimator describes, and runs it; labels are not known here."""

import copy
import math
import time
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state, gen_batches

from cep.learning.rules import LearningRule
from cep.sklearn import parameters
from cep.sklearn.architecture import Parameters, parameters_of
from cep.training.batches import train_batch
from cep.training.history import History
from cep.training.trainer import Position, Trainer

# Rows of X that are relaxed at once, so that the states of a large X need no more memory than X.
_ROWS = 256


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
        trainer = self._make_trainer(X, targets)
        best, scores = None, []
        for _ in range(1 if incremental else self.max_iter):
            self._train_epoch(trainer, rule)
            scores.append(self._score_of_epoch(trainer.history))
            if self.early_stopping and scores[-1] > max(scores[:-1], default=-math.inf):
                best = parameters_of(trainer.net)
            if epochs_without_improvement(scores, self.tol) > self.n_iter_no_change:
                self._say(f"No improvement by {self.tol} for {self.n_iter_no_change} epochs.")
                break
        else:
            if not incremental:
                warnings.warn(
                    f"the {self.max_iter} epochs of max_iter are over, and training has not "
                    "converged yet",
                    ConvergenceWarning,
                    stacklevel=3,
                )
        self._keep(best or parameters_of(trainer.net))
        self._record(trainer, rule, scores)

    def _make_trainer(self, X: NDArray[Any], targets: NDArray[Any]) -> Trainer:
        """A trainer of the present network, with samples held out for early stopping."""
        validation = None
        if self.early_stopping:
            split: list[Any] = train_test_split(
                X,
                targets,
                test_size=float(self.validation_fraction),
                random_state=self._seed,
                stratify=targets,
            )
            X, held_out, targets, held_out_targets = split
            validation = (held_out, held_out_targets)
        trainer = Trainer(
            self._architecture.network(self._parameters),
            (X, targets),
            validation,
            batch_size=parameters.batch_size(self),
            seed=self._seed,
        )
        # The order of an epoch's samples follows from how many epochs there were before.
        trainer.history = copy.deepcopy(self._history)
        return trainer

    def _train_epoch(self, trainer: Trainer, rule: LearningRule) -> None:
        if self.shuffle:
            trainer.train_epoch(rule)
        else:
            _train_epoch_in_order(trainer, rule, self._seed)

    def _score_of_epoch(self, history: History) -> float:
        """What is to rise."""
        self._say(f"Iteration {len(history)}, loss = {history.train_loss[-1]:.8f}")
        if not self.early_stopping:
            return -history.train_loss[-1]
        score = 1 - history.validation_error[-1]
        self._say(f"Validation score: {score:f}")
        return score

    def _say(self, line: str) -> None:
        if self.verbose:
            print(line)

    def _record(self, trainer: Trainer, rule: LearningRule, scores: list[float]) -> None:
        history = self._history = trainer.history
        self.n_iter_ = len(scores)
        self.t_ += self.n_iter_ * trainer.samples
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
        net = self._architecture.network(self._parameters)
        outputs = np.empty((len(X), self.n_outputs_), net.dtype)
        for rows in gen_batches(len(X), _ROWS):
            net.free_phase(X[rows], self.free_steps)
            outputs[rows] = net.states[-1]
        return outputs

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


def _train_epoch_in_order(trainer: Trainer, rule: LearningRule, seed: int) -> None:
    """Train an epoch whose samples come as they are given."""
    # Random signs of β, which follow from the seed and the epoch here too.
    stream = np.random.SeedSequence(seed, spawn_key=(len(trainer.history),))
    trainer.net.random_state = stream.generate_state(4, np.uint64).tolist()
    start = time.perf_counter()
    errors, loss_sum = 0, 0.0
    for rows in gen_batches(trainer.samples, trainer.batch_size):
        result = train_batch(trainer.net, trainer.inputs[rows], trainer.targets[rows], rule)
        errors += result.errors
        loss_sum += result.loss * len(trainer.inputs[rows])
    seconds = time.perf_counter() - start
    trainer.position = Position(trainer.batches, errors, loss_sum, seconds)
    trainer.finish_epoch(rule)
