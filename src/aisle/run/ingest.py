"""Ingest: from delivered files to silver and quarantine: reading, contract, duplicates, conflicts, snapshots compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import ibis
import ibis.expr.types as ir

from aisle.declare.source import DROP, LINE, SourceSpec
from aisle.engines.port import Engine
from aisle.errors import LawBroken
from aisle.lake.drops import Drop
from aisle.lake.lake import Lake
from aisle.lake.quarantine import QUARANTINE
from aisle.run.read import Cleansed, cleanse, quarantined
from aisle.run.snapshots import by_drop, compare
from aisle.run.take import Taken
from aisle.stages.functions import shown_time
from aisle.stages.settle import CONFLICT, DUPLICATE, STANDS, identity, suspects, verdicts
from aisle.stages.snapshots import brought

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


def ingest(
    engine: Engine, lake: Lake, source: SourceSpec, taken: Taken, former: Sequence[Drop], *, whole: bool = False
) -> Ingested:
    """Take drops into silver and quarantine.

    Args:
        former: the earlier drops of the source that `taken` come beside. If there are none, silver is to hold what is taken, and
            nothing else: what differs from what it held before came or was displaced.
        whole: silver is written anew, whatever it held.

    Raises:
        LawBroken: a drop's rows do not balance (design §3, law 2).
    """
    done = Ingested(source)
    bad = f"_bad_{source.name}"
    engine.values(bad, QUARANTINE, ())
    new = cleanse(engine, source, taken, f"_judged_{source.name}", bad, lake.forgotten)
    done.drops = new.drops
    if source.feed == "snapshot":
        compared = compare(engine, lake, source, new, former)
        done.drops, done.events, done.displaced = compared.drops, compared.events, compared.displaced
        fallen = Counter({(drop, DUPLICATE): rows for drop, rows in compared.unchanged.items()})
    else:
        fallen = _settle(engine, lake, done, new, bad, alone=not former)
    _account(engine, done, fallen)
    silver = lake.silver[source.name]
    if silver.files and not former and not whole:
        _compare_with_what_stood(engine, done, engine.bind(f"_silver_{source.name}", silver))
    gone = None if done.displaced is None else done.displaced.select(*_place(source))
    engine.rewrite(silver, add=done.events, gone=gone, whole=whole, metadata={"step": "silver"})
    return done


def _place(source: SourceSpec) -> tuple[str, ...]:
    """What tells a row of silver from all others. A deletion that a snapshot makes, by what it has not, has no line of its own, and one
    drop may hold snapshots of several times.
    """
    if source.feed != "snapshot":
        return (DROP, LINE)
    assert source.changed_at is not None
    return (*source.key, source.changed_at, DROP, LINE)


def _compare_with_what_stood(engine: Engine, done: Ingested, stood: ir.Table) -> None:
    """Of a source that was read again: what came and what went, instead of all that it has."""
    assert done.events is not None
    name = done.source.name
    came = engine.keep(f"_new_{name}", done.events.difference(stood))
    went = engine.keep(f"_old_{name}", stood.difference(done.events))
    done.events, done.displaced = came, went if engine.count(went) else None


def _settle(engine: Engine, lake: Lake, done: Ingested, came: Cleansed, bad_name: str, *, alone: bool) -> Fallen:
    """Part the new rows, and the stored ones that share an identity, into those that stand and the others.

    Args:
        alone: nothing of what is stored is looked at.

    Returns how many rows of which drop fell, and how: stored rows too.
    """
    source, silver, fallen_rows = done.source, lake.silver[done.source.name], Counter[tuple[str, str]]()
    shared = list(identity(source))
    new = came.rows
    doubtful, pool, known = suspects(new, source), new, None
    if silver.files and not alone:
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
        shown = {c.name: shown_time(conflicts[c.name]) if c.is_time else conflicts[c.name] for c in source.columns}
        text = ibis.struct(shown).cast("json").cast("string")
        engine.extend(bad_name, quarantined(source, conflicts, ibis.array([reason]), text))
        if known is not None:
            displaced = engine.keep(f"_displaced_{source.name}", known.semi_join(fallen, [DROP, LINE]))
            done.displaced = displaced if engine.count(displaced) else None
        new = engine.keep(f"_events_{source.name}", new.anti_join(fallen, [DROP, LINE]))
        engine.drop(*came.names)
    done.events = new
    return fallen_rows


def _account(engine: Engine, done: Ingested, fallen: Fallen) -> None:
    """Law 2 for each new drop: rows delivered = rows in silver + exact duplicates + quarantined."""
    assert done.events is not None
    bad = ibis.table(QUARANTINE, name=f"_bad_{done.source.name}")
    for row in engine.rows(bad.select(reason=bad["reasons"].unnest()).group_by("reason").agg(rows=ibis._.count())):
        done.reasons[row["reason"]] = row["rows"]
    events = by_drop(engine, brought(done.events))
    set_aside = by_drop(engine, bad, "drop")
    for i, drop in enumerate(done.drops):
        name = drop.drop
        done.drops[i] = balanced = drop._replace(
            events=events[name], quarantined=set_aside[name], duplicates=fallen.pop((name, DUPLICATE), 0)
        )
        fallen.pop((name, CONFLICT), None)
        if balanced.records != balanced.events + balanced.duplicates + balanced.quarantined:
            raise LawBroken(
                f"{done.source.name}/{name} does not balance: {balanced.records} rows were delivered, but {balanced.events} are in "
                f"silver, {balanced.duplicates} are duplicates and {balanced.quarantined} in quarantine. "
                "No release is made; please report this."
            )
    done.restated = fallen
