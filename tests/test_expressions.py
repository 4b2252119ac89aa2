"""Expressions: decimals keep the digits that they are written with."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import ibis
import pytest

from aisle import _
from aisle.declare.expressions import evaluated
from aisle.engines.duckdb.engine import DuckDBEngine


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (_.amount * Decimal("0.0825"), Decimal("185.625000")),
        (_.amount * Decimal("-0.3335"), Decimal("-750.375000")),
        (_.amount * _.rate, Decimal("281.250000")),
        (_.pieces * _.amount * (1 - _.rate), Decimal("5906.250000")),
        (_.amount * (Decimal("1.2") - _.rate) * Decimal("1E+2"), Decimal("241875.000000")),
        (_.amount - Decimal("0.123456789"), Decimal("2249.876543211")),
        (Decimal("0.123456789"), Decimal("0.123456789")),
    ],
)
def test_decimals_are_exact(expression: Any, expected: Decimal) -> None:
    """Ibis would cast a decimal number to three decimals, and not multiply columns of other digits (design §5)."""
    schema = ibis.schema({"amount": "decimal(18, 2)", "rate": "decimal(5, 4)", "pieces": "int64"})
    with DuckDBEngine() as engine:
        table = engine.values("lines", schema, [("2250.00", "0.1250", 3)])
        (row,) = engine.rows(table.select(x=evaluated(expression, table)))
    assert row["x"] == expected
    assert isinstance(row["x"], Decimal)
