"""From an expression to Spark's SQL: what Ibis would write otherwise than DuckDB means it is put right first."""

from __future__ import annotations

from typing import Any

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
from ibis.config import Config

from aisle.engines.compiled import compiled

DIALECT = "pyspark"


class _Options(Config):  # type: ignore[misc]  # Ibis has no types
    treat_nan_as_null: bool = False


# Ibis's compiler asks for the options of its Spark backend, which only that backend sets, and it wants pandas.
if ibis.options.pyspark is None:
    ibis.options.pyspark = _Options()


# mypy: disable-error-code="empty-body, untyped-decorator, valid-type"
@ibis.udf.scalar.builtin(name="coalesce")
def _itself(number: ibis.expr.datatypes.Decimal()) -> ibis.expr.datatypes.Decimal():
    """A number as it is, whatever its digits: a function of Spark's SQL has to say how many they are."""


@ibis.udf.scalar.builtin(name="round")
def _round(number: ibis.expr.datatypes.Decimal(), scale: int) -> ibis.expr.datatypes.Decimal():
    """Spark's own rounding of decimals is half away from zero."""


_OWN = {"written": _itself, "rounded": _round}
"""Named functions of numbers of any digits: Spark's own, which do the same, by the names of ours."""


def spark_sql(expression: ir.Table) -> str:
    return compiled(meant(expression).op(), DIALECT)


def meant(expression: ir.Table) -> ir.Table:
    """An expression of which Ibis writes for Spark what it writes for DuckDB."""
    return expression.op().replace(_meant).to_expr()


def _meant(node: Any, changed: dict[str, Any] | None) -> Any:
    arguments = changed or dict(zip(node.argnames, node.args, strict=True))
    if isinstance(node, ops.ScalarUDF) and node.__func_name__ in _OWN:
        return _OWN[node.__func_name__](*[argument.to_expr() for argument in arguments.values()]).op()
    if isinstance(node, ops.Divide):
        # DuckDB divides decimals as floats; Spark would as decimals.
        return ops.Divide(ops.Cast(arguments["left"], to="float64"), arguments["right"])
    if isinstance(node, (ops.IsNull, ops.NotNull)) and arguments["arg"].dtype.is_floating():
        # Ibis would have NaN be null too.
        nothing = ops.IdenticalTo(arguments["arg"], ops.Literal(None, dtype=arguments["arg"].dtype))
        return nothing if isinstance(node, ops.IsNull) else ops.Not(nothing)
    return node.__recreate__(changed) if changed else node
