"""Equilibrium Propagation as scikit-learn estimators.

This package imports scikit-learn. ``import cep`` does not.
"""

from cep._util.extras import needs

try:
    from cep.sklearn.classifier import EPClassifier
    from cep.sklearn.regressor import EPRegressor
except ImportError as error:
    raise ImportError(needs("cep.sklearn", error, "sklearn")) from error

__all__ = ["EPClassifier", "EPRegressor"]
