"""Where bytes rest: the port of a lake's and a landing's address, a folder or a prefix of an S3 bucket.

Paths inside a storage are relative, with `/`. The port is what both kinds can do: no rename, but a put that
fails if the name is taken, and one that replaces only what it expects to find.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, Protocol

from aisle.errors import ConfigError, StorageError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class Entry(NamedTuple):
    """A stored file: its path inside the storage, its bytes, and a stamp that changes when it does."""

    path: str
    size: int
    stamp: str


class Arriving(Protocol):
    """A file in the making, whose name is not known yet. Nobody sees it before it is kept."""

    def write(self, data: bytes) -> object: ...

    def keep(self, path: str) -> None:
        """All is written: give it its name, in the place of a file that has it."""
        ...


class Storage(Protocol):
    """A folder, or a prefix of a bucket. `str` is its address.

    Each method may raise StorageError: it cannot be read or written; and ConfigError: it is not there at all, or the
    credentials are not good for it.
    """

    @property
    def transfers(self) -> int:
        """How many files it is worth moving at once."""
        ...

    @property
    def tries(self) -> int:
        """How often to try what a library does not try again by itself."""
        ...

    @property
    def requests(self) -> Mapping[str, int]:
        """How often a server was asked so far, by operation."""
        ...

    @property
    def delta_options(self) -> dict[str, str]:
        """What deltalake needs to know to read and write here."""
        ...

    @property
    def spark_options(self) -> dict[str, str]:
        """What Spark's Hadoop needs to know to read and write here, if nobody else has told it; no credentials."""
        ...

    def admit(self, connection: DuckDBPyConnection) -> None:
        """Let a DuckDB connection read and write this storage's addresses. Again and again: credentials are renewed."""
        ...

    def assert_exclusive(self) -> None:
        """Raises ConfigError if of two writers that put one name here both would be told that they did."""
        ...

    def url(self, path: str = "") -> str:
        """The address by which an engine reads or writes a path."""
        ...

    def entries(self, prefix: str = "") -> Iterator[Entry]:
        """All files below a prefix."""
        ...

    def names(self, prefix: str) -> list[str]:
        """The names directly below a prefix, sorted."""
        ...

    def folders(self) -> list[str]:
        """The names of the folders directly in the storage."""
        ...

    def files(self) -> list[str]:
        """The names of the files directly in the storage."""
        ...

    def there(self) -> bool:
        """Whether the storage itself is there; an empty prefix of a bucket is."""
        ...

    def exists(self, path: str) -> bool: ...

    def open(self, path: str) -> BinaryIO: ...

    def local(self, path: str) -> str:
        """The path of a file of this machine that has the same bytes, for who reads files only."""
        ...

    def get(self, path: str) -> bytes | None:
        """The bytes of a small file; None if it is not there."""
        ...

    def put(self, path: str, data: bytes) -> None:
        """Write a small file, in the place of one that is there."""
        ...

    def put_if_absent(self, path: str, data: bytes) -> bool:
        """Write a small file unless its name is taken; whether it was written. Of two racing writers one wins."""
        ...

    def swap(self, path: str, former: bytes, data: bytes) -> bool:
        """Replace a small file if its content is `former`; whether it was. Of two racing writers one wins.

        Empty `data` takes it away: it is then not there, or is empty.
        """
        ...

    def receive(self) -> contextlib.AbstractContextManager[Arriving]:
        """A file in the making, which is gone at the end of the block if it was not kept."""
        ...

    def sweep(self) -> None:
        """Remove what was being received when a process was killed. Only for who holds the lease."""
        ...

    def delete(self, path: str) -> None: ...

    def clear(self, path: str) -> None:
        """Take away all that is below a path."""
        ...

    def prune(self, path: str) -> None:
        """Take away the folders at and below a path that hold nothing; a bucket has none. Only for who holds the lease."""
        ...

    def make_folder(self, path: str) -> None:
        """Make sure that files can be written below a path."""
        ...


def open_storage(address: str | Path) -> Storage:
    """The storage at an address: a folder, or `s3://bucket/prefix`. Nothing is asked or made yet.

    Raises:
        ConfigError: the address is of a kind that is not supported, or what it needs is not installed.
    """
    text = str(address)
    kind, is_url, _ = text.partition("://")
    if not is_url:
        from aisle.lake.folder import Folder

        return Folder(text)
    if kind == "s3":
        from aisle.lake.s3 import S3

        return S3(text)
    raise ConfigError(f"{kind}:// is no address that a lake or landing can have: give a folder, or s3://bucket/prefix.")


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
        why = error.strerror if isinstance(error, OSError) and error.strerror else plain(str(error))
        raise StorageError(
            f"{place} cannot be written: {why}\n  The last release stands. Make room or give permission, and run again."
        ) from error


def plain(text: str) -> str:
    """A library's message in one line, without the colours and arrows that deltalake gives it."""
    return " ".join(re.sub(r"\x1b\[[\d;]*m|↳", " ", text).split())
