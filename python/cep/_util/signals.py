"""Ctrl-C and SIGTERM at a moment that suits us."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Terminated(SystemExit):
    """SIGTERM; a program that nobody catches it in ends with the status that shells give to it."""

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
    """Ctrl-C and SIGTERM only make the function that is yielded return what is to be raised.

    A second signal raises it at once, and so does the first within `interruptible`. If a signal
    would not end the process (in another thread, with a handler of the caller's, if it is ignored),
    its handler is not changed.
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
