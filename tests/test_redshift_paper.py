"""A star in Redshift on paper: how its tables lie there, and that what is printed is what runs."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Annotated

import psycopg
import pytest
import sqlglot
from annotated_types import MaxLen
from sqlglot import exp

from aisle import Calendar, Current, Degenerate, Dimension, Fact, Lookup, Money, NaturalKey, OneOf, Pii, Source, Star, Sum, Track
from aisle.derive import ddl
from aisle.derive.dialect import DUCKDB
from aisle.derive.redshift import REDSHIFT, distribution, sort_key
from aisle.errors import DeclarationError
from aisle.retail.star import star as retail
from aisle.warehouses.paper import Place, paper
from redshift_standin import RefusedError, Session, Workgroup
from test_ddl import EVIL, Evil, Table

SNAPSHOTS = Path(__file__).parent / "snapshots" / "redshift"


class Shoppers(Source, key="shopper", changed_at="at"):
    shopper: int
    name: Pii[Annotated[str, MaxLen(40)]]
    essay: Annotated[str, MaxLen(40_000)]
    tier: OneOf["gold", "sølv"]
    note: str
    at: datetime


class Goods(Source, key="good", changed_at="at"):
    good: str
    a: str
    b: str
    c: str
    at: datetime


class Sales(Source, key="sale", feed="events"):
    sale: int
    shopper: int
    good: str
    at: datetime
    amount: Money


class DimShopper(Dimension, source=Shoppers):
    shopper: NaturalKey
    name: Track
    essay: Track
    tier: Current
    note: Track


class DimGood(Dimension, source=Goods):
    good: NaturalKey
    a: Track
    b: Track
    c: Track


class DimDate(Calendar, start=2024):
    """When."""


def fact(members: dict[str, object], **options: str) -> type[Fact]:
    body = {"sale": Degenerate, **members, "amount": Sum[Money]}
    return type("FactSales", (Fact,), {"__annotations__": body, "__module__": __name__}, source=Sales, at=Sales.at, **options)


def star(*facts: type[Fact]) -> Star:
    return Star("shop", dimensions=[DimShopper, DimGood, DimDate], facts=facts)


# How tables lie


def test_texts_have_the_bytes_that_the_contract_allows() -> None:
    (shopper, *_) = star().dimensions
    found = {name: type_ for name, type_, _ in ddl.columns(shopper, REDSHIFT) if type_.startswith("VARCHAR")}
    assert found == {
        "name": "VARCHAR(160)",  # 40 characters of 4 bytes
        "essay": "VARCHAR(65535)",  # as long as can be
        "tier": "VARCHAR(5)",  # ø has two bytes
        "current_tier": "VARCHAR(5)",
        "note": "VARCHAR(1024)",
    }


def test_a_fact_is_distributed_by_people_unless_it_says_otherwise() -> None:
    shopper, good, _date = (*star().dimensions, *star().calendars)
    lookups = {"good": Lookup[DimGood], "shopper": Lookup[DimShopper], "day": Lookup[DimDate]}

    def laid(**options: str) -> list[str]:
        sales = type(
            "FactSales", (Fact,), {"__annotations__": {"sale": Degenerate, **lookups}, "__module__": __name__},
            source=Sales, at=Sales.at, **options,
        )  # fmt: skip
        made = star(sales)
        return [distribution(made, spec).removeprefix("DISTSTYLE ") for spec in (made.facts[0], shopper, good, made.calendars[0])]

    assert laid() == ['KEY DISTKEY ("shopper_key")', 'KEY DISTKEY ("shopper_key")', "ALL", "ALL"]
    assert laid(distribute="good") == ['KEY DISTKEY ("good_key")', "ALL", 'KEY DISTKEY ("good_key")', "ALL"]
    assert laid(distribute="evenly") == ["EVEN", "ALL", "ALL", "ALL"]
    with pytest.raises(DeclarationError, match=r"distribute='day' is no lookup of a dimension; there are good, shopper"):
        laid(distribute="day")
    with pytest.raises(DeclarationError, match=r"did you mean 'shopper'"):
        laid(distribute="shoper")


def test_how_rows_are_spread_is_not_part_of_what_a_star_is() -> None:
    """Else a hint would make the lake start anew."""
    assert star(fact({})).fingerprint == star(fact({}, distribute="evenly")).fingerprint
    assert ddl.structure(star(fact({})), REDSHIFT) == ddl.structure(star(fact({}, distribute="evenly")), REDSHIFT)
    assert ddl.structure(retail, REDSHIFT) != ddl.structure(retail, DUCKDB)


def test_sort_keys() -> None:
    assert {s.table: sort_key(s) for s in retail.tables} == {
        "dim_customer": ("customer_id", "valid_from"),
        "dim_product": ("product_id", "valid_from"),
        "dim_date": ("date_key",),
        "fact_sales": ("order_date_key", "ordered_at"),
    }
    assert sort_key(star(fact({})).facts[0]) == ("at",)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("n" * 128, "has 128 bytes; redshift takes 127"),
        ("ø" * 64, "has 128 bytes; redshift takes 127"),
        ("n" * 121, "dim_good_as_was|has 129 bytes; redshift takes 127"),
    ],
)
def test_names_that_are_too_long_are_refused(name: str, says: str) -> None:
    named = type(
        "Named", (Dimension,), {"__annotations__": {"good": NaturalKey}, "__module__": __name__}, source=Goods, name=name
    )
    with pytest.raises(DeclarationError, match=says):
        ddl.ddl(Star("shop", dimensions=[named], facts=[]), REDSHIFT)


def test_columns_that_redshift_has_itself_are_refused() -> None:
    class Rows(Source, key="k", changed_at="at"):
        k: int
        OID: int
        at: datetime

    class DimRow(Dimension, source=Rows):
        k: NaturalKey
        OID: Track

    with pytest.raises(DeclarationError, match=r"dim_row.OID: redshift keeps this name for itself"):
        ddl.ddl(Star("shop", dimensions=[DimRow], facts=[]), REDSHIFT)


# What the stand-in takes


def ran(workgroup: Workgroup, statements: tuple[str, ...]) -> psycopg.Connection:
    session = Session(workgroup, "dev")
    for statement in statements:
        session.run(statement)
    session.close()
    return psycopg.connect(workgroup.url("dev"), autocommit=True)


def test_reserved_words_quotes_and_injection_are_just_names(workgroup: Workgroup) -> None:
    with ran(workgroup, ddl.ddl(Star("order", dimensions=[Evil], facts=[Table]), REDSHIFT)) as con:
        there = con.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'order'").fetchall()
    folded = EVIL.lower()
    assert {n for (n,) in there} == {folded, f"{folded}_current", "table", "table_as_was", "table_as_is"}


def test_a_docstring_cannot_break_out_of_its_comment(workgroup: Workgroup) -> None:
    class DimGood(Dimension, source=Goods):
        r"""It's "quoted"; '); DROP SCHEMA shop CASCADE; -- \' \\ /* {a} %s $$ ? :x ü"""

        good: NaturalKey

    with ran(workgroup, ddl.ddl(Star("shop", dimensions=[DimGood], facts=[]), REDSHIFT)) as con:
        (comment,) = con.execute("SELECT obj_description('shop.dim_good'::regclass)").fetchone()
    assert comment == f"{DimGood.__doc__}\nPrimary key: good_key. Natural key: good."


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO a VALUES (1) ON CONFLICT DO NOTHING",
        "CREATE INDEX i ON a (x)",
        "DELETE FROM a AS b USING c WHERE b.x = c.x",
        "SELECT 1 WHERE 1 IS NOT DISTINCT FROM 2",
        "INSERT INTO a VALUES (1) RETURNING x",
        "CREATE TABLE b (x TEXT[])",
        "CREATE TABLE b (x VARCHAR(65536))",
        "CREATE TABLE b (x VARCHAR(9) ENCODE az64)",
        "CREATE TABLE b (x BIGINT ENCODE zippy)",
        "CREATE TABLE b (x DECIMAL(39,2))",
        "CREATE TABLE b (x JSONB)",
        "CREATE TABLE b (x BIGINT) DISTSTYLE KEY",
        "CREATE TABLE b (x BIGINT) SORTKEY (y)",
        "CREATE TABLE b (ctid BIGINT)",
        f"CREATE TABLE {'b' * 128} (x BIGINT)",
        "SELECT 1; SELECT 2",
        "VACUUMM",
        "COPY a FROM 's3://lake/m' FORMAT AS PARQUET MANIFEST",
        "COPY a FROM 's3://lake/m' IAM_ROLE default FORMAT AS PARQUET MANIFEST COMPUPDATE ON",
        "COPY a FROM 's3://lake/m' IAM_ROLE default FORMAT AS PARQUET MANIFEST REGION 'x'",
        "COPY a FROM 's3://lake/nothing' IAM_ROLE default FORMAT AS PARQUET MANIFEST",
    ],
)
def test_the_stand_in_refuses(workgroup: Workgroup, sql: str) -> None:
    session = Session(workgroup, "dev")
    session.run("CREATE TABLE a (x BIGINT)")
    session.run("CREATE TABLE c (x BIGINT)")
    with pytest.raises(RefusedError):
        session.run(sql)
    session.close()


# On paper


def statements(text: str) -> list[str]:
    """The statements of a file; none of the reference star has a `;` at a line's end inside."""
    return [s.strip().rstrip(";") for s in re.split(r";\n", re.sub(r"^--.*\n", "", text, flags=re.MULTILINE)) if s.strip()]


def test_the_reference_stars_files_are_those_that_were_reviewed() -> None:
    """`make snapshots` writes them anew."""
    files = paper(retail, REDSHIFT, Place("shop", reader_role="shop_reader"))
    assert {f.name: f.read_text(encoding="utf-8") for f in SNAPSHOTS.glob("*.sql")} == files
    assert list(files) == sorted(files, key=lambda name: name[:2])


def test_all_statements_parse_as_redshifts() -> None:
    plain = set()
    for text in paper(retail, REDSHIFT, Place("shop", reader_role="shop_reader")).values():
        for statement in statements(text):
            tree = sqlglot.parse_one(statement, dialect="redshift")
            if isinstance(tree, exp.Command):
                plain.add(" ".join(statement.split()[:2]))
    # sqlglot has no syntax tree for these two.
    assert plain <= {"GRANT SELECT", "ALTER DEFAULT", 'LOCK "shop"."_aisle_lock"'}


def test_the_files_run_in_their_order(workgroup: Workgroup) -> None:
    files = paper(retail, REDSHIFT, Place("from_paper", reader_role="shop_reader"))
    session = Session(workgroup, "dev")
    session.run("BEGIN")
    with pytest.raises(RefusedError, match="CREATE DATABASE cannot run inside a transaction block"):
        session.run(statements(files["00_database.sql"])[0])
    session.run("ROLLBACK")
    session.run(statements(files.pop("00_database.sql"))[0])
    session.close()
    with psycopg.connect(workgroup.server, autocommit=True) as con:
        con.execute("DROP ROLE IF EXISTS shop_reader")
        con.execute("CREATE ROLE shop_reader")
    session = Session(workgroup, "from_paper")
    for name, text in files.items():
        if not name.startswith("50"):
            for statement in statements(text):
                session.run(statement)
    session.close()
    with psycopg.connect(workgroup.url("from_paper"), autocommit=True) as con:
        assert con.execute("SELECT has_table_privilege('shop_reader', 'shop_reader.fact_sales_as_is', 'SELECT')").fetchone() == (
            True,
        )


def test_other_warehouses_have_paper_too() -> None:
    files = paper(retail, DUCKDB, Place("shop"))
    assert list(files)[:2] == ["01_schema.sql", "10_dim_customer.sql"]
    assert not [name for name in files if name.startswith(("00", "20", "40", "50"))]
