"""Compares EPClassifier with MLPClassifier and EPRegressor with MLPRegressor.

    python results/estimators.py [SECONDS]

Writes estimators.md beside this file. Rows are kept in build/estimators. The script may be stopped,
also by itself after SECONDS, and started again. It takes about ten minutes of one thread.
"""

import sys
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Memory
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_wine,
    make_friedman1,
    make_regression,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import KFold, StratifiedKFold, cross_validate
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

import cep
from cep.sklearn import EPClassifier, EPRegressor

HERE = Path(__file__).resolve().parent
MEMORY = Memory(HERE.parent / "build" / "estimators", verbose=0)
DEADLINE = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else "inf")
CLASSES = {"digits": load_digits, "wine": load_wine, "breast cancer": load_breast_cancer}
TARGETS = {
    "diabetes": load_diabetes,
    "Friedman 1": lambda **_: make_friedman1(1000, noise=1, random_state=0),
    "linear, 3 outputs": lambda **_: make_regression(
        500, 20, n_targets=3, noise=20, random_state=0
    ),
}
HIDDEN = ((100,), (64, 64), (64, 64, 64))


@MEMORY.cache
def scores(name: str, estimator: Pipeline) -> tuple[list[float], list[float]]:
    """Test score of each of five folds, and seconds that the fit took."""
    x, y = (CLASSES | TARGETS)[name](return_X_y=True)
    folds = (StratifiedKFold if name in CLASSES else KFold)(5, shuffle=True, random_state=0)
    # Both end some fits in their 200th epoch.
    warnings.simplefilter("ignore", ConvergenceWarning)
    with threadpool_limits(1):
        found = cross_validate(estimator, x, y, cv=folds)
    return list(found["test_score"]), list(found["fit_time"])


def with_sgd(**parameters: Any) -> EPClassifier:
    """EPClassifier with the other optimizer."""
    return EPClassifier(optimizer="sgd", **parameters)


def with_adam(**parameters: Any) -> EPRegressor:
    """EPRegressor with the other optimizer."""
    return EPRegressor(optimizer="adam", **parameters)


def with_fixed_sign(**parameters: Any) -> EPClassifier:
    """EPClassifier with a fixed sign of β and a higher rate."""
    return EPClassifier(beta_sign="fixed", learning_rate_init=0.1, **parameters)


VARIANTS = {with_sgd: "EPClassifier, SGD", with_adam: "EPRegressor, Adam"}
VARIANTS[with_fixed_sign] = "EPClassifier, fixed sign, rate 0.1"


def row(name: str, ours: Any, theirs: Any, hidden: Sequence[int]) -> str:
    cells, means = [name, str(hidden)], []
    for kind in (ours, theirs):
        estimator = kind(hidden_layer_sizes=hidden, random_state=0)
        if kind is MLPRegressor:
            estimator = TransformedTargetRegressor(estimator, transformer=StandardScaler())
        pipeline = make_pipeline(StandardScaler(), estimator)
        if time.monotonic() > DEADLINE and not scores.check_call_in_cache(name, pipeline):
            sys.exit("the time is over: start it again for the rows that are missing")
        found, seconds = map(np.array, scores(name, pipeline))
        means.append(found.mean())
        error = found.std(ddof=1) / len(found) ** 0.5
        cells += [f"{100 * means[-1]:.2f} ± {100 * error:.2f}", f"{seconds.mean():.2f} s"]
    cells.append(f"{100 * (means[0] - means[1]):+.2f}")
    return f"| {' | '.join(cells)} |"


def table(ours: Any, theirs: Any, names: dict[str, Any], score: str) -> list[str]:
    columns = [f"{VARIANTS.get(kind, kind.__name__)}: {score} | time" for kind in (ours, theirs)]
    lines = [
        f"| data | hidden units | {' | '.join(columns)} | difference |",
        "|---|---|---|---|---|---|---|",
    ]
    print("\n".join(lines))
    for name in names:
        for hidden in HIDDEN:
            lines.append(row(name, ours, theirs, hidden))
            print(lines[-1], flush=True)
    return lines


def main() -> None:
    cep.set_num_threads(1)
    lines = [
        INTRODUCTION,
        *table(EPClassifier, MLPClassifier, CLASSES, "accuracy, %"),
        "",
        *table(EPRegressor, MLPRegressor, TARGETS, "100 R²"),
        "",
        "With other options:",
        "",
        *table(with_sgd, MLPClassifier, CLASSES, "accuracy, %"),
        "",
        *table(with_fixed_sign, MLPClassifier, CLASSES, "accuracy, %"),
        "",
        *table(with_adam, MLPRegressor, TARGETS, "100 R²"),
    ]
    (HERE / "estimators.md").write_text("\n".join(lines) + "\n")


INTRODUCTION = """# The estimators compared with scikit-learn's

Written by `python results/estimators.py`. The tables show scores on five shuffled folds: the mean
and its standard error. Inputs are standardised (`StandardScaler`). All estimators have their
defaults and `random_state=0`. The targets of MLPRegressor are standardised too; EPRegressor scales
them itself. The time is that of one fit, the mean over the folds, on one thread of a machine that
also did other work. The defaults of EPClassifier were chosen on parts of the same three data sets
(see docs/sklearn.md).
"""


if __name__ == "__main__":
    main()
