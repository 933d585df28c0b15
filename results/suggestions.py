"""The rules that `cep.suggest` recommends, compared with EPClassifier.

Trains with both on some data sets, prints a table and writes suggestions.md beside this file; rows
of other data sets stay. MNIST is looked for as `cep.datasets.mnist` does:

    python results/suggestions.py digits wine breast_cancer mnist
"""

import sys
import warnings
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

import cep
from cep.sklearn import EPClassifier

HERE = Path(__file__).resolve().parent
# Splits, with the seeds of networks and shuffles; and epochs at most.
TRIALS = {"digits": (3, 60), "wine": (5, 200), "breast_cancer": (4, 200), "mnist": (1, 60)}
COMMENT = """# Suggestions

Written by `python results/suggestions.py`: test errors of networks with one hidden layer of 100
units, trained with `cep.suggest(net, x, y, rule=...).rule`, compared with `EPClassifier()`, which
trains with EP and alternating free phases. All train until the loss has not fallen by 1e-4 for ten
epochs, at most 200 epochs, 60 on the digits and on MNIST (the first 10,000 training images, and
all test images). Other data sets are split again for each seed, a quarter to test. Errors are means
over the seeds; steps and rates are those of the first.

| data | seeds | suggestion | T | K | β | learning rates | epochs | test error | EPClassifier | \
difference in percentage points |
|---|---|---|---|---|---|---|---|---|---|---|"""


def main() -> None:
    warnings.simplefilter("ignore", ConvergenceWarning)
    page = HERE / "suggestions.md"
    before = page.read_text().splitlines() if page.exists() else []
    rows = {name: [line for line in before if line.startswith(f"| {name} ")] for name in TRIALS}
    print(COMMENT)
    for name in sys.argv[1:] or TRIALS:
        rows[name] = lines(name)
        page.write_text("\n".join([COMMENT, *chain.from_iterable(rows.values())]) + "\n")


def lines(name: str) -> list[str]:
    """A row for each rule."""
    seeds, epochs = TRIALS[name]
    baseline = np.mean([classifier(split(name, seed), epochs, seed) for seed in range(seeds)])
    found = []
    for rule in (cep.EP, cep.CEP):
        trained = [suggested(split(name, seed), rule, epochs, seed) for seed in range(seeds)]
        error = np.mean([each for _, _, each in trained])
        first, last = trained[0][0], np.mean([length for _, length, _ in trained])
        rates = ", ".join(f"{rate:g}" for rate in first.learning_rates)
        cells = [
            *(name, str(seeds), first.rule.name, str(first.free_steps), str(first.nudged_steps)),
            *(f"{first.beta:g}", rates, f"{last:.0f}", f"{error:.2%}", f"{baseline:.2%}"),
            f"{100 * (error - baseline):+.2f}",
        ]
        found.append(f"| {' | '.join(cells)} |")
        print(found[-1], flush=True)
    return found


def split(name: str, seed: int) -> tuple[Any, Any, Any, Any]:
    """x, x_test, y, y_test."""
    if name == "mnist":
        (x, y), (x_test, y_test) = cep.datasets.mnist()
        return x[:10_000], x_test, y[:10_000], y_test
    x, y = getattr(cep.datasets, name)()
    parts: Any = train_test_split(x, y, test_size=0.25, stratify=y, random_state=seed)
    return tuple(parts)  # type: ignore[return-value]


def classifier(data: tuple[Any, Any, Any, Any], epochs: int, seed: int) -> float:
    """Test error of EPClassifier with its defaults."""
    x, x_test, y, y_test = data
    return 1 - EPClassifier(max_iter=epochs, random_state=seed).fit(x, y).score(x_test, y_test)


def suggested(
    data: tuple[Any, Any, Any, Any], rule: Any, epochs: int, seed: int
) -> tuple[cep.Suggestion, int, float]:
    """The suggestion, epochs trained, and the test error."""
    x, x_test, y, y_test = data
    net = cep.Network([x.shape[1], 100, int(y.max()) + 1], seed=seed)
    suggestion = cep.suggest(net, x, y, rule=rule)
    stopping = cep.EarlyStopping("train_loss", 10, min_delta=1e-4)
    history = cep.fit(
        net, (x, y), suggestion.rule, epochs, seed=seed, progress=False, callbacks=[stopping]
    )
    return suggestion, len(history), cep.evaluate(net, (x_test, y_test)).error


if __name__ == "__main__":
    main()
