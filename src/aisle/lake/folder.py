"""A folder of this machine as a storage."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from aisle.lake.storage import Entry, writing

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

INCOMING = "bronze/_incoming"


class Folder:
    """A folder. Files appear whole, under their name, or not at all."""

    transfers = 1  # a disk is no faster for being asked many things at once
    tries = 1

    def __init__(self, address: str | Path) -> None:
        self.root = Path(address).expanduser().absolute()

    def __str__(self) -> str:
        return str(self.root)

    @property
    def requests(self) -> Mapping[str, int]:
        return {}

    @property
    def delta_options(self) -> dict[str, str]:
        return {}

    @property
    def spark_options(self) -> dict[str, str]:
        return {}

    def admit(self, connection: DuckDBPyConnection) -> None:
        pass

    def assert_exclusive(self) -> None:
        pass  # a hard link refuses a taken name on every file system that has them

    def url(self, path: str = "") -> str:
        return str(self.root / path)

    def entries(self, prefix: str = "") -> Iterator[Entry]:
        for folder, folders, files in os.walk(self.root / prefix):
            folders.sort()
            inside = os.path.relpath(folder, self.root).replace(os.sep, "/")
            within = "" if inside == "." else f"{inside}/"
            for name in sorted(files):
                try:
                    status = os.stat(f"{folder}/{name}")
                except FileNotFoundError:  # gone between listing and looking
                    continue
                yield Entry(within + name, status.st_size, f"{status.st_size}-{status.st_mtime_ns}")

    def names(self, prefix: str) -> list[str]:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            return sorted(os.listdir(self.root / prefix))
        return []

    def folders(self) -> list[str]:
        return [name for name in self.names("") if (self.root / name).is_dir()]

    def files(self) -> list[str]:
        return [name for name in self.names("") if (self.root / name).is_file()]

    def there(self) -> bool:
        return self.root.exists()

    def exists(self, path: str) -> bool:
        return (self.root / path).exists()

    def open(self, path: str) -> BinaryIO:
        return (self.root / path).open("rb")

    def local(self, path: str) -> str:
        return self.url(path)

    def get(self, path: str) -> bytes | None:
        with contextlib.suppress(FileNotFoundError):
            return (self.root / path).read_bytes()
        return None

    def put(self, path: str, data: bytes) -> None:
        target = self.root / path
        with writing(str(target)), _beside(target, data) as temporary:
            os.replace(temporary, target)

    def put_if_absent(self, path: str, data: bytes) -> bool:
        target = self.root / path
        with writing(str(target)), _beside(target, data, durable=True) as temporary:
            try:
                # A hard link, unlike a rename, refuses a taken name, and shows the file whole.
                os.link(temporary, target)
            except FileExistsError:
                return False
        return True

    def swap(self, path: str, former: bytes, data: bytes) -> bool:
        target, aside = self.root / path, self.root / f"{path}.{uuid.uuid4().hex}.gone"
        with writing(str(target)):
            try:
                os.replace(target, aside)
            except FileNotFoundError:
                return False
            found = aside.read_bytes()
            if found == former:
                done = not data or self.put_if_absent(path, data)
            else:  # another's: it is given back, unless somebody was faster
                done = False
                self.put_if_absent(path, found)
            aside.unlink()
        return done

    @contextlib.contextmanager
    def receive(self) -> Iterator[_Arriving]:
        arriving = _Arriving(self.root)
        try:
            yield arriving
        finally:
            arriving.discard()

    def sweep(self) -> None:
        for name in self.names(INCOMING):
            left = f"{INCOMING}/{name}"
            if (self.root / left).is_dir():
                self.clear(left)
            else:
                self.delete(left)

    def delete(self, path: str) -> None:
        with contextlib.suppress(FileNotFoundError), writing(str(self.root / path)):
            (self.root / path).unlink()

    def clear(self, path: str) -> None:
        with contextlib.suppress(FileNotFoundError), writing(str(self.root / path)):
            shutil.rmtree(self.root / path)

    def prune(self, path: str) -> None:
        for folder, _, _ in os.walk(self.root / path, topdown=False):
            with contextlib.suppress(OSError):  # it holds something
                os.rmdir(folder)

    def make_folder(self, path: str) -> None:
        with writing(str(self.root / path)):
            (self.root / path).mkdir(parents=True, exist_ok=True)


@contextlib.contextmanager
def _beside(target: Path, data: bytes, *, durable: bool = False) -> Iterator[str]:
    """A file of these bytes under another name, beside the one that it is to have."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=".", suffix=".tmp", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(data)
            if durable:
                out.flush()
                os.fsync(out.fileno())
        yield temporary
    finally:
        # Whether it has its name is settled now, whatever becomes of the one it had before.
        with contextlib.suppress(OSError):
            os.unlink(temporary)


class _Arriving:
    """A file in the making, beside those that have their names: to keep it is to rename it."""

    def __init__(self, root: Path) -> None:
        self._root = root
        with writing(str(root / INCOMING)):
            (root / INCOMING).mkdir(parents=True, exist_ok=True)
            handle, self._path = tempfile.mkstemp(prefix=".", suffix=".tmp", dir=root / INCOMING)
            self._out = os.fdopen(handle, "wb")

    def write(self, data: bytes) -> None:
        with writing(self._path):
            self._out.write(data)

    def keep(self, path: str) -> None:
        target = self._root / path
        with writing(str(target)):
            self._out.close()
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(self._path, target)

    def discard(self) -> None:
        with contextlib.suppress(OSError):
            self._out.close()
        with contextlib.suppress(OSError):
            os.unlink(self._path)
