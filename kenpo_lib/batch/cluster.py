"""The same pages made by the workers of a Dask cluster: same files, same bytes, same records. An optional extra (``kenpo[dask]``).

A worker needs this package in the same version, and the curated tables: it reads them under the same path where they are the
same there (a shared folder), and else gets a copy. Each worker thread keeps processes of its own, as ``pool`` does on one machine.
Dask repeats what a lost worker had not finished. Connections are made to the scheduler that the user names, and to nothing else.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kenpo_lib.batch.digests import LIBRARY, digest_folder, list_versions
from kenpo_lib.batch.pool import LocalPool
from kenpo_lib.batch.work import Limits, Request, Result
from kenpo_lib.errors import InputError
from kenpo_lib.files import digest_texts, make_folder, sha256_of, write_atomically
from kenpo_lib.language import say
from kenpo_lib.store.opened import DETACHED, FOLDER

_CONNECT_SECONDS = 60
_PATIENCE_SECONDS = 60  # without any page until it is asked whether there is still somebody to make one
_TICK_SECONDS = 0.05


class ClusterError(InputError):
    """The cluster cannot be used: not reached, without workers, or with another version of this package."""


@dataclass(frozen=True)
class Kit:
    """What a worker needs besides the requests.

    Attributes:
        curated: The folder of the curated tables on the client's machine.
        digests: sha256 of each file in it that pages are made from.
        contents: The same files, for workers that do not have them under that path.
        templates: The page templates by name.
        limits: What one page may use.
        software: What has to be the same on the workers.
    """

    curated: str
    digests: Mapping[str, str]
    contents: Mapping[str, bytes] = field(repr=False)
    templates: Mapping[str, str] = field(repr=False)
    limits: Limits
    software: Mapping[str, str]

    @property
    def name(self) -> str:
        """Differs if anything in the kit does."""
        parts = {
            **self.digests,
            **self.templates,
            **self.software,
            "limits": repr(self.limits),
            "curated": self.curated,
        }
        return f"kenpo-{digest_texts(f'{name} {text}' for name, text in sorted(parts.items()))[:16]}"


def describe_software() -> dict[str, str]:
    """The library's code and the versions that shape a page; equal on client and workers, or their pages would differ."""
    return {"library": digest_folder(LIBRARY, "*.py", "*.yaml", "*.csv", "*.ttf"), **list_versions()}


def pack_kit(curated: Path, files: Mapping[str, str], templates: Mapping[str, str], limits: Limits) -> Kit:
    """The kit of a batch.

    Args:
        curated: The curated tables.
        files: sha256 by name of those of its files that pages read.
        templates: By name.
        limits: What one page may use.
    """
    contents = {name: (curated / name).read_bytes() for name in files}
    return Kit(str(curated.resolve()), dict(files), contents, dict(templates), limits, describe_software())


# --- on a worker ----------------------------------------------------------------------------------------------------


class _Workshop:
    """What a worker process keeps for one kit: the tables, and a pool for each of its threads."""

    def __init__(self, kit: Kit):
        self._kit = kit
        self._folder = Path(tempfile.mkdtemp(prefix="kenpo-"))
        self._curated = self._place_tables()
        self._threads = threading.local()
        self._pools: list[LocalPool] = []

    def _place_tables(self) -> Path:
        shared = Path(self._kit.curated)
        with suppress(OSError):
            if all(sha256_of(shared / name) == digest for name, digest in self._kit.digests.items()):
                return shared
        copy = self._folder / "curated"
        for name, content in self._kit.contents.items():
            make_folder((copy / name).parent)
            write_atomically(copy / name, content)
        write_atomically(copy / FOLDER / DETACHED, b"")
        return copy

    def make(self, request: Request) -> Result:
        pool = getattr(self._threads, "pool", None)
        if pool is None:
            work = self._folder / f"work-{threading.get_ident()}"
            pool = LocalPool(
                1, curated=self._curated, work=work, templates=self._kit.templates, limits=self._kit.limits
            )
            self._threads.pool = pool.__enter__()
            self._pools.append(pool)
        (result,) = pool.run([request])
        return result

    def close(self) -> None:
        for pool in self._pools:
            pool.__exit__(None, None, None)
        shutil.rmtree(self._folder, ignore_errors=True)


_workshops: dict[str, _Workshop] = {}
_lock = threading.Lock()


def open_workshop(kit: Kit) -> None:
    """Prepare this worker process for a kit."""
    with _lock:
        if kit.name not in _workshops:
            _workshops[kit.name] = _Workshop(kit)


def close_workshop(name: str) -> None:
    """End the processes and remove the copies that belong to a kit."""
    with _lock:
        workshop = _workshops.pop(name, None)
    if workshop is not None:
        workshop.close()


def make_page(name: str, request: Request) -> Result:
    """The task: one page, with the kit of that name."""
    return _workshops[name].make(request)


# --- on the client --------------------------------------------------------------------------------------------------


class ClusterMaker:
    """Makes pages on the workers of a Dask scheduler; a ``Maker``.

    Args:
        address: Of the scheduler, ``tcp://host:port`` or ``tls://…``.
        kit: From ``pack_kit``.
    """

    def __init__(self, address: str, kit: Kit):
        self._address, self._kit = address, kit
        self._client: Any = None

    def __enter__(self) -> ClusterMaker:
        try:
            from distributed import Client
        except ImportError as error:
            raise ClusterError(
                say(
                    "--scheduler には追加のパッケージが要ります: pip install 'kenpo[dask]'",
                    "--scheduler needs an optional package: pip install 'kenpo[dask]'",
                )
            ) from error
        try:
            self._client = Client(self._address, timeout=_CONNECT_SECONDS, set_as_default=False)
            self._client.wait_for_workers(1, timeout=_CONNECT_SECONDS)
        except (OSError, ValueError, TimeoutError) as error:
            self.__exit__()
            raise ClusterError(
                say(
                    f"スケジューラー {self._address} に接続できないか、ワーカーがいません。"
                    "dask scheduler と dask worker が動いているか確かめてください。",
                    f"The scheduler {self._address} cannot be reached or has no workers. See that `dask scheduler` and "
                    "`dask worker` are running.",
                )
            ) from error
        try:
            self._require_same_software()
            self._client.register_plugin(_make_plugin(self._kit))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._client is not None:
            with suppress(Exception):  # the pages are there; a cluster that is gone cannot be tidied
                self._client.unregister_worker_plugin(self._kit.name)
            self._client.close()
            self._client = None

    def run(self, requests: Iterable[Request]) -> Iterator[Result]:
        """See ``Maker``.

        Raises:
            ClusterError: A worker failed for a reason that no page has.
        """
        from distributed import as_completed

        asked = list(requests)
        futures = self._client.map(
            make_page, [self._kit.name] * len(asked), asked, pure=False, key="kenpo-page", retries=2, batch_size=64
        )
        coming, quiet_since = as_completed(futures, loop=self._client.loop), time.monotonic()
        while not coming.is_empty():
            if coming.has_ready():
                yield self._take(next(coming))
                quiet_since = time.monotonic()
            elif time.monotonic() - quiet_since > _PATIENCE_SECONDS:
                self._require_workers()
                quiet_since = time.monotonic()
            else:
                time.sleep(_TICK_SECONDS)

    def _take(self, future: Any) -> Result:
        """What became of a page."""
        try:
            result = future.result()
        except CancelledError as error:
            raise self._lost(
                "との接続が失われました。動いているか確かめてから、",
                "is not reached any more. See that it is running, then",
            ) from error
        except Exception as error:
            raise ClusterError(
                say(
                    f"クラスターでの作業が失敗しました（{type(error).__name__}）。dask worker の記録を見てください。",
                    f"Work on the cluster failed ({type(error).__name__}). See the log of `dask worker`.",
                )
            ) from error
        future.release()
        return result

    def _require_workers(self) -> None:
        """Dask would wait for ever for one that joins."""
        try:
            self._client.wait_for_workers(1, timeout=_CONNECT_SECONDS)
        except (OSError, TimeoutError) as error:
            raise self._lost(
                "のワーカーがいなくなりました。dask worker を起動してから、",
                "has no workers left. Start `dask worker`, then",
            ) from error

    def _lost(self, ja: str, en: str) -> ClusterError:
        return ClusterError(
            say(
                f"スケジューラー {self._address} {ja}同じコマンドをもう一度実行してください。できた頁はそのままです。",
                f"The scheduler {self._address} {en} run the same command again. Pages that are finished stay.",
            )
        )

    def _require_same_software(self) -> None:
        for worker, software in self._client.run(describe_software).items():
            differing = sorted(name for name in self._kit.software if software.get(name) != self._kit.software[name])
            if differing:
                listed = ", ".join(differing)
                raise ClusterError(
                    say(
                        f"ワーカー {worker} のソフトウェアがこちらと違います: {listed}。同じ requirements.lock で揃えてください。",
                        f"The software of worker {worker} differs from this machine's: {listed}. Install the same requirements.lock.",
                    )
                )


def _make_plugin(kit: Kit) -> Any:
    """A Dask worker plugin: workers that join later, or are restarted, are prepared as well."""
    from distributed import WorkerPlugin

    class Workshop(WorkerPlugin):
        name = kit.name

        def setup(self, worker: Any) -> None:
            open_workshop(kit)

        def teardown(self, worker: Any) -> None:
            close_workshop(kit.name)

    return Workshop()
