"""The table of planted defects, planted_defects.toml: what each is, and where it goes."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

TABLE = Path(__file__).with_suffix(".toml")


@dataclass(frozen=True)
class Defect:
    """A text of a file, and the wrong one that takes its place."""

    what: str
    file: str
    original: str
    planted: str
    tests: tuple[str, ...] = ()
    """The pytest files that are to tell; none where the Swift tests are to."""

    def plant(self, root: Path) -> str:
        """The text of the file with the defect in it.

        Raises
        ------
        ValueError
            Where the original text is not in the file exactly once.
        """
        text = (root / self.file).read_text()
        count = text.count(self.original)
        if count != 1:
            raise ValueError(
                f"{self.what}: {self.file} has {self.original!r} {count} times, not once"
            )
        return text.replace(self.original, self.planted)


def load() -> list[Defect]:
    """All of them, in their order."""
    rows = tomllib.loads(TABLE.read_text())["defect"]
    return [Defect(**row | {"tests": tuple(row.get("tests", ()))}) for row in rows]
