"""Files: their digests, writing them so that nobody ever sees half of one, and the names of the records beside the tables."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

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


def write_atomically(path: Path, content: bytes) -> None:
    """Write so that ``path`` holds either its former content or all of the new one, also after a power cut."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).chmod(0o644)  # mkstemp makes it private
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
