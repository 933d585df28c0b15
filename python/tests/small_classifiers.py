"""Classifiers that train in a moment, and what they have learned."""

from typing import Any

import numpy as np
import pytest

from cep.sklearn import EPClassifier

# For all that train for fewer epochs than it takes.
ignore_convergence = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def samples(count: int = 50, seed: int = 0) -> tuple[Any, Any]:
    """Three classes, of which a little can be learned."""
    generator = np.random.default_rng(seed)
    y = np.arange(count) % 3
    return generator.normal(size=(count, 6)) + y[:, np.newaxis], y


def classifier(**parameters: Any) -> EPClassifier:
    defaults = {"hidden_layer_sizes": (8,), "max_iter": 4, "random_state": 3}
    return EPClassifier(**{**defaults, **parameters})


def fitted(X: Any, y: Any, **parameters: Any) -> EPClassifier:
    return classifier(**parameters).fit(X, y)


def untrained(X: Any, y: Any, **parameters: Any) -> EPClassifier:
    return fitted(X, y, **{**parameters, "learning_rate_init": 0, "max_iter": 1})


def parameters_of(estimator: EPClassifier) -> list[Any]:
    return [*estimator.coefs_, *estimator.intercepts_, *estimator.feedback_coefs_]
