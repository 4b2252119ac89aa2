"""Faults: what kills, stops or fails a process at its n-th act of storing.

An act is whatever changes what is stored below a folder: Python's calls that make, fill, name and
remove files, a commit to a Delta table, DuckDB's COPY, and every statement to a database file.
Between two acts nothing is stored (`Acts.unseen` holds what proves the opposite), so that to die
after one is to die before the next.
"""

from __future__ import annotations

import errno
import io
import os
import re
import signal
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple, Self, TypeVar
from urllib.parse import unquote

import duckdb
from deltalake import DeltaTable

T = TypeVar("T")


@dataclass(frozen=True)
class Fault:
    """What happens at an act, given by its number from 0, or as what is done to which path.

    die: SIGKILL before it. tear: SIGKILL in the midst of it. stop: SIGSTOP before it. full: it and
    all later ones that need room fail, as on a full disk. denied: it fails for want of permission.
    """

    kind: Literal["die", "tear", "stop", "full", "denied"]
    act: int | tuple[str, str]


class Act(NamedTuple):
    """What was done to which path; whether it can be torn, can fail, needs room, and has changed what is stored."""

    what: str
    path: str
    tears: bool
    fails: bool
    needs_room: bool
    stored: bool

    def __str__(self) -> str:
        return f"{self.what} {self.path}"


class Acts:
    """The acts of this process below a folder, with a fault at one of them.

    Args:
        watch: look at what is stored before and after each act, so that `Act.stored` is known, and `unseen`: what was
            stored between two acts.
    """

    def __init__(self, root: Path, fault: Fault | None, *, watch: bool) -> None:
        self.root, self.fault = root, fault
        self.done: list[Act] = []
        self.unseen: list[str] = []
        self._full = False
        self._stored = self._tree() if watch else None

    def act(
        self,
        what: str,
        path: str,
        do: Callable[[], T],
        fails: Callable[[int], Exception] | None,
        *,
        half: Callable[[], object] | None = None,
        needs_room: bool = True,
    ) -> T:
        """Do something, unless the fault is here. `half` does it by half; `fails` makes the error of an errno, if it can fail."""
        if not Path(path).is_relative_to(self.root):
            return do()
        number, inside, fault = len(self.done), os.path.relpath(path, self.root), self.fault
        self._look(f"before {what} {inside}")
        self.done.append(Act(what, inside, half is not None, fails is not None, needs_room, stored=True))
        if fault is not None and fault.act in (number, (what, inside)):
            match fault.kind:
                case "die":
                    os.kill(os.getpid(), signal.SIGKILL)
                case "tear" if half is not None:
                    half()
                    os.kill(os.getpid(), signal.SIGKILL)
                case "stop":
                    os.kill(os.getpid(), signal.SIGSTOP)
                case "denied" if fails is not None:
                    raise fails(errno.EACCES)
                case "full":
                    self._full = True
        if self._full and needs_room and fails is not None:
            raise fails(errno.ENOSPC)
        try:
            return do()
        finally:
            if self._stored is not None:
                before, self._stored = self._stored, self._tree()
                self.done[number] = self.done[number]._replace(stored=before != self._stored)

    def end(self) -> None:
        """No act comes any more; a process that is to die after the last one dies here."""
        self._look("before the end")
        if self.fault == Fault("die", len(self.done)):
            os.kill(os.getpid(), signal.SIGKILL)

    def _look(self, when: str) -> None:
        if self._stored is not None and (now := self._tree()) != self._stored:
            self.unseen.append(f"{when}: {sorted(path for path, _ in now.items() ^ self._stored.items())}")

    def _tree(self) -> dict[str, bytes]:
        return {str(p): p.read_bytes() if p.is_file() else b"" for p in (self.root, *self.root.rglob("*")) if p.exists()}

    def install(self) -> None:
        """Let all acts of this process, from now on, be counted."""
        _install_files(self)
        _install_delta(self)
        connect = duckdb.connect
        _patch(duckdb, "connect", lambda *args, **options: _Database(self, connect(*args, **options)))


def _patch(owner: object, name: str, value: object) -> None:
    setattr(owner, name, value)


# ── files ────────────────────────────────────────────────────────────────────────────────────────


def _install_files(acts: Acts) -> None:
    mkdir, replace, link, unlink, rmdir = os.mkdir, os.replace, os.link, os.unlink, os.rmdir
    mkstemp, fdopen = tempfile.mkstemp, os.fdopen
    paths: dict[int, str] = {}

    def made(path: Any, *args: Any, **options: Any) -> None:
        do = partial(mkdir, path, *args, **options)
        if os.path.exists(path) or not os.path.isdir(os.path.dirname(path)):
            return do()  # which changes nothing
        return acts.act("make folder", str(path), do, _os_error(path))

    def replaced(path: Any, to: Any) -> None:
        acts.act("move", str(to), partial(replace, path, to), _os_error(to), needs_room=False)

    def linked(path: Any, to: Any) -> None:
        acts.act("link", str(to), partial(link, path, to), _os_error(to))

    def unlinked(path: Any, **options: Any) -> None:
        do = partial(unlink, path, **options)
        if not os.path.exists(path):
            return do()  # which changes nothing
        return acts.act("remove", str(path), do, _os_error(path), needs_room=False)

    def folded(path: Any, **options: Any) -> None:
        do = partial(rmdir, path, **options)
        if not os.path.isdir(path) or os.listdir(path):
            return do()  # which changes nothing
        return acts.act("remove folder", str(path), do, _os_error(path), needs_room=False)

    def begun(*, prefix: str, suffix: str, dir: Any = None) -> tuple[int, str]:  # noqa: A002  (mkstemp's own name)
        if dir is None:
            return mkstemp(prefix=prefix, suffix=suffix)  # not in what is stored
        do = partial(mkstemp, prefix=prefix, suffix=suffix, dir=dir)
        handle, path = acts.act("begin", f"{dir}/{prefix}*{suffix}", do, _os_error(dir))
        paths[handle] = path
        return handle, path

    def opened(handle: int, mode: str, **options: Any) -> Any:
        return _File(acts, paths.pop(handle), io.FileIO(handle, mode)) if handle in paths else fdopen(handle, mode, **options)

    for owner, name, counted in (
        (os, "mkdir", made),
        (os, "replace", replaced),
        (os, "link", linked),
        (os, "unlink", unlinked),
        (os, "rmdir", folded),
        (os, "fdopen", opened),
        (tempfile, "mkstemp", begun),
    ):
        _patch(owner, name, counted)


class _File(io.BufferedWriter):
    """A file whose every write is an act, and goes to the disk at once."""

    def __init__(self, acts: Acts, path: str, raw: io.FileIO) -> None:
        super().__init__(raw)
        self._acts, self._path = acts, path

    def write(self, data: Any) -> int:
        half = partial(self._through, data[: len(data) // 2])
        return self._acts.act("write", self._path, partial(self._through, data), _os_error(), half=half)

    def _through(self, data: Any) -> int:
        written = super().write(data)
        self.flush()
        return written


def _os_error(*path: object) -> Callable[[int], Exception]:
    return lambda number: OSError(number, os.strerror(number), *map(str, path))


# ── Delta tables ─────────────────────────────────────────────────────────────────────────────────


def _install_delta(acts: Acts) -> None:
    def counted(how: str, method: Callable[..., T], url: str, *args: Any, **options: Any) -> T:
        return acts.act(how, url, partial(method, *args, **options), _delta_error(url), half=partial(_stage, url))

    create, transact, restore = DeltaTable.create, DeltaTable.create_write_transaction, DeltaTable.restore

    def created(url: str, *args: Any, **options: Any) -> DeltaTable:
        return counted("create", create, url, url, *args, **options)

    def committed(table: DeltaTable, *args: Any, **options: Any) -> None:
        counted("commit", transact, _folder(table), table, *args, **options)

    def restored(table: DeltaTable, *args: Any, **options: Any) -> dict[str, Any]:
        return counted("restore", restore, _folder(table), table, *args, **options)

    _patch(DeltaTable, "create", staticmethod(created))
    _patch(DeltaTable, "create_write_transaction", committed)
    _patch(DeltaTable, "restore", restored)


def _folder(table: DeltaTable) -> str:
    return unquote(table.table_uri.removeprefix("file://"))


def _stage(url: str) -> None:
    """What a commit leaves that dies in its midst: half of the next version, under the name that deltalake gives it first."""
    log = Path(url) / "_delta_log"
    log.mkdir(parents=True, exist_ok=True)
    newest = max((int(p.stem) for p in log.glob("*.json")), default=-1)
    (log / f"{newest + 1:020}.json#1").write_text('{"commitInfo":{"timestamp":17')


def _delta_error(url: str) -> Callable[[int], Exception]:
    """As deltalake words it, with the colours of a terminal."""
    doing = {errno.ENOSPC: "Unable to copy data to file", errno.EACCES: f"Unable to open file {url}/_delta_log/1.json#1"}
    arrow = "\x1b[31m↳\x1b[0m"
    return lambda number: OSError(
        f"Generic LocalFileSystem error\n          {arrow} {doing[number]}\n"
        f"           {arrow} {os.strerror(number)} (os error {number})\n"
    )


# ── DuckDB ───────────────────────────────────────────────────────────────────────────────────────


class _Database:
    """A connection. COPY is an act, and so is every statement from when it attached a file for writing."""

    def __init__(self, acts: Acts, inner: duckdb.DuckDBPyConnection) -> None:
        self._acts, self._inner, self._file = acts, inner, ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def execute(self, query: str, *args: Any) -> Any:
        do = partial(self._inner.execute, query, *args)
        half = None
        if query.startswith("COPY") and (copied := re.search(r" TO '([^']*)' \(FORMAT", query)):
            return self._acts.act("copy", copied[1], do, _duckdb_error(copied[1]), half=partial(self._half_copied, do))
        if attached := re.fullmatch(r"ATTACH '([^']*)' AS [^(]*", query):
            self._file = attached[1]
            half = None if os.path.exists(self._file) else partial(self._half_made, do)
        return self._counted(query[:60], do, half) if self._file else do()

    def begin(self) -> None:
        self._counted("begin", self._inner.begin)

    def commit(self) -> None:
        self._counted("commit", self._inner.commit, self._half_committed)

    def rollback(self) -> None:
        self._counted("rollback", self._inner.rollback)

    def close(self) -> None:
        if self._file:  # it keeps its errors to itself
            self._acts.act("close", self._file, self._inner.close, None)
        else:
            self._inner.close()

    def _counted(self, what: str, do: Callable[[], T], half: Callable[[], object] | None = None) -> T:
        return self._acts.act(what, self._file, do, _duckdb_error(self._file), half=half)

    def _half_copied(self, do: Callable[[], object]) -> None:
        before = set(self._acts.root.rglob("*.parquet"))
        do()
        for file in set(self._acts.root.rglob("*.parquet")) - before:
            os.truncate(file, file.stat().st_size // 2)

    def _half_made(self, do: Callable[[], object]) -> None:
        do()
        os.truncate(self._file, os.path.getsize(self._file) // 2)

    def _half_committed(self) -> None:
        self._inner.commit()
        log = f"{self._file}.wal"
        os.truncate(log, os.path.getsize(log) // 2)


def _duckdb_error(path: str) -> Callable[[int], Exception]:
    doing = {errno.ENOSPC: "Could not write file", errno.EACCES: "Cannot open file"}
    return lambda number: duckdb.IOException(f'IO Error: {doing[number]} "{path}": {os.strerror(number)}')
