"""Callbacks: when they are called, what ends training, and the callbacks of the package."""

import csv
import importlib
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from snapshot import parameters, same

import cep

RULE = cep.EP(5, 4, 0.4, [0.4, 0.2])
X, Y = np.random.default_rng(0).random((40, 6)), np.arange(40) % 3


def network() -> cep.Network:
    return cep.Network([6, 9, 3], seed=1)


def fit(net: cep.Network, *callbacks: cep.Callback, epochs: int = 3, **options: Any) -> cep.History:
    options = {"seed": 0, "progress": False, "batch_size": 10, **options}
    return cep.fit(net, (X, Y), RULE, epochs, callbacks=callbacks, **options)


class Notes(cep.Callback):
    """Records its calls, and does what it is told in one of them."""

    def __init__(self, action: Any = None) -> None:
        self.notes: list[tuple[str, int, int]] = []
        self.action = action

    def _note(self, name: str, training: cep.Training) -> object:
        self.notes.append((name, training.epoch, training.position.batch))
        return self.action(name, training) if self.action else None

    def on_train_begin(self, training: cep.Training) -> object:
        return self._note("train begin", training)

    def on_epoch_begin(self, training: cep.Training) -> object:
        return self._note("epoch begin", training)

    def on_batch_end(self, training: cep.Training) -> object:
        return self._note("batch end", training)

    def on_epoch_end(self, training: cep.Training) -> object:
        return self._note("epoch end", training)

    def on_train_end(self, training: cep.Training) -> object:
        return self._note("train end", training)


def test_callbacks_are_called_in_order() -> None:
    notes = Notes()
    fit(network(), notes, epochs=2)
    expected: list[tuple[str, int, int]] = [("train begin", 1, 0)]
    for epoch in (1, 2):
        batches = [("batch end", epoch, batch) for batch in (1, 2, 3, 4)]
        expected += [("epoch begin", epoch, 0), *batches, ("epoch end", epoch, 0)]
    assert notes.notes == [*expected, ("train end", 2, 0)]


@pytest.mark.parametrize("raises", [False, True])
@pytest.mark.parametrize(
    ("moment", "batch", "epochs"), [("batch end", 2, 0), ("epoch end", 0, 1), ("epoch begin", 0, 0)]
)
def test_stop_ends_training_cleanly(moment: str, batch: int, epochs: int, raises: bool) -> None:
    def action(name: str, training: cep.Training) -> object:
        if (name, training.position.batch) != (moment, batch):
            return None
        if raises:
            raise cep.StopTraining
        return cep.STOP

    notes, later = Notes(action), Notes()
    history = fit(network(), notes, later)
    assert len(history) == epochs
    assert notes.notes[-1][0] == later.notes[-1][0] == "train end"
    # All are called before training stops, but not after one has raised an exception.
    assert ((moment, 1, batch) in later.notes) != raises


def test_an_error_calls_on_train_end() -> None:
    def fail(name: str, training: cep.Training) -> None:
        if name == "epoch end":
            raise LookupError

    notes = Notes(fail)
    with pytest.raises(LookupError):
        fit(network(), notes)
    assert notes.notes[-1][0] == "train end"


@pytest.mark.parametrize("callbacks", [cep.EarlyStopping(), [len], 5, [cep.EarlyStopping]])
def test_invalid_callbacks(callbacks: Any) -> None:
    net = network()
    with pytest.raises(TypeError, match="callback"):
        cep.fit(net, (X, Y), RULE, 1, progress=False, callbacks=callbacks)
    assert same(parameters(net), parameters(network()))


class Errors(cep.Callback):
    """Replaces the errors of training."""

    def __init__(self, errors: list[float]) -> None:
        self.errors = errors

    def on_epoch_end(self, training: cep.Training) -> None:
        training.history.train_error[-1] = self.errors[training.epoch - 1]


@pytest.mark.parametrize(
    ("errors", "patience", "min_delta", "epochs"),
    [
        ([0.5, 0.4, 0.4, 0.5, 0.1], 2, 0.0, 4),
        ([0.5, 0.4, 0.3, 0.2, 0.1], 1, 0.0, 5),
        ([0.5, 0.4, 0.3, 0.2, 0.1], 2, 0.15, 3),
        ([0.5, 0.5, 0.1, 0.2, 0.3], 2, 0.0, 5),
    ],
)
def test_early_stopping(errors: list[float], patience: int, min_delta: float, epochs: int) -> None:
    stopping = cep.EarlyStopping("train_error", patience, min_delta=min_delta)
    assert len(fit(network(), Errors(errors), stopping, epochs=5)) == epochs


def test_early_stopping_restores_the_best() -> None:
    net, best = network(), network()
    fit(best, epochs=2)
    stopping = cep.EarlyStopping("train_error", 2, restore_best=True)
    fit(net, Errors([0.5, 0.1, 0.2, 0.3, 0.4]), stopping, epochs=5)
    assert same(parameters(net), parameters(best))


def test_early_stopping_needs_what_it_watches() -> None:
    with pytest.raises(ValueError, match="has no validation data"):
        fit(network(), cep.EarlyStopping())
    with pytest.raises(ValueError, match="monitor must be"):
        cep.EarlyStopping("accuracy")


@pytest.mark.parametrize(
    ("schedule", "factors"),
    [
        (cep.LearningRateSchedule(lambda epoch: 1 / epoch), [1, 1 / 2, 1 / 3]),
        (cep.LearningRateSchedule.step({2: 0.5, 3: 0.1}), [1, 0.5, 0.1]),
        (
            cep.LearningRateSchedule.cosine(3, final=0.2),
            [0.2 + 0.4 * (1 + math.cos(math.pi * k / 3)) for k in range(3)],
        ),
    ],
)
def test_learning_rates_follow_a_schedule(schedule: cep.Callback, factors: list[float]) -> None:
    rates: list[Any] = []
    scheduled, by_hand = network(), network()
    look = Notes(lambda name, t: rates.append(t.rule.learning_rates) if "begin" in name else None)
    fit(scheduled, schedule, look)
    assert rates[1:] == [pytest.approx((0.4 * factor, 0.2 * factor)) for factor in factors]
    for factor in factors:
        rule = cep.EP(5, 4, 0.4, [0.4 * factor, 0.2 * factor])
        cep.fit(by_hand, (X, Y), rule, 1, 10, seed=0, progress=False)
    assert same(parameters(scheduled), parameters(by_hand))


@pytest.mark.parametrize("factor", [-1.0, math.nan, "much"])
def test_invalid_factors(factor: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="the factor of the learning rates must be"):
        fit(network(), cep.LearningRateSchedule(lambda epoch: factor))


def test_networks_are_saved(tmp_path: Path) -> None:
    net, best = network(), network()
    fit(best, epochs=2)
    callbacks = [
        Errors([0.5, 0.1, 0.2]),
        cep.SaveNetwork(tmp_path / "last"),
        cep.SaveNetwork(tmp_path / "best", "train_error"),
    ]
    fit(net, *callbacks)
    assert same(parameters(cep.load(tmp_path / "last")), parameters(net))
    assert same(parameters(cep.load(tmp_path / "best")), parameters(best))


def test_the_history_is_a_table(tmp_path: Path) -> None:
    history = fit(network(), cep.CSVLog(tmp_path / "log.csv"), validation_data=0.25)
    with (tmp_path / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["epoch"]) for row in rows] == [1, 2, 3]
    for name in ("train_error", "train_loss", "validation_error", "validation_loss", "seconds"):
        assert [float(row[name]) for row in rows] == getattr(history, name)


def test_event_files_for_tensorboard(tmp_path: Path) -> None:
    loader: Any = importlib.import_module("tensorboard.backend.event_processing.event_file_loader")
    history = fit(network(), cep.TensorBoard(tmp_path / "events"))
    (path,) = (tmp_path / "events").iterdir()
    found: dict[str, dict[int, float]] = {}
    for event in loader.LegacyEventFileLoader(str(path)).Load():
        for value in event.summary.value:
            found.setdefault(value.tag, {})[event.step] = value.simple_value
    assert set(found) == {"train_error", "train_loss", "seconds"}
    assert found["train_loss"] == pytest.approx(dict(enumerate(history.train_loss, start=1)))
