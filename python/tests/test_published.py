"""Training reaches the promised errors, and those of the paper's own code."""

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import cep

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("rule", ["ep", "c-ep"])
def test_digits_with_the_default_command(rule: str, tmp_path: Path) -> None:
    """Five seeds of network, split and order: at most 4.0 % of 360 test images on average."""

    def train(seed: int) -> float:
        given = () if rule == "ep" else ("--rule", rule)
        done = subprocess.run(
            [sys.executable, "-m", "cep", "train", "--no-progress", "--seed", str(seed), *given],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
            env=os.environ | {"CEP_NUM_THREADS": "1"},
        )
        assert done.returncode == 0, done.stderr
        name = rule.upper().replace("-", "")
        assert re.search(rf"^rule +{name}\(", done.stdout, re.M)
        assert "360 to test" in done.stdout
        printed = re.search(r"^test error +([\d.]+)% after the last epoch", done.stdout, re.M)
        assert printed is not None
        return float(printed[1])

    with ThreadPoolExecutor(2) as pool:
        errors = list(pool.map(train, range(5)))
    assert np.mean(errors) <= 4.0
    assert len(set(errors)) > 1


def test_mnist_with_ep(mnist_folder: Path) -> None:
    """EP-1h. The paper's code, one seed: 9.38 % online, 5.19 % and 3.86 % in the test.

    After the second epoch seeds differ by as much as 3.2 and 4.7 %: the median of three is
    compared.
    """
    data, test = cep.datasets.mnist(mnist_folder)
    rule = cep.EP(free_steps=30, nudged_steps=10, beta=0.1, learning_rates=[0.08, 0.04])
    errors = []
    for seed in range(3):
        net = cep.Network([784, 512, 10], seed=seed)
        history = cep.fit(net, data, rule, 2, validation_data=test, seed=seed, progress=False)
        errors.append([history.train_error[0], *history.validation_error])
    online, first, second = 100 * np.median(errors, axis=0)
    assert online == pytest.approx(9.4, abs=0.3)
    assert first == pytest.approx(5.2, abs=0.4)
    assert second == pytest.approx(3.9, abs=0.5)
