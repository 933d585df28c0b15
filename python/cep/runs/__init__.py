"""Runs: a configuration, trained, in memory or in a directory of its own."""

from cep.runs.directory import RunDirectory
from cep.runs.result import RunResult
from cep.runs.running import run

__all__ = ["RunDirectory", "RunResult", "run"]
