"""Runs: a configuration, trained, in memory or in a directory of its own; and many of them."""

from cep.runs.directory import RunDirectory
from cep.runs.many import run_many
from cep.runs.result import RunOutcome, RunResult
from cep.runs.running import run

__all__ = ["RunDirectory", "RunOutcome", "RunResult", "run", "run_many"]
