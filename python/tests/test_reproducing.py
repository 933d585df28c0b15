"""cep.reproduce trains a preset with several seeds, each in its own directory."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fake_trials import quick_presets, write_run  # noqa: F401 (fixture)
from small_runs import fitted, small, without_times

import cep
from cep.experiments import RunDirectory, presets
from cep.experiments.presets import Preset
from cep.reproduction import read_rows, reproduce_rows
from cep.reproduction.series import all_series

pytestmark = [pytest.mark.once, pytest.mark.usefixtures("quick_presets")]


def reproduce(*arguments: Any, **options: Any) -> cep.Reproduction:
    return cep.reproduce(*arguments, **{"jobs": 1, "progress": False} | options)


def files(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_each_seed_is_trained_as_by_hand(tmp_path: Path) -> None:
    row = reproduce("EP-1h", 3, tmp_path)
    assert len(row.outcomes) == 3
    errors = []
    for seed, outcome in enumerate(row.outcomes):
        expected = small(rule="ep", seed=seed)
        directory = RunDirectory(tmp_path / "EP-1h" / f"seed-{seed}")
        assert directory.configuration() == outcome.configuration == expected
        assert directory.status()[:2] == ("finished", "")
        history = fitted(expected)[1]
        assert without_times(outcome.history) == without_times(history)
        errors.append(history.test_error[-1])
    assert len(set(errors)) > 1
    assert row.test_error.mean == pytest.approx(sum(errors) / 3)
    assert row.preset is presets.get("EP-1h")


def test_five_seeds_unless_otherwise_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    reproduce("C-EP-1h")
    made = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.glob("*/*/seed-*"))
    assert made == [f"runs/C-EP-1h/seed-{seed}" for seed in range(5)]


def test_runs_that_ended_are_not_repeated(tmp_path: Path) -> None:
    first = reproduce("C-VF-1h", 2, tmp_path)
    before = files(tmp_path)
    ended: list[str] = []
    again = reproduce("C-VF-1h", 3, tmp_path, on_run_end=lambda outcome: ended.append(outcome.name))
    after = files(tmp_path)
    assert {path: after[path] for path in before} == before
    assert [each.history for each in again.outcomes[:2]] == [
        each.history for each in first.outcomes
    ]
    assert sorted(ended) == [f"C-VF-1h/seed-{seed}" for seed in range(3)]


def test_an_interrupted_run_is_resumed(tmp_path: Path) -> None:
    def stop(history: cep.History) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        cep.run(small(rule="ep"), tmp_path / "EP-1h" / "seed-0", progress=False, on_epoch_end=stop)
    before = RunDirectory(tmp_path / "EP-1h" / "seed-0").metrics()
    assert len(before) == 1
    (outcome,) = reproduce("EP-1h", 1, tmp_path).outcomes
    assert RunDirectory(tmp_path / "EP-1h" / "seed-0").metrics()[:1] == before
    assert without_times(outcome.history) == without_times(fitted(small(rule="ep"))[1])


def test_fewer_epochs(tmp_path: Path) -> None:
    row = reproduce("EP-1h", 2, tmp_path, epochs=1)
    assert [len(outcome.history) for outcome in row.outcomes] == [1, 1]
    assert "1 of 3 epochs" in str(row)
    assert [len(outcome.history) for outcome in reproduce("EP-1h", 2, tmp_path).outcomes] == [3, 3]
    with pytest.raises(ValueError, match="another configuration: epochs is 3 there, 1 here"):
        reproduce("EP-1h", 2, tmp_path, epochs=1)


def test_with_bptt_the_same_networks_learn_by_the_gradient(tmp_path: Path) -> None:
    exact = presets.get("EP-1h").with_bptt()
    row = reproduce(exact, 2, tmp_path)
    for seed, outcome in enumerate(row.outcomes):
        assert outcome.name == f"EP-1h-with-BPTT/seed-{seed}"
        expected = fitted(small(rule="bptt", seed=seed))[1]
        assert without_times(outcome.history) == without_times(expected)
    assert str(row).startswith("EP-1h with BPTT: BPTT on digits, 64-16-10, 3 epochs")


def test_several_rows_at_a_time(tmp_path: Path) -> None:
    rows = reproduce_rows(["C-EP-1h", "EP-1h"], 2, tmp_path, jobs=1, progress=False)
    assert [row.preset.name for row in rows] == ["C-EP-1h", "EP-1h"]
    for row in rows:
        names = [outcome.name for outcome in row.outcomes]
        assert names == [f"{row.preset.name}/seed-{seed}" for seed in range(2)]


def test_divergence_is_reported(tmp_path: Path) -> None:
    wild = Preset("wild", small(beta=10.0, nudged_steps=1000), None)
    row = reproduce(wild, 2, tmp_path)
    assert (row.diverged, row.finished) == (2, ())
    assert str(row).count("diverged") >= 3
    assert "layer" in row.outcomes[0].message
    assert reproduce(wild, 2, tmp_path).diverged == 2


def test_what_is_on_disk_is_read(tmp_path: Path) -> None:
    trained = reproduce_rows(["EP-1h", "C-VF-1h"], 2, tmp_path, jobs=1, progress=False)
    configuration = presets.get("C-VF-1h").configuration
    errors = [0.3, 0.2, 0.1]
    for seed, epochs, status in ((10, 3, "finished"), (2, 2, "diverged"), (11, 3, "unfinished")):
        place = tmp_path / "C-VF-1h" / f"seed-{seed}"
        write_run(place, configuration.replace(seed=seed), errors[:epochs], status)
    (tmp_path / "C-VF-1h" / "seed-12").mkdir()
    read = read_rows(tmp_path)
    assert [row.preset.name for row in read] == ["EP-1h", "C-VF-1h"]
    assert [outcome.history for row in read for outcome in row.outcomes[:2]] == [
        outcome.history for row in trained for outcome in row.outcomes
    ]
    assert [outcome.name for outcome in read[1].outcomes] == [
        f"C-VF-1h/seed-{seed}" for seed in (0, 1, 2, 10)
    ]


@pytest.mark.parametrize("change", [{"beta": 0.3}, {"seed": 1}, {"free_steps": 9}])
def test_another_run_is_not_passed_off_as_a_row(change: dict[str, Any], tmp_path: Path) -> None:
    configuration = presets.get("EP-1h").configuration.replace(**change)
    write_run(tmp_path / "EP-1h" / "seed-0", configuration, [0.1] * 3)
    (field,) = change
    with pytest.raises(ValueError, match=f"EP-1h.seed-0 .*another configuration: {field} is"):
        read_rows(tmp_path)


def test_no_two_series_share_a_folder() -> None:
    folders = [series.folder for series in all_series()]
    assert len(set(folders)) == len(folders)
    assert {"EP-1h", "P-3h-with-BPTT", "angles/C-VF-2h/angle-157.5"} <= {*folders}
    assert not any(" " in folder for folder in folders)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda place: reproduce("cep-1h", 1, place), ValueError, "did you mean 'C-EP-1h'. known"),
        (lambda place: reproduce("EP-1h", 0, place), ValueError, "seeds must be 1 or more, got 0"),
        (lambda place: reproduce("EP-1h", 1.5, place), TypeError, "seeds must be an integer"),
        (lambda place: reproduce("EP-1h", 1, place, epochs=0), ValueError, "epochs must be 1 or"),
        (lambda place: reproduce("EP-1h", 1, place, jobs=0), ValueError, "jobs must be 1 or more"),
        (
            lambda place: reproduce("C-EP-2h", 2, place, data_root=place),
            FileNotFoundError,
            "MNIST was not found",
        ),
    ],
)
def test_invalid_arguments_leave_nothing(
    call: Callable[[Path], object], error: type[Exception], message: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=message):
        call(tmp_path / "runs")
    assert list(tmp_path.iterdir()) == []


def test_a_foreign_run_stops_all_before_any_is_trained(tmp_path: Path) -> None:
    write_run(tmp_path / "EP-1h" / "seed-1", small(beta=0.3, seed=1), [0.1])
    before = files(tmp_path)
    with pytest.raises(ValueError, match=r"seed-1 .*another configuration.*beta is 0.3 there"):
        reproduce("EP-1h", 2, tmp_path)
    assert files(tmp_path) == before


def test_finished_runs_need_no_data(tmp_path: Path) -> None:
    reproduce("EP-1h", 1, tmp_path)

    def fail(*arguments: object, **options: object) -> None:
        raise FileNotFoundError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cep.datasets, "load", fail)
        assert len(reproduce("EP-1h", 1, tmp_path).finished) == 1
    # Other data are refused.
    (x, y), test = small().load_data()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cep.datasets, "load", lambda *arguments, **options: ((x / 2, y), test))
        with pytest.raises(ValueError, match="a run on other data"):
            reproduce("EP-1h", 1, tmp_path)
