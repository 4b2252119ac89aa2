"""The statements that make a star in a warehouse: schema, tables, views, and comments from docstrings."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator

from aisle.declare.calendar import CalendarSpec
from aisle.declare.dimension import DimensionSpec, StarColumn
from aisle.declare.fact import FactSpec
from aisle.declare.star import Star
from aisle.derive.dialect import Dialect
from aisle.derive.views import views
from aisle.errors import DeclarationError

Spec = DimensionSpec | CalendarSpec | FactSpec

RELEASE_TABLE = "aisle_release"
"""The table of a star's schema that says which release is loaded; no table of a star may have its name."""


def key(spec: Spec) -> tuple[str, ...]:
    """The columns that name one row: a fact's grain, a dimension's surrogate key, a calendar's `date_key`."""
    return spec.grain if isinstance(spec, FactSpec) else (spec.key,)


def ddl(star: Star, dialect: Dialect) -> tuple[str, ...]:
    """All statements, in the order to run them, in an empty warehouse.

    Raises:
        DeclarationError: two relations, or two columns of one, would have one name. Names that
            differ only in case are one name: so most warehouses have it.
    """
    tables = [create_table(star, spec, dialect) for spec in star.tables]
    return (create_schema(star, dialect), *tables, *dress(star, dialect))


def fingerprint(star: Star, dialect: Dialect) -> str:
    """A digest of all statements: it changes too when only a docstring did."""
    return _digest(ddl(star, dialect))


def structure(star: Star, dialect: Dialect) -> str:
    """A digest of the statements that make tables and views: what rows stand in, without what is said of it."""
    return _digest([*(create_table(star, spec, dialect) for spec in star.tables), *(v.query for v in views(star, dialect))])


def _digest(statements: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(statements).encode()).hexdigest()[:16]


def create_schema(star: Star, dialect: Dialect) -> str:
    return f"CREATE SCHEMA IF NOT EXISTS {dialect.identifier(star.name)}"


def create_table(star: Star, spec: Spec, dialect: Dialect, name: str | None = None) -> str:
    """CREATE TABLE, with the columns in the order of the data files; under another name, if one is given.

    It declares NOT NULL, and no keys. DuckDB would enforce a key by an index: on a fact of 5 million
    rows that was measured as three times the load's time and three times the file, and a row
    deleted and inserted again in one transaction, as each load does, would be refused
    ("Over-eager constraint checking", DuckDB manual, Indexes). The lake has proved the keys (law 7)
    before there was a release to load; here they stand in comments, where people and tools read them.
    """
    columns = [
        f"    {dialect.identifier(c.name)} {dialect.type(c.type)}{'' if c.nullable else ' NOT NULL'}" for c in spec.columns
    ]
    return f"CREATE TABLE {dialect.identifier(star.name, name or spec.table)} (\n" + ",\n".join(columns) + "\n)"


def create_temporary(name: str, spec: Spec, dialect: Dialect) -> str:
    """A temporary table with a table's columns, for rows on their way."""
    columns = ", ".join(f"{dialect.identifier(c.name)} {dialect.type(c.type)}" for c in spec.columns)
    return f"CREATE TEMPORARY TABLE {dialect.identifier(name)} ({columns})"


def dress(star: Star, dialect: Dialect) -> tuple[str, ...]:
    """Views and comments: what can be made again over tables that stand.

    Raises:
        DeclarationError: two relations, or two columns of a view, would have one name.
    """
    made = views(star, dialect)
    taken = Counter(n.casefold() for n in (*(s.table for s in star.tables), *(v.name for v in made), RELEASE_TABLE))
    for spec in star.tables:
        if taken[spec.table.casefold()] > 1:
            raise DeclarationError(
                spec.table, "another table, or a view that aisle makes, has its name in the warehouse", 'Give it name="…".'
            )
    create = [f"CREATE OR REPLACE VIEW {dialect.identifier(star.name, v.name)} AS\n{v.query}" for v in made]
    return (*create, *_comments(star, dialect))


def _comments(star: Star, dialect: Dialect) -> Iterator[str]:
    for spec in star.tables:
        yield _comment("TABLE", _says(spec), dialect, star.name, spec.table)
        for c in spec.columns:
            yield _comment("COLUMN", _column_says(spec, c), dialect, star.name, spec.table, c.name)
    for view in views(star, dialect):
        yield _comment("VIEW", view.doc, dialect, star.name, view.name)
        for v in view.columns:
            yield _comment("COLUMN", _marked(v.doc, v.shows), dialect, star.name, view.name, v.name)


def _comment(kind: str, text: str, dialect: Dialect, *name: str) -> str:
    return f"COMMENT ON {kind} {dialect.identifier(*name)} IS {dialect.literal(text)}"


def _says(spec: Spec) -> str:
    """A table's docstring, and its keys."""
    names = f"{'Grain' if isinstance(spec, FactSpec) else 'Primary key'}: {', '.join(key(spec))}."
    if isinstance(spec, DimensionSpec):
        names += f" Natural key: {', '.join(spec.natural_key)}."
    return f"{spec.doc}\n{names}".strip()


def _column_says(spec: Spec, column: StarColumn) -> str:
    says = column.doc
    if isinstance(spec, FactSpec):
        for lookup in spec.lookups:
            if lookup.column == column.name:
                says += f" References {lookup.dimension.table}.{lookup.dimension.key}."
    return _marked(says, column)


def _marked(says: str, column: StarColumn) -> str:
    return f"{says} Personal data." if column.personal else says


__all__ = [
    "RELEASE_TABLE",
    "Spec",
    "create_schema",
    "create_table",
    "create_temporary",
    "ddl",
    "dress",
    "fingerprint",
    "key",
    "structure",
]
