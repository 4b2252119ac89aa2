"""The door of a warehouse in Redshift Serverless."""

from __future__ import annotations

import contextlib
import re
import tempfile
from collections.abc import Iterator

import duckdb
from duckdb import DuckDBPyConnection

from aisle.declare.star import Star
from aisle.derive.copying import analyze, lock, make_lock
from aisle.derive.redshift import REDSHIFT
from aisle.errors import StorageError, WarehouseError
from aisle.lake.storage import Storage
from aisle.warehouses.redshift.address import Address
from aisle.warehouses.redshift.depot import Depot
from aisle.warehouses.redshift.session import RedshiftSession
from aisle.warehouses.redshift.transport import RefusedError, Transport, connect, one_line

# What Redshift says of a name that another session took just now.
_TAKEN = re.compile(r"already exists|duplicate key|concurrent", re.IGNORECASE)


class RedshiftDatabase:
    """A database of a workgroup, into which a lake is loaded that rests on S3."""

    dialect = REDSHIFT

    def __init__(self, address: Address) -> None:
        self.address = address

    def __str__(self) -> str:
        return str(self.address)

    @property
    def reader_role(self) -> str | None:
        return self.address.reader_role

    @contextlib.contextmanager
    def looking(self) -> Iterator[RedshiftSession]:
        with _connected(self.address) as transport:
            transport.run("BEGIN READ ONLY")
            yield RedshiftSession(transport)

    @contextlib.contextmanager
    def loading(self, star: Star, lake: Storage) -> Iterator[RedshiftSession]:
        depot = Depot(lake, f"{self} {star.name}")
        with _connected(self.address) as transport, _reader() as source:
            session = RedshiftSession(transport, source, depot, self.address.copy_role)
            for statement in make_lock(star):
                try:
                    transport.run(statement)
                except RefusedError as error:  # of two first loads at once one may find the name taken just now
                    if not _TAKEN.search(str(error)):
                        raise
            transport.run("BEGIN")
            # Before all else: what a transaction sees is settled by its first question, and must be what the load before left.
            transport.run(lock(star))
            depot.sweep()
            try:
                yield session
                transport.run("COMMIT")
            except RefusedError as error:
                raise RefusedError(_with_details(transport, error)) from error
            finally:
                with contextlib.suppress(StorageError):  # the next load sweeps, too
                    depot.sweep()
            # The rows are in: statistics that fail are Redshift's to make up for, which it does by itself.
            with contextlib.suppress(RefusedError):
                for table in sorted(session.filled):
                    transport.run(analyze(REDSHIFT.identifier(star.name, table)))

    @contextlib.contextmanager
    def saying(self, what: str) -> Iterator[None]:
        try:
            yield
        except RefusedError as error:
            raise WarehouseError(f"{what}: {error}") from error
        except duckdb.Error as error:
            raise WarehouseError(f"{what}: {one_line(error)}") from error


@contextlib.contextmanager
def _connected(address: Address) -> Iterator[Transport]:
    """A session of our own, in which nothing stays open."""
    transport = connect(address)
    try:
        yield transport
    finally:
        with contextlib.suppress(RefusedError):
            transport.run("ROLLBACK")
        transport.close()


@contextlib.contextmanager
def _reader() -> Iterator[DuckDBPyConnection]:
    """A DuckDB that reads the lake; what does not fit in memory spills to the machine's temporary folder."""
    with (
        tempfile.TemporaryDirectory(prefix="aisle-") as spill,
        duckdb.connect(config={"temp_directory": spill, "python_enable_replacements": False}) as source,
    ):
        source.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")
        yield source


def _with_details(transport: Transport, error: RefusedError) -> str:
    """What went wrong; if that was a COPY, with file, line, column and reason, which Redshift keeps in a view."""
    if "sys_load_error_detail" not in str(error).lower() and "stl_load_errors" not in str(error).lower():
        return str(error)
    with contextlib.suppress(RefusedError):
        transport.run("ROLLBACK")
        found = transport.run(
            "SELECT trim(file_name), line_number, trim(column_name), trim(error_message) FROM sys_load_error_detail\n"
            "WHERE session_id = pg_backend_pid() ORDER BY start_time DESC LIMIT 1"
        ).rows
        for file, line, column, reason in found:
            place = file + (f", row {line}" if line else "") + (f", column {column}" if column else "")
            longer = (
                "\n  Give the text room: MaxLen(…) in its source's declaration, then `aisle run --accept-changes`."
                if "length" in str(reason) and "longer" in str(reason)
                else ""
            )
            return f"{place}: {reason}{longer}"
    return str(error)


__all__ = ["RedshiftDatabase"]
