"""The laws, as questions to the tables: each expression's rows are the offenders, so none is good (design §3)."""

from __future__ import annotations

from collections.abc import Mapping

import ibis
import ibis.expr.types as ir

from aisle.declare.dimension import DimensionSpec
from aisle.declare.fact import FactSpec, LookupSpec
from aisle.declare.source import DROP
from aisle.stages.conform import newest, with_header
from aisle.stages.history import UNKNOWN
from aisle.stages.snapshots import brought
from aisle.stages.time import BEGINNING, OPEN_END, moment


def unbalanced_drops(ledger: ir.Table, silver: Mapping[str, ir.Table], quarantine: ir.Table) -> ir.Table:
    """Law 2: consumed drops whose rows are not all in silver, duplicates or quarantine."""
    counted = [
        brought(table)
        .group_by(DROP)
        .agg(rows=ibis._.count())
        .select(source=ibis.literal(name), drop=ibis._[DROP], in_silver=ibis._["rows"])
        for name, table in silver.items()
    ]
    events = ibis.union(*counted) if len(counted) > 1 else counted[0]
    bad = quarantine.group_by("source", "drop").agg(in_quarantine=quarantine.count())
    consumed = ledger.filter((ledger["status"] == "consumed") & ledger["source"].isin(list(silver)))
    both = consumed.left_join(events, ["source", "drop"]).drop("source_right", "drop_right")
    both = both.left_join(bad, ["source", "drop"]).drop("source_right", "drop_right")
    both = both.select(
        "source",
        "drop",
        "records",
        "duplicates",
        in_silver=both["in_silver"].fill_null(0),
        in_quarantine=both["in_quarantine"].fill_null(0),
    )
    return both.filter(both["records"] != both["in_silver"] + both["duplicates"] + both["in_quarantine"])


def unbalanced_lines(fact: ir.Table, lines: ir.Table, header: ir.Table | None, f: FactSpec) -> ir.Table:
    """Law 2: lines that should be facts and are not, and facts that have no line."""
    key = list(f.lines.key)
    head = None if f.header is None or header is None else newest(header, f.header)
    due = with_header(newest(lines, f.lines), head, f).select(*key)
    there = fact.select(**dict(zip(key, f.grain, strict=True)))
    missing = due.anti_join(there, key).mutate(problem=ibis.literal("no fact row"))
    surplus = there.anti_join(due, key).mutate(problem=ibis.literal("a fact row without a line"))
    return missing.union(surplus)


def repeated_grain(fact: ir.Table, f: FactSpec) -> ir.Table:
    """Law 7: grain keys that more than one fact row has."""
    return fact.group_by(*f.grain).agg(rows=fact.count()).filter(ibis._["rows"] > 1)


def broken_timelines(table: ir.Table, d: DimensionSpec) -> ir.Table:
    """Law 6: versions that leave a gap, overlap, are current without being last, or differ in nothing from the one before."""
    key = list(d.natural_key)
    rows = table.filter(table[d.key] != UNKNOWN)
    by_start = ibis.window(group_by=key, order_by="valid_from")
    rows = rows.mutate(
        _next=rows["valid_from"].lead().over(by_start),
        _place=ibis.row_number().over(by_start),
        _was_deleted=rows["is_deleted"].lag().over(by_start),
        **{f"_was_{name}": rows[name].lag().over(by_start) for name in d.tracked},
    )
    last, first = rows["_next"].isnull(), rows["_place"] == 0
    same = ~first & (rows["_was_deleted"] == rows["is_deleted"])
    for name in d.tracked:
        same = same & rows[name].identical_to(rows[f"_was_{name}"])
    starts = first & (rows["valid_from"] != moment(BEGINNING)) if d.reaches_back else ibis.literal(False)
    problem = ibis.cases(
        (rows["valid_to"] != rows["_next"].fill_null(moment(OPEN_END)), "its period does not meet the next"),
        (rows["is_current"] != last, "it is current without being the last, or the last without being current"),
        (rows["version"] != rows["_place"] + 1, "its number is not its place"),
        (starts, "the first does not reach back"),
        (same, "it differs from the one before in nothing tracked"),
        else_=ibis.null("string"),
    )
    rows = rows.mutate(problem=problem)
    return rows.filter(rows["problem"].notnull()).select(*key, "version", "valid_from", "valid_to", "problem")


def repeated_keys(table: ir.Table, key: str) -> ir.Table:
    """Law 7: keys that more than one row of a dimension has."""
    return table.group_by(key).agg(rows=table.count()).filter(ibis._["rows"] > 1)


def dangling(fact: ir.Table, dimension: ir.Table, f: FactSpec, lookup: LookupSpec) -> ir.Table:
    """Law 7: facts whose key is in no dimension row, or in one that was not valid at the fact's time."""
    pointed = dimension.select(_key=dimension[lookup.dimension.key], **_period(dimension, lookup))
    on = [fact[lookup.column] == pointed["_key"]]
    if isinstance(lookup.dimension, DimensionSpec) and lookup.at == f.at:
        on += [fact[f.time] >= pointed["_from"], fact[f.time] < pointed["_to"]]
    return fact.anti_join(pointed, on).select(*f.grain, lookup.column, f.time)


def _period(dimension: ir.Table, lookup: LookupSpec) -> dict[str, ir.Value]:
    if isinstance(lookup.dimension, DimensionSpec):
        return {"_from": dimension["valid_from"], "_to": dimension["valid_to"]}
    return {}
