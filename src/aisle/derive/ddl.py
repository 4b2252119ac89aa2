"""The statements that make a star in a warehouse: schemas, tables, views, comments from docstrings, grants."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator

from aisle.declare.dimension import StarColumn
from aisle.declare.star import Star, reader_schema
from aisle.derive.dialect import Dialect, Spec
from aisle.derive.says import column_says, key, says
from aisle.derive.views import View, reader_views, views
from aisle.errors import DeclarationError

RELEASE_TABLE = "aisle_release"
"""The table of a star's schema that says which release is loaded; no table of a star may have its name."""


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


def fingerprint(star: Star, dialect: Dialect, reader_role: str | None = None) -> str:
    """A digest of all statements: it changes too when only a docstring did, or the role that may read."""
    return _digest((*ddl(star, dialect), *grants(star, dialect, reader_role)))


def structure(star: Star, dialect: Dialect) -> str:
    """A digest of the statements that make tables and views, and of whose checksums they have: without what is said of them."""
    return _digest(
        [
            dialect.hashed_by,
            *(create_table(star, spec, dialect) for spec in star.tables),
            *(index for spec in star.tables for _, index in create_indexes(star, spec, dialect)),
            *references(star, dialect),
            *(v.query for v in (*views(star, dialect), *reader_views(star, dialect))),
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
    """Views, those for readers too, and comments: what can be made again over tables that stand.

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
    return (
        *(_create_view(star.name, v, dialect) for v in made),
        *(comment for spec in star.tables for comment in comments_on_table(star, spec, dialect)),
        *(comment for v in made for comment in _comments_on_view(star.name, v, dialect)),
        *dress_for_readers(star, dialect),
    )


def dress_for_readers(star: Star, dialect: Dialect) -> tuple[str, ...]:
    """The schema of those who read a star without its personal data, and its views. It is there even if nothing is personal."""
    schema = reader_schema(star.name)
    made = [statement for v in reader_views(star, dialect) for statement in create_view(schema, v, dialect)]
    return (f"CREATE SCHEMA IF NOT EXISTS {dialect.identifier(schema)}", *made)


def grants(star: Star, dialect: Dialect, role: str | None) -> tuple[str, ...]:
    """What lets a role read what readers see, also the views that a later load makes anew. None without a role.

    A view reads with its owner's rights: the role needs none on the star's own tables.
    """
    if role is None or dialect.role is None:
        return ()
    schema, to = dialect.identifier(reader_schema(star.name)), dialect.role(role)
    return (
        f"GRANT USAGE ON SCHEMA {schema} TO {to}",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {to}",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT SELECT ON TABLES TO {to}",
    )


def create_view(schema: str, view: View, dialect: Dialect) -> tuple[str, ...]:
    """The statements that make a view in a schema, and say what it is."""
    return (_create_view(schema, view, dialect), *_comments_on_view(schema, view, dialect))


def _create_view(schema: str, view: View, dialect: Dialect) -> str:
    return f"CREATE OR REPLACE VIEW {dialect.identifier(schema, view.name)} AS\n{view.query}"


def _check_names(star: Star, made: tuple[View, ...], dialect: Dialect) -> None:
    """Refuse names that this kind of warehouse cannot hold."""
    dialect.check_name(f"Star({star.name!r})", reader_schema(star.name))
    for relation, columns in (
        *((s.table, [c.name for c in s.columns]) for s in star.tables),
        *((v.name, [c.name for c in v.columns]) for v in made),
    ):
        dialect.check_name(relation, relation)
        for column in columns:
            dialect.check_name(f"{relation}.{column}", column)
            if column.lower() in dialect.own_columns:
                raise DeclarationError(f"{relation}.{column}", f"{dialect.name} keeps this name for itself", "Rename the column.")


def comments_on_table(star: Star, spec: Spec, dialect: Dialect) -> Iterator[str]:
    """What a table and its columns are, from docstrings."""
    yield _comment("TABLE", says(spec), dialect, star.name, spec.table)
    for c in spec.columns:
        yield _comment("COLUMN", _marked(column_says(spec, c), c), dialect, star.name, spec.table, c.name)


def _comments_on_view(schema: str, view: View, dialect: Dialect) -> Iterator[str]:
    yield _comment("VIEW", view.doc, dialect, schema, view.name)
    for v in view.columns:
        yield _comment("COLUMN", _marked(v.doc, v.shows), dialect, schema, view.name, v.name)


def _comment(kind: str, text: str, dialect: Dialect, *name: str) -> str:
    return f"COMMENT ON {kind} {dialect.identifier(*name)} IS {dialect.literal(text)}"


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
    "dress_for_readers",
    "fingerprint",
    "grants",
    "key",
    "references",
    "structure",
]
