"""Each named function, on Spark as on DuckDB: the same values, exactly, of all that is nasty."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import ibis
import ibis.expr.types as ir
import pytest

from aisle import _
from aisle.declare.expressions import evaluated
from aisle.engines.duckdb.engine import DuckDBEngine
from aisle.engines.spark.engine import SparkEngine
from aisle.lake.storage import open_storage
from aisle.stages import functions as f
from aisle.stages.conform import half_up

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from aisle.engines.port import Engine

pytestmark = pytest.mark.spark

TEXTS = [
    *(None, "", " ", "  a", "a  ", "\ta\r\n", "\u00a0a\u00a0", "\u00a0", "\u2003a", "a\u2028", "a\x0b", "a\u0085", "\u200ba"),
    *("é", "e\u0301", "😀", "👩‍👩‍👧", "日本", "ß", "ẞ", "Σας", "Home  Office", "home_office", "HOME-OFFICE", "a - _ b", " -a-"),
    *("\\", "\\n", "'", '"', "a\tb", "null", "NULL", "$1", "a\\1"),
]
TIMES = [
    *("2025-01-31", "2025-01-31 12", "2025-01-31 12:30", "2025-01-31T12:30", "2025-01-31 12:30:59", "2025-01-31 12:30:59."),
    *("2025-01-31 12:30:59.1", "2025-01-31 12:30:59.123456", "2025-01-31 12:30:59.123456789", "2025-01-31 12:30:59.9999999"),
    *("2025-02-29", "2024-02-29", "2025-13-01", "2025-00-10", "2025-1-1", "0001-01-01", "1582-10-10", "1899-12-31 23:59:59"),
    *("1969-12-31 23:59:59.999999", "1970-01-01", "9999-12-31 23:59:59.999999", "0000-01-01", "10000-01-01", "2025-01-31 25:00"),
    # At changes of the clock, in New York and in Berlin; a day that Samoa left out; an offset of half an hour.
    *("2025-03-09 01:59:59", "2025-03-09 02:00", "2025-03-09 02:30", "2025-03-09 03:00", "2025-11-02 00:59", "2025-11-02 01:00"),
    *(
        "2025-11-02 01:30:00.5",
        "2025-11-02 02:00",
        "2025-03-30 02:30",
        "2025-10-26 02:30",
        "2011-12-30 12:00",
        "1942-08-15 10:00",
    ),
    *("2025-04-06 01:45", "2025-10-05 02:15"),
    *("2025-01-31 12:30Z", "2025-01-31T12:30:00Z", "2025-01-31 12:30:00 Z", "2025-01-31 12:30+01", "2025-01-31 12:30:00.25+0130"),
    *("2025-01-31 12:30:00 -05:30", "2025-01-31 12:30+14:00", "2025-01-31 12:30+15:00", "2025-01-31 12:30 +1", "2025-01-31Z"),
    *("2025-01-31 12:30:00z", "2025-01-31 12:30:60", "2025-01-31 12:30\n", "2025-01-31\u2028", "now", "epoch", "today", "", None),
    *(
        "٢٠٢٥-01-31",
        "2025-01-31 24:00:00",
        "2025-01-31 24:00",
        "2025-01-31 24:00:00Z",
        "2025-01-31 24:00:00.0 +01:30",
        "2025-01-31 24:00:01",
        "2025-01-31 24:01Z",
        "-2025-01-31",
        "2025-01-31T",
    ),
]
ZONES = ["UTC", "America/New_York", "Europe/Berlin", "Pacific/Apia", "Australia/Lord_Howe"]
BOOLEANS = ["true", "T", "YES", "y", "1", "false", "F", "No", "n", "0", "", "on", "2", " true", None, "\u017f", "İ"]
INSTANTS = [
    *(0, -1, 1, -999_999, 1_000_000, 1_735_689_600_000_000, 1_741_503_599_999_999, 1_741_503_600_000_000),
    *(-2_208_988_800_000_000, 253_402_214_400_000_000, 7_258_118_399_999_999, 1_762_063_200_500_000, None),
]
DATES = ["1900-01-01", "0001-01-01", "0999-12-31", "1969-12-31", "2024-02-29", "9999-12-31", None]
DECIMALS = ["0.005", "-0.005", "0.0049999999", "1.125", "-1.125", "2.5", "-2.5", "0", "99999999999999999.4444444444", None]
FLOATS = [
    *(
        "0.0",
        "-0.0",
        "0.5",
        "-0.5",
        "1.5",
        "2.5",
        "1.005",
        "-1.005",
        "0.1",
        "0.49999999999999994",
        "1e15",
        "4503599627370495.5",
        "9007199254740993",
    ),
    *("1e22", "-1e300", "5e-324", "Infinity", "-Infinity", "NaN", "1234.5678", None),
    *("2.2250738585072014e-308", "1.7976931348623157e308", "2e23", "8", "7.999999999999999", "-1.25e-310", "0.30000000000000004"),
]


def _texts(function: Any, values: list[str | None]) -> Callable[[Engine], ir.Table]:
    return lambda engine: _column(engine, "string", values).mutate(out=function(ibis._["given"]))


def _column(engine: Engine, type_: str, values: list[Any]) -> ir.Table:
    return engine.values("given", ibis.schema({"n": "int64", "given": type_}), list(enumerate(values)))


def _zoned(function: Any, given: Callable[[Engine], ir.Table]) -> Callable[[Engine], ir.Table]:
    def asked(engine: Engine) -> ir.Table:
        table = given(engine)
        answers = {zone: function(table["given"], zone) for zone in ZONES}
        # As numbers, since Python has no year 0.
        return table.mutate(**{zone: f.micros_of(a) if a.type().is_timestamp() else a for zone, a in answers.items()})

    return asked


def _instants(engine: Engine) -> ir.Table:
    table = _column(engine, "int64", INSTANTS)
    return table.mutate(given=f.instant(table["given"]))


def _naive(engine: Engine) -> ir.Table:
    table = _column(
        engine, "string", [t for t in TIMES if t and len(t) > 15 and t[:4].isascii() and t[:1] == "2" and "24:" not in t]
    )
    return table.mutate(given=table["given"].substr(0, 16).try_cast("timestamp(6)"))


def _floats(engine: Engine) -> ir.Table:
    table = _column(engine, "string", FLOATS)
    return table.mutate(given=table["given"].cast("float64"))


CASES: dict[str, Callable[[Engine], ir.Table]] = {
    "cleaned": _texts(f.cleaned, TEXTS),
    "spelling": _texts(f.spelling, TEXTS),
    "hash63": _texts(f.hash63, TEXTS),
    "read_time": _zoned(f.read_time, lambda engine: _column(engine, "string", TIMES)),
    "in_zone": _zoned(f.in_zone, _naive),
    "read_date": _texts(lambda text: f.day_number(f.read_date(text)), TIMES),
    "read_boolean": _texts(f.read_boolean, BOOLEANS),
    "local_date": _zoned(f.local_date, _instants),
    "instant": _instants,
    "micros_of": lambda engine: _instants(engine).mutate(out=f.micros_of(ibis._["given"])),
    "month_of": lambda engine: _instants(engine).mutate(out=f.month_of(ibis._["given"])),
    "shown_time": lambda engine: _instants(engine).mutate(out=f.shown_time(ibis._["given"])),
    "day_number": lambda engine: _column(engine, "date", DATES).mutate(out=f.day_number(ibis._["given"])),
    "rounded": lambda engine: (t := _column(engine, "decimal(27, 10)", DECIMALS)).mutate(
        **{f"to_{scale}": half_up(t["given"], f"decimal(28, {scale})") for scale in (0, 2, 9)}, whole=half_up(t["given"], "int64")
    ),
    "exactly": lambda engine: _floats(engine).mutate(out=f.exactly(ibis._["given"])),
    "finite": lambda engine: _floats(engine).mutate(out=f.finite(ibis._["given"])),
    "nearest": lambda engine: (t := _floats(engine)).mutate(**{f"to_{n}": f.nearest(t["given"], n) for n in (0, 2, 4)}),
}
NAMED = {name for name, function in inspect.getmembers(f) if getattr(function, "__module__", None) == f.__name__}


def test_every_named_function_is_compared() -> None:
    assert set(CASES) == NAMED


@pytest.fixture(scope="module")
def engines(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[DuckDBEngine, SparkEngine]]:
    storage = open_storage(tmp_path_factory.mktemp("scratch"))
    with DuckDBEngine(threads=1) as duckdb, SparkEngine(spark, storage) as spark_engine:
        yield duckdb, spark_engine


def _answers(engine: Engine, expression: ir.Table) -> list[str]:
    # By how they are written: NaN equals itself, and -0.0 is not 0.0.
    return [repr(row) for row in engine.rows(expression.order_by("n"))]


@pytest.mark.parametrize("name", CASES)
def test_a_function_is_the_same(engines: tuple[DuckDBEngine, SparkEngine], name: str) -> None:
    duckdb, spark = (_answers(engine, CASES[name](engine)) for engine in engines)
    assert spark == duckdb


MEASURES = {
    "a product": (_.quantity * _.price * (1 - _.discount), "decimal(18, 2)"),
    "a product with a number": (_.price * Decimal("0.075"), "decimal(18, 2)"),
    "a sum": (_.price + _.discount - 1, "decimal(18, 4)"),
    "a share": (_.price / _.quantity, "decimal(18, 4)"),
    "a share of whole numbers": (_.quantity / 4, "int64"),
    "a wide product": (_.price * _.price, "decimal(38, 6)"),
    "a float": (_.price / _.quantity, "float64"),
}
LINES = [
    (1, 3, "19.9950", "0.125"),
    (2, -3, "19.9950", "0.125"),
    (3, 7, "0.0001", "0.999"),
    (4, 10, "99999.9999", "0.001"),
    (5, 2, "-0.0050", "0"),
    (6, 6, None, "0.5"),
    (7, None, "1", None),
]


@pytest.mark.parametrize("name", MEASURES)
def test_a_measure_is_the_same(engines: tuple[DuckDBEngine, SparkEngine], name: str) -> None:
    expression, type_ = MEASURES[name]
    schema = ibis.schema({"n": "int64", "quantity": "int64", "price": "decimal(18, 4)", "discount": "decimal(4, 3)"})
    answers = []
    for engine in engines:
        lines = engine.values("lines", schema, LINES)
        answers.append(_answers(engine, lines.select("n", out=half_up(evaluated(expression, lines), type_))))
    assert answers[1] == answers[0]
