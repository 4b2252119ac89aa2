"""Settle: which of the rows that share a key stand, which are duplicates, which conflict (design §3).

An exact duplicate equals an event of an earlier arrival in every column. In an `events` source,
whose rows never change, the first row of a key stands and a different one conflicts. Both are
functions of the rows alone: a row that arrives late but is named earlier turns the verdict.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from aisle.declare.source import DROP, LINE, SourceSpec

STANDS, DUPLICATE, CONFLICT = "stands", "duplicate", "conflict"


def identity(source: SourceSpec) -> tuple[str, ...]:
    """The columns that two rows must share before they can be duplicates or conflict."""
    return source.key if source.changed_at is None else (*source.key, source.changed_at)


def suspects(rows: ir.Table, source: SourceSpec) -> ir.Table:
    """The identities that more than one of the rows has."""
    return rows.group_by(*identity(source)).having(ibis._.count() > 1).agg().select(*identity(source))


def verdicts(rows: ir.Table, source: SourceSpec) -> ir.Table:
    """The rows with `_verdict`. `rows` must hold every row of each identity in it."""
    columns = list(source.said)
    arrival = [ibis._[DROP], ibis._[LINE]]
    rows = rows.mutate(_copy=ibis.row_number().over(group_by=columns, order_by=arrival))
    if source.changed_at is not None:
        return rows.mutate(_verdict=ibis.ifelse(ibis._["_copy"] == 0, STANDS, DUPLICATE))
    rows = rows.mutate(_place=ibis.row_number().over(group_by=list(source.key), order_by=arrival))
    standing = rows.filter(ibis._["_place"] == 0)
    first = standing.select(**{f"_first_{c}": standing[c] for c in columns}, _first=ibis.literal(True))
    equal = rows.join(first, [rows[c].identical_to(first[f"_first_{c}"]) for c in columns], how="left")
    return equal.mutate(
        _verdict=ibis.cases((ibis._["_place"] == 0, STANDS), (ibis._["_first"].fill_null(False), DUPLICATE), else_=CONFLICT)
    ).drop("_first", *[f"_first_{c}" for c in columns])
