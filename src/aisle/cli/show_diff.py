"""What `aisle diff` says to a person."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

import click

from aisle.cli.table import small, table, terminal_width
from aisle.steward.diff import KINDS, Difference, Sample, TableDifference
from aisle.words import count, n

if TYPE_CHECKING:
    from aisle.declare.star import Star


def difference(found: Difference, star: Star) -> str:
    """How two releases differ: the numbers, the measures, the first rows."""
    pair = f"from release {found.before} to release {found.after}"
    unknown = [f"{name} differs too, which the star does not declare any more: it is not compared." for name in found.unknown]
    if not found.tables:
        return "\n".join([*unknown, f"No row of the star differs {pair}."])
    versioned = {d.table for d in star.dimensions}
    rows = [(t.table, n(t.added), n(t.ended) if t.table in versioned else "-", n(t.changed), n(t.removed)) for t in found.tables]
    lines = [click.style("What changed", bold=True) + f" {pair}:", "", small(("table", *KINDS), rows)]
    for each in found.tables:
        lines += _columns(each)
    for each in found.tables:
        lines += _measures(each, totals=found.totals)
    for each in found.tables:
        lines += _samples(each)
    return "\n".join([*lines, *(["", *unknown] if unknown else [])])


def _columns(of: TableDifference) -> Iterator[str]:
    told = {
        "came, and is not compared": of.columns_added,
        "went": of.columns_removed,
        "has another type, and is not compared": of.columns_retyped,
    }
    for what, columns in told.items():
        yield from (f"  {of.table}: the column {column} {what}." for column in columns)
    if not of.comparable:
        yield f"  {of.table}: its key is another one, so its rows cannot be told apart: all were removed, and added."


def _measures(of: TableDifference, *, totals: bool) -> Iterator[str]:
    if of.measures:
        rows = [(m.measure, _sum(m.before), _sum(m.after), _sum(m.difference, signed=True)) for m in of.measures]
        over = "all its rows" if totals else "its rows that differ"
        yield from ("", f"The measures of {of.table}, summed over {over}:", "")
        yield small(("measure", "before", "after", "difference"), rows)


def _samples(of: TableDifference) -> Iterator[str]:
    for kind in KINDS:
        if samples := [s for s in of.samples if s.kind == kind]:
            every = getattr(of, kind)
            shown = f"{count(every, 'row')}" if len(samples) == every else f"{len(samples)} of {count(every, 'row')}"
            yield from ("", f"{of.table}, {kind}: {shown}", "")
            yield _whole(samples) if kind in ("added", "removed") else _changes(samples)


def _whole(samples: list[Sample]) -> str:
    rows = [s.key | s.before | s.after for s in samples]
    return table(list(rows[0]), [list(row.values()) for row in rows], width=terminal_width())


def _changes(samples: list[Sample]) -> str:
    """A line for each value that changed."""
    rows = [[*s.key.values(), column, s.before[column], s.after[column]] for s in samples for column in s.before]
    return table([*samples[0].key, "column", "before", "after"], rows, width=terminal_width())


def _sum(value: int | Decimal, *, signed: bool = False) -> str:
    return f"{value:+,}" if signed and value else f"{value:,}"
