"""Drops: the delivered files, kept byte for byte in bronze, and the ledger of what became of each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Literal, NamedTuple

import ibis

from aisle.declare.source import SourceSpec
from aisle.errors import LakeError
from aisle.lake.storage import Entry, Storage

Status = Literal["consumed", "refused", "replaced", "held"]

LEDGER = ibis.schema(
    {
        "source": "string",
        "drop": "string",
        "digest": "string",
        "status": "string",
        "reason": "string",
        "path": "string",
        "stamp": "string",
        "bytes": "int64",
        "records": "int64",
        "events": "int64",
        "duplicates": "int64",
        "quarantined": "int64",
        "unknown_columns": "string",
        "absent_columns": "string",
        "as_of": "string",
    }
)


class Drop(NamedTuple):
    """A row of the ledger.

    A drop's identity is (source, name, digest of its bytes). `status`: consumed (its rows are in
    silver, duplicates or quarantined), refused (it could not be read; it holds nothing), replaced
    (refused, and delivered anew since), or held (its name was consumed before with other bytes). `records` = `events` + `duplicates` +
    `quarantined`. `stamp` tells whether the landing's file was touched since. `as_of`: of a snapshot,
    the times (UTC) of its rows; with a `?` those at which it has only rows in quarantine.
    """

    source: str
    drop: str
    digest: str
    status: Status
    reason: str | None
    path: str
    stamp: str
    bytes: int
    records: int = 0
    events: int = 0
    duplicates: int = 0
    quarantined: int = 0
    unknown_columns: str = ""
    absent_columns: str = ""
    as_of: str = ""

    @property
    def identity(self) -> tuple[str, str, str]:
        return (self.source, self.drop, self.digest)

    @property
    def was_taken(self) -> bool:
        """Whether its file was read, and is when the source is read again: it is not held, nor is another in its place."""
        return self.status in ("consumed", "refused")

    @property
    def times(self) -> list[datetime]:
        """The times of the snapshots that the drop is, or is a part of: of its accepted rows."""
        return [datetime.fromisoformat(t) for t in self.as_of.split() if not t.startswith("?")]

    @property
    def seen(self) -> list[datetime]:
        """The times at which the drop says of a key that it is there, be it by a row in quarantine."""
        return [datetime.fromisoformat(t.removeprefix("?")) for t in self.as_of.split()]


_IGNORED_ENDINGS = (".tmp", ".part", ".crc", ".filepart", "~")


def delivered(landing: Storage, source: SourceSpec) -> Iterator[Entry]:
    """The files in a source's folder of the landing. Files still being written, or hidden, are passed over."""
    for entry in landing.entries(source.name):
        name = entry.path.removeprefix(f"{source.name}/")
        if not name.isprintable() and any("\udc80" <= letter <= "\udcff" for letter in name):
            raise LakeError(f"The landing's folder {source.name}/ holds a file whose name is not UTF-8: {name!r}. Rename it.")
        if not _passed_over(name):
            yield entry._replace(path=name)


def strays(landing: Storage, sources: Iterable[SourceSpec]) -> dict[str, int]:
    """How many files lie in the landing where no source looks, by folder; "" is the landing itself."""
    expected = {source.name for source in sources}
    found = {
        name: sum(1 for _ in landing.entries(name)) for name in landing.folders() if name not in expected and name[0] not in "._"
    }
    found[""] = sum(1 for name in landing.files() if not _passed_over(name))
    return {name: files for name, files in found.items() if files}


def _passed_over(name: str) -> bool:
    """Whether a file is hidden, or still being written."""
    return any(part.startswith((".", "_")) for part in name.split("/")) or name.endswith(_IGNORED_ENDINGS)


def bronze_path(source: SourceSpec, digest: str, name: str) -> str:
    """Where a drop's bytes rest: named after their content, so that equal bytes are kept once."""
    return f"bronze/{source.name}/{digest[:2]}/{digest}.{source.format}{'.gz' if name.endswith('.gz') else ''}"


BRONZE = re.compile(r"bronze/[^/_.][^/]*/([0-9a-f]{2})/\1[0-9a-f]{62}\.[^/]+")
"""What `bronze_path` makes; whatever else lies there is not ours."""


def unseen(entries: Iterable[Entry], ledger: Sequence[Drop]) -> list[Entry]:
    """The entries whose stamp the ledger does not know: new, or touched since."""
    known = {(drop.drop, drop.stamp) for drop in ledger}
    return [entry for entry in entries if (entry.path, entry.stamp) not in known]


def standing(name: str, digest: str, ledger: Sequence[Drop]) -> Literal["new", "redelivered", "held"]:
    """What a delivered file is, by its name and content (design §3). A refused drop does not keep its name."""
    same_name = [drop for drop in ledger if drop.drop == name]
    if any(drop.digest == digest for drop in same_name):
        return "redelivered"
    return "held" if any(drop.status == "consumed" for drop in same_name) else "new"


def in_batches(sizes: Sequence[int], most: int) -> Iterator[slice]:
    """Runs of neighbours whose sizes sum to at most `most` bytes, or that are one."""
    start, total = 0, 0
    for i, size in enumerate(sizes):
        if i > start and total + size > most:
            yield slice(start, i)
            start, total = i, 0
        total += size
    if start < len(sizes):
        yield slice(start, len(sizes))
