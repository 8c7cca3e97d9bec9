"""Bodies for the processes of a pool that go wrong. A module of its own, since new processes import it: it loads next to nothing."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from multiprocessing.connection import Connection

from kenpo_lib.batch.work import Run


def finish(connection: Connection, *_: object) -> None:
    """A notebook that is done at once."""
    connection.send(("run", Run("{}", (), {}, 0.0)))


def go_on(connection: Connection, *_: object) -> None:
    """A notebook of many cells, none of which takes long: the pool hears something all the time."""
    with suppress(OSError):
        for number in range(1000):
            connection.send(("cell", number))
            time.sleep(0.02)


def die(connection: Connection, *_: object) -> None:
    """A page writer that dies of its first page."""
    connection.send(("ready", None))
    with suppress(EOFError):
        connection.recv()
    os._exit(1)


def hang(connection: Connection, *_: object) -> None:
    """A page writer that does not end its first page."""
    connection.send(("ready", None))
    time.sleep(20)
