"""Progress bars of a run: one of its epochs, one of the batches of the present one."""

from contextlib import AbstractContextManager, ExitStack
from typing import Any


class Bars(AbstractContextManager["Bars"]):
    """Two bars on standard error, with the time left; nothing at all where they are not shown.

    Parameters
    ----------
    epochs : int
        Of the run.
    done : int
        Of these, when it begins.
    batches, batch_size : int
        Batches of an epoch, samples of a batch.
    shown : bool
        Whether there are any bars.
    """

    def __init__(
        self, epochs: int, done: int, batches: int, batch_size: int, *, shown: bool
    ) -> None:
        self._stack = ExitStack()
        self._batch_size = batch_size
        self._bars: tuple[Any, Any] | None = None
        if shown:
            from tqdm.auto import tqdm

            enter = self._stack.enter_context
            self._bars = (
                enter(tqdm(total=epochs, initial=done, unit=" epochs", desc="run")),
                enter(tqdm(total=batches, unit=" batches", leave=False)),
            )

    def __exit__(self, *exception: object) -> None:
        self._stack.close()

    def begin_epoch(self, epoch: int, batch: int) -> None:
        """An epoch (the first is 1) begins, or goes on, at a batch."""
        if self._bars is not None:
            _, bar = self._bars
            bar.reset()
            bar.set_description(f"epoch {epoch}", refresh=False)
            bar.update(batch)

    def move(self, done: int, errors: int) -> None:
        """So many samples of the epoch are done, so many of them were predicted wrongly."""
        if self._bars is not None and done:
            _, bar = self._bars
            bar.set_postfix_str(f"train error {errors / done:.2%}", refresh=False)
            bar.update(-(-done // self._batch_size) - bar.n)

    def end_epoch(self) -> None:
        """The epoch has ended."""
        if self._bars is not None:
            self._bars[0].update()
