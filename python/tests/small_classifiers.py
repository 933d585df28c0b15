"""Estimators that train in a moment, and what they have learned."""

from typing import Any

import numpy as np
import pytest

from cep.sklearn import EPClassifier, EPRegressor

# For all that train for fewer epochs than it takes.
ignore_convergence = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def samples(count: int = 50, seed: int = 0) -> tuple[Any, Any]:
    """Three classes, of which a little can be learned."""
    generator = np.random.default_rng(seed)
    y = np.arange(count) % 3
    return generator.normal(size=(count, 6)) + y[:, np.newaxis], y


def targets(X: Any) -> Any:
    """Two outputs of different scales, of which a little can be learned."""
    return np.column_stack([100 + 7 * X[:, 0], np.sin(X[:, 1]) - X[:, 2]])


DEFAULTS = {"hidden_layer_sizes": (8,), "max_iter": 4, "random_state": 3}


def classifier(**parameters: Any) -> EPClassifier:
    return EPClassifier(**{**DEFAULTS, **parameters})


def regressor(**parameters: Any) -> EPRegressor:
    return EPRegressor(**{**DEFAULTS, **parameters})


def fitted(X: Any, y: Any, **parameters: Any) -> EPClassifier:
    return classifier(**parameters).fit(X, y)


def untrained(X: Any, y: Any, **parameters: Any) -> EPClassifier:
    return fitted(X, y, **{**parameters, "learning_rate_init": 0, "max_iter": 1})


def parameters_of(estimator: EPClassifier | EPRegressor) -> list[Any]:
    return [*estimator.coefs_, *estimator.intercepts_, *estimator.feedback_coefs_]
