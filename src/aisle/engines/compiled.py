"""From an expression to an engine's SQL, once for each expression."""

from __future__ import annotations

import functools

import ibis
import ibis.expr.operations as ops

# One SELECT within another for each step, as the stages wrote them: fused ones repeat a costly
# expression wherever its result is used.
ibis.options.sql.fuse_selects = False


@functools.lru_cache(maxsize=4096)
def compiled(relation: ops.Node, dialect: str) -> str:
    """The SQL of an expression's node; equal expressions are compiled once in a process."""
    return str(ibis.to_sql(relation.to_expr(), dialect=dialect, pretty=False))
