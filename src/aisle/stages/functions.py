"""Functions that mean the same on every engine.

Ibis compiles each to a call by its name; each engine defines the name in its own SQL
(`engines/duckdb/functions.py` and its siblings), because the engines' own functions differ.
"""

from __future__ import annotations

from datetime import date, datetime

import ibis

# An Ibis built-in's body is never run: the engine's own definition is.
# mypy: disable-error-code="empty-body, untyped-decorator, valid-type"


@ibis.udf.scalar.builtin
def cleaned(text: str) -> str:
    """Text without white space at its ends; null if nothing is left."""


@ibis.udf.scalar.builtin
def spelling(text: str) -> str:
    """What counts of a vocabulary's word: lower case, words joined by one blank, be they by blanks, - or _."""


@ibis.udf.scalar.builtin
def read_time(text: str, zone: str) -> ibis.expr.datatypes.Timestamp(timezone="UTC", scale=6):
    """An ISO 8601 time as UTC, or null; a time without offset is in `zone`, a date alone is its midnight."""


@ibis.udf.scalar.builtin
def read_date(text: str) -> date:
    """An ISO 8601 date (YYYY-MM-DD), or null."""


@ibis.udf.scalar.builtin
def read_boolean(text: str) -> bool:
    """true, t, yes, y, 1 / false, f, no, n, 0 in any case, or null."""


@ibis.udf.scalar.builtin
def in_zone(time: datetime, zone: str) -> ibis.expr.datatypes.Timestamp(timezone="UTC", scale=6):
    """A naive local time of `zone` as UTC."""


@ibis.udf.scalar.builtin
def local_date(time: ibis.expr.datatypes.Timestamp(timezone="UTC", scale=6), zone: str) -> date:
    """The date that a clock in `zone` showed at a UTC time."""


@ibis.udf.scalar.builtin
def day_number(day: date) -> int:
    """A date as the number YYYYMMDD."""


@ibis.udf.scalar.builtin
def rounded(number: ibis.expr.datatypes.Decimal(), scale: int) -> ibis.expr.datatypes.Decimal():
    """A decimal rounded half away from zero to `scale` digits after the point."""


@ibis.udf.scalar.builtin
def finite(number: float) -> float:
    """A float as it is, but 0 has no sign: files would keep one of the two, by their order. Null if infinite or no number."""


@ibis.udf.scalar.builtin
def nearest(number: float, scale: int) -> float:
    """A float rounded half away from zero to `scale` digits after the point."""


@ibis.udf.scalar.builtin
def exactly(number: float) -> str:
    """A float without loss: its 53 binary digits as a whole number and the power of two, as "-6755399441055744p0" for -1.5."""


@ibis.udf.scalar.builtin
def shown_time(time: ibis.expr.datatypes.Timestamp(timezone="UTC", scale=6)) -> str:
    """A time for a reader, as "2025-01-31 12:00:00+00"."""


@ibis.udf.scalar.builtin
def micros_of(time: ibis.expr.datatypes.Timestamp(timezone="UTC", scale=6)) -> int:
    """Microseconds since 1970-01-01 UTC."""


@ibis.udf.scalar.builtin
def instant(micros: int) -> ibis.expr.datatypes.Timestamp(timezone="UTC", scale=6):
    """The time that is `micros` microseconds after 1970-01-01 UTC."""


@ibis.udf.scalar.builtin
def hash63(text: str) -> int:
    """The first 63 bits of the MD5 of the text's UTF-8 bytes, as a non-negative integer."""


@ibis.udf.scalar.builtin
def month_of(time: ibis.expr.datatypes.Timestamp(timezone="UTC", scale=6)) -> str:
    """The UTC month of a time, as "2025-01"."""
