"""A process that runs the command of a scene and prints every change of its folders that did not go through ``files._change``."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from faults import Injector, open_scene

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate", "os.chmod"}


class _Inside(Injector):
    """Knows whether a change is under way."""

    depth = 0

    def __call__(self, operation: Any, *arguments: Any, **options: Any) -> Any:
        self.depth += 1
        try:
            return super().__call__(operation, *arguments, **options)
        finally:
            self.depth -= 1


def main() -> None:
    scene = open_scene(Path(sys.argv[1]), fails=sys.argv[2] == "fails")
    project, inside, changes = str(scene.reports.parent), _Inside(), []

    def watch(event: str, arguments: tuple) -> None:
        is_change = event in _CHANGES or (event == "open" and bool((arguments[2] or 0) & _WRITING))
        if is_change and isinstance(arguments[0], str | Path) and str(arguments[0]).startswith(project):
            changes.append((inside.depth > 0, f"{event} {arguments[0]}"))

    sys.addaudithook(watch)
    inside.run(scene.command)
    print(sum(went_through for went_through, _ in changes))
    print(*(what for went_through, what in changes if not went_through), sep="\n")


if __name__ == "__main__":
    main()
