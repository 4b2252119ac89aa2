"""The semantic models of a star, asked by MetricFlow itself, beside what plain SQL says over the warehouse."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
from click.testing import CliRunner

import clashes
import depot
from aisle.cli import main
from aisle.derive.dialect import DUCKDB
from aisle.derive.exports.dbt import sources
from aisle.derive.exports.metricflow import semantic
from aisle.retail import star as retail
from tools import METRICFLOW, Project

VISITS = """select * from (values (1, 'a|b', 'c', date '2025-02-01'), (2, 'a|b', 'c', date '2025-02-20'), (3, 'a', 'b|c', date '2025-02-20'))
as t (visit, region, code, visited_on)"""
# What a team writes of a fact of its own, which knows the depot's sites by their natural key.
OF_VISITS = {
    "semantic_models": [
        {
            "name": "visits",
            "model": "ref('visits')",
            "defaults": {"agg_time_dimension": "visited_on"},
            "entities": [
                {"name": "visit", "type": "primary"},
                {
                    "name": "site_as_of",
                    "type": "foreign",
                    "expr": "cast(length(region) as varchar) || ':' || region || '|' || "
                    "cast(length(code) as varchar) || ':' || code",
                },
            ],
            "dimensions": [{"name": "visited_on", "type": "time", "type_params": {"time_granularity": "day"}}],
            "measures": [{"name": "visits", "agg": "count", "expr": "visit"}],
        }
    ],
    "metrics": [{"name": "visits", "label": "Visits", "type": "simple", "type_params": {"measure": "visits"}}],
}


def opened(place: Path, star: Any, warehouse: Path, **more: str) -> Project:
    """A project with a star's source and semantic models, whose thin models are made."""
    project = Project(place / "dbt", warehouse, METRICFLOW)
    project.put({**sources(star, DUCKDB), **semantic(star, DUCKDB), **more})
    project.dbt("run", "--warn-error")
    return project


Rows = list[dict[str, Any]]


def said(rows: Rows) -> list[list[str]]:
    """Rows in texts by column, sorted; numbers without zeros at their end, midnights as their day, nothing for a null."""
    return sorted([f"{name}={plain(row[name])}" for name in sorted(row)] for row in rows)


def plain(value: Any) -> str:
    try:
        return format(Decimal(str(value)).normalize(), "f")
    except ArithmeticError:
        return "" if value in (None, "None") else str(value).removesuffix(" 00:00:00")


def truth(warehouse: Path, sql: str) -> Rows:
    with duckdb.connect() as con:
        con.execute(f"ATTACH '{warehouse}' AS mine (READ_ONLY); USE mine")
        found = con.execute(sql)
        names = [c[0] for c in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def test_a_shops_answers_are_those_of_plain_sql(tmp_path: Path) -> None:
    for folder, *arguments in (
        (".", "init", "shop"),
        ("shop", "generate", "--days", "40"),
        ("shop", "run"),
        ("shop", "load"),
    ):
        assert CliRunner().invoke(main, ["-C", str(tmp_path / folder), *arguments]).exit_code == 0
    warehouse = tmp_path / "shop" / "warehouse.duckdb"
    project = opened(tmp_path, retail.star, warehouse)
    done = project.run("mf", "validate-configs")
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("ERRORS: 0, FUTURE_ERRORS: 0, WARNINGS: 0") >= 6, done.stdout
    by_month, by_segment, by_fiscal_year = project.metricflow(
        (["sales_net_amount", "sales_rows"], ["metric_time__month"]),
        (["sales_net_amount"], ["customer__segment", "customer__current_customer__segment"]),
        (["sales_quantity"], ["order_date__fiscal_year", "sales__channel"]),
    )
    # The business's day, not UTC's; the warehouse's view has it.
    assert len(by_month) > 1
    assert said(by_month) == said(
        truth(
            warehouse,
            "SELECT date_trunc('month', order_date) AS metric_time__month, sum(net_amount) AS sales_net_amount, count(*) AS sales_rows "
            "FROM shop.fact_sales_as_was GROUP BY ALL",
        )
    )
    was_and_is = (
        "SELECT w.customer_segment AS customer__segment, i.customer_segment AS customer__current_customer__segment, "
        "sum(w.net_amount) AS sales_net_amount "
        "FROM shop.fact_sales_as_was w JOIN shop.fact_sales_as_is i USING (order_id, line_number) GROUP BY ALL"
    )
    assert said(by_segment) == said(truth(warehouse, was_and_is))
    assert any(row["customer__segment"] != row["customer__current_customer__segment"] for row in by_segment)
    assert said(by_fiscal_year) == said(
        truth(
            warehouse,
            "SELECT order_date_fiscal_year AS order_date__fiscal_year, channel AS sales__channel, sum(quantity) AS sales_quantity "
            "FROM shop.fact_sales_as_was GROUP BY ALL",
        )
    )


def test_balances_roles_and_facts_of_others(tmp_path: Path) -> None:
    visits = {"visits.sql": VISITS, "visits.yml": json.dumps(OF_VISITS)}
    project = opened(tmp_path, depot.STAR, depot.loaded(tmp_path), **visits)
    balance, moved, seen, by_person = project.metricflow(
        (["count_units"], ["metric_time__month"]),
        (["count_moved"], ["held__level", "held__current_site__level", "owned__level"]),
        (["visits"], ["metric_time__day", "site_as_of__level"]),
        (["count_moved"], ["counter__city"]),
    )
    # In New York, 30 and 40 are of 31 January: the last day of the month, on which 10 and 20 are no more.
    assert said(balance) == said(
        [{"metric_time__month": "2025-01-01", "count_units": 70}, {"metric_time__month": "2025-02-01", "count_units": 50}]
    )
    assert said(moved) == said(
        [
            {"held__level": 1, "held__current_site__level": 3, "owned__level": 2, "count_moved": 1 + 4},
            {"held__level": 2, "held__current_site__level": 2, "owned__level": 1, "count_moved": 2},
            {"held__level": 2, "held__current_site__level": 2, "owned__level": None, "count_moved": 8},
            {"held__level": 3, "held__current_site__level": 3, "owned__level": 2, "count_moved": 16},
        ]
    )
    assert said(seen) == said(
        [
            {"metric_time__day": "2025-02-01", "site_as_of__level": 1, "visits": 1},
            {"metric_time__day": "2025-02-20", "site_as_of__level": 3, "visits": 1},
            {"metric_time__day": "2025-02-20", "site_as_of__level": 2, "visits": 1},
        ]
    )
    assert said(by_person) == said([{"counter__city": "Oslo", "count_moved": 15}, {"counter__city": "Rome", "count_moved": 16}])
    documented = {m["name"]: m for m in project.manifest()["semantic_models"].values()}
    assert documented["dim_site"]["description"].startswith(depot.CODE)


def test_names_that_are_taken(tmp_path: Path) -> None:
    project = opened(tmp_path, clashes.STAR, depot.loaded(tmp_path, clashes.STAR, clashes.DROPS))
    done = project.run("mf", "validate-configs")
    assert done.returncode == 0, done.stdout
    of_act, of_way = project.metricflow(
        (["act_units"], ["thing_act__grosse", "order_act__level"]),
        (["way_units"], ["thing_other__thing", "day_act__dim_act_seen__day"]),
    )
    assert said(of_act) == said(
        [
            {"thing_act__grosse": "L", "order_act__level": 2, "act_units": 1},
            {"thing_act__grosse": "M", "order_act__level": 1, "act_units": 2},
            {"thing_act__grosse": "L", "order_act__level": 1, "act_units": 4},
        ]
    )
    assert said(of_way) == said(
        [
            {"thing_other__thing": "one", "day_act__dim_act_seen__day": "2025-01-01", "way_units": 1},
            {"thing_other__thing": None, "day_act__dim_act_seen__day": "2025-01-02", "way_units": 2},
            {"thing_other__thing": None, "day_act__dim_act_seen__day": "2025-01-01", "way_units": 4},
        ]
    )
