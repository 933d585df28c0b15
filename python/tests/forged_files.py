"""Files of cep with a correct checksum and wrong content."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import safetensors
import safetensors.numpy

from cep.io import tensor_files


def forge(path: Path, change: Callable[[Any, dict[str, Any]], Any]) -> None:
    """Change state and tensors in place, with a correct checksum."""
    with safetensors.safe_open(path, framework="numpy") as file:
        metadata = file.metadata()
    tensors = safetensors.numpy.load_file(path)
    state = json.loads(metadata["state"])
    change(state, tensors)
    _write(path, metadata, state, tensors)


def forge_state(path: Path, state: Any) -> None:
    """Replace the state, with a correct checksum."""
    with safetensors.safe_open(path, framework="numpy") as file:
        metadata = file.metadata()
    _write(path, metadata, state, safetensors.numpy.load_file(path))


def _write(path: Path, metadata: dict[str, str], state: Any, tensors: dict[str, Any]) -> None:
    metadata["state"] = json.dumps(state)
    metadata["sha256"] = tensor_files.checksum(metadata["state"], tensors)
    safetensors.numpy.save_file(tensors, path, metadata)
