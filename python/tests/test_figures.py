"""The paper's figures: the source of each number drawn, and the files."""

import json
import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import scipy.stats
from fake_trials import outcome, quick_presets, write_run  # noqa: F401 (fixture)
from numpy.typing import NDArray
from small_runs import fitted, small, without_times

import cep
from cep import reproduction
from cep.experiments import RunDirectory, presets
from cep.reproduction import (
    AngleSweep,
    Correlation,
    CorrelationPoint,
    InitialAngles,
    Trials,
    initial_angles,
)
from cep.reproduction.angle_figure import feedback_angles
from cep.reproduction.rank_correlation import rank_correlation

pytestmark = pytest.mark.once

ANGLES = (0, 22.5, 45, 67.5, 90, 112.5, 135, 157.5, 180)
QUIET: dict[str, Any] = {"jobs": 1, "progress": False}


def trials(name: str, *lasts: float, **changes: Any) -> Trials:
    """Runs with these last test errors; NaN: diverged in the second epoch."""
    configuration = presets.get(name).configuration.replace(**changes)
    runs = []
    for seed, last in enumerate(lasts):
        finished = last == last
        errors, reason = ([last / 2, last], "finished") if finished else ([0.3], "diverged")
        runs.append(outcome(configuration.replace(seed=seed), errors, reason))
    return Trials(tuple(runs))


def lines(axes: Any) -> list[list[tuple[float, float]]]:
    """The points of everything drawn into axes."""
    return [
        [(float(x), float(y)) for x, y in zip(*line.get_data(), strict=True)] for line in axes.lines
    ]


def near(points: list[tuple[float, float]], drawn: list[list[tuple[float, float]]]) -> bool:
    """Whether one of the drawn curves has these points."""
    return any(
        len(each) == len(points) and np.allclose(each, points, equal_nan=True) for each in drawn
    )


@pytest.mark.usefixtures("quick_presets")
def test_each_angle_is_trained_as_by_hand(tmp_path: Path) -> None:
    sweep = reproduction.angles("C-VF-1h", 1, tmp_path, epochs=2, **QUIET)
    assert tuple(sweep.trials) == ANGLES
    for angle, each in sweep.trials.items():
        expected = small(
            feedback="untied", beta_sign="random", feedback_angle=angle, epochs=2,
            diagnostics_every=1_000_000, diagnostics_kinds=("feedback_angles",),
        )  # fmt: skip
        directory = RunDirectory(tmp_path / "angles" / "C-VF-1h" / f"angle-{angle:g}" / "seed-0")
        assert directory.configuration() == expected
        (run,) = each.outcomes
        assert without_times(run.history) == without_times(fitted(expected)[1])
        net = expected.make_network()
        assert net.feedback_angles()[1] == pytest.approx(angle, abs=15)
    again = reproduction.read_angles("C-VF-1h", tmp_path)
    assert again.rows() == sweep.rows()
    assert again.rows()[1][:4] == ["22.5°", "learned", "1", "2 of 3"]


@pytest.mark.usefixtures("quick_presets")
def test_fixed_feedback_keeps_its_weights_and_learned_feedback_turns(tmp_path: Path) -> None:
    sweep = reproduction.angles("C-VF-1h", 1, tmp_path, fixed_feedback=True, epochs=2, **QUIET)
    folder = tmp_path / "angles" / "C-VF-1h-with-fixed-feedback"
    for angle in ANGLES:
        run = RunDirectory(folder / f"angle-{angle:g}" / "seed-0")
        assert run.configuration().feedback_learning_rates == (0, 0)
        before = run.configuration().make_network().feedback_weights[1]
        after = cep.load(run.last).feedback_weights[1]
        assert before is not None
        assert after is not None
        assert before.tolist() == after.tolist()
    learned, fixed = (
        feedback_angles(curve[180.0].outcomes[0]) for curve in (sweep.trials, sweep.fixed)
    )
    # Before the first epoch and before the second.
    assert len(learned) == len(fixed) == 2
    assert learned[0] == fixed[0] == pytest.approx(180)
    assert max(learned[1], fixed[1]) < 180
    assert learned[1] != fixed[1]
    drawn = lines(sweep.plot().axes[1])
    assert near(list(enumerate(learned)), drawn)
    assert near(list(enumerate(fixed)), drawn)
    again = reproduction.read_angles("C-VF-1h", tmp_path)
    assert again.rows() == sweep.rows()
    assert [row[:2] for row in again.rows()[8:10]] == [["180°", "learned"], ["0°", "fixed"]]
    numbers = sweep.to_dict()["angles"]
    assert [each["feedback"] for each in numbers] == ["learned"] * 9 + ["fixed"] * 9
    assert numbers[8]["angle_before_each_epoch"] == learned


def test_the_angle_figure_says_when_learned_feedback_has_turned(tmp_path: Path) -> None:
    curves: list[dict[float, Trials]] = [{}, {}]
    courses = {(0, 0.0): [1, 5], (0, 180.0): [180, 110, 91, 87], (1, 180.0): [180, 170]}
    for (curve, angle), degrees in courses.items():
        run = tmp_path / f"{curve}-{angle}"
        run.mkdir()
        records = [
            {"epoch": epoch, "batch": 0, "batches": 3, "feedback_angles": [each - 1, each + 1]}
            for epoch, each in enumerate(degrees, start=1)
        ]
        (run / "records.jsonl").write_text("".join(json.dumps(each) + "\n" for each in records))
        each = outcome(presets.get("C-VF-2h").configuration, [0.03])
        curves[curve][angle] = Trials((replace(each, directory=run),))
    turning = AngleSweep(presets.get("C-VF-2h"), *curves).plot().axes[1]
    assert turning.get_title() == "learned feedback is below 90° after 3 epochs"
    for degrees in courses.values():
        assert near(list(enumerate(degrees)), lines(turning))
    # If one run ends beyond 90°, the figure does not say so.
    del curves[0][0.0]
    curves[0][0.0] = curves[1][180.0]
    assert not AngleSweep(presets.get("C-VF-2h"), *curves).plot().axes[1].get_title()


def test_runs_with_and_without_records_are_the_same_experiment(tmp_path: Path) -> None:
    configuration = presets.get("C-VF-1h").configuration.replace(feedback_angle=90)
    write_run(tmp_path / "angles" / "C-VF-1h" / "angle-90" / "seed-0", configuration, [0.1] * 100)
    assert list(reproduction.read_angles("C-VF-1h", tmp_path).trials) == [90]


def test_tied_feedback_has_no_angle(tmp_path: Path) -> None:
    for preset in ("EP-1h", presets.get("C-EP-2h").with_bptt()):
        with pytest.raises(ValueError, match=r"has tied feedback.* such as C-VF-1h"):
            reproduction.angles(preset, 1, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_angle_figure_draws_means_seeds_and_what_was_published() -> None:
    sweep = AngleSweep(
        presets.get("C-VF-1h"),
        {
            0.0: trials("C-VF-1h", 0.02, 0.04),
            90.0: trials("C-VF-1h", 0.03, float("nan")),
            180.0: trials("C-VF-1h", float("nan")),
        },
    )
    axes, _ = sweep.plot().axes
    drawn = lines(axes)
    published = [2.4, 2.4, 2.4, 2.5, 2.5, 4.6, 87, 91, 92.5]
    assert near(list(zip(ANGLES, published, strict=True)), drawn)
    assert near([(0, 3), (90, 3), (180, float("nan"))], drawn)
    assert near([(0, 2), (0, 4)], drawn)
    places = [text.xy[0] for text in axes.texts if text.get_text() == "diverged"]
    assert places == [90, 180]
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels == ["published", "feedback learned, 100 epochs"]
    bottom, top = axes.get_ylim()
    assert bottom < 2
    assert top > 100


def test_numbers_beside_the_angle_figure(tmp_path: Path) -> None:
    sweep = AngleSweep(presets.get("C-VF-1h"), {22.5: trials("C-VF-1h", 0.02, 0.04, float("nan"))})
    png, svg, numbers = reproduction.save(sweep, tmp_path / "new" / "figures")
    assert [path.name for path in (png, svg, numbers)] == [
        f"angles-C-VF-1h.{ending}" for ending in ("png", "svg", "json")
    ]
    assert png.read_bytes().startswith(b"\x89PNG")
    assert b"<svg" in svg.read_bytes()
    (point,) = json.loads(numbers.read_text())["angles"]
    assert (point["feedback_angle"], point["published_test_error"]) == (22.5, 0.024)
    assert point["test_error"]["mean"] == pytest.approx(0.03)
    assert [seed["ended"] for seed in point["seeds"]] == ["finished", "finished", "diverged"]
    again = reproduction.save(sweep, tmp_path)[1]
    assert again.read_text().count("dc:date") == 0


def angle_between(a: list[NDArray[Any]], b: list[NDArray[Any]]) -> float:
    x, y = (np.concatenate([np.ravel(each) for each in side]) for side in (a, b))
    return float(np.degrees(np.arccos(x @ y / np.linalg.norm(x) / np.linalg.norm(y))))


@pytest.mark.parametrize(
    "changes",
    [
        {"rule": "ep"},
        {"rule": "c-ep", "learning_rates": [0.3, 0.1]},
        {"rule": "c-ep", "feedback": "untied", "feedback_angle": 90, "beta_sign": "random"},
    ],
)
def test_initial_angles_are_those_of_the_theorems_curves(
    changes: dict[str, Any], digits: Any
) -> None:
    """The sum over all steps of the curves, and without the first: weights only, first batch."""
    configuration = small(free_steps=40, dtype="float64", **changes)
    x, y = digits
    rates = configuration.learning_rates if configuration.rule == "c-ep" else 0
    curves = cep.gdu_check(
        configuration.make_network(), x[:20], y[:20], 40, 4, configuration.beta, rates
    )
    named = [*curves.weights, *(each for each in curves.feedback_weights if each is not None)]
    totals = [
        angle_between(
            [each.updates[first:].sum(axis=0) for each in named],
            [each.gradients[first:].sum(axis=0) for each in named],
        )
        for first in (0, 1)
    ]
    found = initial_angles(configuration, x, y)
    # The first sums over 4 of the 40 steps of BPTT, and the rest of a gradient is small.
    assert found.total == pytest.approx(totals[0], abs=1.5)
    assert found.without_first == pytest.approx(totals[1], abs=1e-6)
    assert abs(totals[0] - totals[1]) > 2
    assert initial_angles(configuration, x, y) == found


def test_where_the_theorem_holds_there_is_no_angle(digits: Any) -> None:
    exact = small(
        setting="real-time", follows_energy=True, clamp=False, dtype="float64", rule="ep",
        free_steps=400, nudged_steps=200, beta=1e-3,
    )  # fmt: skip
    assert max(initial_angles(exact, *digits)) < 0.5


@pytest.mark.usefixtures("quick_presets")
def test_correlation_takes_runs_as_they_are_and_trains_the_rest(tmp_path: Path) -> None:
    cep.reproduce("EP-1h", 2, tmp_path, epochs=1, **QUIET)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("seed-*/*")}
    write_run(tmp_path / "EP-2h" / "seed-0", presets.get("EP-2h").configuration, [0.3] * 3)
    write_run(tmp_path / "C-EP-1h" / "seed-0", presets.get("C-EP-1h").configuration, [], "failed")
    found = reproduction.correlation(["EP-1h", "C-VF-1h"], 1, tmp_path, **QUIET)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    keys = [(point.preset.name, point.feedback_angle) for point in found.points]
    assert keys == [
        ("EP-1h", None), ("C-VF-1h", None), *(("C-VF-1h", angle) for angle in ANGLES),
        ("EP-2h", None),
    ]  # fmt: skip
    seeds = [[len(run.history) for run in point.trials.outcomes] for point in found.points]
    assert seeds == [[1, 1], [3], *[[3]] * 9, [3]]
    (x, y), _ = small().load_data()
    for point in found.points:
        each = [initial_angles(run.configuration, x, y) for run in point.trials.outcomes]
        assert point.angles == pytest.approx(np.mean(each, axis=0))
    again = reproduction.correlation(["EP-1h", "C-VF-1h"], 1, tmp_path, **QUIET)
    assert again == found
    printed = str(found).splitlines()
    assert "angle between update and gradient" in printed[0]
    for point, row in zip(found.points, printed[-len(found.points) - 1 : -1], strict=True):
        assert row.split()[0] == point.preset.name
        assert f"{point.angles[0]:.1f}°" in row
        assert point.feedback_angle is None or f" {point.feedback_angle:g}° " in row


@pytest.mark.usefixtures("quick_presets")
def test_correlation_draws_runs_with_fixed_feedback_once(tmp_path: Path) -> None:
    fixed = presets.get("C-VF-1h").with_fixed_feedback().configuration
    name = "C-VF-1h-with-fixed-feedback"
    at_90 = fixed.replace(feedback_angle=90)
    write_run(tmp_path / "angles" / name / "angle-90" / "seed-0", at_90, [0.3] * 3)
    found = reproduction.correlation(["C-VF-1h"], 1, tmp_path, **QUIET)
    names = [point.preset.name for point in found.points]
    assert names == ["C-VF-1h"] * 10 + ["C-VF-1h with fixed feedback"]


@pytest.mark.usefixtures("quick_presets")
def test_correlation_of_nothing_and_of_the_gradient_with_itself(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected one preset or more"):
        reproduction.correlation([], 1, tmp_path)
    with pytest.raises(ValueError, match="EP-1h with BPTT learns by the gradient itself"):
        reproduction.correlation([presets.get("EP-1h").with_bptt()], 1, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("seed", range(3))
def test_rank_correlation_equals_scipys(seed: int) -> None:
    """Of points with one seed each, some of them with equal numbers."""
    pairs = np.random.default_rng(seed).integers(0, 5, (9, 2)).astype(float)
    found = rank_correlation([[(first, second)] for first, second in pairs])
    assert found.mean == pytest.approx(scipy.stats.spearmanr(pairs).statistic)
    assert found.deviation == pytest.approx(0, abs=1e-12)
    assert math.isnan(rank_correlation([[(1.0, 2.0)]] * 2).mean)


def test_the_correlation_figure_draws_angles_and_errors(tmp_path: Path) -> None:
    untied = presets.get("C-VF-1h")
    found = Correlation(
        (
            CorrelationPoint(
                presets.get("EP-1h"),
                None,
                trials("EP-1h", 0.02, 0.03),
                (InitialAngles(11.0, 14.0), InitialAngles(13.0, 18.0)),
            ),
            CorrelationPoint(untied, 0.0, trials("C-VF-1h", 0.024), (InitialAngles(66.0, 61.0),)),
            CorrelationPoint(untied, 180.0, trials("C-VF-1h", 0.9), (InitialAngles(97.0, 113.0),)),
        )
    )
    left, right = found.plot().axes
    for axes, column in ((left, 0), (right, 1)):
        drawn = lines(axes)
        assert near([((12.0, 16.0)[column], 2.5)], drawn)
        assert near([((66.0, 61.0)[column], 2.4), ((97.0, 113.0)[column], 90)], drawn)
    assert near([(17, 2.0)], lines(right)), "the published point of EP-1h"
    assert not near([(17, 2.0)], lines(left)), "which is of the other angle"
    saved = json.loads(reproduction.save(found, tmp_path)[2].read_text())
    # The errors 2.5, 2.4 and 90 % are in the order 1, 0, 2 of the angles: ρ = 1 - 6 · 2 / 24. With
    # the first seed of EP-1h alone, at 2 %, they are in the order 0, 1, 2.
    assert saved["rank_correlation"]["mean"] == pytest.approx(0.5)
    assert 0 < saved["rank_correlation"]["deviation"] < 0.5
    assert "rank correlation 0.50 ± " in str(found)
    numbers = saved["points"]
    assert [point["angle"] for point in numbers] == [12, 66, 97]
    assert [point["angle_without_first"] for point in numbers] == [16, 61, 113]
    assert [point["published_angle"] for point in numbers] == [17, None, None]
    assert [point["published_test_error"] for point in numbers] == [0.02, 0.024, 0.925]


@pytest.fixture
def small_theorem(monkeypatch: pytest.MonkeyPatch) -> list[SimpleNamespace]:
    """Replaces the check of the paper's network by a small one, and lists its arguments."""
    asked: list[SimpleNamespace] = []
    made = SimpleNamespace(check=cep.gdu_check, network=cep.Network)

    def check(net: Any, x: Any, y: Any, **conditions: Any) -> cep.GDUReport:
        asked.append(SimpleNamespace(net=net, x=x, y=y, conditions=conditions))
        tiny = made.network([784, 8, 10], setting=net.setting, feedback=net.feedback,
                            dtype="float64", activation="tanh", seed=0)  # fmt: skip
        report: cep.GDUReport = made.check(tiny, x, y, 150, 6, 0.01, conditions["learning_rates"])
        asked[-1].report = report
        return report

    images = np.random.default_rng(0).random((3, 784), dtype=np.float32)
    data = (images, np.array([1, 2, 3]))
    monkeypatch.setattr("cep.reproduction.theorem_figure.gdu_check", check)
    monkeypatch.setattr("cep.datasets.mnist", lambda root: (data, data))
    return asked


@pytest.mark.parametrize(
    ("setting", "steps"), [("prototypical", (150, 10, 0.01)), ("real-time", (800, 80, 0.005))]
)
def test_the_theorem_figure_has_the_papers_conditions(
    setting: str, steps: tuple[int, int, float], small_theorem: list[SimpleNamespace]
) -> None:
    curves = reproduction.gdu(setting)
    assert list(curves.rules) == ["EP", "C-EP", "VF", "C-VF"]
    for name, asked in zip(curves.rules, small_theorem, strict=True):
        assert asked.net.sizes == (784, 512, 10)
        assert (asked.net.activation, asked.net.setting) == ("tanh", setting)
        assert asked.net.feedback == ("untied" if "VF" in name else "tied")
        assert len(asked.x) == len(asked.y) == 1
        conditions = dict(asked.conditions)
        assert conditions.pop("learning_rates") == (2e-5 if name.startswith("C-") else 0)
        assert tuple(conditions.values()) == steps
        if setting == "real-time":
            assert "dt=0.08, clamp=False" in repr(asked.net)


def test_the_theorem_figure_draws_curves_of_the_reports(
    small_theorem: list[SimpleNamespace],
) -> None:
    curves = reproduction.gdu("prototypical")
    axes = curves.plot().axes
    assert len(axes) == 16
    for row, asked in enumerate(small_theorem):
        for panel, both in zip(
            axes[4 * row : 4 * row + 4],
            (*asked.report.states[1:], *asked.report.weights),
            strict=True,
        ):
            dashed = [line for line in panel.lines if line.get_linestyle() == "--"]
            solid = [line for line in panel.lines if line.get_linestyle() == "-"]
            assert len(dashed) == len(solid) == 5
            for update, gradient in zip(dashed, solid, strict=True):
                pairs = zip(
                    both.updates.reshape(6, -1).T, both.gradients.reshape(6, -1).T, strict=True
                )
                assert any(
                    np.array_equal(update.get_ydata(), u)
                    and np.array_equal(gradient.get_ydata(), g)
                    for u, g in pairs
                )
    numbers = json.loads(json.dumps(curves.to_dict(), allow_nan=False))
    assert numbers["rules"]["C-EP"]["angle"] == small_theorem[1].report.angle
    drawn = [list(map(float, line.get_ydata())) for line in axes[0].lines]
    panel = numbers["rules"]["EP"]["panels"]["neurons 1"]
    assert all(each in drawn for each in (*panel["updates"], *panel["minus_gradients"]))
    errors = dict(small_theorem[3].report.rows())
    headings, rows = curves.table()
    cell = rows[3][headings.index("feedback 2→1")]
    assert cell == f"{errors['feedback 2→1'].relative_error:.1%}"


def test_another_setting() -> None:
    with pytest.raises(ValueError, match="setting must be 'prototypical' or 'real-time'"):
        reproduction.gdu("discrete")
