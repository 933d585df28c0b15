"""The regressor."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import MultiOutputMixin, RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils.validation import column_or_1d

from cep.devices.neurons import TabulatedActivation
from cep.sklearn.estimator import DTYPES, NetworkEstimator, validated

# Share of the range of the activation that the targets use. Units reach the ends only slowly.
_SHARE = 0.8


class EPRegressor(RegressorMixin, MultiOutputMixin, NetworkEstimator):  # type: ignore[misc]
    """A regressor trained with Equilibrium Propagation, used like scikit-learn's MLPRegressor.

    The targets of each output are shifted and scaled so that those of the first call use the middle
    80 % of the range of the activation. Predictions are scaled back. Therefore predictions exceed
    the range of these targets by at most an eighth on each side. Scale the features to similar
    ranges, for example with StandardScaler.

    The loss is ½ Σ (s − y)² of the scaled targets, divided by the sum of their variances in the
    first call. With one output, it is (1 − R²) / 2. `score` is R².

    {parameters and attributes}

    {notes}

    Examples
    --------
    >>> from cep.sklearn import EPRegressor
    >>> from sklearn.datasets import load_diabetes
    >>> X, y = load_diabetes(return_X_y=True)
    >>> regressor = EPRegressor(early_stopping=True, random_state=0).fit(X[:400], y[:400])
    >>> regressor.score(X[400:], y[400:]) > 0.5
    True
    """

    _losses = ("squared_error",)
    _default_optimizer = "sgd"

    def partial_fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Train for one epoch on these samples, with the present network or a new one.

        With the same samples, n calls give the same parameters as n epochs of `fit`.

        Parameters
        ----------
        X, y : array_like
            As for `fit`. The learning rates are scaled by the first X, the targets by the first y.

        Returns
        -------
        EPRegressor
            This estimator.

        Raises
        ------
        TypeError, ValueError, DivergenceError, KeyboardInterrupt
            As for `fit`. ValueError also with early stopping, or if the number of outputs differs
            from that of the first call.
        """
        return self._partial_fit(X, y)

    def predict(self, X: ArrayLike) -> NDArray[np.float64]:
        """Predict the targets of each row of X from the output states after a free phase.

        Parameters
        ----------
        X : array_like, samples × features
            Real numbers, all finite; dense.

        Returns
        -------
        ndarray of float64, samples or samples × outputs
            The targets; one-dimensional if there is one output.

        Raises
        ------
        NotFittedError, TypeError, ValueError
            If the estimator is not fitted, or X has the wrong type, shape or value.
        """
        outputs = self._outputs(X).astype(np.float64)
        y: NDArray[np.float64] = self._centre + (outputs - self._middle) / self._scale
        return y.ravel() if self.n_outputs_ == 1 else y

    def _validated(self, X: Any, y: Any, *, reset: bool) -> tuple[NDArray[Any], NDArray[Any]]:
        X, y = validated(self, X, y, dtype=DTYPES, multi_output=True, y_numeric=True, reset=reset)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        return X, y.reshape(len(y), -1).astype(np.float64)

    def _begin(self, X: NDArray[Any], y: NDArray[np.float64]) -> None:
        self._begin_network(X, y.shape[1])
        low, high = y.min(axis=0), y.max(axis=0)
        with np.errstate(over="ignore"):
            spread = high - low
        if not np.isfinite(spread).all():
            raise ValueError(f"y must span a finite range, got {low.min():.3g} to {high.max():.3g}")
        bottom, top = _range(self.out_activation_)
        self._middle = (bottom + top) / 2
        self._centre = low + spread / 2
        # The targets of a constant output are shifted, but not scaled.
        self._scale = _SHARE * (top - bottom) / np.where(spread > 1e-300, spread, 1)
        variance = float(self._targets(y).var(axis=0).sum())
        self._loss_unit = variance or 1.0

    def _targets(self, y: NDArray[np.float64]) -> NDArray[np.float64]:
        if y.shape[1] != self.n_outputs_:
            raise ValueError(
                f"y must have {self.n_outputs_} outputs as in the first call, got {y.shape[1]}"
            )
        targets: NDArray[np.float64] = self._middle + (y - self._centre) * self._scale
        return targets

    def _validation_score(self, outputs: NDArray[Any], targets: NDArray[Any]) -> float:
        return float(r2_score(targets, outputs))


def _range(activation: str) -> tuple[float, float]:
    """The lowest and the highest state of a unit; 0 and 1 if it is linear."""
    if activation.startswith("tabulated"):
        values = TabulatedActivation.from_word(activation).y
        return min(values), max(values)
    return (-1.0, 1.0) if activation == "tanh" else (0.0, 1.0)
