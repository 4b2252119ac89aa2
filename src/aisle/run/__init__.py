"""The run: from one release of a lake to the next, or not at all."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from aisle.declare.evolution import Anew, differences, to_make_anew
from aisle.declare.star import Star
from aisle.engines.opening import open_engine
from aisle.errors import NothingDelivered
from aisle.lake.drops import Drop, strays
from aisle.lake.lake import Lake
from aisle.lake.releases import Release
from aisle.lake.storage import Storage, open_storage
from aisle.run.declared import assert_only_added
from aisle.run.ingest import Ingested
from aisle.run.summary import Progress, SourceSummary, Summary, quiet
from aisle.run.take import Taken, read_ledger, retake, take
from aisle.run.work import inferred, note, work
from aisle.run.writing import writing

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def run(
    star: Star,
    *,
    lake: str | Path,
    landing: str | Path,
    full: bool = False,
    accept_changes: bool = False,
    break_lease: bool = False,
    memory_limit: str | None = None,
    spark: SparkSession | None = None,
    progress: Progress = quiet,
) -> Summary:
    """Take the drops that are new in the landing into the lake, and make the next release.

    Nothing new makes no release. Whatever stops the run, the last release stands.

    Args:
        star: the declaration.
        lake: a folder, made if it is not there; or `s3://bucket/prefix`.
        landing: a folder, or `s3://bucket/prefix`, with a sub-folder for each source; it is only read.
        full: make silver and gold anew from bronze. The content is the same (design §3, law 1).
        accept_changes: go on though the declaration, being other than the newest release's, alters what is there. What it only
            adds to is accepted without. What is concerned is made anew from bronze, and nothing else.
        break_lease: take the lake from another writer that is known to be gone.
        memory_limit: of the engine on this machine, such as "1GB".
        spark: a session to compute in, classic or Connect; without one DuckDB computes. The lake is the same.
        progress: called with a step's name, how much of it is done, and of how much.

    Raises:
        NothingDelivered: there is no drop in the landing and none in the lake.
        LeaseHeld: another run is at work on the lake.
        LakeError: the declaration alters what the newest release has, and that is not accepted.
        LawBroken: a law does not hold; no release is made.
    """
    started = time.monotonic()
    place, delivered_to = Lake(lake, star), open_storage(landing)
    stray = strays(delivered_to, star.sources)
    with ExitStack() as held:
        former = held.enter_context(
            writing(place, break_lease=break_lease, memory_limit=memory_limit, spark=spark, progress=progress)
        )
        changed = differences(former.declared, star) if former is not None else []
        if not (full or accept_changes):
            assert_only_added(former, changed)
        engine = held.enter_context(open_engine(spark, place.storage, memory_limit=memory_limit))
        ledger = read_ledger(engine, place)
        taken, noted = take(place, delivered_to, ledger, progress)
        told = _identities(taken)
        again = Anew.everything(star) if full or former is None else to_make_anew(former.declared, star, changed)
        for name in again.reread:
            taken[name] = _retaken(place, ledger[name], noted) + taken.get(name, [])
        if full:
            told = _identities(taken)
        if not any(taken.values()) and not full and not changed:
            _nothing_new(place, delivered_to, former, ledger)
            summary = Summary(former.number if former else None, strays=stray)
            if noted:  # what was redelivered or held is known from now on
                note(engine, place, noted)
                summary = Summary(place.publish({"noted": len(noted)}).number, _by_source({}, {}, noted), strays=stray)
        else:
            ingested, changes, waiting = work(engine, place, taken, noted, ledger, progress, again)
            arrived = {name: [d for d in i.drops if d.identity in told] for name, i in ingested.items()}
            came = _by_source(ingested, arrived, noted)
            said = tuple(map(str, changed))
            summary = Summary(
                None, came, changes, waiting, inferred(engine, place), stray, time.monotonic() - started, declared=said
            )
            consumed = {name: [d.drop for d in drops] for name, drops in arrived.items() if drops}
            release = place.publish({**summary.record(), "drops": consumed})
            summary = replace(summary, release=release.number)
        requests = sum((Counter(asked.requests) for asked in (delivered_to, place.storage, engine)), Counter[str]())
        return replace(summary, seconds=time.monotonic() - started, requests=dict(requests))


def rebuild_into(
    address: str | Path,
    lake: Lake,
    ledger: Mapping[str, list[Drop]],
    memory_limit: str | None = None,
    spark: SparkSession | None = None,
) -> Lake:
    """Make a lake's silver and gold anew from its bronze, in a lake at another address."""
    scratch = Lake(address, lake.star)
    scratch.forgotten = lake.forgotten  # an input, as the drops are
    taken = {s.name: retake(lake, ledger[s.name]) for s in lake.star.sources}
    with open_engine(spark, scratch.storage, memory_limit=memory_limit) as engine:
        work(engine, scratch, taken, [], {s.name: [] for s in lake.star.sources}, quiet, Anew.everything(lake.star))
    return scratch


def _retaken(lake: Lake, ledger: list[Drop], noted: list[Drop]) -> Taken:
    """The drops of before, but not those that were refused and are delivered anew now."""
    replaced = {drop.identity for drop in noted if drop.status == "replaced"}
    return retake(lake, [drop for drop in ledger if drop.identity not in replaced])


def _identities(taken: Mapping[str, Taken]) -> set[tuple[str, str, str]]:
    return {drop.identity for of in taken.values() for drop, _ in of}


def _by_source(
    ingested: Mapping[str, Ingested], arrived: Mapping[str, list[Drop]], noted: list[Drop]
) -> dict[str, SourceSummary]:
    """What arrived of each source, and what is held."""
    held = {name: [d for d in noted if d.source == name and d.status == "held"] for name in {d.source for d in noted}}
    summaries = {
        name: SourceSummary.of([*arrived[name], *held.pop(name, [])], i.reasons, i.unseated) for name, i in ingested.items()
    }
    return summaries | {name: SourceSummary.of(drops, Counter()) for name, drops in held.items() if drops}


def _nothing_new(lake: Lake, landing: Storage, former: Release | None, ledger: Mapping[str, list[Drop]]) -> None:
    if former is None and not any(ledger.values()):
        expected = "\n".join(f"    {landing}/{s.name}/*.{s.format}" for s in lake.star.sources)
        raise NothingDelivered(
            f"There is nothing in the landing {landing}. Put files where the star's sources expect them:\n{expected}\n"
            "  or let `aisle generate` make a shop's data."
        )
    if not landing.there():
        raise NothingDelivered(f"The landing {landing} is gone: there is no such folder. The last release stands.")


__all__ = ["rebuild_into", "run"]
