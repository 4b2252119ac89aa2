"""An expression as a person reads it, and the columns that it is made of."""

from __future__ import annotations

import ast
from typing import Any

import ibis
import ibis.expr.operations as ops

from aisle.declare.expressions import evaluated


def formula(expression: Any) -> str:
    """An expression as it was written, without the row: `quantity * unit_price * (1 - discount)`.

    What is no Python, such as an Ibis expression over a table, is as Ibis shows it.
    """
    said = repr(expression)
    try:
        tree = ast.parse(said, mode="eval")
    except (SyntaxError, ValueError):
        return " ".join(said.split())
    return ast.unparse(_Plain().visit(tree))


class _Plain(ast.NodeTransformer):
    """`_['quantity']` is said as `quantity`, `Decimal('0.5')` as `0.5`."""

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        match node:
            case ast.Subscript(ast.Name("_"), ast.Constant(str(name))):
                return ast.Name(name)
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        match node:
            case ast.Call(ast.Name("Decimal"), [ast.Constant(str(number))], []):
                return ast.Name(number)
        return self.generic_visit(node)


def uses(expression: Any, schema: ibis.Schema) -> tuple[str, ...]:
    """The columns that an expression is made of, in the order of the schema that it is about."""
    found = evaluated(expression, ibis.table(schema, name="row")).op().find(ops.Field, filter=ops.Value)
    names = {field.name for field in found}
    return tuple(n for n in schema if n in names)


__all__ = ["formula", "uses"]
