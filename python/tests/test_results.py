"""README's tables are those of the runs in results/runs, and a changed metric is noticed."""

import json
import re
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

import pytest
from fake_trials import write_run
from places import REPOSITORY

from cep.experiments import presets
from cep.experiments.environment import environment

pytestmark = pytest.mark.once

FILES = ["configuration.json", "environment.json", "metrics.jsonl", "status.json"]
SCRIPTS = ["collect.py", "packed_runs.py", "table.py"]


def script(repository: Path, name: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(repository / "results" / name), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """The scripts and the documents that they write, without any runs."""
    place = tmp_path / "repository"
    (place / "results").mkdir(parents=True)
    for name in ("README.md", "results/README.md", *(f"results/{each}" for each in SCRIPTS)):
        shutil.copyfile(REPOSITORY / name, place / name)
    return place


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """A folder with runs of EP-1h, of C-VF-1h and at an angle, and other files."""
    place = tmp_path / "runs"
    one, three = (presets.get(name).configuration for name in ("EP-1h", "C-VF-1h"))
    for seed, last in enumerate((0.02, 0.03, 0.025, 0.045)):
        errors = [0.2] * 28 + [0.015, last]
        write_run(place / "EP-1h" / f"seed-{seed}", one.replace(seed=seed), errors)
    write_run(place / "EP-1h" / "seed-4", one.replace(seed=4), [0.2] * 9, "interrupted")
    write_run(place / "C-VF-1h" / "seed-0", three, [0.2] * 70, "diverged")
    write_run(place / "C-VF-1h" / "seed-1", three.replace(seed=1), [0.026] * 100)
    at_angle = three.replace(feedback_angle=112.5, epochs=20)
    write_run(place / "angles" / "C-VF-1h" / "angle-112.5" / "seed-0", at_angle, [0.047] * 20)
    write_run(place / "first", one, [0.1] * 30)
    (place / "EP-1h" / "seed-0" / "best.safetensors").write_bytes(b"large")
    (place / "figures").mkdir()
    (place / "figures" / "angles-C-VF-1h.json").write_text("{}")
    return place


def _lines(path: Path) -> list[object]:
    """The JSON documents of a file."""
    text = path.read_text()
    return (
        [json.loads(line) for line in text.splitlines()]
        if path.suffix == ".jsonl"
        else [json.loads(text)]
    )


def cells(text: str, start: str) -> list[str]:
    """The cells of the row of a Markdown table that begins so."""
    row = next(line for line in text.splitlines() if line.startswith(f"| {start} |"))
    return row.strip("| ").split(" | ")


def test_the_tables_of_this_repository_are_what_its_runs_say() -> None:
    done = script(REPOSITORY, "table.py", "--check")
    assert (done.returncode, done.stderr) == (0, "")


def test_what_is_collected(repository: Path, runs: Path) -> None:
    done = script(repository, "collect.py", runs)
    assert done.returncode == 0, done.stderr
    results = repository / "results"
    packed = sorted(path.name for path in (results / "runs").iterdir())
    assert packed == ["C-VF-1h.jsonl", "EP-1h.jsonl", "angles-C-VF-1h.jsonl"]
    # Unpacked, the same files again.
    unpacking = "import sys, packed_runs; packed_runs.unpack(packed_runs.Path(sys.argv[1]))"
    again = repository / "again"
    subprocess.run(
        [sys.executable, "-c", unpacking, str(again)], cwd=results, check=True, timeout=120
    )
    collected = sorted(str(path.parent.relative_to(again)) for path in again.rglob("status.json"))
    assert collected == [
        "C-VF-1h/seed-0",
        "C-VF-1h/seed-1",
        *(f"EP-1h/seed-{seed}" for seed in range(4)),
        "angles/C-VF-1h/angle-112.5/seed-0",
    ]
    for place in collected:
        assert sorted(path.name for path in (again / place).iterdir()) == FILES
        for name in FILES:
            assert _lines(again / place / name) == _lines(runs / place / name)
    assert (results / "figures" / "angles-C-VF-1h.json").read_text() == "{}"
    assert "EP-1h/seed-4  left out: unfinished" in done.stdout


def test_the_tables_are_those_of_the_runs(repository: Path, runs: Path) -> None:
    """Of 2, 3, 2.5 and 4.5 %: 3 ± 1.08 %; half of that while learning; 30 minutes a seed."""
    script(repository, "collect.py", runs)
    done = script(repository, "table.py")
    assert done.returncode == 0, done.stderr
    for name in ("README.md", "results/README.md"):
        text = (repository / name).read_text()
        assert cells(text, "EP-1h") == [
            "EP-1h", "4", "30", "3.00 ± 1.08 %", "2.00 ± 0.13 %", "1.50 ± 0.00 %",
            "1.50 ± 0.54 %", "0.20 %", "30 min", "none",
        ]  # fmt: skip
        assert cells(text, "C-VF-1h")[:5] == ["C-VF-1h", "2", "100", "2.60 %", "2.43 ± 0.08 %"]
        assert cells(text, "C-VF-1h")[-1] == "1 diverged"
        assert not re.search(r"table -->\n\nNo runs", text)
    assert cells(text, "`EP-1h/seed-3`") == [
        "`EP-1h/seed-3`", "finished", "30/30", "4.50%", "1.50%", "29", "2.25%", "30 min",
    ]  # fmt: skip
    assert cells(text, "`C-VF-1h/seed-0`")[1:3] == ["diverged", "70/100"]
    at_angle = ["112.5°", "learned", "1", "20 of 100", "4.70 %", "4.6 %"]
    assert cells(text, "112.5°")[:6] == at_angle
    assert "- abacus, beads, threads a run: 1" in text
    assert script(repository, "table.py", "--check").returncode == 0


def test_only_the_tables_are_written(repository: Path, runs: Path) -> None:
    def around(text: str) -> str:
        return re.sub(
            r"(?s)(<!-- results/table.py: (\w+) -->).*?(<!-- end of \2 -->)", r"\1\3", text
        )

    before = around((repository / "README.md").read_text())
    script(repository, "collect.py", runs)
    script(repository, "table.py")
    assert around((repository / "README.md").read_text()) == before


@pytest.mark.parametrize(
    ("name", "document"),
    [
        ("EP-1h", "README.md"),
        pytest.param("angles-C-VF-1h", "results/README.md", marks=pytest.mark.slow),
    ],
)
def test_an_edited_metric_is_noticed(
    name: str, document: str, repository: Path, runs: Path
) -> None:
    script(repository, "collect.py", runs)
    script(repository, "table.py")
    packed = repository / "results" / "runs" / f"{name}.jsonl"
    *lines, last = packed.read_text().splitlines()
    edited = json.loads(last)
    edited["metrics"]["test_error"][-1] = 0.0192
    packed.write_text("".join(f"{line}\n" for line in (*lines, json.dumps(edited))))
    before = (repository / document).read_bytes()
    done = script(repository, "table.py", "--check")
    assert done.returncode == 1
    assert "not what the runs say: " in done.stderr
    assert document in done.stderr
    assert (repository / document).read_bytes() == before


@pytest.mark.slow
def test_an_edited_table_is_noticed(repository: Path, runs: Path) -> None:
    script(repository, "collect.py", runs)
    script(repository, "table.py")
    readme = repository / "README.md"
    text = readme.read_text()
    readme.write_text(text.replace("3.00 ± 1.08 %", "2.00 ± 0.08 %"))
    assert "not what the runs say: README.md" in script(repository, "table.py", "--check").stderr
    readme.write_text(text.replace("<!-- end of table -->", ""))
    done = script(repository, "table.py")
    assert (
        "lacks a line <!-- results/table.py: table -->, or <!-- end of table --> after"
        in done.stderr
    )
    assert done.returncode == 1


@pytest.mark.parametrize("name", ["table.py", "collect.py"])
def test_usage(name: str, repository: Path) -> None:
    done = script(repository, name, "--nonsense")
    assert done.returncode == 1
    assert done.stderr.startswith("usage: python results/")


def test_nothing_collected_names_this_machine() -> None:
    """Neither what is written of a machine, nor what was collected on others, has paths in it."""
    kept = [path.read_text() for path in (REPOSITORY / "results").glob("runs/*.jsonl")]
    for text in (json.dumps(environment()), *kept):
        assert not re.search(r'"/|/(home|root|work|tmp|usr|Users)/', text)


@pytest.mark.parametrize("row", ["C-EP-1h", "C-VF-1h"])
def test_the_page_on_continual_rows_states_the_errors_of_its_runs(row: str) -> None:
    packed = REPOSITORY / "results" / "runs" / f"{row}-alternating.jsonl"
    runs = [json.loads(line) for line in packed.read_text().splitlines()]
    assert len(runs) == 5
    errors = [100 * run["metrics"]["test_error"][-1] for run in runs]
    said = f"{statistics.mean(errors):.2f} ± {statistics.stdev(errors):.2f} %"
    text = " ".join((REPOSITORY / "docs/continual_rows.md").read_text(encoding="utf-8").split())
    assert re.search(rf"{row} (ends )?at {re.escape(said)} \(", text), said
