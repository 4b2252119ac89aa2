"""Where a lake's bytes rest: the one module that knows what kind of address a lake has.

Paths inside a storage are relative, with `/`. A folder is the only kind of address so far; the
port is what an object store offers too: no rename, and a put that fails if the name is taken.
"""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from aisle.errors import ConfigError, StorageError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@contextlib.contextmanager
def writing(place: str, *kinds: type[Exception]) -> Iterator[None]:
    """Say in one sentence what could not be written, if the block fails for want of space, permission or a disk.

    Args:
        place: what is written, for the message.
        kinds: what else, beside OSError, a library raises for that.

    Raises:
        StorageError: the block raised OSError, or one of `kinds`. That a file is, or is not, there is no such trouble.
    """
    try:
        yield
    except (FileNotFoundError, FileExistsError):
        raise
    except Exception as error:
        if not isinstance(error, (OSError, *kinds)):
            raise
        why = error.strerror if isinstance(error, OSError) and error.strerror else _plain(str(error))
        raise StorageError(
            f"{place} cannot be written: {why}\n  The last release stands. Make room or give permission, and run again."
        ) from error


def _plain(text: str) -> str:
    """A library's message in one line, without the colours and arrows that deltalake gives it."""
    return " ".join(re.sub(r"\x1b\[[\d;]*m|↳", " ", text).split())


class Entry(NamedTuple):
    """A stored file: its path inside the storage, its bytes, and a stamp that changes when it does."""

    path: str
    size: int
    stamp: str


class Storage:
    """A folder, seen as an object store.

    Raises:
        ConfigError: the address is of a kind that is not supported.
    """

    def __init__(self, address: str | Path) -> None:
        text = str(address)
        if "://" in text:
            raise ConfigError(
                f"{text.split('://', maxsplit=1)[0]}:// is no address that a lake or landing can have yet: give a folder."
            )
        self.root = Path(text).expanduser().absolute()

    def __str__(self) -> str:
        return str(self.root)

    def url(self, path: str = "") -> str:
        """The address by which an engine reads or writes a path."""
        return str(self.root / path)

    def admit(self, connection: DuckDBPyConnection) -> None:
        """Let a DuckDB connection read and write this storage's addresses."""

    def entries(self, prefix: str = "") -> Iterator[Entry]:
        """All files below a prefix, by path."""
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
        """The names directly below a prefix, sorted."""
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            return sorted(os.listdir(self.root / prefix))
        return []

    def folders(self) -> list[str]:
        """The names of the folders directly in the storage."""
        return [name for name in self.names("") if (self.root / name).is_dir()]

    def files(self) -> list[str]:
        """The names of the files directly in the storage."""
        return [name for name in self.names("") if (self.root / name).is_file()]

    def exists(self, path: str) -> bool:
        return (self.root / path).exists()

    def open(self, path: str) -> BinaryIO:
        return (self.root / path).open("rb")

    def get(self, path: str) -> bytes | None:
        with contextlib.suppress(FileNotFoundError):
            return (self.root / path).read_bytes()
        return None

    @contextlib.contextmanager
    def create(self, path: str) -> Iterator[BinaryIO]:
        """Write a file that appears whole, under its name, when the block ends well; or not at all."""
        target = self.root / path
        with writing(str(target)):
            target.parent.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(prefix=".", suffix=".tmp", dir=target.parent)
            try:
                with os.fdopen(handle, "wb") as out:
                    yield out
                os.replace(temporary, target)
            except BaseException:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(temporary)
                raise

    def put_if_absent(self, path: str, data: bytes) -> bool:
        """Write a file unless its name is taken; whether it was written. Of two racing writers one wins."""
        target = self.root / path
        with writing(str(target)):
            target.parent.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(prefix=".", suffix=".tmp", dir=target.parent)
            try:
                with os.fdopen(handle, "wb") as out:
                    out.write(data)
                    out.flush()
                    os.fsync(out.fileno())
                # A hard link, unlike a rename, refuses a taken name, and shows the file whole.
                os.link(temporary, target)
            except FileExistsError:
                return False
            finally:
                # Written or not: that is settled now, whatever becomes of the name it had before.
                with contextlib.suppress(OSError):
                    os.unlink(temporary)
        return True

    def move(self, path: str, to: str) -> None:
        """Give a file another name inside the storage."""
        target = self.root / to
        with writing(str(target)):
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(self.root / path, target)

    def delete(self, path: str) -> None:
        with contextlib.suppress(FileNotFoundError), writing(str(self.root / path)):
            (self.root / path).unlink()

    def make_folder(self, path: str) -> None:
        with writing(str(self.root / path)):
            (self.root / path).mkdir(parents=True, exist_ok=True)
