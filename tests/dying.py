"""A process that runs the command of a scene and dies at the n-th change of the file system.

Reads numbers from stdin, one a line, and answers each with an exit code. It forks for each, so that all is imported once.
"""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path

from faults import Injector, Scene, open_scene, read_library_once

DIED, FINISHED = 70, 0


def _die() -> None:
    os._exit(DIED)  # nothing is tidied up, nothing is flushed


def _run(scene: Scene, n: int) -> int:
    child = os.fork()
    if child == 0:
        Injector(n, _die).run(scene.command)
        os._exit(FINISHED)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main() -> None:
    scene = open_scene(Path(sys.argv[1]), fails=sys.argv[2] == "fails")
    read_library_once()
    scene.batch.decide()
    gc.freeze()  # a child would else copy all memory when it collects garbage
    for line in sys.stdin:
        print(_run(scene, int(line)), flush=True)


if __name__ == "__main__":
    main()
