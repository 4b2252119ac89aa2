"""The run: from one release of a lake to the next, or not at all."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import ibis
import ibis.expr.types as ir

from aisle.declare.calendar import CalendarSpec
from aisle.declare.dimension import DimensionSpec
from aisle.declare.fact import FactSpec
from aisle.declare.star import Star
from aisle.engines.opening import open_engine
from aisle.engines.port import Change, Engine
from aisle.errors import LakeError, NothingDelivered
from aisle.lake.drops import LEDGER, Drop, strays
from aisle.lake.lake import QUARANTINE, Lake
from aisle.lake.releases import Release
from aisle.lake.storage import Storage, open_storage
from aisle.run import dimensions, facts
from aisle.run.ingest import Ingested, ingest
from aisle.run.summary import Progress, SourceSummary, Summary, quiet
from aisle.run.take import Taken, read_ledger, retake, take

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def run(
    star: Star,
    *,
    lake: str | Path,
    landing: str | Path,
    full: bool = False,
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
        break_lease: take the lake from another writer that is known to be gone.
        memory_limit: of the engine on this machine, such as "1GB".
        spark: a session to compute in, classic or Connect; without one DuckDB computes. The lake is the same.
        progress: called with a step's name, how much of it is done, and of how much.

    Raises:
        NothingDelivered: there is no drop in the landing and none in the lake.
        LeaseHeld: another run is at work on the lake.
        LakeError: the lake was made by another declaration.
        LawBroken: a law does not hold; no release is made.
    """
    started = time.monotonic()
    place, delivered_to = Lake(lake, star), open_storage(landing)
    stray = strays(delivered_to, star.sources)
    with ExitStack() as held:
        former = held.enter_context(place.writing(break_lease=break_lease))
        if former is not None and former.star != star.fingerprint and not full:
            raise LakeError(
                f"The star's declaration is not the one that release {former.number} was made by.\n"
                "  Its tables would be a mixture. Run with --full to make silver and gold anew from bronze."
            )
        engine = held.enter_context(open_engine(spark, place.storage, memory_limit=memory_limit))
        ledger = read_ledger(engine, place)
        taken, noted = take(place, delivered_to, ledger, progress)
        whole = full or former is None
        if full:
            taken = {s.name: _retaken(place, ledger[s.name], noted) + taken.get(s.name, []) for s in star.sources}
        if not any(taken.values()) and not full:
            _nothing_new(place, delivered_to, former, ledger)
            summary = Summary(former.number if former else None, strays=stray)
            if noted:  # what was redelivered or held is known from now on
                _note(engine, place, noted)
                summary = Summary(place.publish({"noted": len(noted)}).number, _by_source({}, noted), strays=stray)
        else:
            ingested, changes, waiting = _work(engine, place, taken, noted, ledger, progress, whole=whole)
            came = _by_source(ingested, noted)
            summary = Summary(None, came, changes, waiting, _inferred(engine, place), stray, time.monotonic() - started)
            consumed = {name: [d.drop for d in i.drops] for name, i in ingested.items() if i.drops}
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
    taken = {s.name: retake(lake, ledger[s.name]) for s in lake.star.sources}
    with open_engine(spark, scratch.storage, memory_limit=memory_limit) as engine:
        _work(engine, scratch, taken, [], {s.name: [] for s in lake.star.sources}, quiet, whole=True)
    return scratch


def _work(
    engine: Engine,
    lake: Lake,
    taken: Mapping[str, Taken],
    noted: list[Drop],
    ledger: Mapping[str, list[Drop]],
    progress: Progress,
    *,
    whole: bool,
) -> tuple[dict[str, Ingested], dict[str, Change], dict[str, int]]:
    """Silver, quarantine, ledger and gold of the drops taken; all anew, if `whole`."""
    ingested = {
        source.name: ingest(engine, lake, source, taken.get(source.name, []), [] if whole else ledger[source.name])
        for source in progress.over("silver", lake.star.sources)
        if taken.get(source.name) or whole
    }
    _set_aside(engine, lake, ingested, whole=whole)
    _note(engine, lake, [*noted, *(d for i in ingested.values() for d in i.drops), *_restated(ledger, ingested)])
    return ingested, *_gold(engine, lake, ingested, progress, whole=whole)


def _gold(
    engine: Engine, lake: Lake, ingested: Mapping[str, Ingested], progress: Progress, *, whole: bool
) -> tuple[dict[str, Change], dict[str, int]]:
    """Dimensions first, then calendars, then the facts that point into them. Returns changes, and waiting lines, by table."""
    changes: dict[str, Change] = {}
    moved: dict[str, ir.Table] = {}
    waiting: dict[str, int] = {}
    for spec in progress.over("gold", lake.star.tables):
        match spec:
            case DimensionSpec():
                changes[spec.table], periods = dimensions.refresh(engine, lake, spec, ingested, whole=whole)
                if periods is not None:
                    moved[spec.table] = periods
            case CalendarSpec():
                changes[spec.table] = dimensions.refresh_calendar(engine, lake, spec, ingested, whole=whole)
            case FactSpec():
                changes[spec.table], waiting[spec.table] = facts.refresh(engine, lake, spec, ingested, moved, whole=whole)
    return changes, {table: lines for table, lines in waiting.items() if lines}


def _retaken(lake: Lake, ledger: list[Drop], noted: list[Drop]) -> Taken:
    """The drops of before, but not those that were refused and are delivered anew now."""
    replaced = {drop.identity for drop in noted if drop.status == "replaced"}
    return retake(lake, [drop for drop in ledger if drop.identity not in replaced])


def _set_aside(engine: Engine, lake: Lake, ingested: Mapping[str, Ingested], *, whole: bool) -> None:
    bad = [ibis.table(QUARANTINE, name=f"_bad_{name}") for name in ingested]
    rows = ibis.union(*bad) if len(bad) > 1 else bad[0]
    if whole or any(i.reasons for i in ingested.values()):
        engine.rewrite(lake.quarantine, add=rows, whole=whole, metadata={"step": "quarantine"})


def _note(engine: Engine, lake: Lake, drops: list[Drop]) -> None:
    """Put drops into the ledger, in the place of what it said of them."""
    newest: dict[tuple[str, str, str], Drop] = {}
    for drop in drops:
        # A drop delivered again has a new stamp, and may be restated in the same run.
        former = newest.get(drop.identity)
        newest[drop.identity] = drop if former is None else drop._replace(stamp=former.stamp)
    rows = engine.values("_noted", LEDGER, list(newest.values()))
    engine.rewrite(lake.ledger, add=rows, gone=rows.select("source", "drop", "digest"), metadata={"step": "ledger"})


def _restated(ledger: Mapping[str, list[Drop]], ingested: Mapping[str, Ingested]) -> list[Drop]:
    """The ledger's rows of earlier drops, some rows of which stand no longer."""
    out = []
    for name, i in ingested.items():
        fallen: Counter[str] = Counter()
        for (drop_name, _), rows in i.restated.items():
            fallen[drop_name] += rows
        for drop in ledger[name]:
            if drop.status == "consumed" and fallen[drop.drop]:
                duplicates = i.restated[drop.drop, "duplicate"]
                out.append(
                    drop._replace(
                        events=drop.events - fallen[drop.drop],
                        duplicates=drop.duplicates + duplicates,
                        quarantined=drop.quarantined + fallen[drop.drop] - duplicates,
                    )
                )
    return out


def _by_source(ingested: Mapping[str, Ingested], noted: list[Drop]) -> dict[str, SourceSummary]:
    """What was taken of each source, and what is held."""
    held = {name: [d for d in noted if d.source == name and d.status == "held"] for name in {d.source for d in noted}}
    summaries = {name: SourceSummary.of([*i.drops, *held.pop(name, [])], i.reasons, i.unseated) for name, i in ingested.items()}
    return summaries | {name: SourceSummary.of(drops, Counter()) for name, drops in held.items() if drops}


def _inferred(engine: Engine, lake: Lake) -> dict[str, int]:
    """How many members of each dimension are known only because a fact names them."""
    found = {}
    for d in lake.star.dimensions:
        rows = engine.bind(d.table, lake.gold[d.table])
        found[d.table] = engine.count(rows.filter(rows["is_inferred"]))
    return {table: members for table, members in found.items() if members}


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
