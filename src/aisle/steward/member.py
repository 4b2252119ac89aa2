"""A member of a dimension explained: its versions, and which event made each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import ibis.expr.types as ir

from aisle.declare.dimension import HOUSEKEEPING, DimensionSpec
from aisle.declare.source import DROP, LINE, SourceSpec
from aisle.stages.history import at_instants, telling
from aisle.stages.time import BEGINNING
from aisle.steward.events import Event, Fate, Standing, events_of, not_delivered, passed
from aisle.steward.personal import personal_of
from aisle.steward.trace import Origin, SetAside, Trace

_BEGINNING = BEGINNING.replace(tzinfo=None)  # as an engine's rows have it


@dataclass(frozen=True)
class Version:
    """A version of a member. `changed` maps a tracked attribute to its value (before, after) where the two differ."""

    number: int
    key: int
    valid_from: datetime
    valid_to: datetime
    is_current: bool
    is_deleted: bool
    tracked: dict[str, Any]
    changed: dict[str, tuple[Any, Any]]


@dataclass(frozen=True)
class Naming:
    """That rows of a fact's source name a member: in which columns, how many, and the first of them by drop and line."""

    source: str
    columns: tuple[str, ...]
    rows: int
    first: Origin


@dataclass(frozen=True)
class Member:
    """A member of a dimension: its versions, and all events of it. `newest` are the attributes that every version shows alike."""

    table: str
    key: dict[str, Any]
    release: int
    standing: Standing
    why: str
    versions: list[Version]
    newest: dict[str, Any]
    events: list[Event]
    named_by: list[Naming]
    quarantined: list[SetAside]


def member(t: Trace, d: DimensionSpec, key: Mapping[str, Any]) -> Member:
    """Explain a member of a dimension.

    Args:
        key: its natural key, in the order that the dimension has it.
    """
    source = d.source
    found = t.rows(d.table, t.lake.gold[d.table], key)
    rows = t.engine.rows(found.order_by("version"))
    silver = t.rows(source.name, t.lake.silver[source.name], key)
    is_inferred = bool(rows) and rows[0]["is_inferred"]
    events = _history(t, d, silver, [] if is_inferred else rows)
    quarantined = t.set_aside(source, key)
    standing: Standing = "in the star" if rows else "in quarantine" if quarantined else "never delivered"
    why = "" if rows else not_delivered(t, source, quarantined)
    naming: list[Naming] = []
    if is_inferred:
        naming = _named_by(t, d, key)
        standing = "inferred"
        why = f"Facts name it, but {source.name} has no row of it{' that keeps the contract' if quarantined else ''}."
    personal = personal_of(d)
    return Member(
        table=d.table,
        key=t.shown(key, personal),
        release=t.release.number,
        standing=standing,
        why=why,
        versions=versions_of(t, d, rows),
        newest=t.shown(_newest(d, rows[-1]), personal) if rows and not is_inferred else {},
        events=events,
        named_by=naming,
        quarantined=quarantined,
    )


def _newest(d: DimensionSpec, row: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes that do not differ between the versions of a member."""
    hidden = {d.key, *d.natural_key, *d.tracked, *HOUSEKEEPING}
    return {name: value for name, value in row.items() if name not in hidden}


def versions_of(t: Trace, d: DimensionSpec, rows: Sequence[Mapping[str, Any]]) -> list[Version]:
    """The versions of a member, from all its rows in their order."""
    out = []
    personal = personal_of(d)
    for before, row in zip([None, *rows], rows, strict=False):
        after = {name: row[name] for name in d.tracked}
        shown = t.shown(after, personal)
        was = t.shown({name: before[name] for name in d.tracked}, personal) if before is not None else {}
        out.append(
            Version(
                number=row["version"],
                key=row[d.key],
                valid_from=row["valid_from"],
                valid_to=row["valid_to"],
                is_current=row["is_current"],
                is_deleted=row["is_deleted"],
                tracked=shown,
                changed={} if before is None else {n: (was[n], shown[n]) for n in after if before[n] != after[n]},
            )
        )
    return out


def _history(t: Trace, d: DimensionSpec, silver: ir.Table, versions: Sequence[Mapping[str, Any]]) -> list[Event]:
    """The events of a member, in the order of its history, and which of them made its versions."""
    source = d.source
    events = events_of(t, source, silver)
    saying = t.engine.keep(f"_telling_{d.table}", telling(silver, d))
    told, won = _places(t, source, saying), _places(t, source, at_instants(saying, source))
    winners = {place[0]: event.origin for event in events if (place := _place(event)) in won}
    starts = {row["valid_from"]: row["version"] for row in versions}
    first = min((at or _BEGINNING for at in winners), default=None)
    out = []
    for event in events:
        at, made = event.at or _BEGINNING, None
        if _place(event) in won:
            made = 1 if at == first else starts.get(at)
        lies = [row["version"] for row in versions if row["valid_from"] <= at < row["valid_to"]]
        fate: Fate = (
            "makes a version"
            if made is not None
            else "changes nothing tracked"
            if _place(event) in won
            else passed(source, event)
            if _place(event) in told
            else "says nothing new"
        )
        version = made if made is not None else lies[0] if lies else None
        by = winners.get(event.at) if fate in ("superseded", "completed") else None
        out.append(replace(event, fate=fate, version=version, by=by))
    return out


Place = tuple[datetime | None, str, int]
"""What tells an event of a key from the others: its time, drop and line."""


def _place(event: Event) -> Place:
    return (event.at, event.origin.drop, event.origin.line)


def _places(t: Trace, source: SourceSpec, events: ir.Table) -> set[Place]:
    at = source.changed_at
    rows = t.engine.rows(events.select(*([at] if at else []), DROP, LINE))
    return {(row[at] if at else None, row[DROP], row[LINE]) for row in rows}


def _named_by(t: Trace, d: DimensionSpec, key: Mapping[str, Any]) -> list[Naming]:
    """The facts' sources that name a member."""
    places: dict[tuple[str, tuple[str, ...]], None] = {}
    for f, i in t.lake.star.referencing(d):
        source, columns = f.origin(f.lookups[i].key)
        places.setdefault((source.name, columns))
    out = []
    for source_name, columns in places:
        name = f"{source_name}_{'_'.join(columns)}"
        rows = t.rows(name, t.lake.silver[source_name], dict(zip(columns, key.values(), strict=True)))
        if first := t.engine.rows(rows.select(DROP, LINE).order_by(DROP, LINE).limit(1)):
            origin = t.origin(source_name, first[0][DROP], first[0][LINE])
            out.append(Naming(source_name, columns, t.engine.count(rows), origin))
    return out
