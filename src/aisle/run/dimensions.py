"""Dimensions: new versions for the members that a run's rows touch, and what that moves."""

from __future__ import annotations

from collections.abc import Mapping

import ibis
import ibis.expr.types as ir

from aisle.declare.calendar import CalendarSpec
from aisle.declare.dimension import DimensionSpec
from aisle.declare.source import SourceSpec
from aisle.engines.port import Change, Engine
from aisle.errors import LawBroken
from aisle.lake.lake import Lake
from aisle.run.ingest import Ingested
from aisle.stages.calendar import calendar, local_year
from aisle.stages.history import inferred, moved, unknown, versions

NOTHING = Change(0, 0)


def refresh(
    engine: Engine, lake: Lake, d: DimensionSpec, ingested: Mapping[str, Ingested], *, whole: bool
) -> tuple[Change, ir.Table | None]:
    """Bring a dimension up to date. Returns what changed, and the periods that moved (`stages.history.moved`).

    Args:
        whole: make it anew from all of silver; then nothing is said to have moved.

    Raises:
        LawBroken: two versions have one surrogate key.
    """
    table, key = lake.gold[d.table], list(d.natural_key)
    stored = engine.bind(d.table, table)
    touched = None
    if not whole:
        parts = _touched(lake, d, ingested, stored)
        if not parts:
            return NOTHING, None
        touched = engine.keep(f"touched_{d.name}", ibis.union(*parts, distinct=True) if len(parts) > 1 else parts[0].distinct())
        if not engine.count(touched):
            return NOTHING, None
    events = _of(engine.bind(f"silver_{d.source.name}", lake.silver[d.source.name]), key, touched, key)
    new = engine.keep(f"versions_{d.name}", versions(events, d))
    referenced = [
        _of(engine.bind(f"silver_{source.name}", lake.silver[source.name]), list(columns), touched, key)
        .select(**dict(zip(key, columns, strict=True)))
        .drop_null(key)
        for source, columns in _references(lake, d)
    ]
    if referenced:
        named = ibis.union(*referenced, distinct=True) if len(referenced) > 1 else referenced[0].distinct()
        new = engine.extend(f"versions_{d.name}", inferred(named.anti_join(new, key), d))
    if whole:
        new = engine.extend(f"versions_{d.name}", unknown(d))
        change = engine.rewrite(table, add=new, whole=True, metadata={"step": d.table})
        engine.bind(d.table, table)
        _assert_distinct(engine, d, new)
        engine.drop(f"versions_{d.name}")
        return change, None
    assert touched is not None
    old = engine.keep(f"former_{d.name}", stored.semi_join(touched, key))
    differing = new.difference(old).select(*key).union(old.difference(new).select(*key), distinct=True)
    differing = engine.keep(f"differing_{d.name}", differing)
    if not engine.count(differing):
        return NOTHING, None
    _assert_distinct(engine, d, new, stored.anti_join(touched, key))
    gone, came = old.semi_join(differing, key), new.semi_join(differing, key)
    change = Change(engine.count(gone.difference(came)), engine.count(came.difference(gone)))
    periods = engine.keep(f"moved_{d.name}", moved(gone, came, d))
    engine.rewrite(table, add=came, gone=differing, metadata={"step": d.table})
    engine.bind(d.table, table)
    return change, periods


def _touched(lake: Lake, d: DimensionSpec, ingested: Mapping[str, Ingested], stored: ir.Table) -> list[ir.Table]:
    """The natural keys that this run's rows may change: of its own events, and of facts that name an unheard-of member."""
    key = list(d.natural_key)
    parts = []
    own = ingested.get(d.source.name)
    if own is not None and (rows := own.rows(*key)) is not None:
        parts.append(rows)
    for source, columns in _references(lake, d):
        came = ingested.get(source.name)
        if came is None:
            continue
        for rows, known_too in ((came.events, False), (came.displaced, True)):
            if rows is None:
                continue
            named = rows.select(**dict(zip(key, columns, strict=True))).drop_null(key)
            parts.append(named if known_too else named.anti_join(stored, key))
    return parts


def _references(lake: Lake, d: DimensionSpec) -> list[tuple[SourceSpec, tuple[str, ...]]]:
    """The columns, by source, in which facts name a member of the dimension."""
    found: dict[tuple[SourceSpec, tuple[str, ...]], None] = {}
    for fact, i in lake.star.referencing(d):
        source, columns = fact.origin(fact.lookups[i].key)
        found.setdefault((source, columns))
    return list(found)


def _of(silver: ir.Table, columns: list[str], touched: ir.Table | None, key: list[str]) -> ir.Table:
    """The rows of silver whose `columns` are touched keys; all, if `touched` is None."""
    if touched is None:
        return silver
    return silver.semi_join(touched, [silver[c] == touched[k] for c, k in zip(columns, key, strict=True)])


def _assert_distinct(engine: Engine, d: DimensionSpec, new: ir.Table, others: ir.Table | None = None) -> None:
    """Surrogate keys are hashes: two equal ones would mix up two members, so they stop the run."""
    twice = new.group_by(d.key).having(ibis._.count() > 1).agg().select(d.key)
    if others is not None:
        twice = twice.union(new.semi_join(others, d.key).select(d.key))
    if clash := engine.rows(twice.limit(1)):
        raise LawBroken(
            f"{d.table}: two versions have the surrogate key {clash[0][d.key]}. Rename the dimension (name=…), so that its keys "
            "are hashed anew. The last release stands."
        )


def refresh_calendar(engine: Engine, lake: Lake, c: CalendarSpec, *, whole: bool) -> Change:
    """Make the calendar reach the last year that any fact date ever reached."""
    table = lake.gold[c.table]
    last = c.start
    for fact, i in lake.star.referencing(c):
        source, (column,) = fact.origin((fact.lookups[i].at,))
        silver = engine.bind(f"silver_{source.name}", lake.silver[source.name])
        day = silver[column]
        newest = engine.rows(silver.agg(newest=day.cast("timestamp('UTC', 6)").max() if day.type().is_date() else day.max()))[0][
            "newest"
        ]
        if newest is not None:
            last = max(last, local_year(newest, lake.star.time_zone if not day.type().is_date() else "UTC"))
    new = engine.values(f"new_{c.table}", c.schema, calendar(c, last))
    stored = engine.bind(c.table, table)
    if not whole and table.files and not engine.count(new.difference(stored).union(stored.difference(new))):
        return NOTHING
    return engine.rewrite(table, add=new, whole=True, metadata={"step": c.table})
