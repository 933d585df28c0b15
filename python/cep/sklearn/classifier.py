"""The classifier: scikit-learn's side of it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin
from sklearn.preprocessing import LabelEncoder
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from cep.sklearn import parameters
from cep.sklearn.fitting import NetworkEstimator
from cep.sklearn.outputs import probabilities

_DTYPES = [np.float64, np.float32]
# scikit-learn has no types of its own, and those that checkers infer are too narrow.
_validate_data: Any = validate_data


class EPClassifier(ClassifierMixin, NetworkEstimator):  # type: ignore[misc]
    """A network trained with Equilibrium Propagation, used like scikit-learn's MLPClassifier.

    What has a name there has the same name here; docs/sklearn.md lists what differs. All inputs
    may be of any scale in common, but features should be scaled alike, as by StandardScaler.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int
        Units of the hidden layers, from the input on; at least one layer.
    activation : {"shifted_sigmoid", "hard_sigmoid", "tanh"}
        Of hidden and output units (see `cep.Network`).
    rule : {"c-ep", "ep", "bptt"}
        EP with continual updates, EP, or backpropagation through time. With untied feedback the
        first two are C-VF and VF. BPTT takes no notice of the nudged phase.
    setting, dt, clamp, feedback, feedback_angle, dtype
        As for `cep.Network`. The real-time setting wants inputs between 0 and 1, and more steps.
    free_steps : int
        Steps T of the free phase, in training and in prediction. Deeper networks need more.
    nudged_steps, beta
        As for `cep.CEP`.
    beta_sign : {"fixed", "random", "symmetric"}
        As for `cep.EP`; the rule "c-ep" has no symmetric form.
    learning_rate_init : float or sequence of float, optional
        Learning rates relative to what a unit receives, one for all connections or one each, input
        first: they are divided by the inputs of a unit and their mean square (see Notes). Default:
        0.5 for the rule "c-ep", else 4.
    batch_size : int or "auto"
        Samples a batch; "auto" is 20, as published. All samples where there are fewer.
    max_iter : int
        The most epochs of a call of `fit`.
    shuffle : bool
        Whether samples come in another order in every epoch, or as they are given.
    random_state : int, RandomState instance or None
        Determines initial parameters, the order of samples, the random signs of β and the
        validation split.
    tol : float
        What counts as an improvement of the loss, or of the validation score; 0 or more.
    verbose : bool
        Whether to print the loss of every epoch.
    warm_start : bool
        Whether `fit` goes on with the network that there is.
    early_stopping : bool
        Whether to hold out samples, stop where their score no longer improves, and keep the
        parameters with the best.
    validation_fraction : float
        Share of the samples that early stopping holds out, between 0 and 1; each class in its
        proportion.
    n_iter_no_change : int
        Epochs without an improvement after which the next one stops `fit`, 1 or more.

    Attributes
    ----------
    classes_ : ndarray, n_classes
        The labels, sorted: an output unit each.
    coefs_ : list of ndarray, units of layer k × of layer k+1
        Weights of each connection: copies, which prediction reads.
    intercepts_ : list of ndarray, units of layer k+1
        Biases of each layer but the input: likewise.
    feedback_coefs_ : list of ndarray, units of layer k × of layer k+1
        Feedback weights of each connection but the first; empty with tied feedback.
    learning_rates_, bias_learning_rates_ : list of float
        One a connection, as `cep.CEP` takes them.
    loss_curve_ : list of float
        Mean over an epoch's samples of ``½ |s_L − y|²``, accumulated while the network learned, for
        every epoch since it was new.
    loss_, best_loss_ : float
        The last and the lowest of them; the latter is None with early stopping.
    validation_scores_, best_validation_score_ : list of float, float
        Accuracy on the samples held out; None without early stopping.
    n_iter_ : int
        Epochs of the last call.
    t_ : int
        Samples seen in training, again and again.
    n_layers_, n_outputs_, out_activation_ : int, int, str
        Layers with the input, output units, and their activation.
    n_features_in_, feature_names_in_ : int, ndarray of str
        Of the X given to `fit`; names where all are strings.

    Notes
    -----
    With n inputs of a unit and m the mean square of all of X, the learning rate of connection k is
    ``learning_rate_init[k] / ((n + 1) m)``, with m = 1 for all but the first connection and for
    biases. The first connection's initial weights are those of `cep.Network` times ½/√m, so that a
    factor on all of X changes nothing; an X whose m the dtype has no room for, as beyond 1e±31 in
    float32, is refused. In the real-time setting, where layers see ρ(x), m is ¼.

    The labels become one-hot targets. A fit that fails, by divergence or Ctrl-C too, leaves the
    estimator as it was.

    References
    ----------
    Ernoult et al., 2020 (arXiv 2005.04168).

    Examples
    --------
    >>> from cep.sklearn import EPClassifier
    >>> from sklearn.datasets import load_digits
    >>> X, y = load_digits(return_X_y=True)
    >>> classifier = EPClassifier(random_state=0).fit(X[:1500], y[:1500])
    >>> classifier.score(X[1500:], y[1500:]) > 0.9
    True
    """

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (100,),
        activation: str = "shifted_sigmoid",
        *,
        rule: str = "c-ep",
        setting: str = "prototypical",
        dt: float = 0.2,
        clamp: bool = True,
        feedback: str = "tied",
        feedback_angle: float = 0.0,
        dtype: str = "float32",
        free_steps: int = 30,
        nudged_steps: int = 15,
        beta: float = 0.5,
        beta_sign: str = "random",
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
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.rule = rule
        self.setting = setting
        self.dt = dt
        self.clamp = clamp
        self.feedback = feedback
        self.feedback_angle = feedback_angle
        self.dtype = dtype
        self.free_steps = free_steps
        self.nudged_steps = nudged_steps
        self.beta = beta
        self.beta_sign = beta_sign
        self.learning_rate_init = learning_rate_init
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change

    def fit(self, X: ArrayLike, y: ArrayLike) -> "EPClassifier":
        """Train a new network, or go on with the present one where `warm_start` is set.

        Parameters
        ----------
        X : array_like, samples × features
            Real numbers, all finite; dense.
        y : array_like, samples
            A label each: numbers that are whole, strings, booleans, or other objects of one kind.

        Returns
        -------
        EPClassifier
            This estimator.

        Raises
        ------
        TypeError, ValueError
            For a parameter or an argument of the wrong type, shape or value.
        DivergenceError
            Where a state became infinite or not a number.
        KeyboardInterrupt
            On Ctrl-C.

        Warns
        -----
        sklearn.exceptions.ConvergenceWarning
            Where the last of `max_iter` epochs still improved the loss, or not long ago.
        """
        with self._unchanged_by_failure():
            parameters.check(self)
            fresh = not (self.warm_start and hasattr(self, "coefs_"))
            X, y = self._validated(X, y, reset=fresh)
            if fresh:
                self._begin_with(X, y)
            elif set(y) != set(self.classes_):
                raise ValueError(
                    f"warm_start wants the classes of the last fit, {self.classes_}; "
                    f"y has {np.unique(y)}"
                )
            self._train(X, self._label_encoder.transform(y), incremental=False)
        return self

    def partial_fit(
        self, X: ArrayLike, y: ArrayLike, classes: ArrayLike | None = None
    ) -> "EPClassifier":
        """Train for one epoch on these samples, with the network that there is or a new one.

        So many calls with the same samples as `fit` has epochs come to the same, to the last bit.

        Parameters
        ----------
        X, y : array_like
            As for `fit`. The first X, if it is not the whole, should be large enough to show the
            scale of the others.
        classes : array_like, n_classes
            All labels there will be. Needed in the first call.

        Returns
        -------
        EPClassifier
            This estimator.

        Raises
        ------
        TypeError, ValueError, DivergenceError, KeyboardInterrupt
            As for `fit`; ValueError for early stopping, or classes that are missing or others than
            before, too.
        """
        with self._unchanged_by_failure():
            parameters.check(self)
            if self.early_stopping:
                raise ValueError("partial_fit does not support early_stopping=True")
            fresh = not hasattr(self, "coefs_")
            X, y = self._validated(X, y, reset=fresh)
            if fresh and classes is None:
                raise ValueError("classes must be passed on the first call to partial_fit")
            if fresh:
                self._begin_with(X, classes)
            elif classes is not None and not np.array_equal(np.unique(classes), self.classes_):
                raise ValueError(
                    f"classes must be those of the first call, {self.classes_}, "
                    f"got {np.unique(classes)}"
                )
            known = set(self.classes_.tolist())
            if unknown := [label for label in np.unique(y).tolist() if label not in known]:
                raise ValueError(
                    f"y must hold labels among the classes {self.classes_}, got {unknown}"
                )
            self._train(X, self._label_encoder.transform(y), incremental=True)
        return self

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Label of each row of X: that of the output unit with the largest state.

        Parameters
        ----------
        X : array_like, samples × features
            Real numbers, all finite; dense.

        Returns
        -------
        ndarray, samples

        Raises
        ------
        NotFittedError, TypeError, ValueError
            Before a fit, or for an X of the wrong type, shape or value.
        """
        largest = self._outputs(self._inputs(X)).argmax(axis=1)
        labels: NDArray[Any] = self.classes_[largest]
        return labels

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Probability of each class: output states after a free phase, as shares of their sum.

        Trained towards one-hot targets under the squared error, an output estimates the probability
        of its class; negative ones (tanh) count as 0. Where none is positive the largest share it
        equally.

        Parameters
        ----------
        X : array_like, samples × features
            Real numbers, all finite; dense.

        Returns
        -------
        ndarray of float64, samples × n_classes
            In the order of `classes_`; each row sums to 1.

        Raises
        ------
        NotFittedError, TypeError, ValueError
            Before a fit, or for an X of the wrong type, shape or value.
        """
        return probabilities(self._outputs(self._inputs(X)))

    def _inputs(self, X: ArrayLike) -> NDArray[Any]:
        check_is_fitted(self)
        inputs: NDArray[Any] = _validate_data(self, X, dtype=_DTYPES, reset=False)
        return inputs

    def _begin_with(self, X: NDArray[Any], labels: Any) -> None:
        self._label_encoder: Any = LabelEncoder().fit(labels)
        self.classes_: NDArray[Any] = self._label_encoder.classes_
        self._begin(X, len(self.classes_))

    def _validated(self, X: Any, y: Any, *, reset: bool) -> tuple[NDArray[Any], NDArray[Any]]:
        X, y = _validate_data(self, X, y, dtype=_DTYPES, multi_output=True, reset=reset)
        if y.ndim == 2 and y.shape[1] != 1:
            raise ValueError(
                f"y must hold one label a sample, got shape {y.shape}: EPClassifier is not for "
                "several labels or outputs a sample"
            )
        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        return X, y
