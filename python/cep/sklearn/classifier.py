"""The classifier."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin
from sklearn.preprocessing import LabelEncoder
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from cep._engine.words import LOSSES
from cep.sklearn.estimator import DTYPES, NetworkEstimator, validated


class EPClassifier(ClassifierMixin, NetworkEstimator):  # type: ignore[misc]
    """A classifier trained with Equilibrium Propagation, used like scikit-learn's MLPClassifier.

    Parameters have the same names as in MLPClassifier. docs/sklearn.md lists the differences. Scale
    the features to similar ranges, for example with StandardScaler. The labels are converted to
    one-hot targets.

    {parameters and attributes}
    classes_ : ndarray, n_classes
        The sorted labels, one per output unit.

    {notes}

    Examples
    --------
    >>> from cep.sklearn import EPClassifier
    >>> from sklearn.datasets import load_digits
    >>> X, y = load_digits(return_X_y=True)
    >>> classifier = EPClassifier(random_state=0).fit(X[:1500], y[:1500])
    >>> classifier.score(X[1500:], y[1500:]) > 0.9
    True
    """

    _losses = LOSSES
    _default_optimizer = "adam"

    def partial_fit(self, X: ArrayLike, y: ArrayLike, classes: ArrayLike | None = None) -> Self:
        """Train for one epoch on these samples, with the present network or a new one.

        With the same samples, n calls give the same parameters as n epochs of `fit`.

        Parameters
        ----------
        X, y : array_like
            As for `fit`. The learning rates are scaled by the first X.
        classes : array_like, n_classes
            All labels. Required in the first call.

        Returns
        -------
        EPClassifier
            This estimator.

        Raises
        ------
        TypeError, ValueError, DivergenceError, KeyboardInterrupt
            As for `fit`. ValueError also with early stopping, if classes are missing or differ from
            those of the first call, or if a label is not one of them.
        """
        if not hasattr(self, "coefs_"):
            if classes is None:
                raise ValueError("classes must be passed on the first call to partial_fit")
        elif classes is not None and not np.array_equal(np.unique(classes), self.classes_):
            raise ValueError(
                f"classes must be those of the first call, {self.classes_}, "
                f"got {np.unique(classes)}"
            )
        return self._partial_fit(X, y, classes)

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Predict the label of each row of X, that of the output unit with the largest state.

        Parameters
        ----------
        X : array_like, samples × features
            Real numbers, all finite; dense.

        Returns
        -------
        ndarray, samples
            The labels.

        Raises
        ------
        NotFittedError, TypeError, ValueError
            If the estimator is not fitted, or X has the wrong type, shape or value.
        """
        largest = self._outputs(X).argmax(axis=1)
        labels: NDArray[Any] = self.classes_[largest]
        return labels

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Estimate the probability of each class from the output states after a free phase.

        With the squared error, an output that is trained towards one-hot targets estimates the
        probability of its class. Negative outputs (of tanh) count as 0, and the others are divided
        by their sum. If no output is positive, the largest outputs have equal probabilities. With
        the cross-entropy, the probabilities are the softmax of the outputs.

        Parameters
        ----------
        X : array_like, samples × features
            Real numbers, all finite; dense.

        Returns
        -------
        ndarray of float64, samples × n_classes
            The probabilities in the order of `classes_`. Each row sums to 1.

        Raises
        ------
        NotFittedError, TypeError, ValueError
            If the estimator is not fitted, or X has the wrong type, shape or value.
        """
        outputs = self._outputs(X).astype(np.float64)
        largest = outputs.max(axis=1, keepdims=True)
        if self.out_activation_ == "softmax":
            weights = np.exp(outputs - largest)
        else:
            weights = np.where(largest > 0, np.maximum(outputs, 0), outputs == largest)
        probabilities: NDArray[np.float64] = weights / weights.sum(axis=1, keepdims=True)
        return probabilities

    def _validated(self, X: Any, y: Any, *, reset: bool) -> tuple[NDArray[Any], NDArray[Any]]:
        X, y = validated(self, X, y, dtype=DTYPES, multi_output=True, reset=reset)
        if y.ndim == 2 and y.shape[1] != 1:
            raise ValueError(
                f"y must have one label per sample, got shape {y.shape}: EPClassifier does not "
                "support several labels or outputs for a sample"
            )
        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        return X, y

    def _begin(self, X: NDArray[Any], y: Any) -> None:
        self._label_encoder: Any = LabelEncoder().fit(y)
        self.classes_: NDArray[Any] = self._label_encoder.classes_
        self._begin_network(X, len(self.classes_))

    def _targets(self, y: NDArray[Any]) -> NDArray[Any]:
        # Compared before the encoder converts the labels to the type of the classes.
        known = set(self.classes_.tolist())
        if unknown := [label for label in np.unique(y).tolist() if label not in known]:
            raise ValueError(f"the labels of y must be in {self.classes_}, got {unknown}")
        targets: NDArray[Any] = self._label_encoder.transform(y)
        return targets

    def _validation_score(self, outputs: NDArray[Any], targets: NDArray[Any]) -> float:
        return float((outputs.argmax(axis=1) == targets).mean())
