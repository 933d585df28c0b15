"""Whole epochs: history, seeds and progress."""

from typing import Any

import numpy as np
import pytest
from numpy_model import NumpyModel, loss_and_errors, one_hot
from snapshot import parameters, same

import cep

SIZES = (6, 20, 3)
RULES = [cep.EP(12, 6, 0.4, [0.4, 0.2]), cep.CEP(12, 6, 0.4, [0.1, 0.05])]


def samples(count: int, seed: int = 0) -> tuple[Any, Any]:
    generator = np.random.default_rng(seed)
    return generator.random((count, 6)), generator.integers(0, 3, count)


def network(seed: int = 1, dtype: str = "float32") -> cep.Network:
    return cep.Network(SIZES, seed=seed, dtype=dtype)


def fit(net: cep.Network, data: Any, rule: Any = RULES[1], **options: Any) -> cep.History:
    return cep.fit(net, data, rule, **{"epochs": 2, "seed": 0, "progress": False, **options})


@pytest.mark.parametrize("epochs", [1, 4])
def test_a_history_has_an_entry_an_epoch(epochs: int) -> None:
    data = samples(50)
    history = fit(network(), data, epochs=epochs, validation_data=samples(30, seed=5))
    assert len(history) == epochs
    for name in ("train_error", "train_loss", "validation_error", "validation_loss", "seconds"):
        assert len(getattr(history, name)) == epochs
        assert all(type(value) is float for value in getattr(history, name))
    history = fit(network(), data, epochs=epochs)
    assert len(history.train_error) == epochs
    assert history.validation_error == history.validation_loss == []


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_seed_determines_every_bit(rule: Any, dtype: str) -> None:
    data = samples(50)
    first, second, other = (network(dtype=dtype) for _ in range(3))
    histories = [
        fit(first, data, rule, seed=7),
        fit(second, data, rule, seed=7, progress=True),
        fit(other, data, rule, seed=8),
    ]
    assert same(parameters(first), parameters(second))
    assert histories[0].train_error == histories[1].train_error
    assert histories[0].train_loss == histories[1].train_loss
    assert not same(parameters(first), parameters(other))


def test_without_a_seed_the_order_is_another_every_time() -> None:
    first, second = network(), network()
    for net in (first, second):
        fit(net, samples(50), seed=None)
    assert not same(parameters(first), parameters(second))


def test_every_epoch_has_an_order_of_its_own() -> None:
    once, repeated, as_new = network(), network(), network()
    history = fit(once, samples(50), epochs=2, batch_size=1)
    first = fit(repeated, samples(50), epochs=1, batch_size=1)
    # A longer run begins like the shorter one.
    assert first.train_loss == history.train_loss[:1]
    for mine, theirs in zip(as_new.parameters(), repeated.parameters(), strict=True):
        mine[...] = theirs
    fit(repeated, samples(50), epochs=1, batch_size=1)
    assert same(parameters(once), parameters(repeated))
    fit(as_new, samples(50), epochs=1, batch_size=1)  # In the order of the first epoch again.
    assert not same(parameters(once), parameters(as_new))


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("batch_size", [5, 12, 1000, 2**62])
def test_every_sample_is_seen_once_an_epoch(rule: Any, batch_size: int) -> None:
    """Without learning, the sums over an epoch equal those of an evaluation.

    A sample used twice instead of another would change the sum of the losses.
    """
    frozen = type(rule)(rule.free_steps, rule.nudged_steps, rule.beta, 0.0)
    data = samples(37)
    net = network(dtype="float64")
    before = parameters(net)
    history = fit(net, data, frozen, batch_size=batch_size)
    error, loss = cep.evaluate(net, data, rule.free_steps)
    assert history.train_error == pytest.approx([error] * 2, abs=1e-12)
    assert history.train_loss == pytest.approx([loss] * 2, rel=1e-12)
    assert same(parameters(net), before)


@pytest.mark.parametrize("rule", RULES)
def test_one_batch_an_epoch_is_train_batch(rule: Any) -> None:
    """All samples in one batch: their order changes only the rounding of sums."""
    x, y = samples(23)
    fitted, stepped = network(dtype="float64"), network(dtype="float64")
    history = fit(fitted, (x, y), rule, epochs=3, batch_size=23)
    results = [cep.train_batch(stepped, x, y, rule) for _ in range(3)]
    assert history.train_loss == pytest.approx([result.loss for result in results], rel=1e-10)
    assert history.train_error == [result.errors / 23 for result in results]
    for mine, theirs in zip(parameters(fitted), parameters(stepped), strict=True):
        assert np.abs(mine - theirs).max() <= 1e-10


@pytest.mark.parametrize("rule", RULES)
def test_the_last_batch_is_a_batch_of_its_size(rule: Any) -> None:
    """Equal samples, so that their order does not matter: 7 in batches of 3 are 3, 3 and 1."""
    x, y = np.tile(samples(1)[0], (7, 1)), [2] * 7
    fitted, model = network(dtype="float64"), NumpyModel.of(network(dtype="float64"))
    history = fit(fitted, (x, y), rule, epochs=1, batch_size=3)
    losses = [model.train_batch(x[:rows], y[:rows], rule)[0] * rows for rows in (3, 3, 1)]
    assert history.train_loss[0] == pytest.approx(sum(losses) / 7, rel=1e-10)
    for array, expected in zip(fitted.weights, model.weights, strict=True):
        assert np.abs(array - expected).max() <= 1e-10
    assert fitted.states[0].shape == (1, 6)


def test_the_default_batch_is_20() -> None:
    by_default, explicit = network(), network()
    fit(by_default, samples(50))
    fit(explicit, samples(50), batch_size=20)
    assert same(parameters(by_default), parameters(explicit))


def test_validation_is_an_evaluation_after_the_epoch() -> None:
    data, held_out = samples(50), samples(300, seed=5)
    net, expected = network(), []
    history = fit(
        net,
        data,
        epochs=3,
        validation_data=held_out,
        on_epoch_end=lambda _: expected.append(
            cep.evaluate(net, held_out, RULES[1].free_steps),
        ),
    )
    assert history.validation_error == [error for error, _ in expected]
    assert history.validation_loss == [loss for _, loss in expected]
    without = network()
    fit(without, data, epochs=3)
    assert same(parameters(net), parameters(without))  # Only evaluated, not trained.


@pytest.mark.parametrize("rows", [1, 40, 128, 129, 300])
@pytest.mark.parametrize("soft", [False, True])
def test_evaluation_follows_the_equations(rows: int, soft: bool) -> None:
    net = network(dtype="float64")
    x, labels = samples(rows)
    y = np.random.default_rng(2).random((rows, 3)) if soft else labels
    output = NumpyModel.of(net).free_phase(x, 12)[-1]
    loss, errors = loss_and_errors(output, y if soft else one_hot(labels, 3))
    result = cep.evaluate(net, (x, y), 12)
    assert result.error == errors / rows
    assert result.loss == pytest.approx(loss, rel=1e-10)
    if not soft:
        assert result.error == np.mean(net.predict(x, 12) != labels)


@pytest.mark.parametrize("rule", RULES)
def test_training_learns(rule: Any, digits: Any) -> None:
    net = cep.Network([64, 64, 10], seed=0)
    assert cep.evaluate(net, digits, 20).error > 0.7
    gentle = type(rule)(20, 10, 0.5, [0.04, 0.015])
    # Seeds 0 to 4 end with 3.2 to 4.9 % and 3.1 to 4.4 %, the same on baseline and on AVX2.
    history = cep.fit(net, digits, gentle, 15, seed=0, progress=False)
    assert history.train_error[-1] < 0.1
    assert cep.evaluate(net, digits, 20).error < 0.08


def test_a_function_is_called_after_every_epoch() -> None:
    seen: list[tuple[int, bool]] = []
    kept: list[cep.History] = []

    def after(history: cep.History) -> None:
        seen.append((len(history), len(history.validation_error) == len(history)))
        kept.append(history)

    history = fit(network(), samples(50), epochs=3, validation_data=samples(10), on_epoch_end=after)
    assert seen == [(1, True), (2, True), (3, True)]
    assert all(each is history for each in kept)


def test_its_exception_ends_the_training() -> None:
    class EnoughError(Exception):
        pass

    def after(history: cep.History) -> None:
        if len(history) == 2:
            raise EnoughError

    stopped, shorter = network(), network()
    with pytest.raises(EnoughError):
        fit(stopped, samples(50), epochs=5, on_epoch_end=after)
    fit(shorter, samples(50), epochs=2)
    assert same(parameters(stopped), parameters(shorter))


def test_any_number_of_epochs_may_be_asked_for() -> None:
    """Training that is stopped early may ask for more epochs than needed."""

    class EnoughError(Exception):
        pass

    def after(history: cep.History) -> None:
        raise EnoughError

    with pytest.raises(EnoughError):
        fit(network(), samples(20), epochs=10**12, on_epoch_end=after)


def test_a_line_an_epoch_goes_to_a_standard_error_that_is_no_terminal(
    capfd: pytest.CaptureFixture[str],
) -> None:
    history = fit(network(), samples(50), epochs=3, progress=True)
    out, err = capfd.readouterr()
    assert out == ""
    assert [line.split(", ")[0] for line in err.splitlines()] == [
        f"epoch {epoch} of 3: training error {error:.2%}"
        for epoch, error in enumerate(history.train_error, start=1)
    ]


def test_a_progress_bar_goes_to_a_terminal(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    fit(network(), samples(50), epochs=3, progress=True)
    out, err = capfd.readouterr()
    assert out == ""
    for words in ("150/150", "epoch 3", "train error"):
        assert words in err


def test_no_progress_bar_where_none_is_wanted(capfd: pytest.CaptureFixture[str]) -> None:
    fit(network(), samples(50), progress=False, validation_data=samples(10))
    assert capfd.readouterr() == ("", "")
