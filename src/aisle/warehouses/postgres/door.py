"""The door of a warehouse in a PostgreSQL database."""

from __future__ import annotations

import contextlib
import tempfile
import uuid
from collections.abc import Iterator

import duckdb
import psycopg

from aisle.declare.star import Star
from aisle.derive.postgres import POSTGRES
from aisle.errors import WarehouseError
from aisle.lake.storage import Storage
from aisle.warehouses.postgres.address import Address
from aisle.warehouses.postgres.session import PostgresSession

# Literals and times mean the same whatever the server's settings, the user's or the database's are.
_SETTINGS = "SET standard_conforming_strings = on; SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET client_encoding = 'UTF8'"
# A load waits for readers and other loads as long as it takes, is idle while DuckDB reads, and sorts keys in memory.
_PATIENCE = (
    "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0; "
    "SET LOCAL maintenance_work_mem = '256MB'; SET LOCAL search_path = pg_temp, pg_catalog"
)
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('aisle load ' || {schema}, 0))"


class PostgresDatabase:
    """A PostgreSQL database."""

    dialect = POSTGRES

    def __init__(self, address: Address) -> None:
        self.address = address

    def __str__(self) -> str:
        return str(self.address)

    @property
    def reader_role(self) -> str | None:
        return self.address.reader_role

    @contextlib.contextmanager
    def looking(self) -> Iterator[PostgresSession]:
        with self._connect() as con:
            con.execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield PostgresSession(con)
            if not con.closed:
                con.rollback()

    @contextlib.contextmanager
    def loading(self, star: Star, lake: Storage) -> Iterator[PostgresSession]:  # noqa: ARG002  (each file names its own)
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
            con.execute(_LOCK.format(schema=POSTGRES.literal(star.name)).encode())
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


__all__ = ["PostgresDatabase"]
