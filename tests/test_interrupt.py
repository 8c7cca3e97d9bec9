"""Signals that ask to end: heard once, in order, and not where they are meant to be ignored. Row 50."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress

import pytest

from kenpo_lib.batch.interrupt import StoppedError, stopping_in_order, without_ctrl_c

ASKING = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.mark.parametrize("number", ASKING)
def test_signal_ends_what_runs_inside_after_it_has_tidied_up(number: int):
    former = signal.getsignal(number)
    tidied = []

    @stopping_in_order()
    def run() -> None:
        try:
            os.kill(os.getpid(), number)
        finally:
            os.kill(os.getpid(), signal.SIGINT)  # a person who presses twice
            os.kill(os.getpid(), signal.SIGHUP)  # and then closes the console
            tidied.append(True)

    with pytest.raises(StoppedError, match="同じコマンドで続きから") as caught:
        run()

    assert tidied == [True]
    assert caught.value.exit_code == 130
    assert signal.getsignal(number) is former


def test_signal_that_was_ignored_stays_so():
    """As ``nohup`` does it, to outlive a console."""
    former = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stopping_in_order():
            os.kill(os.getpid(), signal.SIGHUP)
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, former)


def test_later_signal_is_heard_again(monkeypatch: pytest.MonkeyPatch):
    """What swallows the first one, or hangs while it tidies up, does not make the command deaf."""
    monkeypatch.setattr("kenpo_lib.batch.interrupt._IMPATIENCE_SECONDS", 0.0)

    @stopping_in_order()
    def run() -> None:
        with suppress(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
        pytest.fail("went on")

    with pytest.raises(StoppedError):
        run()


def test_other_threads_leave_signals_alone():
    former = [signal.getsignal(number) for number in ASKING]
    seen = []

    def run() -> None:
        with stopping_in_order():
            seen.append([signal.getsignal(number) for number in ASKING])

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()

    assert seen == [former]


def test_processes_that_start_meanwhile_do_not_hear_ctrl_c():
    ask = "import signal; print(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, []))"

    with without_ctrl_c():
        inside = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    outside = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)

    assert (inside.stdout, outside.stdout) == ("True\n", "False\n")
