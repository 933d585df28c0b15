"""Deferred handling of Ctrl-C and SIGTERM."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Terminated(SystemExit):
    """SIGTERM. If it is not caught, the program ends with the status that shells expect."""

    def __init__(self) -> None:
        super().__init__(128 + signal.SIGTERM)


Interruption = type[KeyboardInterrupt | Terminated]
NAMES: dict[Interruption, str] = {KeyboardInterrupt: "Ctrl-C", Terminated: "SIGTERM"}
_SIGNALS: dict[signal.Signals, tuple[object, Interruption]] = {
    signal.SIGINT: (signal.default_int_handler, KeyboardInterrupt),
    signal.SIGTERM: (signal.SIG_DFL, Terminated),
}


_raises_at_once = False


@contextmanager
def interruptible() -> Iterator[None]:
    """Within `deferred_interrupts`, Ctrl-C and SIGTERM are raised at once here."""
    global _raises_at_once
    before, _raises_at_once = _raises_at_once, True
    try:
        yield
    finally:
        _raises_at_once = before


@contextmanager
def deferred_interrupts() -> Iterator[Callable[[], Interruption | None]]:
    """Defer Ctrl-C and SIGTERM: the yielded function returns the exception to raise, or None.

    A second signal raises it at once, and so does the first within `interruptible`. Nothing changes
    in other threads, if the caller has its own handler, or if the signal is ignored.
    """
    first: Interruption | None = None

    def note(number: int, frame: object) -> None:
        nonlocal first
        _, error = _SIGNALS[signal.Signals(number)]
        is_second, first = first is not None, first or error
        if is_second or _raises_at_once:
            raise error

    noted = [
        number
        for number, (default, _) in _SIGNALS.items()
        if threading.current_thread() is threading.main_thread()
        and signal.getsignal(number) is default
    ]
    before = {number: signal.signal(number, note) for number in noted}
    try:
        yield lambda: first
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
