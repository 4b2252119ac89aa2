"""Facts: the rows of the lines that a run touches, made anew and put in the place of the old ones."""

from __future__ import annotations

from collections.abc import Mapping

import ibis.expr.types as ir

from aisle.declare.dimension import DimensionSpec
from aisle.declare.fact import FactSpec
from aisle.engines.port import Change, Engine
from aisle.errors import DoesNotFit, LawBroken
from aisle.lake.lake import Lake
from aisle.run.dimensions import NOTHING
from aisle.run.ingest import Ingested, distinct
from aisle.stages.conform import due, facts, newest, stranded, with_header


def refresh(
    engine: Engine,
    lake: Lake,
    f: FactSpec,
    ingested: Mapping[str, Ingested],
    moved: Mapping[str, ir.Table],
    *,
    whole: bool,
) -> tuple[Change, int]:
    """Bring a fact table up to date. Returns what changed, and how many of the lines looked at wait for their header.

    A line is touched if it came or changed, if its header did, or if it points into a period that
    moved in a dimension (`moved`, by table). Its row is made anew from silver and the dimensions.

    Raises:
        LawBroken: a line makes no row, or more than one.
    """
    line_key = list(f.lines.key)
    lines = engine.bind(f"_silver_{f.lines.name}", lake.silver[f.lines.name])
    touched = None
    if not whole:
        parts = _touched(engine, lake, f, lines, ingested, moved)
        if not parts:
            return NOTHING, 0
        touched = engine.keep(f"_touched_{f.table}", distinct(parts))
        if not engine.count(touched):
            return NOTHING, 0
        lines = engine.keep(f"_lines_{f.table}", newest(lines.semi_join(touched, line_key), f.lines))
    else:
        lines = newest(lines, f.lines)
    events = header = None
    if f.header is not None:
        events = engine.bind(f"_silver_{f.header.name}", lake.silver[f.header.name])
        events = events if whole else events.semi_join(lines, list(f.header.key))
        header = newest(events, f.header)
    dimensions = {
        lookup.dimension.table: engine.bind(lookup.dimension.table, lake.gold[lookup.dimension.table])
        for lookup in f.lookups
        if isinstance(lookup.dimension, DimensionSpec)
    }
    rows = facts(with_header(lines, header, f), dimensions, f, lake.star.time_zone)
    try:
        return _replace(engine, lake, f, lines, due(lines, events, f), rows, touched)
    except DoesNotFit as error:
        measures = ", ".join(f"{m.name} {m.type}" for m in f.measures)
        raise DoesNotFit(
            f"{error} One of its measures is larger than declared ({measures}), or its computation overflows.\n"
            "  Declare it wider, such as Sum[Annotated[Decimal, Digits(38, 2)]], or hold the source's values to bounds. "
            "The last release stands."
        ) from None


def _replace(
    engine: Engine, lake: Lake, f: FactSpec, lines: ir.Table, headed: ir.Table, rows: ir.Table, touched: ir.Table | None
) -> tuple[Change, int]:
    """Put the rows of the lines in the place of the old ones; all, if `touched` is None. `headed` are those of the lines that are due."""
    table = lake.gold[f.table]
    due_lines = engine.count(headed)
    waiting = engine.count(lines) - due_lines
    if touched is None:
        change = engine.rewrite(table, add=rows, whole=True, metadata={"step": f.table})
        _assert_each_line_once(f, due_lines, change.added)
        return change, waiting
    rows = engine.keep(f"_rows_{f.table}", rows)
    _assert_each_line_once(f, due_lines, engine.count(rows))
    gone = touched.select(**dict(zip(f.grain, f.lines.key, strict=True)))
    former = engine.bind(f.table, table).semi_join(gone, list(f.grain))
    change = Change(engine.count(former), engine.count(rows))
    engine.rewrite(table, add=rows, gone=gone, metadata={"step": f.table})
    return change, waiting


def _assert_each_line_once(f: FactSpec, due: int, made: int) -> None:
    """Law 2 for a fact: each line that lives and has its header makes one row, no more and no less."""
    if due != made:
        raise LawBroken(
            f"{f.table}: {due:,} lines are due, but {made:,} rows were made. The last release stands; please report this."
        )


def _touched(
    engine: Engine,
    lake: Lake,
    f: FactSpec,
    lines: ir.Table,
    ingested: Mapping[str, Ingested],
    moved: Mapping[str, ir.Table],
) -> list[ir.Table]:
    """The keys of the lines to make anew."""
    line_key, parts = list(f.lines.key), []
    if f.lines.name in ingested and (rows := ingested[f.lines.name].rows(*line_key)) is not None:
        parts.append(rows)
    if f.header is not None and f.header.name in ingested and (rows := ingested[f.header.name].rows(*f.header.key)) is not None:
        parts.append(lines.semi_join(rows, list(f.header.key)).select(*line_key))
    for lookup in f.lookups:
        periods = moved.get(lookup.dimension.table)
        if periods is None:
            continue
        first = engine.rows(periods.agg(since=periods["since"].min()))[0]["since"]
        if first is None:
            continue
        table = lake.gold[f.table]
        files = table.since_month(f"{first:%Y-%m}") if lookup.at == f.at else table.files
        grain = stranded(engine.bind(f"_{f.table}_{lookup.name}", table, files), periods, f, lookup)
        parts.append(grain.select(**dict(zip(line_key, f.grain, strict=True))))
    return parts
