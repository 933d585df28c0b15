"""The base class of the estimators: hyperparameters, training and the outputs of the network."""

import inspect
import math
import warnings
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from cep.devices.neurons import Neurons, TabulatedActivation
from cep.devices.synapses import Synapse
from cep.learning.optimizers import Optimizer
from cep.network.network import Network
from cep.sklearn import parameters
from cep.training.data import source_of
from cep.training.loop import STOP, Callback, Training

DTYPES = [np.float64, np.float32]
# scikit-learn has no type annotations, and the types that checkers infer are too narrow.
validated: Any = validate_data


class NetworkEstimator(BaseEstimator):  # type: ignore[misc]
    """The base class of `EPClassifier` and `EPRegressor`.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int
        Number of units of each hidden layer, input first; at least one layer.
    activation : str, TabulatedActivation or sequence of them
        Activation of hidden and output units (see `cep.Network`), such as "shifted_sigmoid",
        "hard_sigmoid" or "tanh".
    rule : {"c-ep", "ep", "bptt"}
        EP with continual updates, EP, or backpropagation through time. With untied feedback the
        first two are C-VF and VF. BPTT has no nudged phase.
    setting, dt, clamp, feedback, feedback_angle, dtype, relaxation, loss
        As for `cep.Network`. The real-time setting needs inputs between 0 and 1, and more steps.
        The loss of `EPRegressor` is "squared_error".
    synapses, bias_synapses, neurons
        Models of hardware, as for `cep.Network`. Default: ideal hardware.
    free_steps : int
        Number T of steps of the free phase, in training and in prediction. Deeper networks need
        more.
    nudged_steps, beta
        As for `cep.EP` and `cep.CEP`.
    beta_sign : {"fixed", "random", "symmetric"}
        As for `cep.EP`; the rule "c-ep" has no symmetric form.
    optimizer : {"sgd", "adam"} or Optimizer, optional
        The optimizer: a name, or an object such as ``cep.SGD(momentum=0.9)``. Default: Adam for
        `EPClassifier`, and SGD for `EPRegressor` (see results/estimators.md). "adam" has an epsilon
        of 1e-5, above the rounding errors of gradients that are differences of states.
    learning_rate_init : float or sequence of float, optional
        Relative learning rates, one for all connections or one for each, input first (see Notes).
        Default: 2 for "ep" and "bptt" and 0.5 for "c-ep", times 1 − momentum. With Adam: 0.05 for
        "ep" and "bptt" and 0.0025 for "c-ep".
    batch_size : int or "auto"
        Number of samples in a batch, at most all samples. "auto" is 20, as published.
    max_iter : int
        Maximum number of epochs of a call of `fit`.
    shuffle : bool
        Whether to shuffle the samples in each epoch.
    random_state : int, RandomState instance or None
        Seed of the initial parameters, devices, the order of samples, random signs of β and the
        validation split.
    tol : float
        Smallest change of the loss or the validation score that is an improvement; 0 or more.
    verbose : bool
        Whether to print the loss of every epoch.
    warm_start : bool
        Whether `fit` continues with the present network.
    early_stopping : bool
        Whether to hold out samples, stop when their score no longer improves, and keep the
        parameters with the best score.
    validation_fraction : float
        Share of the samples that early stopping holds out, between 0 and 1.
    n_iter_no_change : int
        `fit` stops after more than this number of epochs without an improvement; 1 or more.

    Attributes
    ----------
    coefs_ : list of ndarray, units of layer k × units of layer k+1
        Copies of the weights of each connection, from which predictions are computed.
    intercepts_ : list of ndarray, units of layer k+1
        Copies of the biases of each layer except the input, from which predictions are computed.
    feedback_coefs_ : list of ndarray, units of layer k × units of layer k+1
        Feedback weights of each connection except the first; empty with tied feedback.
    learning_rates_, bias_learning_rates_ : list of float
        Absolute learning rates of each connection, as arguments of `cep.CEP`.
    loss_curve_ : list of float
        Mean loss of each epoch since the network was made, accumulated during the epoch.
    loss_, best_loss_ : float
        The last and the lowest loss. With early stopping, ``best_loss_`` is None.
    validation_scores_, best_validation_score_ : list of float, float
        Scores on the validation samples; None without early stopping.
    n_iter_ : int
        Number of epochs of the last call.
    t_ : int
        Number of training samples, counted in each epoch.
    n_layers_, n_outputs_, out_activation_ : int, int, str
        Number of layers including the input, number of output units, and their activation
        ("softmax" with the cross-entropy).
    n_features_in_, feature_names_in_ : int, ndarray of str
        Number of features of the X given to `fit`, and their names if all names are strings.

    Notes
    -----
    Let n be the number of inputs of a unit and m the mean square of all elements of X. The learning
    rate of connection k is ``learning_rate_init[k] / ((n + 1) m)``, with m = 1 for biases and for
    all connections except the first. With Adam, m is replaced by √m, since Adam divides the
    gradient by its magnitude. The initial weights of the first connection are those of
    `cep.Network` times ½/√m. Therefore a common factor of X has no effect with SGD, and hardly any
    with Adam while the gradients are much larger than its epsilon. An X whose m is out of
    range for the dtype, such as beyond 1e±31 in float32, is an error. In the real-time setting, the
    inputs are ρ(x), and m is ¼.

    If a fit fails, by divergence or by Ctrl-C, the estimator is unchanged.

    References
    ----------
    Ernoult et al., 2020 (arXiv 2005.04168).
    """

    # The supported losses.
    _losses: tuple[str, ...]
    _default_optimizer: str
    # The loss of the network is divided by this number.
    _loss_unit = 1.0
    # Hyperparameters that are read in this class.
    setting: str
    free_steps: int
    random_state: Any
    max_iter: int
    shuffle: bool
    tol: float
    verbose: bool
    warm_start: bool
    early_stopping: bool
    validation_fraction: float
    n_iter_no_change: int

    def __init_subclass__(cls, **options: Any) -> None:
        """Insert the common parameters, attributes and notes into the docstring of the class."""
        super().__init_subclass__(**options)
        if cls.__doc__ and NetworkEstimator.__doc__:
            common = inspect.cleandoc(NetworkEstimator.__doc__)
            common = common[common.index("Parameters\n") :]
            listed, _, notes = common.partition("\n\nNotes\n")
            cls.__doc__ = (
                inspect.cleandoc(cls.__doc__)
                .replace("{parameters and attributes}", listed)
                .replace("{notes}", "Notes\n" + notes)
            )

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (100,),
        activation: str
        | TabulatedActivation
        | Sequence[str | TabulatedActivation] = "shifted_sigmoid",
        *,
        rule: str = "ep",
        setting: str = "prototypical",
        dt: float = 0.2,
        clamp: bool = True,
        feedback: str = "tied",
        feedback_angle: float = 0.0,
        dtype: str = "float32",
        relaxation: str = "alternating",
        loss: str = "squared_error",
        synapses: Synapse | str | Sequence[Synapse | str] | None = None,
        bias_synapses: Synapse | str | Sequence[Synapse | str] | None = None,
        neurons: Neurons | str | None = None,
        free_steps: int = 30,
        nudged_steps: int = 8,
        beta: float = 0.5,
        beta_sign: str = "random",
        optimizer: str | Optimizer | None = None,
        learning_rate_init: float | Sequence[float] | None = None,
        batch_size: int | str = "auto",
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: int | np.random.RandomState | None = None,
        tol: float = 1e-4,
        verbose: bool = False,
        warm_start: bool = False,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
    ) -> None:
        # scikit-learn requires that each parameter is an unchanged attribute.
        self.__dict__.update({name: value for name, value in locals().items() if name != "self"})

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Train a new network, or continue with the present one if `warm_start` is set.

        Parameters
        ----------
        X : array_like, samples × features
            Real numbers, all finite; dense.
        y : array_like, samples or samples × outputs
            Labels of a classifier: integers, strings, booleans or other objects of one kind.
            Targets of a regressor: finite numbers, one or several for each sample.

        Returns
        -------
        NetworkEstimator
            This estimator.

        Raises
        ------
        TypeError, ValueError
            If a parameter or an argument has the wrong type, shape or value.
        DivergenceError
            If a state becomes infinite or not a number.
        KeyboardInterrupt
            On Ctrl-C.

        Warns
        -----
        sklearn.exceptions.ConvergenceWarning
            If training has not converged after `max_iter` epochs.
        """
        self._fit(X, y, fresh=not (self.warm_start and hasattr(self, "coefs_")))
        if self._stop_reason == "finished":
            warnings.warn(
                f"training has not converged after max_iter={self.max_iter} epochs",
                ConvergenceWarning,
                stacklevel=2,
            )
        return self

    def _partial_fit(self, X: ArrayLike, y: ArrayLike, known: Any = None) -> Self:
        if self.early_stopping:
            raise ValueError("partial_fit does not support early_stopping=True")
        return self._fit(X, y, fresh=not hasattr(self, "coefs_"), known=known, epochs=1)

    def _fit(
        self, X: Any, y: Any, *, fresh: bool, known: Any = None, epochs: int | None = None
    ) -> Self:
        """Train on samples. A new network is made for ``known``, if it is given, or else for y."""
        before = dict(self.__dict__)
        try:
            parameters.check(self)
            X, y = self._validated(X, y, reset=fresh)
            if fresh:
                self._begin(X, y if known is None else known)
            self._train(X, self._targets(y), epochs or self.max_iter)
        except BaseException:
            self.__dict__.clear()
            self.__dict__.update(before)
            raise
        return self

    @abstractmethod
    def _validated(self, X: Any, y: Any, *, reset: bool) -> tuple[NDArray[Any], NDArray[Any]]:
        """X and y as validated arrays."""

    @abstractmethod
    def _begin(self, X: NDArray[Any], y: Any) -> None:
        """Make a new network for these samples."""

    @abstractmethod
    def _targets(self, y: NDArray[Any]) -> NDArray[Any]:
        """The targets of the network: labels from 0 on, or states of the output units."""

    @abstractmethod
    def _validation_score(self, outputs: NDArray[Any], targets: NDArray[Any]) -> float:
        """The score of outputs of the network; higher is better."""

    def _begin_network(self, X: NDArray[Any], outputs: int) -> None:
        """Make a new network for inputs of this shape and scale."""
        self._seed = int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        net = parameters.network(self, X.shape[1], outputs, self._seed)
        self._mean_square = 0.25
        if self.setting == "prototypical":
            self._mean_square = _mean_square(X, net.dtype)
        net.weights[0][...] *= 0.5 / math.sqrt(self._mean_square)
        self.n_layers_ = len(net.sizes)
        self._keep(net.__getstate__())
        self.t_ = 0
        self.loss_curve_: list[float] = []
        self.validation_scores_: list[float] | None = None
        self.n_outputs_ = outputs
        activation = net.activation if isinstance(net.activation, str) else net.activation[-1]
        self.out_activation_ = "softmax" if net.loss == "cross_entropy" else activation

    def _train(self, X: NDArray[Any], targets: NDArray[Any], epochs: int) -> None:
        """Train for a number of epochs, or until the loss or the score does not improve."""
        net = self._network()
        self._check_same_network(net)
        rule = parameters.rule(self, net.sizes, self._mean_square)
        progress = _Progress(self)
        if self.early_stopping:
            parts: Any = train_test_split(
                X,
                targets,
                test_size=float(self.validation_fraction),
                random_state=self._seed,
                stratify=targets if targets.ndim == 1 else None,
            )
            X, held_out, targets, held_out_targets = parts
            progress.held_out = held_out, held_out_targets
        source, _ = source_of(
            net,
            (X, targets),
            batch_size=parameters.batch_size(self),
            seed=self._seed,
            shuffle=self.shuffle,
        )
        training = Training(net, source, rule, epochs, callbacks=[progress])
        training.run()
        self._stop_reason = training.stop_reason
        state = net.__getstate__()
        # The order of samples in later epochs depends on the number of previous epochs.
        self._keep((progress.best or state) | {"attributes": state["attributes"]})
        self.n_iter_ = len(progress.losses)
        self.t_ += self.n_iter_ * len(X)
        self.loss_curve_ = self.loss_curve_ + progress.losses
        self.loss_ = self.loss_curve_[-1]
        self.best_loss_: float | None = min(self.loss_curve_)
        self.best_validation_score_: float | None = None
        if self.early_stopping:
            self.validation_scores_ = (self.validation_scores_ or []) + progress.scores
            self.best_loss_, self.best_validation_score_ = None, max(progress.scores)
        rates = rule.spread_learning_rates(self.n_layers_ - 1)
        self.learning_rates_, self.bias_learning_rates_ = map(list, rates)

    def _keep(self, state: dict[str, Any]) -> None:
        """Store a network as arrays, which can be copied, pickled and shared by threads."""
        arrays, connections = state["parameters"], self.n_layers_ - 1
        self.coefs_ = [weights.T.copy() for weights in arrays[:connections]]
        self.intercepts_ = [biases.copy() for biases in arrays[connections : 2 * connections]]
        self.feedback_coefs_ = [weights.copy() for weights in arrays[2 * connections :]]
        self._state = state | {"parameters": None, "states": None}

    def _network(self) -> Network:
        weights = [coef.T for coef in self.coefs_]
        net = Network.__new__(Network)
        net.__setstate__(
            self._state | {"parameters": [*weights, *self.intercepts_, *self.feedback_coefs_]}
        )
        return net

    def _outputs(self, X: ArrayLike) -> NDArray[Any]:
        """States of the output layer after a free phase, samples × output units."""
        check_is_fitted(self)
        inputs = validated(self, X, dtype=DTYPES, reset=False)
        return self._network().outputs(inputs, self.free_steps)

    def _check_same_network(self, net: Network) -> None:
        """Raise a ValueError if the hyperparameters now describe another network."""
        now = parameters.network(self, net.sizes[0], net.sizes[-1], self._seed)
        before = {"sizes": net.sizes, **net.options}
        changed = [
            f"{name} was {before[name]!r} and is {value!r}"
            for name, value in {"sizes": now.sizes, **now.options}.items()
            if value != before[name]
        ]
        if changed:
            raise ValueError(f"training cannot continue with another network: {', '.join(changed)}")


class _Progress(Callback):
    """Scores every epoch, stores the best network, and stops like MLPClassifier."""

    held_out: tuple[Any, Any] | None = None
    best: dict[str, Any] | None = None

    def __init__(self, estimator: NetworkEstimator) -> None:
        self.losses: list[float] = []
        self.scores: list[float] = []
        self._estimator = estimator
        self._epochs_before = len(estimator.loss_curve_)

    def on_epoch_end(self, training: Training) -> object:
        """Score the epoch."""
        estimator = self._estimator
        loss = training.history.train_loss[-1] / estimator._loss_unit
        self.losses.append(loss)
        self._print(f"Iteration {self._epochs_before + len(self.losses)}, loss = {loss:.8f}")
        score = -loss
        if self.held_out is not None:
            X, targets = self.held_out
            outputs = training.net.outputs(X, estimator.free_steps)
            score = estimator._validation_score(outputs, targets)
            self._print(f"Validation score: {score:f}")
            if score > max(self.scores, default=-math.inf):
                self.best = training.net.__getstate__()
        self.scores.append(score)
        if epochs_without_improvement(self.scores, estimator.tol) <= estimator.n_iter_no_change:
            return None
        epochs = estimator.n_iter_no_change
        self._print(f"No improvement by {estimator.tol} for {epochs} epochs.")
        return STOP

    def _print(self, line: str) -> None:
        if self._estimator.verbose:
            print(line)


def epochs_without_improvement(scores: Iterable[float], tol: float) -> int:
    """The number of epochs since the score last exceeded the previous best one by `tol`."""
    best, epochs = -math.inf, 0
    for score in scores:
        epochs = epochs + 1 if score < best + tol else 0
        best = max(best, score)
    return epochs


def _mean_square(X: NDArray[Any], dtype: np.dtype[Any]) -> float:
    """Mean square of X; ValueError if learning rates of this dtype cannot be divided by it."""
    largest = float(max(X.max(), -X.min()))
    if largest == 0:
        return 0.25  # Arbitrary, as all inputs are 0.
    with np.errstate(over="ignore", under="ignore"):
        square = float(np.einsum("ij,ij->", X, X, dtype=np.float64)) / X.size
    # A margin of 1 / eps is left for sums over inputs and samples, and for small rates.
    limits = np.finfo(dtype)
    lowest, highest = float(limits.tiny / limits.eps), float(limits.max * limits.eps)
    if not lowest <= square <= highest:
        size = "small" if square < lowest else "large"
        raise ValueError(
            f"X is too {size} for its squares in {dtype}: its largest absolute value is "
            f"{largest:.3g}, expected a mean square from {lowest:.1g} to {highest:.1g}; scale its "
            "features, for example with StandardScaler"
        )
    return square
