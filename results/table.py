"""Writes the tables of README.md and results/README.md from the runs in results/runs.

    python results/table.py            # after results/collect.py
    python results/table.py --check    # says whether they are what the runs say

Each table is between two comments that say so.
"""

import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from packed_runs import unpack

from cep.reproduction import (
    TABLE,
    AngleSweep,
    Reproduction,
    angle_figure,
    read_angles,
    read_rows,
    report,
)
from cep.reproduction.published import OFFICIAL_MILLISECONDS, published_row
from cep.reproduction.trials import Trials

ROOT = Path(__file__).resolve().parents[1]
# Of an epoch: 60,000 images in batches of 20.
BATCHES = 3000
NOTHING = "No runs have been collected yet."


def main() -> None:
    if sys.argv[1:] not in ([], ["--check"]):
        sys.exit("usage: python results/table.py [--check]")
    with tempfile.TemporaryDirectory() as folder:
        runs = Path(folder)
        unpack(runs)
        rows = sorted(read_rows(runs), key=place_in_table)
        untied = ("C-VF-1h", "C-VF-1h-alternating", "C-VF-2h", "C-VF-2h-alternating")
        sweeps = [read_angles(name, runs) for name in untied]
        sweeps = [sweep for sweep in sweeps if sweep.trials or sweep.fixed]
        trials = [*rows, *(each for sweep in sweeps for each in sweep.trials.values())]
        trials += [each for sweep in sweeps for each in sweep.fixed.values()]
        blocks = {
            ROOT / "README.md": {"table": summary(rows)},
            ROOT / "results" / "README.md": {
                "table": summary(rows),
                "times": times(rows),
                "seeds": seeds(rows),
                "angles": "\n\n".join(map(angles, sweeps)) or NOTHING,
                "machines": machines(runs, trials),
            },
        }
    different = []
    for path, contents in blocks.items():
        before = text = path.read_text(encoding="utf-8")
        for name, content in contents.items():
            text = filled(path, text, name, content)
        if text == before:
            continue
        different.append(path.relative_to(ROOT))
        if "--check" not in sys.argv:
            path.write_text(text, encoding="utf-8")
            print(f"written: {different[-1]}")
    if different and "--check" in sys.argv:
        sys.exit(f"not what the runs say: {', '.join(map(str, different))}; run {sys.argv[0]}")


def filled(path: Path, text: str, name: str, content: str) -> str:
    """The text with new content between the two comments of this name."""
    begin, end = f"<!-- results/table.py: {name} -->\n", f"\n<!-- end of {name} -->"
    before, found, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        sys.exit(f"{path} lacks a line {begin.strip()}, or {end.strip()} after it")
    return f"{before}{begin}\n{content}\n{end}{after}"


def summary(rows: Sequence[Reproduction]) -> str:
    return markdown(report.SUMMARY_HEADINGS, [report.summary_cells(row) for row in rows])


def place_in_table(row: Reproduction) -> int:
    """The position of a row; rows that are not in the paper's table come last."""
    name = row.preset.name
    return TABLE.index(name) if name in TABLE else len(TABLE)


def times(rows: Sequence[Reproduction]) -> str:
    """Milliseconds of a batch, here and of the official code."""
    cells = []
    for row in rows:
        name = published_row(row.preset.name)
        epochs = sum(len(outcome.history) for outcome in row.outcomes)
        milliseconds = 1000 * row.seconds / (epochs * BATCHES)
        official = OFFICIAL_MILLISECONDS.get(name, "")
        cells.append([row.preset.name, f"{milliseconds:.1f}", str(official)])
    return markdown(["run", "ms a batch here", "ms a batch, official code"], cells)


def seeds(rows: Sequence[Reproduction]) -> str:
    cells = [
        [f"`{outcome.name}`", *report.seed_cells(outcome)[1:]]
        for row in rows
        for outcome in row.outcomes
    ]
    return markdown(["run", *report.SEED_HEADINGS[1:]], cells)


def angles(sweep: AngleSweep) -> str:
    return f"{sweep.preset.name}:\n\n{markdown(angle_figure.HEADINGS, sweep.rows())}"


def machines(runs: Path, trials: Sequence[Trials]) -> str:
    places = [runs / outcome.name for each in trials for outcome in each.outcomes]
    environments = [json.loads((place / "environment.json").read_text()) for place in places]
    named = sorted(
        {
            f"- {each['processor']}, {each['instruction_set']}, threads a run: {each['threads']}"
            for each in environments
        }
    )
    return "\n".join(named) or NOTHING


def markdown(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return NOTHING
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


if __name__ == "__main__":
    main()
