"""Equilibrium Propagation as a scikit-learn estimator.

Imports scikit-learn, which ``import cep`` does not.
"""

from cep._util.extras import needs

try:
    from cep.sklearn.classifier import EPClassifier
except ImportError as error:
    raise ImportError(needs("cep.sklearn", error, "sklearn")) from error

__all__ = ["EPClassifier"]
