"""History: from the events of a key to the versions of a dimension (design §4)."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import ibis
import ibis.expr.types as ir

from aisle.declare.dimension import DimensionSpec
from aisle.declare.source import ABSENT, DELETED, LINE, SourceSpec
from aisle.stages.functions import hash63, micros_of
from aisle.stages.snapshots import ABSENCE
from aisle.stages.time import BEGINNING, OPEN_END, micros, moment

UNKNOWN = -1


def at_instants(events: ir.Table, source: SourceSpec) -> ir.Table:
    """The event that wins at each instant of each key: the last by sequence, then arrival."""
    if source.changed_at is None:
        return events
    newest_first = [ibis.desc(c) for c in source.order[1:]]
    ranked = events.mutate(_rank=ibis.row_number().over(group_by=[*source.key, source.changed_at], order_by=newest_first))
    return ranked.filter(ranked["_rank"] == 0).drop("_rank")


def after_images(events: ir.Table, source: SourceSpec, *, first: Collection[str] = ()) -> ir.Table:
    """Partial changes made whole: what a row does not carry is as the row before it, by the order of history, left it.

    A row that deletes carries nothing. `events` must hold all events of each key.

    Args:
        first: columns that show, on every row, what the first instant at which they were carried left.
    """
    if not source.partial:
        return events
    key, at, columns = list(source.key), source.changed_at, events.columns
    newest_first = [ibis.desc(c) for c in source.order[1:]]
    events = events.mutate(_last=ibis.row_number().over(group_by=[*key, at], order_by=newest_first) == 0)
    for name in (c.name for c in source.columns if c.name not in (*key, at, source.sequence)):
        carried, nothing = ~events[DELETED] & ~events[ABSENT].contains(name), ibis.null(events[name].type())
        events = events.mutate(_carried=carried, _nth=carried.cast("int64").sum().over(_up_to_here(source)))
        # Each run of rows from one that carries to the next: the first alone has a value.
        value = ibis.ifelse(events["_carried"], events[name], nothing).max().over(group_by=[*key, "_nth"])
        events = events.mutate(**{name: value})
        if name in first:
            began = ibis.ifelse(events["_nth"] > 0, events[at], ibis.null(events[at].type())).min().over(group_by=key)
            events = events.mutate(_began=(events[at] == began) & events["_last"])
            events = events.mutate(**{name: ibis.ifelse(events["_began"], events[name], nothing).max().over(group_by=key)})
    return events.select(*columns)


def _up_to_here(source: SourceSpec) -> ibis.expr.builders.WindowBuilder:
    """The events of a key from its first to the one at hand."""
    return ibis.cumulative_window(group_by=list(source.key), order_by=[ibis.asc(c, nulls_first=True) for c in source.order])


def surrogate_key(table: str, natural_key: Sequence[ir.Value], valid_from: ir.Value) -> ir.IntegerValue:
    """The key of a version: a hash of (dimension, natural key, valid_from in epoch µs).

    Each part is written with its length before it, so that ("a", "bc") and ("ab", "c") differ.
    """
    text = ibis.literal(f"{len(table)}:{table}")
    for value in natural_key:
        part = value.cast("string")
        text = text + part.length().cast("string") + ":" + part
    return hash63(text + valid_from.cast("string"))


def versions(events: ir.Table, d: DimensionSpec) -> ir.Table:
    """The versions of every natural key that has an event. `events` must hold all events of each key."""
    source, key = d.source, list(d.natural_key)
    at = source.changed_at
    won = at_instants(telling(events, d), source)
    won = won.mutate(_at=moment(BEGINNING) if at is None else won[at])
    by_time = ibis.window(group_by=key, order_by="_at")

    # "Newest" and "first" are those of all events, also where they make no version.
    newest = [a.name for a in d.attributes if a.behaviour in ("overwrite", "current")]
    original = [a.name for a in d.attributes if a.behaviour == "original"]
    won = won.mutate(
        _first=ibis.row_number().over(by_time) == 0,  # by time alone: one event is left at each instant
        **{f"_was_{name}": won[name].lag().over(by_time) for name in d.tracked},
        _was_deleted=won[DELETED].lag().over(by_time),
    )
    changed = won["_first"] | ~won["_was_deleted"].identical_to(won[DELETED])
    for name in d.tracked:
        changed = changed | ~won[f"_was_{name}"].identical_to(won[name])
    made = won.filter(changed)

    start = ibis.ifelse(made["_first"], moment(BEGINNING), made["_at"]) if d.reaches_back else made["_at"]
    made = made.mutate(valid_from=start)
    by_start = ibis.window(group_by=key, order_by="valid_from")
    made = made.mutate(_until=made["valid_from"].lead().over(by_start), version=ibis.row_number().over(by_start) + 1)
    # The first version is hashed with the beginning of time, so that an inferred member has its key already.
    hashed = ibis.ifelse(made["version"] == 1, ibis.literal(micros(BEGINNING)), micros_of(made["valid_from"]))
    made = made.mutate(
        **{d.key: surrogate_key(d.table, [made[k] for k in key], hashed)},
        valid_to=made["_until"].fill_null(moment(OPEN_END)),
        is_current=made["_until"].isnull(),
        is_deleted=made[DELETED],
        is_inferred=ibis.literal(False),
    )
    made = made.drop(*_not_shown(d))
    if newest:
        made = _beside(made, won, key, newest, [ibis.desc("_at")], d)
    if original:
        # A deletion before the first live event has attributes of its own, but they were never true.
        made = _beside(made, won, key, original, [ibis.asc("_lifeless"), ibis.asc("_at")], d)
    return made.select(*[made[c.name].cast(c.type).name(c.name) for c in d.columns])


def telling(events: ir.Table, d: DimensionSpec) -> ir.Table:
    """The events that say something of a member, whole: at each instant one of them wins (`at_instants`).

    `events` must hold all events of each key.
    """
    originals = [a.name for a in d.attributes if a.behaviour == "original"]
    return _deletions_filled(after_images(events, d.source, first=originals), d)


def _deletions_filled(events: ir.Table, d: DimensionSpec) -> ir.Table:
    """The events, a deletion holding the attributes of the live event before it; `_lifeless` if there is none.

    A deletion of what is already deleted says nothing, and is left out.
    """
    source = d.source
    if not source.has_deletions:
        return events.mutate(_lifeless=ibis.literal(False))
    if source.feed == "snapshot":
        # What a snapshot has not says nothing of a key that no snapshot had.
        lives = ibis.ifelse(events[DELETED], 0, 1).sum().over(_up_to_here(source))
        events = events.mutate(_lives=lives).filter((ibis._[LINE] != ABSENCE) | (ibis._["_lives"] > 0)).drop("_lives")
    by_order = ibis.window(group_by=list(d.natural_key), order_by=[ibis.asc(c, nulls_first=True) for c in source.order])
    events = events.mutate(_was_deleted=events[DELETED].lag().over(by_order))
    events = events.filter(~(events[DELETED] & events["_was_deleted"].fill_null(False)))
    after_life = events[DELETED] & events["_was_deleted"].notnull()
    events = events.mutate(
        _lifeless=events[DELETED] & events["_was_deleted"].isnull(),
        **{a.name: ibis.ifelse(after_life, events[a.name].lag().over(by_order), events[a.name]) for a in d.attributes},
    )
    return events.drop("_was_deleted")


def _not_shown(d: DimensionSpec) -> list[str]:
    """The attributes whose own event's value no version shows."""
    return [a.name for a in d.attributes if a.behaviour in ("overwrite", "original")]


def _beside(
    made: ir.Table, won: ir.Table, key: list[str], attributes: list[str], order: list[ir.Value], d: DimensionSpec
) -> ir.Table:
    """Join the value of one event of each key, the first in `order`, to all of the key's versions."""
    ranked = won.mutate(_pick=ibis.row_number().over(group_by=key, order_by=order))
    picked = ranked.filter(ranked["_pick"] == 0)
    current = {a.name for a in d.attributes if a.behaviour == "current"}
    picked = picked.select(
        *[picked[k].name(f"_k{i}") for i, k in enumerate(key)],
        *[picked[a].name(f"current_{a}" if a in current else a) for a in attributes],
    )
    joined = made.inner_join(picked, [made[k] == picked[f"_k{i}"] for i, k in enumerate(key)])
    return joined.drop(*[f"_k{i}" for i in range(len(key))])


def inferred(keys: ir.Table, d: DimensionSpec) -> ir.Table:
    """The members known only because a fact names them: one version, for all of time."""
    return _bare(
        keys, d, surrogate_key(d.table, [keys[k] for k in d.natural_key], ibis.literal(micros(BEGINNING))), is_inferred=True
    )


def unknown(d: DimensionSpec) -> ir.Table:
    """The unknown member, -1: what a fact without a natural key points to."""
    nobody = ibis.range(1).unnest().name("one").as_table()
    nobody = nobody.select(**{k: ibis.null(d.source[k].type) for k in d.natural_key})
    return _bare(nobody, d, ibis.literal(UNKNOWN), is_inferred=False)


def _bare(keys: ir.Table, d: DimensionSpec, key: ir.Value, *, is_inferred: bool) -> ir.Table:
    values: dict[str, ir.Value] = {
        d.key: key,
        **{k: keys[k] for k in d.natural_key},
        "valid_from": moment(BEGINNING),
        "valid_to": moment(OPEN_END),
        "is_current": ibis.literal(True),
        "is_deleted": ibis.literal(False),
        "is_inferred": ibis.literal(is_inferred),
        "version": ibis.literal(1),
    }
    return keys.select(**{c.name: values.get(c.name, ibis.null(c.type)).cast(c.type) for c in d.columns})


def moved(old: ir.Table, new: ir.Table, d: DimensionSpec) -> ir.Table:
    """The periods in which a natural key's facts must point elsewhere: `old_key`, `since`, `until`.

    `old` and `new` hold all versions of the same members, before and after.
    """
    was, now = _tiles(old, d), _tiles(new, d)
    now = now.select(**{f"_new_{c}": now[c] for c in now.columns})
    together = was.join(
        now,
        [
            *[was[k] == now[f"_new_{k}"] for k in d.natural_key],
            was["_since"] < now["_new__until"],
            now["_new__since"] < was["_until"],
            was["_key"] != now["_new__key"],
        ],
    )
    return together.select(
        old_key=together["_key"],
        since=ibis.greatest(together["_since"], together["_new__since"]),
        until=ibis.least(together["_until"], together["_new__until"]),
    )


def _tiles(table: ir.Table, d: DimensionSpec) -> ir.Table:
    """Periods and keys; where a first version does not reach back, the unknown member stands before it."""
    tiles = table.select(*d.natural_key, _key=table[d.key], _since=table["valid_from"], _until=table["valid_to"])
    if d.reaches_back:
        return tiles
    first = table.filter((table["version"] == 1) & ~table["is_inferred"])
    before = first.select(
        *d.natural_key, _key=ibis.literal(UNKNOWN, "int64"), _since=moment(BEGINNING), _until=first["valid_from"]
    )
    return tiles.union(before)
