"""The study of imperfect hardware, its pictures, and the command line."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from fake_trials import outcome
from small_runs import small

import cep
from cep import hardware
from cep.cli import cep as command
from cep.reproduction import Trials, hardware_study


@pytest.fixture
def few_points(monkeypatch: pytest.MonkeyPatch) -> None:
    """A point a panel."""
    monkeypatch.setattr(hardware_study, "_STEP_SIZES", (0.01,))
    monkeypatch.setattr(hardware_study, "_ASYMMETRIES", (0.4,))
    monkeypatch.setattr(hardware_study, "_NOISES", (0.1,))
    monkeypatch.setattr(hardware_study, "_READS", (0.1,))
    rules = {
        name: configuration.replace(hidden=[8], free_steps=4, nudged_steps=2, batch_size=400)
        for name, configuration in hardware_study._rules("digits").items()
    }
    monkeypatch.setattr(hardware_study, "_rules", lambda data: rules)


@pytest.mark.usefixtures("few_points")
def test_the_study_is_drawn_and_kept(tmp_path: Path) -> None:
    arguments = [
        "reproduce",
        "--figure",
        "hardware",
        "--seeds",
        "1",
        "--epochs",
        "1",
        "--jobs",
        "1",
    ]
    result = CliRunner().invoke(command, [*arguments, "--no-progress", "--run-dir", str(tmp_path)])
    assert result.exit_code == 0, result.output
    numbers = json.loads((tmp_path / "figures" / "hardware-digits.json").read_text())
    lines = {(each["panel"], each["line"]) for each in numbers["points"]}
    assert lines == {
        *((panel, rule) for panel in hardware_study.PANELS for rule in ("EP", "C-EP")),
        ("up_down", "C-VF"),
        ("soft_bounds", "C-VF"),
    }
    assert (tmp_path / "figures" / "hardware-digits.png").exists()
    run = tmp_path / "hardware" / "digits" / "nearest" / "EP" / "0.01" / "seed-0"
    configuration = cep.runs.RunDirectory(run).configuration()
    assert configuration.synapses == "constant_step:dw_min=0.01:rounding=nearest"
    counts = numbers["counts"]
    # EP remembers 8 + 10 states of each of 1000 samples, C-EP none.
    assert counts["EP"]["values_remembered"] == 18_000
    assert counts["C-EP"]["values_remembered"] == 0
    assert "values_remembered" in result.output
    assert "nan" not in result.output


@pytest.mark.usefixtures("few_points")
def test_a_panel_is_trained_on_some_samples(tmp_path: Path) -> None:
    study = cep.reproduction.hardware(
        seeds=1, directory=tmp_path, panels=["state_noise"], samples=50, epochs=1, jobs=1
    )
    assert {point[:2] for point in study.trials} == {("state_noise", "EP"), ("state_noise", "C-EP")}
    assert study.stem == "hardware-digits-50"
    assert [ax.get_xlabel() for ax in study.plot().axes] == ["state_noise"]
    run = cep.runs.RunDirectory(
        tmp_path / "hardware" / "digits-50" / "state_noise" / "EP" / "0.1" / "seed-0"
    )
    assert run.data()["shapes"] == {"train": [[50, 64], [50]], "test": [[10, 64], [10]]}
    assert run.configuration().validation_fraction == 0
    with pytest.raises(ValueError, match="samples must be at most the 1437 of digits, got 1438"):
        cep.reproduction.hardware(samples=1438, directory=tmp_path)
    with pytest.raises(ValueError, match="panel must be"):
        cep.reproduction.hardware(panels=["noise"], directory=tmp_path)


def test_runs_that_diverged_are_wrong_about_everything() -> None:
    runs = (outcome(small(), [0.3]), outcome(small(seed=1), [0.2], "diverged"))
    study = cep.reproduction.HardwareStudy("digits", {("up_down", "EP", 0.4): Trials(runs)}, {})
    assert study.errors("up_down") == {"EP": {0.4: [0.3, 1.0]}}


@pytest.mark.parametrize(
    "arguments",
    [
        ["--figure", "gdu", "--data", "digits"],
        ["--figure", "hardware", "EP-1h"],
        ["--table", "--samples", "5"],
        ["--table", "--panel", "up_down"],
    ],
)
def test_options_belong_to_the_study(arguments: list[str]) -> None:
    result = CliRunner().invoke(command, ["reproduce", *arguments])
    assert result.exit_code == 2
    assert "--samples need --figure hardware" in result.output


def test_train_takes_synapses_and_neurons(tmp_path: Path) -> None:
    options = {
        "--synapses": "ecram,soft_bounds:dw_min=0.01",
        "--state-noise": "0.01",
        "--state-bits": "8",
        "--read-noise": "0.02",
        "--epochs": "1",
        "--hidden": "8",
        "--learning-rates": "0.1",
        "--run-dir": str(tmp_path / "run"),
    }
    words = [word for pair in options.items() for word in pair]
    result = CliRunner().invoke(command, ["train", *words, "--no-progress"])
    assert result.exit_code == 0, result.output
    net = cep.load(tmp_path / "run" / "last.safetensors")
    assert net.synapses == (hardware.presets.ecram(), hardware.SoftBounds(0.01))
    assert net.neurons == hardware.Neurons(state_noise=0.01, state_bits=8)
    wrong = CliRunner().invoke(command, ["train", "--synapses", "memristor"])
    assert wrong.exit_code == 1
    assert "unknown synapse 'memristor'" in wrong.output


def test_synapses_are_swept(tmp_path: Path) -> None:
    configuration = cep.Configuration(hidden=[5], epochs=1, learning_rates=0.01, free_steps=5)
    result = cep.sweep(
        configuration,
        {"synapses": [hardware.presets.ecram(), "ideal"], "state_noise": [0.0, 0.1]},
        tmp_path,
        jobs=1,
        progress=False,
    )
    assert len(result) == 4
    assert not result.failed


def test_pulse_responses_are_drawn() -> None:
    device = hardware.presets.ecram()
    directions = [1] * 50 + [-1] * 20
    axes = hardware.plot_pulse_response(device, directions, devices=4, weight=0.1, seed=7)
    curves = [device.pulse_response(directions, 0.1, seed=7 + k) for k in range(4)]
    (mean,) = [line for line in axes.lines if line.get_label() == "mean of 4 devices"]
    np.testing.assert_allclose(mean.get_ydata(), np.mean(curves, axis=0))
    (band,) = [each for each in axes.collections if each.get_label() == "± 1 deviation"]
    corners = np.asarray(band.get_paths()[0].vertices)
    for pulse in (1, 40, 70):
        ends = corners[corners[:, 0] == pulse][:, 1]
        at = [curve[pulse - 1] for curve in curves]
        expected = np.mean(at) + np.std(at) * np.array([-1, 1])
        np.testing.assert_allclose([ends.min(), ends.max()], expected)
    with pytest.raises(TypeError, match="device must be"):
        hardware.plot_pulse_response(hardware.Ideal())  # type: ignore[arg-type]


def test_weights_and_errors_are_drawn() -> None:
    net = cep.Network([6, 5, 3], synapses=["ecram", "ideal"], seed=0)
    axes = hardware.plot_weight_histogram(net)
    bounds = {float(np.asarray(line.get_xdata())[0]) for line in axes.lines}
    assert bounds == {1.1724, -0.8276}
    for weights, patch in zip(net.weights, axes.patches, strict=True):
        heights, edges, _ = patch.get_data()  # type: ignore[attr-defined]
        assert (edges[0], edges[-1]) == (weights.min(), weights.max())
        assert np.sum(heights * np.diff(edges)) == pytest.approx(1)
    errors = {"EP": {0.1: [0.2, 0.4], 0.01: [0.1]}, "C-EP": {0.1: [0.5]}}
    axes = hardware.plot_errors(errors, "dw_min")
    line = next(line for line in axes.lines if line.get_label() == "EP")
    np.testing.assert_allclose(line.get_xdata(), [0.01, 0.1])
    np.testing.assert_allclose(line.get_ydata(), [10, 30])
    dots = {tuple(map(float, np.ravel(line.get_ydata()))) for line in axes.lines}
    assert {(10,), (20, 40), (50,)} <= dots
    assert axes.get_xscale() == "log"
    assert hardware.plot_errors({"EP": {0.0: [0.2], 0.1: [0.3]}}, "x").get_xscale() == "linear"
    with pytest.raises(ValueError, match="errors has no points"):
        hardware.plot_errors({"EP": {}}, "dw_min")
