"""The statements that make a star in a warehouse: schema, tables, views, and comments from docstrings."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator

from aisle.declare.dimension import DimensionSpec, StarColumn
from aisle.declare.fact import FactSpec
from aisle.declare.star import Star
from aisle.derive.dialect import Dialect, Spec
from aisle.derive.views import View, views
from aisle.errors import DeclarationError

RELEASE_TABLE = "aisle_release"
"""The table of a star's schema that says which release is loaded; no table of a star may have its name."""


def key(spec: Spec) -> tuple[str, ...]:
    """The columns that name one row: a fact's grain, a dimension's surrogate key, a calendar's `date_key`."""
    return spec.grain if isinstance(spec, FactSpec) else (spec.key,)


def columns(spec: Spec, dialect: Dialect) -> tuple[tuple[str, str, bool], ...]:
    """The columns of a table as a warehouse's catalog has them: name, type in the dialect's words, and whether it may be null."""
    return tuple((dialect.folded(c.name), dialect.column_type(spec, c), c.nullable) for c in spec.columns)


def ddl(star: Star, dialect: Dialect) -> tuple[str, ...]:
    """All statements, in the order to run them, in an empty warehouse.

    Raises:
        DeclarationError: two relations, or two columns of one, would have one name. Names that
            differ only in case are one name: so most warehouses have it.
    """
    tables = [create_table(star, spec, dialect) for spec in star.tables]
    made = [index for spec in star.tables for _, index in create_indexes(star, spec, dialect)]
    return (create_schema(star, dialect), *tables, *made, *references(star, dialect), *dress(star, dialect))


def fingerprint(star: Star, dialect: Dialect) -> str:
    """A digest of all statements: it changes too when only a docstring did."""
    return _digest(ddl(star, dialect))


def structure(star: Star, dialect: Dialect) -> str:
    """A digest of the statements that make tables and views, and of whose checksums they have: without what is said of them."""
    return _digest(
        [
            dialect.hashed_by,
            *(create_table(star, spec, dialect) for spec in star.tables),
            *(index for spec in star.tables for _, index in create_indexes(star, spec, dialect)),
            *references(star, dialect),
            *(v.query for v in views(star, dialect)),
        ]
    )


def _digest(statements: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(statements).encode()).hexdigest()[:16]


def create_schema(star: Star, dialect: Dialect) -> str:
    return f"CREATE SCHEMA IF NOT EXISTS {dialect.identifier(star.name)}"


def create_table(star: Star, spec: Spec, dialect: Dialect, name: str | None = None) -> str:
    """CREATE TABLE, with the columns in the order of the data files; under another name, if one is given.

    What else it says is the dialect's layout. For DuckDB that is nothing, and so no keys: DuckDB would enforce
    a key by an index: on a fact of 5 million rows that was measured as three times the load's time and three
    times the file, and a row deleted and inserted again in one transaction, as each load does, would be
    refused ("Over-eager constraint checking", DuckDB manual, Indexes). The lake has proved the keys (law 7)
    before there was a release to load; here they stand in comments, where people and tools read them.
    """
    layout = dialect.layout(star, spec)
    lines = []
    for n, type_, nullable in columns(spec, dialect):
        words = (dialect.identifier(n), type_, layout.columns.get(n, ""), "" if nullable else "NOT NULL")
        lines.append(" ".join(w for w in words if w))
    body = ",\n".join(f"    {line}" for line in (*lines, *layout.constraints))
    after = f"\n{layout.table}" if layout.table else ""
    return f"CREATE TABLE {dialect.identifier(star.name, name or spec.table)} (\n{body}\n){after}"


def create_temporary(name: str, spec: Spec, dialect: Dialect) -> str:
    """A temporary table with a table's columns, for rows on their way."""
    listed = ", ".join(f"{dialect.identifier(n)} {type_}" for n, type_, _ in columns(spec, dialect))
    return f"CREATE TEMPORARY TABLE {dialect.identifier(name)} ({listed})"


def create_indexes(star: Star, spec: Spec, dialect: Dialect, name: str | None = None) -> tuple[tuple[str, str], ...]:
    """The name and the statement of each index of a table; under names of their own, if the table has another name."""
    table = dialect.identifier(star.name, name or spec.table)
    made = []
    for n, index in enumerate(dialect.layout(star, spec).indexes):
        called = index.name if name is None else f"{name}_{n}"
        made.append((called, index.statement(table, dialect.identifier(called))))
    return tuple(made)


def references(star: Star, dialect: Dialect) -> tuple[str, ...]:
    """The foreign keys, for when all tables stand under their names."""
    return tuple(statement for spec in star.tables for statement in dialect.layout(star, spec).references)


def dress(star: Star, dialect: Dialect) -> tuple[str, ...]:
    """Views and comments: what can be made again over tables that stand.

    Raises:
        DeclarationError: two relations, or two columns of a view, would have one name.
    """
    made = views(star, dialect)
    indexes = (i.name for spec in star.tables for i in dialect.layout(star, spec).indexes)
    taken = Counter(n.casefold() for n in (*(s.table for s in star.tables), *(v.name for v in made), RELEASE_TABLE, *indexes))
    for spec in star.tables:
        if taken[spec.table.casefold()] > 1:
            raise DeclarationError(
                spec.table,
                "another table, or a view or index that aisle makes, has its name in the warehouse",
                'Give it name="…".',
            )
    _check_names(star, made, dialect)
    return (*(_create_view(star, v, dialect) for v in made), *_comments(star, dialect))


def create_view(star: Star, view: View, dialect: Dialect) -> tuple[str, ...]:
    """The statements that make a view, and say what it is."""
    return (_create_view(star, view, dialect), *_comments_on_view(star, view, dialect))


def _create_view(star: Star, view: View, dialect: Dialect) -> str:
    return f"CREATE OR REPLACE VIEW {dialect.identifier(star.name, view.name)} AS\n{view.query}"


def _check_names(star: Star, made: tuple[View, ...], dialect: Dialect) -> None:
    """Refuse names that this kind of warehouse cannot hold."""
    dialect.check_name(f"Star({star.name!r})", star.name)
    for relation, columns in (
        *((s.table, [c.name for c in s.columns]) for s in star.tables),
        *((v.name, [c.name for c in v.columns]) for v in made),
    ):
        dialect.check_name(relation, relation)
        for column in columns:
            dialect.check_name(f"{relation}.{column}", column)
            if column.lower() in dialect.own_columns:
                raise DeclarationError(f"{relation}.{column}", f"{dialect.name} keeps this name for itself", "Rename the column.")


def _comments(star: Star, dialect: Dialect) -> Iterator[str]:
    for spec in star.tables:
        yield from comments_on_table(star, spec, dialect)
    for view in views(star, dialect):
        yield from _comments_on_view(star, view, dialect)


def comments_on_table(star: Star, spec: Spec, dialect: Dialect) -> Iterator[str]:
    """What a table and its columns are, from docstrings."""
    yield _comment("TABLE", _says(spec), dialect, star.name, spec.table)
    for c in spec.columns:
        yield _comment("COLUMN", _column_says(spec, c), dialect, star.name, spec.table, c.name)


def _comments_on_view(star: Star, view: View, dialect: Dialect) -> Iterator[str]:
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
    "columns",
    "comments_on_table",
    "create_indexes",
    "create_schema",
    "create_table",
    "create_temporary",
    "create_view",
    "ddl",
    "dress",
    "fingerprint",
    "key",
    "references",
    "structure",
]
