"""The warehouse in a PostgreSQL database: opening, loading, asking."""

from __future__ import annotations

import contextlib
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Self

import duckdb
import psycopg
from psycopg.pq import TransactionStatus

from aisle.declare.star import Star
from aisle.derive.ddl import RELEASE_TABLE
from aisle.derive.postgres import POSTGRES
from aisle.errors import WarehouseError
from aisle.lake.releases import Release
from aisle.lake.tables import Table
from aisle.warehouses.loading import load
from aisle.warehouses.port import Answer, Loaded
from aisle.warehouses.postgres.address import Address
from aisle.warehouses.postgres.asking import answer
from aisle.warehouses.postgres.session import PostgresSession

# Literals and times mean the same whatever the server's settings, the user's or the database's are.
_SETTINGS = "SET standard_conforming_strings = on; SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET client_encoding = 'UTF8'"
# A load waits for readers and other loads as long as it takes, is idle while DuckDB reads, and sorts keys in memory.
_PATIENCE = (
    "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0; "
    "SET LOCAL maintenance_work_mem = '256MB'; SET LOCAL search_path = pg_temp, pg_catalog"
)
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('aisle load ' || {schema}, 0))"
_LOADED = (
    "SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    f"WHERE c.relname = {POSTGRES.literal(RELEASE_TABLE)} AND c.relkind = 'r' ORDER BY 1"
)


class PostgresWarehouse:
    """A star in a PostgreSQL database, in a schema of the star's name.

    Inside a `with` block questions share one connection and one transaction, and so one release;
    outside, each has its own.

    Args:
        address: of the database.
        schema: the star that `release` and `query` are about; by default the only one that the database holds.
    """

    dialect = POSTGRES

    def __init__(self, address: Address, schema: str | None = None) -> None:
        self.address, self.schema = address, schema
        self._inside = False
        self._reader: psycopg.Connection | None = None

    def __repr__(self) -> str:
        return f"PostgresWarehouse({str(self.address)!r})"

    def __enter__(self) -> Self:
        self._inside = True
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._inside = False
        self._close()

    def release(self) -> int | None:
        with self.saying("The warehouse's release cannot be read"), self._reading() as con:
            if (schema := self._loaded_schema(con)) is None:
                return None
            row = con.execute(f"SELECT max(release) FROM {POSTGRES.identifier(schema, RELEASE_TABLE)}".encode()).fetchone()
            return None if row is None else row[0]

    def query(self, sql: str) -> Answer:
        with self.saying("The warehouse does not understand the question"), self._reading() as con:
            if (schema := self._loaded_schema(con)) is None:
                raise WarehouseError(f"There is nothing in the warehouse {self.address} yet. Run `aisle load` first.")
            con.execute(f"SET LOCAL search_path = {POSTGRES.identifier(schema)}".encode())
            return answer(con, sql)

    def load(
        self,
        star: Star,
        release: Release,
        tables: Mapping[str, Table],
        previous: Callable[[int], Release | None],
        *,
        repair: bool = False,
        verify: bool = False,
    ) -> Loaded:
        return load(self, star, release, tables, previous, repair=repair, verify=verify)

    # The door of the shared load

    @contextlib.contextmanager
    def looking(self) -> Iterator[PostgresSession]:
        with self._connect() as con, duckdb.connect() as source:
            con.execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield PostgresSession(con, source)
            con.rollback()

    @contextlib.contextmanager
    def loading(self, schema: str) -> Iterator[PostgresSession]:
        self._close()  # what was asked before the load saw the release before it
        # Beside the files of other processes: what does not fit in memory spills there.
        spill = f"{tempfile.gettempdir()}/aisle-{uuid.uuid4().hex}"
        with (
            self._connect() as con,
            duckdb.connect(config={"temp_directory": spill, "python_enable_replacements": False}) as source,
        ):
            source.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")
            # Each statement sees what other loads committed: the lock is waited for in the first.
            con.execute("BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE")
            con.execute(_PATIENCE.encode())
            con.execute(_LOCK.format(schema=POSTGRES.literal(schema)).encode())
            yield PostgresSession(con, source)
            con.commit()

    @contextlib.contextmanager
    def saying(self, what: str) -> Iterator[None]:
        try:
            yield
        except duckdb.Error as error:
            raise WarehouseError(f"{what}: {str(error).strip().split(chr(10) * 2)[0]}") from error
        except psycopg.Error as error:
            raise WarehouseError(f"{what}: {_told(error)}") from error

    @contextlib.contextmanager
    def _reading(self) -> Iterator[psycopg.Connection]:
        """A connection in a read-only transaction; after a question that failed, the transaction goes on."""
        if not self._inside:
            with self._connect() as con:
                con.execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                yield con
                con.rollback()
            return
        if self._reader is None or self._reader.closed:
            self._reader = self._connect()
        if self._reader.info.transaction_status == TransactionStatus.IDLE:
            self._reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        with self._reader.transaction():  # a savepoint
            yield self._reader

    def _close(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _loaded_schema(self, con: psycopg.Connection) -> str | None:
        """The schema that questions go to; None if nothing was loaded."""
        found = [name for (name,) in con.execute(_LOADED.encode()).fetchall()]
        if self.schema is not None:
            return self.schema if self.schema in found else None
        if len(found) > 1:
            raise WarehouseError(f"{self.address} holds the stars {', '.join(found)}: say which one you ask.")
        return found[0] if found else None

    def _connect(self) -> psycopg.Connection:
        """A connection that begins no transaction of itself.

        Raises:
            WarehouseError: there is none; what libpq says of it has no password.
        """
        try:
            con = psycopg.connect(self.address.text, autocommit=True, application_name="aisle")
        except psycopg.Error as error:
            said = " ".join(str(error).split()).removeprefix("connection failed: ")
            raise WarehouseError(f"The warehouse {self.address} cannot be reached: {said}") from None
        try:
            con.execute(_SETTINGS)
        except BaseException:
            con.close()
            raise
        return con


def _told(error: psycopg.Error) -> str:
    """What PostgreSQL says is wrong, without the echo of the statement below it."""
    said = error.diag.message_primary or str(error).strip()
    if isinstance(error, psycopg.errors.DependentObjectsStillExist):
        return (
            f"{said}: {'; '.join((error.diag.message_detail or '').splitlines())}.\n"
            "  They are not aisle's: drop them, load, and make them again."
        )
    return "\n".join([said, *([error.diag.message_hint] if error.diag.message_hint else [])])


__all__ = ["PostgresWarehouse"]
