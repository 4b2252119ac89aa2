"""A table's fingerprint: by each engine what Python makes of the definition, whatever the order of the rows."""

from __future__ import annotations

import hashlib
import math
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import ibis
import pytest

from aisle.engines.opening import open_engine
from aisle.engines.port import Engine
from aisle.lake.storage import open_storage
from aisle.stages.fingerprint import Fingerprint, summed

SCHEMA = ibis.schema(
    {
        "key": "int64",
        "name": "string",
        "share": "float64",
        "amount": "decimal(18, 2)",
        "part": "decimal(4, 4)",
        "fraction": "decimal(38, 38)",
        "day": "date",
        "at": "timestamp('UTC', 6)",
        "sound": "boolean",
    }
)
ROW = (
    1,
    "Mill & Sons",
    0.1,
    Decimal("1.50"),
    Decimal("0.25"),
    Decimal("0.5"),
    date(2025, 1, 31),
    datetime(2025, 1, 31, 12),
    True,
)
ROWS = [
    ROW,
    ROW,
    (2, "", -0.0, Decimal("-0.05"), Decimal("-0.0005"), Decimal("-0.5"), date(1900, 1, 1), datetime(1900, 1, 1), False),
    (-3, "é 😀\n", 5e-324, Decimal(0), Decimal(0), Decimal(0), date(9999, 12, 31), datetime(9999, 12, 31), None),
    (4, "-", math.inf, Decimal("9999999999999999.99"), Decimal("0.9999"), None, None, datetime(2025, 1, 1, 0, 0, 0, 1), True),
    (5, "0.", -1.7976931348623157e308, None, None, None, None, None, None),
    (None,) * len(SCHEMA),
]


def text(value: Any) -> str | None:
    """A value as the definition writes it, from Python's own view of it."""
    match value:
        case bool():
            return str(value).lower()
        case float() if math.isinf(value):
            return "inf" if value > 0 else "-inf"
        case float():
            mantissa, power = math.frexp(value)
            return f"{int(mantissa * 2**53)}p{power - 1}" if value else "0"
        case datetime():
            return str(
                int((value.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()) * 10**6 + value.microsecond
            )
        case date():
            return f"{value:%Y%m%d}"
    return None if value is None else str(value)


def scaled(name: str, value: Any) -> Any:
    """A decimal with all the digits of its column's type; without the 0 before the point where no digit has room."""
    dtype = SCHEMA[name]
    if value is None or not dtype.is_decimal():
        return value
    shown = f"{value:.{dtype.scale}f}"
    return shown.replace("0.", ".", 1) if dtype.precision == dtype.scale else shown


def by_definition(rows: list[tuple[Any, ...]]) -> Fingerprint:
    total = 0
    for row in rows:
        texts = [text(scaled(name, value)) for name, value in zip(SCHEMA, row, strict=True)]
        line = "".join("-" if t is None else f"{len(t)}:{t}" for t in texts)
        total += int.from_bytes(hashlib.md5(line.encode()).digest()[:8]) >> 1
    return Fingerprint(len(rows), f"{total % 2**63:016x}")


def fingerprint(engine: Engine, rows: list[tuple[Any, ...]]) -> Fingerprint:
    return Fingerprint.of(**engine.rows(summed(engine.values("rows", SCHEMA, rows)))[0])


@pytest.mark.parametrize("name", ["duckdb", pytest.param("spark", marks=pytest.mark.spark)])
def test_every_engine_finds_the_same(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    session = request.getfixturevalue("spark") if name == "spark" else None
    with open_engine(session, open_storage(tmp_path)) as engine:
        assert fingerprint(engine, ROWS) == by_definition(ROWS)
        assert fingerprint(engine, ROWS[::-1]) == by_definition(ROWS)
        assert fingerprint(engine, []) == Fingerprint(0, "0" * 16)


def test_another_value_is_seen_in_any_column_and_so_is_a_row_less(tmp_path: Path) -> None:
    others = (9, "x", 0.2, Decimal("1.51"), Decimal("0.26"), Decimal("0.6"), date(2025, 2, 1), datetime(2025, 2, 1), False)
    with open_engine(None, open_storage(tmp_path)) as engine:
        told = {fingerprint(engine, rows).digest for rows in ([ROW], [ROW, ROW], [])}
        assert len(told) == 3
        for i, other in enumerate(others):
            for changed in (other, None):
                digest = fingerprint(engine, [(*ROW[:i], changed, *ROW[i + 1 :])]).digest
                assert digest not in told
                told.add(digest)


def test_where_one_text_ends_counts(tmp_path: Path) -> None:
    schema = ibis.schema({"a": "string", "b": "string"})
    with open_engine(None, open_storage(tmp_path)) as engine:
        told = [
            engine.rows(summed(engine.values("rows", schema, [row])))[0]["total"]
            for row in (
                ("a", "bc"),
                ("ab", "c"),
                ("a2:bc", None),
                (None, "a2:bc"),
                ("", None),
                (None, ""),
                ("-", ""),
                ("0:-", None),
            )
        ]
    assert len(set(told)) == len(told)
