"""The study of imperfect hardware, its pictures, and the command line."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import cep
from cep import hardware
from cep.cli import cep as command
from cep.reproduction import hardware_study


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


def test_data_belongs_to_the_study() -> None:
    for arguments in (["--figure", "gdu", "--data", "digits"], ["--figure", "hardware", "EP-1h"]):
        result = CliRunner().invoke(command, ["reproduce", *arguments])
        assert result.exit_code == 2
        assert "--data goes with --figure hardware" in result.output


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
    assert "there is no synapse 'memristor'" in wrong.output


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
    with pytest.raises(TypeError, match="device must be"):
        hardware.plot_pulse_response(hardware.Ideal())  # type: ignore[arg-type]


def test_weights_and_errors_are_drawn() -> None:
    net = cep.Network([6, 5, 3], synapses=["ecram", "ideal"], seed=0)
    axes = hardware.plot_weight_histogram(net)
    bounds = {float(np.asarray(line.get_xdata())[0]) for line in axes.lines}
    assert bounds == {1.1724, -0.8276}
    errors = {"EP": {0.1: [0.2, 0.4], 0.01: [0.1]}, "C-EP": {0.1: [0.5]}}
    axes = hardware.plot_errors(errors, "dw_min")
    line = next(line for line in axes.lines if line.get_label() == "EP")
    np.testing.assert_allclose(line.get_xdata(), [0.01, 0.1])
    np.testing.assert_allclose(line.get_ydata(), [10, 30])
    assert axes.get_xscale() == "log"
