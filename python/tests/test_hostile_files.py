"""Files made to do harm: refused, and nothing in them is executed. SECURITY.md says so."""

import json
import os
import pickle
import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors
import safetensors.numpy
from forged_files import forge
from small_runs import small

import cep
from cep import datasets
from cep.experiments import RunDirectory, checkpoints
from cep.io import tensor_files
from cep.training.sources import Position

pytestmark = pytest.mark.once

DEEP = "[" * 100_000
LONG_NUMBER = "1" * 5_000
CODE = "__import__('os').system('touch ran')"


class Harm:
    """Unpickled, it makes a file."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("touch ran",)


def test_the_pickle_of_these_tests_does_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    pickle.loads(pickle.dumps(Harm()))
    assert (tmp_path / "ran").exists()


def network(path: Path) -> dict[str, str]:
    """Write a network that is as it should be; its metadata."""
    cep.Network([4, 3, 2], seed=0).save(path)
    with safetensors.safe_open(path, framework="numpy") as file:
        return dict(file.metadata())


def with_state(folder: Path, state: str) -> bytes:
    """The file of a network with another state and a valid checksum."""
    metadata = network(folder / "scratch")
    tensors = safetensors.numpy.load_file(folder / "scratch")
    checksum = tensor_files.checksum(state, tensors)
    return safetensors.numpy.save(tensors, metadata | {"state": state, "sha256": checksum})


def with_header(length: int, header: object, rest: bytes = b"") -> bytes:
    """A safetensors file of any header, and any length of it that is declared."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", length or len(text)) + text + rest


def tensor(start: int, end: int, dtype: str = "F32", shape: Any = (1,)) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


def changed(folder: Path, change: Callable[[Any, dict[str, Any]], Any]) -> bytes:
    """A network with something else in its state or tensors, signed as ours are."""
    network(folder / "scratch")
    forge(folder / "scratch", change)
    return (folder / "scratch").read_bytes()


def hostile(folder: Path) -> dict[str, bytes]:
    """Invalid files, by name of the defect."""
    payload = pickle.dumps(Harm())
    text = payload.decode("latin-1")
    named = {
        "a pickle": payload,
        "a pickle behind a length": struct.pack("<Q", len(payload)) + payload,
        "a pickle in the state": with_state(folder, text),
        "code in the state": with_state(folder, CODE),
        "an object of code in the state": with_state(
            folder, json.dumps({"py/reduce": [{"py/type": "os.system"}, "touch ran"]})
        ),
        "a state nested deeply": with_state(folder, DEEP),
        "a state of a number of thousands of digits": with_state(folder, LONG_NUMBER),
        "a header nested deeply": with_header(0, DEEP.encode()),
    }
    for length in (1, 10**8 + 1, 2**31, 2**32, 2**63 - 1, 2**63, 2**64 - 1):
        named[f"a header of {length} bytes"] = with_header(length, {"a": tensor(0, 4)}, bytes(4))
    for name in ("../../escaped", "/tmp/escaped", "weights.0/../../escaped", "__class__", "a\0b"):
        named[f"a tensor named {name!r}"] = changed(
            folder,
            lambda state, tensors, name=name: tensors.update({name: np.zeros(3, np.float32)}),
        )
    for option in ("__class__", "__init__", "_engine"):
        named[f"an option {option}"] = changed(
            folder, lambda state, tensors, option=option: state["options"].update({option: CODE})
        )
    for field in ("setting", "dtype", "activation", "feedback", "relaxation", "dt", "seed"):
        named[f"code as the {field}"] = changed(
            folder, lambda state, tensors, field=field: state["options"].update({field: CODE})
        )
    for dtype in ("01f4", "(1,,2)f4", "2f4", "<f4", "float32,float32"):  # NumPy would parse them.
        named[f"the dtype {dtype}"] = changed(
            folder, lambda state, tensors, dtype=dtype: state["options"].update(dtype=dtype)
        )
    for what, entry in {
        "bytes beyond the end": tensor(0, 2**40, shape=[2**38]),
        "bytes before the beginning": tensor(-8, 4),
        "its end before its beginning": tensor(4, 0),
        "more bytes than can be counted": tensor(0, 4, shape=[2**33, 2**33, 2**33]),
        "another number of bytes": tensor(0, 4, shape=[2]),
        "an unknown type": tensor(0, 4, dtype="O"),
        "a pickle as its type": tensor(0, 4, dtype=text),
    }.items():
        named[f"a tensor of {what}"] = with_header(0, {"a": entry}, bytes(4))
    named["two tensors of the same bytes"] = with_header(
        0, {"a": tensor(0, 4), "b": tensor(0, 4)}, bytes(4)
    )
    return named


# The interpreter itself reports what it does: code compiled or run, objects unpickled, processes,
# libraries, connections, and every file that is opened.
AUDITED = """
import sys
from pathlib import Path
import cep
from cep import checkpoints

LOADERS = {"cep.load": cep.load, "checkpoints.load": checkpoints.load}
good, *files = map(Path, sys.argv[1:])
cep.load(good)  # What is imported when it is first needed is imported now.
checkpoints.load(good)
events = []
WATCHED = ("exec", "compile", "import", "open", "pickle.", "marshal.", "os.", "subprocess.",
           "socket.", "ctypes.", "shutil.", "code.")
def watch(event, arguments):
    if watching and event.startswith(WATCHED):
        events.append((event, arguments))
watching = False
sys.addaudithook(watch)
for file in (good, *files):
    for name, load in LOADERS.items():
        events.clear()
        outcome = "loaded"
        watching = True
        try:
            load(file)
        except cep.CheckpointError:
            outcome = "refused"
        except BaseException as error:
            outcome = repr(error)
        watching = False
        strange = [each for each in events if (each[0], str(each[1][0])) != ("open", str(file))]
        print(name, outcome, len(events) - len(strange), strange, sep="|")
"""


def test_loading_executes_nothing(tmp_path: Path, run_script: Callable[..., str]) -> None:
    """Neither what is refused nor what is loaded: by the interpreter's own report."""
    good = tmp_path / "good"
    net = small().make_network()
    state = checkpoints.Checkpoint.of(net, small(), cep.History(), Position())
    checkpoints.save(good, state)
    files = hostile(tmp_path)
    paths = [tmp_path / f"{number}" for number in range(len(files))]
    for path, content in zip(paths, files.values(), strict=True):
        path.write_bytes(content)
    before = sorted(tmp_path.iterdir())
    lines = [line.split("|") for line in run_script(AUDITED, good, *paths).splitlines()]
    assert len(lines) == 2 * len(files) + 2
    for (loader, outcome, opened, strange), what in zip(
        lines, ["good"] * 2 + [name for name in files for _ in range(2)], strict=True
    ):
        expected = "loaded" if what == "good" else "refused"
        assert (outcome, strange) == (expected, "[]"), (loader, what)
        assert int(opened) >= 1, "the hook reports nothing"
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("content", [DEEP, LONG_NUMBER, CODE, "null", "7"])
@pytest.mark.parametrize(
    "name", ["configuration.json", "environment.json", "status.json", "records.jsonl"]
)
def test_run_directories(name: str, content: str, tmp_path: Path) -> None:
    """A resumed run rejects an invalid file, and the message contains its name."""
    cep.run(small(epochs=1, diagnostics_every=5), tmp_path, progress=False)
    (tmp_path / "status.json").unlink()
    (tmp_path / name).write_text(f"{content}\n")
    with pytest.raises((ValueError, TypeError), match=name.replace(".", r"\.")):
        cep.run(small(epochs=1, diagnostics_every=5), tmp_path, resume=True, progress=False)


@pytest.mark.parametrize("content", [DEEP, LONG_NUMBER, CODE])
def test_files_that_are_listed_and_compared(content: str, tmp_path: Path) -> None:
    for name in ("metrics.jsonl", "sweep.json"):
        (tmp_path / name).write_text(f"{content}\n")
    with pytest.raises(ValueError, match=r"metrics\.jsonl, line 1: expected a JSON object"):
        RunDirectory(tmp_path).metrics()
    with pytest.raises(ValueError, match=r"sweep\.json is damaged"):
        cep.sweep(small(), {"beta": [0.1]}, tmp_path, progress=False)


@pytest.mark.parametrize(
    "change",
    [
        lambda state: state["history"].update(train_error=[], train_loss=[]),
        lambda state: state["history"].pop("seconds"),
        lambda state: state["position"].update(batch=1, errors=10**6),
        lambda state: state["position"].update(errors=1),
        lambda state: state["position"].update(batch=1, loss_sum=-1.0),
    ],
)
def test_a_forged_checkpoint_of_a_run_is_refused_by_name(
    change: Callable[[Any], Any], tmp_path: Path
) -> None:
    cep.run(small(epochs=1), tmp_path, progress=False)
    forge(tmp_path / "last.safetensors", lambda state, tensors: change(state))
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(ValueError, match=re.escape(str(tmp_path / "last.safetensors"))):
        cep.run(small(epochs=1), tmp_path, resume=True, progress=False)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_memory_for_a_file_of_many_sizes_is_that_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "many"
    cep.Network([4, 3, 2]).save(path)
    forge(path, lambda state, tensors: state.update(sizes=[1] * 100_000))
    with pytest.raises(cep.CheckpointError) as error:
        cep.load(path)
    assert len(str(error.value)) < 1000


def test_a_pickle_is_no_data_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "images").write_bytes(pickle.dumps(Harm()))
    with pytest.raises(ValueError, match="expected an IDX file"):
        datasets.read_idx(tmp_path / "images")
    assert not (tmp_path / "ran").exists()
