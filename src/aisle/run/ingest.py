"""Ingest: from delivered files to silver: bronze copy, reading, contract, duplicates, conflicts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import ibis
import ibis.expr.types as ir

from aisle.declare.source import DROP, LINE, SourceSpec
from aisle.engines.delivery import Delivery
from aisle.engines.port import Engine
from aisle.errors import LawBroken
from aisle.lake.drops import Drop, in_batches
from aisle.lake.lake import QUARANTINE, Lake
from aisle.stages.cleanse import REASONS, TEXT, judged, rejected
from aisle.stages.settle import CONFLICT, DUPLICATE, STANDS, identity, suspects, verdicts

BATCH_BYTES = 256 << 20

Fallen = Counter[tuple[str, str]]
"""(drop, verdict) → rows that do not stand."""


@dataclass
class Ingested:
    """What a source's new drops brought.

    `events` are the rows that entered silver; `displaced` those that left it, because a row of an
    earlier arrival came late. Either is None if there are none.
    """

    source: SourceSpec
    drops: list[Drop] = field(default_factory=list)
    # Rows of earlier drops that stand no longer: the ledger's rows of these drops are restated.
    restated: Fallen = field(default_factory=Counter)
    events: ir.Table | None = None
    displaced: ir.Table | None = None
    reasons: Counter[str] = field(default_factory=Counter)

    def rows(self, *columns: str) -> ir.Table | None:
        """These columns of every row that came or went."""
        parts = [t.select(*columns) for t in (self.events, self.displaced) if t is not None]
        return distinct(parts) if parts else None


def distinct(parts: Sequence[ir.Table]) -> ir.Table:
    """The different rows of one or more tables of like columns."""
    return ibis.union(*parts, distinct=True) if len(parts) > 1 else parts[0].distinct()


def ingest(engine: Engine, lake: Lake, source: SourceSpec, taken: Sequence[tuple[Drop, Delivery]], *, whole: bool) -> Ingested:
    """Take drops into silver and quarantine.

    Args:
        whole: silver and quarantine of this source start anew: earlier rows are not looked at.

    Raises:
        LawBroken: a drop's rows do not balance (design §3, law 2).
    """
    done = Ingested(source)
    new, bad = f"_new_{source.name}", f"_bad_{source.name}"
    engine.values(new, source.silver, ())
    engine.values(bad, QUARANTINE, ())
    drops = {drop.drop: drop for drop, _ in taken}
    for together in _readable_together(engine, source, taken):
        raw, malformed, readings = engine.read(f"_raw_{source.name}", source, together)
        for drop, reading in ((drops[reading.drop], reading) for reading in readings):
            done.drops.append(
                replace(
                    drop,
                    status="refused" if reading.refused else "consumed",
                    reason=reading.refused,
                    records=reading.records,
                    unknown_columns=", ".join(reading.unknown_columns),
                    absent_columns=", ".join(reading.absent_columns),
                )
            )
        rows = engine.keep(f"_judged_{source.name}", judged(raw, source))
        engine.extend(new, rows.filter(rows["_ok"]).drop("_ok"))
        failing = rows.filter(~rows["_ok"]).select(DROP, LINE)
        if engine.count(failing):
            set_aside = rejected(raw.semi_join(failing, [DROP, LINE]), source)
            engine.extend(bad, _quarantined(source, set_aside, set_aside[REASONS], set_aside[TEXT]))
        engine.extend(bad, _quarantined(source, malformed, ibis.array([malformed["reason"]]), malformed["text"]))
        engine.drop(f"_judged_{source.name}", f"_raw_{source.name}", f"_raw_{source.name}_malformed")
    fallen = _settle(engine, lake, done, new, bad, whole=whole)
    _account(engine, done, fallen)
    return done


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
    events, quarantined = _by_drop(engine, done.events, DROP), _by_drop(engine, bad, "drop")
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
