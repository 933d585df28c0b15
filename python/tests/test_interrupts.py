"""Ctrl-C while a run is kept on disk: noticed, and not yet obeyed."""

import os
import signal
import threading

import pytest

from cep.runs.interrupts import deferred_interrupts


def press() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_the_first_is_noticed_and_the_second_obeyed() -> None:
    with deferred_interrupts() as interrupted:
        assert not interrupted()
        press()
        assert interrupted()
        with pytest.raises(KeyboardInterrupt):
            press()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    with pytest.raises(KeyboardInterrupt):
        press()


def test_a_handler_of_the_callers_stays() -> None:
    seen: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: seen.append(number))
    try:
        with deferred_interrupts() as interrupted:
            press()
            assert seen == [signal.SIGINT]
            assert not interrupted()
    finally:
        signal.signal(signal.SIGINT, before)


def test_in_another_thread_nothing_is_changed() -> None:
    handlers = []

    def work() -> None:
        with deferred_interrupts() as interrupted:
            handlers.append(signal.getsignal(signal.SIGINT))
            assert not interrupted()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert handlers == [signal.default_int_handler]
