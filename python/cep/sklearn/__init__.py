"""Equilibrium Propagation as a scikit-learn estimator.

Imports scikit-learn, which ``import cep`` does not.
"""

try:
    from cep.sklearn.classifier import EPClassifier
except ImportError as error:
    raise ImportError(f"{error}: pip install 'cep[sklearn]'") from error

__all__ = ["EPClassifier"]
