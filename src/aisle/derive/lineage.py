"""Lineage: of which columns of the sources each column of the star is made and how, and which of these each view shows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import ibis

from aisle.declare.calendar import CalendarSpec
from aisle.declare.dimension import Attribute, DimensionSpec
from aisle.declare.fact import DegenerateSpec, FactSpec, LookupSpec, MeasureSpec
from aisle.declare.source import SourceSpec
from aisle.declare.star import Star
from aisle.derive.dialect import DUCKDB, Spec
from aisle.derive.formula import formula, uses
from aisle.derive.says import Kind, kind
from aisle.derive.views import View, ViewColumn, views

InputKind = Literal["identity", "transformation", "key", "lookup", "order", "inferred", "extent"]


@dataclass(frozen=True)
class Input:
    """A column that another one is made of: of a source (as silver has it), or, for a view, of a table of the star.

    Its kind: "identity", its value is shown as it is; "transformation", the value is computed from it; "key", it is
    hashed into a surrogate key; "lookup", by it the version is found whose value is shown; "order", it says which
    event's value is shown; "inferred", it names members that have no event of their own; "extent", it says how far a
    calendar reaches.
    """

    dataset: str
    column: str
    kind: InputKind


@dataclass(frozen=True)
class Made:
    """A column, how it is made in words or as a formula, and the columns that it is made of."""

    column: str
    how: str
    inputs: tuple[Input, ...]


@dataclass(frozen=True)
class Lineage:
    """The lineage of the columns of a table, or a view, in their order."""

    name: str
    kind: Kind | Literal["view"]
    columns: tuple[Made, ...]

    def __getitem__(self, column: str) -> Made:
        return next(made for made in self.columns if made.column == column)


def lineage(star: Star) -> tuple[Lineage, ...]:
    """The lineage of each table of a star, in its order, then of each view of the warehouse.

    Raises:
        DeclarationError: two columns of a view would have one name.
    """
    return (
        *(Lineage(t.table, kind(t), _table(star, t)) for t in star.tables),
        *(Lineage(v.name, "view", tuple(_shown(v, c) for c in v.columns)) for v in views(star, DUCKDB)),
    )


def _table(star: Star, spec: Spec) -> tuple[Made, ...]:
    match spec:
        case DimensionSpec():
            return _dimension(star, spec)
        case CalendarSpec():
            return _calendar(star, spec)
        case FactSpec():
            return _fact(star, spec)


def _inputs(source: SourceSpec, columns: Iterable[str], kind: InputKind) -> tuple[Input, ...]:
    return tuple(Input(source.name, c, kind) for c in columns)


def _time(source: SourceSpec) -> tuple[str, ...]:
    return () if source.changed_at is None else (source.changed_at,)


def _named(star: Star, dimension: DimensionSpec) -> tuple[tuple[Input, ...], ...]:
    """The columns in which facts name a member, for each column of its natural key."""
    found: list[dict[Input, None]] = [{} for _ in dimension.natural_key]
    for fact, i in star.referencing(dimension):
        source, columns = fact.origin(fact.lookups[i].key)
        for named, column in zip(found, columns, strict=True):
            named[Input(source.name, column, "inferred")] = None
    return tuple(map(tuple, found))


def _surrogate(dimension: DimensionSpec) -> tuple[Input, ...]:
    return _inputs(dimension.source, (*dimension.natural_key, *_time(dimension.source)), "key")


def _dimension(star: Star, d: DimensionSpec) -> tuple[Made, ...]:
    named = _named(star, d)
    every = tuple(dict.fromkeys(i for those in named for i in those))
    keys = (
        Made(k, "natural key", (*_inputs(d.source, [k], "identity"), *those))
        for k, those in zip(d.natural_key, named, strict=True)
    )
    attributes = (made for a in d.attributes for made in _attribute(d.source, a))
    time = _inputs(d.source, _time(d.source), "transformation")
    since = "time of the change" + ("; the first version reaches back to 1900-01-01" if d.reaches_back else "")
    return (
        Made(d.key, "hash of natural key and time", (*_surrogate(d), *every)),
        *keys,
        *attributes,
        Made("valid_from", since if time else "1900-01-01", time),
        Made("valid_to", "time of the next version" if time else "9999-12-31", time),
        Made("is_current", "whether no version follows", time),
        _deleted(d.source),
        Made("is_inferred", "whether facts alone name it", (*_inputs(d.source, d.natural_key, "transformation"), *every)),
        Made("version", "number within the member, by time", time),
    )


def _attribute(source: SourceSpec, a: Attribute) -> Iterable[Made]:
    value = _inputs(source, [a.name], "identity")
    chosen = (*value, *_inputs(source, (c for c in (source.changed_at, source.sequence) if c is not None), "order"))
    match a.behaviour:
        case "track":
            yield Made(a.name, "tracked", value)
        case "current":
            yield Made(a.name, "tracked", value)
            yield Made(f"current_{a.name}", "newest value", chosen)
        case "overwrite":
            yield Made(a.name, "newest value", chosen)
        case "original":
            yield Made(a.name, "first value", chosen)


def _deleted(source: SourceSpec) -> Made:
    how, columns = list[str](), list[str]()
    if source.deletes is not None:
        how.append(formula(source.deletes))
        columns += uses(source.deletes, source.schema)
    if source.feed == "snapshot":
        how.append("absence from the next snapshot")
        columns += (*source.key, *_time(source))
    return Made("is_deleted", ", or ".join(how) or "never", _inputs(source, dict.fromkeys(columns), "transformation"))


def _calendar(star: Star, c: CalendarSpec) -> tuple[Made, ...]:
    times: dict[Input, None] = {}
    for fact, i in star.referencing(c):
        source, columns = fact.origin((fact.lookups[i].at,))
        times |= dict.fromkeys(_inputs(source, columns, "extent"))
    how = f"of each day from {c.start} to the last year that a fact reached"
    return tuple(Made(column.name, how, tuple(times)) for column in c.columns)


def _fact(star: Star, f: FactSpec) -> tuple[Made, ...]:
    measures = _measures(f)
    out = []
    for member in f.members:
        match member:
            case DegenerateSpec(name, _, joined):
                source, columns = f.origin((joined,))
                out.append(Made(name, f"copied from {source.name}", _inputs(source, columns, "identity")))
            case LookupSpec():
                out.append(_lookup(star, f, member))
            case MeasureSpec(name):
                out.append(measures[name])
    return tuple(out)


def _lookup(star: Star, f: FactSpec, lookup: LookupSpec) -> Made:
    at_source, at = f.origin((lookup.at,))
    if isinstance(lookup.dimension, CalendarSpec):
        zoned = f" in {star.time_zone}" if f.joined[lookup.at].is_timestamp() else ""
        return Made(lookup.column, f"day of {lookup.at}{zoned}", _inputs(at_source, at, "transformation"))
    source, key = f.origin(lookup.key)
    how = f"version of {lookup.dimension.table} valid at {lookup.at}, by {', '.join(lookup.key)}"
    by = (*_inputs(source, key, "lookup"), *_inputs(at_source, at, "lookup"))
    return Made(lookup.column, how, (*by, *_surrogate(lookup.dimension)))


def _measures(f: FactSpec) -> dict[str, Made]:
    """The measures, down to the columns of line and header: those that use measures above them too."""
    types, origins = dict(f.joined.items()), {name: _joined(f, name) for name in f.joined}
    out = {}
    for m in f.measures:
        how, used = formula(m.expression), uses(m.expression, ibis.schema(types))
        inputs = tuple(dict.fromkeys(i for name in used for i in origins[name]))
        if not (how in used and types[how] == ibis.dtype(m.type)):
            inputs = tuple(dict.fromkeys(Input(i.dataset, i.column, "transformation") for i in inputs))
        out[m.name] = Made(m.name, how, inputs)
        types[m.name], origins[m.name] = ibis.dtype(m.type), inputs
    return out


def _joined(f: FactSpec, name: str) -> tuple[Input, ...]:
    source, columns = f.origin((name,))
    return _inputs(source, columns, "identity")


def _shown(view: View, column: ViewColumn) -> Made:
    lookup = column.lookup
    if lookup is None:
        how = "of the current version" if view.name == f"{view.of}_current" else "of the fact itself"
        return Made(column.name, how, (Input(view.of, column.shows.name, "identity"),))
    there = lookup.dimension
    shown = (Input(there.table, column.shows.name, "identity"), Input(view.of, lookup.column, "lookup"))
    if isinstance(there, CalendarSpec):
        return Made(column.name, f"of the day that {lookup.column} points to", shown)
    if view.name == f"{view.of}_as_was":
        return Made(column.name, f"of the version that {lookup.column} points to", shown)
    current = tuple(Input(there.table, c, "lookup") for c in (*there.natural_key, "is_current"))
    return Made(column.name, f"of the current version of the member that {lookup.column} points to", (*shown, *current))


__all__ = ["Input", "InputKind", "Lineage", "Made", "lineage"]
