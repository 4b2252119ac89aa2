"""The calendar against known dates, and against what every calendar must hold."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

import pytest

from aisle.declare.calendar import CalendarSpec
from aisle.stages.calendar import calendar, local_year

SPEC = CalendarSpec("dim_date", "", 2020, 2, 2, "US")
NAMES = [c.name for c in SPEC.columns]
DAYS = {row[0]: dict(zip(NAMES, row, strict=True)) for row in calendar(SPEC, 2032)}


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (20241230, {"iso_year": 2025, "iso_week": 1, "day_of_week": 1, "day_name": "Monday", "is_weekend": False}),
        (20210103, {"iso_year": 2020, "iso_week": 53, "is_weekend": True, "quarter": 1, "day_of_year": 3}),
        (20250704, {"is_holiday": True, "holiday_name": "Independence Day", "month_name": "July"}),
        (20250705, {"is_holiday": False, "holiday_name": None}),
        (20250131, {"fiscal_year": 2025, "fiscal_month": 12, "fiscal_quarter": 4}),
        (20250201, {"fiscal_year": 2026, "fiscal_month": 1, "fiscal_quarter": 1, "retail_year": 2024, "retail_week": 53}),
        (20250203, {"retail_year": 2025, "retail_week": 1, "retail_period": 1, "retail_quarter": 1}),
        (20240229, {"day": 29, "day_of_year": 60, "date": date(2024, 2, 29)}),
    ],
)
def test_known_days(day: int, expected: dict[str, Any]) -> None:
    assert expected.items() <= DAYS[day].items()


def test_whole_years_each_day_once_and_the_unknown_day() -> None:
    days = sorted(d["date"] for k, d in DAYS.items() if k != -1)
    assert days == [date(2020, 1, 1) + timedelta(days=i) for i in range((date(2033, 1, 1) - date(2020, 1, 1)).days)]
    assert all(value is None for name, value in DAYS[-1].items() if name != "date_key")


def test_a_fiscal_year_that_starts_in_january_is_the_calendar_year() -> None:
    plain = CalendarSpec("dim_date", "", 2024, 1, 1, None)
    for row in calendar(plain, 2024)[1:]:
        day = dict(zip(NAMES, row, strict=True))
        assert (day["fiscal_year"], day["fiscal_month"], day["fiscal_quarter"]) == (day["year"], day["month"], day["quarter"])
        assert not day["is_holiday"]


def test_retail_periods_are_of_4_4_and_5_weeks() -> None:
    days = [d for k, d in sorted(DAYS.items()) if k != -1 and 2020 <= d["retail_year"] <= 2030]
    for _year, of_year in groupby(days, key=lambda d: d["retail_year"]):
        weeks = {d["retail_week"]: d["retail_period"] for d in of_year}
        counts = Counter(weeks.values())
        assert sorted(weeks) == list(range(1, len(weeks) + 1))
        assert [counts[p] for p in range(1, 13)] == [4, 4, 5] * 3 + [4, 4, 5 + len(weeks) - 52]
    starts = [d for d in days if d["retail_week"] == 1 and d["day_of_week"] == 1]
    # The Monday nearest to 1 February, so from 29 January to 4 February.
    assert all((d["month"], d["day"]) in {(1, 29), (1, 30), (1, 31), (2, 1), (2, 2), (2, 3), (2, 4)} for d in starts)


def test_a_subdivision_has_its_own_holidays() -> None:
    bavaria = CalendarSpec("dim_date", "", 2025, 1, 1, "DE-BY")
    named = {row[1]: row[-1] for row in calendar(bavaria, 2025)}
    assert named[date(2025, 1, 6)] is not None


def test_the_year_is_that_of_the_business() -> None:
    assert local_year(datetime(2026, 1, 1, 3), "America/New_York") == 2025
    assert local_year(datetime(2025, 12, 31, 23), "Europe/Berlin") == 2026
