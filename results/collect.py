"""Copies what is small of published experiments' runs, and their figures, to this folder.

    python results/collect.py runs && python results/table.py

The argument is what ``cep reproduce --run-dir`` was given. Configuration, environment, status and
metrics of every run that has ended go to ``runs`` beside this file, without checkpoints; figures go
to ``figures``.
"""

import shutil
import sys
from pathlib import Path

from cep.experiments import RunOutcome
from cep.reproduction.series import all_series

HERE = Path(__file__).resolve().parent
FILES = ("configuration.json", "environment.json", "status.json", "metrics.jsonl")


def copy_run(outcome: RunOutcome) -> None:
    to = HERE / "runs" / outcome.name
    to.mkdir(parents=True, exist_ok=True)
    for file in FILES:
        shutil.copyfile(outcome.directory / file, to / file)


def main() -> None:
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_dir():
        sys.exit("usage: python results/collect.py RUNS, the folder of cep reproduce")
    runs = Path(sys.argv[1])
    ended = [outcome for series in all_series() for outcome in series.ended(runs)]
    found = [name for series in all_series() for name in series.found(runs)]
    for outcome in ended:
        copy_run(outcome)
        print(f"{outcome.name}  {outcome.reason}")
    for name in sorted({*found} - {outcome.name for outcome in ended}):
        print(f"{name}  left out: it has not ended")
    for figure in sorted(runs.glob("figures/*")):
        (HERE / "figures").mkdir(exist_ok=True)
        shutil.copyfile(figure, HERE / "figures" / figure.name)
        print(f"figures/{figure.name}")


if __name__ == "__main__":
    main()
