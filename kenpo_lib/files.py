"""Files: their digests, changing them so that nobody ever sees half of one, and the names of the records beside the tables.

Everything that the suite writes goes through here.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from kenpo_lib.errors import HELD_OPEN

TEMPORARY_SUFFIX = ".tmp"
_RETRY_SECONDS = 2.5

MANIFEST = "curated.json"  # which curated tables belong together
VERDICT = "validation.json"  # what the checks said of them


def sha256_of(path: Path) -> str:
    """Hex digest of a file's bytes."""
    with path.open("rb") as stream:  # in pieces: a table may be larger than what a worker may hold
        return hashlib.file_digest(stream, "sha256").hexdigest()


def digest_files(files: Iterable[Path], *, root: Path) -> str:
    """One hex digest of the names (below ``root``) and contents of some files, in the order of their paths."""
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(f"{path.relative_to(root).as_posix()} {sha256_of(path)}\n".encode())
    return digest.hexdigest()


def digest_texts(texts: Iterable[str]) -> str:
    """One sha256 of several texts in their order."""
    digest = hashlib.sha256()
    for text in texts:
        digest.update(f"{len(text)}:{text}\n".encode())
    return digest.hexdigest()


def write_atomically(path: Path, content: bytes) -> None:
    """Write so that ``path`` holds either its former content or all of the new one, also after a power cut."""
    make_folder(path.parent)
    descriptor, temporary = _change(tempfile.mkstemp, dir=path.parent, prefix=f".{path.name}.", suffix=TEMPORARY_SUFFIX)
    try:
        with _open_descriptor(descriptor) as stream:
            _change(stream.write, content)
            stream.flush()
            _change(os.fsync, stream.fileno())
        _change(Path(temporary).chmod, 0o644)  # mkstemp makes it private
        _replace(Path(temporary), path)
    except BaseException as error:
        with suppress(OSError):  # the first error is the one to tell; what is left is swept by the next batch
            Path(temporary).unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename in (None, temporary):
            error.filename, error.filename2 = str(path), None  # a full disk names no file, or one that nobody knows
        raise
    _sync_folder(path.parent)


def _open_descriptor(descriptor: int) -> BinaryIO:
    try:
        return os.fdopen(descriptor, "wb")
    except BaseException:
        os.close(descriptor)  # Windows removes no file that is open
        raise


def make_folder(path: Path) -> None:
    """Make a folder and those above it, where they are not there."""
    if not path.is_dir():
        _change(path.mkdir, parents=True, exist_ok=True)


def remove(path: Path) -> None:
    """Remove a file or a whole folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        _change(shutil.rmtree, path)
    elif path.exists() or path.is_symlink():
        _change(path.unlink, missing_ok=True)


def remove_if_empty(folder: Path) -> None:
    """Remove a folder that has nothing in it, if it is there."""
    if folder.is_dir() and not any(folder.iterdir()):
        remove(folder)


def open_for_update(path: Path) -> int:
    """A descriptor to read and write a file with, which is made if it is not there; not inherited by other programs.

    A link is refused, where systems can: what it leads to may be somebody's file.
    """
    return _change(os.open, path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o644)


def overwrite(descriptor: int, content: bytes) -> None:
    """Let an open file hold this and nothing else. Not atomic: for files that only their holder reads."""
    _change(os.ftruncate, descriptor, 0)
    os.lseek(descriptor, 0, os.SEEK_SET)
    _change(os.write, descriptor, content)


def sweep_temporaries(folder: Path) -> None:
    """Remove what ``write_atomically`` left in a folder when its process was killed."""
    for path in folder.glob(f".*{TEMPORARY_SUFFIX}"):
        remove(path)


def _change(operation: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """Do one change of the file system. Tests replace this to make the n-th one fail."""
    return operation(*arguments, **options)


def _replace(temporary: Path, path: Path) -> None:
    give_up = time.monotonic() + _RETRY_SECONDS
    while True:
        try:
            _change(temporary.replace, path)
            return
        except OSError as error:
            if getattr(error, "winerror", None) not in HELD_OPEN or time.monotonic() > give_up:
                raise
        time.sleep(0.1)


def _sync_folder(folder: Path) -> None:
    """Have the new name of a file survive a power cut, where folders can be synced (not on Windows)."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        _change(os.fsync, descriptor)
    finally:
        os.close(descriptor)
