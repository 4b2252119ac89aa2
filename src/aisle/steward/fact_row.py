"""A row of a fact explained: the line and the header behind it, and what each lookup found; or why there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from aisle.declare.calendar import CalendarSpec
from aisle.declare.fact import FactSpec, LookupSpec
from aisle.declare.source import SourceSpec
from aisle.stages.conform import newest, with_header
from aisle.stages.history import UNKNOWN
from aisle.steward.events import Event, Standing, events_of, not_delivered, passed
from aisle.steward.member import Version, versions_of
from aisle.steward.personal import personal_of
from aisle.steward.trace import SetAside, Trace


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


def fact_row(t: Trace, f: FactSpec, key: Mapping[str, Any]) -> FactRow:
    """Explain a row of a fact, or why there is none.

    Args:
        key: its grain, in the order that the fact has it.
    """
    line_key = dict(zip(f.lines.key, key.values(), strict=True))
    stored = t.rows(f.lines.name, t.lake.silver[f.lines.name], line_key)
    lines = events_of(t, f.lines, stored)
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
            header = events_of(t, f.header, stored)
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
        standing, why = (
            _absent(t, f, line, lines, header, header_key, quarantined)
            if joined is None
            else ("missing", "Its line and header are there, so that it should be too: `aisle check` says more.")
        )
    personal = personal_of(f) | {g for g, k in zip(f.grain, f.lines.key, strict=True) if f.lines[k].personal}
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
    return [replace(e, fate=passed(source, e), by=last) if e is not events[-1] else e for e in events]


def _absent(
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
        return ("in quarantine" if of_lines else "never delivered"), not_delivered(t, f.lines, of_lines)
    if line is None:
        return "deleted", f"It is deleted: {_deletion(lines[-1])}."
    if f.header is not None:
        if len(header_key) < len(f.header.key):
            return "waits", f"It waits: no row says yet which row of {f.header.name} is its header."
        if not header:
            personal = personal_of(f.header) | personal_of(f.lines)
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
    personal = personal_of(d) | {k for k, c in zip(d.natural_key, columns, strict=True) if given[c].personal}
    version = None if at is None else versions_of(t, d, rows)[at]
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
