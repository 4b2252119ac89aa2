"""Explain: why a row of the star is as it is, or why it is not there: the events behind it, and where each was delivered."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import ibis
import ibis.expr.types as ir

from aisle.declare.calendar import CalendarSpec
from aisle.declare.classes import did_you_mean
from aisle.declare.dimension import HOUSEKEEPING, DimensionSpec
from aisle.declare.fact import FactSpec, LookupSpec
from aisle.declare.source import ABSENT, DELETED, DROP, LINE, SourceSpec
from aisle.declare.star import Star
from aisle.engines.duckdb.engine import DuckDBEngine
from aisle.errors import ConfigError, LakeError
from aisle.lake.lake import Lake
from aisle.run.undo import named
from aisle.stages.conform import newest, with_header
from aisle.stages.history import UNKNOWN, at_instants, telling
from aisle.stages.snapshots import ABSENCE
from aisle.stages.time import BEGINNING
from aisle.steward.keys import key_of
from aisle.steward.trace import Origin, SetAside, Trace

Standing = Literal["in the star", "inferred", "waits", "deleted", "in quarantine", "never delivered"]
Fate = Literal["counts", "makes a version", "changes nothing tracked", "superseded", "completed", "says nothing new"]

_BEGINNING = BEGINNING.replace(tzinfo=None)  # as an engine's rows have it


@dataclass(frozen=True)
class Event:
    """A row of a source's history, and what became of it.

    Attributes:
        at: since when it is true; None of a source whose rows never change.
        absent: whether it is a deletion that a snapshot makes by what it has not.
        fate: `counts` of a fact's source: this row is the line, or the header, as it is now.
        version: of a dimension the version that it made, or in whose period it lies.
        by: of one that is superseded, or (a partial change) completed, the event that wins at its instant, or is the last.
        late: whether an earlier release knew an event of a later time already.
        values: what the row carries of the source's columns.
    """

    origin: Origin
    at: datetime | None
    deleted: bool
    absent: bool
    fate: Fate
    version: int | None
    by: Origin | None
    late: bool
    values: dict[str, Any]


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


@dataclass(frozen=True)
class Found:
    """What a lookup of a fact row found.

    Attributes:
        column: the fact's column, whose value is `points_to`.
        key: the natural key that was looked up; empty for a calendar.
        at: the column of line or header at whose `time` it was looked up.
        version: the version found; None for a calendar, and for the unknown member.
        why: what is to be said if the member is inferred, or unknown.
    """

    name: str
    dimension: str
    column: str
    points_to: int
    key: dict[str, Any]
    at: str
    time: Any
    version: Version | None
    is_inferred: bool
    why: str


@dataclass(frozen=True)
class FactRow:
    """A row of a fact, or why there is none. `header` are the events of the header, `quarantined` the rows of either."""

    table: str
    key: dict[str, Any]
    release: int
    standing: Standing
    why: str
    row: dict[str, Any] | None
    lookups: list[Found]
    lines: list[Event]
    header: list[Event]
    quarantined: list[SetAside]


def explain(
    star: Star,
    table: str,
    key: Sequence[str],
    *,
    lake: str | Path,
    release: int | None = None,
    show_pii: bool = False,
) -> Member | FactRow:
    """Say of one row of a fact, or one member of a dimension, why it is as it is.

    Args:
        table: of the star.
        key: the fact's grain, or the member's natural key: values in order, or each as `name=value`.
        release: explain it as this release has it; by default the newest.
        show_pii: show personal data too.

    Raises:
        ConfigError: there is no such table, or the key is not one of it.
        NothingDelivered: the lake has no release.
        LakeError: there is no such release, or another declaration made it.
    """
    spec = next((t for t in star.tables if t.table == table), None)
    if spec is None:
        raise ConfigError(f"The star has no table {table!r}{did_you_mean(table, [t.table for t in star.tables])}")
    if isinstance(spec, CalendarSpec):
        raise ConfigError(f"{table} is a calendar: its days follow from the declaration alone, not from what was delivered.")
    if isinstance(spec, FactSpec):
        wanted = key_of(table, {g: spec.lines[k] for g, k in zip(spec.grain, spec.lines.key, strict=True)}, key)
    else:
        wanted = key_of(table, {k: spec.source[k] for k in spec.natural_key}, key)
    place = Lake(lake, star)
    shown = place.releases.standing() if release is None else named(place.releases, release)
    if shown.star != star.fingerprint:
        raise LakeError(f"Release {shown.number} was made by another declaration than the star's, which cannot explain it.")
    with DuckDBEngine() as engine:
        trace = Trace(engine, place, shown, show_pii=show_pii)
        return _fact_row(trace, spec, wanted) if isinstance(spec, FactSpec) else _member(trace, spec, wanted)


# A member of a dimension


def _member(t: Trace, d: DimensionSpec, key: Mapping[str, Any]) -> Member:
    source = d.source
    found = t.rows(d.table, t.lake.gold[d.table], key)
    rows = t.engine.rows(found.order_by("version"))
    silver = t.rows(source.name, t.lake.silver[source.name], key)
    is_inferred = bool(rows) and rows[0]["is_inferred"]
    events = _history(t, d, silver, [] if is_inferred else rows)
    quarantined = t.set_aside(source, key)
    standing: Standing = "in the star" if rows else "in quarantine" if quarantined else "never delivered"
    why = "" if rows else _not_delivered(t, source, quarantined)
    naming: list[Naming] = []
    if is_inferred:
        naming = list(_named_by(t, d, key))
        standing, why = (
            "inferred",
            f"Facts name it, but {source.name} has no row of it" + (" that keeps the contract." if quarantined else "."),
        )
    personal = _personal_of(d)
    return Member(
        table=d.table,
        key=t.shown(key, personal),
        release=t.release.number,
        standing=standing,
        why=why,
        versions=_versions(t, d, rows),
        newest=t.shown(_newest(d, rows[-1]), personal) if rows and not is_inferred else {},
        events=events,
        named_by=naming,
        quarantined=quarantined,
    )


def _personal_of(d: DimensionSpec) -> set[str]:
    return {c.name for c in d.columns if c.personal}


def _newest(d: DimensionSpec, row: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes that do not differ between the versions of a member."""
    hidden = {d.key, *d.natural_key, *d.tracked, *HOUSEKEEPING}
    return {name: value for name, value in row.items() if name not in hidden}


def _versions(t: Trace, d: DimensionSpec, rows: Sequence[Mapping[str, Any]]) -> list[Version]:
    out = []
    personal = _personal_of(d)
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
    events = _events(t, source, silver)
    told = _places(t, source, telling(silver, d))
    won = _places(t, source, at_instants(telling(silver, d), source))
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
            else _passed(source, event)
            if _place(event) in told
            else "says nothing new"
        )
        version = made if made is not None else lies[0] if lies else None
        by = winners.get(event.at) if fate in ("superseded", "completed") else None
        out.append(replace(event, fate=fate, version=version, by=by))
    return out


def _passed(source: SourceSpec, event: Event) -> Fate:
    """What an event is that another one follows: what a partial change carries alone still holds."""
    return "completed" if source.partial and not event.deleted else "superseded"


Place = tuple[datetime | None, str, int]


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


# A row of a fact


def _fact_row(t: Trace, f: FactSpec, key: Mapping[str, Any]) -> FactRow:
    line_key = dict(zip(f.lines.key, key.values(), strict=True))
    stored = t.rows(f.lines.name, t.lake.silver[f.lines.name], line_key)
    lines = _events(t, f.lines, stored)
    living = t.engine.keep("_living_line", newest(stored, f.lines))
    line = next(iter(t.engine.rows(living)), None)
    quarantined = t.set_aside(f.lines, line_key)
    head, header, header_key = None, list[Event](), dict[str, Any]()
    if f.header is not None:
        known = line_key if line is None else line
        header_key = {k: known[k] for k in f.header.key if known.get(k) is not None}
        if len(header_key) == len(f.header.key):
            # Under another name, as a source may be both.
            stored = t.rows(f"_header_{f.header.name}", t.lake.silver[f.header.name], header_key)
            header = _events(t, f.header, stored)
            head = t.engine.keep("_living_header", newest(stored, f.header))
            if line is None or not header:
                quarantined = [*quarantined, *t.set_aside(f.header, header_key)]
    joined = None
    if f.header is None or head is not None:
        joined = next(iter(t.engine.rows(with_header(living, head, f))), None)
    month = None if joined is None else f"{joined[f.at]:%Y-%m}"
    row = next(iter(t.engine.rows(t.rows(f.table, t.lake.gold[f.table], key, month=month))), None)
    standing: Standing = "in the star"
    why = ""
    if row is None:
        standing, why = _missing(t, f, line, lines, header, header_key, quarantined)
    personal = {c.name for c in f.columns if c.personal} | {
        g for g, k in zip(f.grain, f.lines.key, strict=True) if f.lines[k].personal
    }
    return FactRow(
        table=f.table,
        key=t.shown(key, personal),
        release=t.release.number,
        standing=standing,
        why=why,
        row=None if row is None else t.shown(row, personal),
        lookups=[] if row is None or joined is None else [_found(t, f, lookup, row, joined) for lookup in f.lookups],
        lines=_counted(f.lines, lines),
        header=[] if f.header is None else _counted(f.header, header),
        quarantined=quarantined,
    )


def _counted(source: SourceSpec, events: list[Event]) -> list[Event]:
    """The events of a line or a header, in order: the last is what counts."""
    last = events[-1].origin if events else None
    return [replace(e, fate=_passed(source, e), by=last) if e is not events[-1] else e for e in events]


def _missing(
    t: Trace,
    f: FactSpec,
    line: Mapping[str, Any] | None,
    lines: Sequence[Event],
    header: Sequence[Event],
    header_key: Mapping[str, Any],
    quarantined: Sequence[SetAside],
) -> tuple[Standing, str]:
    """Why a line is no fact row."""
    if not lines:
        of_lines = [q for q in quarantined if q.origin.source == f.lines.name]
        return ("in quarantine" if of_lines else "never delivered"), _not_delivered(t, f.lines, of_lines)
    if line is None:
        return "deleted", f"It is deleted: {_deletion(lines[-1])}."
    if f.header is not None:
        if len(header_key) < len(f.header.key):
            return "waits", f"It waits: no row says yet which row of {f.header.name} is its header."
        if not header:
            personal = {c.name for c in f.header.columns if c.personal} | {c.name for c in f.lines.columns if c.personal}
            of = ", ".join(f"{name} {value}" for name, value in t.shown(header_key, personal).items())
            kept = any(q.origin.source == f.header.name for q in quarantined)
            return "waits", f"It waits for its header: {f.header.name} has no row of {of}" + (
                " that keeps the contract." if kept else "."
            )
        if header[-1].deleted:
            return "waits", f"It waits for its header, which is deleted: {_deletion(header[-1])}."
    return "waits", f"It waits: no row has carried {f.at}, its time, yet."


def _deletion(event: Event) -> str:
    o = event.origin
    return f"{o.source}/{o.drop} has it not" if event.absent else f"by {o.source}/{o.drop}, line {o.line}"


def _not_delivered(t: Trace, source: SourceSpec, quarantined: Sequence[SetAside]) -> str:
    """Why silver has no row of a key."""
    if quarantined:
        return f"What was delivered of it to {source.name} breaks the contract, and is in quarantine."
    unread = sum(d.status in ("refused", "held") for d in t.ledger[source.name])
    also = f" Of what is in the drops of it that were refused or held ({unread}) nothing is known." if unread else ""
    return f"No row of {source.name} that was delivered has this key.{also}"


def _found(t: Trace, f: FactSpec, lookup: LookupSpec, row: Mapping[str, Any], joined: Mapping[str, Any]) -> Found:
    """What a lookup found, and why if it is not a member that its source knows."""
    d, points_to, time = lookup.dimension, row[lookup.column], joined[lookup.at]
    if isinstance(d, CalendarSpec):
        why = f"{lookup.at} is missing" if time is None else f"the day is not in the calendar, which starts in {d.start}"
        return Found(
            lookup.name, d.table, lookup.column, points_to, {}, lookup.at, time, None, False, why if points_to == UNKNOWN else ""
        )
    key = {k: joined[mine] for k, mine in zip(d.natural_key, lookup.key, strict=True)}
    whole = all(value is not None for value in key.values())
    rows = t.engine.rows(t.rows(f"_{f.table}_{lookup.name}", t.lake.gold[d.table], key).order_by("version")) if whole else []
    at = next((i for i, r in enumerate(rows) if r[d.key] == points_to), None)
    inferred = at is not None and rows[at]["is_inferred"]
    why = f"inferred: {d.source.name} has no row of it that keeps the contract" if inferred else ""
    if at is None:
        none = [mine for k, mine in zip(d.natural_key, lookup.key, strict=True) if key[k] is None]
        why = (
            f"{none[0]} is empty: it names no member"
            if none
            else f"{lookup.at} is missing"
            if time is None
            else f"{d.table} knows it since {rows[0]['valid_from']} only"
            if rows
            else f"{d.table} has no such member"
        )
    given, columns = f.origin(lookup.key)
    personal = _personal_of(d) | {k for k, c in zip(d.natural_key, columns, strict=True) if given[c].personal}
    version = None if at is None else _versions(t, d, rows)[at]
    return Found(
        name=lookup.name,
        dimension=d.table,
        column=lookup.column,
        points_to=points_to,
        key=t.shown(key, personal),
        at=lookup.at,
        time=time,
        version=version,
        is_inferred=inferred,
        why=why,
    )


# Events


def _events(t: Trace, source: SourceSpec, stored: ir.Table) -> list[Event]:
    """The events of one key in the order of its history."""
    at = source.changed_at
    rows = t.engine.rows(stored.order_by([ibis.asc(c, nulls_first=True) for c in source.order]))
    personal: Collection[str] = {c.name for c in source.columns if c.personal}
    out: list[Event] = []
    for row in rows:
        origin, absent = t.origin(source.name, row[DROP], row[LINE]), row[LINE] == ABSENCE and row[DELETED]
        if absent and out and origin.release is not None:
            # What the snapshot has not is known since there is something that it could have.
            origin = replace(origin, release=max(origin.release, out[-1].origin.release or 0))
        carried = {c.name: row[c.name] for c in source.columns if not (source.partial and c.name in row[ABSENT])}
        values = {k: row[k] for k in source.key} if absent else carried
        out.append(
            Event(
                origin=origin,
                at=row[at] if at else None,
                deleted=row[DELETED],
                absent=absent,
                fate="counts",
                version=None,
                by=None,
                late=False,
                values=t.shown(values, personal),
            )
        )
    return _with_late(out)


def _with_late(events: list[Event]) -> list[Event]:
    """Events in order, those marked of which a release before their own knew a later one already."""
    out: list[Event] = []
    known: int | None = None  # the first release that knew an event of a later time than the one at hand
    at_one_time: list[int] = []
    for i in reversed(range(len(events))):
        event, following = events[i], events[i + 1] if i + 1 < len(events) else None
        if following is not None and following.at != event.at:
            known = min([r for r in (known, *at_one_time) if r is not None], default=None)
            at_one_time = []
        release = event.origin.release
        out.append(replace(event, late=release is not None and known is not None and known < release))
        at_one_time += [] if release is None else [release]
    return out[::-1]


__all__ = ["Event", "FactRow", "Found", "Member", "Naming", "Origin", "SetAside", "Version", "explain"]
