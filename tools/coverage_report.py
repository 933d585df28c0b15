"""Writes results/coverage.md from what `make coverage` measured: percentages, and every line left.

    python tools/coverage_report.py

Each line that no test runs needs a reason in uncovered_lines.toml; one without, and a reason whose
line is run by now or is gone, is said, and makes the status 1.
"""

import re
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
REASONS = Path(__file__).with_name("uncovered_lines.toml")
REPORT = CHECKOUT / "results" / "coverage.md"
MEASURED = CHECKOUT / "build" / "coverage"
INTRODUCTION = """# Coverage

Written by `make coverage`. The Swift tests run under each instruction set that the processor has;
the Python tests, those marked slow left out, run with an engine and an extension that count too,
and processes that they start are counted with them. A line counts as run where either did. The
reason for each line that no test runs is in tools/uncovered_lines.toml.
"""
# Lines that hold nothing that could run by itself: brackets, comments, conditions of compilation.
_NOTHING = re.compile(r"[\s{}()\[\],]*(?:else)?[\s{}()\[\],]*|\s*(?://|/\*|#(?:if|el|endif)).*")

# By file: by line number, how often it was run.
Lines = Mapping[str, Mapping[int, int]]


def main() -> int:
    swift = read_lcov([MEASURED / "swift.lcov"])
    lines = read_lcov(sorted(MEASURED.glob("*.lcov")))
    missed = {file: missed_lines(file, counts) for file, counts in sorted(lines.items())}
    explained, complaints = explanations(missed)
    table = [
        INTRODUCTION,
        *percentages(lines, swift),
        "",
        "## Lines that no test runs",
        "",
        *explained,
    ]
    REPORT.write_text("\n".join(table) + "\n")
    print("\n".join([*percentages(lines, swift), *complaints, f"see {REPORT}"]))
    return 1 if complaints else 0


def read_lcov(files: Iterable[Path]) -> dict[str, dict[int, int]]:
    """How often each line was run; files are named from the checkout."""
    found: dict[str, dict[int, int]] = {}
    counts: dict[int, int] = {}
    for record in "\n".join(file.read_text() for file in files).splitlines():
        kind, _, value = record.partition(":")
        if kind == "SF":
            path = (CHECKOUT / value).resolve()
            counts = found.setdefault(path.relative_to(CHECKOUT).as_posix(), {})
        elif kind == "DA":
            number, count = map(int, value.split(",")[:2])
            counts[number] = max(counts.get(number, 0), count)
    return found


def missed_lines(file: str, counts: Mapping[int, int]) -> dict[int, str]:
    text = (CHECKOUT / file).read_text().splitlines()
    return {
        number: text[number - 1].strip()
        for number, count in sorted(counts.items())
        if not count and not _NOTHING.fullmatch(text[number - 1])
    }


def percentages(lines: Lines, swift: Lines) -> list[str]:
    """A table, a row a folder."""
    folders: dict[str, list[tuple[bool, bool]]] = defaultdict(list)
    for file, counts in sorted(lines.items()):
        path = Path(file)
        for folder in (path.parent.as_posix(), f"all of {path.parts[0]}"):
            by_swift = swift.get(file, {})
            folders[folder] += [(n > 0, by_swift.get(k, 0) > 0) for k, n in counts.items()]
    rows = ["| folder | lines | run | by Swift tests |", "| --- | ---: | ---: | ---: |"]
    for folder, run in folders.items():
        total, either, by_swift = len(run), *map(sum, zip(*run, strict=True))
        alone = f"{by_swift / total:.1%}" if "Sources" in folder else ""
        rows.append(f"| {folder} | {total} | {either / total:.1%} | {alone} |")
    return rows


def explanations(missed: Mapping[str, Mapping[int, str]]) -> tuple[list[str], list[str]]:
    """A table of the lines and their reasons, and what is wrong with these."""
    reasons = tomllib.loads(REASONS.read_text())["lines"]
    used = set()
    rows, complaints = ["| file | line | why |", "| --- | --- | --- |"], []
    for file, lines in missed.items():
        for number, text in lines.items():
            fitting = [
                k
                for k, reason in enumerate(reasons)
                if reason["file"] == file and text in reason.get("texts", [text])
            ]
            used |= {(k, text) for k in fitting}
            why = reasons[fitting[0]]["why"] if fitting else "**no reason is given**"
            code = text.replace("|", "\\|")
            rows.append(f"| {file}:{number} | `{code}` | {why} |")
            if not fitting:
                complaints.append(f"{file}:{number}: no test runs this: {text}")
    for k, reason in enumerate(reasons):
        for text in reason.get("texts", []):
            if (k, text) not in used:
                complaints.append(f"{reason['file']}: a reason for a line that is run: {text}")
    return rows, complaints


if __name__ == "__main__":
    sys.exit(main())
