"""What a star becomes in a warehouse: tables, comments and views, in real DuckDB."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

import duckdb
import pytest

from aisle import (
    Calendar,
    Current,
    Degenerate,
    Digits,
    Dimension,
    Fact,
    Lookup,
    Money,
    NaturalKey,
    Pii,
    Source,
    Star,
    Sum,
    Track,
    by,
)
from aisle.declare.dimension import DimensionSpec, StarColumn
from aisle.derive import ddl
from aisle.derive.dialect import DUCKDB
from aisle.derive.views import view_columns, views
from aisle.errors import DeclarationError
from aisle.retail.star import star as retail


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as con:
        yield con


def make(con: duckdb.DuckDBPyConnection, star: Star) -> None:
    for statement in ddl.ddl(star, DUCKDB):
        con.execute(statement)


def described(con: duckdb.DuckDBPyConnection, star: Star, table: str) -> list[tuple]:
    columns = "SELECT column_name, data_type, is_nullable FROM duckdb_columns()"
    there = [star.name, table]
    return con.execute(f"{columns} WHERE schema_name = ? AND table_name = ? ORDER BY column_index", there).fetchall()


def comments(con: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    return dict(con.execute("SELECT column_name, comment FROM duckdb_columns() WHERE table_name = ?", [table]).fetchall())


# Tables


def test_tables_have_the_columns_of_the_data_files_in_their_order(con: duckdb.DuckDBPyConnection) -> None:
    make(con, retail)
    for spec in retail.tables:
        found = described(con, retail, spec.table)
        assert [(n, null) for n, _, null in found] == [(c.name, c.nullable) for c in spec.columns]


def test_types(con: duckdb.DuckDBPyConnection) -> None:
    class S(Source, key="k", changed_at="t"):
        k: str
        whole: int | None
        real: float | None
        yes: bool | None
        day: date | None
        t: datetime
        money: Money | None
        rate: Annotated[Decimal, Digits(9, 6)] | None

    class Dim(Dimension, source=S):
        k: NaturalKey
        whole: Track
        real: Track
        yes: Track
        day: Track
        t: Track
        money: Track
        rate: Track

    star = Star("types", dimensions=[Dim], facts=[])
    make(con, star)
    assert described(con, star, "dim")[1:9] == [
        ("k", "VARCHAR", True),
        ("whole", "BIGINT", True),
        ("real", "DOUBLE", True),
        ("yes", "BOOLEAN", True),
        ("day", "DATE", True),
        ("t", "TIMESTAMP", True),
        ("money", "DECIMAL(18,2)", True),
        ("rate", "DECIMAL(9,6)", True),
    ]


def test_statements_can_be_run_again_but_for_the_tables(con: duckdb.DuckDBPyConnection) -> None:
    make(con, retail)
    for statement in (ddl.create_schema(retail, DUCKDB), *ddl.dress(retail, DUCKDB)):
        con.execute(statement)


def test_keys() -> None:
    assert {s.table: ddl.key(s) for s in retail.tables} == {
        "dim_customer": ("customer_key",),
        "dim_product": ("product_key",),
        "dim_date": ("date_key",),
        "fact_sales": ("order_id", "line_number"),
    }


# Comments


def test_comments_say_what_docstrings_say_and_what_keys_reference(con: duckdb.DuckDBPyConnection) -> None:
    make(con, retail)
    tables = dict(con.execute("SELECT table_name, comment FROM duckdb_tables()").fetchall())
    assert tables == {
        "dim_customer": "Who bought: one row for each version of a customer.\n"
        "Primary key: customer_key. Natural key: customer_id.",
        "dim_product": "What was sold: one row for each version of a product.\n"
        "Primary key: product_key. Natural key: product_id.",
        "dim_date": "When it was sold: one row for each day.\nPrimary key: date_key.",
        "fact_sales": "One row for each line of an order.\nGrain: order_id, line_number.",
    }
    fact = comments(con, "fact_sales")
    assert fact["customer_key"].endswith(" References dim_customer.customer_key.")
    assert fact["order_date_key"].endswith(" References dim_date.date_key.")
    assert comments(con, "dim_customer")["email"] == "The newest value, on every version. Personal data."
    for table in (*tables, *(v.name for v in views(retail, DUCKDB))):
        assert all(comments(con, table).values()), table


def test_a_docstring_cannot_break_out_of_its_comment(con: duckdb.DuckDBPyConnection) -> None:
    class S(Source, key="k", changed_at="t"):
        k: str
        t: datetime

    class Dim(Dimension, source=S):
        r"""It's "quoted"; '); DROP SCHEMA quotes CASCADE; -- \' /* {a} %s $$ ü"""

        k: NaturalKey

    star = Star("quotes", dimensions=[Dim], facts=[])
    make(con, star)
    (comment,) = con.execute("SELECT comment FROM duckdb_tables() WHERE table_name = 'dim'").fetchone()
    assert comment == f"{Dim.__doc__}\nPrimary key: dim_key. Natural key: k."


def test_the_fingerprint_knows_docstrings() -> None:
    def star(doc: str) -> Star:
        return Star("s", dimensions=[type("DimDate", (Calendar,), {"__doc__": doc}, start=2024)], facts=[])

    assert star("a").fingerprint == star("b").fingerprint
    assert ddl.fingerprint(star("a"), DUCKDB) != ddl.fingerprint(star("b"), DUCKDB)
    assert ddl.fingerprint(star("a"), DUCKDB) == ddl.fingerprint(star("a"), DUCKDB)


# Names


class Things(Source, key="select", changed_at="t"):
    select: str
    order: str
    größe: str  # noqa: PLC2401  (awkward on purpose)
    t: datetime


class Lines(Source, key="group", feed="events"):
    group: str
    select: str
    t: datetime
    user: int


EVIL = "x\"; DROP TABLE victim; --'"


class Evil(Dimension, source=Things, name=EVIL):
    select: NaturalKey
    order: Track
    größe: Current  # noqa: PLC2401


class Table(Fact, source=Lines, at=Lines.t, name="table"):
    group: Degenerate
    thing: Lookup[Evil]
    user: Sum[int]


def test_reserved_words_quotes_and_injection_are_just_names(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("CREATE TABLE victim (x INTEGER)")
    star = Star("order", dimensions=[Evil], facts=[Table])
    make(con, star)
    con.execute("FROM victim")
    tables = {
        n for (n,) in con.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'order'").fetchall()
    }
    assert tables == {EVIL, f"{EVIL}_current", "table", "table_as_was", "table_as_is"}
    assert [c for c, *_ in described(con, star, "table_as_is")] == [
        "group",
        "thing_select",
        "thing_order",
        "thing_größe",
        "thing_current_größe",
        "t",
        "user",
    ]
    con.execute('SELECT * FROM "order"."table_as_is"')


@pytest.mark.parametrize("name", ["aisle_release", "Evil_Current", "table_as_was"])
def test_tables_that_clash_with_what_aisle_makes_are_refused(name: str) -> None:
    class Other(Dimension, source=Things, name=name):
        select: NaturalKey

    class Evil(Dimension, source=Things):
        select: NaturalKey

    class Table(Fact, source=Lines, at=Lines.t):
        group: Degenerate
        thing: Lookup[Evil]

    with pytest.raises(DeclarationError, match=f"{name}: another table, or a view or index that aisle makes, has its name"):
        ddl.ddl(Star("s", dimensions=[Evil, Other], facts=[Table]), DUCKDB)


# Views


def test_the_columns_of_the_retail_views() -> None:
    expected = """
        order_id line_number customer_id customer_name customer_email customer_phone customer_company
        customer_segment customer_current_segment customer_street customer_city customer_region
        customer_postal_code customer_country customer_registered_at product_id product_name product_brand
        product_category product_subcategory product_list_price product_unit_cost product_launched_on
        order_date order_date_year order_date_quarter order_date_month order_date_month_name order_date_day
        order_date_day_of_year order_date_day_of_week order_date_day_name order_date_is_weekend
        order_date_iso_year order_date_iso_week order_date_fiscal_year order_date_fiscal_quarter
        order_date_fiscal_month order_date_retail_year order_date_retail_quarter order_date_retail_period
        order_date_retail_week order_date_is_holiday order_date_holiday_name channel status ordered_at
        quantity unit_price discount gross_amount net_amount cost_amount margin_amount
    """
    assert [c.name for c in view_columns(retail.facts[0])] == expected.split()


class People(Source, key="person_id", changed_at="t"):
    person_id: int
    name: Pii[str]
    buyer_name: str
    t: datetime


class DimPerson(Dimension, source=People):
    person_id: NaturalKey
    name: Track
    buyer_name: Track


class Deals(Source, key="deal_id", feed="events"):
    deal_id: int
    buyer: int
    seller: int
    seller_name: str
    t: datetime


@pytest.mark.parametrize(
    ("own", "names"),
    [
        ([], "deal_id buyer_person_id buyer_name buyer_buyer_name seller_person_id seller_name seller_buyer_name t"),
        (["buyer_person_id"], None),
        (["Seller_Name"], None),
    ],
)
def test_two_roles_of_one_dimension_and_names_that_clash(own: list[str], names: str | None) -> None:
    """`buyer_name` of the buyer may not take the place of the buyer's `name`: each has its whole name."""
    body = dict.fromkeys(own, Degenerate) | {"deal_id": Degenerate, "buyer": Lookup[DimPerson], "seller": Lookup[DimPerson]}
    values = dict.fromkeys(own, Deals.seller_name) | {"buyer": by(Deals.buyer), "seller": by(Deals.seller)}
    fact = type("FactDeal", (Fact,), {"__annotations__": body, "__module__": __name__, **values}, source=Deals, at=Deals.t)
    star = Star("deals", dimensions=[DimPerson], facts=[fact])
    if names is not None:
        assert [c.name for c in view_columns(star.facts[0])] == names.split()
    else:
        with pytest.raises(
            DeclarationError, match=r"fact_deal\..*: dim_person\..* would be a second column '.*' in fact_deal_as_was"
        ):
            ddl.ddl(star, DUCKDB)


def test_a_short_name_gives_way_to_the_facts_own_column() -> None:
    class Sales(Source, key="sale_id", feed="events"):
        sale_id: int
        person_id: int
        t: datetime

    class FactSale(Fact, source=Sales, at=Sales.t):
        sale_id: Degenerate
        person_id: Degenerate
        person: Lookup[DimPerson]

    assert [c.name for c in view_columns(FactSale.__aisle__)] == [
        "sale_id", "person_id", "person_person_id", "person_name", "person_buyer_name", "t",
    ]  # fmt: skip


def test_as_is_follows_a_composite_natural_key_and_leaves_the_unknown_member_unknown(con: duckdb.DuckDBPyConnection) -> None:
    class Shelves(Source, key=("store", "aisle"), changed_at="t"):
        store: str
        aisle: int
        goods: str
        t: datetime

    class DimShelf(Dimension, source=Shelves):
        store: NaturalKey
        aisle: NaturalKey
        goods: Track

    class Counts(Source, key="count_id", feed="events"):
        count_id: int
        store: str | None
        aisle: int | None
        t: datetime

    class FactCount(Fact, source=Counts, at=Counts.t):
        count_id: Degenerate
        shelf: Lookup[DimShelf]

    star = Star("stock", dimensions=[DimShelf], facts=[FactCount])
    make(con, star)
    for *member, current in [
        (-1, None, None, "not known", True),
        (1, "a", 1, "tea", False),
        (2, "a", 1, "rice", True),
        (3, "a", 2, "salt", True),
        (4, "b", 1, "oil", True),
    ]:
        values = "?, ?, ?, ?, '1900-01-01', '9999-12-31', ?, false, false, 1"
        con.execute(f"INSERT INTO stock.dim_shelf VALUES ({values})", [*member, current])
    con.executemany("INSERT INTO stock.fact_count VALUES (?, ?, '2024-01-01')", [(1, 1), (2, 2), (3, 3), (4, 4), (5, -1)])
    asked = "SELECT count_id, shelf_store, shelf_aisle, shelf_goods FROM stock.{} ORDER BY 1"
    assert con.execute(asked.format("fact_count_as_was")).fetchall() == [
        (1, "a", 1, "tea"), (2, "a", 1, "rice"), (3, "a", 2, "salt"), (4, "b", 1, "oil"), (5, None, None, "not known"),
    ]  # fmt: skip
    assert con.execute(asked.format("fact_count_as_is")).fetchall() == [
        (1, "a", 1, "rice"), (2, "a", 1, "rice"), (3, "a", 2, "salt"), (4, "b", 1, "oil"), (5, None, None, "not known"),
    ]  # fmt: skip
    assert con.execute("SELECT shelf_key FROM stock.dim_shelf_current ORDER BY 1").fetchall() == [(-1,), (2,), (3,), (4,)]


def test_views_show_no_housekeeping_and_no_surrogate_keys() -> None:
    hidden = {"valid_from", "valid_to", "is_current", "is_deleted", "is_inferred", "version"}
    for c in view_columns(retail.facts[0]):
        assert isinstance(c.shows, StarColumn)
        assert c.shows.name not in hidden
        assert not c.shows.name.endswith("_key")
    assert all(isinstance(d, DimensionSpec) for d in retail.dimensions)


def test_another_hash_is_another_structure() -> None:
    """Checksums of another version's hash cannot be compared: it is a reason for a full load."""
    assert ddl.structure(retail, replace(DUCKDB, hashed_by="duckdb 0.1")) != ddl.structure(retail, DUCKDB)
