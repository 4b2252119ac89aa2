"""The statements by which a load takes rows out of a table and puts others in, from temporary tables where they were put first."""

from __future__ import annotations

from aisle.declare.star import Star
from aisle.derive import ddl
from aisle.derive.ddl import Spec
from aisle.derive.dialect import Dialect

# Names of tables and columns of a star do not begin with _ (declare.classes): these are free.
GONE, CAME = "_aisle_gone", "_aisle_came"


def delete(star: Star, spec: Spec, dialect: Dialect) -> str:
    """Take the rows out of a table that stand in GONE. Without aliases, which not every warehouse takes in a DELETE."""
    name = dialect.identifier
    same = " AND ".join(f"{name(spec.table, k)} = {name(GONE, k)}" for k in ddl.key(spec))
    return f"DELETE FROM {name(star.name, spec.table)} USING {name(GONE)} WHERE {same}"


def insert(star: Star, spec: Spec, dialect: Dialect) -> str:
    """Put the rows that stand in CAME into a table."""
    return f"INSERT INTO {dialect.identifier(star.name, spec.table)} SELECT * FROM {dialect.identifier(CAME)}"


__all__ = ["CAME", "GONE", "delete", "insert"]
