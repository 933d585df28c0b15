"""Plots of the inside of a network show the right numbers."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cep
from cep.plotting import plots

pytestmark = pytest.mark.once

image = pytest.importorskip("matplotlib.image")


@pytest.fixture(scope="module")
def net() -> cep.Network:
    return cep.Network([9, 6, 5, 3], seed=2)


@pytest.fixture(scope="module")
def trace(net: cep.Network) -> cep.Trace:
    x = np.random.default_rng(1).random((4, 9))
    rule = cep.CEP(12, 5, 0.5, learning_rates=[0.1, 0.1, 0.1])
    with cep.trace(net) as trace:
        cep.train_batch(net, x, [0, 1, 2, 0], rule)
    return trace


def lines(ax: Any) -> list[np.ndarray]:
    return [np.asarray(line.get_ydata()) for line in ax.lines]


def test_relaxation_has_a_row_a_layer_and_one_of_weights(trace: cep.Trace) -> None:
    figure = cep.plot_relaxation(trace, sample=2, units=4)
    figure.savefig(io.BytesIO())
    assert len(figure.axes) == 7
    pairs = zip(figure.axes[:6:2], figure.axes[1:6:2], strict=True)
    for layer, (left, right) in enumerate(pairs, start=1):
        free, nudged = trace.free.states[layer], trace.nudged.states[layer]
        drawn = lines(left)
        count = min(4, free.shape[2])  # type: ignore[union-attr]
        count = 3 if layer == 3 else count
        assert len(drawn) == 2 * count
        for states, part in ((free, drawn[:count]), (nudged, drawn[count:])):
            assert states is not None
            for line in part:
                assert any(np.array_equal(line, unit) for unit in states[:, 2].T)
        for phase, line in zip(trace.phases, lines(right), strict=True):
            assert np.array_equal(np.nan_to_num(line), phase.layer_residuals(layer))
    for k, line in enumerate(lines(figure.axes[-1])):
        assert np.array_equal(line, trace.nudged.weight_movement(k))
    assert list(figure.axes[-1].lines[0].get_xdata()) == list(
        range(trace.free.steps, trace.free.steps + trace.nudged.steps + 1)
    )


def test_relaxation_of_less(net: cep.Network) -> None:
    x = np.zeros((2, 9))
    with cep.trace(net, layers=[3]) as trace:
        net.free_phase(x, 3)
        net.free_phase(x, 1, reset=False)
    figure = cep.plot_relaxation(trace)
    figure.savefig(io.BytesIO())
    assert len(figure.axes) == 2
    assert [line.get_xdata().tolist() for line in figure.axes[1].lines] == [[1, 2, 3], [4]]


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"sample": 4}, ValueError, "sample must be 0 to 3"),
        ({"sample": -1}, ValueError, "sample"),
        ({"sample": "0"}, TypeError, "sample"),
        ({"units": 0}, ValueError, "units"),
    ],
)
def test_invalid_relaxation_plots(
    trace: cep.Trace, options: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        cep.plot_relaxation(trace, **options)


def test_relaxation_of_nothing(net: cep.Network) -> None:
    with pytest.raises(ValueError, match="no phase"):
        cep.plot_relaxation(cep.Trace())
    with cep.trace(net, layers=[0]) as trace:
        net.free_phase(np.zeros((2, 9)), 3)
    with pytest.raises(ValueError, match="no layer above the input"):
        cep.plot_relaxation(trace)


@pytest.mark.parametrize(("units", "chosen"), [(4, [0, 1, 2, 3]), ([5, 2], [5, 2]), (25, range(6))])
def test_receptive_fields_are_rows_of_the_weights(
    net: cep.Network, units: Any, chosen: list[int]
) -> None:
    figure = cep.plot_weights(net, units)
    figure.savefig(io.BytesIO())
    images = [ax.images[0] for ax in figure.axes if ax.images]
    titles = [ax.get_title() for ax in figure.axes if ax.images]
    assert titles == [str(unit) for unit in chosen]
    for image, unit in zip(images, chosen, strict=True):
        assert np.array_equal(image.get_array(), net.weights[0][unit].reshape(3, 3))
        low, high = image.get_clim()
        assert low == -high == -np.abs(net.weights[0][list(chosen)]).max()


def test_receptive_fields_of_inputs_that_are_no_square() -> None:
    net = cep.Network([6, 2, 2], seed=0)
    figure = cep.plot_weights(net, shape=(2, 3))
    assert figure.axes[0].images[0].get_array().shape == (2, 3)
    for options, error, words in (
        ({}, ValueError, "not a square"),
        ({"shape": (2, 2)}, ValueError, "4 places for 6 inputs"),
        ({"shape": 6}, TypeError, "rows, columns"),
        ({"shape": (0, 6)}, ValueError, r"shape\[0\]"),
        ({"shape": (2, 3), "units": 0}, ValueError, "units"),
        ({"shape": (2, 3), "units": []}, ValueError, "units"),
        ({"shape": (2, 3), "units": [2]}, ValueError, "unit 2 does not exist"),
        ({"shape": (2, 3), "units": [0.5]}, TypeError, r"units\[0\]"),
    ):
        with pytest.raises(error, match=words):
            cep.plot_weights(net, **options)  # type: ignore[arg-type]


RECORDS: list[dict[str, Any]] = [
    {"epoch": 1, "batch": 0, "batches": 4, "feedback_angles": [60.0, 80.0], "gradient_angle": None},
    {"epoch": 1, "batch": 2, "batches": 4, "feedback_angles": [50.0, 70.0], "gradient_angle": 30.0},
    {"epoch": 2, "batch": 0, "batches": 4, "feedback_angles": [40.0, 60.0], "gradient_angle": 20.0},
]


def curves(ax: Any) -> dict[str, list[tuple[float, float]]]:
    handles, labels = ax.get_legend_handles_labels()
    return {
        label: list(zip(line.get_xdata(), line.get_ydata(), strict=True))
        for line, label in zip(handles, labels, strict=True)
    }


def test_angles_of_a_run() -> None:
    ax = cep.plot_angles(RECORDS)
    assert curves(ax) == {
        "feedback, connection 1": [(0, 60), (0.5, 50), (1, 40)],
        "feedback, connection 2": [(0, 80), (0.5, 70), (1, 60)],
        "update to gradient": [(0.5, 30), (1, 20)],
    }
    low, high = ax.get_ylim()
    assert 0 < low < 20
    assert 80 < high < 90


def test_each_panel_has_labels_and_a_legend(net: cep.Network, trace: cep.Trace) -> None:
    x = np.random.default_rng(0).random((2, 9))
    deep = cep.Network([9, 4, 3], feedback="untied", dtype="float64", seed=0)
    report = cep.gdu_check(deep, x, [0, 1], 150, 3, beta=0.01)
    history = cep.fit(net.copy(), (x, [0, 1]), cep.EP(5, 2, 0.5, 0.1), 2, seed=0, progress=False)
    for figure in (
        cep.plot_relaxation(trace),
        cep.plot_gdu(report),
        cep.plot_records(RECORDS, history),
        cep.plot_angles(RECORDS).figure,
    ):
        panels = [ax for ax in figure.axes if ax.lines]
        assert len(panels) == sum(ax.axison for ax in figure.axes)
        for ax in panels:
            assert ax.get_xlabel()
            assert ax.get_ylabel()
            assert ax.get_legend() is not None


def test_files_have_300_dots_per_inch(tmp_path: Path) -> None:
    axes = plots.plain_axes()
    plots.save(axes, tmp_path / "picture.png")
    height, width, _ = image.imread(tmp_path / "picture.png").shape
    assert (width, height) == tuple(300 * axes.figure.get_size_inches())


def test_angles_of_a_network_after_each_epoch() -> None:
    net = cep.Network([4, 3, 3, 2], seed=0, feedback="untied", feedback_angle=45)
    angles = [net.feedback_angles()]
    net.weights[1][...] = net.feedback_weights[1].T  # type: ignore[union-attr]
    angles.append(net.feedback_angles())
    ax = cep.plot_angles(angles, label="seed 0")
    assert curves(ax) == {
        f"seed 0: feedback, connection {k}": [(1, angles[0][k]), (2, angles[1][k])] for k in (1, 2)
    }
    more = cep.plot_angles(angles, ax=ax, label="seed 1")
    assert more is ax
    assert len(curves(ax)) == 4
    assert len({line.get_color() for line in ax.get_legend_handles_labels()[0]}) == 4


@pytest.mark.parametrize("records", [[], [[None, None]], [{"epoch": 1, "batch": 0, "batches": 4}]])
def test_no_angles(records: Any) -> None:
    with pytest.raises(ValueError, match="no angles"):
        cep.plot_angles(records)


def test_angles_that_a_run_recorded() -> None:
    configuration = cep.Configuration(
        hidden=(8,),
        epochs=1,
        feedback="untied",
        feedback_angle=60,
        diagnostics_every=40,
        diagnostics_kinds=("feedback_angles", "gradient_angle"),
    )
    result = cep.run(configuration, progress=False)
    found = curves(cep.plot_angles(result.records))
    assert set(found) == {"feedback, connection 1", "update to gradient"}
    assert len(found["feedback, connection 1"]) == len(result.records)


ONE: Any = ([[0.5] * 4], [0])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda net: cep.plot_gdu(net), r"report must be made by cep\.gdu_check"),
        (lambda net: cep.plot_relaxation(3), r"trace must be made by cep\.trace.* got int"),
        (lambda net: cep.plot_weights([net]), "net must be made by cep.Network.* got list"),
        (lambda net: cep.trace(net.weights).__enter__(), "net must be made by cep.Network"),
        (
            lambda net: cep.fit(
                net, ([[0.5] * 4], [0]), cep.EP(2, 1, 0.5, 0.1), 1, callbacks=[cep.LiveView]
            ),
            r"a callback must be a cep\.Callback, got <class .*LiveView",
        ),
    ],
)
def test_other_objects_are_refused(call: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        call(cep.Network([4, 3, 2], seed=0))
