"""Experiments: configurations, runs of one or of many, sweeps, searches and checkpoints."""

from cep.experiments.result import RunOutcome, RunResult
from cep.experiments.run_directory import RunDirectory
from cep.experiments.run_many import run_many
from cep.experiments.running import run
from cep.experiments.sweep_result import SweepResult
from cep.experiments.sweeping import sweep
from cep.experiments.tuning import TuneResult, tune

__all__ = [
    "RunDirectory",
    "RunOutcome",
    "RunResult",
    "SweepResult",
    "TuneResult",
    "run",
    "run_many",
    "sweep",
    "tune",
]
