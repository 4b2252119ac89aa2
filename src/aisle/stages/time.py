"""The ends of time, and points in it. All times are UTC, in microseconds; periods are half-open."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import ibis.expr.types as ir

from aisle.stages.functions import instant

BEGINNING = datetime(1900, 1, 1, tzinfo=UTC)
"""Where a first version's period starts (design §4)."""

LATEST = datetime(2200, 1, 1, tzinfo=UTC)
"""A contract refuses times from here on: a mistyped year would stretch the calendar by thousands."""

LAST_YEAR = LATEST.year - 1
"""The last year that a calendar can reach, whatever a date column says."""

OPEN_END = datetime(9999, 12, 31, tzinfo=UTC)
"""Where a current version's period ends."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micros(time: datetime) -> int:
    """Microseconds since 1970-01-01 UTC."""
    return (time - _EPOCH) // timedelta(microseconds=1)


def moment(time: datetime) -> ir.TimestampValue:
    """A point in time as an expression: by number, since a literal's text would be read in a session's zone."""
    return instant(micros(time))
