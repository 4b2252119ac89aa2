"""What is PostgreSQL's own about a warehouse in it: addresses and their secrets, what stands there, texts, errors, other people."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner

from aisle import Calendar, Degenerate, Dimension, Fact, Lookup, NaturalKey, Source, Star, Sum, Track
from aisle.cli import main
from aisle.derive import ddl
from aisle.derive.postgres import POSTGRES
from aisle.errors import ConfigError, DeclarationError, WarehouseError
from aisle.retail.star import star as retail
from aisle.warehouses import open_warehouse, shown
from places import Database, PostgresServer
from shelf import DAYS, JANUARY, NOBODY, SHOP, Shelf, assert_loaded, stocked

SECRET = "s3cr/et@x?y z%"
QUOTED = "s3cr%2Fet%40x%3Fy%20z%25"


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return stocked(tmp_path / "lake")


def ask(place: Database, sql: str) -> list[tuple]:
    with place.open() as warehouse:
        return list(warehouse.query(sql).rows)


# Addresses


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("postgresql://me@host:5432/shop", "postgresql://me@host:5432/shop"),
        ("postgres://me:hidden@host/shop", "postgres://me@host/shop"),
        (f"postgresql://me:{QUOTED}@host/shop", "postgresql://me@host/shop"),
        ("postgresql://me:hid?den@host/shop", "postgresql://me@host/shop"),
        ("postgresql://:hidden@host/shop?user=me", "postgresql://@host/shop?user=me"),
        (
            "postgresql://host/shop?user=me&password=hidden&sslmode=require",
            "postgresql://host/shop?user=me&password=…&sslmode=require",
        ),
        ("postgresql://?service=shop", "postgresql://?service=shop"),
        ("postgresql://me@one:5432,two:5433/shop", "postgresql://me@one:5432,two:5433/shop"),
        ("shop.duckdb", "shop.duckdb"),
    ],
)
def test_an_address_is_shown_without_its_password(address: str, says: str) -> None:
    assert shown(address) == says
    if "://" in address:
        assert repr(open_warehouse(address)) == f"Warehouse({says!r})"
        assert "hid" not in repr(vars(open_warehouse(address)))


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://me:hid@den@host/shop",
        "postgresql://me:hid/den@host/shop",
        "postgresql://me:12/hid@den@host/shop",
        "postgresql://me:hidden@host:port/shop",
        "postgresql://me:hid%zzden@host/shop",
        "postgresql://host/shop?nonsense=hidden",
    ],
)
def test_an_address_that_is_none_is_refused_and_not_repeated(address: str) -> None:
    with pytest.raises(ConfigError, match=r"The address of the warehouse, postgresql://…, is none") as refused:
        open_warehouse(address)
    assert "hid" not in str(refused.value)
    assert "den" not in str(refused.value).replace("hidden", "")


def test_without_psycopg_it_is_said_what_to_install(tmp_path: Path) -> None:
    script = (
        "import sys; sys.modules['psycopg'] = None\nfrom aisle.warehouses import open_warehouse\nopen_warehouse('postgresql://x')"
    )
    run = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True, cwd=tmp_path)
    assert run.stderr.splitlines()[-1].endswith("needs psycopg. Install it: pip install 'aisle[postgres]'")


@pytest.fixture
def guarded(postgres: PostgresServer, database: Database) -> Iterator[str]:
    """The address, without password, of a user that needs one, and may do nothing in the database but connect."""
    hba = postgres.folder / "pg_hba.conf"
    before = hba.read_text()
    with psycopg.connect(postgres.address(), autocommit=True) as con:
        con.execute(f"CREATE ROLE judy LOGIN PASSWORD '{SECRET}'".encode())
        hba.write_text(f"local all judy scram-sha-256\n{before}")
        con.execute("SELECT pg_reload_conf()")
        yield database.address.replace("postgres@", "judy@", 1)
        hba.write_text(before)
        con.execute("SELECT pg_reload_conf()")
    with psycopg.connect(database.address, autocommit=True) as con:
        con.execute("DROP OWNED BY judy")
        con.execute("DROP ROLE judy")


def test_a_password_is_nowhere_to_be_seen(guarded: str, database: Database, shelf: Shelf, tmp_path: Path) -> None:
    address = guarded.replace("judy@", f"judy:{QUOTED}@")
    with pytest.raises(WarehouseError, match=r"permission denied for database") as refused:
        shelf.load(Database(address))
    said = [str(refused.value), repr(open_warehouse(address))]
    with pytest.raises(WarehouseError, match=r"judy@.* cannot be reached: .*password authentication failed") as refused:
        shelf.load(Database(guarded.replace("judy@", f"judy:{QUOTED}wrong@")))
    said += [str(refused.value)]
    (name,) = database.outside("SELECT current_database()")[0]
    database.change(f"GRANT CREATE ON DATABASE {name} TO judy")
    project = tmp_path / "project"
    CliRunner().invoke(main, ["init", str(project)], catch_exceptions=False)
    here = ["-C", str(project)]
    environment = {"AISLE_WAREHOUSE": address}
    CliRunner().invoke(main, [*here, "generate", "--days", "3", "--orders-per-day", "20"], catch_exceptions=False)
    for command in (
        ["run"],
        ["load"],
        ["load", "--json", "--verify"],
        ["status"],
        ["status", "--json"],
        ["query", "select 1 as one"],
    ):
        result = CliRunner().invoke(main, [*here, *command], env=environment)
        assert result.exit_code == 0, result.output
        said.append(result.output)
    result = CliRunner().invoke(main, [*here, "load"], env={"AISLE_WAREHOUSE": address.replace(QUOTED, "s3cr@et")})
    assert result.exit_code == 2
    said.append(result.output)
    assert not [s for s in said if "s3cr" in s]
    assert "postgresql://judy@/" in said[4]  # what `aisle load` says


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("postgresql://postgres@127.0.0.1:1/shop", r"cannot be reached: .*Connection refused"),
        ("postgresql://postgres@nowhere.invalid/shop", r"cannot be reached: .*nowhere.invalid"),
        ("postgresql://postgres@/nosuch?host={folder}", r'cannot be reached: .*database "nosuch" does not exist'),
        ("postgresql://nobody@/postgres?host={folder}", r'cannot be reached: .*role "nobody" does not exist'),
    ],
)
def test_what_cannot_be_reached_is_said_in_a_line(shelf: Shelf, postgres: PostgresServer, address: str, says: str) -> None:
    place = Database(address.format(folder=postgres.folder))
    for act in (lambda: shelf.load(place), lambda: place.open().release(), lambda: ask(place, "SELECT 1")):
        with pytest.raises(WarehouseError, match=says) as refused:
            act()
        assert "\n" not in str(refused.value)
        assert refused.value.exit_code == 7


def test_a_server_that_goes_away_while_it_is_loaded(shelf: Shelf, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf.load(database)
    from aisle.warehouses import loading

    sign = loading.sign

    def cut(*args: object) -> None:
        with psycopg.connect(database.address, autocommit=True) as con:
            con.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'aisle'")
        sign(*args)

    shelf.put("fact_sales", JANUARY[:1], [shelf.january], "2024-01")
    shelf.publish()
    monkeypatch.setattr(loading, "sign", cut)
    with pytest.raises(
        WarehouseError, match=r"The load failed, the warehouse is as it was \(release 1\): .*terminating connection"
    ):
        shelf.load(database)
    monkeypatch.undo()
    assert database.open().release() == 1
    assert shelf.load(database).mode == "incremental"
    assert_loaded(shelf, database)


# What stands there


def test_tables_have_types_keys_and_indexes(database: Database, shelf: Shelf) -> None:
    shelf.load(database)
    columns = "SELECT attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute WHERE attrelid = 'shop.fact_sales'::regclass"
    assert database.outside(f"{columns} AND attnum > 0 ORDER BY attnum") == [
        ("order_id", "bigint", True),
        ("line", "bigint", True),
        ("customer_key", "bigint", True),
        ("order_date_key", "bigint", True),
        ("note", "text", False),
        ("at", "timestamp without time zone", True),
        ("amount", "numeric(18,2)", False),
    ]
    indexes = database.outside("SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'shop' ORDER BY 1")
    assert [(n, d.partition(" USING ")[2]) for n, d in indexes] == [
        ("dim_customer_current_idx", "btree (customer_id) WHERE is_current"),
        ("dim_customer_pkey", "btree (customer_key)"),
        ("dim_date_pkey", "btree (date_key)"),
        ("fact_sales_pkey", "btree (order_id, line)"),
        ("fact_sales_time_idx", "brin (at, order_date_key)"),
    ]
    assert shelf.load(database, repair=True).mode == "up to date"


def test_the_statements_that_are_printed_run_in_order(database: Database) -> None:
    for statement in ddl.ddl(retail, POSTGRES):
        database.change(statement)
    assert "Personal data" in database.outside("SELECT col_description('shop.dim_customer'::regclass, 4)")[0][0]


def test_statistics_are_there_after_a_load(database: Database, shelf: Shelf) -> None:
    shelf.load(database)
    assert database.outside("SELECT reltuples FROM pg_class WHERE oid = 'shop.fact_sales'::regclass") == [(5.0,)]
    assert database.outside("SELECT count(*) > 0 FROM pg_stats WHERE schemaname = 'shop'") == [(True,)]


def test_the_view_as_is_is_joined_by_hashes(database: Database, shelf: Shelf) -> None:
    """A comparison that can only be made pair by pair would take hours on a large dimension."""
    shelf.load(database)
    database.change(
        "INSERT INTO shop.dim_customer SELECT i, i, 'x', 'x', 'x', 'x', '1900-01-01', '9999-12-31', true, false, false, 1 "
        "FROM generate_series(1000, 20000) AS i; ANALYZE shop.dim_customer"
    )
    shown_plan = "\n".join(
        line for (line,) in database.outside("EXPLAIN SELECT sum(amount), customer_city FROM shop.fact_sales_as_is GROUP BY 2")
    )
    assert "Hash" in shown_plan or "Merge" in shown_plan
    assert "Nested Loop" not in shown_plan.split("dim_customer")[0]


# Names and texts

NAME = "x\"; DROP TABLE victim; --' %s $1 {a} ü"


def hostile() -> Star:
    class Things(Source, key="select", changed_at="t"):
        select: str
        order: str
        größe: str | None  # noqa: PLC2401  (awkward on purpose)
        t: datetime

    class Lines(Source, key="group", feed="events"):
        group: str
        select: str | None
        t: datetime
        user: int

    class Evil(Dimension, source=Things, name=NAME):
        r"""It's "quoted"; '); DROP SCHEMA x CASCADE; -- \' %s $1 $$ ü"""

        select: NaturalKey
        order: Track
        größe: Track  # noqa: PLC2401

    class Table(Fact, source=Lines, at=Lines.t, name="ü" * 27):
        group: Degenerate
        thing: Lookup[Evil]
        user: Sum[int]

    return Star("order", dimensions=[Evil], facts=[Table])


TEXTS = [
    "", " ", "\\N", "\\.", "a\n\\.\nb", "tab\there", "cr\rlf\r\n", '"', "'", "''", "NULL", "\\", "\\\\n", "a,b;c|d", "%s $1 {x}",
    "ünï — 漢字 🦆", "\u200b\ufeff", "\x01\x1f\x7f", "x" * 100_000, "'); DROP TABLE victim; --", None,
]  # fmt: skip


def test_hostile_names_and_texts_arrive_as_they_are(database: Database, tmp_path: Path) -> None:
    star = hostile()
    shelf = Shelf(tmp_path / "lake", star)
    database.change("CREATE TABLE victim (x int)")
    ends = ("1900-01-01 00:00:00+00", "9999-12-31 00:00:00+00", True, False, False, 1)
    rows = [(n, f"k{n}", "", text, *ends) for n, text in enumerate(TEXTS)]
    first = shelf.put(NAME, rows)
    fact = star.facts[0].table
    shelf.put(fact, [(text or f"none {n}", n, "2024-01-15 10:00:00+00", n) for n, text in enumerate(TEXTS)], month="2024-01")
    shelf.publish()
    assert shelf.load(database).mode == "full"
    assert_loaded(shelf, database)
    shelf.put(NAME, [(n, f"k{n}", "", text, *ends) for n, text in enumerate(reversed(TEXTS))], [first])
    shelf.publish()
    assert shelf.load(database).mode == "incremental"
    assert_loaded(shelf, database)
    assert shelf.load(database, verify=True).mode == "up to date"
    assert database.outside("SELECT * FROM victim") == []
    assert database.comment(NAME.replace("'", "''")).startswith(star.dimensions[0].doc)
    assert len(ask(database, f'SELECT * FROM "{fact}_as_is"')) == len(TEXTS)


def test_a_nul_character_is_refused_with_its_column(database: Database, shelf: Shelf) -> None:
    shelf.load(database)
    shelf.put("fact_sales", [(9, 1, 21, 20240215, "a\0b", "2024-02-15 10:00:00+00", "1.00")], month="2024-02")
    shelf.publish()
    with pytest.raises(WarehouseError, match=r"fact_sales.note holds a text with a NUL character \(U\+0000\)"):
        shelf.load(database)
    assert database.open().release() == 1


@pytest.mark.parametrize("name", ["f" * 59, "ü" * 29])
def test_a_name_that_postgres_would_cut_is_refused(name: str) -> None:
    class DimDate(Calendar, start=2024, name=name):
        """When."""

    class Lines(Source, key="k", feed="events"):
        k: int
        t: datetime

    class Table(Fact, source=Lines, at=Lines.t, name=name + "fact"):
        k: Degenerate
        day: Lookup[DimDate]

    with pytest.raises(DeclarationError, match=r"has \d+ bytes; postgres takes 63"):
        ddl.ddl(Star("s", dimensions=[DimDate], facts=[Table]), POSTGRES)


def test_long_names_that_fit_do_not_collide_in_their_indexes(database: Database, tmp_path: Path) -> None:
    class One(Calendar, start=2024, name="d" * 62 + "1"):
        """When."""

    class Two(Calendar, start=2024, name="d" * 62 + "2"):
        """When."""

    shelf = Shelf(tmp_path / "lake", Star("s", dimensions=[One, Two], facts=[]))
    shelf.put(One.__aisle__.table, DAYS)
    shelf.put(Two.__aisle__.table, DAYS[:1])
    shelf.publish()
    shelf.load(database)
    assert_loaded(shelf, database)


# Asking


def test_values_are_plain_python(shelf: Shelf, database: Database) -> None:
    shelf.load(database)
    with database.open() as warehouse:
        answer = warehouse.query(
            "SELECT at, amount, note, order_date, TRUE AS yes, 1 AS one FROM fact_sales_as_was WHERE order_id = 2"
        )
        assert answer.columns == ("at", "amount", "note", "order_date", "yes", "one")
        assert answer.types == ("timestamp", "numeric(18,2)", "text", "date", "bool", "int4")
        assert answer.rows == ((datetime(2024, 1, 15, 11, 0, 0, 123456), Decimal("1.00"), None, date(2024, 1, 15), True, 1),)
        others = (
            "SELECT TIMESTAMPTZ '2024-01-01 02:00:00+02' AS a, ARRAY[1, NULL] AS b, '{\"x\": [1]}'::jsonb AS c, "
            "INTERVAL '1 day' AS d, int4range(1, 3) AS e, 'x%y' LIKE '%%' AS f -- a remark; 100 %"
        )
        assert warehouse.query(others).rows == ((datetime(2024, 1, 1), [1, None], {"x": [1]}, "1 day, 0:00:00", "[1, 3)", True),)


@pytest.mark.parametrize(
    "sql",
    [
        "TABLE fact_sales",
        "VALUES (1)",
        "SHOW search_path;",
        "EXPLAIN SELECT 1",
        "WITH t AS (SELECT 1) SELECT * FROM t",
        "SELECT * FROM shop_reader.fact_sales",
    ],
)
def test_all_kinds_of_questions(shelf: Shelf, database: Database, sql: str) -> None:
    shelf.load(database)
    assert ask(database, sql)


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("SELECT * FROM fact_sale", r'not understand the question: relation "fact_sale" does not exist$'),
        ("SELEC 1", r'not understand the question: syntax error at or near "SELEC"$'),
        ("SELECT amoun FROM fact_sales", r'column "amoun" does not exist\n.*"fact_sales.amount"'),
        ("", "Ask one question at a time"),
        ("-- nothing", "no question"),
        ("SELECT 1; DROP TABLE fact_sales", "cannot insert multiple commands"),
        ("DELETE FROM fact_sales RETURNING *", "read-only transaction"),
        ("DELETE FROM fact_sales", "no question"),
        ("COMMIT", "no question"),
        ("SET TRANSACTION READ WRITE", "no question"),
        ("COPY fact_sales TO '/tmp/stolen.csv'", "no question"),
        ("SELECT nextval('s')", 'relation "s" does not exist'),
        ("SELECT 'infinity'::timestamp", "too large"),
        ("SELECT 1/0", "division by zero"),
    ],
)
def test_questions_that_fail_say_why_and_the_next_is_answered(shelf: Shelf, database: Database, sql: str, says: str) -> None:
    shelf.load(database)
    with database.open() as warehouse:
        for _ in range(2):
            with pytest.raises(WarehouseError, match=says):
                warehouse.query(sql)
            assert warehouse.query("SELECT count(*) FROM fact_sales").rows == ((5,),)
        with pytest.raises(WarehouseError, match="read-only transaction"):
            warehouse.query("WITH gone AS (DELETE FROM fact_sales RETURNING 1) SELECT * FROM gone")


def test_questions_inside_a_block_see_the_release_that_they_began_with(shelf: Shelf, database: Database) -> None:
    shelf.load(database)
    with database.open() as warehouse:
        assert warehouse.release() == 1
        shelf.put("fact_sales", [], [shelf.january], "2024-01")
        shelf.publish()
        shelf.load(database)
        assert warehouse.release() == 1
        assert warehouse.query("SELECT count(*) FROM fact_sales").rows == ((5,),)
    assert ask(database, "SELECT count(*) FROM fact_sales") == [(2,)]


# Other people


def test_what_others_built_on_the_star_stops_a_full_load_and_not_an_incremental_one(shelf: Shelf, database: Database) -> None:
    shelf.load(database)
    database.change("CREATE VIEW public.mine AS SELECT sum(amount) FROM shop.fact_sales_as_was")
    shelf.put("dim_customer", [NOBODY], list(shelf.lake.gold["dim_customer"].open().files))
    shelf.publish()
    assert shelf.load(database).mode == "incremental"
    database.change("DELETE FROM shop.dim_date")
    with pytest.raises(
        WarehouseError, match=r"view public.mine depends on view shop.fact_sales_as_was.\n.*drop them, load, and make them again"
    ):
        shelf.load(database, repair=True)
    database.change("DROP VIEW public.mine")
    assert shelf.load(database, repair=True).mode == "full"
    assert_loaded(shelf, database)


def test_those_who_may_read_may_still_read_after_a_full_load(shelf: Shelf, database: Database, postgres: PostgresServer) -> None:
    shelf.load(database)
    database.change(
        "CREATE ROLE analyst LOGIN; GRANT USAGE ON SCHEMA shop TO analyst; GRANT SELECT ON shop.fact_sales, shop.fact_sales_as_is TO analyst"
    )
    try:
        database.change("DELETE FROM shop.fact_sales")
        shelf.load(database, repair=True)
        analyst = Database(database.address.replace("postgres@", "analyst@", 1))
        for table in ("fact_sales", "fact_sales_as_is"):
            assert analyst.outside(f"SELECT count(*) FROM shop.{table}") == [(5,)]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            analyst.outside("SELECT count(*) FROM shop.dim_customer")
    finally:
        database.change("DROP OWNED BY analyst; DROP ROLE analyst")


def test_settings_of_the_server_do_not_matter(shelf: Shelf, database: Database) -> None:
    (name,) = database.outside("SELECT current_database()")[0]
    for setting in (
        "TimeZone = 'Asia/Tokyo'",
        "DateStyle = 'SQL, DMY'",
        "default_transaction_isolation = 'serializable'",
        "search_path = ''",
        "statement_timeout = '1s'",
        "standard_conforming_strings = off",
        "default_transaction_read_only = on",
    ):
        database.change(f"ALTER DATABASE {name} SET {setting}")
    shelf.load(database)
    assert_loaded(shelf, database)
    assert SHOP.name == "shop"
