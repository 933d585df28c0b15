"""Check the prose of the repository against a list of patterns: python tools/prose.py [FILE ...].

The patterns are in prose.txt. In Markdown and notebooks, code is not checked for them, but its
lines must not be longer than 88 characters. In sources, all lines are checked: comments, docstrings
and messages.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SUFFIXES = {".md", ".ipynb", ".py", ".pyi", ".swift", ".c", ".h", ".sh", ".toml"}
WIDTH = 88

Pattern = tuple[re.Pattern[str], str]


def main() -> int:
    """Print each finding. The status is the number of findings, at most 1."""
    patterns = list(read_patterns())
    names = sys.argv[1:] or files()
    findings = [finding for name in names for finding in check(ROOT / name, patterns)]
    print("\n".join(findings), file=sys.stderr)
    return min(len(findings), 1)


def read_patterns() -> Iterator[Pattern]:
    """The lines of prose.txt that are not comments."""
    for line in Path(__file__).with_suffix(".txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            pattern, advice = line.split(" -> ")
            yield re.compile(pattern, re.IGNORECASE), advice


def files() -> list[str]:
    """The files under version control that are checked."""
    names = subprocess.check_output(["git", "ls-files"], cwd=ROOT, text=True).splitlines()
    return [name for name in names if Path(name).suffix in SUFFIXES]


def check(path: Path, patterns: list[Pattern]) -> Iterator[str]:
    """The findings in a file."""
    name = path.relative_to(ROOT)
    for number, line, is_code in lines_of(path):
        if is_code and len(line) > WIDTH:
            yield f"{name}:{number}: a code line of {len(line)} characters, at most {WIDTH}"
        if not is_code:
            for pattern, advice in patterns:
                if found := pattern.search(line):
                    yield f"{name}:{number}: “{found[0].strip()}”: {advice}"


def lines_of(path: Path) -> Iterator[tuple[int, str, bool]]:
    """Number, text without inline code, and whether it is a line of code in a document."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        for cell in json.loads(text)["cells"]:
            lines = "".join(cell["source"]).splitlines()
            yield from markdown(lines) if cell["cell_type"] == "markdown" else code(lines)
    elif path.suffix == ".md":
        yield from markdown(text.splitlines())
    else:
        yield from ((k, line, False) for k, line in enumerate(text.splitlines(), start=1))


def code(lines: list[str]) -> Iterator[tuple[int, str, bool]]:
    """The lines of a code cell."""
    yield from ((k, line, True) for k, line in enumerate(lines, start=1))


def markdown(lines: list[str]) -> Iterator[tuple[int, str, bool]]:
    """Lines of Markdown, of which fenced blocks are code. Blocks of MyST directives are text."""
    fence = ""
    for k, line in enumerate(lines, start=1):
        if line.lstrip().startswith("```"):
            fence = "" if fence else line.strip()
        elif not fence.startswith("```{"):
            yield k, line if fence else re.sub(r"`[^`]*`", "", line), bool(fence)


if __name__ == "__main__":
    sys.exit(main())
