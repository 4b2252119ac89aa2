"""A dialect: how one kind of warehouse writes names, texts, types and a null-safe comparison."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version

import ibis

from aisle.declare.calendar import CalendarSpec
from aisle.declare.dimension import DimensionSpec, StarColumn
from aisle.declare.fact import FactSpec
from aisle.declare.star import Star
from aisle.errors import DeclarationError

Spec = DimensionSpec | CalendarSpec | FactSpec


@dataclass(frozen=True)
class Index:
    """An index: its name, and the statement that makes it, given the quoted names of the table and of the index."""

    name: str
    statement: Callable[[str, str], str]


@dataclass(frozen=True)
class Layout:
    """What one kind of warehouse says of a table beyond its columns' names and plain types.

    Args:
        columns: what stands after a column's type, by column (as the catalog names it).
        constraints: what stands after the columns, in the parentheses.
        table: what stands after the parentheses.
        indexes: what is made when a table's rows are in it.
        references: statements to run when all tables of the star stand: the foreign keys.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    constraints: tuple[str, ...] = ()
    table: str = ""
    indexes: tuple[Index, ...] = ()
    references: tuple[str, ...] = ()


def _plain(star: Star, spec: Spec) -> Layout:  # noqa: ARG001  (the shape of all layouts)
    return Layout()


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
        hashed_by: whose hash that is. Checksums of another one's cannot be compared.
        views_find_their_schema: whether a view finds the tables of its own schema by their bare names.
        text_type: the type of a text column of a table, where it must say how long the text may be.
        layout: what it says of a table of a star besides.
        longest_name: bytes (UTF-8) that a name may have; None for no limit.
        folds_case: whether it keeps all names in lower case (of ASCII letters), the quoted ones too.
        backslash_escapes: whether a backslash in a text's literal is more than itself.
        own_columns: names that no column may have, as the warehouse has columns of these names in each table.
        role: how GRANT names a role; None where there are no roles.
    """

    name: str
    types: Mapping[str, str]
    same: str
    row_hash: Callable[[str, Sequence[str]], str]
    hashed_by: str
    views_find_their_schema: bool = False
    text_type: Callable[[Spec, StarColumn], str] | None = None
    layout: Callable[[Star, Spec], Layout] = _plain
    longest_name: int | None = None
    folds_case: bool = False
    backslash_escapes: bool = False
    own_columns: frozenset[str] = frozenset()
    role: Callable[[str], str] | None = None

    def folded(self, name: str) -> str:
        """A name as the warehouse's catalog has it."""
        return name.translate(_LOWER) if self.folds_case else name

    def identifier(self, *names: str) -> str:
        """A name, qualified by those before it; always quoted, so that no name is too awkward."""
        return ".".join('"' + self.folded(name).replace('"', '""') + '"' for name in names)

    def literal(self, text: str) -> str:
        """A text, as a string literal."""
        if self.backslash_escapes:
            text = text.replace("\\", "\\\\")
        return "'" + text.replace("'", "''") + "'"

    def check_name(self, where: str, name: str) -> None:
        """Refuse a name that the warehouse would cut, or refuse itself in words of its own.

        Raises:
            DeclarationError: it is too long.
        """
        if self.longest_name is not None and (size := len(name.encode())) > self.longest_name:
            raise DeclarationError(
                where, f"the name {name!r} has {size} bytes; {self.name} takes {self.longest_name}", "Give it a shorter name."
            )

    def type(self, ibis_type: str) -> str:
        """This warehouse's type for an Ibis type name, such as "decimal(18,2)"."""
        dtype = ibis.dtype(ibis_type)
        template = self.types[type(dtype).__name__.lower()]
        return template.format(precision=getattr(dtype, "precision", ""), scale=getattr(dtype, "scale", ""))

    def column_type(self, spec: Spec, column: StarColumn) -> str:
        """This warehouse's type for a column of a table."""
        if column.type == "string" and self.text_type is not None:
            return self.text_type(spec, column)
        return self.type(column.type)

    def equal(self, a: str, b: str) -> str:
        """The null-safe comparison of two SQL expressions."""
        return self.same.format(a=a, b=b)


_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}

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
    # DuckDB does not promise that another version hashes alike.
    hashed_by=f"duckdb {version('duckdb')}",
    # And must: in a file shop.duckdb, whose catalog DuckDB names shop too, "shop"."fact_sales" would be ambiguous.
    views_find_their_schema=True,
)
