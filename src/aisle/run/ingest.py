"""Ingest: from delivered files to silver: bronze copy, reading, contract, duplicates, conflicts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import ibis
import ibis.expr.types as ir

from aisle.declare.source import AS_OF, DROP, LINE, SourceSpec
from aisle.engines.delivery import Delivery, Reading
from aisle.engines.port import Engine
from aisle.errors import LawBroken
from aisle.lake.drops import Drop, in_batches
from aisle.lake.lake import QUARANTINE, Lake
from aisle.run.take import Taken, retake
from aisle.stages.cleanse import REASONS, TEXT, judged, present, rejected
from aisle.stages.settle import CONFLICT, DUPLICATE, STANDS, identity, suspects, verdicts
from aisle.stages.snapshots import ABSENCE, differences, time_in

BATCH_BYTES = 256 << 20

Fallen = Counter[tuple[str, str]]
"""(drop, verdict) → rows that do not stand."""


@dataclass
class Ingested:
    """What a source's new drops brought.

    `events` are the rows that entered silver; `displaced` those that left it, because a row of an
    earlier arrival came late, or a snapshot came between two others. Either is None if there are none.
    """

    source: SourceSpec
    drops: list[Drop] = field(default_factory=list)
    # Rows of earlier drops that stand no longer, or (below zero) stand now: the ledger's rows of these drops are restated.
    restated: Fallen = field(default_factory=Counter)
    events: ir.Table | None = None
    displaced: ir.Table | None = None
    reasons: Counter[str] = field(default_factory=Counter)

    def rows(self, *columns: str) -> ir.Table | None:
        """These columns of every row that came or went."""
        parts = [t.select(*columns) for t in (self.events, self.displaced) if t is not None]
        return distinct(parts) if parts else None

    @property
    def unseated(self) -> int:
        """How many rows of earlier drops lost their place to one that arrived late under an earlier name."""
        return 0 if self.source.feed == "snapshot" else sum(self.restated.values())


def distinct(parts: Sequence[ir.Table]) -> ir.Table:
    """The different rows of one or more tables of like columns."""
    return ibis.union(*parts, distinct=True) if len(parts) > 1 else parts[0].distinct()


def ingest(engine: Engine, lake: Lake, source: SourceSpec, taken: Taken, former: Sequence[Drop]) -> Ingested:
    """Take drops into silver and quarantine.

    Args:
        former: what the ledger has of the source; if it is empty, silver and quarantine start anew.

    Raises:
        LawBroken: a drop's rows do not balance (design §3, law 2).
    """
    done = Ingested(source)
    new, bad = f"_new_{source.name}", f"_bad_{source.name}"
    engine.values(bad, QUARANTINE, ())
    cleanse(engine, source, taken, done, new, bad)
    if source.feed == "snapshot":
        fallen = compare(engine, lake, done, new, former)
    else:
        fallen = _settle(engine, lake, done, new, bad, whole=not former)
    _account(engine, done, fallen)
    return done


def cleanse(engine: Engine, source: SourceSpec, taken: Taken, done: Ingested, new: str, bad: str | None) -> None:
    """Read drops and judge their rows. Those that keep the contract are kept as `new`, the others added to `bad`.

    Of a snapshot's rows that do not, but whose key can be read, it is kept as `<new>_present` that they are there.
    """
    engine.values(new, source.silver, ())
    if source.feed == "snapshot":
        engine.values(f"{new}_present", ibis.schema({n: source.silver[n] for n in (*source.key, source.changed_at, DROP)}), ())
    drops = {drop.drop: drop for drop, _ in taken}
    if source.timed_by_name:
        taken = _timed(engine, source, taken, done)
    for together in _readable_together(engine, source, taken):
        raw, malformed, readings = engine.read(f"_raw_{source.name}", source, together)
        done.drops += [_read(source, drops[reading.drop], reading) for reading in readings]
        if source.timed_by_name:
            times = ibis.table({"_named": "string", AS_OF: source.silver[AS_OF]}, name=f"_times_{source.name}")
            raw = raw.inner_join(times, raw[DROP] == times["_named"])
        rows = engine.keep(f"_judged_{source.name}", judged(raw, source))
        engine.extend(new, rows.filter(rows["_ok"]).drop("_ok"))
        if source.feed == "snapshot":
            engine.extend(f"{new}_present", present(rows, source))
        failing = rows.filter(~rows["_ok"]).select(DROP, LINE)
        if bad is not None and engine.count(failing):
            set_aside = rejected(raw.semi_join(failing, [DROP, LINE]), source)
            engine.extend(bad, _quarantined(source, set_aside, set_aside[REASONS], set_aside[TEXT]))
        if bad is not None:
            engine.extend(bad, _quarantined(source, malformed, ibis.array([malformed["reason"]]), malformed["text"]))
        engine.drop(f"_judged_{source.name}", f"_raw_{source.name}", f"_raw_{source.name}_malformed")


def _read(source: SourceSpec, drop: Drop, reading: Reading) -> Drop:
    """The ledger's row of a drop that was read."""
    refused = reading.refused
    if source.feed == "snapshot" and not refused and not reading.records:
        refused = "holds no row. As the whole table it would delete everything; an export that failed looks just like it."
    return replace(
        drop,
        status="refused" if refused else "consumed",
        reason=refused,
        records=reading.records,
        unknown_columns=", ".join(reading.unknown_columns),
        absent_columns=", ".join(reading.absent_columns),
    )


def _timed(engine: Engine, source: SourceSpec, taken: Taken, done: Ingested) -> Taken:
    """The drops whose names say when they were taken, which is kept; the others are refused."""
    times: list[tuple[str, datetime]] = []
    timed: Taken = []
    for drop, delivery in taken:
        try:
            times.append((drop.drop, time_in(drop.drop, source.time_zone)))
            timed.append((drop, delivery))
        except ValueError as why:
            done.drops.append(replace(drop, status="refused", reason=str(why)))
    engine.values(f"_times_{source.name}", ibis.schema({"_named": "string", AS_OF: source.silver[AS_OF]}), times)
    return timed


def _readable_together(engine: Engine, source: SourceSpec, taken: Sequence[tuple[Drop, Delivery]]) -> Iterator[list[Delivery]]:
    """Deliveries of like columns, at most so many bytes at a time. Like columns, so that no drop is judged by its neighbours' types."""
    for batch in in_batches([drop.bytes for drop, _ in taken], BATCH_BYTES):
        yield from engine.alike(source, [delivery for _, delivery in taken[batch]])


def _quarantined(source: SourceSpec, rows: ir.Table, reasons: ir.Value, text: ir.Value) -> ir.Table:
    return rows.select(source=ibis.literal(source.name), drop=rows[DROP], line=rows[LINE], reasons=reasons, row=text)


def _settle(engine: Engine, lake: Lake, done: Ingested, new_name: str, bad_name: str, *, whole: bool) -> Fallen:
    """Part the new rows, and the stored ones that share an identity, into those that stand and the others.

    Returns how many rows of which drop fell, and how: stored rows too.
    """
    source, silver, fallen_rows = done.source, lake.silver[done.source.name], Counter[tuple[str, str]]()
    shared = list(identity(source))
    new = ibis.table(source.silver, name=new_name)
    doubtful, pool, known = suspects(new, source), new, None
    if silver.files and not whole:
        stored = engine.bind(f"_silver_{source.name}", silver)
        known = engine.keep(f"_known_{source.name}", stored.semi_join(new, shared))
        doubtful, pool = doubtful.union(known.select(*shared), distinct=True), new.union(known)
    doubtful = engine.keep(f"_doubtful_{source.name}", doubtful)
    if engine.count(doubtful):
        ruled = engine.keep(f"_verdicts_{source.name}", verdicts(pool.semi_join(doubtful, shared), source))
        fallen = ruled.filter(ruled["_verdict"] != STANDS)
        for row in engine.rows(fallen.group_by(DROP, "_verdict").agg(rows=fallen.count())):
            fallen_rows[row[DROP], row["_verdict"]] = row["rows"]
        conflicts = fallen.filter(fallen["_verdict"] == CONFLICT)
        reason = ibis.literal(f"another row of this {', '.join(source.key)} comes before it, by drop name and line")
        text = ibis.struct({c.name: conflicts[c.name] for c in source.columns}).cast("json").cast("string")
        engine.extend(bad_name, _quarantined(source, conflicts, ibis.array([reason]), text))
        if known is not None:
            displaced = engine.keep(f"_displaced_{source.name}", known.semi_join(fallen, [DROP, LINE]))
            done.displaced = displaced if engine.count(displaced) else None
        new = engine.keep(f"_events_{source.name}", new.anti_join(fallen, [DROP, LINE]))
        engine.drop(new_name)
    done.events = new
    gone = None if done.displaced is None else done.displaced.select(DROP, LINE)
    engine.rewrite(silver, add=new, gone=gone, whole=whole, metadata={"step": "silver"})
    return fallen_rows


def _account(engine: Engine, done: Ingested, fallen: Fallen) -> None:
    """Law 2 for each new drop: rows delivered = rows in silver + exact duplicates + quarantined."""
    assert done.events is not None
    bad = ibis.table(QUARANTINE, name=f"_bad_{done.source.name}")
    for row in engine.rows(bad.select(reason=bad["reasons"].unnest()).group_by("reason").agg(rows=ibis._.count())):
        done.reasons[row["reason"]] = row["rows"]
    events = _by_drop(engine, done.events.filter(done.events[LINE] != ABSENCE), DROP)
    quarantined = _by_drop(engine, bad, "drop")
    for i, drop in enumerate(done.drops):
        name = drop.drop
        done.drops[i] = balanced = replace(
            drop, events=events[name], quarantined=quarantined[name], duplicates=fallen.pop((name, DUPLICATE), 0)
        )
        fallen.pop((name, CONFLICT), None)
        if balanced.records != balanced.events + balanced.duplicates + balanced.quarantined:
            raise LawBroken(
                f"{done.source.name}/{name} does not balance: {balanced.records} rows were delivered, but {balanced.events} are in "
                f"silver, {balanced.duplicates} are duplicates and {balanced.quarantined} in quarantine. "
                "No release is made; please report this."
            )
    done.restated = fallen


def _by_drop(engine: Engine, table: ir.Table, column: str) -> Counter[str]:
    return Counter({row[column]: row["rows"] for row in engine.rows(table.group_by(column).agg(rows=table.count()))})


def compare(engine: Engine, lake: Lake, done: Ingested, new: str, former: Sequence[Drop]) -> Fallen:
    """Put into silver what new snapshots, and those that follow them, say that the ones before them did not.

    Of earlier drops those are read anew that lie, by time, next to a new one. Returns how many rows of which drop are
    not stored, as they equal their predecessors; of earlier drops by how many that changed.
    """
    source, silver, fallen = done.source, lake.silver[done.source.name], Counter[tuple[str, str]]()
    at = source.changed_at
    assert at is not None
    rows = ibis.table(source.silver, name=new)
    there = ibis.table({n: source.silver[n] for n in (*source.key, at, DROP)}, name=f"{new}_present")
    fresh: dict[str, list[datetime]] = {}
    for row in engine.rows(rows.select(DROP, at).distinct()):
        fresh.setdefault(row[DROP], []).append(row[at])
    done.drops = [replace(d, as_of=" ".join(t.isoformat() for t in sorted(fresh.get(d.drop, [])))) for d in done.drops]
    known = [d for d in former if d.status == "consumed" and d.as_of]
    places = _places([d for d in done.drops if d.as_of], known)
    around = [d for d in known if any(t in places for t in d.times)]
    if around:
        neighbours, before = f"_around_{source.name}", ibis.table(source.silver, name=f"_around_{source.name}")
        cleanse(engine, source, retake(lake, around), Ingested(source), neighbours, None)
        rows, there = rows.union(before), there.union(ibis.table(there.schema(), name=f"{neighbours}_present"))
    of = engine.values(
        f"_places_{source.name}",
        ibis.schema({"_at": source.silver[at], "_place": "int64", "_anew": "boolean", "_last": "string"}),
        [(time, *place) for time, place in places.items()],
    )
    stored = engine.keep(f"_stored_{source.name}", differences(rows, there, of, source))
    anew = of.filter(of["_anew"])
    done.events = stored
    if around:
        was = engine.bind(f"_silver_{source.name}", silver)
        was = engine.keep(f"_was_{source.name}", was.semi_join(anew, was[at] == anew["_at"]))
        done.events = engine.keep(f"_came_{source.name}", stored.difference(was))
        went = engine.keep(f"_went_{source.name}", was.difference(stored))
        done.displaced = went if engine.count(went) else None
    gone = None if done.displaced is None else done.displaced.select(*source.key, DROP, LINE)
    engine.rewrite(silver, add=done.events, gone=gone, whole=not former, metadata={"step": "silver"})
    fallen.update({(drop, DUPLICATE): n for drop, n in _by_drop(engine, ibis.table(source.silver, name=new), DROP).items()})
    for table, sign in ((done.events, -1), (done.displaced, 1)):
        if table is not None:
            for drop, n in _by_drop(engine, table.filter(table[LINE] != ABSENCE), DROP).items():
                fallen[drop, DUPLICATE] += sign * n
    return fallen


def _places(new: Sequence[Drop], known: Sequence[Drop]) -> dict[datetime, tuple[int, bool, str]]:
    """The snapshots to look at, by time: (place among all, whether it is to be compared anew, the last drop of it).

    To be compared anew are those of new drops, and the one that follows each; to be looked at, the one before each of these too.
    """
    last: dict[datetime, str] = {}
    for drop in (*new, *known):
        for time in drop.times:
            last[time] = max(last.get(time, ""), drop.drop)
    every = sorted(last)
    place = {time: i for i, time in enumerate(every)}
    fresh = {place[time] for drop in new for time in drop.times}
    anew = fresh | {i + 1 for i in fresh if i + 1 < len(every)}
    needed = sorted(anew | {i - 1 for i in anew if i > 0})
    return {every[i]: (i, i in anew, last[every[i]]) for i in needed}
