"""Training gives a warning if the network does not learn, and none if it learns."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from snapshot import fingerprint

import cep
from cep.training.checks import LearningChecks

X, Y = cep.datasets.digits()
RULE = cep.CEP(30, 10, 0.5, [0.03, 0.008])


def network(**options: Any) -> cep.Network:
    return cep.Network([64, 32, 10], seed=0, **options)


def saturated() -> cep.Network:
    net = network()
    net.biases[0][...] = 5
    return net


def oscillating() -> cep.Network:
    """Output and hidden units push each other from one bound to the other, whatever the input."""
    net = network(activation="hard_sigmoid")
    net.weights[0][...] = 0
    net.weights[1][...] = -1
    net.biases[0][...] = net.biases[1][...] = 1
    return net


def kinds(net: cep.Network, data: Any = (X, Y), rule: Any = RULE, epochs: int = 1) -> list[str]:
    """The warnings of a training, each by some words of it."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        cep.fit(net, data, rule, epochs, seed=0, progress=False)
    for each in caught:
        assert each.category is cep.LearningWarning
        assert each.filename == __file__
    words = {
        "inputs": "the inputs reach",
        "update": "the first update of weights",
        "chance": "and guessing gives",
        "bounds": "at a bound of their activation for all",
        "oscillation": "a cycle of two states",
    }
    messages = [str(each.message) for each in caught]
    found = [[kind for kind, text in words.items() if text in each] for each in messages]
    assert all(len(each) == 1 for each in found), messages
    return sorted(kind for each in found for kind in each)


@pytest.mark.parametrize(
    ("net", "data", "rule", "expected"),
    [
        (network(), (X * 255, Y), RULE, {"inputs"}),
        (network(activation="tanh"), (X * 255, Y), RULE, {"inputs"}),
        (
            network(setting="real-time", activation="hard_sigmoid"),
            (X * 255, Y),
            cep.EP(20, 5, 0.5, [0.01, 0.01]),
            {"inputs"},
        ),
        (network(), (X, Y), cep.EP(30, 10, 0.5, [300.0, 0.05]), {"update"}),
        (network(), (X, Y), cep.EP(30, 10, 0.5, [1e-6, 1e-6]), {"chance"}),
        (network(), (X, Y), cep.CEP(30, 10, 0.05, [0.03, 0.008]), {"chance"}),
        (network(), (X, np.eye(10)[Y]), cep.EP(30, 10, 0.5, [1e-6, 1e-6]), {"chance"}),
        (saturated(), (X, Y), RULE, {"bounds"}),
        (oscillating(), (X, Y), cep.EP(30, 10, 0.5, [1e-6, 1e-6]), {"oscillation"}),
    ],
    ids=[
        "images of bytes", "tanh", "real time", "large rates", "small rates", "small beta",
        "one-hot targets", "biases", "cycle",
    ],
)  # fmt: skip
def test_it_is_said_what_is_wrong(
    net: cep.Network, data: Any, rule: Any, expected: set[str]
) -> None:
    found = kinds(net, data, rule, epochs=3)
    assert expected <= set(found)
    assert len(found) == len(set(found))  # Each once.


def test_it_is_said_what_to_do() -> None:
    """Divided as the message says, the first update is a tenth of the weights at most."""
    rates = [300.0, 0.05]
    with pytest.warns(cep.LearningWarning) as caught:
        cep.fit(network(), (X, Y), cep.EP(30, 10, 0.5, rates), 1, seed=0, progress=False)
    message = next(str(each.message) for each in caught if "update" in str(each.message))
    divisor = int(message.partition("learning_rates[0] by ")[2].split()[0])
    net, order = network(), np.random.default_rng(0).permutation(len(X))[:20]
    before = net.weights[0].copy()
    cep.train_batch(net, X[order], Y[order], cep.EP(30, 10, 0.5, [300 / divisor, 0.05]))
    size = np.linalg.norm(net.weights[0] - before) / np.linalg.norm(before)
    assert 0.01 < size < 0.3


def standardized() -> Any:
    return (X - X.mean(axis=0)) / (X.std(axis=0) + 0.1), Y


@pytest.mark.parametrize(
    ("net", "data", "rule"),
    [
        (network(), (X, Y), RULE),
        (network(), (X, Y), cep.EP(30, 10, 0.5, [0.1, 0.05])),
        (network(activation="hard_sigmoid"), (X, Y), RULE),
        (network(), standardized(), RULE),
        (network(), [(X[k::89], Y[k::89]) for k in range(89)], RULE),
        (cep.Network([13, 32, 3], seed=0), cep.datasets.wine(), cep.EP(30, 10, 0.5, [0.1, 0.02])),
        (
            cep.Network([30, 32, 2], seed=0),
            cep.datasets.breast_cancer(),
            cep.CEP(30, 10, 0.5, [0.1, 0.01]),
        ),
        # Values are no classes: the error means nothing.
        (cep.Network([64, 32, 2], seed=0), (X, X[:, 20:22]), cep.EP(30, 10, 0.5, [1e-6, 1e-6])),
    ],
    ids=[
        "digits", "EP", "hard", "standardized", "batches", "wine", "breast cancer", "values",
    ],
)  # fmt: skip
def test_nothing_is_said_of_training_that_learns(net: cep.Network, data: Any, rule: Any) -> None:
    assert kinds(net, data, rule, epochs=6) == []


def test_few_samples_are_no_evidence() -> None:
    still = cep.EP(30, 10, 0.5, [1e-6, 1e-6])
    assert kinds(network(), (X[:500], Y[:500]), still, epochs=9) == []
    assert kinds(network(), (X[:500], Y[:500]), still, epochs=10) == ["chance"]


def test_guessing_is_predicting_the_most_frequent_class() -> None:
    """Of two classes with 90 % and 10 %, 10 % wrong is chance and 3 % is not."""
    y = (np.arange(len(X)) % 10 == 0).astype(int)
    still = cep.EP(30, 10, 0.5, [0.0, 0.0], bias_learning_rates=[0.0, 0.05])
    assert kinds(cep.Network([64, 16, 2], seed=0), (X, y), still, epochs=3) == ["chance"]
    seen = X.copy()
    seen[:, :20] = y[:, None]
    learns = cep.EP(30, 10, 0.5, [0.1, 0.05])
    assert kinds(cep.Network([64, 16, 2], seed=0), (seen, y), learns, epochs=3) == []


def test_the_network_is_that_of_a_training_without_checks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Looking changes nothing, neither parameters nor random numbers."""
    from cep.training.checks import LearningChecks

    rule = cep.EP(30, 10, 0.5, [0.1, 0.05], beta_sign="random")
    nets = [network(neurons=cep.hardware.Neurons(state_noise=0.01)) for _ in range(2)]
    cep.fit(nets[0], (X, Y), rule, 1, seed=0, progress=False)
    for name in ("begin_epoch", "check_epoch"):
        monkeypatch.setattr(LearningChecks, name, lambda self, *arguments: None)
    cep.fit(nets[1], (X, Y), rule, 1, seed=0, progress=False)
    assert fingerprint(nets[0]) == fingerprint(nets[1])


@pytest.fixture
def still() -> cep.Configuration:
    return cep.Configuration(hidden=[16], epochs=1, learning_rates=1e-6, seed=1)


def test_runs_warn_and_keep_the_warnings(still: cep.Configuration, tmp_path: Path) -> None:
    with pytest.warns(cep.LearningWarning, match="guessing"):
        result = cep.run(still, tmp_path / "run", progress=False)
    assert len(result.warnings) == 1
    assert "guessing" in result.warnings[0]


def test_a_trained_network_is_not_evaluated_if_no_warning_can_follow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Few samples, at chance: only the first epoch of a new network evaluates them."""
    calls: list[int] = []
    error = LearningChecks._error
    monkeypatch.setattr(
        LearningChecks, "_error", lambda self, steps: calls.append(steps) or error(self, steps)
    )
    net, still = network(), cep.EP(30, 10, 0.5, 1e-9)
    for _ in range(3):
        cep.fit(net, (X[:100], Y[:100]), still, epochs=2, progress=False)
    assert calls == [30]


@pytest.mark.parametrize("jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_sweeps_warn_with_the_name_of_the_run(
    still: cep.Configuration, tmp_path: Path, jobs: int
) -> None:
    values = {"learning_rates": [1e-6, 0.1], "rule": ["ep"]}
    with pytest.warns(cep.LearningWarning) as caught:
        result = cep.sweep(still.replace(epochs=2), values, tmp_path, jobs=jobs, progress=False)
    name = result.outcomes[0].name
    assert [str(each.message).partition(":")[0] for each in caught] == [f"run {name!r}"]
    assert [len(outcome.warnings) for outcome in result] == [1, 0]


def test_estimators_warn() -> None:
    sklearn = pytest.importorskip("cep.sklearn")
    classifier = sklearn.EPClassifier(max_iter=1, learning_rate_init=1e-6, random_state=0)
    with pytest.warns() as caught:
        classifier.fit(X, Y)
    assert cep.LearningWarning in [each.category for each in caught]


@pytest.mark.parametrize("scale", [1, 16, 255])
def test_estimators_take_inputs_of_any_scale(scale: float) -> None:
    """They scale the first weights by the inputs."""
    sklearn = pytest.importorskip("cep.sklearn")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", cep.LearningWarning)
        sklearn.EPClassifier(max_iter=2, random_state=0).fit(X * scale, Y)
