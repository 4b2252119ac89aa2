"""Exports as files: what `aisle export` writes and shows, and what it leaves out; whether the tools take them is for the tests of each."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from hypothesis import given, settings

import depot
from aisle.cli import main
from aisle.derive.dialect import DUCKDB, Dialect
from aisle.derive.dialects import DIALECTS
from aisle.derive.exports.cube import model
from aisle.derive.exports.dbt import sources
from aisle.derive.exports.metricflow import semantic
from aisle.derive.exports.names import together
from aisle.derive.views import views
from aisle.retail import star as retail
from any_star import plans
from places import DuckDBFile
from shelf import stocked
from stars import Plan, declared

SHOP = retail.star
Made = Callable[..., dict[str, str]]
WITHOUT: dict[str, Made] = {
    "dbt": lambda star, dialect: sources(star, dialect, reader=True),
    "metricflow": semantic,
    "cube": model,
}
WITH: dict[str, Made] = {
    "dbt": sources,
    "metricflow": lambda star, dialect: semantic(star, dialect, personal=True),
    "cube": lambda star, dialect: model(star, dialect, personal=True),
}


def said(files: dict[str, str]) -> Iterator[str]:
    """Every text of an export that is no description."""

    def walked(data: Any) -> Iterator[str]:
        if isinstance(data, dict):
            for key, value in data.items():
                if key != "description":
                    yield from walked(value)
        elif isinstance(data, list):
            for value in data:
                yield from walked(value)
        else:
            yield str(data)

    for name, text in files.items():
        if name.endswith(".yml"):
            yield from walked(yaml.safe_load(text))
        else:
            yield text


@pytest.mark.parametrize("tool", WITH)
@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=lambda d: d.name)
def test_personal_columns_are_left_out_unless_asked_for(tool: str, dialect: Dialect) -> None:
    for star, personal in ((depot.STAR, ("keeper", "seen_by", "mail")), (SHOP, ("email", "street"))):
        hidden, shown = list(said(WITHOUT[tool](star, dialect))), list(said(WITH[tool](star, dialect)))
        for column in personal:
            assert not any(column in text for text in hidden)
            assert any(column in text for text in shown)


def test_the_same_star_gives_the_same_bytes() -> None:
    script = (
        "import hashlib, depot, test_export as t\nfrom aisle.derive.dialect import DUCKDB\n"
        "print(hashlib.sha256(repr([t.WITH[tool](star, DUCKDB) for tool in t.WITH for star in (depot.STAR, t.SHOP)]).encode()).hexdigest())"
    )
    made = set()
    for seed in ("1", "2"):
        surroundings = {**os.environ, "PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", script]
        made.add(subprocess.run(command, cwd=Path(__file__).parent, env=surroundings, check=True, capture_output=True).stdout)
    assert len(made) == 1


def test_the_types_are_those_of_the_warehouse() -> None:
    tables = yaml.safe_load(sources(SHOP, DIALECTS["redshift"])["sources.yml"])["sources"][0]["tables"]
    types = {t["name"]: {c["name"]: c["data_type"] for c in t["columns"]} for t in tables}
    assert types["dim_customer"]["segment"] == "VARCHAR(11)"
    assert types["fact_sales_as_was"]["customer_segment"] == "VARCHAR(11)"
    assert types["fact_sales"]["net_amount"] == "DECIMAL(18,2)"


def test_rows_that_differ_never_have_one_key() -> None:
    import duckdb

    columns = [c for c in depot.STAR.dimensions[0].columns if c.name in ("region", "code")]
    texts = ["", "|", "a", "a|", "|a", "1:a", "a|1:a", ":"]
    with duckdb.connect() as con:
        con.execute("CREATE TABLE t (region VARCHAR, code VARCHAR)")
        con.executemany("INSERT INTO t VALUES (?, ?)", [(a, b) for a in texts for b in texts])
        assert con.execute(f"SELECT count(DISTINCT {together(columns, DUCKDB)}) FROM t").fetchone() == (len(texts) ** 2,)


@pytest.mark.parametrize("kind", ["duckdb", "postgres"])
def test_expressions_mean_the_same_in_each_warehouse(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    place = DuckDBFile(tmp_path / "warehouse.duckdb") if kind == "duckdb" else request.getfixturevalue("database")
    shelf = stocked(tmp_path / "lake")
    shelf.load(place)
    source = yaml.safe_load(sources(shelf.star, DIALECTS[kind])["sources.yml"])["sources"][0]
    released_at = re.sub(r"\{\{.*\}\}", "shop.aisle_release", source["config"]["loaded_at_query"])
    assert place.outside(released_at) == [(datetime(2024, 3, 1, 0, 0, 1),)]
    (grain,) = next(t for t in source["tables"] if t["name"] == "fact_sales")["data_tests"]
    key = grain["unique"]["arguments"]["column_name"]
    assert place.outside(f"SELECT count(DISTINCT {key}), count(*) FROM shop.fact_sales") == [(5, 5)]


@given(plans())
@settings(max_examples=25)
def test_any_star_can_be_written(plan: Plan) -> None:
    star = declared(plan)
    tables = yaml.safe_load(sources(star, DUCKDB)["sources.yml"])["sources"][0]["tables"]
    assert {t["name"]: [c["name"] for c in t["columns"]] for t in tables} == {
        **{t.table: [c.name for c in t.columns] for t in star.tables},
        **{v.name: [c.name for c in v.columns] for v in views(star, DUCKDB)},
    }
    written = yaml.safe_load(semantic(star, DUCKDB)["semantic_models.yml"])
    kinds: dict[str, set[str]] = defaultdict(set)
    for made in written["semantic_models"]:
        elements = [(e, part) for part in ("entities", "dimensions", "measures") for e in made.get(part, ())]
        for element, part in elements:
            # What MetricFlow's own rules say: of its elements' names, and that one name is of one kind.
            assert re.fullmatch("[a-z]((?!__)[a-z0-9_])*[a-z0-9]", element["name"])
            assert element["name"] not in ("metric_time", "day", "week", "month", "quarter", "year")
            kinds[element["name"]].add(element["type"] if part == "dimensions" else part)
        assert len({e["name"] for e, _ in elements}) == len(elements)
    assert all(len(kind) == 1 for kind in kinds.values()), kinds
    cubes = yaml.safe_load(model(star, DUCKDB)[f"{star.name}.yml"])
    members = {c["name"]: {e["name"] for part in ("dimensions", "measures") for e in c.get(part, ())} for c in cubes["cubes"]}
    members |= {c["name"]: members[c["extends"]] for c in cubes["cubes"] if "extends" in c}
    for view in cubes["views"]:
        included = [(path["join_path"].split("."), i) for path in view["cubes"] for i in path["includes"]]
        assert all((i if isinstance(i, str) else i["name"]) in members[path[-1]] for path, i in included)
        assert len({i if isinstance(i, str) else i["alias"] for _, i in included}) == len(included)


# ---- the command


def aisle(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["-C", str(folder), *arguments], prog_name="aisle")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    assert aisle(tmp_path, "init", "shop").exit_code == 0
    return tmp_path / "shop"


def test_one_file_is_shown_several_are_listed(project: Path) -> None:
    shown = aisle(project, "export", "dbt", "--reader").stdout
    assert shown == sources(SHOP, DUCKDB, reader=True)["sources.yml"]
    assert shown.startswith("# Made by `aisle export dbt --reader` of the star shop")
    listed = aisle(project, "export", "metricflow").stdout
    assert all(name in listed for name in semantic(SHOP, DUCKDB))
    assert json.loads(aisle(project, "export", "metricflow", "--json").stdout)["files"] == semantic(SHOP, DUCKDB)


def test_files_are_written_and_none_that_says_something_else_is_written_over(project: Path) -> None:
    out = project / "models" / "star"
    assert aisle(project, "export", "dbt", "--out", str(out)).exit_code == 0
    assert aisle(project, "export", "metricflow", "--out", str(out)).exit_code == 0
    expected = {**sources(SHOP, DUCKDB), **semantic(SHOP, DUCKDB)}
    assert {file.name: file.read_text(encoding="utf-8") for file in out.iterdir()} == expected
    assert "8 files there say the same already" in aisle(project, "export", "metricflow", "--out", str(out)).stdout
    (out / "semantic_models.yml").write_text("mine")
    (out / "shop__fact_sales.sql").unlink()
    refused = aisle(project, "export", "metricflow", "--out", str(out))
    assert refused.exit_code == 2
    assert "semantic_models.yml" in refused.stderr
    assert (out / "semantic_models.yml").read_text() == "mine"
    assert not (out / "shop__fact_sales.sql").exists()
    forced = json.loads(aisle(project, "export", "metricflow", "--out", str(out), "--force", "--json").stdout)
    assert sorted(forced["written"]) == ["semantic_models.yml", "shop__fact_sales.sql"]
    assert {file.name: file.read_text(encoding="utf-8") for file in out.iterdir()} == expected


def test_the_warehouse_of_the_project_says_which_types_there_are(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AISLE_WAREHOUSE", "postgresql://me@host/shop")
    assert aisle(project, "export", "dbt").stdout == sources(SHOP, DIALECTS["postgres"])["sources.yml"]


def test_cube_is_written_with_personal_columns_if_asked_for(project: Path) -> None:
    assert "email" not in aisle(project, "export", "cube").stdout
    assert aisle(project, "export", "cube", "--show-pii").stdout == model(SHOP, DUCKDB, personal=True)["shop.yml"]
