"""Configurations that train in a moment, and the result of uninterrupted training."""

from pathlib import Path
from typing import Any

import pytest
from numpy.typing import NDArray
from snapshot import parameters

import cep
from cep.experiments import checkpoints


def small(**changes: Any) -> cep.Configuration:
    """Three epochs of 72 batches on the digits, in less than a tenth of a second, with a curve."""
    quick = cep.Configuration(
        hidden=[16],
        epochs=3,
        relaxation="synchronous",
        rule="c-ep",
        beta_sign="fixed",
        free_steps=8,
        nudged_steps=4,
        learning_rates=[0.05, 0.02],
        validation_fraction=0,
        test_every_epoch=True,
    )
    return quick.replace(**changes)


def fitted(configuration: cep.Configuration) -> tuple[list[NDArray[Any]], cep.History]:
    """Parameters and history after `cep.fit`, without directories and checkpoints."""
    data, test = cep.datasets.split(cep.datasets.digits(), 360, seed=configuration.seed)
    net = configuration.make_network()
    history = cep.fit(
        net,
        data,
        configuration.make_rule(),
        configuration.epochs,
        configuration.batch_size,
        validation_data=test,
        seed=configuration.seed,
        progress=False,
    )
    # Runs with these configurations do not validate, and test after every epoch.
    history.test_error, history.validation_error = history.validation_error, []
    history.test_loss, history.validation_loss = history.validation_loss, []
    return parameters(net), history


def kept(directory: Path) -> list[NDArray[Any]]:
    """The parameters of the last checkpoint in a run directory."""
    return parameters(checkpoints.load(directory / "last.safetensors").make_network())


def files(folder: Path) -> dict[str, tuple[int, bytes]]:
    """The time and content of each file below a folder."""
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file()
    }


def without_times(history: cep.History) -> dict[str, list[float]]:
    """The reproducible part of a history."""
    return {name: values for name, values in vars(history).items() if name != "seconds"}


def whole_and_resumed(configuration: cep.Configuration, folder: Path) -> list[cep.Network]:
    """The network of an uninterrupted run, and of one that Ctrl-C stopped after an epoch."""

    def stop(history: cep.History) -> None:
        raise KeyboardInterrupt

    cep.run(configuration, folder / "whole", progress=False)
    with pytest.raises(KeyboardInterrupt):
        cep.run(configuration, folder / "stopped", progress=False, on_epoch_end=stop)
    cep.run(configuration, folder / "stopped", progress=False, resume=True)
    return [cep.load(folder / name / "last.safetensors") for name in ("whole", "stopped")]
