"""A star, described: its declaration as names and words, which a release keeps and a later declaration is compared with.

Two stars of one description make equal tables of equal drops. Docstrings are not part of it, nor is how a warehouse
spreads a fact's rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from aisle.declare.calendar import CalendarSpec
from aisle.declare.columns import Column, Pattern, says
from aisle.declare.dimension import DimensionSpec
from aisle.declare.fact import DegenerateSpec, FactSpec, LookupSpec, MeasureSpec
from aisle.declare.source import SourceSpec

if TYPE_CHECKING:
    from aisle.declare.star import Star

Description = Mapping[str, Mapping[str, str]]
"""What is said, by what it is said of ("star", "source customers", "table dim_customer") and name."""

COLUMNS = "columns"
"""The name under which the order of columns, or of members, is told."""

PERSONAL = "personal"


def described(star: Star) -> dict[str, dict[str, str]]:
    """All that the star's tables depend on, besides the drops."""
    return {
        "star": {"time zone": star.time_zone},
        **{f"source {s.name}": _source(s) for s in star.sources},
        **{f"table {t.table}": _table(t) for t in star.tables},
    }


def _source(s: SourceSpec) -> dict[str, str]:
    return {
        "key": ", ".join(s.key),
        "changed_at": str(s.changed_at),
        "sequence": str(s.sequence),
        "deletes": str(s.deletes),
        "partial": str(s.partial),
        "feed": s.feed,
        "format": s.format,
        "delimiter": repr(s.delimiter),
        "time_zone": s.time_zone,
        COLUMNS: ", ".join(c.name for c in s.columns),
        **{f"column {c.name}": "; ".join(_column(c)) for c in s.columns},
    }


def _column(c: Column) -> Iterator[str]:
    """Its type, its mark if it is personal, and its contract."""
    yield c.type
    if c.personal:
        yield PERSONAL
    yield "required" if c.required else "optional"
    if c.formerly:
        yield "formerly " + ", ".join(c.formerly)
    if c.choices:
        yield "one of " + ", ".join(c.choices)
    yield from (f"{bound.means} ({bound.regex})" if isinstance(bound, Pattern) else says(bound) for bound in c.bounds)


def _table(table: DimensionSpec | CalendarSpec | FactSpec) -> dict[str, str]:
    match table:
        case DimensionSpec():
            return {
                "source": table.source.name,
                "natural key": ", ".join(table.natural_key),
                "reaches back": str(table.reaches_back),
                COLUMNS: ", ".join(a.name for a in table.attributes),
                **{f"attribute {a.name}": f"{a.behaviour} {a.column.type}" for a in table.attributes},
            }
        case CalendarSpec():
            return {"calendar": repr(table)}
        case FactSpec():
            return {
                "lines": table.lines.name,
                "header": table.header.name if table.header else "None",
                "at": table.at,
                COLUMNS: ", ".join(m.name for m in table.members),
                **{f"member {m.name}": _member(m) for m in table.members},
            }


def _member(member: DegenerateSpec | LookupSpec | MeasureSpec) -> str:
    match member:
        case DegenerateSpec(_, column, name):
            return f"degenerate {name} {column.type}"
        case LookupSpec(_, dimension, key, at):
            return f"lookup {dimension.table} by {', '.join(key) or 'day'} at {at}"
        case MeasureSpec(_, type_, additivity, expression):
            return f"{additivity} {type_} = {expression!r}"
