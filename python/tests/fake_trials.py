"""Outcomes with given errors, and their files, without training."""

import json
import math
from collections.abc import Sequence
from pathlib import Path

import pytest
from small_runs import small

import cep
from cep.experiments.presets import Preset, Published


def outcome(
    configuration: cep.Configuration,
    errors: Sequence[float],
    stop_reason: str = "finished",
    name: str = "",
    message: str = "",
) -> cep.RunOutcome:
    """An outcome with these test errors, half as large training errors, and 1.5 s per epoch."""
    halves = [error / 2 for error in errors]
    seconds = [1.5] * len(errors)
    history = cep.History(halves, halves, [], [], seconds, list(errors), list(errors))
    tested = (errors[-1],) * 2 if len(errors) else (math.nan,) * 2
    return cep.RunOutcome(
        name,
        configuration,
        Path(name),
        stop_reason,  # type: ignore[arg-type]
        message,
        history,
        *tested,
    )


def write_run(
    place: Path, configuration: cep.Configuration, errors: Sequence[float], status: str = "finished"
) -> None:
    """The small files of a run with these test errors and half as large training errors."""
    place.mkdir(parents=True)
    (place / "configuration.json").write_text(configuration.to_json())
    tested = {"test_error": errors[-1], "test_loss": errors[-1]} if errors else {}
    (place / "status.json").write_text(json.dumps({"status": status, "message": ""} | tested))
    machine = {"processor": "abacus", "instruction_set": "beads", "threads": 1}
    (place / "environment.json").write_text(json.dumps(machine))
    kind = "validation" if configuration.validation_fraction else "test"
    lines = [
        {
            "epoch": epoch,
            "train_error": error / 2,
            "train_loss": error,
            f"{kind}_error": error,
            f"{kind}_loss": error,
            "seconds": 60.0,
        }
        for epoch, error in enumerate(errors, start=1)
    ]
    (place / "metrics.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))


@pytest.fixture
def quick_presets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replaces some rows by three epochs of the digits."""
    configurations = {
        "EP-1h": small(rule="ep"),
        "EP-2h": small(rule="ep", hidden=[16, 16], learning_rates=0.02),
        "C-EP-1h": small(),
        "C-VF-1h": small(feedback="untied", beta_sign="random"),
    }
    for name, configuration in configurations.items():
        preset = Preset(name, configuration, Published(0.02, 0.001, 0.002))
        monkeypatch.setitem(cep.presets.PRESETS, name, preset)
