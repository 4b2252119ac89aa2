"""Conform: from lines and headers to facts that point to the version of their time (design §5)."""

from __future__ import annotations

from collections.abc import Mapping

import ibis
import ibis.expr.types as ir

from aisle.declare.calendar import CalendarSpec
from aisle.declare.expressions import evaluated
from aisle.declare.fact import DegenerateSpec, FactSpec, LookupSpec, MeasureSpec
from aisle.declare.source import DELETED, SourceSpec
from aisle.stages.functions import day_number, local_date, nearest, rounded
from aisle.stages.history import UNKNOWN, after_images
from aisle.stages.time import LAST_YEAR


def newest(events: ir.Table, source: SourceSpec) -> ir.Table:
    """The newest event of each key, if it lives. `events` must hold all events of each key."""
    events = after_images(events, source)
    if source.changed_at is not None:
        last_first = [ibis.desc(c) for c in source.order]
        ranked = events.mutate(_rank=ibis.row_number().over(group_by=list(source.key), order_by=last_first))
        events = ranked.filter(ranked["_rank"] == 0)
    if source.has_deletions:
        events = events.filter(~events[DELETED])
    return events.select(*[c.name for c in source.columns])


def with_header(lines: ir.Table, header: ir.Table | None, f: FactSpec) -> ir.Table:
    """The lines whose header is here, with its columns; the others wait. So does one whose time no partial change has brought yet."""
    if header is None or f.header is None:
        return _timed(lines, f)
    renamed = header.select(
        *[header[k].name(f"_header_{k}") for k in f.header.key],
        *[header[name].name(joined) for joined, name in f.header_columns.items()],
    )
    both = lines.inner_join(renamed, [lines[k] == renamed[f"_header_{k}"] for k in f.header.key])
    return _timed(both.drop(*[f"_header_{k}" for k in f.header.key]), f)


def due(lines: ir.Table, events: ir.Table | None, f: FactSpec) -> ir.Table:
    """The lines that are to be facts, as `with_header` has them, for who only counts: of the header's events no more is asked than needed."""
    if events is None or f.header is None:
        return _timed(lines, f)
    if any(s.partial for s in f.sources):
        return with_header(lines, newest(events, f.header), f)
    living = newest(events, f.header) if f.header.has_deletions else events
    return lines.semi_join(living, list(f.header.key))


def _timed(rows: ir.Table, f: FactSpec) -> ir.Table:
    return rows.drop_null([f.at]) if any(s.partial for s in f.sources) else rows


def facts(lines: ir.Table, dimensions: Mapping[str, ir.Table], f: FactSpec, time_zone: str) -> ir.Table:
    """The fact rows of lines joined to their header. `dimensions` are whole, by table name."""
    rows = lines
    for i, lookup in enumerate(f.lookups):
        rows = _look_up(rows, f"_key_{i}", lookup, dimensions, time_zone)
    # Set apart, as a measure may have the name of a line's column.
    rows = rows.mutate(**{f"_degenerate_{i}": rows[d.input] for i, d in enumerate(f.degenerates)})
    degenerates = {d.name: f"_degenerate_{i}" for i, d in enumerate(f.degenerates)}
    for measure in f.measures:
        rows = rows.mutate(**{measure.name: half_up(evaluated(measure.expression, rows), measure.type)})
    keys = {lookup.name: f"_key_{i}" for i, lookup in enumerate(f.lookups)}
    out = []
    for member in f.members:
        match member:
            case DegenerateSpec(name):
                out.append(rows[degenerates[name]].name(name))
            case LookupSpec(name):
                out.append(rows[keys[name]].cast("int64").name(member.column))
            case MeasureSpec(name):
                out.append(rows[name])
    return rows.select(*out)


def half_up(value: ir.NumericValue, type_: str) -> ir.NumericValue:
    """A number in a measure's type, rounded half away from zero at its scale (design §5).

    The cast always stands in the SQL: the engines' decimals are wider than the types Ibis infers, by which
    it would leave the cast out. Rounding comes first, since a cast that also rounds takes DuckDB three times as long.
    """
    wanted = ibis.dtype(type_)
    scale = wanted.scale if wanted.is_decimal() else 0
    if value.type().is_decimal():
        value = rounded(value, scale)
    elif value.type().is_floating() and not wanted.is_floating():
        value = nearest(value, scale)
    return ibis.expr.operations.Cast(value, to=wanted).to_expr()


def _look_up(rows: ir.Table, out: str, lookup: LookupSpec, dimensions: Mapping[str, ir.Table], time_zone: str) -> ir.Table:
    at = rows[lookup.at]
    if isinstance(lookup.dimension, CalendarSpec):
        day = at if at.type().is_date() else local_date(at, time_zone)
        rows = rows.mutate(**{out: day_number(day)})
        known = rows[out].between(lookup.dimension.start * 10_000, LAST_YEAR * 10_000 + 1231)
        return rows.mutate(**{out: ibis.ifelse(known, rows[out], UNKNOWN)})
    d = lookup.dimension
    whole = dimensions[d.table]
    versions = whole.select(
        whole[d.key].name(out),
        *[whole[k].name(f"{out}_{i}") for i, k in enumerate(d.natural_key)],
        whole["valid_from"].name(f"{out}_from"),
        whole["valid_to"].name(f"{out}_to"),
    )
    met = [rows[mine] == versions[f"{out}_{i}"] for i, mine in enumerate(lookup.key)]
    joined = rows.left_join(versions, [*met, at >= versions[f"{out}_from"], at < versions[f"{out}_to"]])
    joined = joined.mutate(**{out: joined[out].fill_null(UNKNOWN)})
    return joined.drop(f"{out}_from", f"{out}_to", *[f"{out}_{i}" for i in range(len(lookup.key))])


def stranded(fact: ir.Table, moved: ir.Table, f: FactSpec, lookup: LookupSpec) -> ir.Table:
    """The grain of the fact rows that point, by one lookup, into a period that moved."""
    on = [fact[lookup.column] == moved["old_key"]]
    if lookup.at == f.at:
        on += [fact[f.time] >= moved["since"], fact[f.time] < moved["until"]]
    return fact.semi_join(moved, on).select(*f.grain)
