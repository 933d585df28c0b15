"""Closed streams, other encodings, links, pipes and home folders."""

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from small_runs import small

import cep
from cep.cli import cep as command

COMMANDS = ["train", "sweep", "gdu", "runs", "plot", "reproduce"]


def shell(line: str, folder: Path, **environment: str) -> "subprocess.CompletedProcess[bytes]":
    line = line.replace("cep ", f"{sys.executable} -m cep ", 1)
    return subprocess.run(
        line, shell=True, cwd=folder, capture_output=True, env=os.environ | environment, check=False
    )


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
def test_what_a_stream_cannot_encode_is_replaced(encoding: str, tmp_path: Path) -> None:
    for name in ("train", "gdu"):
        done = shell(f"cep {name} --help", tmp_path, PYTHONIOENCODING=encoding)
        assert (done.returncode, done.stderr) == (0, b"")
        assert b"Strength ? of the nudging" in done.stdout
    done = shell("cep train --beta 0 --epochs 1", tmp_path, PYTHONIOENCODING=encoding)
    assert done.returncode == 1
    assert b"beta must be finite" in done.stderr


@pytest.mark.usefixtures("no_pictures_in_children")
@pytest.mark.parametrize("closed", ["2>&-", "<&- >&- 2>&-"])
def test_closed_streams_lead_nowhere(closed: str, tmp_path: Path) -> None:
    line = f"cep train --epochs 2 --hidden 8 --run-dir run {closed}"
    done = shell(line, tmp_path)
    assert done.returncode == 0, done.stderr
    directory = cep.RunDirectory(tmp_path / "run")
    assert directory.status().status == "finished"
    assert len(directory.metrics()) == 2


def test_a_tilde_is_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    monkeypatch.chdir(tmp_path)
    options = ("--epochs", 1, "--hidden", 8, "--no-progress")
    assert invoke("train", *options, "--run-dir=~/run").exit_code == 0
    sweep = ("--param", "seed=0", "--jobs", 1, "--run-dir=~/sweep")
    assert invoke("sweep", *options, *sweep).exit_code == 0
    cep.run(small(epochs=1), "~/python", progress=False)
    # Others, such as matplotlib, keep folders there too.
    assert {"run", "sweep", "python"} <= {path.name for path in (tmp_path / "home").iterdir()}
    assert {path.name for path in tmp_path.iterdir()} == {"home"}


def test_an_option_without_effect_is_refused(tmp_path: Path) -> None:
    for arguments in (["train"], ["sweep", "--param", "seed=0", "--run-dir", tmp_path / "s"]):
        result = invoke(*arguments, "--data-root", tmp_path)
        assert result.exit_code == 1
        assert "data_root has no effect" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_link_leads_to_what_is_saved(tmp_path: Path) -> None:
    net, target, link = cep.Network([4, 3, 2], seed=0), tmp_path / "target", tmp_path / "link"
    net.save(target)
    target.chmod(0o640)
    link.symlink_to("target")
    net.weights[0][...] = 1
    net.save(link)
    assert link.is_symlink()
    assert np.array_equal(cep.load(target).weights[0], net.weights[0])
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    dangling = tmp_path / "dangling"
    dangling.symlink_to("new")
    net.save(dangling)
    assert np.array_equal(cep.load(tmp_path / "new").weights[0], net.weights[0])


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    net, pipe = cep.Network([4, 3, 2], seed=0), tmp_path / "pipe"
    os.mkfifo(pipe)
    received: list[bytes] = []
    reader = threading.Thread(target=lambda: received.append(pipe.read_bytes()))
    reader.start()
    net.save(pipe)
    reader.join()
    (tmp_path / "file").write_bytes(received[0])
    assert np.array_equal(cep.load(tmp_path / "file").weights[0], net.weights[0])
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.usefixtures("pictures")
def test_a_failing_picture_fails_no_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise RuntimeError("latex could not be found")

    monkeypatch.setattr("cep.plotting.plots.save", fail)
    with pytest.warns(
        UserWarning, match="the history could not be plotted: latex could not be found"
    ):
        result = cep.run(small(epochs=1), tmp_path, progress=False)
    assert result.stop_reason == "finished"
    assert cep.RunDirectory(tmp_path).status().status == "finished"


@pytest.mark.usefixtures("pictures")
def test_pictures_of_runs_are_not_pyplots(tmp_path: Path) -> None:
    pyplot = pytest.importorskip("matplotlib.pyplot")
    before = pyplot.get_fignums()
    cep.run(small(epochs=1), tmp_path, progress=False)
    assert (tmp_path / "history.png").is_file()
    assert pyplot.get_fignums() == before
    backend = {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}
    line = f"cep train --epochs 1 --hidden 8 --run-dir {tmp_path / 'run'}"
    assert shell(line, tmp_path, **backend).returncode == 0
    assert (tmp_path / "run" / "history.png").is_file()
