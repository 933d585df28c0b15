"""Invariants of any file: it is read correctly, or refused by name, and nothing is half done.

`check` takes bytes that select a kind of file and its content: a fuzzer's (`fuzzing/files.py`), or
those of tests.
"""

import atexit
import contextlib
import gzip
import json
import math
import os
import shutil
import struct
import tempfile
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from dataset_files import CODES, compress, idx_bytes
from numpy.typing import NDArray

import cep
from cep.experiments import checkpoints
from cep.experiments.checkpoints import Checkpoint
from cep.experiments.run_directory import RunDirectory
from cep.experiments.sweep_directory import SweepDirectory
from cep.io import tensor_files
from cep.training.sources import Position

CONFIGURATION = cep.Configuration(hidden=[2], feedback="untied", beta_sign="random", epochs=2)
HISTORY = cep.History([0.5], [0.1], [0.5], [0.2], [1.5])


@cache
def folder() -> Path:
    """A folder of this process, which the examples of a search use repeatedly."""
    # In memory if possible, to avoid waiting for a disk.
    memory = Path("/dev/shm")
    elsewhere = "TMPDIR" in os.environ or not memory.is_dir()
    made = tempfile.mkdtemp(prefix="cep-damaged-", dir=None if elsewhere else memory)
    atexit.register(shutil.rmtree, made)
    return Path(made)


@contextlib.contextmanager
def refused_by_name(path: Path, kind: type[ValueError] = ValueError) -> Iterator[None]:
    """Expect that every exception of the block is this error, with the file in its message."""
    message = None
    try:
        yield
    except kind as error:
        message = str(error)
    assert message is None or str(path) in message


# IDX


def idx_by_the_book(content: bytes) -> NDArray[Any] | None:
    """The array of an IDX file, or None; does not limit memory."""
    if content[:2] == b"\x1f\x8b":
        try:
            content = gzip.decompress(content)
        except Exception:
            return None
    if len(content) < 4 or content[:2] != b"\0\0" or not 1 <= content[3] <= 32:
        return None
    dtype = {code: np.dtype(">" + name) for name, code in CODES.items()}.get(content[2])
    end = 4 + 4 * content[3]
    if dtype is None or len(content) < end:
        return None
    shape = struct.unpack(f">{content[3]}I", content[4:end])
    if math.prod(shape) * dtype.itemsize != len(content) - end:
        return None
    if math.prod(size or 1 for size in shape) * dtype.itemsize > 2**63 - 1:
        return None  # NumPy does not support this shape.
    return np.frombuffer(content[end:], dtype).reshape(shape)


def check_idx(content: bytes) -> None:
    path = folder() / "any.idx"
    path.write_bytes(content)
    expected, found = idx_by_the_book(content), None
    with refused_by_name(path):
        found = cep.datasets.read_idx(path)
    assert (found is None) == (expected is None), (found, expected)
    if found is not None and expected is not None:
        assert found.shape == expected.shape
        assert found.dtype == expected.dtype.newbyteorder("=")
        assert found.tobytes() == expected.astype(found.dtype).tobytes()


# Networks and checkpoints


@cache
def network_file() -> bytes:
    net = cep.Network([2, 3, 2], feedback="untied", dtype="float64", seed=1)
    net.save(folder() / "valid")
    return (folder() / "valid").read_bytes()


@cache
def checkpoint_file() -> bytes:
    checkpoint = Checkpoint.of(
        CONFIGURATION.make_network(), CONFIGURATION, HISTORY, Position(3, 1, 0.5, 2.0)
    )
    checkpoints.save(folder() / "valid", checkpoint)
    return (folder() / "valid").read_bytes()


def state_of(content: bytes) -> str:
    """The JSON in a file of cep, by the description of the format."""
    (length,) = struct.unpack("<Q", content[:8])
    state: str = json.loads(content[8 : 8 + length])["__metadata__"]["state"]
    return state


def forged(content: bytes, state: str) -> bytes:
    """The same file with another state and the matching checksum."""
    (length,) = struct.unpack("<Q", content[:8])
    metadata = json.loads(content[8 : 8 + length])["__metadata__"]
    tensors = safetensors.numpy.load(content)
    metadata |= {"state": state, "sha256": tensor_files.checksum(state, tensors)}
    return safetensors.numpy.save(tensors, metadata)


def check_tensor_file(content: bytes) -> None:
    """Read by both readers; the results equal the content of the file."""
    path = folder() / "any.safetensors"
    path.write_bytes(content)
    with refused_by_name(path, cep.CheckpointError):
        net = cep.load(path)
        tensors, state = safetensors.numpy.load(content), json.loads(state_of(content))
        assert list(net.random_state) == state["random_state"]
        assert {name: array.tobytes() for name, array in tensors.items()} == {
            f"{kind}.{k}": array.tobytes()
            for kind in ("weights", "biases", "feedback_weights")
            for k, array in enumerate(getattr(net, kind))
            if array is not None
        }
        if "options" in state:
            options = json.loads(json.dumps(net.options))
            assert [list(net.sizes), options] == [
                state["sizes"],
                # Files of earlier versions lack some options.
                options | state["options"],
            ]
    with refused_by_name(path, cep.CheckpointError):
        checkpoint = checkpoints.load(path)
        assert len(checkpoint.history) == json.loads(state_of(content))["epoch"]
        net = checkpoint.make_network()
        assert checkpoint.configuration.make_rule().name


def check_network_state(text: bytes) -> None:
    check_tensor_file(forged(network_file(), text.decode(errors="replace")))


def check_checkpoint_state(text: bytes) -> None:
    check_tensor_file(forged(checkpoint_file(), text.decode(errors="replace")))


# Directories of runs and sweeps


def all_of_type(kind: Any, *values: Any) -> None:
    """Expect all values in some sequences to have a type."""
    assert all(isinstance(value, kind) for several in values for value in several), values


@cache
def run_files() -> dict[str, bytes]:
    """The files of a run of one and a half epochs."""
    line = HISTORY.rows()[0]
    record = {"epoch": 1, "batch": 2, "batches": 9, "feedback_angles": [1.5, 2]}
    return {
        "configuration.json": CONFIGURATION.to_json().encode(),
        "environment.json": b'{"instruction_set": "' + cep.instruction_set().encode() + b'"}\n',
        "status.json": b'{"status": "diverged", "message": ""}\n',
        "metrics.jsonl": json.dumps(line).encode() + b"\n",
        "records.jsonl": json.dumps(record).encode() + b"\n",
        "last.safetensors": checkpoint_file(),
    }


def check_run_file(name: str) -> Callable[[bytes], None]:
    """One file of a run has any content, the others are valid."""

    def check(content: bytes) -> None:
        place = folder() / "run"
        place.mkdir(exist_ok=True)
        for each in place.iterdir():
            each.unlink()
        files = run_files() | {name: content}
        for each, whole in files.items():
            (place / each).write_bytes(whole)
        directory = RunDirectory(place)
        for look in (
            directory.configuration,
            lambda: all_of_type(str, directory.status()[:2]),
            directory.metrics,
            lambda: all_of_type(float | int, *vars(directory.history()).values()),
            lambda: [all_of_type(int, [r["epoch"], r["batch"]]) for r in directory.records()],
        ):
            with refused_by_name(place / name):
                look()
        # Another configuration, whole, is that of another run in this place.
        with refused_by_name(place if name == "configuration.json" else place / name):
            directory.result(CONFIGURATION)
        refused = True
        with refused_by_name(place), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Warns that it began with another instruction set.
            with directory.opened(CONFIGURATION, {}, resume=True):
                refused = False
        if refused:
            found = {each.name: each.read_bytes() for each in place.iterdir()}
            assert found == files, "what was refused has changed files"

    return check


@cache
def sweep_file() -> bytes:
    values = {"configuration": CONFIGURATION.to_dict(), "parameters": {"beta": [0.5, 1.0]}}
    return json.dumps(values).encode()


def check_sweep(content: bytes) -> None:
    place = folder() / "sweep"
    place.mkdir(exist_ok=True)
    (place / "sweep.json").write_bytes(content)
    directory, refused = SweepDirectory(place), True
    with refused_by_name(place), directory.opened(CONFIGURATION, {"beta": [0.5, 1.0]}, {}):
        refused = False
    assert not refused or (place / "sweep.json").read_bytes() == content


# A check for each kind of file, and a valid file of this kind.
KINDS: dict[str, tuple[Callable[[bytes], None], Callable[[], bytes]]] = {
    "idx": (check_idx, lambda: idx_bytes(np.arange(6, dtype=np.int16).reshape(2, 3))),
    "idx.gz": (lambda content: check_idx(compress(content)), lambda: idx_bytes(np.arange(3.0))),
    "tensor file": (check_tensor_file, network_file),
    "network": (check_network_state, lambda: state_of(network_file()).encode()),
    "checkpoint": (check_checkpoint_state, lambda: state_of(checkpoint_file()).encode()),
    **{
        name: (check_run_file(name), lambda name=name: run_files()[name])  # type: ignore[misc]
        for name in (
            "configuration.json",
            "environment.json",
            "status.json",
            "metrics.jsonl",
            "records.jsonl",
            "last.safetensors",
        )
    },
    "sweep.json": (check_sweep, sweep_file),
}


def check(data: bytes) -> None:
    """The first byte selects the kind."""
    if data:
        list(KINDS.values())[data[0] % len(KINDS)][0](data[1:])
