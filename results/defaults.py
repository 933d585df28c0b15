"""Searches for defaults of the estimators and of Configuration, by validation error.

    python results/defaults.py [SECONDS]

Writes defaults.md beside this file. Runs are kept in build/defaults. The script may be stopped,
also by itself after SECONDS, and started again. It needs MNIST, which it finds as
`cep.datasets.mnist` does.
"""

import sys
import time
import warnings
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Memory
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

import cep
from cep.learning.default_rates import RELATIVE_RATES
from cep.sklearn import EPClassifier

HERE = Path(__file__).resolve().parent
MEMORY = Memory(HERE.parent / "build" / "defaults", verbose=0)
DEADLINE = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else "inf")

LOADERS = {"digits": load_digits, "wine": load_wine, "breast cancer": load_breast_cancer}
# Few epochs, so that candidates that learn fast are preferred.
EPOCHS = {"digits": 20, "wine": 40, "breast cancer": 20, "MNIST-10,000": 3}
SMALL, ALL = list(LOADERS), list(EPOCHS)
HIDDEN = ((100,), (64, 64), (64, 64, 64))
SEEDS = range(5)

Candidate = dict[str, Any]
PHASES = {"free_steps": 30, "nudged_steps": 8, "beta": 0.5, "beta_sign": "fixed"}
RATES = {"c-ep": (0.25, 0.5, 1.0), "ep": (1.0, 2.0, 4.0)}
ADAM_RATES = {"c-ep": (0.001, 0.0025, 0.005), "ep": (0.05, 0.1, 0.2)}
VARIATIONS = (
    {"free_steps": 60},
    {"free_steps": 60, "nudged_steps": 16},
    {"nudged_steps": 15},
    {"beta": 0.2},
    {"beta": 1.0},
    {"beta_sign": "random"},
    {"beta_sign": "symmetric"},
)
# Of Configuration: c in its formula, as it does not know the mean square of its inputs.
CONFIGURATION_RATES = (1.0, 2.0, 4.0, 8.0)
SEARCHED: list[str] = []


@cache
def parts(name: str, seed: int) -> list[NDArray[Any]]:
    """Inputs for training, validation and test, then the labels.

    60, 20 and 20 % of the samples, drawn by the seed. Of MNIST 8,000 and 2,000 of the first 10,000
    training images, and all test images.
    """
    if name in LOADERS:
        x, y = LOADERS[name](return_X_y=True)
        x, x_test, y, y_test = train_test_split(x, y, test_size=0.2, random_state=seed, stratify=y)
        size = 0.25
    else:
        (x, y), (x_test, y_test) = cep.datasets.mnist()
        x, y, size = x[:10_000], y[:10_000], 0.2
    x, x_validation, y, y_validation = train_test_split(
        x, y, test_size=size, random_state=seed, stratify=y
    )
    return [x, x_validation, x_test, y, y_validation, y_test]


@MEMORY.cache
def classifier_errors(
    name: str, hidden: Sequence[int], seed: int, candidate: Candidate
) -> tuple[float, float]:
    """Validation and test error of EPClassifier, inputs standardised except for MNIST."""
    x, x_validation, x_test, y, y_validation, y_test = parts(name, seed)
    if name in LOADERS:
        scaler = StandardScaler().fit(x)
        x, x_validation, x_test = map(scaler.transform, (x, x_validation, x_test))
    epochs = {"max_iter": EPOCHS[name], "n_iter_no_change": EPOCHS[name]}
    classifier = EPClassifier(hidden, **candidate, **epochs, random_state=seed)
    try:
        classifier.fit(x, y)
    except cep.DivergenceError:
        return 1.0, 1.0
    return 1 - classifier.score(x_validation, y_validation), 1 - classifier.score(x_test, y_test)


@MEMORY.cache
def configuration_errors(
    name: str, hidden: Sequence[int], seed: int, candidate: Candidate
) -> tuple[float, float]:
    """The same of a configuration, inputs between 0 and 1 as `cep.datasets` has them."""
    x, x_validation, x_test, y, y_validation, y_test = parts(name, seed)
    if name == "digits":
        x, x_validation, x_test = x / 16, x_validation / 16, x_test / 16
    elif name in LOADERS:
        scaler = StandardScaler().fit(x)
        x, x_validation, x_test = (
            1 / (1 + np.exp(-scaler.transform(each))) for each in (x, x_validation, x_test)
        )
    options = {key: value for key, value in candidate.items() if key != "c"}
    configuration = cep.Configuration(
        data="own", inputs=x.shape[1], classes=y.max() + 1, hidden=hidden, seed=seed, **options
    )
    net, rule = configuration.make_network(), configuration.make_rule()
    rule = rule.scaled(candidate["c"] / RELATIVE_RATES["sgd"][configuration.rule])
    try:
        cep.fit(net, (x, y), rule, EPOCHS[name], seed=seed, progress=False)
    except cep.DivergenceError:
        return 1.0, 1.0
    validation, test = (x_validation, y_validation), (x_test, y_test)
    return cep.evaluate(net, validation).error, cep.evaluate(net, test).error


def errors(
    train: Any, candidate: Candidate, names: Iterable[str], seeds: Iterable[int]
) -> NDArray[np.float64]:
    """Data sets × networks × seeds × (validation, test)."""

    def run(*arguments: Any) -> tuple[float, float]:
        if time.monotonic() > DEADLINE and not train.check_call_in_cache(*arguments):
            sys.exit("the time is over: start it again for the runs that are missing")
        found: tuple[float, float] = train(*arguments)
        return found

    return np.array(
        [
            [[run(name, hidden, seed, candidate) for seed in seeds] for hidden in HIDDEN]
            for name in names
        ]
    )


def best(
    train: Any,
    candidates: Sequence[Candidate],
    names: Sequence[str],
    seeds: Sequence[int],
    count: int = 1,
) -> list[Candidate]:
    """The candidates with the lowest mean validation error over data, networks and seeds."""
    means = []
    for each in candidates:
        means.append(errors(train, each, names, seeds)[..., 0].mean())
        SEARCHED.append(f"| {in_words(each)} | {means[-1]:.2%} |")
        print(SEARCHED[-1], flush=True)
    return [candidates[k] for k in np.argsort(means, kind="stable")[:count]]


def in_words(candidate: Candidate) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in candidate.items())


def cheapest(train: Any, candidates: Sequence[Candidate]) -> Candidate:
    """The candidate with the fewest steps among those that cannot be told from the best one.

    These are the ones whose mean validation error is larger than the lowest by at most two standard
    errors of the difference, over seeds. A default must be valid for both rules, so symmetric signs
    of β, which C-EP does not have, cannot be chosen.
    """
    candidates = [each for each in candidates if each["beta_sign"] != "symmetric"]
    by_seed = np.array(
        [errors(train, each, ALL, SEEDS)[..., 0].mean((0, 1)) for each in candidates]
    )
    lowest = by_seed.mean(axis=1).argmin()
    differences = by_seed - by_seed[lowest]
    error = differences.std(axis=1, ddof=1) / len(SEEDS) ** 0.5
    near = np.flatnonzero(differences.mean(axis=1) <= 2 * error)
    steps = {k: candidates[k]["free_steps"] + candidates[k]["nudged_steps"] for k in near}
    fewest = [k for k in near if steps[k] == min(steps.values())]
    return candidates[min(fewest, key=lambda k: by_seed[k].mean())]


def main() -> None:
    cep.set_num_threads(1)
    for kind in (ConvergenceWarning, cep.LearningWarning):
        warnings.simplefilter("ignore", kind)
    finalists, with_adam = [], []
    for rule, relaxation in product(RATES, ("synchronous", "alternating")):
        phases = {"rule": rule, "relaxation": relaxation, **PHASES}
        rated = [phases | {"learning_rate_init": rate} for rate in RATES[rule]]
        [first] = best(classifier_errors, rated, SMALL, range(1))
        varied = [first | each for each in VARIATIONS]
        if rule == "c-ep":
            varied = [each for each in varied if each["beta_sign"] != "symmetric"]
        finalists += [first, *best(classifier_errors, varied, SMALL, range(1), count=2)]
    chosen = cheapest(classifier_errors, finalists)
    for rule, sign in product(ADAM_RATES, ("fixed", "random")):
        adam = chosen | {"rule": rule, "optimizer": "adam", "beta_sign": sign}
        rated = [adam | {"learning_rate_init": rate} for rate in ADAM_RATES[rule]]
        with_adam += best(classifier_errors, rated, SMALL, range(1))
    others = {name: value for name, value in chosen.items() if name != "learning_rate_init"}
    rated = [others | {"c": rate} for rate in CONFIGURATION_RATES]
    [configuration] = best(configuration_errors, rated, ALL, range(2))
    lines = [
        INTRODUCTION,
        *table("EPClassifier", classifier_errors, [*finalists, *with_adam[-2:]], chosen),
        *table("Configuration", configuration_errors, [configuration], configuration),
        *("", "## Searches", "", "| candidate | mean validation error |", "|---|---|", *SEARCHED),
    ]
    (HERE / "defaults.md").write_text("\n".join(lines) + "\n")


EPOCHS_EACH = ", ".join(f"{epochs} on {name}" for name, epochs in EPOCHS.items())
INTRODUCTION = f"""# Defaults of the estimators and of Configuration

Written by `python results/defaults.py`. The numbers are validation errors, means over three
networks and five seeds. The candidates in bold were chosen by the mean over four data sets: of
those within two standard errors of the lowest (of the difference, over seeds) the one with the
fewest steps. Symmetric signs of β could not be chosen, because C-EP does not have them. Test data
chose nothing.

Data: scikit-learn's digits, wine and breast cancer, 60 % of the samples for training, 20 % for
validation and 20 % for the test, drawn by the seed; and MNIST, 8,000 images for training and 2,000
for validation of the first 10,000 training images, and all test images. EPClassifier has
standardised inputs, those of MNIST between 0 and 1; Configuration has inputs between 0 and 1.
Hidden units: {", ".join(map(str, HIDDEN))}. Epochs: {EPOCHS_EACH}.
They are few, so that it also counts how fast a candidate learns.

The candidates come from searches with one seed on digits, wine and breast cancer, at the end of
this page. EPClassifier: for each rule and relaxation the best of three relative rates, and the best
two of its variations. The chosen one is in bold. The last rows have Adam, with both signs of β and
the best of three rates. EPClassifier has Adam and EPRegressor plain SGD, both with a random sign,
because that is more reliable in long trainings: estimators.md. Configuration, with plain SGD: the
best c in its formula of the learning rates, on all data with two seeds."""


def table(title: str, train: Any, candidates: list[Candidate], chosen: Candidate) -> list[str]:
    """Validation errors of the candidates, and test errors of the one that is chosen."""
    lines = [
        *("", f"## {title}", ""),
        f"| candidate | {' | '.join(ALL)} | mean |",
        "|---|" + "---|" * (len(ALL) + 1),
    ]
    for each in candidates:
        found = errors(train, each, ALL, SEEDS)[..., 0]
        words = f"**{in_words(each)}**" if each == chosen else in_words(each)
        cells = [f"{error:.2%}" for error in (*found.mean(axis=(1, 2)), found.mean())]
        lines.append(f"| {words} | {' | '.join(cells)} |")
    lines += [
        *("", "Of the chosen one, validation and test error, mean of five seeds ± its error:", ""),
        f"| hidden units | {' | '.join(ALL)} |",
        "|---|" + "---|" * len(ALL),
    ]
    found = errors(train, chosen, ALL, SEEDS)
    means, deviations = found.mean(axis=2), found.std(axis=2, ddof=1) / len(SEEDS) ** 0.5
    for k, hidden in enumerate(HIDDEN):
        cells = [
            ", ".join(
                f"{mean:.2%} ± {deviation:.2%}"
                for mean, deviation in zip(means[row, k], deviations[row, k], strict=True)
            )
            for row in range(len(ALL))
        ]
        lines.append(f"| {hidden} | {' | '.join(cells)} |")
    return lines


if __name__ == "__main__":
    main()
