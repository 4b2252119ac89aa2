"""The warehouse in Redshift: what is sent to it, over both transports, and what happens on bad days. See redshift_standin."""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import psycopg
import pytest

from aisle import Dimension, NaturalKey, Source, Star, Track
from aisle.errors import ConfigError, WarehouseError
from aisle.lake.tables import DataFile
from aisle.warehouses import Loaded, Moved, open_warehouse
from aisle.warehouses.redshift.address import parse
from loads import SIGNED, ended, start
from redshift_data_api import Service
from redshift_fixtures import HOST
from redshift_standin import ROLE, Workgroup
from servers import CREDENTIALS
from shelf import CUSTOMERS, JANUARY, SHOP, DimCustomer, Shelf, stocked

SECRET = CREDENTIALS["AWS_SECRET_ACCESS_KEY"]


class S3Shelf(Shelf):
    """A lake on S3, whose gold is put there by hand, and which is loaded by address."""

    def load(self, address: str, **how: bool) -> Loaded:
        newest = self.lake.releases.newest()
        with open_warehouse(address, self.star.name) as warehouse:
            return warehouse.load(self.star, newest, self.lake.gold, self.lake.releases.get, **how)

    def left(self) -> list[str]:
        """What loads left in the lake."""
        storage = self.lake.storage
        return [e.path for place in ("_manifests", "_staging") for e in storage.entries(place)]


@pytest.fixture
def shelf(lake_on_s3: str) -> S3Shelf:
    shelf = stocked(lake_on_s3)
    shelf.__class__ = S3Shelf
    return shelf


def asked(address: str, sql: str) -> list[tuple]:
    with open_warehouse(address, SHOP.name) as warehouse:
        return list(warehouse.query(sql).rows)


def release(address: str) -> int | None:
    return open_warehouse(address, SHOP.name).release()


def orders(address: str) -> list[tuple]:
    return [(o, n, str(a)) for o, n, a in asked(address, "SELECT order_id, line, amount FROM fact_sales ORDER BY 1, 2")]


def outside(workgroup: Workgroup, sql: str) -> list[tuple]:
    """What stands in the database, looked at by other means."""
    with psycopg.connect(workgroup.url("dev"), autocommit=True) as con:
        cursor = con.execute(sql)
        return cursor.fetchall() if cursor.description else []


CORRECTED = [JANUARY[0], (1, 2, 11, 20240115, "it's", "2024-01-15 10:00:00+00", "6.00")]


def correct(shelf: S3Shelf) -> None:
    """Release 2: of January one line is corrected, one gone."""
    shelf.put("fact_sales", CORRECTED, [shelf.january], "2024-01")
    shelf.publish()


# Loading


def test_a_first_load_is_full_and_the_next_moves_what_changed(shelf: S3Shelf, address: str) -> None:
    rows = {"dim_customer": Moved(0, 4), "dim_date": Moved(0, 3), "fact_sales": Moved(0, 5)}
    assert shelf.load(address) == Loaded(1, None, "full", "The warehouse held no release of this star.", rows)
    assert shelf.load(address) == Loaded(1, 1, "up to date", "", {})
    correct(shelf)
    assert shelf.load(address) == Loaded(2, 1, "incremental", "", {"fact_sales": Moved(2, 1)})
    assert orders(address) == [(1, 1, "10.00"), (1, 2, "6.00"), (3, 1, "7.00"), (4, 1, "2.00")]
    assert release(address) == 2
    assert shelf.left() == []


def test_the_warehouse_holds_what_the_lake_holds(shelf: S3Shelf, by_driver: str, workgroup: Workgroup) -> None:
    shelf.load(by_driver)
    correct(shelf)
    shelf.load(by_driver)
    for table in ("dim_customer", "dim_date", "fact_sales"):
        gold = shelf.lake.gold[table].open()
        with duckdb.connect() as con:
            con.execute("SET TimeZone = 'UTC'")
            gold.storage.admit(con)
            urls = ", ".join("'" + u.replace("'", "''") + "'" for u in gold.urls())
            there = con.execute(f"SELECT COLUMNS(*) FROM read_parquet([{urls}], hive_partitioning = false)").fetchall()
        plain = [tuple(v.replace(tzinfo=None) if isinstance(v, datetime) else v for v in row) for row in there]
        assert sorted(outside(workgroup, f"SELECT * FROM shop.{table}"), key=repr) == sorted(plain, key=repr)


def manifests(shelf: S3Shelf, workgroup: Workgroup, loads: Callable[[], object]) -> dict[str, list[dict]]:
    """The entries of the manifests that a load's COPYs name, by table."""
    seen: dict[str, list[dict]] = {}

    def before(sql: str) -> None:
        if sql.startswith("COPY"):
            lines = sql.splitlines()
            url = lines[1].removeprefix("FROM '").removesuffix("'").replace("''", "'")
            data = shelf.lake.storage.get(url.removeprefix(f"{shelf.lake.storage}/"))
            seen[lines[0].removeprefix("COPY ")] = json.loads(data)["entries"]

    workgroup.before = before
    loads()
    workgroup.before = lambda sql: None
    return seen


def test_manifests_name_exactly_the_files_of_the_release_then_only_what_is_added(
    shelf: S3Shelf, by_driver: str, workgroup: Workgroup
) -> None:
    def named(*files: DataFile) -> list[dict]:
        gold = shelf.lake.gold["fact_sales"]
        return [
            {"url": u, "mandatory": True, "meta": {"content_length": f.size}}
            for u, f in zip(gold.urls(files), files, strict=True)
        ]

    first = manifests(shelf, workgroup, lambda: shelf.load(by_driver))
    assert set(first) == {f'"shop"."_aisle_next_{n}"' for n in range(3)}
    assert first['"shop"."_aisle_next_2"'] == named(shelf.january, shelf.february)
    march = shelf.put("fact_sales", [(6, 1, 21, 20240115, None, "2024-03-01 00:00:00+00", "4.00")], month="2024-03")
    shelf.publish()
    assert manifests(shelf, workgroup, lambda: shelf.load(by_driver)) == {'"_aisle_came"': named(march)}
    correct(shelf)
    third = manifests(shelf, workgroup, lambda: shelf.load(by_driver))
    assert set(third) == {'"_aisle_gone"', '"_aisle_came"'}
    assert all(len(entries) == 1 and "/_staging/" in entries[0]["url"] for entries in third.values())


def test_all_of_a_load_is_one_transaction_and_statistics_come_after_it(
    shelf: S3Shelf, by_driver: str, workgroup: Workgroup
) -> None:
    shelf.load(by_driver)
    correct(shelf)
    workgroup.sent.clear()
    shelf.load(by_driver)
    begin = workgroup.sent.index("BEGIN")
    commit = workgroup.sent.index("COMMIT")
    assert workgroup.sent[begin + 1] == 'LOCK "shop"."_aisle_lock"'
    moves = ("COPY", "INSERT", "DELETE", "CREATE TEMPORARY", "DROP", "ALTER")
    writes = [n for n, sql in enumerate(workgroup.sent) if sql.startswith(moves)]
    assert writes
    assert begin < min(writes) < max(writes) < commit
    assert workgroup.sent[commit + 1 :] == ['ANALYZE "shop"."fact_sales"', "ROLLBACK"]


def test_what_is_on_paper_is_what_runs(shelf: S3Shelf, by_driver: str, workgroup: Workgroup) -> None:
    from aisle.derive.redshift import REDSHIFT
    from aisle.warehouses.paper import Place, paper
    from test_redshift_paper import statements

    shelf.load(f"{by_driver}?copy_role={ROLE}")
    correct(shelf)
    shelf.load(f"{by_driver}?copy_role={ROLE}")

    def known(sql: str) -> str:
        for n, spec in enumerate(SHOP.tables):
            sql = sql.replace(f'"_aisle_next_{n}"', f'"{spec.table}"')
        return "\n".join("FROM …" if line.startswith("FROM 's3://") else line for line in sql.splitlines())

    sent = {known(sql) for sql in workgroup.sent}
    for name, text in paper(SHOP, REDSHIFT, Place("dev", copy_role=ROLE)).items():
        # Of the three tables only one was corrected.
        if name.startswith(("01", "10", "20", "30", "35", "50_load_fact_sales")):
            assert {known(s) for s in statements(text)} <= sent, name


def test_tables_that_a_person_made_from_paper_are_filled(shelf: S3Shelf, by_driver: str, workgroup: Workgroup) -> None:
    from aisle.derive.redshift import REDSHIFT
    from aisle.warehouses.paper import Place, paper
    from redshift_standin import Session
    from test_redshift_paper import statements

    session = Session(workgroup, "dev")
    for name, text in paper(SHOP, REDSHIFT, Place("dev")).items():
        if not name.startswith(("00", "50")):
            for statement in statements(text):
                session.run(statement)
    session.close()
    assert shelf.load(by_driver).mode == "full"
    assert len(orders(by_driver)) == 5


def test_a_warehouse_in_which_one_may_read(shelf: S3Shelf, by_driver: str, workgroup: Workgroup) -> None:
    outside(workgroup, 'DO $$ BEGIN CREATE ROLE "Readers"; EXCEPTION WHEN duplicate_object THEN END $$')
    address = f"{by_driver}?reader_role=Readers"
    for _ in range(2):
        shelf.load(address)
        may = "SELECT has_table_privilege('Readers', 'shop_reader.{}', 'SELECT')"
        assert [outside(workgroup, may.format(t)) for t in ("fact_sales", "fact_sales_as_is", "aisle_release")] == [[(True,)]] * 3
        assert outside(workgroup, "SELECT has_schema_privilege('Readers', 'shop', 'USAGE')") == [(False,)]
        shelf.lake.storage.delete("_releases/00000001.json")  # the next load is a full one
        shelf.publish()


def test_names_that_are_awkward_and_in_upper_case(lake_on_s3: str, by_driver: str, workgroup: Workgroup) -> None:
    class Things(Source, key="Select", changed_at="t"):
        Select: str
        größe: str  # noqa: PLC2401  (awkward on purpose)
        t: datetime

    class Thing(Dimension, source=Things, name='It\'s "a" Thing; --'):
        Select: NaturalKey
        größe: Track  # noqa: PLC2401

    star = Star("Order", dimensions=[Thing], facts=[])
    table = 'It\'s "a" Thing; --'
    shelf = S3Shelf(lake_on_s3, star)
    evil = r"'); DROP TABLE x; -- %s $1 ? :a \' \\ ü"
    row = (7, "k", evil, "1900-01-01 00:00:00+00", "9999-12-31 00:00:00+00", True, False, False, 1)
    file = shelf.put(table, [row])
    shelf.publish()
    assert shelf.load(by_driver).tables == {table: Moved(0, 1)}
    assert shelf.load(by_driver).mode == "up to date"
    shelf.put(table, [(*row[:2], evil * 2, *row[3:])], [file])
    shelf.publish()
    assert shelf.load(by_driver).tables == {table: Moved(1, 1)}
    with open_warehouse(by_driver, "Order") as warehouse:
        assert warehouse.query('SELECT "select", "größe" FROM "It\'s ""a"" Thing; --_current"').rows == (("k", evil * 2),)


def test_another_declaration_takes_tables_away_that_refer_to_others(shelf: S3Shelf, by_driver: str, workgroup: Workgroup) -> None:
    shelf.load(by_driver)
    shelf.star = Star("shop", dimensions=[DimCustomer], facts=[])
    shelf.publish(star=shelf.star.fingerprint)
    assert shelf.load(by_driver).tables["dim_customer"] == Moved(4, 4)
    there = outside(workgroup, "SELECT table_name FROM information_schema.tables WHERE table_schema = 'shop' ORDER BY 1")
    assert there == [("_aisle_lock",), ("aisle_release",), ("dim_customer",), ("dim_customer_current",)]


# Bad days


def missing(shelf: S3Shelf, workgroup: Workgroup) -> str:
    shelf.lake.storage.delete(f"gold/fact_sales/{shelf.february.path}")
    return r"The specified S3 path s3://.*parquet doesn't exist"


def wrong_length(shelf: S3Shelf, workgroup: Workgroup) -> str:
    shelf.lake.storage.put(f"gold/fact_sales/{shelf.february.path}", b"PAR1")
    return r"parquet has 4 bytes, but content_length in the manifest is \d+"


def no_default_role(shelf: S3Shelf, workgroup: Workgroup) -> str:
    workgroup.default_role = False
    return "There is no default IAM role"


def too_long(shelf: S3Shelf, workgroup: Workgroup) -> str:
    shelf.put("fact_sales", [(9, 1, 21, 20240115, "ü" * 513, "2024-04-01 00:00:00+00", "1.00")], month="2024-04")
    shelf.publish()
    return (
        r"_month=2024-04/.*parquet, row 1, column note: The length of the data column note is longer .*Table: 1024, Data: 1026\n"
        r"  Give the text room: MaxLen"
    )


def other_columns(shelf: S3Shelf, workgroup: Workgroup) -> str:
    path = "_month=2024-01/other.parquet"
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as con:
        con.execute(f"COPY (SELECT 1 AS x) TO '{folder}/x' (FORMAT parquet)")
        data = (Path(folder) / "x").read_bytes()
    shelf.lake.storage.put(f"gold/fact_sales/{path}", data)
    gold = shelf.lake.gold["fact_sales"].open()
    gold.commit([DataFile(path, len(data), 1, "2024-01")], [shelf.january], {})
    shelf.publish()
    return "Unmatched number of columns between table and file. Table columns: 7, Data columns: 1"


@pytest.mark.parametrize("happens", [missing, wrong_length, no_default_role, too_long, other_columns])
def test_a_copy_that_fails_says_why_and_leaves_all_as_it_was(
    shelf: S3Shelf, address: str, workgroup: Workgroup, happens: Callable[[S3Shelf, Workgroup], str]
) -> None:
    says = happens(shelf, workgroup)
    with pytest.raises(WarehouseError, match=rf"The load failed, the warehouse is as it was \(empty\): .*{says}") as failed:
        shelf.load(address)
    assert SECRET not in str(failed.value)
    there = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'shop'"
    assert outside(workgroup, there) == [("_aisle_lock",)]
    assert release(address) is None
    assert shelf.left() == []


def test_a_role_that_may_not_be_assumed(shelf: S3Shelf, by_driver: str) -> None:
    with pytest.raises(WarehouseError, match="is not authorized to assume IAM Role arn:aws:iam::123456789012:role/other"):
        shelf.load(f"{by_driver}?copy_role=arn:aws:iam::123456789012:role/other")
    assert shelf.load(f"{by_driver}?copy_role={ROLE}").release == 1


def test_a_load_that_fails_on_a_former_release_leaves_it(shelf: S3Shelf, address: str) -> None:
    shelf.load(address)
    too_long(shelf, None)
    with pytest.raises(WarehouseError, match=r"as it was \(release 1\): "):
        shelf.load(address)
    assert release(address) == 1
    assert len(orders(address)) == 5


def test_what_a_killed_load_left_is_swept_by_the_next(shelf: S3Shelf, by_driver: str) -> None:
    """That each point of a load can be its last is test_warehouse's; here, that it leaves nothing for good."""
    shelf.load(by_driver)
    correct(shelf)
    assert ended(start(str(shelf.lake.storage), by_driver, at=SIGNED)) == -signal.SIGKILL
    assert {path.split("/")[0] for path in shelf.left()} == {"_manifests", "_staging"}
    assert release(by_driver) == 1
    assert shelf.load(by_driver).tables == {"fact_sales": Moved(2, 1)}
    assert shelf.left() == []


def test_two_warehouses_of_one_lake_do_not_sweep_each_other(shelf: S3Shelf, by_driver: str, workgroup: Workgroup) -> None:
    workgroup.make("prod")
    shelf.load(by_driver)
    correct(shelf)
    others = []

    def before(sql: str) -> None:
        if sql.startswith("COPY") and not others:
            others.append("begun")
            others.append(shelf.load(by_driver.replace("/dev", "/prod")))

    workgroup.before = before
    assert shelf.load(by_driver).tables == {"fact_sales": Moved(2, 1)}
    assert others[1].release == 2
    assert shelf.left() == []


def test_of_two_loads_at_once_the_second_waits(shelf: S3Shelf, address: str, workgroup: Workgroup) -> None:
    shelf.load(address)
    correct(shelf)
    second: list[Loaded] = []
    other = threading.Thread(target=lambda: second.append(shelf.load(address)))

    def before(sql: str) -> None:
        if sql.startswith("DELETE") and not other.ident:
            other.start()
            other.join(1.5)  # it waits, and so do we, but not forever
            assert second == []

    workgroup.before = before
    assert shelf.load(address).tables == {"fact_sales": Moved(2, 1)}
    other.join()
    assert [loaded.tables for loaded in second] == [{}]
    assert orders(address) == [(1, 1, "10.00"), (1, 2, "6.00"), (3, 1, "7.00"), (4, 1, "2.00")]
    assert shelf.left() == []


def test_tampering_is_said(shelf: S3Shelf, by_driver: str, workgroup: Workgroup) -> None:
    shelf.load(by_driver)
    outside(workgroup, "UPDATE shop.fact_sales SET amount = 99 WHERE order_id = 4")
    shelf.load(by_driver)
    with pytest.raises(WarehouseError, match="fact_sales has 5 rows, as were loaded, but not all of their values"):
        shelf.load(by_driver, verify=True)
    outside(workgroup, "ALTER TABLE shop.dim_date ADD COLUMN x INTEGER")
    with pytest.raises(WarehouseError, match="The columns of dim_date in the warehouse are not those"):
        shelf.load(by_driver)
    assert shelf.load(by_driver, repair=True).mode == "full"
    assert shelf.load(by_driver, verify=True).verified == {"dim_customer": 4, "dim_date": 3, "fact_sales": 5}


def test_a_lake_in_a_folder_is_refused(tmp_path: Path, by_driver: str) -> None:
    shelf = Shelf(tmp_path / "lake")
    shelf.put("dim_customer", CUSTOMERS)
    shelf.publish()
    with (
        open_warehouse(by_driver, "shop") as warehouse,
        pytest.raises(ConfigError, match=r"is not on S3, and Redshift reads from S3 alone\.\n  Set lake = "),
    ):
        warehouse.load(SHOP, shelf.lake.releases.newest(), shelf.lake.gold, shelf.lake.releases.get)


# The Data API


def test_a_data_api_that_is_busy_is_asked_again(shelf: S3Shelf, by_data_api: str, data_api: Service) -> None:
    data_api.throttled = 8  # more than boto3 tries
    shelf.load(by_data_api)
    assert data_api.throttled == 0
    assert release(by_data_api) == 1


def test_a_right_that_lacks_and_a_workgroup_that_is_not(by_data_api: str, data_api: Service) -> None:
    data_api.denied = "User: arn:aws:iam::1:user/ann is not authorized to perform: redshift-data:ExecuteStatement"
    with pytest.raises(WarehouseError, match="AWS grants no right to it: User: arn:aws:iam::1:user/ann is not authorized"):
        release(by_data_api)
    data_api.denied = ""
    with pytest.raises(WarehouseError, match="there is no workgroup stop in us-east-1"):
        release(by_data_api.replace("//shop.", "//stop."))
    with pytest.raises(WarehouseError, match='database "nope" does not exist'):
        release(by_data_api.replace("/dev", "/nope"))


def test_answers_of_many_pages(shelf: S3Shelf, by_data_api: str, data_api: Service) -> None:
    shelf.load(by_data_api)
    data_api.calls.clear()
    assert [n for (n,) in asked(by_data_api, "SELECT order_id FROM fact_sales ORDER BY 1")] == [1, 1, 2, 3, 4]
    assert data_api.calls.count("GetStatementResult") >= 3


# Ways in


@pytest.mark.parametrize("transport", ["driver", "data-api"])
def test_no_credentials(transport: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The real driver, and real boto3: they fail before they would call anyone."""
    for name in [n for n in os.environ if n.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(
        WarehouseError, match=r"there are no AWS credentials for redshift://shop\.1.*\. Give them in the environment"
    ):
        release(f"{HOST}/dev?transport={transport}")


def test_a_network_that_is_closed(by_driver: str) -> None:
    with pytest.raises(WarehouseError, match=r"stop\..*amazonaws.com:5439 cannot be reached .*add \?transport=data-api"):
        release(by_driver.replace("//shop.", "//stop."))


def test_a_database_that_is_not(by_driver: str) -> None:
    with pytest.raises(WarehouseError, match='database "nope" does not exist'):
        release(by_driver.replace("/dev", "/nope"))


@pytest.mark.parametrize(("package", "transport"), [("redshift_connector", "driver"), ("boto3", "data-api")])
def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch, package: str, transport: str) -> None:
    for module in [m for m in sys.modules if m.startswith("aisle.warehouses.redshift.d")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ConfigError, match=rf"needs the package {package}, .*\n  Install it: pip install 'aisle\[redshift\]'"):
        release(f"{HOST}/dev?transport={transport}")


def test_addresses() -> None:
    short, long = f"{HOST}/dev", f"{HOST}.redshift-serverless.amazonaws.com:5439/dev"
    assert parse(short) == parse(long)
    assert parse(short).host == "shop.123456789012.us-east-1.redshift-serverless.amazonaws.com"
    assert parse("redshift://a-b.123456789012.cn-north-1/dev").host.endswith(".amazonaws.com.cn")
    assert str(parse(f"{long}?transport=data-api&copy_role={ROLE}&reader_role=x")) == short


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("redshift://shop.123456789012/dev", "is no address of a Redshift Serverless database"),
        (f"{HOST}", "is no address"),
        (f"{HOST}/dev/x", "is no address"),
        (f"{HOST}:port/dev", "is no address"),
        ("redshift://cluster.abc.us-east-1.redshift.amazonaws.com/dev", "is no address"),
        (f"{HOST}/dev?role=x", "there is no option 'role'"),
        (f"{HOST}/dev?copy_role=x' FORMAT CSV --", "copy_role is no ARN"),
        (f"{HOST}/dev?transport=pigeon", "transport is none of driver, data-api"),
        (f"{HOST}/dev?reader_role=", "reader_role names no role"),
        ("redshift://ann:geheim@shop.123456789012.us-east-1/dev", "does not belong in the address"),
    ],
)
def test_addresses_that_are_none(text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as refused:
        open_warehouse(text)
    assert "geheim" not in str(refused.value)


# Asking


def test_values_are_plain_python(shelf: S3Shelf, address: str) -> None:
    shelf.load(address)
    with open_warehouse(address, "shop") as warehouse:
        answer = warehouse.query(
            'SELECT "at", amount, note, order_date, TRUE AS yes, CAST(1 AS BIGINT) AS one, CAST(0.5 AS DOUBLE PRECISION) AS half '
            "FROM fact_sales_as_was WHERE order_id = 2"
        )
        moment = datetime(2024, 1, 15, 11, 0, 0, 123456)
        assert answer.columns == ("at", "amount", "note", "order_date", "yes", "one", "half")
        assert answer.types == ("timestamp", "numeric", "character varying", "date", "boolean", "bigint", "double precision")
        assert answer.rows == ((moment, Decimal("1.00"), None, date(2024, 1, 15), True, 1, 0.5),)
        zoned = warehouse.query("SELECT CAST('2024-01-01 02:00:00+02' AS TIMESTAMPTZ) AS a -- a remark")
        assert zoned.rows == ((datetime(2024, 1, 1),),)


def test_as_was_and_as_is(shelf: S3Shelf, by_driver: str) -> None:
    shelf.load(by_driver)
    by = "SELECT customer_city, customer_segment, sum(amount) FROM {} GROUP BY 1, 2 ORDER BY 1 NULLS FIRST, 2 NULLS FIRST"
    was, now = ([(c, s, str(a)) for c, s, a in asked(by_driver, by.format(f"fact_sales_{t}"))] for t in ("as_was", "as_is"))
    assert was == [(None, None, "1.00"), ("Oslo", "Home", "17.50"), ("Rome", "Office", "7.00")]
    assert now == [(None, None, "1.00"), ("Oslo", "Home", "2.00"), ("Rome", "Office", "22.50")]


def test_questions_that_fail_say_why_and_the_next_is_answered(shelf: S3Shelf, address: str, subtests: pytest.Subtests) -> None:
    shelf.load(address)
    for sql, says in {
        "SELECT * FROM fact_sale": r'not understand the question: relation "fact_sale" does not exist',
        "SELEC 1": "Ask one question at a time",
        "": "Ask one question at a time",
        "-- nothing": "Ask one question at a time",
        "SELECT 1; DROP TABLE fact_sales": "multiple commands",
        "DELETE FROM fact_sales": "Ask one question",
        "/* SELECT */ DROP TABLE fact_sales": "Ask one question",
        "COMMIT": "Ask one question",
        "WITH t AS (SELECT 1 AS x) SELECT * INTO stolen FROM t": "read-only",
    }.items():
        with subtests.test(sql), open_warehouse(address, "shop") as warehouse:
            with pytest.raises(WarehouseError, match=says):
                warehouse.query(sql)
            assert warehouse.query("SELECT count(*) FROM fact_sales").rows == ((5,),)


def test_questions_inside_a_block_see_one_release(shelf: S3Shelf, by_driver: str) -> None:
    with open_warehouse(by_driver, "shop") as warehouse:
        assert warehouse.release() is None
        with pytest.raises(WarehouseError, match="Run `aisle load` first"):
            warehouse.query("SELECT 1")
        warehouse.load(SHOP, shelf.lake.releases.get(1), shelf.lake.gold, shelf.lake.releases.get)
        assert warehouse.query("SELECT count(*) FROM fact_sales").rows == ((5,),)
