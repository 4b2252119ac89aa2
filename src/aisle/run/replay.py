"""Replay and replace: a source's drops are read again, since the contract they are held to was mended, or another file takes a drop's place.

What comes of it is what there would be, had it been so from the start (design §3, law 1).
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aisle.declare.classes import did_you_mean
from aisle.declare.evolution import Anew, Difference, differences, to_make_anew
from aisle.declare.star import Star
from aisle.engines.opening import open_engine
from aisle.engines.port import Change, Engine
from aisle.errors import ConfigError, LakeError
from aisle.lake.drops import Drop
from aisle.lake.lake import Lake
from aisle.lake.releases import Release
from aisle.run.declared import to_be_taken_in
from aisle.run.ingest import Ingested
from aisle.run.reread import Ledger, publish, reread
from aisle.run.summary import Progress, quiet
from aisle.run.take import read_ledger
from aisle.run.writing import writing

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@dataclass(frozen=True)
class Count:
    """How many drops of a source are consumed and refused, and where their rows are."""

    consumed: int
    refused: int
    silver: int
    duplicates: int
    quarantined: int

    @classmethod
    def of(cls, drops: Sequence[Drop]) -> Count:
        return cls(
            consumed=sum(d.status == "consumed" for d in drops),
            refused=sum(d.status == "refused" for d in drops),
            silver=sum(d.events for d in drops),
            duplicates=sum(d.duplicates for d in drops),
            quarantined=sum(d.quarantined for d in drops),
        )


@dataclass(frozen=True)
class Reread:
    """What it did. `release` is the newest after it: the one before, if nothing is other than it was.

    `before` and `after` are by source; `tables` is what changed in gold, in rows.
    """

    release: int
    before: Mapping[str, Count]
    after: Mapping[str, Count]
    tables: Mapping[str, Change] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def changed(self) -> bool:
        return bool(self.tables)


def replay(
    star: Star,
    *,
    lake: str | Path,
    sources: Collection[str] = (),
    break_lease: bool = False,
    memory_limit: str | None = None,
    spark: SparkSession | None = None,
    progress: Progress = quiet,
) -> Reread:
    """Hold the drops of sources to their contract once more: rows in quarantine that keep it now, and files that can be read now, come in.

    Args:
        star: the declaration, as mended.
        lake: its address.
        sources: by default those that have rows in quarantine, or refused files.
        break_lease: take the lake from another writer that is known to be gone.
        memory_limit: of the engine on this machine, such as "1GB".
        spark: a session to compute in; without one DuckDB computes.
        progress: as `run` has it.

    Raises:
        ConfigError: the star has no such source.
        NothingDelivered: the lake has no release.
        LakeError: the declaration changed in more than the contracts of these sources.
        LeaseHeld: another run is at work on the lake.
        LawBroken: a law does not hold; no release is made.
    """
    names = [s.name for s in star.sources]
    for name in sources:
        if name not in names:
            raise ConfigError(f"The star has no source {name!r}{did_you_mean(name, names)}")
    started = time.monotonic()
    with ExitStack() as held:
        place, former, engine, ledger = _opened(held, star, lake, break_lease, memory_limit, spark)
        found = differences(former.declared, star)
        again = to_make_anew(former.declared, star, found)
        chosen = [n for n in names if n in sources or (not sources and (_troubled(ledger[n]) or n in again.contracts))]
        _assert_contracts_alone(former, found, again, chosen)
        ingested = reread(engine, place, ledger, chosen, progress)
        return _finished(engine, place, former, ledger, ingested, {"replays": chosen}, started, progress)


def replace(
    star: Star,
    *,
    lake: str | Path,
    source: str,
    drop: str,
    digest: str | None = None,
    break_lease: bool = False,
    memory_limit: str | None = None,
    spark: SparkSession | None = None,
    progress: Progress = quiet,
) -> Reread:
    """Take the content that is held under a drop's name in the place of the content that was consumed (design §3).

    The decision is in the ledger from then on, and is an input as a drop is: `--full` repeats it.

    Args:
        star: the declaration.
        lake: its address.
        source: of the drop.
        drop: its name.
        digest: the first digits of the held content's SHA-256, where several are held under the name.
        break_lease: take the lake from another writer that is known to be gone.
        memory_limit: of the engine on this machine, such as "1GB".
        spark: a session to compute in; without one DuckDB computes.
        progress: as `run` has it.

    Raises:
        NothingDelivered: the lake has no release.
        LakeError: nothing is held under this name, more than one content is, or what is held cannot be read.
        LeaseHeld: another run is at work on the lake.
        LawBroken: a law does not hold; no release is made.
    """
    started = time.monotonic()
    with ExitStack() as held:
        place, former, engine, ledger = _opened(held, star, lake, break_lease, memory_limit, spark)
        found = differences(former.declared, star)
        _assert_contracts_alone(former, found, to_make_anew(former.declared, star, found), [source])
        new = _held(ledger, source, drop, digest)
        old = next(d for d in ledger[source] if d.drop == drop and d.status == "consumed")
        gone = old._replace(
            status="replaced",
            reason=f"was replaced by other content, {new.digest[:8]}…, when somebody so decided.",
            records=0,
            events=0,
            duplicates=0,
            quarantined=0,
        )
        decided = [gone if d is old else d._replace(status="consumed", reason=None) if d is new else d for d in ledger[source]]
        ingested = reread(engine, place, {**ledger, source: decided}, [source], progress)
        became = next(d for d in ingested[source].drops if d.identity == new.identity)
        if became.status == "refused":
            raise LakeError(f"What is held as {source}/{drop} {became.reason} What was consumed under that name stands.")
        says = {"replaces": {f"{source}/{drop}": new.digest}, "drops": {source: [drop]}}
        return _finished(engine, place, former, ledger, ingested, says, started, progress, noted=[gone])


def _opened(
    held: ExitStack, star: Star, lake: str | Path, break_lease: bool, memory_limit: str | None, spark: SparkSession | None
) -> tuple[Lake, Release, Engine, dict[str, list[Drop]]]:
    place = Lake(lake, star)
    place.releases.standing()  # nothing is made of a lake that is not there
    former = held.enter_context(writing(place, break_lease=break_lease, memory_limit=memory_limit, spark=spark))
    assert former is not None
    engine = held.enter_context(open_engine(spark, place.storage, memory_limit=memory_limit))
    return place, former, engine, read_ledger(engine, place)


def _assert_contracts_alone(former: Release, found: Sequence[Difference], again: Anew, sources: Collection[str]) -> None:
    """Of the declaration no more may have changed than what the sources that are read again are held to."""
    new_or_gone = any(not d.name for d in found)
    if again.sources or again.tables or not again.contracts <= set(sources) or new_or_gone:
        raise to_be_taken_in(former, found)


def _troubled(drops: Sequence[Drop]) -> bool:
    return any(d.quarantined or d.status == "refused" for d in drops)


def _held(ledger: Ledger, source: str, drop: str, digest: str | None) -> Drop:
    if source not in ledger:
        raise LakeError(f"The star has no source {source!r}{did_you_mean(source, list(ledger))}")
    waiting = [d for d in ledger[source] if d.status == "held"]
    found = [d for d in waiting if d.drop == drop and d.digest.startswith(digest or "")]
    if len(found) == 1:
        return found[0]
    if found:
        digests = ", ".join(d.digest[:12] for d in found)
        raise LakeError(f"More than one content is held as {source}/{drop}: say which, --digest {digests}.")
    near = did_you_mean(drop, sorted({d.drop for d in waiting})) if waiting else "; nothing of this source is held."
    raise LakeError(f"Nothing {f'of {digest}… ' if digest else ''}is held as {source}/{drop}{near}")


def _finished(
    engine: Engine,
    lake: Lake,
    former: Release,
    ledger: Ledger,
    ingested: Mapping[str, Ingested],
    says: Mapping[str, Any],
    started: float,
    progress: Progress,
    *,
    noted: Sequence[Drop] = (),
) -> Reread:
    """The release; none, if the drops are what they were."""
    before = {name: Count.of(ledger[name]) for name in ingested}
    after = {name: Count.of(i.drops) for name, i in ingested.items()}
    known = {d.identity: d for name in ingested for d in ledger[name]}
    as_they_were = all(known[d.identity] == d for i in ingested.values() for d in i.drops)
    if as_they_were and not noted and former.star == lake.star.fingerprint:
        return Reread(former.number, before, after, seconds=time.monotonic() - started)
    legible = {
        name: [d.drop for d in i.drops if d.status == "consumed" and known[d.identity].status == "refused"]
        for name, i in ingested.items()
    }
    says = {"drops": {name: drops for name, drops in legible.items() if drops}, **says}
    release, changes = publish(engine, lake, ledger, ingested, says, started, progress, noted=noted)
    return Reread(release.number, before, after, changes, time.monotonic() - started)
