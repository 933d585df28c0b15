"""Training reaches the errors that were promised, and those the paper's own code reached."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import cep

pytestmark = pytest.mark.slow


def test_digits_with_the_default_command(tmp_path: Path) -> None:
    """Five seeds of network, split and order: 4.0 % of 360 test images on average, at most."""
    errors = []
    for seed in range(5):
        done = subprocess.run(
            [sys.executable, "-m", "cep", "train", "--seed", str(seed)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        assert "CEP(" in done.stdout
        assert "360 to test" in done.stdout
        printed = re.search(r"^test error +([\d.]+)% after the last epoch", done.stdout, re.M)
        assert printed is not None
        errors.append(float(printed[1]))
    assert np.mean(errors) <= 4.0
    assert len(set(errors)) > 1


def test_mnist_with_ep(mnist_folder: Path) -> None:
    """EP-1h. The paper's code, one seed: 9.38 % online, 5.19 % and 3.86 % in the test."""
    data, test = cep.datasets.mnist(mnist_folder)
    net = cep.Network([784, 512, 10], seed=0)
    rule = cep.EP(free_steps=30, nudged_steps=10, beta=0.1, learning_rates=[0.08, 0.04])
    history = cep.fit(
        net, data, rule, epochs=2, batch_size=20, validation_data=test, seed=0, progress=False
    )
    train_error, test_error = 100 * np.array([history.train_error, history.validation_error])
    assert train_error[0] == pytest.approx(9.4, abs=0.5)
    assert test_error[0] == pytest.approx(5.2, abs=0.6)
    assert test_error[1] == pytest.approx(3.9, abs=0.5)
