"""The source that dbt reads of a star, read by dbt itself: over warehouses that aisle loaded, and that somebody broke by hand."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

import depot
from aisle.derive.dialect import DUCKDB
from aisle.derive.exports.dbt import sources
from tools import Project

# What somebody does by hand → the only test that finds it.
BROKEN = {
    "UPDATE depot.fact_count SET held_key = 12345 WHERE lot = 'l3'": "source_relationships_depot_fact_count_held_key__site_key",
    "INSERT INTO depot.fact_count SELECT * FROM depot.fact_count WHERE lot = 'l4'": "depot_fact_count_grain_is_unique",
    "UPDATE depot.dim_site SET \"order\" = 'its' WHERE region = 'a'": "source_accepted_values_depot_dim_site__order_",
    "INSERT INTO depot.dim_site SELECT 4, * EXCLUDE (site_key) FROM depot.dim_site_current WHERE region = 'a'": (
        "depot_dim_site_current_member_is_unique"
    ),
    "INSERT INTO depot.dim_date SELECT * FROM depot.dim_date WHERE date_key = 20250101": "source_unique_depot_dim_date_date_key",
    "DELETE FROM depot.dim_date WHERE date = DATE '2025-02-20'": "source_relationships_depot_fact_count_counted_key__date_key",
    "ALTER TABLE depot.dim_site ALTER version DROP NOT NULL; UPDATE depot.dim_site SET version = NULL": (
        "source_not_null_depot_dim_site_version"
    ),
}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    depot.loaded(tmp_path)
    return Project(tmp_path / "dbt", tmp_path / "warehouse.duckdb")


def change(project: Project, sql: str) -> None:
    with duckdb.connect(str(project.folder.parent / "warehouse.duckdb")) as con:
        con.execute(sql)


@pytest.mark.parametrize("reader", [False, True])
def test_all_tests_pass_on_what_aisle_loaded(tmp_path: Path, reader: bool) -> None:
    project = Project(tmp_path / "dbt", depot.loaded(tmp_path), attached=["depot"] if reader else [])
    project.put(sources(depot.STAR, DUCKDB, reader=reader))
    project.dbt("test", "--warn-error")
    assert set(project.results().values()) == {"pass"}
    kinds = [name.split("_")[1] for name in project.results() if name.startswith("source_")]
    assert {"unique", "not", "relationships", "accepted"} == set(kinds)
    assert sum(name.split(".")[0].endswith("is_unique") for name in project.results()) == (2 if reader else 3)
    tables = {n["name"]: n for n in project.manifest()["sources"].values()}
    assert {n["schema"] for n in tables.values()} == {"depot_reader" if reader else "depot"}
    standing = columns(project, "depot_reader" if reader else "depot")
    assert {name: list(n["columns"]) for name, n in tables.items()} == standing
    site = tables["dim_site"]
    assert site["description"].startswith(depot.CODE)
    marked = {c["name"] for n in tables.values() for c in n["columns"].values() if c["config"]["meta"].get("personal")}
    assert marked == (set() if reader else {"keeper", "held_keeper", "owned_keeper", "seen_by", "mail", "counter_mail"})


def columns(project: Project, schema: str) -> dict[str, list[str]]:
    """What stands in a schema: relations and their columns, as DuckDB says it."""
    asked = "SELECT table_name, list(column_name ORDER BY column_index) FROM duckdb_columns() WHERE schema_name = ? GROUP BY ALL"
    with duckdb.connect(str(project.folder.parent / "warehouse.duckdb")) as con:
        found = dict(con.execute(asked, [schema]).fetchall())
    del found["aisle_release"]
    return found


def test_what_is_broken_by_hand_is_found(project: Project) -> None:
    project.put(sources(depot.STAR, DUCKDB))
    for sql in BROKEN:
        change(project, sql)
    assert project.run("dbt", "test").returncode == 1
    failed = sorted(name for name, status in project.results().items() if status == "fail")
    assert len(failed) == len(BROKEN), failed
    assert all(any(name.startswith(test) for name in failed) for test in BROKEN.values()), failed


def test_the_age_of_the_release_is_looked_at(project: Project) -> None:
    project.put(sources(depot.STAR, DUCKDB, warn_after=36))
    project.dbt("source", "freshness")
    assert statuses(project) == {"pass"}
    change(project, "UPDATE depot.aisle_release SET made_at = '2025-03-01T00:00:00.123456+00:00'")
    project.dbt("source", "freshness")
    assert statuses(project) == {"warn"}
    said = json.loads((project.folder / "target" / "sources.json").read_text())["results"]
    assert {r["max_loaded_at"] for r in said} == {"2025-03-01T00:00:00+00:00"}
    assert len(said) == len(columns(project, "depot"))


def statuses(project: Project) -> set[str]:
    return {r["status"] for r in json.loads((project.folder / "target" / "sources.json").read_text())["results"]}
