"""Take: which delivered files are new, and their copies in bronze."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import BinaryIO

from aisle.engines.delivery import Delivery
from aisle.engines.measuring import measure
from aisle.engines.port import Engine
from aisle.errors import LakeError
from aisle.lake.drops import Drop, bronze_path, delivered, standing, unseen
from aisle.lake.lake import Lake
from aisle.lake.storage import Storage
from aisle.run.summary import Progress

Taken = list[tuple[Drop, Delivery]]
_CHUNK = 1 << 20
INCOMING = "bronze/_incoming"


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
    for left in lake.storage.entries(INCOMING):  # by a run that was killed
        lake.storage.delete(left.path)
    taken: dict[str, Taken] = {}
    noted: list[Drop] = []
    found = [(s, e) for s in lake.star.sources for e in unseen(delivered(landing, s), ledger[s.name])]
    for source, entry in progress.over("bronze", found):
        path = f"{source.name}/{entry.path}"
        compressed = entry.path.endswith(".gz")
        # Of its own name: a writer that lost its lease may still be at work on the same drop.
        incoming = f"{INCOMING}/{uuid.uuid4().hex}"
        with landing.open(path) as data, lake.storage.create(incoming) as copy:
            measured = measure(_copying(data, copy), compressed=compressed)
        kept = bronze_path(source, measured.digest, entry.path)
        lake.storage.move(incoming, kept)
        drop = Drop(source.name, entry.path, measured.digest, "consumed", None, kept, entry.stamp, entry.size)
        match standing(entry.path, measured.digest, ledger[source.name]):
            case "new":
                again = [d for d in ledger[source.name] if d.drop == entry.path and d.status == "refused"]
                noted.extend(d._replace(status="replaced") for d in again)
                taken.setdefault(source.name, []).append((drop, Delivery.of(entry.path, lake.storage.url(kept), measured)))
            case "redelivered":
                known = next(d for d in ledger[source.name] if d.drop == entry.path and d.digest == measured.digest)
                noted.append(known._replace(stamp=entry.stamp))
            case "held":
                reason = (
                    "was delivered before with other content, and nothing of it is used. Deliver what it corrects under a new name "
                    "that sorts after this one, and with a later time of change."
                )
                noted.append(drop._replace(status="held", reason=reason))
    return taken, noted


def retake(lake: Lake, drops: Iterable[Drop]) -> Taken:
    """Drops that are in bronze, to be read anew, in order of arrival.

    Raises:
        LakeError: bronze's bytes are not those that were delivered.
    """
    taken: Taken = []
    for drop in sorted(drops, key=lambda d: d.drop):
        if drop.status in ("held", "replaced"):
            continue
        with lake.storage.open(drop.path) as data:
            measured = measure(iter(lambda: data.read(_CHUNK), b""), compressed=drop.path.endswith(".gz"))
        if measured.digest != drop.digest:
            raise LakeError(
                f"{drop.path} in the lake is not what was delivered as {drop.source}/{drop.drop}: its digest differs."
            )
        taken.append((drop, Delivery.of(drop.drop, lake.storage.url(drop.path), measured)))
    return taken


def _copying(data: BinaryIO, copy: BinaryIO) -> Iterator[bytes]:
    while chunk := data.read(_CHUNK):
        copy.write(chunk)
        yield chunk
