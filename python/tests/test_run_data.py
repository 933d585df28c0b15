"""User data: arrays, files, memory maps and batches; held-out fractions; fingerprints."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from small_runs import files
from snapshot import parameters, same

import cep
from cep.cli import cep as command
from cep.datasets.splitting import stratified

X, Y = cep.datasets.wine()
DATA = {"train": (X[::2], Y[::2]), "test": (X[1::2], Y[1::2])}
MINE = cep.Configuration(data="mine", hidden=[8], epochs=2, free_steps=8, nudged_steps=4)
RULE = cep.EP(8, 4, 0.5, 0.05)


def run(*arguments: Any, **options: Any) -> cep.RunResult:
    return cep.run(*arguments, **{"progress": False, **options})


def network(features: int = 13, classes: int = 3) -> cep.Network:
    return cep.Network([features, 8, classes], seed=0)


def fit(data: Any, **options: Any) -> tuple[cep.Network, cep.History]:
    net = network()
    options = {"batch_size": 10, "seed": 0, "progress": False, **options}
    return net, cep.fit(net, data, RULE, 2, **options)


@pytest.mark.filterwarnings("ignore::cep.LearningWarning")
@pytest.mark.parametrize("load", ["digits", "wine", "breast_cancer"])
def test_tables_are_in_the_unit_interval(load: str) -> None:
    (x, y), (x_test, y_test) = cep.datasets.load(load)
    assert x.dtype == np.float32
    assert 0 <= min(x.min(), x_test.min()) < max(x.max(), x_test.max()) <= 1
    assert set(y) == set(y_test) == set(range(y.max() + 1))
    result = run(cep.Configuration(data=load, hidden=[8], epochs=1, free_steps=5, nudged_steps=2))
    assert 0 <= result.test_error <= 1


def test_a_run_on_arrays_records_their_sizes_and_fingerprint(tmp_path: Path) -> None:
    result = run(MINE, tmp_path, data=DATA)
    assert result.configuration == MINE.replace(inputs=13, classes=3)
    assert result.network.sizes == (13, 8, 3)
    assert cep.evaluate(result.network, DATA["test"], 8).error == result.test_error
    fingerprint = json.loads((tmp_path / "data.json").read_text())
    assert fingerprint["name"] == "mine"
    assert fingerprint["shapes"] == {"train": [[89, 13], [89]], "test": [[89, 13], [89]]}
    assert fingerprint["classes"] == 3
    assert len(fingerprint["sha256"]) == 64
    again = run(MINE, tmp_path, data=DATA, resume=True)
    assert again.test_error == result.test_error


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        ((1, 2, 3), TypeError, "data must be .* got tuple"),
        ({"x": DATA["train"]}, ValueError, "unknown part of the data 'x'"),
        ({"test": DATA["test"]}, ValueError, "no training data"),
        ({"train": DATA["train"][0]}, TypeError, r"data\['train'\] must be a pair"),
        ({"train": (X, Y[:3])}, ValueError, "train data must be x, .* one label per sample"),
        ("nowhere.npz", FileNotFoundError, "nowhere"),
        ({"train": (X, ["cat"] * len(X))}, TypeError, "integer classes"),
        ({"train": (X * np.nan, Y)}, ValueError, "finite|not a number"),
        ({**DATA, "test": (X[:, :5], Y)}, ValueError, "5"),
    ],
)
def test_invalid_data(data: Any, error: type[Exception], message: str, tmp_path: Path) -> None:
    with pytest.raises(error, match=message):
        run(MINE, tmp_path / "run", data=data)
    assert list(tmp_path.iterdir()) == []


def test_data_that_contradict_the_configuration(tmp_path: Path) -> None:
    for configuration in (cep.Configuration(), MINE.replace(inputs=12, classes=3)):
        with pytest.raises(ValueError, match=r"features and .* classes; the data have 13 and 3"):
            run(configuration, tmp_path / "run", data=DATA)
    with pytest.raises(ValueError, match="patience needs validation data"):
        run(MINE.replace(patience=1, validation_fraction=0), tmp_path / "run", data=DATA)
    with pytest.raises(ValueError, match=r"unknown data set .mine.* give the arrays"):
        run(MINE, tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


def test_sweeps_refuse_other_data(tmp_path: Path) -> None:
    options: dict[str, Any] = {"jobs": 1, "progress": False}
    first = cep.sweep(MINE, {"beta": [0.4]}, tmp_path, data=DATA, **options)
    assert first.outcomes[0].stop_reason == "finished"
    with pytest.raises(ValueError, match="holds a sweep on other data"):
        cep.sweep(MINE, {"beta": [0.4, 0.5]}, tmp_path, data={"train": (X, Y)}, **options)
    more = cep.sweep(MINE, {"beta": [0.4, 0.5]}, tmp_path, data=DATA, **options)
    assert [outcome.stop_reason for outcome in more] == ["finished", "finished"]


def test_many_runs_do_not_mix_data(tmp_path: Path) -> None:
    options: dict[str, Any] = {"jobs": 1, "progress": False}
    cep.run_many({"a": MINE}, tmp_path, data=DATA, **options)
    before = files(tmp_path)
    outcome = cep.run_many({"a": MINE}, tmp_path, data={"train": (X, Y)}, **options)["a"]
    assert (outcome.stop_reason, "on other data" in outcome.message) == ("failed", True)
    assert files(tmp_path) == before
    assert cep.run_many({"a": MINE}, tmp_path, data=DATA, **options)["a"].stop_reason == "finished"


def train(*options: object) -> Any:
    result = CliRunner().invoke(command, ["train", "--no-progress", *map(str, options)])
    assert result.exit_code == 0, result.output
    return result


@pytest.mark.parametrize("parts", [(), ("test",), ("test", "validation")])
def test_a_file_of_arrays(parts: tuple[str, ...], tmp_path: Path) -> None:
    """Images as bytes, as in Fashion-MNIST."""
    random = np.random.default_rng(0)
    arrays = {}
    for suffix in ("", *(f"_{part}" for part in parts)):
        arrays[f"x{suffix}"] = random.integers(0, 256, (40, 6, 5), dtype=np.uint8)
        arrays[f"y{suffix}"] = np.arange(40) % 4
    np.savez(tmp_path / "clothes.npz", **arrays)
    options = ("--data", tmp_path / "clothes.npz", "--hidden", "conv2d:3:3", "--epochs", 2)
    result = train(*options, "--run-dir", tmp_path / "run")
    learned = 40 if "test" in parts else 32
    assert f"clothes: {learned} to learn" in result.stdout
    directory = cep.RunDirectory(tmp_path / "run")
    configuration = directory.configuration()
    assert (configuration.data, configuration.inputs) == ("clothes", (1, 6, 5))
    assert configuration.classes == 4
    assert set(directory.data()["shapes"]) == {"train", "test", *parts}
    assert "test error" in train("--resume", tmp_path / "run").stdout
    random.shuffle(arrays["y"])
    np.savez(tmp_path / "clothes.npz", **arrays)
    changed = CliRunner().invoke(command, ["train", "--resume", str(tmp_path / "run")])
    assert "holds a run on other data" in changed.stderr


@pytest.mark.parametrize("content", [b"", b"no archive", None])
def test_files_without_data(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    if content is None:
        np.savez(path, inputs=X)
    else:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=r"a\.npz (is not an .npz file|must have the arrays)"):
        run(MINE, tmp_path / "run", data=path)


def test_a_share_is_held_out_class_by_class() -> None:
    y = np.repeat([0, 1, 2], [100, 50, 10])
    train_indices, held_out = stratified(y, 0.1, 3)
    assert sorted([*train_indices, *held_out]) == list(range(160))
    assert np.bincount(y[held_out]).tolist() == [10, 5, 1]
    assert not np.array_equal(held_out, stratified(y, 0.1, 4)[1])
    net, history = fit((X, Y), validation_data=0.25)
    kept, out = stratified(Y, 0.25, 0)
    by_hand, expected = fit((X[kept], Y[kept]), validation_data=(X[out], Y[out]))
    assert same(parameters(net), parameters(by_hand))
    assert history.validation_error == expected.validation_error


@pytest.mark.parametrize("share", [0.0, 1.0, -0.5, float("nan"), True])
def test_invalid_shares(share: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="validation_data must be"):
        fit((X, Y), validation_data=share)


def test_batches_are_trained_in_their_order() -> None:
    batches = [(X[start : start + 30], Y[start : start + 30]) for start in range(0, 178, 30)]
    net, history = fit(batches, validation_data=batches[:2])
    by_hand = network()
    errors = 0
    for epoch in range(2):
        for x, y in batches:
            wrong = cep.train_batch(by_hand, x, y, RULE).errors
            errors += wrong * epoch
    assert same(parameters(net), parameters(by_hand))
    assert history.train_error[1] == errors / 178
    together = cep.evaluate(net, (X[:60], Y[:60]), RULE.free_steps)
    assert history.validation_error[-1] == together.error == cep.evaluate(net, batches[:2], 8).error


def test_a_torch_data_loader_is_trained_with() -> None:
    torch = pytest.importorskip("torch")
    data = torch.utils.data.TensorDataset(torch.from_numpy(X), torch.from_numpy(Y))
    net, history = fit(torch.utils.data.DataLoader(data, batch_size=30))
    batches = [(X[start : start + 30], Y[start : start + 30]) for start in range(0, 178, 30)]
    assert same(parameters(net), parameters(fit(batches)[0]))
    assert len(history) == 2


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (iter([(X, Y)]), "ends after the first"),
        ([], "a pair"),
        (5, "a pair"),
        ([(X, Y, Y), (X, Y, Y)], "a pair|shape|dimension"),
    ],
)
def test_invalid_batches(data: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        fit(data)


def rss_of_anonymous_memory() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(dict(line.split(":", 1) for line in lines)["RssAnon"].split()[0]) * 1024


@pytest.mark.filterwarnings("ignore::cep.LearningWarning")
@pytest.mark.parametrize("dtype", [np.float32, np.uint8])
@pytest.mark.parametrize("share", [None, 0.1])
def test_memory_maps_are_not_copied(dtype: Any, share: float | None, tmp_path: Path) -> None:
    """Trains with far less memory than the data would need as float32."""
    samples, features = 2000, 8192
    x = np.memmap(tmp_path / "x", dtype, "w+", shape=(samples, features))
    y = np.arange(samples) % 3
    for start in range(0, samples, 500):
        x[start : start + 500] = start % 7 == 0
    net, rule = network(features), cep.EP(2, 1, 0.5, 1e-4)
    before = rss_of_anonymous_memory()
    highest = []

    class Look(cep.Callback):
        def on_epoch_begin(self, training: cep.Training) -> None:
            highest.append(rss_of_anonymous_memory())

        on_epoch_end = on_epoch_begin

    history = cep.fit(net, (x, y), rule, 1, 50, share, seed=0, progress=False, callbacks=[Look()])
    assert len(history) == 1
    assert max(highest) - before < samples * features * 4 / 1.5


def test_a_converted_memory_map_is_trained_like_its_samples(tmp_path: Path) -> None:
    x = np.memmap(tmp_path / "x", np.uint8, "w+", shape=X.shape)
    x[:] = X > 0.5
    mapped, history = fit((x, Y))
    assert same(parameters(mapped), parameters(fit((x, Y))[0]))
    assert not same(parameters(mapped), parameters(fit((x, Y), seed=1)[0]))
    assert len(history) == 2


def test_a_run_may_get_more_epochs(tmp_path: Path) -> None:
    longer = run(MINE.replace(epochs=5), data=DATA)
    run(MINE, tmp_path, data=DATA)
    result = run(MINE.replace(epochs=5), tmp_path, data=DATA, resume=True)
    assert same(parameters(result.network), parameters(longer.network))
    assert result.history.train_loss == longer.history.train_loss
    assert cep.RunDirectory(tmp_path).configuration().epochs == 5
    for other in (MINE, MINE.replace(epochs=6, beta=0.3)):
        with pytest.raises(ValueError, match="another configuration"):
            run(other, tmp_path, data=DATA, resume=True)


def test_a_run_may_get_more_patience(tmp_path: Path) -> None:
    still = MINE.replace(epochs=9, learning_rates=0.0, patience=2)
    assert len(run(still, tmp_path, data=DATA).history) == 3
    result = run(still.replace(patience=4), tmp_path, data=DATA, resume=True)
    assert (len(result.history), result.stop_reason) == (5, "patience")
    assert len(run(still.replace(patience=None), tmp_path, data=DATA, resume=True).history) == 9


def test_histories_and_sweeps_are_tables(tmp_path: Path) -> None:
    _, history = fit((X, Y), validation_data=0.2)
    heading, *rows = str(history).splitlines()
    assert heading.split("  ")[0] == "epoch"
    assert len(rows) == 2
    assert str(cep.History()) == "no epoch was finished"
    sweep = cep.sweep(MINE, {"seed": [0, 1]}, tmp_path, data=DATA, jobs=1, progress=False)
    assert str(sweep) == sweep.table()
    pytest.importorskip("pandas")
    frame = history.to_dataframe()
    assert list(frame["train_loss"]) == history.train_loss
    assert list(frame["epoch"]) == [1, 2]
    assert list(sweep.to_dataframe()["seed"]) == [0, 1]
