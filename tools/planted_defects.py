"""Read the table of planted defects, planted_defects.toml."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

TABLE = Path(__file__).with_suffix(".toml")


@dataclass(frozen=True)
class Defect:
    """A text in a file, and the wrong text that replaces it."""

    what: str
    file: str
    original: str
    planted: str
    tests: tuple[str, ...] = ()
    """The pytest files that should catch it; empty for the Swift tests."""

    def plant(self, root: Path) -> str:
        """The text of the file with the defect.

        Raises
        ------
        ValueError
            If the original text does not occur exactly once in the file.
        """
        text = (root / self.file).read_text()
        count = text.count(self.original)
        if count != 1:
            raise ValueError(
                f"{self.what}: {self.file} has {self.original!r} {count} times, not once"
            )
        return text.replace(self.original, self.planted)


def load() -> list[Defect]:
    """All defects in order."""
    rows = tomllib.loads(TABLE.read_text())["defect"]
    return [Defect(**row | {"tests": tuple(row.get("tests", ()))}) for row in rows]
