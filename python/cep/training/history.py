"""What training recorded."""

from dataclasses import dataclass, field, fields


@dataclass
class History:
    """What `fit` recorded, one entry an epoch."""

    train_error: list[float] = field(default_factory=list)
    """Share of wrong predictions, 0 to 1, accumulated while the network learned."""
    train_loss: list[float] = field(default_factory=list)
    validation_error: list[float] = field(default_factory=list)
    """After each epoch; empty without validation data."""
    validation_loss: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    """Wall time of the epoch, validation included."""

    def __len__(self) -> int:
        return len(self.train_error)

    @property
    def best_epoch(self) -> int:
        """The first epoch with the lowest validation error, counted from 1; 0 without any."""
        errors = self.validation_error
        return errors.index(min(errors)) + 1 if errors else 0

    def rows(self) -> list[dict[str, float]]:
        """A row an epoch, as for ``pandas.DataFrame``: epoch, and each column that there is."""
        columns = {name: column for name, column in vars(self).items() if column}
        return [
            {"epoch": epoch + 1, **{name: column[epoch] for name, column in columns.items()}}
            for epoch in range(len(self))
        ]


COLUMNS = tuple(field.name for field in fields(History))
