"""The views of a star: facts beside their dimensions as they were and as they are, and each dimension's present.

All of it once more for readers: the star's tables and views under their names, without the personal columns.

How a dimension's column is named in a fact's view: `<lookup>_<column>`, so that two roles of one
dimension stand apart (`order_date_year`, `shipped_year`). What would say the same word twice says it once, if
that name is free: `customer.customer_id` is `customer_id`, not `customer_customer_id`, and
`order_date.date` is `order_date`. A name that still stands twice is refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from aisle.declare.calendar import CalendarSpec
from aisle.declare.dimension import HOUSEKEEPING, DimensionSpec, StarColumn
from aisle.declare.fact import FactSpec, LookupSpec
from aisle.declare.star import Star
from aisle.derive.dialect import DUCKDB, Dialect, Spec
from aisle.derive.says import column_says, says
from aisle.errors import DeclarationError

Tense = Literal["as_was", "as_is"]

_DOCS: dict[Tense, str] = {
    "as_was": "{table} beside its dimensions as they were at the time of each lookup.",
    "as_is": "{table} beside its dimensions as they are now: the current version of each natural key.",
}


@dataclass(frozen=True)
class ViewColumn:
    """A column of a view: its name, and the relation and column that it shows.

    `lookup` is the fact's lookup that leads there; None for a column of the view's own table.
    """

    name: str
    lookup: LookupSpec | None
    shows: StarColumn

    @property
    def doc(self) -> str:
        return self.shows.doc if self.lookup is None else f"{self.lookup.dimension.table}.{self.shows.name}: {self.shows.doc}"


@dataclass(frozen=True)
class View:
    """A view: its name, the table whose rows it shows, what it says, and the query that it stands for."""

    name: str
    of: str
    doc: str
    columns: tuple[ViewColumn, ...]
    query: str


def views(star: Star, dialect: Dialect) -> tuple[View, ...]:
    """All views of a star, in the order of its tables.

    Raises:
        DeclarationError: two columns of a view would have one name.
    """
    return (
        *(_current(star, d, dialect) for d in star.dimensions),
        *(_joined(star, f, tense, dialect) for f in star.facts for tense in _DOCS),
    )


def reader_views(star: Star, dialect: Dialect) -> tuple[View, ...]:
    """What readers see: each table and each view of a star, under its name, without its personal columns.

    A column has the name that it has in the star, whatever is left out beside it. These views read the
    star's tables, not its views, so that either can be made anew without the other.

    Raises:
        DeclarationError: two columns of a view would have one name.
    """
    return (
        *(_table_shown(star, spec, dialect, personal=False) for spec in star.tables),
        *(_current(star, d, dialect, personal=False) for d in star.dimensions),
        *(_joined(star, f, tense, dialect, personal=False) for f in star.facts for tense in _DOCS),
    )


def relations(star: Star, dialect: Dialect, *, personal: bool) -> tuple[View, ...]:
    """All that a star's schema shows, or that of its readers: each table, as if it were a view of itself, and each view.

    Raises:
        DeclarationError: two columns of a view would have one name.
    """
    if not personal:
        return reader_views(star, dialect)
    return (*(_table_shown(star, spec, dialect, personal=True) for spec in star.tables), *views(star, dialect))


def personal_columns(star: Star) -> Mapping[str, tuple[str, ...]]:
    """The personal columns of a star's tables and views, by these: those that have some."""
    columns: dict[str, list[tuple[str, StarColumn]]] = {s.table: [(c.name, c) for c in s.columns] for s in star.tables}
    columns |= {v.name: [(c.name, c.shows) for c in v.columns] for v in views(star, DUCKDB)}
    personal = {name: tuple(n for n, c in shown if c.personal) for name, shown in columns.items()}
    return {name: left_out for name, left_out in personal.items() if left_out}


def view_columns(fact: FactSpec) -> tuple[ViewColumn, ...]:
    """The columns of a fact's views: the fact's own, each lookup's in the place of its key.

    Left out are surrogate keys and the dimension's housekeeping: they tell an analyst nothing.

    Raises:
        DeclarationError: two of them would have one name.
    """
    lookups = {lookup.column: lookup for lookup in fact.lookups}
    shown: list[tuple[LookupSpec | None, StarColumn]] = []
    for column in fact.columns:
        lookup = lookups.get(column.name)
        shown += [(None, column)] if lookup is None else [(lookup, c) for c in _telling(lookup)]
    whole = [c.name if lookup is None else f"{lookup.name}_{c.name}" for lookup, c in shown]
    short = [w if lookup is None else _short(lookup.name, c.name) for w, (lookup, c) in zip(whole, shown, strict=True)]
    # A short name is free if no other column has it, neither as its whole name nor as its short one.
    wanted = Counter(n for w, s in zip(whole, short, strict=True) for n in {w.casefold(), s.casefold()})
    names = [s if wanted[s.casefold()] == 1 else w for w, s in zip(whole, short, strict=True)]
    taken = Counter(n.casefold() for n in names)
    for name, (lookup, column) in zip(names, shown, strict=True):
        if lookup is not None and taken[name.casefold()] > 1:
            raise DeclarationError(
                f"{fact.table}.{lookup.name}",
                f"{lookup.dimension.table}.{column.name} would be a second column {name!r} in {fact.table}_as_was",
                "Rename the lookup, or the fact's column.",
            )
    return tuple(ViewColumn(n, lookup, c) for n, (lookup, c) in zip(names, shown, strict=True))


def _telling(lookup: LookupSpec) -> Iterator[StarColumn]:
    dimension = lookup.dimension
    hidden = {dimension.key, *(() if isinstance(dimension, CalendarSpec) else HOUSEKEEPING)}
    return (c for c in dimension.columns if c.name not in hidden)


def _short(lookup: str, column: str) -> str:
    if column == lookup or column.startswith(f"{lookup}_"):
        return column
    return lookup if lookup.endswith(f"_{column}") else f"{lookup}_{column}"


def _table(star: Star, table: str, dialect: Dialect, *, within: bool) -> str:
    """A table's name in a view, which stands in the star's own schema or not."""
    return dialect.identifier(table) if within and dialect.views_find_their_schema else dialect.identifier(star.name, table)


def _shown(columns: Iterable[ViewColumn], *, personal: bool) -> tuple[ViewColumn, ...]:
    return tuple(c for c in columns if personal or not c.shows.personal)


def _table_shown(star: Star, spec: Spec, dialect: Dialect, *, personal: bool) -> View:
    every = tuple(ViewColumn(c.name, None, replace(c, doc=column_says(spec, c))) for c in spec.columns)
    columns = _shown(every, personal=personal)
    listed = ", ".join(dialect.identifier(c.name) for c in columns)
    query = f"SELECT {listed}\nFROM {_table(star, spec.table, dialect, within=False)}"
    return View(spec.table, spec.table, _without(says(spec), every, columns), columns, query)


def _current(star: Star, dimension: DimensionSpec, dialect: Dialect, *, personal: bool = True) -> View:
    every = tuple(ViewColumn(c.name, None, c) for c in dimension.columns)
    columns = _shown(every, personal=personal)
    listed = ", ".join(dialect.identifier(c.name) for c in columns)
    table = _table(star, dimension.table, dialect, within=personal)
    query = f"SELECT {listed}\nFROM {table}\nWHERE {dialect.identifier('is_current')}"
    doc = f"The current version of each {dimension.name}, deleted ones and the unknown one included."
    return View(f"{dimension.table}_current", dimension.table, _without(doc, every, columns), columns, query)


def _joined(star: Star, fact: FactSpec, tense: Tense, dialect: Dialect, *, personal: bool = True) -> View:
    # No column, and so no lookup, begins with _ (declare.classes): these aliases are free.
    name, every = dialect.identifier, view_columns(fact)
    columns = _shown(every, personal=personal)
    listed = [f"{name('_fact' if c.lookup is None else c.lookup.name, c.shows.name)} AS {name(c.name)}" for c in columns]
    joins = []
    for lookup in fact.lookups:
        dimension, was = lookup.dimension, f"_was_{lookup.name}"
        table = _table(star, dimension.table, dialect, within=personal)
        # LEFT: no row of a fact is hidden, whatever became of a dimension in the warehouse.
        now = tense == "as_is" and isinstance(dimension, DimensionSpec)
        direct = was if now else lookup.name
        joins.append(f"LEFT JOIN {table} AS {name(direct)} ON {name('_fact', lookup.column)} = {name(direct, dimension.key)}")
        if now and isinstance(dimension, DimensionSpec):
            # Null-safe, so that the unknown member, which has no natural key, finds itself.
            met = [dialect.equal(name(lookup.name, k), name(was, k)) for k in dimension.natural_key]
            joins.append(f"LEFT JOIN {table} AS {name(lookup.name)} ON {' AND '.join([name(lookup.name, 'is_current'), *met])}")
    rows = f"FROM {_table(star, fact.table, dialect, within=personal)} AS {name('_fact')}"
    query = "\n".join(["SELECT\n    " + ",\n    ".join(listed), rows, *joins])
    doc = f"{fact.doc}\n{_DOCS[tense].format(table=fact.table)}".strip()
    return View(f"{fact.table}_{tense}", fact.table, _without(doc, every, columns), columns, query)


def _without(doc: str, every: Iterable[ViewColumn], shown: Iterable[ViewColumn]) -> str:
    there = {c.name for c in shown}
    left_out = [c.name for c in every if c.name not in there]
    return f"{doc}\nWithout its personal data: {', '.join(left_out)}." if left_out else doc


__all__ = ["View", "ViewColumn", "personal_columns", "reader_views", "relations", "view_columns", "views"]
