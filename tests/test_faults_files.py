"""Whatever change of the file system goes wrong, and however: nothing is half there, and the same command finishes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from dying import DIED
from faults import Injector, Scene, fill_disk, hold_open, press_ctrl_c, read_library_once, set_scene

from kenpo_lib.batch.paths import Paths
from kenpo_lib.errors import KenpoError

pytestmark = pytest.mark.xdist_group("faults")


@pytest.fixture(scope="module", params=[False, True], ids=["all pages succeed", "one page fails"])
def scene(request: pytest.FixtureRequest, published: Paths, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return set_scene(published, tmp_path_factory.mktemp("faults"), fails=request.param)


@pytest.fixture(autouse=True, scope="module")
def _quick() -> Iterator[None]:
    """No waiting for a file to be closed, and the library is read once."""
    patch = read_library_once()
    patch.setattr("kenpo_lib.files._RETRY_SECONDS", 0.0)
    yield
    patch.undo()


FAULTS = {
    "disk full once": {"act": fill_disk},
    "disk full from there on": {"act": fill_disk, "for_ever": True},
    "held open once": {"act": hold_open},
    "Ctrl+C before": {"act": press_ctrl_c},
    "Ctrl+C after": {"act": press_ctrl_c, "after": True},
}


def _try_every_change(scene: Scene, disturb: Callable[[int], bool]) -> None:
    """For n = 1, 2, 3 … until nothing happens: disturb the n-th change, look, let the same command finish, look again."""
    n = 1
    while True:
        scene.reset()
        has_happened = disturb(n)
        scene.assert_nothing_is_half_there()
        if not has_happened:
            break
        scene.command()
        scene.assert_as_undisturbed()
        n += 1
    scene.assert_as_undisturbed()
    assert n > 20, "not every change goes through kenpo_lib.files"


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_fault_at_any_change_leaves_whole_files_and_the_same_command_finishes(scene: Scene, fault: dict):
    """Rows 50, 51, 52, 53."""

    def disturb(n: int) -> bool:
        injector = Injector(n, **fault)
        with suppress(KeyboardInterrupt, KenpoError):  # anything else would be a traceback
            injector.run(scene.command)
        return injector.has_fired

    _try_every_change(scene, disturb)


def test_every_change_of_a_batch_goes_through_the_one_function_that_faults_are_injected_into(scene: Scene):
    """Rows 51, 52: otherwise the loops here would prove little. An audit hook of Python sees all that Python code does."""
    scene.reset()
    done = subprocess.run(_helper("watching.py", scene), capture_output=True, text=True, check=True)

    count, *others = done.stdout.split("\n", 1)
    assert int(count) > 20
    assert "".join(others).strip() == ""


def _helper(name: str, scene: Scene) -> list[str]:
    """The arguments of a process that helps, with the scene."""
    folder = str(scene.before.parent)
    return [sys.executable, str(Path(__file__).with_name(name)), folder, "fails" if scene.failing else "succeeds"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_process_that_dies_at_any_change_leaves_whole_files_and_the_same_command_finishes(scene: Scene):
    """Row 51: a killed process, a power cut."""
    arguments = _helper("dying.py", scene)
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def disturb(n: int) -> bool:
            process.stdin.write(f"{n}\n")
            process.stdin.flush()
            code = int(process.stdout.readline())
            assert code in (0, DIED), code
            return code == DIED

        _try_every_change(scene, disturb)
        process.stdin.close()
