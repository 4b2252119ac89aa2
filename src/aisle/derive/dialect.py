"""A dialect: how one kind of warehouse writes names, texts, types and a null-safe comparison."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import ibis


@dataclass(frozen=True)
class Dialect:
    """What differs between warehouses in the statements that a star is made of.

    Another warehouse is another value of this class; what it says of a table beyond columns (keys,
    distribution) becomes a field here, so that `ddl` need not ask which dialect it writes.

    Args:
        name: as `--dialect` takes it.
        types: an Ibis type's name → this warehouse's, in which {precision} and {scale} are filled in.
        same: a comparison of {a} and {b} for which two nulls are equal.
        row_hash: a whole number (64 bits, nulls included) of a row, given the alias of a relation and its columns'
            names, all quoted. Rows of equal values in equal types have one, whichever relation they stand in.
        views_find_their_schema: whether a view finds the tables of its own schema by their bare names.
    """

    name: str
    types: Mapping[str, str]
    same: str
    row_hash: Callable[[str, Sequence[str]], str]
    views_find_their_schema: bool = False

    def identifier(self, *names: str) -> str:
        """A name, qualified by those before it; always quoted, so that no name is too awkward."""
        return ".".join('"' + name.replace('"', '""') + '"' for name in names)

    def literal(self, text: str) -> str:
        """A text, as a string literal."""
        return "'" + text.replace("'", "''") + "'"

    def type(self, ibis_type: str) -> str:
        """This warehouse's type for an Ibis type name, such as "decimal(18,2)"."""
        dtype = ibis.dtype(ibis_type)
        template = self.types[type(dtype).__name__.lower()]
        return template.format(precision=getattr(dtype, "precision", ""), scale=getattr(dtype, "scale", ""))

    def equal(self, a: str, b: str) -> str:
        """The null-safe comparison of two SQL expressions."""
        return self.same.format(a=a, b=b)


DUCKDB = Dialect(
    name="duckdb",
    types={
        "int64": "BIGINT",
        "string": "VARCHAR",
        "boolean": "BOOLEAN",
        "float64": "DOUBLE",
        "decimal": "DECIMAL({precision},{scale})",
        "date": "DATE",
        # Without a zone: UTC by agreement (design §3), and what a person reads does not depend on the session.
        "timestamp": "TIMESTAMP",
    },
    same="{a} IS NOT DISTINCT FROM {b}",
    row_hash=lambda alias, columns: f"hash({', '.join(f'{alias}.{c}' for c in columns)})",
    # And must: in a file shop.duckdb, whose catalog DuckDB names shop too, "shop"."fact_sales" would be ambiguous.
    views_find_their_schema=True,
)

DIALECTS: Mapping[str, Dialect] = {d.name: d for d in (DUCKDB,)}
