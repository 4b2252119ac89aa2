"""The events of a row: what was delivered of it, where, when it was first known, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

import ibis
import ibis.expr.types as ir

from aisle.declare.source import ABSENT, DELETED, DROP, LINE, SourceSpec
from aisle.stages.snapshots import ABSENCE
from aisle.steward.personal import personal_of
from aisle.steward.trace import Origin, SetAside, Trace

Standing = Literal["in the star", "inferred", "waits", "deleted", "in quarantine", "never delivered", "missing"]
"""How a row stands. It is `missing` if it should be there and is not: then a law is broken."""
Fate = Literal["counts", "makes a version", "changes nothing tracked", "superseded", "completed", "says nothing new"]


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


def events_of(t: Trace, source: SourceSpec, stored: ir.Table) -> list[Event]:
    """The events of one key in the order of its history."""
    at = source.changed_at
    rows = t.engine.rows(stored.order_by([ibis.asc(c, nulls_first=True) for c in source.order]))
    personal = personal_of(source)
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


def passed(source: SourceSpec, event: Event) -> Fate:
    """What an event is that another one follows: what a partial change carries alone still holds."""
    return "completed" if source.partial and not event.deleted else "superseded"


def not_delivered(t: Trace, source: SourceSpec, quarantined: Sequence[SetAside]) -> str:
    """Why silver has no row of a key."""
    if quarantined:
        return f"What was delivered of it to {source.name} breaks the contract, and is in quarantine."
    unread = sum(d.status in ("refused", "held") for d in t.ledger[source.name])
    also = f" Of what is in the drops of it that were refused or held ({unread}) nothing is known." if unread else ""
    return f"No row of {source.name} that was delivered has this key.{also}"
