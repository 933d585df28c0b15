"""Means, deviations and published values, for each seed, as numbers and text."""

import json
import math
import re

import pytest
from fake_trials import outcome

import cep
from cep.experiments import presets
from cep.reproduction import ROWS, Reproduction, Spread, Trials, report
from cep.reproduction.published import error_at_angle, initial_angle

pytestmark = pytest.mark.once

EP_1H = presets.get("EP-1h")

# The paper's printed table: test error, training error; and degrees from its Fig. 5a.
PRINTED = {
    "EP-1h": ("2.00 ± 0.13 %", "0.20 %", 17),
    "EP-2h": ("1.95 ± 0.10 %", "0.14 %", 49),
    "C-EP-1h": ("2.28 ± 0.16 %", "0.41 %", 50),
    "C-EP-2h": ("2.44 ± 0.14 %", "0.31 %", 53),
    "C-VF-1h": ("2.43 ± 0.08 %", "0.77 %", 65),
    "C-VF-2h": ("2.97 ± 0.19 %", "1.58 %", 61),
}
ANGLES = [0, 22.5, 45, 67.5, 90, 112.5, 135, 157.5, 180]
PERCENT_AT_ANGLES = {
    "C-VF-1h": [2.4, 2.4, 2.4, 2.5, 2.5, 4.6, 87, 91, 92.5],
    "C-VF-2h": [3.0, 3.5, 3.8, 4.6, 5.05, 20, 59, 74, 78],
}


def row(*runs: cep.RunOutcome, preset: presets.Preset = EP_1H) -> Reproduction:
    return Reproduction(runs, preset)


def ended(seed: int, errors: list[float], reason: str = "finished", **more: str) -> cep.RunOutcome:
    """A run of EP-1h with these last errors; earlier epochs have 0.4."""
    configuration = EP_1H.configuration.replace(seed=seed)
    before = [0.4] * (30 - len(errors)) if reason == "finished" else []
    return outcome(configuration, before + errors, reason, **more)


def line(text: str, start: str) -> list[str]:
    """The cells of the line of a table with this beginning."""
    found = next(each for each in text.splitlines() if each.startswith(start))
    return re.split(" {2,}", found)


def test_mean_and_sample_deviation() -> None:
    """Of 2, 3, 2.5 and 4.5: 3, and the root of (1 + 0 + 0.25 + 2.25) / 3."""
    trials = Trials(
        tuple(ended(seed, [last]) for seed, last in enumerate((0.02, 0.03, 0.025, 0.045)))
    )
    assert trials.test_error.mean == pytest.approx(0.03)
    assert trials.test_error.deviation == pytest.approx(0.01 * math.sqrt(3.5 / 3))
    assert trials.train_error.mean == pytest.approx(0.015)
    assert trials.train_error.deviation == pytest.approx(0.005 * math.sqrt(3.5 / 3))
    assert str(trials.test_error) == "3.00 ± 1.08 %"
    assert trials.seconds == 4 * 30 * 1.5


def test_the_best_epoch_is_each_seeds_own() -> None:
    trials = Trials((ended(0, [0.02, 0.05, 0.04]), ended(1, [0.06, 0.03, 0.07])))
    assert trials.best_test_error.mean == pytest.approx(0.025)
    assert trials.test_error.mean == pytest.approx(0.055)
    text = str(row(*trials.outcomes))
    assert line(text, "0 ")[3:6] == ["4.00%", "2.00%", "28"]
    assert line(text, "1 ")[3:6] == ["7.00%", "3.00%", "29"]


def test_one_seed_has_no_deviation() -> None:
    spread = Trials((ended(0, [0.03]),)).test_error
    assert spread.mean == 0.03
    assert math.isnan(spread.deviation)
    assert str(spread) == "3.00 %"
    assert math.isnan(Spread.of([]).mean)
    assert math.isnan(Spread.of([math.nan, math.nan]).deviation)
    assert str(Spread.of([])) == "none"


def test_a_seed_that_diverged_or_failed_is_shown_and_in_no_mean() -> None:
    good = [ended(0, [0.02]), ended(1, [0.04])]
    diverged = ended(2, [0.5, 0.1], "diverged", name="EP-1h/seed-2", message="layer 1 is infinite")
    failed = ended(3, [], "failed", name="EP-1h/seed-3", message="OSError: the disk is full")
    whole = row(*good, diverged, failed)
    assert (whole.diverged, whole.failed, whole.collapsed) == (1, 1, 0)
    for spread in ("test_error", "best_test_error", "train_error"):
        assert getattr(whole, spread) == getattr(row(*good), spread)
    text = str(whole)
    assert "over the 2 of 4 seeds that finished; 1 diverged; 1 failed" in text
    assert line(text, "2 ")[1:] == ["diverged", "2/30", "10.00%", "10.00%", "2", "5.00%", "3.0 s"]
    assert line(text, "3 ")[1:4] == ["failed", "0/30", "none"]
    assert "EP-1h/seed-2: layer 1 is infinite" in text
    assert "EP-1h/seed-3: OSError: the disk is full" in text
    assert line(text, "here")[1] == "3.00 ± 1.41 %"
    assert report.summary_cells(whole)[-1] == "1 diverged, 1 failed"


def test_without_finished_seeds_the_mean_is_nan() -> None:
    text = str(row(ended(0, [0.3], "diverged"), ended(1, [], "diverged")))
    assert "over the 0 of 2 seeds that finished; 2 diverged" in text
    assert line(text, "here")[1:] == ["none", "none", "none"]


def test_collapsed_seeds_are_in_one_of_the_means() -> None:
    whole = row(ended(0, [0.02]), ended(1, [0.902]), ended(2, [0.04]), ended(3, [0.5]))
    assert whole.collapsed == 1
    assert whole.test_error.mean == pytest.approx((0.02 + 0.902 + 0.04 + 0.5) / 4)
    assert whole.without_collapsed.test_error.mean == pytest.approx((0.02 + 0.04 + 0.5) / 3)
    text = str(whole)
    assert "over the 4 of 4 seeds that finished; 1 of the 4 collapsed" in text
    assert line(text, "1 ")[1:4] == ["collapsed", "30/30", "90.20%"]
    assert line(text, "without collapsed")[1].startswith("18.67 ± ")


@pytest.mark.parametrize("name", PRINTED)
def test_published_errors_stand_beside_ours(name: str) -> None:
    test, train, angle = PRINTED[name]
    preset = presets.get(name)
    trials = row(outcome(preset.configuration, [0.03] * 150), preset=preset)
    assert line(str(trials), "published") == ["published", test, train]
    cells = dict(zip(report.SUMMARY_HEADINGS, report.summary_cells(trials), strict=True))
    assert (cells["published test"], cells["published train"]) == (test, train)
    assert initial_angle(name) == angle


def test_the_table_has_the_rows_of_the_paper() -> None:
    assert list(ROWS) == list(PRINTED)


@pytest.mark.parametrize("name", PERCENT_AT_ANGLES)
def test_published_errors_at_each_angle(name: str) -> None:
    expected = [pytest.approx(percent / 100) for percent in PERCENT_AT_ANGLES[name]]
    assert [error_at_angle(name, angle) for angle in ANGLES] == expected
    assert error_at_angle(name, 30) is None
    variant = presets.get(f"{name}-alternating").with_fixed_feedback()
    assert [error_at_angle(variant.name, angle) for angle in ANGLES] == expected
    assert error_at_angle("EP-VF-1h", 0) is None


def test_without_published_values() -> None:
    exact = EP_1H.with_bptt()
    text = str(row(outcome(exact.configuration, [0.03] * 30), preset=exact))
    assert "no published error" in text
    assert "NOTE" not in text
    without_train = presets.get("EB-1h")
    trials = row(outcome(without_train.configuration, [0.03] * 30), preset=without_train)
    assert line(str(trials), "published") == ["published", "2.06 %", "none"]


def test_fewer_epochs_than_published_are_marked() -> None:
    short = outcome(EP_1H.configuration.replace(epochs=3), [0.1, 0.08, 0.06])
    text = str(row(short))
    assert "3 of 30 epochs" in text.splitlines()[0]
    assert "NOTE: not the published number of epochs" in text
    assert report.summary_cells(row(short))[2] == "3 of 30"
    full = str(row(ended(0, [0.02])))
    assert " 30 epochs" in full.splitlines()[0]
    assert "NOTE" not in full


def test_a_line_a_run() -> None:
    run = ended(4, [0.03, 0.04], name="EP-1h/seed-4")
    assert report.run_line(run) == (
        "EP-1h/seed-4  finished after 30/30 epochs: test error 4.00%, best 3.00% in epoch 29, "
        "train error 2.00%, 45.0 s"
    )
    failed = ended(5, [], "failed", name="EP-1h/seed-5", message="OSError: full\nTraceback")
    assert report.run_line(failed) == "EP-1h/seed-5  failed after 0/30 epochs: OSError: full"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(1.26, "1.3 s"), (119, "119.0 s"), (120, "2 min"), (7199, "120 min"), (9000, "2.5 h")],
)
def test_durations(seconds: float, words: str) -> None:
    assert report.duration(seconds) == words


def test_numbers_as_json() -> None:
    run = ended(7, [0.02, 0.03])
    values = json.loads(json.dumps(Trials((run,)).to_dict(), allow_nan=False))
    assert values["test_error"] == {"mean": 0.03, "deviation": None}
    assert values["best_test_error"]["mean"] == 0.02
    assert values["seeds"] == [
        {
            "seed": 7,
            "ended": "finished",
            "epochs": 30,
            "of_epochs": 30,
            "test_error": 0.03,
            "best_test_error": 0.02,
            "best_epoch": 29,
            "train_error": 0.015,
            "seconds": 45.0,
        }
    ]
