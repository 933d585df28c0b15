"""Records: their contents, and that recording changes nothing."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_runs import fitted, small, without_times
from snapshot import parameters, same

import cep
from cep.experiments import checkpoints
from cep.plotting import plots

TIED: dict[str, Any] = {"rule": "ep", "epochs": 2}
UNTIED: dict[str, Any] = {"feedback": "untied", "feedback_angle": 40, "epochs": 2}


def run(configuration: cep.Configuration) -> cep.RunResult:
    return cep.run(configuration, progress=False)


@pytest.mark.parametrize("every", [1, 30, 1000])
@pytest.mark.parametrize(
    "changes",
    [
        {"beta_sign": "random"},
        {"feedback": "untied", "feedback_angle": 30, "beta_sign": "random"},
        {"rule": "ep", "beta_sign": "symmetric", "dtype": "float64"},
        {"rule": "bptt"},
        {"setting": "real-time", "rule": "ep"},
    ],
)
def test_recording_changes_no_bit(changes: dict[str, Any], every: int) -> None:
    expected, history = fitted(small(**changes))
    result = run(small(**changes, diagnostics_every=every))
    assert same(parameters(result.network), expected)
    assert without_times(result.history) == without_times(history)
    # 72 batches per epoch.
    wanted = [(epoch, batch) for epoch in (1, 2, 3) for batch in range(0, 72, every)]
    assert [(record["epoch"], record["batch"]) for record in result.records] == wanted


def test_records_and_checkpoints_each_come_at_their_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = []
    save = checkpoints.save

    def noting(path: Path, checkpoint: checkpoints.Checkpoint) -> None:
        saved.append((path.name, len(checkpoint.history), checkpoint.position.batch))
        save(path, checkpoint)

    monkeypatch.setattr(checkpoints, "save", noting)
    result = cep.run(
        small(epochs=1, diagnostics_every=30), tmp_path / "run", checkpoint_every=20, progress=False
    )
    assert [record["batch"] for record in result.records] == [0, 30, 60]
    within = [batch for name, epochs, batch in saved if name == "last.safetensors" and not epochs]
    assert within == [20, 40, 60]


@pytest.mark.parametrize("changes", [TIED, UNTIED])
def test_the_numbers_are_those_of_the_network(changes: dict[str, Any]) -> None:
    """For initial networks, and after the first epoch."""
    configuration = small(**changes, diagnostics_every=1000)
    (x, y), _ = configuration.load_data()
    x, y = x[:20], y[:20]
    trained = run(configuration.replace(epochs=1)).network
    records = run(configuration).records
    for net, record in zip((configuration.make_network(), trained), records, strict=True):
        assert record["weight_norms"] == pytest.approx(
            [np.sqrt((weights.astype(float) ** 2).sum()) for weights in net.weights]
        )
        rule: Any = configuration.make_rule()
        estimate, exact = cep.gradient(net, x, y, rule), cep.gradient(net, x, y, cep.BPTT(8))
        assert record["gradient_angle"] == estimate.angle(exact)
        assert record["free_residual"] == net.free_phase(x, 8).residual
        if net.feedback == "tied":
            assert record["free_energy"] == net.energy().mean()
        assert record["nudged_residual"] == net.nudged_phase(y, 0.5, 4).residual
        if net.feedback == "tied":
            assert record["nudged_energy"] == net.energy().mean()
            assert "feedback_angles" not in record
            assert "feedback_weight_norms" not in record
        else:
            assert record["feedback_angles"] == net.feedback_angles()[1:]
            assert record["feedback_weight_norms"] == pytest.approx(
                [np.linalg.norm(np.asarray(net.feedback_weights[1], dtype=float))]
            )
            assert "free_energy" not in record
        assert record["batches"] == 72


KINDS = {
    "residuals": {"free_residual", "nudged_residual"},
    "energy": {"free_energy", "nudged_energy"},
    "weight_norms": {"weight_norms"},
    "feedback_angles": set(),
    "gradient_angle": {"gradient_angle"},
}


@pytest.mark.parametrize("kind", KINDS)
def test_only_what_was_chosen(kind: str) -> None:
    (record,) = run(small(epochs=1, diagnostics_every=100, diagnostics_kinds=[kind])).records
    assert record.keys() == {"epoch", "batch", "batches"} | KINDS[kind]
    assert type(record["epoch"]) is int


def test_bptt_has_no_nudged_phase_and_no_angle_to_itself() -> None:
    (record,) = run(small(rule="bptt", epochs=1, diagnostics_every=100)).records
    assert {"free_residual", "free_energy", "weight_norms"} < record.keys()
    assert not {"nudged_residual", "nudged_energy", "gradient_angle"} & record.keys()


def test_a_gradient_of_zero_has_no_angle() -> None:
    """All hard sigmoids are in a flat part, so BPTT's gradient is 0."""
    configuration = small(diagnostics_every=100, activation="hard_sigmoid")
    net = configuration.make_network()
    for array in net.parameters():
        array[...] = -1
    (x, y), _ = configuration.load_data()
    assert not cep.gradient(net, x[:20], y[:20], cep.BPTT(8)).flatten().any()
    diagnostics = cep.Diagnostics(100)
    cep.fit(net, (x, y), configuration.make_rule(), 1, progress=False, callbacks=[diagnostics])
    record = diagnostics.records[0]
    assert record["gradient_angle"] is None
    assert record["free_residual"] == 0


def test_a_network_that_diverges_is_recorded_as_such() -> None:
    result = run(small(beta=10.0, nudged_steps=1000, diagnostics_every=10))
    assert result.stop_reason == "diverged"
    assert "layer" in result.records[0]["diverged"]
    assert "weight_norms" in result.records[0]


@pytest.mark.parametrize(("changes", "panels"), [(TIED, 5), (UNTIED, 5), ({"rule": "bptt"}, 4)])
def test_records_are_drawn(changes: dict[str, Any], panels: int) -> None:
    """The error curves, and a panel for each kind; the curves are the recorded numbers."""
    result = run(small(**changes, diagnostics_every=30))
    figure = plots.plot_records(result.records, result.history, "a title")
    assert len(figure.axes) == panels
    curves = {line.get_label(): line for ax in figure.axes for line in ax.get_lines()}
    residuals = curves["free residual"]
    assert list(residuals.get_ydata()) == [record["free_residual"] for record in result.records]
    assert list(residuals.get_xdata()) == pytest.approx(
        [record["epoch"] - 1 + record["batch"] / 72 for record in result.records]
    )
    norms = curves["weight norm, connection 1"]
    assert list(norms.get_ydata()) == [record["weight_norms"][1] for record in result.records]
    assert figure.get_suptitle() == "a title"
    figure.canvas.draw()


def test_residuals_of_zero_have_a_place() -> None:
    zero = {"epoch": 1, "batch": 0, "batches": 2, "free_residual": 0.0, "gradient_angle": None}
    figure = plots.plot_records([zero, zero | {"batch": 1}])
    assert len(figure.axes) == 1
    figure.canvas.draw()


def test_nothing_to_draw() -> None:
    with pytest.raises(ValueError, match="nothing to draw"):
        plots.plot_records([], cep.History())
