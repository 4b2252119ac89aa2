"""Expressions over the row at hand, written with `_`, such as `_.quantity * _.unit_price`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
from ibis import Deferred

from aisle.declare.classes import did_you_mean
from aisle.errors import DeclarationError


class Row:
    """The row at hand.

    Ibis's own `_` would read `_.op` or `_.count` as the methods of its tables; here it is always a column.
    """

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return ibis._[name]

    __getitem__ = __getattr__


_: Any = Row()


# mypy: disable-error-code="empty-body, untyped-decorator, valid-type"
@ibis.udf.scalar.builtin
def written(number: ibis.expr.datatypes.Decimal()) -> ibis.expr.datatypes.Decimal():
    """A decimal with the digits that it has: the engine knows how many, Ibis need not (an engine defines it as itself)."""


@dataclass(frozen=True)
class _Columns:
    """A table's columns as an expression sees them.

    Ibis would not multiply decimals of which neither has both more digits and a larger scale; without
    their digits it leaves the result to the engine, whose decimals are exact.
    """

    table: ir.Table

    def __getitem__(self, name: str) -> ir.Value:
        column = self.table[name]
        return written(column) if column.type().is_decimal() else column


def evaluated(expression: Any, table: ir.Table) -> ir.Value:
    """The value of an expression over a table's columns."""
    value = expression.resolve(_Columns(table)) if isinstance(expression, Deferred) else expression
    if not isinstance(value, ir.Value):
        value = ibis.literal(value)
    # Ibis would have the engine cast a number to its default of three decimals.
    # Only in the expression itself, not in what the table was made of.
    numbers = {n: _exactly(n.value) for n in value.op().find(ops.Literal, filter=ops.Value) if isinstance(n.value, Decimal)}
    return value.op().replace(numbers, filter=ops.Value).to_expr() if numbers else value


def _exactly(number: Decimal) -> ops.Node:
    """A decimal literal of just its digits."""
    _sign, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    scale = max(0, -exponent)
    precision = max(len(digits) + max(0, exponent), scale, 1)
    return written(ibis.literal(number, type=f"decimal({precision}, {scale})")).op()


def resolve(where: str, what: str, expression: Any, table: ir.Table) -> ir.Value:
    """Bind an expression to a table's columns, when it is declared.

    Raises:
        DeclarationError: it names a column that is not there, or its types do not go together.
    """
    try:
        return evaluated(expression, table)
    except Exception as error:  # noqa: BLE001  (Ibis raises errors of many kinds)
        if found := re.match(r"Column '(.*?)' is not found", str(error)):
            missing = found[1]
            raise DeclarationError(
                where, f"{what} uses {missing!r}, which is no column{did_you_mean(missing, table.columns)}"
            ) from None
        raise DeclarationError(where, f"{what} cannot be computed: {error}", "Look at the types of its columns.") from None
