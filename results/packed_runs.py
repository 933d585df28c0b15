"""Small files of runs, packed: a file for each row of the table, one line for each run.

A line has the name of the run, its configuration, machine, status and metrics. `unpack` makes run
directories of them, without checkpoints, which `cep.reproduction` reads.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cep import History
from cep.experiments.metrics_file import history_of, read_metrics

RUNS = Path(__file__).resolve().parent / "runs"
# Files of a run that are copied whole. The last is written by continual_noise.py.
DOCUMENTS = ("configuration", "environment", "status", "cycles")


def file_of(name: str) -> Path:
    """The file with a run such as EP-1h/seed-0 or angles/C-VF-1h/angle-90/seed-0."""
    parts = [part for part in name.split("/") if not part.startswith(("seed-", "angle-"))]
    return RUNS / f"{'-'.join(parts)}.jsonl"


def pack(runs: Path, names: Iterable[str]) -> None:
    """Add runs from their directories below `runs`; those of the same name are replaced."""
    for name in names:
        path = file_of(name)
        kept = {line["run"]: line for line in _lines(path)} | {name: _packed(runs / name, name)}
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(json.dumps(kept[run]) + "\n" for run in sorted(kept)))


def unpack(to: Path) -> None:
    """Make a run directory below `to` of each packed run."""
    for path in sorted(RUNS.glob("*.jsonl")):
        for line in _lines(path):
            place = to / line["run"]
            place.mkdir(parents=True, exist_ok=True)
            for document in DOCUMENTS:
                if document in line:
                    (place / f"{document}.json").write_text(json.dumps(line[document]))
            rows = History(**line["metrics"]).rows()
            text = "".join(json.dumps(row) + "\n" for row in rows)
            (place / "metrics.jsonl").write_text(text)


def _packed(place: Path, name: str) -> dict[str, Any]:
    files = {document: place / f"{document}.json" for document in DOCUMENTS}
    documents = {
        document: json.loads(file.read_text()) for document, file in files.items() if file.exists()
    }
    history = history_of(read_metrics(place / "metrics.jsonl"))
    metrics = {column: values for column, values in vars(history).items() if values}
    return {"run": name, **documents, "metrics": metrics}


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
