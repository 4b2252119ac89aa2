"""Take: which delivered files are new, and their copies in bronze."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO, TypeVar

from aisle.declare.source import SourceSpec
from aisle.engines.delivery import Delivery, Measured
from aisle.engines.port import Engine
from aisle.errors import LakeError
from aisle.lake.drops import Drop, bronze_path, delivered, standing, unseen
from aisle.lake.lake import Lake
from aisle.lake.storage import Arriving, Entry, Storage
from aisle.run.summary import Progress

Taken = list[tuple[Drop, Delivery]]
T = TypeVar("T")
U = TypeVar("U")
_CHUNK = 1 << 20


def read_ledger(engine: Engine, lake: Lake) -> dict[str, list[Drop]]:
    """What became of every drop so far, by source."""
    out: dict[str, list[Drop]] = {s.name: [] for s in lake.star.sources}
    if lake.ledger.files:
        for row in engine.rows(engine.bind("ledger", lake.ledger)):
            out.setdefault(row["source"], []).append(Drop(**row))
    return out


def take(
    lake: Lake, landing: Storage, ledger: Mapping[str, list[Drop]], progress: Progress
) -> tuple[dict[str, Taken], list[Drop]]:
    """Copy what is new in the landing to bronze.

    Returns the new drops by source, in order of arrival, and what else is to be noted: a drop that
    was delivered again (its stamp changed), or is held, as its name was consumed with other bytes.
    """
    lake.storage.sweep()
    taken: dict[str, Taken] = {}
    noted: list[Drop] = []
    found = [(s, e) for s in lake.star.sources for e in unseen(delivered(landing, s), ledger[s.name])]
    received = _each(found, lambda new: _receive(lake, landing, *new), max(landing.transfers, lake.storage.transfers))
    for (source, entry), (drop, content) in progress.over("bronze", zip(found, received, strict=True), len(found)):
        match standing(entry.path, drop.digest, ledger[source.name]):
            case "new":
                again = [d for d in ledger[source.name] if d.drop == entry.path and d.status == "refused"]
                noted.extend(d._replace(status="replaced") for d in again)
                taken.setdefault(source.name, []).append((drop, Delivery.of(entry.path, lake.storage.local(drop.path), content)))
            case "redelivered":
                known = next(d for d in ledger[source.name] if d.drop == entry.path and d.digest == drop.digest)
                noted.append(known._replace(stamp=entry.stamp))
            case "held":
                reason = (
                    "was delivered before with other content, and nothing of it is used. If it is the right one: "
                    f"aisle replace {source.name}/{entry.path}"
                )
                noted.append(drop._replace(status="held", reason=reason))
    return taken, noted


def retake(lake: Lake, drops: Iterable[Drop]) -> Taken:
    """Drops that are in bronze, to be read anew, in order of arrival.

    Raises:
        LakeError: bronze's bytes are not those that were delivered.
    """
    wanted = [d for d in sorted(drops, key=lambda d: d.drop) if d.was_taken]
    return list(zip(wanted, _each(wanted, lambda drop: _fetch(lake, drop), lake.storage.transfers), strict=True))


def _receive(lake: Lake, landing: Storage, source: SourceSpec, entry: Entry) -> tuple[Drop, Measured]:
    """Copy a delivered file to bronze, under the name that its content gives it; without the values that are forgotten."""
    with landing.open(f"{source.name}/{entry.path}") as data, lake.storage.receive() as arriving:
        if lake.forgotten.of(source.name):
            return _receive_erased(lake, data, arriving, source, entry)
        content = _measured(_copying(data, arriving), entry.path)
        kept = bronze_path(source, content.digest, entry.path)
        arriving.keep(kept)
    return _dropped(source, entry, content, kept), content


def _receive_erased(lake: Lake, data: BinaryIO, arriving: Arriving, source: SourceSpec, entry: Entry) -> tuple[Drop, Measured]:
    """The same, where keys of the source are forgotten: what is erased once stays so, and what comes is erased before it is kept."""
    from aisle.run.erase_drops import arrived

    with tempfile.TemporaryDirectory(prefix="aisle-") as folder:
        delivered_copy = Path(folder) / "delivered"
        with delivered_copy.open("wb") as copy:
            content = _measured(_copying(data, copy), entry.path)
        drop = _dropped(source, entry, content, bronze_path(source, content.digest, entry.path))
        if lake.forgotten.note(drop.path) is None or not lake.storage.exists(drop.path):
            with (
                arrived(lake, source, Delivery.of(drop.path, str(delivered_copy), content)) as left,
                left.open("rb") as without,
            ):
                content = _measured(_copying(without, arriving), entry.path)
            arriving.keep(drop.path)
            return drop, content
    return drop, _fetch(lake, drop).content


def _dropped(source: SourceSpec, entry: Entry, content: Measured, kept: str) -> Drop:
    return Drop(source.name, entry.path, content.digest, "consumed", None, kept, entry.stamp, entry.size)


def _fetch(lake: Lake, drop: Drop) -> Delivery:
    """A file of bronze, to be read anew."""
    path = lake.storage.local(drop.path)
    content = measured(path, drop.path)
    if content.digest != drop.digest and ((note := lake.forgotten.note(drop.path)) is None or content.digest not in note.forms):
        raise LakeError(f"{drop.path} in the lake is not what was delivered as {drop.source}/{drop.drop}: its digest differs.")
    return Delivery.of(drop.drop, path, content)


def measured(path: str | Path, name: str) -> Measured:
    """What the bytes of a file on this machine are, by the name that it has in the lake."""
    with open(path, "rb") as data:
        return _measured(iter(lambda: data.read(_CHUNK), b""), name)


def _measured(chunks: Iterable[bytes], path: str) -> Measured:
    from aisle.engines.measuring import measure  # it loads NumPy, which a run that finds nothing new can do without

    return measure(chunks, compressed=path.endswith(".gz"))


def _copying(data: BinaryIO, copy: Arriving | BinaryIO) -> Iterator[bytes]:
    while chunk := data.read(_CHUNK):
        copy.write(chunk)
        yield chunk


def _each(items: Sequence[T], do: Callable[[T], U], at_once: int) -> Iterator[U]:
    """What becomes of each item, in order; so many are worked at together."""
    if at_once == 1 or len(items) < 2:
        yield from map(do, items)
        return
    pool = ThreadPoolExecutor(at_once)
    try:
        yield from pool.map(do, items)
    finally:
        pool.shutdown(cancel_futures=True)
