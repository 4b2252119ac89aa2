"""The fingerprint of a table: one number of its content, whichever engine computes it and however the rows lie in files.

A row's values are written as text that is the same on every engine, each with its length before it, so that ("a", "bc")
and ("ab", "c") differ; the text is hashed (`hash63`), and the hashes are summed. A sum does not depend on the order of
the rows, and counts equal rows as often as there are (Bellare and Micciancio, "A New Paradigm for Collision-Free
Hashing", 1997: AdHash). It finds what went wrong, not who meant harm.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import ibis
import ibis.expr.types as ir

from aisle.stages.functions import day_number, exactly, hash63, micros_of

_MODULUS = 2**63


@dataclass(frozen=True)
class Fingerprint:
    """So many rows, and 16 hexadecimal digits of their content."""

    rows: int
    digest: str

    def __str__(self) -> str:
        return f"{self.rows:,} rows, {self.digest}"

    @classmethod
    def of(cls, rows: int, total: Decimal | None) -> Fingerprint:
        """From what `summed` gives."""
        return cls(rows, f"{int(total or 0) % _MODULUS:016x}")


def summed(table: ir.Table) -> ir.Table:
    """One row: how many rows a table has (`rows`), and the sum of their hashes (`total`)."""
    row = ibis.literal("")
    for name in table.columns:
        text = _text(table[name])
        row = row + (text.length().cast("string") + ":" + text).fill_null("-")
    hashes = table.select(_hash=hash63(row).cast("decimal(38, 0)"))
    return hashes.agg(rows=hashes.count(), total=hashes["_hash"].sum())


def _text(value: ir.Value) -> ir.StringValue:
    """A value as every engine writes it."""
    dtype = value.type()
    if dtype.is_timestamp():
        return micros_of(value).cast("string")
    if dtype.is_date():
        return day_number(value).cast("string")
    if dtype.is_floating():
        return exactly(value)
    text = value.cast("string")
    # DuckDB leaves out the 0 before the point of a type that has no other digit there.
    return text.replace("0.", ".") if dtype.is_decimal() and dtype.precision == dtype.scale else text
