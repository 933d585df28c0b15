"""Reports of gdu_check: the curves, values computed from them, text, JSON and plots."""

import json
import re
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_hex
from snapshot import fingerprint

import cep

SIZES = (6, 5, 4, 3)
FREE_STEPS, STEPS, BETA = 300, 8, 0.02
KINDS: dict[str, dict[str, Any]] = {
    "tied": {"activation": "tanh"},
    "untied": {"feedback": "untied", "feedback_angle": 45},
    "real-time": {"setting": "real-time", "dt": 0.5, "clamp": False, "activation": "tanh"},
    "float32": {"dtype": "float32"},
}
each_kind = pytest.mark.parametrize("kind", KINDS)


def network(kind: str) -> cep.Network:
    return cep.Network(SIZES, **{"dtype": "float64", "seed": 4, **KINDS[kind]})


def batch(rows: int = 2) -> tuple[Any, Any]:
    generator = np.random.default_rng(0)
    return generator.random((rows, SIZES[0])), generator.integers(0, SIZES[-1], rows)


def check(kind: str, *arguments: Any, **options: Any) -> cep.GDUReport:
    arguments = arguments or (FREE_STEPS, STEPS, BETA)
    return cep.gdu_check(network(kind), *batch(), *arguments, **options)


@each_kind
def test_there_are_curves_of_every_layer_and_parameter(kind: str) -> None:
    net, report = network(kind), check(kind)
    assert report.states[0] is None
    for curves, units in zip(report.states[1:], SIZES[1:], strict=True):
        assert_curves(curves, (units,))
    for curves, array in zip(report.weights, net.weights, strict=True):
        assert_curves(curves, array.shape)
    for curves, array in zip(report.biases, net.biases, strict=True):
        assert_curves(curves, array.shape)
    for curves, feedback in zip(report.feedback_weights, net.feedback_weights, strict=True):
        assert (curves is None) == (feedback is None)
        if feedback is not None:
            assert_curves(curves, feedback.shape)
    names = [f"neurons {layer}" for layer in (1, 2, 3)]
    names += [f"{words} {k}→{k + 1}" for words in ("weights", "biases") for k in range(3)]
    names += ["feedback 2→1", "feedback 3→2"] if kind == "untied" else []
    assert [name for name, _ in report.rows()] == names
    assert dict(report.rows())["biases 1→2"] is report.biases[1]


def assert_curves(curves: Any, shape: tuple[int, ...]) -> None:
    for side in (curves.updates, curves.gradients):
        assert side.shape == (STEPS, *shape)
        assert side.dtype == "float64"
        assert np.isfinite(side).all()
        assert side.any()


@each_kind
@pytest.mark.parametrize("as_recorded", [False, True])
def test_errors_and_signs_are_those_of_the_curves(kind: str, as_recorded: bool) -> None:
    report = check(kind, as_recorded=as_recorded)
    for _, curves in report.rows():
        updates, gradients = curves.updates.ravel(), curves.gradients.ravel()
        error = np.linalg.norm(updates - gradients) / np.linalg.norm(gradients)
        assert curves.relative_error == pytest.approx(error, rel=1e-12)
        both = (updates != 0) & (gradients != 0)
        agreement = (np.sign(updates) == np.sign(gradients))[both].mean()
        assert curves.sign_agreement == pytest.approx(agreement, rel=1e-12)
    assert len({curves.relative_error for _, curves in report.rows()}) > 5


@each_kind
@pytest.mark.parametrize("as_recorded", [False, True])
def test_the_angle_is_that_of_the_totals(kind: str, as_recorded: bool) -> None:
    report = check(kind, as_recorded=as_recorded)
    weights = [*report.weights, *(v for v in report.feedback_weights if v is not None)]
    total, exact = (
        np.concatenate([getattr(curves, side).sum(axis=0).ravel() for curves in weights])
        for side in ("updates", "gradients")
    )
    cosine = total @ exact / np.linalg.norm(total) / np.linalg.norm(exact)
    assert report.angle == pytest.approx(np.degrees(np.arccos(cosine)), abs=1e-6)
    assert 0.1 < report.angle < 179


@each_kind
def test_the_totals_are_the_estimates_of_ep_and_truncated_bptt(kind: str) -> None:
    """Summed over the steps. With untied feedback EP accumulates."""
    net, report = network(kind), check(kind)
    rules = (cep.EP(FREE_STEPS, STEPS, BETA, accumulate=True), cep.BPTT(FREE_STEPS, STEPS))
    estimates = [cep.gradient(net, *batch(), rule) for rule in rules]
    width = 1e-3 if kind == "float32" else 1e-10
    for side, estimate in zip(("updates", "gradients"), estimates, strict=True):
        pairs = [
            *zip(report.weights, estimate.weights, strict=True),
            *zip(report.biases, estimate.biases, strict=True),
            *zip(report.feedback_weights, estimate.feedback_weights, strict=True),
        ]
        for curves, gradient in pairs:
            if curves is not None and gradient is not None:
                total = getattr(curves, side).sum(axis=0)
                assert total == pytest.approx(-gradient, abs=width * float(np.abs(gradient).max()))


EXACT: list[dict[str, Any]] = [
    {"setting": "real-time", "activation": "tanh", "follows_energy": True},
    {"setting": "real-time", "activation": "shifted_sigmoid", "follows_energy": True},
    {"setting": "prototypical", "activation": "hard_sigmoid"},
]


each_exact = pytest.mark.parametrize("options", EXACT, ids=lambda o: "-".join(map(str, o.values())))


def exact_network(options: dict[str, Any]) -> cep.Network:
    """Descends an energy, or stays in the linear part of the hard sigmoid."""
    net = cep.Network(SIZES, dtype="float64", seed=4, clamp=False, dt=0.5, **options)
    for array in net.parameters():
        array[...] = np.abs(array) * 0.3 + 0.02
    return net


def assert_falls_linearly(widths: Any, errors: list[list[float]]) -> None:
    """The cells of every row of a report, by the width of their columns."""
    for row in np.transpose(errors):
        assert np.polyfit(np.log(widths), np.log(row), 1)[0] == pytest.approx(1, abs=0.1)
        assert row[0] < 0.01


@each_exact
def test_updates_tend_to_gradients_with_beta(options: dict[str, Any]) -> None:
    net, betas = exact_network(options), 1e-3 * 2.0 ** np.arange(4)
    reports = [cep.gdu_check(net, *batch(), 2000, STEPS, beta) for beta in betas]
    errors = [[curves.relative_error for _, curves in report.rows()] for report in reports]
    assert_falls_linearly(betas, errors)


@each_exact
def test_continual_updates_tend_to_those_of_ep_with_the_rates(options: dict[str, Any]) -> None:
    net, rates = exact_network(options), 1e-7 * 2.0 ** np.arange(4)
    limit, *reports = (cep.gdu_check(net, *batch(), 2000, STEPS, 1e-3, r) for r in (0, *rates))
    fixed = [curves.updates for _, curves in limit.rows()]
    errors = [
        [
            float(np.linalg.norm(curves.updates - still) / np.linalg.norm(still))
            for (_, curves), still in zip(report.rows(), fixed, strict=True)
        ]
        for report in reports
    ]
    assert_falls_linearly(rates, errors)


def test_as_published_the_output_is_not_quite_that_of_an_energy() -> None:
    assert 1e-2 < check("real-time", 2000, STEPS, 1e-3).weights[-1].relative_error < 1


def test_what_was_asked_for_is_reported() -> None:
    report = check("tied", 200, 5, -0.05, [0.1, 0.2, 0.3])
    assert (report.free_steps, report.nudged_steps, report.beta) == (200, 5, -0.05)
    assert report.learning_rates == (0.1, 0.2, 0.3)
    assert report.free_phase.residual < 1e-12
    assert "6-5-4-3" in report.description
    assert "tanh" in report.description
    assert check("tied", 200, 5, 0.05, 0.1).learning_rates == (0.1, 0.1, 0.1)


@each_kind
def test_learning_rates_move_the_weights_in_the_check_alone(kind: str) -> None:
    net = network(kind)
    cep.train_batch(net, *batch(), cep.EP(5, 3, 0.5, 0.1))
    before = fingerprint(net)
    still, moving, biases = (
        cep.gdu_check(net, *batch(), FREE_STEPS, STEPS, BETA, rates, bias_learning_rates=bias_rates)
        for rates, bias_rates in ((0, None), (0.05, None), (0, 0.05))
    )
    assert fingerprint(net) == before
    # The first update comes before any change; later neurons move differently.
    for one, other in ((still, moving), (still, biases), (moving, biases)):
        assert np.array_equal(one.weights[0].updates[0], other.weights[0].updates[0])
        assert not np.array_equal(one.weights[0].updates[-1], other.weights[0].updates[-1])
        assert np.array_equal(one.weights[0].gradients, other.weights[0].gradients)


@each_kind
def test_the_dictionary_survives_json(kind: str) -> None:
    report = check(kind)
    loaded = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert loaded["network"] == report.description
    assert (loaded["free_steps"], loaded["nudged_steps"]) == (FREE_STEPS, STEPS)
    assert (loaded["beta"], loaded["angle"]) == (BETA, report.angle)
    assert loaded["learning_rates"] == [0, 0, 0]
    assert loaded["free_phase"] == report.free_phase._asdict()
    assert list(loaded["curves"]) == [name for name, _ in report.rows()]
    for name, curves in report.rows():
        entry = loaded["curves"][name]
        assert entry["relative_error"] == curves.relative_error
        assert entry["sign_agreement"] == curves.sign_agreement
        assert np.array_equal(entry["updates"], curves.updates)
        assert np.array_equal(entry["gradients"], curves.gradients)


def test_the_dictionary_of_numbers_from_numpy_survives_json() -> None:
    report = check("tied", np.int64(200), np.int32(5), np.float32(0.5), np.array([0.1, 0.1, 0.1]))
    loaded = json.loads(json.dumps(report.to_dict()))
    assert (loaded["free_steps"], loaded["nudged_steps"], loaded["beta"]) == (200, 5, 0.5)


def test_the_dictionary_of_layers_that_were_not_reached_survives_json() -> None:
    """After one step lower layers have no curves to compare; JSON has no NaN."""
    report = check("tied", 200, 1, 0.01)
    loaded = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert loaded["curves"]["weights 0→1"]["relative_error"] is None


def test_without_any_curve_there_is_no_angle() -> None:
    """The paper's code leaves out the only step."""
    report = check("tied", 200, 1, 0.01, as_recorded=True)
    assert not any(curves.updates.any() for curves in report.weights)
    assert np.isnan(report.angle)


@each_kind
def test_the_print_is_a_table_of_every_row(kind: str) -> None:
    report = check(kind)
    text = str(report)
    assert text.startswith(f"GDU check of {report.description}\n")
    conditions = f"T = {FREE_STEPS}, K = {STEPS}, β = {BETA:g}, η = 0, 0, 0; residual .*"
    assert re.search(conditions + re.escape(f"{report.free_phase.residual:.1e}"), text)
    for name, curves in report.rows():
        row = [name, f"{curves.relative_error:.2e}", f"{100 * curves.sign_agreement:.1f}%"]
        assert " ".join(row).split() in [line.split() for line in text.splitlines()]
    assert text.endswith(f"{report.angle:.2f}°")


def drawn(kind: str, **options: Any) -> tuple[cep.GDUReport, Any, dict[str, Any]]:
    """A report, its figure, and the titles of its panels that are not empty."""
    report = check(kind)
    figure = report.plot(**options)
    return report, figure, {ax.get_title(loc="right"): ax for ax in figure.axes if ax.axison}


@each_kind
@pytest.mark.parametrize("entries", [5, 2])
def test_there_is_a_panel_for_every_layer(kind: str, entries: int) -> None:
    report, figure, panels = drawn(kind, entries=entries)
    expected = {f"neurons, layer {k}": report.states[k] for k in (1, 2, 3)}
    expected |= {f"weights, connection {k}": report.weights[k] for k in range(3)}
    if kind == "untied":
        expected |= {
            f"feedback weights, connection {k}": report.feedback_weights[k] for k in (1, 2)
        }
    assert panels.keys() == expected.keys()
    assert f"{report.angle:.1f}°" in figure.get_suptitle()
    for title, curves in expected.items():
        assert_lines(panels[title], curves, entries)


def assert_lines(ax: Any, curves: Any, entries: int) -> None:
    """Solid: gradients. Dashed, in the same colour: updates of the same entry."""
    gradients = curves.gradients.reshape(STEPS, -1).T.tolist()
    updates = curves.updates.reshape(STEPS, -1).T.tolist()
    found = []
    by_colour: dict[str, dict[str, Any]] = {}
    for line in ax.get_lines():
        by_colour.setdefault(to_hex(line.get_color()), {})[line.get_linestyle()] = line
    for lines in by_colour.values():
        assert lines.keys() == {"-", "--"}
        entry = gradients.index(lines["-"].get_ydata().tolist())
        assert lines["--"].get_ydata().tolist() == updates[entry]
        assert lines["-"].get_xdata().tolist() == list(range(STEPS))
        found.append(entry)
    moving = sum(any(gradient) for gradient in gradients)
    assert len(ax.get_lines()) == 2 * len(by_colour)
    assert len(set(found)) == len(found) == min(entries, moving)


def test_the_seed_chooses_the_entries() -> None:
    def lines(seed: int) -> list[Any]:
        _, _, panels = drawn("tied", entries=2, seed=seed)
        return [line.get_ydata().tolist() for line in panels["weights, connection 0"].get_lines()]

    assert lines(0) == lines(0)
    assert lines(0) != lines(1)


def test_the_figure_is_saved(tmp_path: Any) -> None:
    path = tmp_path / "gdu.png"
    check("untied").plot().savefig(path)
    assert path.read_bytes().startswith(b"\x89PNG")
