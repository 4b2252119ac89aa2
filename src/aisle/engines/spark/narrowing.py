"""Narrowing: of a stored table that is asked for a few keys, only the files are read that may hold them, by what the log says of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir


class Asked(NamedTuple):
    """A semi-join of a named table: `keys` are its columns and those of `wanted` that must be equal to them."""

    name: str
    wanted: ir.Table
    keys: Mapping[str, str]


def narrowed(expression: ir.Table, narrower: Callable[[Asked], str | None]) -> ir.Table:
    """The expression, with each semi-join of a named table asking another one, of fewer rows, if `narrower` names one."""
    replaced: dict[Any, Any] = {}
    for chain in expression.op().find(ops.JoinChain):
        asked = _asked(chain)
        if asked is not None and (name := narrower(asked)) is not None:
            fewer = ops.JoinReference(ibis.table(chain.first.parent.schema, name=name).op(), identifier=chain.first.identifier)
            replaced[chain] = chain.replace({chain.first: fewer})
    return expression.op().replace(replaced).to_expr() if replaced else expression


def _asked(chain: ops.JoinChain) -> Asked | None:
    if not isinstance(chain.first.parent, ops.UnboundTable) or [link.how for link in chain.rest] != ["semi"]:
        return None
    (link,) = chain.rest
    keys = {}
    for met in link.predicates:
        if isinstance(met, ops.Equals) and isinstance(met.left, ops.Field) and isinstance(met.right, ops.Field):
            sides = {met.left.rel: met.left.name, met.right.rel: met.right.name}
            if sides.keys() == {chain.first, link.table}:
                keys[sides[chain.first]] = sides[link.table]
    return Asked(chain.first.parent.name, link.table.parent.to_expr(), keys) if keys else None


def thin(expression: ir.Table) -> bool:
    """Whether to compute an expression again takes no more than to read what it is of: it only leaves out rows and columns of one table."""
    nodes = expression.op().find((ops.Relation, ops.Value))
    return all(
        isinstance(node, (ops.UnboundTable, ops.Project, ops.Filter, ops.DropColumns, ops.Field, ops.Not)) for node in nodes
    )
