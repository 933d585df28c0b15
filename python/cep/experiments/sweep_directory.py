"""Sweep directories: the files of a sweep, in addition to those of its runs."""

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cep._util import files
from cep.experiments.configuration import Configuration
from cep.experiments.overrides import plain, spelled
from cep.experiments.result import RunOutcome
from cep.experiments.run_directory import RunDirectory
from cep.experiments.sweep_result import rows


class SweepDirectory:
    """The files of one sweep. Each run has a separate subdirectory.

    ===============  ==========================================================
    ``sweep.json``   The common configuration, and the values of the parameters.
    ``results.csv``  One row per run that ended, as in `SweepResult.rows`.
    ===============  ==========================================================

    Parameters
    ----------
    path : path
        The directory. It need not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.results = path / "results.csv"
        self._sweep = path / "sweep.json"

    @contextmanager
    def opened(
        self,
        configuration: Configuration,
        parameters: Mapping[str, Sequence[Any]],
        fingerprint: Mapping[str, Any],
    ) -> Iterator[None]:
        """Lock the directory for a sweep of plain values until the block ends.

        The fingerprint of the data is empty if the data are swept.

        Raises
        ------
        ValueError
            If the directory contains a run, or a sweep that is not part of this one.
        BlockingIOError
            If another process uses the directory.
        """
        if RunDirectory(self.path).holds_a_run():
            raise ValueError(f"{self.path} contains a run; give the sweep a separate directory")
        if self._sweep.exists():
            self._check_contains(configuration, parameters, fingerprint)
        self.path.mkdir(parents=True, exist_ok=True)
        with files.locked(self.path):
            files.remove_parts(self.path)
            values = {
                "configuration": configuration.to_dict(),
                "parameters": dict(parameters),
                "data": dict(fingerprint),
            }
            files.write_whole(self._sweep, json.dumps(values, indent=2).encode() + b"\n")
            yield

    def _check_contains(
        self,
        configuration: Configuration,
        parameters: Mapping[str, Sequence[Any]],
        fingerprint: Mapping[str, Any],
    ) -> None:
        """Check that the sweep in the directory is part of this one."""
        try:
            values = files.parse_json(self._sweep.read_text(encoding="utf-8"))
            before = Configuration.from_dict(values["configuration"])
            data = values.get("data", {}).get("sha256", fingerprint.get("sha256"))
            swept = {name: list(there) for name, there in values["parameters"].items()}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{self._sweep} is damaged: {error}") from error
        if data != fingerprint.get("sha256"):
            raise ValueError(f"{self.path} holds a sweep on other data")
        if swept.keys() != parameters.keys():
            raise ValueError(
                f"{self.path} holds a sweep over {', '.join(swept)}; "
                f"this one is over {', '.join(parameters)}"
            )
        differences = [
            f"{name} is {there!r} there, {here!r} here"
            for name, (there, here) in before.differences(configuration).items()
            if name not in swept
        ]
        differences += [
            f"{name}={spelled(value)} is there and not here"
            for name, there in swept.items()
            for value in there
            if value not in parameters[name]
        ]
        if differences:
            raise ValueError(
                f"{self.path} holds another sweep; values can be added to it, but not changed: "
                f"{'; '.join(differences)}"
            )

    def write_results(self, outcomes: Sequence[RunOutcome], parameters: Sequence[str]) -> None:
        """Write the table of the runs that have ended."""
        text = io.StringIO()
        lines = rows(outcomes, parameters)
        writer = csv.DictWriter(text, lines[0], lineterminator="\n")
        writer.writeheader()
        for line in lines:
            words = {name: spelled(plain(line[name])) for name in parameters}
            blanks = {
                name: ""
                for name, value in line.items()
                if isinstance(value, float) and math.isnan(value)
            }
            writer.writerow(line | words | blanks)
        files.write_whole(self.results, text.getvalue().encode())
