"""Packs the small files of published experiments' runs, and copies their figures, to this folder.

    python results/collect.py runs && python results/table.py

The argument is the folder of ``cep reproduce --run-dir``. Configuration, machine, status and
metrics of every finished run go to ``runs`` beside this file, without checkpoints; figures go to
``figures``.
"""

import shutil
import sys
from pathlib import Path

from packed_runs import pack

from cep.reproduction.series import all_series

HERE = Path(__file__).resolve().parent


def main() -> None:
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_dir():
        sys.exit("usage: python results/collect.py RUNS, the folder of cep reproduce")
    runs = Path(sys.argv[1])
    ended = [outcome for series in all_series() for outcome in series.ended(runs)]
    found = [name for series in all_series() for name in series.found(runs)]
    pack(runs, [outcome.name for outcome in ended])
    for outcome in ended:
        print(f"{outcome.name}  {outcome.stop_reason}")
    for name in sorted({*found} - {outcome.name for outcome in ended}):
        print(f"{name}  left out: unfinished")
    for figure in sorted(runs.glob("figures/*")):
        (HERE / "figures").mkdir(exist_ok=True)
        shutil.copyfile(figure, HERE / "figures" / figure.name)
        print(f"figures/{figure.name}")


if __name__ == "__main__":
    main()
