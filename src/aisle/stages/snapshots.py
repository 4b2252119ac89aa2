"""Snapshots: from whole tables, one after the other, to what changed between them (docs/decisions/010)."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir

from aisle.declare.source import DELETED, DROP, LINE, SourceSpec

ABSENCE = 0
"""The line of a deletion that a snapshot makes by what it has not."""

_DAY = r"(?<!\d)((?:19|20|21)\d\d)([-_./]?)(0[1-9]|1[0-2])\2(0[1-9]|[12]\d|3[01])"
_CLOCK = r"(?:T([01]\d|2[0-3])([-:.]?)([0-5]\d)(?:\6([0-5]\d))?(Z?)|[T_-]([01]\d|2[0-3])([0-5]\d)([0-5]\d)(Z?))"
_TIME = re.compile(rf"{_DAY}{_CLOCK}?(?!\d)")


def time_in(drop: str, zone: str) -> datetime:
    """When a snapshot was taken, by its drop's name: a date, perhaps with a time, in `zone`. Returns it in UTC.

    A folder's date may stand beside the file's: `2025-03-01/stores-2025-03-01T0630.csv`.

    Raises:
        ValueError: why the name does not say.
    """
    days: set[date] = set()
    clocks: set[time] = set()
    for year, _, month, day, h1, _, m1, s1, z1, h2, m2, s2, z2 in _TIME.findall(drop):
        try:
            days.add(date(int(year), int(month), int(day)))
        except ValueError:  # such as the 30th of February
            continue
        if h1 or h2:
            of = UTC if z1 or z2 else ZoneInfo(zone)
            clocks.add(time(int(h1 or h2), int(m1 or m2), int(s1 or s2 or 0), tzinfo=of))
    if not days:
        raise ValueError("does not say in its name when it was taken: a snapshot's name needs a date, such as 2025-03-01.")
    if len(days) > 1 or len(clocks) > 1:
        raise ValueError("names more than one time, so that it is not clear when it was taken.")
    clock = clocks.pop() if clocks else time(tzinfo=ZoneInfo(zone))
    return datetime.combine(days.pop(), clock).astimezone(UTC)


def brought(silver: ir.Table) -> ir.Table:
    """The rows of silver that a drop delivered: not those that a snapshot makes by what it has not."""
    return silver.filter(silver[LINE] != ABSENCE)


def differences(rows: ir.Table, seen: ir.Table, places: ir.Table, source: SourceSpec) -> ir.Table:
    """What snapshots say that those before them did not: rows that are new or other, and deletions. Columns: silver's.

    Args:
        rows: of the snapshots to be told about, and of the one before each of them, in silver's columns.
        seen: key, time and drop of rows in quarantine: what they say is not known, but they are there.
        places: of these snapshots: `_at`, `_place` (a number: that of the snapshot before is one
            less), `_anew` (whether it is one to be told about) and `_last` (its last drop's name).
    """
    at, key = source.changed_at, list(source.key)
    assert at is not None
    placed = rows.inner_join(places, rows[at] == places["_at"])
    content = [n for n in source.said if n != at] + [DELETED]
    copies = ibis.row_number().over(group_by=[*key, "_place", *content], order_by=[DROP, LINE])
    distinct = placed.mutate(_copy=copies).filter(ibis._["_copy"] == 0)
    here = ibis.window(group_by=[*key, "_place"])
    distinct = distinct.mutate(
        _kinds=ibis._.count().over(here),
        _rank=ibis.row_number().over(group_by=[*key, "_place"], order_by=[ibis.desc(DROP), ibis.desc(LINE)]),
    )
    winners = distinct.filter(distinct["_rank"] == 0)
    by_place = ibis.window(group_by=key, order_by="_place")
    winners = winners.mutate(
        _before=winners["_place"].lag().over(by_place), **{f"_was_{n}": winners[n].lag().over(by_place) for n in content}
    )
    same = (winners["_before"] == winners["_place"] - 1).fill_null(False)
    for name in content:
        same &= winners[name].identical_to(winners[f"_was_{name}"])
    columns = list(source.silver)
    changed = winners.filter(winners["_anew"] & (winners["_kinds"] == 1) & ~same).select(*columns)
    several = distinct.filter(distinct["_anew"] & (distinct["_kinds"] > 1)).select(*columns)
    return changed.union(several).union(_gone(placed, seen, places, source))


def _gone(placed: ir.Table, seen: ir.Table, places: ir.Table, source: SourceSpec) -> ir.Table:
    """A deletion at each snapshot that has not a key which the one before had."""
    at, key = source.changed_at, list(source.key)
    assert at is not None
    quarantined = seen.inner_join(places, seen[at] == places["_at"])
    there = placed.select(*key, "_place").union(quarantined.select(*key, "_place"), distinct=True)
    there = there.mutate(_next=there["_place"].lead().over(group_by=key, order_by="_place"))
    last = there.filter(there["_next"].isnull() | (there["_next"] > there["_place"] + 1)).drop("_next")
    after = places.filter(places["_anew"]).select("_at", "_last", _after=places["_place"] - 1)
    gone = last.inner_join(after, last["_place"] == after["_after"])
    values: dict[str, ir.Value] = {
        **{k: gone[k] for k in key},
        at: gone["_at"],
        DELETED: ibis.literal(True),
        DROP: gone["_last"],
        LINE: ibis.literal(ABSENCE, "int64"),
    }
    return gone.select(**{n: values.get(n, ibis.null(t)).cast(t) for n, t in source.silver.items()})
