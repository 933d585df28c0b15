"""Versions and machine of a run."""

import platform
from pathlib import Path
from typing import Any

import numpy as np

from cep._cep import __version__
from cep._engine.processor import get_num_threads, instruction_set


def environment() -> dict[str, Any]:
    """Versions, and the properties of the machine that affect results and speed."""
    return {
        "cep": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "system": platform.platform(),
        "processor": _processor_model(),
        "instruction_set": instruction_set(),
        "threads": get_num_threads(),
    }


def _processor_model() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
