"""The calendar's days: a pure function of its declaration and its last year."""

from __future__ import annotations

import calendar as names
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import holidays as countries

from aisle.declare.calendar import CalendarSpec


def calendar(c: CalendarSpec, last: int) -> list[tuple[Any, ...]]:
    """One row for each day of the years `c.start` to `last`, and the unknown day -1 before them."""
    holidays = _holidays(c, last)
    days = (date(c.start, 1, 1) + timedelta(days=i) for i in range((date(last + 1, 1, 1) - date(c.start, 1, 1)).days))
    return [(-1, *[None] * (len(c.columns) - 1)), *[_day(day, c, holidays) for day in days]]


def _day(day: date, c: CalendarSpec, holidays: dict[date, str]) -> tuple[Any, ...]:
    iso = day.isocalendar()
    fiscal_month = (day.month - c.fiscal_year_starts) % 12 + 1
    # Named after the year in which it ends, unless it is the calendar year itself.
    fiscal_year = day.year + (1 if c.fiscal_year_starts > 1 and day.month >= c.fiscal_year_starts else 0)
    retail_year, retail_week = _retail(day, c.retail_year_starts)
    retail_period = _period(retail_week)
    return (
        day.year * 10_000 + day.month * 100 + day.day,
        day,
        day.year,
        (day.month + 2) // 3,
        day.month,
        names.month_name[day.month],
        day.day,
        day.timetuple().tm_yday,
        iso.weekday,
        names.day_name[day.weekday()],
        iso.weekday > 5,
        iso.year,
        iso.week,
        fiscal_year,
        (fiscal_month + 2) // 3,
        fiscal_month,
        retail_year,
        (retail_period + 2) // 3,
        retail_period,
        retail_week,
        day in holidays,
        holidays.get(day),
    )


def _retail_start(year: int, month: int) -> date:
    """The Monday nearest to the first of the month: there the 4-4-5 year starts."""
    first = date(year, month, 1)
    return first + timedelta(days=(3 - first.weekday()) % 7 - 3)


def _retail(day: date, month: int) -> tuple[int, int]:
    """Year and week of the 4-4-5 calendar."""
    year = next(y for y in (day.year + 1, day.year, day.year - 1) if _retail_start(y, month) <= day)
    return year, (day - _retail_start(year, month)).days // 7 + 1


def _period(week: int) -> int:
    """Period of a 4-4-5 week: quarters of 13 weeks, in each periods of 4, 4 and 5; a 53rd week joins the last."""
    quarter, inside = divmod(min(week, 52) - 1, 13)
    return quarter * 3 + min(inside // 4, 2) + 1


def _holidays(c: CalendarSpec, last: int) -> dict[date, str]:
    if c.holidays is None:
        return {}
    country, _, subdivision = c.holidays.partition("-")
    found = countries.country_holidays(country, subdiv=subdivision or None, years=range(c.start, last + 1))
    return dict(found.items())


def local_year(time: datetime, zone: str) -> int:
    """The year that a clock in `zone` showed at a naive UTC time."""
    return time.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).year
