"""Files: the former content or all of the new one, and the digest of what is there."""

from __future__ import annotations

import hashlib
import os
import stat

import pytest

from kenpo_lib import files
from kenpo_lib.files import digest_files, sha256_of, write_atomically


def list_files(directory):
    return sorted(path.name for path in directory.iterdir())


def test_sha256_of_is_the_digest_of_all_bytes(tmp_path):
    # given a file of more than one reading
    content = bytes(range(256)) * 5000
    path = tmp_path / "file.bin"
    path.write_bytes(content)
    # when, then
    assert sha256_of(path) == hashlib.sha256(content).hexdigest()


def test_write_atomically_replaces_the_content(tmp_path):
    # given a file, in a folder that need not exist
    path = tmp_path / "new" / "file.txt"
    write_atomically(path, b"old")
    # when
    write_atomically(path, "新".encode())
    # then nothing but the file is left, and others may read it
    assert path.read_text(encoding="utf-8") == "新"
    assert list_files(path.parent) == ["file.txt"]
    assert path.stat().st_mode & 0o777 == (0o666 if os.name == "nt" else 0o644)


def test_write_atomically_has_the_content_on_the_disk_before_the_name_and_then_the_name(tmp_path, monkeypatch):
    # given
    done = []

    def change(operation, *arguments, **options):
        is_folder = operation is os.fsync and stat.S_ISDIR(os.fstat(arguments[0]).st_mode)
        done.append("fsync of the folder" if is_folder else operation.__name__)
        return operation(*arguments, **options)

    monkeypatch.setattr(files, "_change", change)
    # when
    write_atomically(tmp_path / "file.txt", b"new")
    # then; Windows syncs no folders
    steps = ["mkstemp", "write", "fsync", "chmod", "replace", "fsync of the folder"]
    assert done == (steps[:-1] if os.name == "nt" else steps)


@pytest.mark.parametrize(
    "error", [OSError(28, "No space left on device"), PermissionError(13, "locked"), KeyboardInterrupt()]
)
@pytest.mark.parametrize("step", ["os.fsync", "os.fdopen", "Path.replace", "Path.chmod"])
def test_write_atomically_leaves_the_old_file_when_writing_fails(tmp_path, monkeypatch, step, error):
    # given a good file, and a disk that is full, a file that is locked or a user who stops the run, at each step
    path = tmp_path / "file.txt"
    path.write_bytes(b"old")

    given, tries = [], []

    def fail(*args, **kwargs):
        given.extend(args)
        tries.append(step)
        raise error

    monkeypatch.setattr(f"kenpo_lib.files.{step}", fail)
    # when
    with pytest.raises(type(error)):
        write_atomically(path, b"new")
    # then the old file stands, and nothing half-written lies beside it
    monkeypatch.undo()
    assert path.read_bytes() == b"old"
    assert list_files(tmp_path) == ["file.txt"]
    # and it was tried once: patience is for files that another program holds open
    assert tries == [step]
    # and nothing that was given as an open file is still open, or Windows could not have removed it
    for descriptor in (one for one in given if isinstance(one, int) and step in ("os.fsync", "os.fdopen")):
        with pytest.raises(OSError, match=r"Bad file descriptor|WinError 6"):
            os.fstat(descriptor)


def test_digest_files_follows_names_and_contents_and_not_the_order(tmp_path):
    # given two files below a folder
    files = [tmp_path / "b.yaml", tmp_path / "a" / "b.yaml"]
    files[1].parent.mkdir()
    for path in files:
        path.write_text("x", encoding="utf-8")
    before = digest_files(files, root=tmp_path)
    # when, then another order is the same, another name or content is not
    assert digest_files(reversed(files), root=tmp_path) == before
    assert digest_files(files[:1], root=tmp_path) != before
    files[0].write_text("y", encoding="utf-8")
    assert digest_files(files, root=tmp_path) != before
    files[0].write_text("x", encoding="utf-8")
    files[0].rename(tmp_path / "c.yaml")
    assert digest_files([tmp_path / "c.yaml", files[1]], root=tmp_path) != before
