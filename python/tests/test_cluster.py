"""The documented example trains on a Dask cluster, with the same result as without."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from places import REPOSITORY
from small_runs import kept
from snapshot import same

import cep
from cep.experiments import RunDirectory

pytestmark = [pytest.mark.once, pytest.mark.slow]

DOCUMENT = REPOSITORY / "docs" / "experiments.md"


def documented() -> str:
    blocks = re.findall(r"^```python\n(.*?)^```$", DOCUMENT.read_text(), re.DOTALL | re.MULTILINE)
    (block,) = [block for block in blocks if "LocalCluster" in block]
    return str(block)


def test_the_documented_example(tmp_path: Path) -> None:
    (tmp_path / "example.py").write_text(documented())
    done = subprocess.run(
        [sys.executable, "example.py"],
        cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    configuration = cep.Configuration(hidden=[32], epochs=5)
    parameters = {"beta": [0.3, 0.5], "seed": range(3)}
    without = cep.sweep(configuration, parameters, tmp_path / "here", jobs=1, progress=False)
    through = tmp_path / "sweeps" / "cluster"
    assert len(without) == 6
    for outcome in without:
        directory = RunDirectory(through / outcome.name)
        assert directory.status().status == "finished"
        assert directory.configuration() == outcome.configuration
        assert same(kept(directory.path), kept(outcome.directory))
        assert directory.history().validation_error == outcome.history.validation_error

    def without_seconds(table: str) -> list[list[str]]:
        return [line.split()[:-1] for line in table.splitlines()]

    assert without_seconds(done.stdout) == without_seconds(without.table())


# The engine had three threads before, and has one in the process of a run.
WHERE = """
import os, sys
import joblib
from dask.distributed import Client, LocalCluster
import cep

short = cep.Configuration(hidden=[8], epochs=1)
configurations = {str(seed): short.replace(seed=seed) for seed in range(8)}
os.environ["CEP_NUM_THREADS"] = "3"
with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
    with Client(cluster) as client:
        print(sorted(client.run(cep.get_num_threads).values()))
        with joblib.parallel_config(backend="dask"):
            outcomes = cep.run_many(configurations, sys.argv[1], progress=False)
        print(sorted(client.run(cep.get_num_threads).values()))
print({outcome.stop_reason for outcome in outcomes.values()})
"""


def test_the_processes_of_the_cluster_train_on_one_thread_each(
    run_script: Callable[..., str], tmp_path: Path
) -> None:
    assert run_script(WHERE, tmp_path / "runs").splitlines() == ["[3, 3]", "[1, 1]", "{'finished'}"]
