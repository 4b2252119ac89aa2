"""Gold made anew from bronze by either engine, beside the release that stands (`aisle check --against-engine`)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import ibis
import pytest
from click.testing import CliRunner

import kiosk
from aisle.cli import main
from aisle.engines.duckdb.engine import DuckDBEngine
from aisle.lake.lake import Lake
from lakes import rows

ENGINES = ["duckdb", pytest.param("spark", marks=pytest.mark.spark)]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A kiosk's project with two releases, the second of late drops."""
    (tmp_path / "aisle.toml").write_text('star = "kiosk:STAR"\n')
    for drops in (kiosk.FIRST, kiosk.SECOND):
        kiosk.deliver(tmp_path, drops)
        kiosk.run_it(tmp_path)
    return tmp_path


def check(place: Path, *options: str) -> dict[str, Any]:
    result = CliRunner().invoke(main, ["-C", str(place), "check", "--json", *options])
    answer = json.loads(result.stdout)
    assert result.exit_code == (0 if answer["holds"] else 6)
    return answer


def files(place: Path) -> set[Path]:
    return {path for path in place.rglob("*") if path.is_file()}


def tamper(place: Path) -> None:
    """Make a release that has one sale of another amount."""
    lake = Lake(place / "lake", kiosk.STAR)
    sales = lake.gold["fact_sales"]
    with lake.writing(), DuckDBEngine() as engine:
        one = engine.bind("sales", sales).filter((ibis._["ticket"] == 1) & (ibis._["entry"] == 2))
        one = engine.keep("one", one.mutate(amount=ibis._["amount"] + ibis.literal("0.01").cast("decimal(18, 2)")))
        engine.rewrite(sales, add=one, gone=one.select("ticket", "entry"), metadata={})
        lake.publish({})


@pytest.mark.parametrize(
    ("by", "against"),
    [
        ("duckdb", "duckdb"),
        *(pytest.param(*pair, marks=pytest.mark.spark) for pair in (("duckdb", "spark"), ("spark", "duckdb"))),
    ],
)
def test_each_engine_finds_what_the_other_makes_equal(by: str, against: str, place: Path, request: pytest.FixtureRequest) -> None:
    if "spark" in (by, against):
        request.getfixturevalue("spark")
    before = files(place)
    answer = check(place, "--engine", by, "--against-engine", against)
    assert answer["holds"]
    compared = {f["compared"]["table"]: f["compared"] for f in answer["findings"] if f["law"] == "confluence"}
    assert {name: c["stands"]["rows"] for name, c in compared.items()} == {
        name: len(rows(place / "lake", f"gold/{name}")) for name in ("dim_member", "dim_date", "fact_sales")
    }
    assert all(c["anew"] == c["stands"] for c in compared.values())
    assert files(place) == before  # a scratch lake leaves nothing


@pytest.mark.parametrize("against", ENGINES)
def test_a_row_that_differs_is_shown_from_both_sides(against: str, place: Path, request: pytest.FixtureRequest) -> None:
    if against == "spark":
        request.getfixturevalue("spark")
    tamper(place)
    answer = check(place, "--against-engine", against)
    (broken,) = [f for f in answer["findings"] if not f["holds"]]
    compared = broken["compared"]
    assert (broken["law"], compared["table"]) == ("confluence", "fact_sales")
    assert compared["stands"]["rows"] == compared["anew"]["rows"]
    assert compared["stands"]["digest"] != compared["anew"]["digest"]
    shown = {row["only_in"]: (row["ticket"], row["entry"], row["amount"]) for row in broken["offenders"]}
    assert shown == {"the lake": (1, 2, 2.21), "the rebuild": (1, 2, 2.2)}
    title = {"duckdb": "DuckDB", "spark": "Spark"}[against]
    assert broken["says"].startswith(f"fact_sales has {compared['stands']['rows']} rows, {compared['stands']['digest']}; ")
    assert f"made anew from bronze by {title}: " in broken["says"]


def test_rebuild_is_the_same_by_the_engine_at_work(place: Path) -> None:
    assert check(place, "--rebuild") == check(place, "--against-engine", "duckdb")
