"""Runs: a configuration, trained."""

from cep.runs.result import RunResult
from cep.runs.running import run

__all__ = ["RunResult", "run"]
