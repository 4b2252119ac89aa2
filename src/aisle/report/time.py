"""Time, as the report's figures go by it: days, months, quarters or years without a gap, whichever are not too many."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import ibis.expr.types as ir

Unit = Literal["day", "month", "quarter", "year"]

_MOST: dict[Unit, int] = {"day": 62, "month": 72, "quarter": 100}


@dataclass(frozen=True)
class Buckets:
    """The units of time that figures are summed by, from the first day to the last one."""

    unit: Unit
    first: tuple[date, ...]
    """The first day of each."""

    @classmethod
    def spanning(cls, first: date, last: date) -> Buckets:
        """The finest units of which there are not too many for a chart."""
        for unit, most in _MOST.items():
            if len(starts := tuple(_starts(unit, first, last))) <= most:
                return cls(unit, starts)
        return cls("year", tuple(_starts("year", first, last)))

    def of(self, day: ir.IntegerValue) -> ir.IntegerValue:
        """The number of the bucket that a day, written as YYYYMMDD, is in: such as YYYYMM of a month."""
        match self.unit:
            case "day":
                return day
            case "month":
                return day // 100
            case "quarter":
                return day // 10_000 * 10 + (day // 100 % 100 + 2) // 3
            case "year":
                return day // 10_000

    @property
    def places(self) -> dict[int, int]:
        """The place of each bucket, by its number."""
        return {_number(self.unit, start): place for place, start in enumerate(self.first)}


def _number(unit: Unit, day: date) -> int:
    numbers = {
        "day": day.year * 10_000 + day.month * 100 + day.day,
        "month": day.year * 100 + day.month,
        "quarter": day.year * 10 + (day.month + 2) // 3,
        "year": day.year,
    }
    return numbers[unit]


def _starts(unit: Unit, first: date, last: date) -> Iterator[date]:
    months = {"month": 1, "quarter": 3, "year": 12}
    if unit == "day":
        yield from (first + timedelta(days=n) for n in range((last - first).days + 1))
        return
    step = months[unit]
    month = (first.year * 12 + first.month - 1) // step * step
    while (start := date(month // 12, month % 12 + 1, 1)) <= last:
        yield start
        month += step
