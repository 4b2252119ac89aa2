"""A calendar: the date dimension, one row for each day."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

import ibis

from aisle.declare.classes import column_annotations, docstring, snake_case
from aisle.declare.dimension import StarColumn
from aisle.errors import DeclarationError

_COLUMNS = (
    ("date_key", "int64", "Key of the day as the number YYYYMMDD; -1 is the unknown day."),
    ("date", "date", "The day."),
    ("year", "int64", "Calendar year."),
    ("quarter", "int64", "Calendar quarter, 1 to 4."),
    ("month", "int64", "Calendar month, 1 to 12."),
    ("month_name", "string", "Name of the month in English."),
    ("day", "int64", "Day of the month."),
    ("day_of_year", "int64", "Day of the year, from 1."),
    ("day_of_week", "int64", "ISO weekday: 1 is Monday, 7 is Sunday."),
    ("day_name", "string", "Name of the weekday in English."),
    ("is_weekend", "boolean", "Saturday or Sunday."),
    ("iso_year", "int64", "Year of the ISO 8601 week."),
    ("iso_week", "int64", "ISO 8601 week, 1 to 53."),
    ("fiscal_year", "int64", "Fiscal year, named after the calendar year in which it ends."),
    ("fiscal_quarter", "int64", "Quarter of the fiscal year, 1 to 4."),
    ("fiscal_month", "int64", "Month of the fiscal year, 1 to 12."),
    ("retail_year", "int64", "Year of the 4-4-5 calendar, named after the calendar year in which it starts."),
    ("retail_quarter", "int64", "Quarter of the 4-4-5 calendar, 1 to 4."),
    ("retail_period", "int64", "Period of the 4-4-5 calendar, 1 to 12: of 4, 4 and 5 weeks."),
    ("retail_week", "int64", "Week of the 4-4-5 calendar, 1 to 53."),
    ("is_holiday", "boolean", "A public holiday of the calendar's country."),
    ("holiday_name", "string", "Name of the holiday, if it is one."),
)


@dataclass(frozen=True)
class CalendarSpec:
    """What a Calendar class declares, as a value."""

    table: str
    doc: str = field(repr=False)
    start: int
    fiscal_year_starts: int
    retail_year_starts: int
    holidays: str | None

    @property
    def name(self) -> str:
        return self.table.removeprefix("dim_")

    @property
    def key(self) -> str:
        return "date_key"

    @cached_property
    def columns(self) -> tuple[StarColumn, ...]:
        return tuple(StarColumn(name, type_, name != "date_key", doc) for name, type_, doc in _COLUMNS)

    @cached_property
    def schema(self) -> ibis.Schema:
        return ibis.schema({c.name: c.type for c in self.columns})


class Calendar:
    """The date dimension. Its columns are given; subclass it to settle the business's own calendar.

    It covers whole years, from `start` to the last year that any fact date reached, and has the
    unknown day -1.

    Args:
        start: its first year.
        fiscal_year_starts: the month, 1 to 12, in which the fiscal year starts.
        retail_year_starts: the month, 1 to 12, near whose first day the 4-4-5 year starts: on the Monday nearest
            to it. The National Retail Federation's calendar starts in February.
        holidays: a country code of the `holidays` package, such as "US" or "DE", or "DE-BY" with
            its subdivision; None for no holidays.
        name: of the table; by default the class name in snake_case, such as `dim_date`.
    """

    __aisle__: ClassVar[CalendarSpec]

    def __init_subclass__(
        cls,
        *,
        start: int,
        fiscal_year_starts: int = 1,
        retail_year_starts: int = 2,
        holidays: str | None = None,
        name: str | None = None,
    ) -> None:
        owner = cls.__name__
        if column_annotations(cls):
            raise DeclarationError(owner, "a calendar's columns are given", "Leave the class body empty, but for its docstring.")
        if not 1900 <= start < 2200:
            raise DeclarationError(owner, f"start={start} is not a year between 1900 and 2199")
        for what, month in (("fiscal_year_starts", fiscal_year_starts), ("retail_year_starts", retail_year_starts)):
            if not 1 <= month <= 12:
                raise DeclarationError(owner, f"{what}={month} is no month", "Use 1 to 12.")
        if holidays is not None:
            _known_country(owner, holidays)
        cls.__aisle__ = CalendarSpec(
            name or snake_case(owner), docstring(cls), start, fiscal_year_starts, retail_year_starts, holidays
        )


def _known_country(owner: str, code: str) -> None:
    import holidays
    from holidays.registry import EntityLoader

    country, _, subdivision = code.partition("-")
    if country not in EntityLoader.get_country_codes():
        raise DeclarationError(
            owner, f"holidays={code!r} is no country of the holidays package", 'Use a code such as "US" or "DE".'
        )
    if subdivision and subdivision not in (known := getattr(holidays, country).subdivisions):
        raise DeclarationError(owner, f"{country} has no subdivision {subdivision!r}", "There are " + ", ".join(known))
