"""What training recorded."""

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

from cep._util.extras import import_extra
from cep._util.tables import table

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass
class History:
    """What training recorded, one entry an epoch; a column without numbers is empty."""

    train_error: list[float] = field(default_factory=list)
    """Share of wrong predictions, 0 to 1, accumulated while the network learned."""
    train_loss: list[float] = field(default_factory=list)
    validation_error: list[float] = field(default_factory=list)
    """After each epoch, on data that are not learned from, with which models are chosen."""
    validation_loss: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    """Wall time of the epoch, evaluation included."""
    test_error: list[float] = field(default_factory=list)
    """Of a run with ``test_every_epoch``: after each epoch, on test data, which choose nothing."""
    test_loss: list[float] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.train_error)

    @property
    def best_epoch(self) -> int:
        """The first epoch with the lowest validation error, counted from 1; 0 without any."""
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
            pandas is not installed.
        """
        return import_extra("pandas", "to_dataframe", "dataframe").DataFrame(self.rows())

    def rows(self) -> list[dict[str, float]]:
        """A row an epoch, as for ``pandas.DataFrame``: epoch, and each column that there is."""
        columns = {name: getattr(self, name) for name in COLUMNS if getattr(self, name)}
        return [
            {"epoch": epoch + 1, **{name: column[epoch] for name, column in columns.items()}}
            for epoch in range(len(self))
        ]


# Seconds come last.
COLUMNS = tuple(sorted((each.name for each in fields(History)), key="seconds".__eq__))
