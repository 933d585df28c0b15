"""Runs: a configuration, trained, in memory or in a directory of its own; and many of them."""

from cep.runs.directory import RunDirectory
from cep.runs.many import run_many
from cep.runs.result import RunOutcome, RunResult
from cep.runs.running import run
from cep.runs.sweep_result import SweepResult
from cep.runs.sweeping import sweep

__all__ = ["RunDirectory", "RunOutcome", "RunResult", "SweepResult", "run", "run_many", "sweep"]
