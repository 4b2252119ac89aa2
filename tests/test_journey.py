"""Real data the whole way: The Complete Journey, with totals computed past aisle from the package itself."""

from __future__ import annotations

import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable, QueryBuilder

from aisle import Star
from aisle.lake.lake import Lake
from aisle.run import run
from aisle.run.check import check
from aisle.warehouses import open_warehouse
from lakes import rows

JOURNEY = Path(__file__).parents[1] / "examples" / "complete_journey"
EXPECTED = json.loads((JOURNEY / "expected.json").read_text())


def delivered(landing: Path, months: tuple[str, ...] | None = None) -> Star:
    """Put the receipts into a landing, all or those of some months. Returns their star."""
    subprocess.run([sys.executable, JOURNEY / "landing.py", landing], check=True, capture_output=True)
    for file in landing.rglob("*_2017-*"):
        if months is not None and not any(month in file.name for month in months):
            file.unlink()
    sys.path.insert(0, str(JOURNEY))
    try:
        from star import star
    finally:
        sys.path.remove(str(JOURNEY))
        sys.modules.pop("star", None)
    return star


@pytest.fixture(scope="module")
def journey(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("journey")
    star = delivered(folder / "landing")
    run(star, lake=folder / "lake", landing=folder / "landing")
    lake = Lake(folder / "lake", star)
    release = lake.releases.newest()
    with open_warehouse(str(folder / "warehouse.duckdb"), star.name) as warehouse:
        warehouse.load(star, release, lake.gold, lake.releases.get)
    assert [f for f in check(star, lake=folder / "lake") if not f.holds] == []
    return folder


def asked(folder: Path, statement: str) -> dict[str, Any]:
    with open_warehouse(str(folder / "warehouse.duckdb"), "journey") as warehouse:
        answer = warehouse.query(statement)
    return dict(zip(answer.columns, answer.rows[0], strict=True))


def test_the_known_totals_come_out_of_the_warehouse(journey: Path) -> None:
    totals = asked(
        journey,
        "SELECT count(*) AS rows, sum(quantity) AS quantity, sum(sales_value) AS sales_value, sum(retail_disc) AS retail_disc,"
        " sum(coupon_disc) AS coupon_disc, sum(coupon_match_disc) AS coupon_match_disc, count(DISTINCT basket_id) AS baskets,"
        " count(DISTINCT household_key) AS households, count(DISTINCT product_key) AS products, count(DISTINCT store_key) AS stores,"
        " count(DISTINCT transaction_date_key) AS days FROM fact_sales",
    )
    assert (totals["rows"], totals["quantity"], totals["sales_value"]) == (1_469_307, 152_923_108, Decimal("4596039.58"))
    assert {k: str(v) for k, v in totals.items()} == {k: str(EXPECTED["fact_sales"][k]) for k in totals}


@pytest.mark.parametrize("table", ["household", "product", "store", "campaign"])
def test_dimensions_hold_what_was_delivered_and_what_facts_name(journey: Path, table: str) -> None:
    expected = EXPECTED[f"dim_{table}"]
    counts = asked(
        journey,
        f"SELECT count(*) AS n, count(*) FILTER (is_inferred) AS inferred,"
        f" count(*) FILTER (NOT is_inferred AND {table}_key <> -1) AS delivered FROM dim_{table}",
    )
    assert counts == {"n": expected["rows_with_unknown"], "inferred": expected["inferred"], "delivered": expected["delivered"]}


def test_redemptions_fall_on_the_shops_own_days(journey: Path) -> None:
    found = asked(
        journey,
        "SELECT count(*) AS rows, min(d.date)::VARCHAR AS first_day, max(d.date)::VARCHAR AS last_day, count(DISTINCT d.date) AS days"
        " FROM fact_coupon_redemption f JOIN dim_date d ON d.date_key = f.redemption_date_key",
    )
    assert found == {k: EXPECTED["fact_coupon_redemption"][k] for k in found}


def test_the_lake_opens_with_plain_deltalake_and_duckdb(journey: Path) -> None:
    delta = DeltaTable(str(journey / "lake" / "gold" / "fact_sales"))
    question = (
        "SELECT count(*) AS n, sum(sales_value) AS v FROM t WHERE transaction_timestamp >= '2017-03-01' AND _month = '2017-03'"
    )
    (batch,) = QueryBuilder().register("t", delta).execute(question).read_all().to_batches()
    by_duckdb = rows(
        journey / "lake",
        "gold/fact_sales",
        "SELECT count(*) AS n, sum(sales_value) AS v FROM t WHERE strftime(transaction_timestamp, '%Y-%m') = '2017-03'",
    )
    assert [{"n": batch["n"][0].as_py(), "v": batch["v"][0].as_py()}] == by_duckdb
    total = rows(journey / "lake", "gold/fact_sales", "SELECT count(*) AS n, sum(sales_value) AS v FROM t")
    assert total == [{"n": 1_469_307, "v": Decimal("4596039.58")}]
