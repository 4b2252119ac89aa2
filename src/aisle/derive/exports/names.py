"""Names in an export: such as SQL needs no quotes for, and such as a tool's own language can hold."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from sqlglot.dialects.duckdb import DuckDB
from sqlglot.dialects.redshift import Redshift

from aisle.declare.dimension import StarColumn
from aisle.derive.dialect import Dialect
from aisle.errors import DeclarationError

# Redshift's list holds PostgreSQL's older words, DuckDB's its newer ones.
_KEYWORDS = frozenset(DuckDB.Generator.RESERVED_KEYWORDS) | frozenset(Redshift.Generator.RESERVED_KEYWORDS)


def bare(name: str) -> bool:
    """Whether a name means the same without quotes in every kind of warehouse."""
    return re.fullmatch("[a-z_][a-z0-9_]*", name) is not None and name not in _KEYWORDS


def column(name: str, dialect: Dialect) -> str:
    """A column in SQL, quoted only where it must be."""
    folded = dialect.folded(name)
    return folded if bare(folded) else dialect.identifier(name)


def together(columns: Sequence[StarColumn], dialect: Dialect, of: str = "") -> str:
    """An SQL expression that is equal for two rows only if all these columns are; null if one of them is.

    Args:
        of: what stands before each column's name, such as an alias with its point.
    """
    texts = sum(c.type == "string" for c in columns)
    parts = []
    for c in columns:
        name = f"{of}{column(c.name, dialect)}"
        if c.type != "string":
            # Never has a | in it; so that one text among such needs nothing more, and of several the lengths tell.
            parts.append(name if len(columns) == 1 else f"cast({name} as varchar)")
        else:
            parts.append(name if texts == 1 else f"cast(length({name}) as varchar) || ':' || {name}")
    return " || '|' || ".join(parts)


def plain(where: str, name: str) -> str:
    """A name of small letters a to z, digits and single _, which begins with a letter.

    Raises:
        DeclarationError: there is no letter in it.
    """
    decomposed = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
    found = re.sub("[^a-z0-9]+", "_", decomposed).strip("_").lstrip("0123456789_")
    if not found:
        raise DeclarationError(where, f"{name!r} has no letter from a to z, of which names are made there", "Rename it.")
    return found


def refuse_twice(where: str, names: Iterable[str]) -> None:
    """Refuse names of which two are one.

    Raises:
        DeclarationError: there are such.
    """
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise DeclarationError(where, f"two of its parts would be named {name!r} there", "Rename one of them.")
        seen.add(name)


__all__ = ["bare", "column", "plain", "refuse_twice", "together"]
