"""What training recorded."""

from dataclasses import dataclass, field


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
