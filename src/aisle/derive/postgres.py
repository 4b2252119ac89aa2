"""How a star lies in PostgreSQL: types, keys and indexes. Decision 013 says why, with figures."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from aisle.declare.calendar import CalendarSpec
from aisle.declare.dimension import DimensionSpec
from aisle.declare.fact import FactSpec
from aisle.declare.star import Star
from aisle.derive.dialect import Dialect, Index, Layout, Spec

_LONGEST = 63
"""Bytes of a name; PostgreSQL cuts what is longer ("Identifiers and Key Words")."""


def layout(star: Star, spec: Spec) -> Layout:  # noqa: ARG001  (the shape of all layouts)
    """A primary key for each table; for a fact its time and days, for a dimension its current natural keys.

    No foreign keys: without an index on each key of a fact, which costs a quarter of a load, a
    member that goes is looked for in the whole fact. Comments say what a key refers to.
    """
    match spec:
        case FactSpec():
            # Rows lie in the order of time, and so of the days: a few pages of an index tell which blocks to skip.
            days = [x.column for x in spec.lookups if isinstance(x.dimension, CalendarSpec)]
            return Layout(indexes=(_primary(spec.table, spec.grain), _index(spec.table, "time", "brin", (spec.time, *days))))
        case DimensionSpec():
            current = _index(spec.table, "current", "btree", spec.natural_key, " WHERE " + POSTGRES.identifier("is_current"))
            return Layout(indexes=(_primary(spec.table, (spec.key,)), current))
        case CalendarSpec():
            return Layout(indexes=(_primary(spec.table, (spec.key,)),))


def _primary(table: str, columns: Iterable[str]) -> Index:
    listed = _listed(columns)
    return Index(_named(table, "pkey"), lambda on, name: f"ALTER TABLE {on} ADD CONSTRAINT {name} PRIMARY KEY ({listed})")


def _index(table: str, what: str, kind: str, columns: Iterable[str], where: str = "") -> Index:
    listed = _listed(columns)
    return Index(_named(table, f"{what}_idx"), lambda on, name: f"CREATE INDEX {name} ON {on} USING {kind} ({listed}){where}")


def _listed(columns: Iterable[str]) -> str:
    return ", ".join(POSTGRES.identifier(c) for c in columns)


def _named(table: str, what: str) -> str:
    """An index's name, which people hardly ever write: of a long table name its beginning and a digest of all of it."""
    if len(f"{table}_{what}".encode()) <= _LONGEST:
        return f"{table}_{what}"
    tail = f"_{hashlib.sha256(table.encode()).hexdigest()[:8]}_{what}"
    return table.encode()[: _LONGEST - len(tail)].decode(errors="ignore") + tail


POSTGRES = Dialect(
    name="postgres",
    # In the words of format_type(), so that what stands can be compared with what is made.
    types={
        "int64": "bigint",
        "string": "text",
        "boolean": "boolean",
        "float64": "double precision",
        "decimal": "numeric({precision},{scale})",
        "date": "date",
        "timestamp": "timestamp without time zone",
    },
    # IS NOT DISTINCT FROM can only be looked for pair by pair; arrays can be hashed, and in them two nulls are equal.
    same="ARRAY[{a}] = ARRAY[{b}]",
    # The hash of a whole row, by which PostgreSQL also partitions: it stays what it is from version to version.
    row_hash=lambda alias, columns: f"hash_record_extended({alias}, 0)",  # noqa: ARG005  (a row's columns are all its own)
    hashed_by="postgresql hash_record_extended",
    layout=layout,
    longest_name=_LONGEST,
    own_columns=frozenset({"tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"}),
    role=lambda name: '"' + name.replace('"', '""') + '"',
)

__all__ = ["POSTGRES"]
