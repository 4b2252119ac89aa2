"""What readers see of a star: all but its personal columns, in every kind of warehouse and in the lake's past."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result

from aisle import Degenerate, Dimension, Fact, Lookup, Money, NaturalKey, Overwrite, Pii, Source, Star, Sum, Track
from aisle.cli import main
from aisle.errors import ConfigError, DeclarationError, WarehouseError
from aisle.warehouses import open_warehouse, shown
from places import Database, DuckDBFile, Place, RedshiftDatabase
from shelf import Shelf


class People(Source, key="mail", changed_at="at"):
    mail: Pii[str]
    name: Pii[str] | None
    city: str
    at: datetime


class Sales(Source, key="order_id", feed="events"):
    order_id: int
    mail: str | None
    phone: Pii[str] | None
    at: datetime
    amount: Money


class DimPerson(Dimension, source=People):
    """Who bought."""

    mail: NaturalKey
    name: Overwrite
    city: Track


class FactSales(Fact, source=Sales, at=Sales.at):
    """What was bought."""

    order_id: Degenerate
    person: Lookup[DimPerson]
    phone: Degenerate
    amount: Sum[Money]


SHOP = Star("shop", dimensions=[DimPerson], facts=[FactSales])
PERSONAL = ("ann@example.com", "Ann", "555")
SEEN = {
    "aisle_release": "release made_at star structure definition table_name version row_count checksum",
    "dim_person": "person_key city valid_from valid_to is_current is_deleted is_inferred version",
    "dim_person_current": "person_key city valid_from valid_to is_current is_deleted is_inferred version",
    "fact_sales": "order_id person_key at amount",
    "fact_sales_as_is": "order_id person_city at amount",
    "fact_sales_as_was": "order_id person_city at amount",
}


@pytest.fixture(params=["duckdb", "postgres", "redshift"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "duckdb":
        return DuckDBFile(tmp_path / "warehouse.duckdb")
    return request.getfixturevalue({"postgres": "database", "redshift": "redshift"}[request.param])


@pytest.fixture
def shelf(request: pytest.FixtureRequest, place: Place, tmp_path: Path) -> Shelf:
    return stocked(request.getfixturevalue("lake_on_s3") if place.kind == "redshift" else tmp_path / "lake")


def stocked(lake: Path | str) -> Shelf:
    """Ann bought for 10 in Oslo, and moved to Rome; nobody knows who bought for 1."""
    shelf = Shelf(lake, SHOP)
    begin, moved, end = "1900-01-01 00:00:00+00", "2024-02-01 00:00:00+00", "9999-12-31 00:00:00+00"
    versions = [
        (-1, None, None, None, begin, end, True, False, False, 1),
        (11, "ann@example.com", "Ann", "Oslo", begin, moved, False, False, False, 1),
        (12, "ann@example.com", "Ann", "Rome", moved, end, True, False, False, 2),
    ]
    shelf.put("dim_person", versions)
    at = "2024-01-15 10:00:00+00"
    shelf.put("fact_sales", [(1, 11, "555", at, "10.00"), (2, -1, None, at, "1.00")], month="2024-01")
    shelf.publish()
    return shelf


def seen(place: Place) -> dict[str, str]:
    """The columns of the readers' relations, looked at from outside."""
    found: dict[str, str] = {}
    for table, column in place.outside(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'shop_reader' ORDER BY table_name, ordinal_position"
    ):
        found[table] = f"{found[table]} {column}" if table in found else column
    return found


def test_a_load_makes_views_without_personal_columns_and_questions_go_to_them(shelf: Shelf, place: Place) -> None:
    shelf.load(place)
    assert seen(place) == SEEN
    with place.open() as warehouse:
        for view, city in (("fact_sales_as_was", "Oslo"), ("fact_sales_as_is", "Rome")):
            rows = warehouse.query(f"SELECT order_id, person_city, amount FROM {view} ORDER BY 1").rows
            assert [(o, c, str(a)) for o, c, a in rows] == [(1, city, "10.00"), (2, None, "1.00")]
        assert warehouse.query("SELECT DISTINCT release FROM aisle_release").rows == ((1,),)
        with pytest.raises(WarehouseError, match="person_mail"):
            warehouse.query("SELECT person_mail FROM fact_sales_as_is")
        with pytest.raises(WarehouseError, match="leave shop out, or write shop_reader"):
            warehouse.query("SELECT name FROM shop.dim_person")
        shown_all = "SELECT person_mail, person_name, phone FROM fact_sales_as_is WHERE order_id = 1"
        assert warehouse.query(shown_all, personal=True).rows == (PERSONAL,)
    for table in SEEN:
        rows = place.open().query(f"SELECT * FROM {table}").rows
        assert rows
        assert not {str(value) for row in rows for value in row} & set(PERSONAL)


def test_what_is_gone_of_the_readers_views_is_made_again(shelf: Shelf, place: Place) -> None:
    shelf.load(place)
    gone = [f"DROP VIEW shop_reader.{table}" for table in ("dim_person", "fact_sales_as_is", "aisle_release")]
    for by_hand in [*gone, "DROP SCHEMA shop_reader CASCADE"]:
        place.change(by_hand)
        assert shelf.load(place).mode == "incremental"
        assert seen(place) == SEEN
        assert shelf.load(place, verify=True).mode == "up to date"


def test_a_column_that_becomes_personal_goes_from_what_readers_see(shelf: Shelf, place: Place) -> None:
    shelf.load(place)

    class Persons(Source, key="mail", changed_at="at", name="people"):
        mail: Pii[str]
        name: Pii[str] | None
        city: Pii[str]
        at: datetime

    class DimPerson(Dimension, source=Persons):
        mail: NaturalKey
        name: Overwrite
        city: Track

    shelf.star = Star("shop", dimensions=[DimPerson], facts=[])
    shelf.publish(star=shelf.star.fingerprint)
    shelf.load(place)
    without = SEEN["dim_person"].replace("city ", "")
    assert seen(place) == {n: without if n != "aisle_release" else SEEN[n] for n in SEEN if not n.startswith("fact")}


# The reader's role

READER = "The Reader"


@pytest.fixture
def reader(place: Place) -> Iterator[Database]:
    """The database as someone reaches it who may do nothing there."""
    assert not isinstance(place, DuckDBFile), "a file has no roles"
    beneath = place.beneath if isinstance(place, RedshiftDatabase) else place.address
    place.change(f'CREATE ROLE "{READER}" LOGIN')
    yield Database(beneath.replace("postgres@", "The%20Reader@", 1))
    place.change(f'DROP OWNED BY "{READER}"; DROP ROLE "{READER}"')


@pytest.mark.parametrize("place", ["postgres", "redshift"], indirect=True)
def test_the_reader_reads_what_is_for_readers_and_nothing_else(shelf: Shelf, place: Place, reader: Database) -> None:
    def reads() -> None:
        for table in SEEN:
            assert reader.outside(f"SELECT count(*) > 0 FROM shop_reader.{table}") == [(True,)], table
        for table in ("dim_person", "fact_sales", "fact_sales_as_is", "aisle_release"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied for schema shop"):
                reader.outside(f"SELECT * FROM shop.{table}")

    shelf.load(place)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        reader.outside("SELECT * FROM shop_reader.dim_person")
    # From now on the address names the role: though there is nothing new to load, it may read.
    naming = copy.copy(place)
    naming.address += f"{'&' if '?' in place.address else '?'}reader_role=The%20Reader"
    assert shelf.load(naming).mode == "incremental"
    reads()
    assert shelf.load(naming).mode == "up to date"
    place.change("DROP VIEW shop_reader.fact_sales; DELETE FROM shop.fact_sales WHERE order_id = 1")
    assert shelf.load(naming, repair=True).mode == "full"
    reads()
    if not isinstance(place, RedshiftDatabase):  # who reads needs no other right to ask by aisle
        asked = open_warehouse(reader.address)
        assert asked.query("SELECT person_city FROM fact_sales_as_is WHERE order_id = 1").rows == (("Rome",),)
        with pytest.raises(WarehouseError, match='relation "dim_person" does not exist'):
            asked.query("SELECT name FROM dim_person", personal=True)


def test_a_role_that_is_not_there_stops_the_load(tmp_path: Path, database: Database) -> None:
    shelf = stocked(tmp_path / "lake")
    with pytest.raises(WarehouseError, match=r'the warehouse is as it was \(empty\): role "nobody" does not exist'):
        shelf.load(Database(f"{database.address}&reader_role=nobody"))
    assert database.open().release() is None


def test_the_role_stands_in_the_address() -> None:
    for address, says in {
        "postgresql://me:hid?den@host/shop?reader_role=a%20b": "postgresql://me@host/shop",
        "postgresql://me@host/shop?reader_role=a%20b&sslmode=require": "postgresql://me@host/shop?sslmode=require",
        "postgresql://me@host/shop?sslmode=require&reader_role=a%20b": "postgresql://me@host/shop?sslmode=require",
    }.items():
        assert (shown(address), open_warehouse(address).reader_role) == (says, "a b")
    assert open_warehouse("postgresql://me@host/shop").reader_role is None
    with pytest.raises(ConfigError, match="reader_role names no role"):
        open_warehouse("postgresql://me@host/shop?reader_role=")


# Declaration, and the command


@pytest.mark.parametrize("name", ["shop_reader", "Shop_Reader"])
def test_no_star_takes_the_name_of_anothers_readers(name: str) -> None:
    with pytest.raises(
        DeclarationError, match=r"is for the readers of a star '[Ss]hop'\n  Choose one that does not end with _reader"
    ):
        Star(name, dimensions=[DimPerson], facts=[])


@pytest.fixture
def project(tmp_path: Path) -> Path:
    stocked(tmp_path / "lake")
    (tmp_path / "aisle.toml").write_text('star = "test_readers:SHOP"\nlake = "lake"\nwarehouse = "shop.duckdb"\n')
    assert CliRunner().invoke(main, ["-C", str(tmp_path), "load"]).exit_code == 0
    return tmp_path


@pytest.mark.parametrize("when", [[], ["--as-known", "1"]], ids=["warehouse", "past"])
def test_a_question_means_the_same_to_the_warehouse_and_the_past(project: Path, when: list[str]) -> None:
    def aisle(*words: str) -> Result:
        result = CliRunner().invoke(main, ["-C", str(project), "query", *when, *words])
        assert "Traceback" not in result.output
        return result

    for question, hint in {
        "select mail, name from dim_person": "dim_person.mail, dim_person.name",
        "select p.mail from dim_person p": "dim_person.mail",
        'select "PERSON_NAME" from fact_sales_as_is': "fact_sales_as_is.person_name",
        "select 1 from fact_sales f join dim_person p using (person_key) where f.phone = ''": "fact_sales.phone",
    }.items():
        for words in ([question], ["--json", question]):
            result = aisle(*words)
            assert result.exit_code == 7
            assert f"Personal data, which --show-pii shows: {hint}." in result.output
            assert not [value for value in PERSONAL if value in result.output]
        assert aisle(question, "--show-pii").exit_code == 0
    for question in ("select nope from dim_person", "select name from fact_sales", "select 1 from name"):
        result = aisle(question)
        assert (result.exit_code, "--show-pii" in result.output) == (7, False), question
    everything = json.loads(aisle("--json", "select * from dim_person").stdout)
    assert everything["columns"] == SEEN["dim_person"].split()
    assert json.loads(aisle("--json", "select name from dim_person where is_current order by 1", "--show-pii").stdout)[
        "rows"
    ] == [["Ann"], [None]]


def test_a_schema_is_told_from_what_looks_like_one(project: Path) -> None:
    with open_warehouse(project / "shop.duckdb") as warehouse:
        for question in (
            "from shop.dim_person",
            'from "Shop" . "dim_person"',
            "from shop/**/.dim_person",
            'select 1 from main."x", shop.y',
        ):
            with pytest.raises(WarehouseError, match="leave shop out"):
                warehouse.query(question)
        with pytest.raises(WarehouseError, match="read-only"):
            warehouse.query("delete from shop.dim_person", personal=True)
        for question in (
            "from shop_reader.dim_person",
            "select 'shop.dim_person' -- shop.x\nas a",
            "select myshop.city from dim_person myshop /* shop. */",
            'select "a.shop" from (select 1 as "a.shop")',
        ):
            assert warehouse.query(question).rows
