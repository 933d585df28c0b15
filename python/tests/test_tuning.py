"""cep.tune searches by validation error, can be continued, and does not use test data."""

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import cep
from cep.cli.tune import tune as tune_command

optuna = pytest.importorskip("optuna")

CONFIGURATION = cep.Configuration(data="mine", hidden=[8], epochs=3, rule="ep", free_steps=10,
                                  nudged_steps=4, learning_rates=0.1)  # fmt: skip
SEARCH: dict[str, Any] = {"learning_rates": (0.001, 1.0), "beta": [0.2, 0.5]}
STATES = optuna.trial.TrialState


def data(seed: int = 0) -> dict[str, Any]:
    generator = np.random.default_rng(seed)
    y = generator.integers(0, 3, 150)
    return {"train": (np.eye(3)[y] + generator.normal(0, 0.2, (150, 3)), y)}


@pytest.fixture
def storage() -> Any:
    """Quicker than a file."""
    return optuna.storages.InMemoryStorage()


def tune(storage: Any, search: Any = SEARCH, trials: int = 4, **options: Any) -> cep.TuneResult:
    options = {"data": data(), "storage": storage, "progress": False, **options}
    return cep.tune(options.pop("configuration", CONFIGURATION), search, trials=trials, **options)


def test_the_best_trial_is_the_run_of_its_configuration(storage: Any) -> None:
    """Its value is the validation error that a run of it ends with."""
    result = tune(storage)
    best = result.configuration
    assert best.replace(learning_rates=0.1, beta=0.5) == CONFIGURATION.of_data((3,), 3)
    again = cep.run(best, data=data(), progress=False)
    assert again.validation_error == result.validation_error
    values = [each.value for each in result.study.trials if each.state == STATES.COMPLETE]
    assert result.validation_error == min(values)
    rows = result.rows()
    assert len(rows) == 4
    assert rows[0]["validation_error"] == result.validation_error
    assert str(result).splitlines()[1].split()[2] == f"{result.validation_error:.2%}"


def test_values_are_from_the_search(storage: Any) -> None:
    search = {
        "learning_rates": (0.01, 0.2), "hidden": [[8], [6, 5]], "free_steps": (5, 9),
        "beta": (0.2, 0.4), "seed": range(3), "momentum": (0.0, 0.5),
    }  # fmt: skip
    result = tune(storage, search, trials=8)
    for trial in result.study.trials:
        found = cep.Configuration.from_dict(trial.user_attrs["configuration"])
        assert found.hidden in ((8,), (6, 5))
        assert len(found.learning_rates) == len(found.hidden) + 1
        assert len(set(found.learning_rates)) > 1  # Each its own.
        assert all(0.01 <= rate <= 0.2 for rate in found.learning_rates)
        assert 5 <= found.free_steps <= 9
        assert 0.2 <= found.beta <= 0.4
        assert found.seed in range(3)
        spread = trial.distributions["beta"], trial.distributions["momentum"]
        assert [each.log for each in spread] == [True, False]


def test_a_search_without_values_is_over_rates_and_beta(storage: Any) -> None:
    trial = tune(storage, None, trials=1).study.trials[0]
    assert set(trial.params) == {"learning_rates[0]", "learning_rates[1]", "beta"}
    rates = trial.distributions["learning_rates[0]"]
    assert (rates.low, rates.high) == pytest.approx((0.01, 1.0))


def test_test_data_are_not_touched(storage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The result is the same whatever they are, and none are evaluated."""
    x, y = data()["train"]
    sampler = optuna.samplers.RandomSampler
    results = []
    for name, test in (("one", (x, y)), ("another", (x, (y + 1) % 3))):
        split = {"train": (x, y), "test": test}
        options = {"data": split, "sampler": sampler(seed=0), "study_name": name}
        results.append(tune(storage, **options))
    assert results[0].rows() == results[1].rows()
    tested: list[Any] = []
    monkeypatch.setattr("cep.experiments.running.evaluate", lambda *a: tested.append(a))
    every_epoch = CONFIGURATION.replace(test_every_epoch=True)
    tune(storage, data=split, study_name="third", configuration=every_epoch, trials=1)
    assert not tested


def test_bad_trials_are_pruned(storage: Any) -> None:
    """A trial that does not learn is pruned after its first epoch, if other trials learn."""
    rates = [0.5, 0.6, 0.7, 0.8, 1e-9]
    configuration = CONFIGURATION.replace(epochs=6, free_steps=20, nudged_steps=8)
    sampler = optuna.samplers.GridSampler({"learning_rates": [repr(rate) for rate in rates]})
    pruner = optuna.pruners.MedianPruner(n_startup_trials=1, n_warmup_steps=0)
    result = tune(storage, {"learning_rates": rates}, 5, configuration=configuration,
                  sampler=sampler, pruner=pruner)  # fmt: skip
    still = next(t for t in result.study.trials if t.params["learning_rates"] == "1e-09")
    assert still.state == STATES.PRUNED or still.number == 0
    if still.state == STATES.PRUNED:
        assert len(still.intermediate_values) < 6
    assert result.validation_error < 0.2


def test_a_trial_that_diverges_is_pruned(storage: Any) -> None:
    """A linear output layer runs away with such rates."""
    configuration = CONFIGURATION.replace(loss="cross_entropy", activation="tanh", epochs=2)
    result = tune(storage, {"learning_rates": [1e30]}, 2, configuration=configuration)
    assert [trial.state for trial in result.study.trials] == [STATES.PRUNED] * 2
    with pytest.raises(ValueError, match="No trials are completed"):
        result.configuration  # noqa: B018
    assert math.isnan(result.rows()[0]["validation_error"]) or "pruned" in str(result)


def test_it_continues_until_the_number_of_trials(storage: Any) -> None:
    assert len(tune(storage, trials=2).study.trials) == 2
    assert len(tune(storage, trials=5, jobs=2).study.trials) >= 5
    before = len(tune(storage, trials=5).study.trials)
    assert len(tune(storage, trials=3).study.trials) == before


def test_it_continues_after_an_interruption(storage: Any) -> None:
    """The trial under way is lost, and another one takes its place."""

    def interrupt(trial: Any) -> None:
        if trial.number == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tune(storage, trials=4, on_trial_end=interrupt)
    done = [each.state for each in tune(storage, trials=4).study.trials]
    assert done.count(STATES.COMPLETE) + done.count(STATES.PRUNED) == 4


def test_a_study_is_kept_in_a_file_or_a_database(tmp_path: Path) -> None:
    """A name is that of an SQLite file; a URL is one of SQLAlchemy's."""
    for storage in (tmp_path / "study.db", f"sqlite:///{tmp_path}/study.db"):
        before = tune(storage, trials=1).study.trials
    assert len(before) == 1
    assert len(tune(storage, trials=2).study.trials) == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"data": data(1)}, "of other data"),
        ({"configuration": CONFIGURATION.replace(epochs=4)}, "of another configuration"),
        ({"search": {"learning_rates": (0.001, 1.0)}}, "of another search"),
        ({"search": SEARCH | {"beta": [0.2, 0.4]}}, "of other values to choose from"),
    ],
    ids=["data", "configuration", "fields", "choices"],
)
def test_another_study_is_refused(storage: Any, change: Any, message: str) -> None:
    tune(storage, trials=1)
    with pytest.raises(ValueError, match=message):
        tune(storage, **change)
    assert len(tune(storage, trials=1).study.trials) == 1
    tune(storage, **change, trials=1, study_name="another")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"trials": 0}, ValueError, "trials must be 1 or more, got 0"),
        ({"jobs": 0}, ValueError, "jobs must be 1 or more, got 0"),
        ({"search": {}}, TypeError, "search must be a mapping"),
        ({"search": {"betta": [1]}}, ValueError, "did you mean 'beta'"),
        ({"search": {"beta": []}}, ValueError, "beta has no values"),
        ({"search": {"beta": (0.5, 0.2)}}, ValueError, "the range of beta must rise"),
        ({"search": {"beta": 0.5}}, TypeError, "beta must be a range or a sequence"),
        ({"search": {"data": ["digits"]}}, ValueError, "data cannot be searched"),
        ({"search": {"free_steps": (1.5, 9.5)}}, TypeError, "free_steps must be an integer"),
        (
            {"configuration": CONFIGURATION.replace(validation_fraction=0)},
            ValueError,
            "tune needs validation data",
        ),
    ],
    ids=str,
)
def test_what_cannot_be_searched(
    storage: Any, options: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        tune(storage, **options)


def test_the_command(tmp_path: Path) -> None:
    np.savez(tmp_path / "mine.npz", x=data()["train"][0], y=data()["train"][1])
    command = [
        sys.executable, "-m", "cep", "tune", "--data", "mine.npz", "--hidden", "8", "--epochs", "2",
        "--rule", "ep", "--param", "beta=0.2..0.8", "--param", "learning_rates=0.01..1.0",
        "--param", "momentum=0.0,0.5", "--trials",
    ]  # fmt: skip
    outputs = [
        subprocess.run([*command, trials], capture_output=True, text=True, cwd=tmp_path, check=True)
        for trials in ("2", "3")
    ]
    lines = outputs[1].stdout.splitlines()
    assert lines[0].split()[0] == "2"  # The search continues.
    study = optuna.load_study(study_name="cep", storage=f"sqlite:///{tmp_path}/tune.db")
    assert len(study.trials) == 3
    assert lines[-1].startswith("best ")
    found = dict(part.split("=") for part in lines[-1].split()[1:])
    best = study.best_trial.user_attrs["configuration"]
    assert found["learning_rates"] == "+".join(map(repr, best["learning_rates"]))
    assert json.loads(found["beta"]) == best["beta"]
    refused = subprocess.run(
        [*command, "3", "--beta", "0.5"], capture_output=True, text=True, cwd=tmp_path
    )
    assert refused.returncode == 2
    assert "searched by --param: leave out --beta" in refused.stderr


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (["beta"], "--param must be a name and a range or values, such as beta=0.2..1.0"),
        (["beta=0.2..1.0", "beta=0.1,0.2"], "--param beta is given twice"),
    ],
)
def test_parameters_of_the_command_are_checked(parameters: list[str], message: str) -> None:
    words = [word for parameter in parameters for word in ("--param", parameter)]
    refused = CliRunner().invoke(tune_command, words)
    assert refused.exit_code == 2
    assert message in refused.stderr
