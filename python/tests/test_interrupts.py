"""Ctrl-C and SIGTERM during a run with a directory are deferred."""

import os
import signal
import threading
from itertools import product

import pytest

from cep._util.signals import Terminated, deferred_interrupts

pytestmark = pytest.mark.once

ERRORS: dict[int, type[BaseException]] = {
    signal.SIGINT: KeyboardInterrupt,
    signal.SIGTERM: Terminated,
}


def send(number: int) -> None:
    os.kill(os.getpid(), number)


def handlers() -> list[object]:
    return [signal.getsignal(number) for number in ERRORS]


UNTOUCHED = [signal.default_int_handler, signal.SIG_DFL]


@pytest.mark.parametrize(("first", "second"), list(product(ERRORS, ERRORS)))
def test_the_first_signal_is_deferred_and_the_second_raised(first: int, second: int) -> None:
    with deferred_interrupts() as interruption:
        assert interruption() is None
        send(first)
        assert interruption() is ERRORS[first]
        with pytest.raises(ERRORS[second]):
            send(second)
        assert interruption() is ERRORS[first]
    assert handlers() == UNTOUCHED
    with pytest.raises(KeyboardInterrupt):
        send(signal.SIGINT)


def test_uncaught_termination_has_its_status() -> None:
    assert isinstance(Terminated(), SystemExit)
    assert Terminated().code == 128 + 15


@pytest.mark.parametrize("number", ERRORS)
def test_handlers_of_the_caller_stay(number: int) -> None:
    seen: list[int] = []
    before = signal.signal(number, lambda number, frame: seen.append(number))
    try:
        with deferred_interrupts() as interruption:
            send(number)
            assert seen == [number]
            assert interruption() is None
    finally:
        signal.signal(number, before)


def test_other_threads_are_not_affected() -> None:
    seen = []

    def work() -> None:
        with deferred_interrupts() as interruption:
            seen.append(handlers())
            assert interruption() is None

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [UNTOUCHED]
