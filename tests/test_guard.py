"""The walls around a notebook's process: what it may write, in any spelling. Faults 47 in ``test_faults_notebook`` are the whole way."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

WRITE = """
import sys
from pathlib import Path
from kenpo_lib.batch.guard import forbid_outside
breaches = []
forbid_outside(Path(sys.argv[1]), on_breach=breaches.append)
try:
    open(sys.argv[2], "w").close()
except PermissionError:
    pass
print(len(breaches))
"""


def _count_breaches(folder: Path, written: str) -> int:
    """In a process of its own, since the wall stands as long as the process."""
    done = subprocess.run(
        [sys.executable, "-c", WRITE, str(folder), written], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


@pytest.mark.parametrize("name", ["{own}/a.txt", "{own}/../own/b.txt", os.devnull])
def test_own_folder_and_null_device_are_free(tmp_path: Path, name: str):
    own = tmp_path / "own"
    own.mkdir()

    assert _count_breaches(own, name.format(own=own)) == 0


@pytest.mark.parametrize("name", ["{own}/../c.txt", "{own}er.txt"])
def test_other_places_are_not(tmp_path: Path, name: str):
    own = tmp_path / "own"
    own.mkdir()

    assert _count_breaches(own, name.format(own=own)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["own"]


# --- every way ------------------------------------------------------------------------------------------------------

# The program stands in the folder that is free; all names are of things elsewhere. What replaces the process comes last.
FORBIDDEN = (
    *("open(b, 'a')", "open(b, 'r+')", "open(new, 'x')", "os.open(b, os.O_WRONLY)", "sqlite3.connect(new)"),
    *("os.rename('a', new)", "os.rename(b, 'new')", "os.remove(b)", "os.rmdir(folder)", "os.mkdir(new)"),
    *("os.link(b, 'new')", "os.symlink('a', new)", "os.truncate(b, 0)", "os.chmod(b, 0)", "os.chown(b, 1, 1)"),
    *("os.utime(b, (0, 0))", "os.setxattr(b, 'user.x', b'1')", "os.removexattr(b, 'user.x')", "os.chdir(out)"),
    *("shutil.rmtree(out)", "shutil.move(b, 'new')", "shutil.copyfile('a', b)", "shutil.copytree('.', new)"),
    *("subprocess.run(['true'])", "os.system('true')", "os.posix_spawn('/bin/true', ['true'], {})"),
    *("os.fork() or os._exit(0)", "os.forkpty()[0] or os._exit(0)"),
    *("tcp.bind(here)", "tcp.connect(here)", "udp.sendto(b'x', here)", "udp.sendmsg([b'x'], [], 0, here)"),
    *("socket.getaddrinfo('localhost', 9)", "socket.gethostbyname('localhost')", "socket.gethostbyaddr('127.0.0.1')"),
    *("os.kill(os.getppid(), 0)", "os.killpg(os.getpgid(os.getppid()), 0)"),
    "os.execv(sys.executable, [sys.executable, '-c', ''])",
)
NOT_HERE = "not here"
FREE = (
    *("open('x', 'w').close(); os.rename('x', 'y'); os.remove('y')", "open(b).close(); os.listdir(out)"),
    "sqlite3.connect('q.db').close(); sqlite3.connect(':memory:').close()",
)
TRY = """
import os, shutil, socket, sqlite3, subprocess, sys
from pathlib import Path
from kenpo_lib.batch.guard import forbid_outside
own, out, *actions = sys.argv[1:]
b, new, folder, here = f"{out}/b", f"{out}/new", f"{out}/folder", ("127.0.0.1", 9)
tcp, udp = socket.socket(), socket.socket(type=socket.SOCK_DGRAM)
os.chdir(own)
breaches = []
forbid_outside(Path(own), on_breach=breaches.append)
for action in actions:
    breaches.clear()
    try:
        exec(action)
    except OSError:
        pass
    except AttributeError:
        breaches.append("not here")
    print(*breaches, sep="; ", end=f"\\t{action}\\n", flush=True)
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What was told of each action; all are tried in one process."""
    own, out = tmp_path_factory.mktemp("own"), tmp_path_factory.mktemp("out")
    (own / "a").write_text("a")
    (out / "b").write_text("b")
    (out / "folder").mkdir()
    arguments = [sys.executable, "-c", TRY, str(own), str(out), *FREE, *FORBIDDEN]

    done = subprocess.run(arguments, capture_output=True, text=True, check=True)

    assert sorted(path.name for path in out.iterdir()) == ["b", "folder"]
    assert (out / "b").read_text() == "b"
    return {action: breaches for breaches, action in (line.split("\t") for line in done.stdout.splitlines())}


@pytest.mark.parametrize("action", [*FREE, *FORBIDDEN])
def test_each_way_to_change_what_is_elsewhere_is_refused_and_no_other(told: dict[str, str], action: str):
    breaches = told[action]
    if os.name == "nt" and breaches == NOT_HERE:
        pytest.skip("Windows has no such call")
    assert breaches != NOT_HERE
    assert bool(breaches) == (action in FORBIDDEN), breaches
