"""Values at their limits, through whole runs on both engines: what is accepted, refused, compared, hashed and multiplied."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import pytest
from annotated_types import Ge, MaxLen, MinLen, MultipleOf

from aisle import (
    Calendar,
    Current,
    Degenerate,
    Digits,
    Dimension,
    Fact,
    Lookup,
    NaturalKey,
    Original,
    Overwrite,
    Pattern,
    Source,
    Star,
    Sum,
    Track,
    _,
    by,
)
from aisle.run import run
from lakes import content
from test_spark import tables, types

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark


class Things(Source, key=("code", "part"), changed_at="at", format="jsonl", time_zone="America/New_York"):
    """What there is, by a shop's own clock."""

    code: str
    part: date
    label: Annotated[str, MinLen(1), MaxLen(2)] | None
    pattern: Annotated[str, Pattern(r"[^@\s]+@[^@\s]+", "an address")] | None
    widest: Annotated[Decimal, Digits(38, 19)] | None
    whole: int | None
    share: float | None
    step: Annotated[Decimal, Digits(9, 3), MultipleOf(Decimal("0.005"))] | None
    sound: bool | None
    at: datetime


class Uses(Source, key="use", feed="events", format="jsonl", time_zone="Europe/Berlin"):
    use: int
    code: str | None
    part: date | None
    used_at: datetime
    quantity: Annotated[int, Ge(-(2**31))] | None
    price: Annotated[Decimal, Digits(9, 4)] | None


class DimThing(Dimension, source=Things):
    code: NaturalKey
    part: NaturalKey
    label: Track
    pattern: Track
    widest: Current
    whole: Track
    share: Track
    step: Overwrite
    sound: Original


class DimDate(Calendar, start=2024): ...


class FactUse(Fact, source=Uses, at=Uses.used_at):
    use: Degenerate
    thing: Lookup[DimThing] = by(Uses.code, Uses.part)
    used_on: Lookup[DimDate]
    quantity: Sum[int]
    amount: Sum[Annotated[Decimal, Digits(18, 2)]] = _.quantity * _.price
    half: Sum[Annotated[Decimal, Digits(18, 2)]] = _.price * Decimal("0.5")


STAR = Star("limits", dimensions=[DimThing, DimDate], facts=[FactUse], time_zone="Australia/Lord_Howe")

CODES = (
    "a",
    "A",
    "ä",
    "a\u0308",
    "a|b",
    "|",
    "😀",
    "日本",
    "\u200ba",
    "ß",
    "null",
    "'\"\\",
    "İ",
    "\U0010ffff",
    "\ufeffx",
    "a\u0000b",
)
TEXTS = (
    None,
    "",
    " ",
    "  a ",
    "a\t",
    "\u00a0a",
    "\u2003",
    "😀😀",
    "😀a😀",
    "e\u0301",
    "a\u0085",
    "a\nb",
    "a\r\n",
    "null",
    "NULL",
    "\\N",
)
ADDRESSES = (None, "a@b", "a @b", "a@b\n", "a\u00a0b@c", "a\u2028@b", "@", "😀@😀", "a@b\u0085")
DECIMALS = (
    *("9999999999999999999.9999999999999999999", "-9999999999999999999.9999999999999999999", "10000000000000000000"),
    *("0.00000000000000000001", "-0", "0.0000000000000000001", "1e3", "+1", " 1", "1.", ".5", "00.10", "1_0", "٣", "0.10", "0.1"),
    *(0.1, 1e18, -0.0, 12345678901234567890, None, True, "NaN", "Infinity"),
)
WHOLES = (
    2**63 - 1,
    -(2**63),
    2**63,
    "9223372036854775807",
    "1.0",
    1.0,
    1e3,
    "-0",
    -0.0,
    "0x1",
    "",
    None,
    2**53 + 1,
    "9007199254740993.0",
)
FLOATS = (
    "NaN",
    "nan",
    "Infinity",
    "-inf",
    0.0,
    -0.0,
    "-0.0",
    5e-324,
    1.7976931348623157e308,
    "1e309",
    0.1,
    "0.1",
    "1,5",
    None,
    2**63,
    1e22,
)
STEPS = ("0.005", "0.0050", "0.004", "-0.005", "999999.995", "1000000", 0.005, None)
BOOLEANS = (True, False, "true", "T", "yes", "0", 1, 0, 2, "", None, "wahr")
TIMES = (
    *("1899-12-31 23:59:59", "1900-01-01", "1900-01-01 00:00:00.000001", "1969-12-31 23:59:59.999999", "1970-01-01", "2199-12-31 23:59:59.999999"),
    # As clocks are changed, in New York, in Berlin and on Lord Howe Island; and the days before.
    *("2024-03-10 01:59:59.999999", "2024-03-10 02:30", "2024-03-10 03:00", "2024-11-03 01:30", "2024-11-03 00:59:59.5", "2024-11-03 02:00"),
    *("2024-03-31 02:30", "2024-10-27 02:30", "2024-10-27 02:59:59.999999", "2024-04-06 16:45", "2024-10-05 15:15:00.000001", "2024-12-31 24:00"),
    *("2024-12-31T23:59:59.999999+14:00", "2024-12-31T23:59:59.9999999Z", "2024-02-29 12:00-05:30", "2023-02-29", "2024-06-01 12:00:00.123456"),
)  # fmt: skip
DAYS = ("2024-02-29", "2023-02-29", "0001-01-01", "9999-12-31", "1582-10-10", "1899-12-31", "2024-2-9")


def lines(rows: Iterable[dict[str, Any]]) -> str:
    return "".join(json.dumps({k: v for k, v in row.items() if v is not None}) + "\n" for row in rows)


def things() -> list[dict[str, Any]]:
    """For each value of each column a row of its own, and versions of one thing that differ in a hair's breadth."""
    usual = {"code": "a", "part": "2024-02-29", "at": "2024-06-01 12:00"}
    columns = {
        "label": TEXTS,
        "pattern": ADDRESSES,
        "widest": DECIMALS,
        "whole": WHOLES,
        "share": FLOATS,
        "step": STEPS,
        "sound": BOOLEANS,
        "at": TIMES,
    }
    each = [{**usual, "code": f"{name}{n}", name: value} for name, values in columns.items() for n, value in enumerate(values)]
    keys = [{**usual, "code": code, "part": day} for code, day in product(CODES, DAYS)]
    changes = [
        {**usual, "code": "changing", "at": f"2024-06-{n:02} 12:00", name: value}
        for n, (name, value) in enumerate(
            [("label", "é"), ("label", "e\u0301"), ("label", "e\u0301 "), ("label", ""), ("share", 0.0), ("share", -0.0), ("widest", "0.1"),
             ("widest", "0.1000000000000000000"), ("widest", "0.1000000000000000001"), ("whole", 0), ("whole", None), ("whole", 2**53),
             ("whole", 2**53 + 1), ("label", "A"), ("label", "a")],
            start=1,
        )
    ]  # fmt: skip
    return [*each, *keys, *changes]


def uses() -> list[dict[str, Any]]:
    usual = {"code": "a", "part": "2024-02-29", "used_at": "2024-06-15 12:00", "quantity": 3, "price": "0.0050"}
    values = [
        *({"used_at": at} for at in TIMES),
        *({"code": code, "part": day} for code in (*CODES, None, "nobody") for day in ("2024-02-29", "9999-12-31", None)),
        *(
            {"quantity": q, "price": p}
            for q, p in product((0, 1, -1, 7, 2**31, -(2**31), None), ("0.0050", "-0.0050", "99999.9999", None))
        ),
    ]
    return [{**usual, "use": n, **value} for n, value in enumerate(values)]


def test_values_at_their_limits_are_the_same(spark: SparkSession, tmp_path: Path) -> None:
    """In one run on DuckDB; on Spark in two, the later half first."""
    for place in ("one", "other"):
        (tmp_path / place / "things").mkdir(parents=True)
        (tmp_path / place / "uses").mkdir(parents=True)
    (tmp_path / "one" / "things" / "1.jsonl").write_text(lines(things()[::2]))
    (tmp_path / "one" / "things" / "2.jsonl").write_text(lines(things()[1::2]))
    (tmp_path / "one" / "uses" / "1.jsonl").write_text(lines(uses()[::2]))
    (tmp_path / "one" / "uses" / "2.jsonl").write_text(lines(uses()[1::2]))
    run(STAR, lake=tmp_path / "duckdb", landing=tmp_path / "one")
    for half in ("2", "1"):
        for source in ("things", "uses"):
            name = f"{source}/{half}.jsonl"
            (tmp_path / "other" / name).write_bytes((tmp_path / "one" / name).read_bytes())
        run(STAR, lake=tmp_path / "spark", landing=tmp_path / "other", spark=spark)
    for table in (*tables(STAR), "quarantine"):
        # By how they are written: -0.0 is not 0.0, and 0.10 not 0.1.
        expected, found = (list(map(repr, content(tmp_path / lake, table)[table])) for lake in ("duckdb", "spark"))
        assert found == expected, table
        assert types(tmp_path / "spark", table)[0] == types(tmp_path / "duckdb", table)[0], table
    counts = {t: len(content(tmp_path / "spark", t)[t]) for t in ("gold/dim_thing", "gold/fact_use", "quarantine")}
    assert date(2024, 2, 29) in {row[2] for row in content(tmp_path / "spark", "gold/dim_thing")["gold/dim_thing"]}
    assert min(counts.values()) > 20, counts
