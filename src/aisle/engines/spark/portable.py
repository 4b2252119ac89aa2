"""Delivered rows in types that Spark has too, judged to the same values by the contract."""

from __future__ import annotations

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir

from aisle.declare.source import SourceSpec


def portable(raw: ir.Table, source: SourceSpec) -> ir.Table:
    """Raw rows, as a Parquet drop types them: what is judged by its text is made text here, since engines write it differently."""
    wanted = {c.name: ibis.dtype(c.type) for c in source.columns}
    columns = [_portable(raw[name], wanted[name]) if name in wanted else raw[name] for name in raw.columns]
    return raw.select(*[column.name(name) for name, column in zip(raw.columns, columns, strict=True)])


def _portable(value: ir.Value, wanted: ibis.DataType) -> ir.Value:
    own = value.type()
    if own.is_timestamp() and wanted.is_timestamp():
        return _cast(value, f"timestamp('{own.timezone}', 6)" if own.timezone else "timestamp(6)")
    if own.is_numeric() and wanted.is_numeric():
        # Spark has no unsigned numbers, and none of 128 bits but decimals.
        return _cast(value, "decimal(20, 0)" if own.is_unsigned_integer() else own)
    if own.is_string() or own.is_binary() or own == wanted:
        return value
    return _cast(value, "string")


def _cast(value: ir.Value, to: ibis.DataType | str) -> ir.Value:
    """A cast that always stands in the SQL: Ibis takes DuckDB's HUGEINT for a decimal already."""
    return ops.Cast(value, to=ibis.dtype(to)).to_expr()
