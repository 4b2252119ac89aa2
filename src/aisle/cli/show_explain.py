"""What `aisle explain` says to a person: a member's timeline, and what a fact's row comes from."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, time
from typing import TYPE_CHECKING, Any

import click

from aisle.cli.table import text

if TYPE_CHECKING:
    from aisle.steward.explain import Event, FactRow, Found, Member, Origin, SetAside, Version

_MOST = 20
"""How many versions are drawn, unless a person says how many."""
_EVENTS = 8
"""How many events are drawn under one version."""
_WIDTH = 100
"""What became of an event stands in a line of its own where it would be wider than this."""
_OPEN = 9999


def explained(found: Member | FactRow, last: int | None) -> str:
    """What `aisle explain` found.

    Args:
        last: draw so many of a member's versions.
    """
    from aisle.steward.explain import FactRow

    said = _fact_row(found) if isinstance(found, FactRow) else _member(found, last)
    return "\n".join(line.rstrip() for line in said)


# A member of a dimension


def _member(m: Member, last: int | None) -> Iterator[str]:
    where = "is not" if not m.versions else "stands by facts alone" if m.standing == "inferred" else "is"
    yield f"{click.style(_key(m.key), bold=True)} {where} in {m.table}, as of release {m.release}."
    if m.why:
        yield text(m.why)
    for naming in m.named_by:
        yield f"  {naming.source} names it in {', '.join(naming.columns)}, rows: {naming.rows:,}; the first is {_line(naming.first)}"
    if m.versions:
        yield ""
        yield from _timeline(m, last)
    elif m.events:
        yield from ("", "Events:", *_events(m.events, "  "))
    if m.newest:
        yield from ("", "The same on every version:")
        yield from _values(m.newest)
    yield from _quarantined(m.quarantined)


def _timeline(m: Member, last: int | None) -> Iterator[str]:
    versions = m.versions
    head, tail = versions, []
    if last is not None and last < len(versions):
        head, tail = [], versions[-last:]
    elif last is None and len(versions) > _MOST:
        head, tail = versions[: _MOST // 2], versions[-_MOST // 2 :]
    left_out = len(versions) - len(head) - len(tail)
    for version in head:
        yield from _version(version, m, is_last=version is versions[-1])
    if left_out:
        yield f"┊  versions not drawn: {left_out:,}. To see all: --last {len(versions)}"
        yield "┊"
    for version in tail:
        yield from _version(version, m, is_last=version is versions[-1])


def _version(v: Version, m: Member, *, is_last: bool) -> Iterator[str]:
    bar = " " if is_last else "│"
    marks = [*(["current"] if v.is_current else []), *(["deleted"] if v.is_deleted else [])]
    period = f"{_time(v.valid_from)} → {_time(v.valid_to)}"
    also = f"  ({', '.join(marks)})" if marks else ""
    yield click.style(f"● {period}", bold=True) + f"  version {v.number}{also}"
    if v.number == 1:
        changed = {name: text(value) for name, value in v.tracked.items()}
    else:
        changed = {name: f"{text(before)} → {text(after)}" for name, (before, after) in v.changed.items()}
    yield from (f"{bar}    {line}" for line in _aligned(changed))
    yield from _events([e for e in m.events if e.version == v.number], f"{bar}  ")
    if not is_last:
        yield "│"


def _events(events: Sequence[Event], margin: str) -> Iterator[str]:
    """Events, one below the other, hung to a line of their own; of many the first and the last."""
    drawn = list(enumerate(events, 1))
    left_out = max(0, len(events) - _EVENTS)
    for place, event in drawn if not left_out else [*drawn[: _EVENTS // 2], *drawn[-_EVENTS // 2 :]]:
        if left_out and place == len(events) - _EVENTS // 2 + 1:
            yield f"{margin}┊ events not drawn: {left_out:,}. All are in --json"
        branch, trunk = ("└", " ") if place == len(events) else ("├", "│")
        where, what = _event(event)
        if len(margin) + 3 + len(where) + len(what) <= _WIDTH:
            yield f"{margin}{branch} {where} {what}"
        else:
            yield f"{margin}{branch} {where}"
            yield f"{margin}{trunk}     {what}"


def _event(e: Event) -> tuple[str, str]:
    """When an event is true and where it was delivered; and what became of it."""
    fates = {
        "counts": "counts",
        "makes a version": "made this version",
        "changes nothing tracked": "no change in what is tracked",
        "superseded": "superseded" + (f" by {_line(e.by, beside=e.origin)}" if e.by is not None else ""),
        "completed": "completed" + (f" by {_line(e.by, beside=e.origin)}" if e.by is not None else ""),
        "says nothing new": "said nothing new",
    }
    what = fates[e.fate]
    if e.absent:
        what = f"absent from the snapshot; {what}"
    elif e.deleted:
        what = f"deletion; {what}"
    when = [] if e.at is None else [_time(e.at)]
    return " ".join([*when, f"{_line(e.origin)}:"]), what + (", arrived late" if e.late else "")


# A row of a fact


def _fact_row(f: FactRow) -> Iterator[str]:
    where = "is" if f.row is not None else "is not"
    yield f"{click.style(_key(f.key), bold=True)} {where} in {f.table}, as of release {f.release}."
    if f.why:
        yield text(f.why)
    if f.row is not None:
        looked_up = {found.column for found in f.lookups}
        yield ""
        yield from _values({name: value for name, value in f.row.items() if name not in looked_up and name not in f.key})
    for found in f.lookups:
        yield from ("", *_found(found))
    yield from _origins("Its line:", f.lines)
    yield from _origins("Its header:", f.header)
    yield from _quarantined(f.quarantined)


def _found(found: Found) -> Iterator[str]:
    key = _key(found.key) if found.key else ""
    told = [f"{found.column} {found.points_to} in {found.dimension}"]
    if key:
        told.append(key)
    if found.version is not None and not found.is_inferred:
        told.append(f"version {found.version.number}, {_time(found.version.valid_from)} → {_time(found.version.valid_to)}")
    yield click.style(f"{told[0]}:", bold=True) + (f" {', '.join(told[1:])}" if told[1:] else "")
    yield f"  looked up at {found.at}, {_time(found.time)}" if found.time is not None else f"  looked up at {found.at}"
    if found.why:
        yield f"  {'' if found.is_inferred else 'the unknown member: '}{found.why}"
    elif found.version is not None:
        yield from _values(found.version.tracked)
        if found.version.is_deleted:
            yield "  deleted in this period"


def _origins(title: str, events: Sequence[Event]) -> Iterator[str]:
    if events:
        yield from ("", title, *_events(events, "  "))
        if events[-1].origin.path:
            yield f"    {events[-1].origin.path}"
        carried = ", ".join(f"{name} {text(_plain(value))}" for name, value in events[-1].values.items())
        yield from textwrap.wrap(carried, _WIDTH, initial_indent="    ", subsequent_indent="    ")


# Both


def _quarantined(rows: Sequence[SetAside]) -> Iterator[str]:
    if rows:
        yield from ("", "In quarantine:")
    for row in rows:
        yield f"  {_line(row.origin)}: {'; '.join(row.reasons)}"
        yield f"    {text(row.row)}"
        if row.origin.path:
            yield f"    {row.origin.path}"


def _line(origin: Origin, *, beside: Origin | None = None) -> str:
    """A line of a drop, and its release; what it shares with the one beside which it is told is not said twice."""
    drop = text(origin.drop)
    line = f"line {origin.line}" if origin.line else ""
    if beside is not None:
        return line if line and origin.drop == beside.drop else f"{drop} {line}".rstrip()
    return " ".join(filter(None, [f"{origin.source}/{drop}", line, _release(origin)]))


def _release(origin: Origin) -> str:
    return f"(release {origin.release})" if origin.release is not None else ""


def _key(key: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {text(value)}" for name, value in key.items())


def _values(values: Mapping[str, Any]) -> Iterator[str]:
    return (f"  {line}" for line in _aligned({name: text(_plain(value)) for name, value in values.items()}))


def _aligned(values: Mapping[str, str]) -> Iterator[str]:
    width = max(map(len, values), default=0)
    return (f"{name.ljust(width)}  {value}" for name, value in values.items())


def _plain(value: Any) -> Any:
    return _time(value) if isinstance(value, datetime) else value


def _time(value: Any) -> str:
    """A time in UTC; a midnight as its date alone, and the open end as such."""
    if isinstance(value, datetime):
        if value.year == _OPEN:
            return "open"
        if value.time() == time():
            return value.date().isoformat()
    return text(value)
