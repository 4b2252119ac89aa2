"""What is said of a table and its columns, from docstrings, keys and contracts: comments in a warehouse, and more in exports."""

from __future__ import annotations

from typing import Literal

from aisle.declare.calendar import CalendarSpec
from aisle.declare.columns import Column
from aisle.declare.dimension import HOUSEKEEPING, DimensionSpec, StarColumn
from aisle.declare.fact import DegenerateSpec, FactSpec, LookupSpec, MeasureSpec
from aisle.derive.dialect import Spec

Kind = Literal["dimension", "calendar", "fact"]


def kind(spec: Spec) -> Kind:
    """What a table of a star is."""
    match spec:
        case DimensionSpec():
            return "dimension"
        case CalendarSpec():
            return "calendar"
        case FactSpec():
            return "fact"


def key(spec: Spec) -> tuple[str, ...]:
    """The columns that name one row: a fact's grain, a dimension's surrogate key, a calendar's `date_key`."""
    return spec.grain if isinstance(spec, FactSpec) else (spec.key,)


def says(spec: Spec) -> str:
    """A table's docstring, and its keys."""
    names = f"{'Grain' if isinstance(spec, FactSpec) else 'Primary key'}: {', '.join(key(spec))}."
    if isinstance(spec, DimensionSpec):
        names += f" Natural key: {', '.join(spec.natural_key)}."
    return f"{spec.doc}\n{names}".strip()


def column_says(spec: Spec, column: StarColumn) -> str:
    """What a column of a table is, and what it refers to."""
    said = column.doc
    if isinstance(spec, FactSpec):
        for lookup in spec.lookups:
            if lookup.column == column.name:
                said += f" References {lookup.dimension.table}.{lookup.dimension.key}."
    return said


def roles(spec: Spec) -> dict[str, str]:
    """What each column is to its table, by name: "natural key", "track", "grain", "lookup", "additive" and the like.

    An attribute's role is its behaviour as declared; the newest value beside one that is `current` is "newest".
    """
    match spec:
        case DimensionSpec():
            newest = {f"current_{a.name}": "newest" for a in spec.attributes if a.behaviour == "current"}
            attributes = {a.name: str(a.behaviour) for a in spec.attributes}
            keys = {spec.key: "surrogate key", **dict.fromkeys(spec.natural_key, "natural key")}
            return keys | attributes | newest | dict.fromkeys(HOUSEKEEPING, "housekeeping")
        case CalendarSpec():
            return {c.name: "key" if c.name == spec.key else "attribute" for c in spec.columns}
        case FactSpec():
            return dict(_member_role(spec, m) for m in spec.members)


def _member_role(fact: FactSpec, member: DegenerateSpec | LookupSpec | MeasureSpec) -> tuple[str, str]:
    match member:
        case DegenerateSpec(name):
            return name, "grain" if name in fact.grain else "time" if name == fact.time else "degenerate"
        case LookupSpec():
            return member.column, "lookup"
        case MeasureSpec(name, _, additivity):
            return name, additivity


def source_column(spec: Spec, column: StarColumn) -> Column | None:
    """The source's column that a column of a table shows; None for what aisle makes itself."""
    match spec:
        case FactSpec():
            return next((d.column for d in spec.degenerates if d.name == column.name), None)
        case DimensionSpec():
            shown = {k: spec.source[k] for k in spec.natural_key}
            for a in spec.attributes:
                shown[a.name] = shown[f"current_{a.name}"] = a.column
            return shown.get(column.name)
        case _:
            return None


__all__ = ["Kind", "column_says", "key", "kind", "roles", "says", "source_column"]
