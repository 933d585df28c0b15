"""Fixtures and settings of all tests."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from dataset_files import cache, scratch, serve  # noqa: F401 (fixtures)
from hypothesis import settings
from places import MNIST

import cep
from cep.experiments import RunDirectory

# Before SciPy is imported; without it scikit-learn skips one of its checks of estimators.
os.environ.setdefault("SCIPY_ARRAY_API", "1")

# Two busy cores: one slow example does not mean that others are slow. By default every run tries
# the same examples; HYPOTHESIS_PROFILE=long tries many others.
settings.register_profile("cep", deadline=None, derandomize=True)
settings.register_profile("long", deadline=None, max_examples=3000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "cep"))


def pytest_configure(config: pytest.Config) -> None:
    # A shell that starts a command in the background makes it, and its children, ignore Ctrl-C.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    config.addinivalue_line("markers", "slow: runs in make nightly, or with -m slow")
    config.addinivalue_line("markers", "once: not of arithmetic")


@pytest.fixture(scope="session")
def digits() -> Any:
    """scikit-learn's digits, (x, y)."""
    return cep.datasets.digits()


_DRAW = RunDirectory.draw


@pytest.fixture(scope="session", autouse=True)
def no_pictures() -> None:
    """Runs draw no error curves, which take ten times as long as their training."""
    RunDirectory.draw = lambda *_: None  # type: ignore[method-assign]


@pytest.fixture
def no_pictures_in_children(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Nor do runs in processes that a test starts: they find no matplotlib."""
    folder = tmp_path_factory.mktemp("absent")
    (folder / "matplotlib.py").write_text("raise ImportError('absent in this test')\n")
    paths = [str(folder), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))


@pytest.fixture
def pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs draw their error curves."""
    monkeypatch.setattr(RunDirectory, "draw", _DRAW)


@pytest.fixture(scope="session")
def mnist_folder() -> Path:
    """The folder of the real MNIST files."""
    if not MNIST.is_dir():
        pytest.skip(f"the MNIST files are not in {MNIST}")
    return MNIST


@pytest.fixture(scope="module")
def workers() -> Iterator[None]:
    """Ends the processes that joblib keeps, after the module's tests."""
    from joblib.externals.loky import get_reusable_executor

    yield
    get_reusable_executor().shutdown(wait=True)


@pytest.fixture
def run_script(tmp_path: Path) -> Callable[..., str]:
    """Runs a Python program in a new process, outside the sources; returns its output."""

    def run(program: str, *arguments: object, timeout: float = 120) -> str:
        done = subprocess.run(
            [
                sys.executable,
                "-W",
                "error",
                "-W",
                "ignore::UserWarning",
                "-c",
                program,
                *map(str, arguments),
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run
