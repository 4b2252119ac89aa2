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
from aisle.run.ingest import Ingested, distinct
from aisle.stages.calendar import calendar, local_year
from aisle.stages.history import inferred, moved, unknown, versions
from aisle.stages.time import LAST_YEAR

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
    touched = None
    if not whole:
        stored = engine.bind(d.table, table)
        parts = _touched(lake, d, ingested, stored)
        if not parts:
            return NOTHING, None
        touched = engine.keep(f"_touched_{d.table}", distinct(parts))
        if not engine.count(touched):
            return NOTHING, None
    events = _of(engine.bind(f"_silver_{d.source.name}", lake.silver[d.source.name]), key, touched, key)
    new = engine.keep(f"_versions_{d.table}", versions(events, d))
    new = _with_inferred(engine, lake, d, new, touched)
    if whole:
        new = engine.extend(f"_versions_{d.table}", unknown(d))
        change = engine.rewrite(table, add=new, whole=True, metadata={"step": d.table})
        engine.bind(d.table, table)
        _assert_distinct(engine, d, new)
        engine.drop(f"_versions_{d.table}")
        return change, None
    assert touched is not None
    assert stored is not None
    old = engine.keep(f"_former_{d.table}", stored.semi_join(touched, key))
    differing = new.difference(old).select(*key).union(old.difference(new).select(*key), distinct=True)
    differing = engine.keep(f"_differing_{d.table}", differing)
    if not engine.count(differing):
        return NOTHING, None
    _assert_distinct(engine, d, new, stored.anti_join(touched, key))
    gone, came = old.semi_join(differing, key), new.semi_join(differing, key)
    change = Change(engine.count(gone.difference(came)), engine.count(came.difference(gone)))
    periods = engine.keep(f"_moved_{d.table}", moved(gone, came, d))
    engine.rewrite(table, add=came, gone=differing, metadata={"step": d.table})
    engine.bind(d.table, table)
    return change, periods


def _with_inferred(engine: Engine, lake: Lake, d: DimensionSpec, new: ir.Table, touched: ir.Table | None) -> ir.Table:
    """The versions, and the members without any that facts name; of the touched keys, or of all."""
    key, silver = list(d.natural_key), lake.silver
    if touched is not None:
        # Most touched keys have events of their own: whether facts name them need not be asked of all of silver.
        touched = engine.keep(f"_eventless_{d.table}", touched.anti_join(new, key))
        if not engine.count(touched):
            return new
    referenced = [
        _of(engine.bind(f"_silver_{source.name}", silver[source.name]), list(columns), touched, key)
        .select(**dict(zip(key, columns, strict=True)))
        .drop_null(key)
        for source, columns in _references(lake, d)
    ]
    if not referenced:
        return new
    return engine.extend(f"_versions_{d.table}", inferred(distinct(referenced).anti_join(new, key), d))


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


def refresh_calendar(engine: Engine, lake: Lake, c: CalendarSpec, ingested: Mapping[str, Ingested], *, whole: bool) -> Change:
    """Make the calendar reach the last year that any fact date ever reached.

    Only what came is looked at, unless it is made anew, or rows were displaced, which may take a year back.
    """
    table = lake.gold[c.table]
    stored = engine.bind(c.table, table) if table.files and not whole else None
    places = [(fact.origin((fact.lookups[i].at,))) for fact, i in lake.star.referencing(c)]
    afresh = stored is None or any(i.displaced is not None for i in ingested.values())
    reached = c.start if afresh or stored is None else engine.rows(stored.agg(year=stored["year"].max()))[0]["year"]
    last = reached
    for source, (column,) in places:
        rows = (
            engine.bind(f"_silver_{source.name}", lake.silver[source.name])
            if afresh
            else ingested[source.name].events
            if source.name in ingested
            else None
        )
        if rows is not None:
            last = max(last, min(LAST_YEAR, _last_year(engine, rows[column], lake.star.time_zone)))
    if stored is not None and not afresh and last == reached:
        return NOTHING
    new = engine.values(f"_new_{c.table}", c.schema, calendar(c, last))
    if stored is not None and not engine.count(new.difference(stored).union(stored.difference(new))):
        return NOTHING
    return engine.rewrite(table, add=new, whole=True, metadata={"step": c.table})


def _last_year(engine: Engine, at: ir.Value, zone: str) -> int:
    """The last year, on the business's clock, of a column of times or dates; 0 if it is empty."""
    newest = engine.rows(at.as_table().agg(newest=ibis._[at.get_name()].max()))[0]["newest"]
    if newest is None:
        return 0
    return local_year(newest, zone) if at.type().is_timestamp() else int(newest.year)
