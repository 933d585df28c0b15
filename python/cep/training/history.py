"""The history of training."""

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

from cep._util.extras import import_extra
from cep._util.tables import table

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass
class History:
    """The results of training, one entry per epoch; a column without numbers is empty."""

    train_error: list[float] = field(default_factory=list)
    """Share of wrong predictions, 0 to 1, accumulated during the epoch."""
    train_loss: list[float] = field(default_factory=list)
    validation_error: list[float] = field(default_factory=list)
    """After each epoch, on validation data, which are used to choose models."""
    validation_loss: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    """Wall time of the epoch, evaluation included."""
    test_error: list[float] = field(default_factory=list)
    """After each epoch on test data, for runs with ``test_every_epoch``; not used for choices."""
    test_loss: list[float] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.train_error)

    @property
    def best_epoch(self) -> int:
        """The first epoch with the lowest validation error, from 1; 0 without validation."""
        errors = self.validation_error
        return errors.index(min(errors)) + 1 if errors else 0

    def __str__(self) -> str:
        rows = self.rows()
        if not rows:
            return "no epoch was finished"
        cells = [[f"{value:.4g}" for value in row.values()] for row in rows]
        return table([name.replace("_", " ") for name in rows[0]], cells)

    def to_dataframe(self) -> "DataFrame":
        """The rows as a ``pandas.DataFrame``.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        return import_extra("pandas", "to_dataframe", "dataframe").DataFrame(self.rows())

    def rows(self) -> list[dict[str, float]]:
        """One row per epoch, as for ``pandas.DataFrame``: epoch, and each column with numbers."""
        columns = {name: getattr(self, name) for name in COLUMNS if getattr(self, name)}
        return [
            {"epoch": epoch + 1, **{name: column[epoch] for name, column in columns.items()}}
            for epoch in range(len(self))
        ]


# Seconds come last.
COLUMNS = tuple(sorted((each.name for each in fields(History)), key="seconds".__eq__))
