"""Signals that ask to end: heard once, in order, and not where they are meant to be ignored. Row 50."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from kenpo_lib.batch.interrupt import StoppedError, stopping_in_order, uninterrupted, without_ctrl_c
from kenpo_lib.batch.pool import LocalPool

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


@pytest.mark.parametrize("number", ASKING)
def test_signal_waits_for_what_must_not_be_left_half_done(number: int):
    steps = []

    @stopping_in_order()
    def run() -> None:
        with uninterrupted():
            with uninterrupted():
                os.kill(os.getpid(), number)
                steps.append("inner")
            steps.append("outer")
        pytest.fail("went on")

    with pytest.raises(StoppedError):
        run()
    with uninterrupted():  # and is then forgotten
        steps.append("later")

    assert steps == ["inner", "outer", "later"]


def test_error_in_what_must_not_be_interrupted_comes_out_as_it_is():
    @stopping_in_order()
    def run() -> None:
        with uninterrupted():
            raise ValueError("own")

    with pytest.raises(ValueError, match="own"):
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


@pytest.mark.slow
@pytest.mark.parametrize("number", ASKING)
def test_process_that_is_just_starting_is_ended_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int):
    """The moment between its start and its being noted, which a signal from outside hits once in a hundred times."""
    start = BaseProcess.start

    def start_and_be_asked_to_end(process: BaseProcess) -> None:
        start(process)
        os.kill(os.getpid(), number)

    monkeypatch.setattr(BaseProcess, "start", start_and_be_asked_to_end)

    @stopping_in_order()
    def run() -> None:
        with LocalPool(2, curated=tmp_path, work=tmp_path / "work", templates={}):
            pytest.fail("went on")

    with pytest.raises(StoppedError):
        run()

    assert multiprocessing.active_children() == []
