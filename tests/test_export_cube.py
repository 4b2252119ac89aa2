"""The data model of a star, compiled by Cube's own compiler; the SQL that it writes of a question, beside plain SQL over the warehouse."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
from click.testing import CliRunner

import clashes
import depot
from aisle.cli import main
from aisle.declare.star import Star
from aisle.derive.dialect import DUCKDB
from aisle.derive.exports.cube import model
from aisle.retail import star as retail
from tools import cube

Rows = list[tuple[str, ...]]


def asked(star: Star, warehouse: Path, *questions: Mapping[str, Any]) -> tuple[dict[str, Any], list[Rows]]:
    """What Cube knows of a star, by cube and view; and the answers, by the columns of each question."""
    told = cube(model(star, DUCKDB), questions)
    return {c["name"]: c for c in told["cubes"]}, [answer(warehouse, sql, values) for sql, values in told["sql"]]


def answer(warehouse: Path, sql: str, values: list[Any] | None = None) -> Rows:
    with duckdb.connect() as con:
        con.execute(f"ATTACH '{warehouse}' AS mine (READ_ONLY); USE mine; SET TimeZone = 'UTC'")
        rows = con.execute(sql, values or []).fetchall()
    return sorted(tuple(map(plain, row)) for row in rows)


def plain(value: Any) -> str:
    try:
        return format(Decimal(str(value)).normalize(), "f")
    except ArithmeticError:
        return str(value).removesuffix("+00:00")


def test_a_shops_answers_are_those_of_plain_sql(tmp_path: Path) -> None:
    for folder, *arguments in ((".", "init", "shop"), ("shop", "generate", "--days", "40"), ("shop", "run"), ("shop", "load")):
        assert CliRunner().invoke(main, ["-C", str(tmp_path / folder), *arguments]).exit_code == 0
    warehouse = tmp_path / "shop" / "warehouse.duckdb"
    month = {"dimension": "fact_sales_as_was.order_date", "granularity": "month", "dateRange": ["2025-01-01", "2025-01-31"]}
    known, (was, by_month, now) = asked(
        retail.star,
        warehouse,
        {
            "dimensions": ["fact_sales_as_was.customer_segment", "fact_sales_as_was.channel"],
            "measures": ["fact_sales_as_was.net_amount", "fact_sales_as_was.count", "fact_sales_as_was.customer_members"],
        },
        {"measures": ["fact_sales_as_was.net_amount"], "timeDimensions": [month]},
        {"dimensions": ["fact_sales_as_is.customer_segment"], "measures": ["fact_sales_as_is.net_amount"]},
    )
    assert was == answer(
        warehouse,
        "SELECT customer_segment, channel, sum(net_amount), count(*), count(DISTINCT customer_id) FROM shop.fact_sales_as_was GROUP BY ALL",
    )
    january = "FROM shop.fact_sales_as_was WHERE order_date BETWEEN DATE '2025-01-01' AND DATE '2025-01-31'"
    assert by_month == answer(warehouse, f"SELECT TIMESTAMP '2025-01-01', sum(net_amount) {january}")
    assert now == answer(warehouse, "SELECT customer_segment, sum(net_amount) FROM shop.fact_sales_as_is GROUP BY ALL")
    assert now != answer(warehouse, "SELECT customer_segment, sum(net_amount) FROM shop.fact_sales_as_was GROUP BY ALL")
    # People see the views, with the columns that the warehouse's views have, and no surrogate key.
    assert {name for name, c in known.items() if c["isVisible"]} == {"fact_sales_as_was", "fact_sales_as_is"}
    for name in ("fact_sales_as_was", "fact_sales_as_is"):
        shown = {m["name"].partition(".")[2] for m in (*known[name]["dimensions"], *known[name]["measures"]) if m["isVisible"]}
        there = {column for (column,) in answer(warehouse, f"SELECT column_name FROM (DESCRIBE shop_reader.{name})")}
        assert shown - there == {"count", "customer_members", "product_members"}
        assert there <= shown


def test_balances_and_roles(tmp_path: Path) -> None:
    view, now = "fact_count_as_was", "fact_count_as_is"
    known, (balance, moved, moved_now, dear, by_person) = asked(
        depot.STAR,
        depot.loaded(tmp_path),
        {"measures": [f"{view}.units_average"], "dimensions": [f"{view}.counted_month"]},
        {"measures": [f"{view}.moved"], "dimensions": [f"{view}.held_level", f"{view}.owned_level"]},
        {"measures": [f"{now}.moved", f"{now}.held_members"], "dimensions": [f"{now}.held_level", f"{now}.owned_level"]},
        {"measures": [f"{view}.count"], "filters": [{"member": f"{view}.price", "operator": "gt", "values": ["3.5"]}]},
        {"measures": [f"{view}.moved"], "dimensions": [f"{view}.counter_city"]},
    )
    # January: 10 + 20 on one day, 30 + 40 on another, in New York.
    assert balance == [("1", "50"), ("2", "50")]
    assert moved == [("1", "2", "5"), ("2", "1", "2"), ("2", "None", "8"), ("3", "2", "16")]
    assert moved_now == [("2", "3", "2", "1"), ("2", "None", "8", "1"), ("3", "2", "21", "1")]
    assert dear == [("2",)]
    assert by_person == [("Oslo", "15"), ("Rome", "16")]
    # Whose members are personal data can be asked as they were, by surrogate key; as they are, only with --show-pii.
    assert not any("counter" in d["name"] for d in known[now]["dimensions"])
    assert known["dim_site"]["description"].startswith(depot.CODE)
    assert [m["name"] for m in known[view]["measures"] if m.get("meta", {}).get("additivity") == "semi-additive"] == [
        f"{view}.units_average"
    ]


def test_names_that_are_taken(tmp_path: Path) -> None:
    warehouse = depot.loaded(tmp_path, clashes.STAR, clashes.DROPS)
    _, (act, way) = asked(
        clashes.STAR,
        warehouse,
        {"measures": ["fact_act_as_was.units"], "dimensions": ["fact_act_as_was.thing_grosse", "fact_act_as_was.order_level"]},
        {"measures": ["fact_way_as_is.units"], "dimensions": ["fact_way_as_is.thing", "fact_way_as_is.day_select"]},
    )
    assert act == [("L", "1", "4"), ("L", "2", "1"), ("M", "1", "2")]
    assert way == [("None", "s", "4"), ("None", "t", "2"), ("one", "s", "1")]
