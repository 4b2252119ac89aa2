"""Questions to the past: to a release as it was, and of what was true at a time, beside plain Python over plain rows."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from aisle import Calendar, Degenerate, Dimension, Fact, Lookup, Money, NaturalKey, NonAdditive, Pii, Source, Star, Sum, Track
from aisle.cli import main
from aisle.errors import ConfigError, LakeError, WarehouseError
from aisle.retail.star import star
from aisle.steward.past import instant, past
from eventful import Eventful
from shelf import ANN_IS, JANUARY, DimCustomer, DimDate, Sales, Shelf, stocked

MICRO = timedelta(microseconds=1)

Row = dict[str, Any]


def asked(lake: Path | str, sql: str, of: Star = star, **how: Any) -> list[Row]:
    return answers(lake, [sql], of, **how)[0]


def answers(lake: Path | str, questions: list[str], of: Star = star, **how: Any) -> list[list[Row]]:
    """The rows that each question is answered with."""
    with past(of, lake=lake, **how) as then:
        found = [then.query(sql) for sql in questions]
    return [[dict(zip(a.columns, row, strict=True)) for row in a.rows] for a in found]


def bag(rows: list[Row]) -> Counter[str]:
    return Counter(repr(sorted(r.items())) for r in rows)


def valid(versions: list[Row], at: datetime) -> list[Row]:
    return [v for v in versions if v["valid_from"] <= at < v["valid_to"]]


def test_a_release_shows_its_tables_as_they_were(eventful: Eventful):
    for release in (1, 2, 3):
        tables = ["dim_customer", "dim_product", "dim_date", "fact_sales"]
        got = answers(eventful.lake, [f"from {t}" for t in tables], as_known=release, show_pii=True)
        assert [bag(rows) for rows in got] == [bag(eventful.rows(t, release)) for t in tables]
    assert bag(asked(eventful.lake, "from fact_sales")) == bag(eventful.rows("fact_sales", 2))  # the newest undid the third


def test_the_views_show_members_as_they_were_and_as_they_are_known_then(eventful: Eventful):
    sql = "select order_id, line_number, customer_segment as segment from fact_sales"
    for release in (2, 3):
        customers = {c["customer_key"]: c for c in eventful.rows("dim_customer", release)}
        current = {c["customer_id"]: c for c in customers.values() if c["is_current"]}
        for view, of in (("as_was", lambda c: c), ("as_is", lambda c, now=current: now[c["customer_id"]])):
            expected = [
                {k: f[k] for k in ("order_id", "line_number")} | {"segment": of(customers[f["customer_key"]])["segment"]}
                for f in eventful.rows("fact_sales", release)
            ]
            assert bag(asked(eventful.lake, f"{sql}_{view}", as_known=release)) == bag(expected), (release, view)
    assert sum(c["customer_id"] == eventful.late["customer_id"] for c in customers.values()) > 1


def test_as_of_a_time_shows_each_member_once_in_the_version_of_then(eventful: Eventful):
    customers = eventful.rows("dim_customer", 3)
    facts = eventful.rows("fact_sales", 3)
    ids = {c["customer_key"]: c["customer_id"] for c in customers}
    were = asked(eventful.lake, "from fact_sales_as_was", as_known=3, show_pii=True)
    differ = set()
    for at in (eventful.moved_at, eventful.moved_at - MICRO, eventful.deleted_at, eventful.deleted_at - MICRO):
        then = [c | {"is_current": True, "current_segment": c["segment"]} for c in valid(customers, at)]
        assert len(then) == len({c["customer_id"] for c in customers})
        members = {c["customer_id"]: c for c in then}
        expected = [
            {k: f[k] for k in ("order_id", "line_number")}
            | dict.fromkeys(("customer_segment", "customer_current_segment"), members[ids[f["customer_key"]]]["segment"])
            for f in facts
        ]
        named = "order_id, line_number, customer_segment, customer_current_segment"
        questions = [
            "from dim_customer",
            "from dim_customer_current",
            f"select {named} from fact_sales_as_is",
            "from fact_sales",
            "from fact_sales_as_was",
        ]
        got = answers(eventful.lake, questions, as_known=3, as_of=f"{at.isoformat()}Z", show_pii=True)
        # Facts, and the view of them as they were, are as without a time.
        assert [bag(rows) for rows in got] == [bag(rows) for rows in (then, then, expected, facts, were)]
        differ |= {(c["customer_id"], c["segment"], c["is_deleted"]) for c in then}
    # The times tell the two customers' versions apart.
    late, deleted = eventful.late["customer_id"], eventful.deleted["customer_id"]
    assert len({s for c, s, _ in differ if c == late}) == 2
    assert {d for c, _, d in differ if c == deleted} == {False, True}


def test_a_member_that_was_not_there_yet_is_null_beside_its_facts(tmp_path):
    """Only where a first version does not reach back."""

    class Dim(Dimension, source=Customers, reaches_back=False, name="dim_customer"):
        customer_id: NaturalKey
        city: Track

    class Sold(Fact, source=Sales, at=Sales.at, name="fact_sales"):
        order_id: Degenerate
        line: Degenerate
        customer: Lookup[Dim]
        amount: Sum[Money]

    shelf = Shelf(tmp_path, Star("shop", dimensions=[Dim], facts=[Sold]))
    shelf.put("dim_customer", [(5, 1, "Oslo", "2024-02-01 00:00:00+00", "9999-12-31 00:00:00+00", True, False, False, 1)])
    shelf.put("fact_sales", [(1, 1, 5, "2024-02-15 10:00:00+00", "10.00")], month="2024-02")
    shelf.publish()
    sql = "select customer_city from fact_sales_as_is"
    assert asked(tmp_path, sql, shelf.star, as_of="2024-02-01T00:00Z", show_pii=True) == [{"customer_city": "Oslo"}]
    assert asked(tmp_path, sql, shelf.star, as_of="2024-01-31", show_pii=True) == [{"customer_city": None}]


class Customers(Source, key="customer_id", changed_at="at"):
    customer_id: Pii[int]
    city: Pii[str]
    at: datetime


class Personal(Dimension, source=Customers, name="dim_customer"):
    customer_id: NaturalKey
    city: Track


class Sold(Fact, source=Sales, at=Sales.at, name="fact_sales"):
    order_id: Degenerate
    line: Degenerate
    customer: Lookup[Personal]
    amount: NonAdditive[Money]


def test_personal_columns_are_left_out_and_joins_by_them_stand(tmp_path):
    shelf = Shelf(tmp_path, Star("shop", dimensions=[Personal], facts=[Sold]))
    versions = [(5, 1, "Oslo"), (6, 2, "Rome"), (7, 3, None), (-1, None, None)]
    until = ("1900-01-01 00:00:00+00", "9999-12-31 00:00:00+00", True, False, False, 1)
    shelf.put("dim_customer", [(*v, *until) for v in versions])
    shelf.put(
        "fact_sales", [(n, 1, key, "2024-02-15 10:00:00+00", "1.00") for n, key in enumerate((5, 6, 7, -1))], month="2024-02"
    )
    shelf.publish()
    for view in ("fact_sales_as_is", "fact_sales_as_was"):
        sql = f"select order_id, customer_id, customer_city from {view} order by order_id"
        open_ = asked(tmp_path, sql, shelf.star, as_known=1, show_pii=True)
        assert [tuple(r.values()) for r in open_] == [(n, *versions[n][1:]) for n in range(4)]
        with pytest.raises(WarehouseError, match='"customer_id" not found'):
            asked(tmp_path, sql, shelf.star, as_known=1)
        seen = asked(tmp_path, f"from {view} order by order_id", shelf.star, as_known=1)
        assert [tuple(r) for r in seen] == [("order_id", "line", "at", "amount")] * 4
        assert [r["order_id"] for r in seen] == [0, 1, 2, 3]
    with pytest.raises(WarehouseError, match='"city" not found'):
        asked(tmp_path, "from dim_customer where city = 'Oslo'", shelf.star, as_known=1)


class FactSales(Fact, source=Sales, at=Sales.at):
    order_id: Degenerate
    line: Degenerate
    customer: Lookup[DimCustomer]
    order_date: Lookup[DimDate]
    amount: Sum[Money]
    doubled: Sum[Money] = Sales.amount


class Weeks(Calendar, start=2024, name="dim_week"): ...


def test_a_release_of_another_declaration_has_nulls_where_it_has_no_column(tmp_path):
    stocked(tmp_path)
    now = Star("shop", dimensions=[DimCustomer, DimDate, Weeks], facts=[FactSales])
    [row] = asked(tmp_path, "select sum(amount) as amount, count(doubled) as n from fact_sales_as_is", now, as_known=1)
    assert (str(row["amount"]), row["n"]) == ("25.50", 0)
    assert "note" not in asked(tmp_path, "from fact_sales limit 1", now)[0]
    assert asked(tmp_path, "from dim_week", now) == []


@pytest.mark.parametrize(
    ("text", "zone", "means"),
    [
        ("2025-03-31", "UTC", "2025-03-31T23:59:59.999999"),
        ("2025-03-31", "America/New_York", "2025-04-01T03:59:59.999999"),
        ("2025-11-02", "America/New_York", "2025-11-03T04:59:59.999999"),  # a day of 25 hours
        ("2025-03-31T18:00", "America/New_York", "2025-03-31T22:00:00"),
        ("2025-03-31T18:00:00.000001Z", "America/New_York", "2025-03-31T18:00:00.000001"),
        ("2025-03-31 18:00+02:00", "America/New_York", "2025-03-31T16:00:00"),
    ],
)
def test_a_date_is_the_end_of_that_day_on_the_business_s_clock(text, zone, means):
    assert instant(text, zone).astimezone(UTC) == datetime.fromisoformat(means).replace(tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "yesterday", "2025-02-30", "31.03.2025", "1899-12-31", "9999-12-31", "2025-03-31T25:00"])
def test_what_is_no_time_is_refused_with_an_example(text):
    with pytest.raises(ConfigError, match=r"Write a date.*2025-03-31"):
        instant(text, "Europe/Berlin")


def test_a_question_reads_the_release_alone_and_writes_nothing(eventful: Eventful, tmp_path):
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    file = next((eventful.lake / "gold" / "dim_customer").glob("*.parquet"))
    refused = [
        f"from read_csv('{secret}')",
        f"from '{secret}'",
        f"describe '{secret}'",
        f"summarize '{secret}'",
        f"select (select max(a) from '{secret}')",
        f"from read_parquet('{file}')",
        f'with "{file}" as (select 1) from "{file}"',
        f"from query('select 1')",  # noqa: F541  (as its neighbours)
        f"from glob('{tmp_path}/*')",
        "from duckdb_secrets()",
        "from duckdb_views()",
        f"copy fact_sales to '{tmp_path}/out.csv'",
        f"attach '{tmp_path}/x.duckdb'",
        "create table t as select 1",
        "create macro f() as 1",
        "drop view fact_sales",
        "delete from fact_sales",
        "set lock_configuration = false",
        "select 1; select 2",
        "install spatial",
        "call checkpoint()",
        "explain analyze select 1",
        "",
        "selekt 1",
        "select * from no_such_table",
        "select 1 + ?",
    ]
    with past(star, lake=eventful.lake, as_known=1) as then:
        for question in refused:
            with pytest.raises(WarehouseError):
                then.query(question)
        asks = [
            "select 1",
            "values (1)",
            "describe fact_sales",
            "show tables",
            "with a as (select 1 as x) from a",
            "from range(3)",
        ]
        assert all(then.query(question).rows for question in asks)
        names = {name for (name,) in then.query("select table_name from information_schema.tables").rows}
        assert names == {row for (row,) in then.query("show tables").rows} >= {"dim_date", "fact_sales_as_is"}
        # Should a question get by, the connection itself opens no other file.
        for sql in (f"from read_csv('{secret}')", f"copy (select 1) to '{tmp_path}/out.csv'"):
            with pytest.raises(Exception, match="disabled by configuration"):
                then._engine._con.execute(sql)
    assert sorted(f.name for f in tmp_path.iterdir()) == ["secret.csv"]


def test_a_file_that_is_gone_and_a_release_that_never_was_are_said(tmp_path):
    shelf = stocked(tmp_path)
    with pytest.raises(LakeError, match="no release 7"), past(shelf.star, lake=tmp_path, as_known=7):
        pass
    (tmp_path / "gold/fact_sales" / shelf.january.path).unlink()
    with pytest.raises(LakeError, match="cannot be read"):
        asked(tmp_path, "select sum(amount) from fact_sales", shelf.star, as_known=1)
    shelf.put("fact_sales", JANUARY, month="2024-01")
    version = shelf.publish().tables["gold/fact_sales"]
    shelf.put("fact_sales", [], remove=[])
    (tmp_path / f"gold/fact_sales/_delta_log/{version:020}.json").unlink()
    with pytest.raises(LakeError, match=f"gold/fact_sales .* has its version {version} no more"):
        asked(tmp_path, "select 1", shelf.star, as_known=2)


def test_names_of_files_may_have_letters_that_make_patterns(tmp_path):
    shelf = stocked(tmp_path / "la[k]e * 'x'?")
    assert len(asked(shelf.lake.storage.url().removesuffix("/"), "from fact_sales", shelf.star)) == 5


def test_a_lake_on_s3_is_asked_too(s3, bucket):
    shelf = stocked(f"s3://{bucket}/lake")
    shelf.put("dim_customer", [ANN_IS], remove=list(shelf.lake.gold["dim_customer"].files))
    shelf.publish()
    sql = "select count(*) as n from fact_sales_as_was where customer_name is not null"
    assert [asked(f"s3://{bucket}/lake", sql, shelf.star, as_known=n) for n in (1, 2)] == [[{"n": 4}], [{"n": 1}]]
    with past(shelf.star, lake=f"s3://{bucket}/lake") as then, pytest.raises(Exception, match="disabled by configuration"):
        then._engine._con.execute(f"from read_csv('s3://{bucket}/secret.csv')")


@pytest.fixture(scope="module")
def project(eventful: Eventful, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("past") / "shop"
    assert CliRunner().invoke(main, ["init", str(folder)]).exit_code == 0
    # The warehouse is one that cannot be reached: it is not asked.
    (folder / "aisle.toml").write_text(
        f'star = "star.py:star"\nlake = "{eventful.lake}"\nwarehouse = "postgresql://nobody@127.0.0.1:9/none"\n'
    )
    return folder


def test_the_command_asks_releases_and_times(project, eventful: Eventful):
    def aisle(*words: str) -> Result:
        result = CliRunner().invoke(main, ["-C", str(project), "query", *words])
        assert "Traceback" not in result.output
        return result

    revenue = "select sum(net_amount) as revenue from fact_sales"
    for release in (1, 3):
        expected = sum(f["net_amount"] for f in eventful.rows("fact_sales", release))
        assert aisle("--as-known", str(release), "--csv", revenue).stdout == f"revenue\n{expected}\n"
    name = f"select name from dim_customer where customer_id = {eventful.late['customer_id']}"
    assert "--show-pii shows: dim_customer.name" in aisle("--as-of", "2025-01-31", name, "--json").stdout
    assert json.loads(aisle("--as-of", "2025-01-31", name, "--json", "--show-pii").stdout)["rows"] == [[eventful.late["name"]]]
    for words, code in (
        (("--as-known", "77", "select 1"), 4),
        (("--as-of", "soon", "select 1"), 2),
        (("--as-known", "1", "selekt"), 7),
        (("--as-known", "x", "select 1"), 2),
        (("--as-of", "2025-01-31", name), 7),
    ):
        assert aisle(*words).exit_code == code
    assert "_as_is" in aisle("--help").stdout
