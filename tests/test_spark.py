"""The same star on Spark as on DuckDB: every row, key and type (design §3, law 5); and one lake, run by both in turn."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import duckdb
import pytest
from click.testing import CliRunner
from deltalake import DeltaTable

import kiosk
from aisle import Calendar, Degenerate, Fact, Lookup, Money, Source, Star, Sum, _
from aisle.cli import main
from aisle.engines.spark.engine import FEW
from aisle.errors import ConfigError, DoesNotFit
from aisle.retail.generate import generate
from aisle.retail.star import star as retail
from aisle.run import run
from aisle.run.check import check
from aisle.run.replay import replace
from aisle.run.undo import undo
from given.reading import Given, read
from given.star import STAR as LABORATORY
from lakes import content
from spark_session import SETTINGS
from test_given import BOOK

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark


def tables(star: Star) -> list[str]:
    """What any way of taking the drops in makes the same: silver and gold."""
    return [*(f"silver/{s.name}" for s in star.sources), *(f"gold/{t.table}" for t in star.tables)]


def types(lake: Path, table: str) -> list[Any]:
    """The columns' names and types, in order: of the Delta table, and of its files."""
    delta = DeltaTable(str(lake / table))
    found: list[Any] = [delta.schema().to_json()]
    with duckdb.connect() as con:
        for uri in delta.file_uris():
            described = con.execute(
                f"DESCRIBE SELECT * FROM read_parquet('{unquote(uri)}', hive_partitioning = false)"
            ).fetchall()
            found.append([(name, kind) for name, kind, *_ in described])
    return [found[0], *found[1:2], len({str(columns) for columns in found[1:]})]


def assert_same(star: Star, one: Path, other: Path, *more: str) -> None:
    for table in (*tables(star), *more):
        assert content(other, table) == content(one, table)
        assert types(other, table) == types(one, table), table


@pytest.mark.parametrize("session", ["spark", "connect"])
def test_a_story_is_the_same_by_spark_and_by_both_in_turn(request: pytest.FixtureRequest, session: str, tmp_path: Path) -> None:
    """First drops; late and corrected ones; undone, and taken in again, by DuckDB both times; a drop replaced."""
    spark = request.getfixturevalue(session)
    states: dict[str, list[kiosk.Content | None]] = {"duckdb": [], "spark": []}
    for name, engine in (("duckdb", None), ("spark", spark)):
        place = tmp_path / name
        for drops in (kiosk.FIRST, kiosk.SECOND):
            kiosk.deliver(place, drops)
            run(kiosk.STAR, lake=place / "lake", landing=place / "landing", spark=engine)
            states[name].append(kiosk.in_lake(place))
        undo(kiosk.STAR, lake=place / "lake")
        states[name].append(kiosk.in_lake(place))
        kiosk.run_it(place)
        states[name].append(kiosk.in_lake(place))
        kiosk.deliver(place, kiosk.CORRECTED)
        kiosk.run_it(place)
        replace(kiosk.STAR, lake=place / "lake", source="members", drop="02.csv", spark=engine)
        states[name].append(kiosk.in_lake(place))
    assert states["duckdb"][0] != states["duckdb"][1]
    assert states["duckdb"][3] != states["duckdb"][4]
    assert states["spark"] == states["duckdb"]
    assert_same(kiosk.STAR, tmp_path / "duckdb" / "lake", tmp_path / "spark" / "lake")
    assert [f for f in check(kiosk.STAR, lake=tmp_path / "spark" / "lake", spark=spark) if not f.holds] == []
    # What was kept in between is gone.
    assert not list((tmp_path / "spark" / "lake" / "bronze" / "_incoming").iterdir())


@pytest.mark.parametrize("few", [40, 1_000_000], ids=["some of it on the driver", "all of it on the driver"])
def test_where_it_is_computed_makes_no_difference(spark: SparkSession, tmp_path: Path, few: int) -> None:
    """Of what has few rows, DuckDB computes on the driver: what is few is 40 rows, and a million; in the other tests nothing is."""
    spark.conf.set(FEW, str(few))
    try:
        for engine, place in ((None, tmp_path / "duckdb"), (spark, tmp_path / "spark")):
            for drops in (kiosk.FIRST, kiosk.SECOND):
                kiosk.deliver(place, drops)
                run(kiosk.STAR, lake=place / "lake", landing=place / "landing", spark=engine)
    finally:
        spark.conf.set(FEW, SETTINGS[FEW])
    assert_same(kiosk.STAR, tmp_path / "duckdb" / "lake", tmp_path / "spark" / "lake", "quarantine")


def test_the_rule_book_is_the_same(spark: SparkSession, tmp_path: Path) -> None:
    """The drops of all rules at once, as if they were of one world: half of them late, to a lake that DuckDB began."""
    one, other, landing = tmp_path / "one", tmp_path / "other", tmp_path / "landing"
    halves: tuple[list[tuple[str, Given]], ...] = ([], [])
    for n, file in enumerate(sorted(BOOK.rglob("*.txt"))):
        steps = [step for step in read(file, LABORATORY).steps if isinstance(step, Given)]
        halves[n % 2].extend((f"{file.parent.name}_{file.stem}", step) for step in steps)
    put(landing, halves[1])
    run(LABORATORY, lake=one, landing=landing)
    shutil.copytree(one, other)
    put(landing, halves[0])
    run(LABORATORY, lake=one, landing=landing)
    run(LABORATORY, lake=other, landing=landing, spark=spark)
    assert_same(LABORATORY, one, other, "quarantine")


def put(landing: Path, drops: Iterable[tuple[str, Given]]) -> None:
    for rule, step in drops:
        source, _, name = step.drop.partition("/")
        file = landing / source / f"{rule}-{name}.jsonl"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(step.text, encoding="utf-8")


def test_a_shop_with_its_mess_is_the_same(spark: SparkSession, tmp_path: Path) -> None:
    """Of ten days; on Spark by the command, which takes the session at hand."""
    generate(tmp_path / "landing", tmp_path / "truth", days=10)
    run(retail, lake=tmp_path / "one", landing=tmp_path / "landing")
    (tmp_path / "aisle.toml").write_text('star = "aisle.retail.star:star"\nlake = "other"\nengine = "spark"\n')
    for command in ("run", "check"):
        answer = CliRunner().invoke(main, ["-C", str(tmp_path), command])
        assert answer.exit_code == 0, answer.output
    assert_same(retail, tmp_path / "one", tmp_path / "other", "quarantine")
    assert len(content(tmp_path / "one", "gold/fact_sales")["gold/fact_sales"]) > 1000


class Weighings(Source, key="scale", feed="events", format="parquet"):
    """Typed as another system has them."""

    scale: int
    at: datetime
    day: date | None
    weight: Decimal
    share: float | None
    label: str | None
    sound: bool | None


class DimDate(Calendar, start=2025): ...


class FactWeighing(Fact, source=Weighings, at=Weighings.at):
    scale: Degenerate
    on: Lookup[DimDate]
    weight: Sum[Money] = _.weight * _.weight


SCALES = Star("scales", dimensions=[DimDate], facts=[FactWeighing])
PARQUET = {
    "as declared": "1::BIGINT AS scale, TIMESTAMPTZ '2025-01-01 10:00:00.123456+01' AS at, DATE '2025-01-02' AS day, "
    "1.5::DECIMAL(18,4) AS weight, 0.25::DOUBLE AS share, ' a ' AS label, true AS sound",
    "narrow": "2::UTINYINT AS scale, TIMESTAMP_NS '2025-01-01 10:00:00.123456789' AS at, DATE '2025-01-02' AS day, "
    "3::SMALLINT AS weight, 0.5::FLOAT AS share, 7 AS label, false AS sound",
    "wide": "3::UBIGINT AS scale, TIMESTAMP_MS '2025-01-01 10:00:00.5' AS at, TIMESTAMP '2025-01-02' AS day, "
    "2.5::DECIMAL(38,10) AS weight, 1::HUGEINT AS share, 12.5::DOUBLE AS label, 1 AS sound",
    "floats": "4.0::DOUBLE AS scale, TIMESTAMP '2025-01-01 10:00' AS at, NULL::DATE AS day, 0.1::DOUBLE AS weight, "
    "'NaN'::DOUBLE AS share, 1e20::DOUBLE AS label, NULL::BOOLEAN AS sound",
    "not whole": "5.5::DOUBLE AS scale, '2025-01-01 10:00' AS at, '2025-01-02' AS day, 'x' AS weight, '1e3' AS share, TIME '10:00' AS label, 'yes' AS sound",
    "texts": "'6' AS scale, '2025-01-01T10:00Z' AS at, '2025-01-02' AS day, '0.10' AS weight, '1e3' AS share, "
    "uuid '00000000-0000-0000-0000-000000000001' AS label, 'Y' AS sound",
    "nested": "7 AS scale, TIMESTAMP '2025-01-01' AS at, DATE '2025-01-02' AS day, 1.005::DECIMAL(9,3) AS weight, 1 AS share, "
    "[1, 2] AS label, true AS sound, {'a': 1} AS more",
}


@pytest.mark.parametrize("session", ["spark", "connect"])
def test_typed_drops_are_the_same(request: pytest.FixtureRequest, session: str, tmp_path: Path) -> None:
    spark = request.getfixturevalue(session)
    folder = tmp_path / "landing" / "weighings"
    folder.mkdir(parents=True)
    with duckdb.connect() as con:
        for name, columns in PARQUET.items():
            con.execute(f"COPY (SELECT {columns}) TO '{folder}/{name}.parquet' (FORMAT parquet)")
    run(SCALES, lake=tmp_path / "one", landing=tmp_path / "landing")
    run(SCALES, lake=tmp_path / "other", landing=tmp_path / "landing", spark=spark)
    assert_same(SCALES, tmp_path / "one", tmp_path / "other", "quarantine")


@pytest.mark.parametrize("session", ["spark", "connect"])
def test_a_value_that_does_not_fit_is_not_shown(request: pytest.FixtureRequest, session: str, tmp_path: Path) -> None:
    spark = request.getfixturevalue(session)
    folder = tmp_path / "landing" / "weighings"
    folder.mkdir(parents=True)
    with duckdb.connect() as con:
        big = "1 AS scale, TIMESTAMP '2025-01-01' AS at, 98765432198765 AS weight"
        con.execute(f"COPY (SELECT {big}) TO '{folder}/big.parquet' (FORMAT parquet)")
    with pytest.raises(DoesNotFit) as told:
        run(SCALES, lake=tmp_path / "lake", landing=tmp_path / "landing", spark=spark)
    assert "fact_weighing" in str(told.value)
    assert "9876543" not in str(told.value)


def test_without_pyspark_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    from aisle.engines.opening import session_for

    for module in ("pyspark", "pyspark.errors", "pyspark.sql"):
        monkeypatch.setitem(sys.modules, module, None)
    assert session_for("duckdb") is None
    with pytest.raises(ConfigError, match=r"pip install 'aisle\[spark\]'"):
        session_for("spark")
