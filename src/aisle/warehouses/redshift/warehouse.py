"""The warehouse in Redshift Serverless: opening, loading, asking."""

from __future__ import annotations

import contextlib
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Self

import duckdb
from duckdb import DuckDBPyConnection

from aisle.declare.star import Star
from aisle.derive.copying import analyze, lock, make_lock
from aisle.derive.ddl import RELEASE_TABLE
from aisle.derive.redshift import REDSHIFT, grants
from aisle.errors import StorageError, WarehouseError
from aisle.lake.releases import Release
from aisle.lake.tables import Table
from aisle.warehouses.loading import load
from aisle.warehouses.port import Answer, Loaded
from aisle.warehouses.redshift.address import Address
from aisle.warehouses.redshift.depot import Depot
from aisle.warehouses.redshift.session import RedshiftSession
from aisle.warehouses.redshift.transport import RefusedError, Transport, connect, one_line

_QUESTION = re.compile(r"(\s|--[^\n]*\n|/\*.*?\*/|\()*(select|with|show|explain|values|table)\b", re.IGNORECASE | re.DOTALL)

_TAKEN = re.compile(r"already exists|duplicate key|concurrent", re.IGNORECASE)


class RedshiftWarehouse:
    """A star in a database of a workgroup, in a schema of the star's name.

    Inside a `with` block questions share one session and one transaction, and so one release; outside, each has its own.

    Args:
        address: of workgroup and database, and how it is reached.
        schema: the star that `release` and `query` are about; by default the only one that the database holds.
    """

    def __init__(self, address: Address, schema: str | None = None) -> None:
        self.address, self.schema = address, schema
        self._inside = False
        self._reader: Transport | None = None

    def __repr__(self) -> str:
        return f"RedshiftWarehouse({str(self.address)!r})"

    def __enter__(self) -> Self:
        self._inside = True
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._inside = False
        self._close()

    def release(self) -> int | None:
        with _saying("The warehouse's release cannot be read"), self._reading() as transport:
            schema = self._loaded_schema(transport)
            if schema is None:
                return None
            rows = transport.run(f"SELECT max(release) FROM {REDSHIFT.identifier(schema, RELEASE_TABLE)}").rows
            return int(rows[0][0]) if rows and rows[0][0] is not None else None

    def query(self, sql: str) -> Answer:
        with _saying("The warehouse does not understand the question"), self._reading() as transport:
            schema = self._loaded_schema(transport)
            if schema is None:
                raise WarehouseError(f"There is nothing in the warehouse {self.address} yet. Run `aisle load` first.")
            if not _QUESTION.match(sql):
                raise WarehouseError("Ask one question at a time: one SELECT.")
            transport.run(f"SET search_path TO {REDSHIFT.identifier(schema)}")
            try:
                answer = transport.run(sql)
            except RefusedError:
                self._close()  # the transaction is spoilt
                raise
            if not answer.columns:
                raise WarehouseError("That is no question: it has no answer. Write a SELECT.")
            return Answer(answer.columns, answer.types, answer.rows)

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
        self._close()  # what was asked before saw the release before
        storage = next(iter(tables.values())).storage
        door = _Door(self.address, Depot(storage, f"{self.address} {star.name}"), star)
        return load(door, star, release, tables, previous, repair=repair, verify=verify)

    def _loaded_schema(self, transport: Transport) -> str | None:
        """The schema that questions go to; None if nothing was loaded."""
        there = transport.run(
            "SELECT n.nspname FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace\n"
            f"WHERE c.relname = {REDSHIFT.literal(RELEASE_TABLE)} AND c.relkind = 'r' ORDER BY n.nspname"
        ).rows
        found = [str(name) for (name,) in there]
        if self.schema is not None:
            return self.schema if REDSHIFT.folded(self.schema) in found else None
        if len(found) > 1:
            raise WarehouseError(f"{self.address} holds the stars {', '.join(found)}: say which one you ask.")
        return found[0] if found else None

    @contextlib.contextmanager
    def _reading(self) -> Iterator[Transport]:
        """A session in a transaction that only reads, and so sees one state."""
        if self._inside and self._reader is not None:
            yield self._reader
            return
        transport = connect(self.address)
        try:
            transport.run("BEGIN READ ONLY")
        except RefusedError:
            transport.close()
            raise
        self._reader = transport
        try:
            yield transport
        finally:
            if not self._inside:
                self._close()

    def _close(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None


class _Door:
    """The door of the shared load."""

    dialect = REDSHIFT

    def __init__(self, address: Address, depot: Depot, star: Star) -> None:
        self.address, self.depot, self.star = address, depot, star

    @contextlib.contextmanager
    def looking(self) -> Iterator[RedshiftSession | None]:
        with _connected(self.address) as transport, _reader() as source:
            transport.run("BEGIN READ ONLY")
            yield RedshiftSession(transport, source, None, None)

    @contextlib.contextmanager
    def loading(self, schema: str) -> Iterator[RedshiftSession]:
        with _connected(self.address) as transport, _reader() as source:
            session = RedshiftSession(transport, source, self.depot, self.address.copy_role)
            for statement in make_lock(self.star):
                try:
                    transport.run(statement)
                except RefusedError as error:  # of two first loads at once one may find the name taken just now
                    if not _TAKEN.search(str(error)):
                        raise
            transport.run("BEGIN")
            # Before all else: what a transaction sees is settled by its first question, and must be what the load before left.
            transport.run(lock(self.star))
            self.depot.sweep()
            try:
                yield session
                if self.address.reader_role is not None:
                    for statement in grants(self.star, self.address.reader_role):
                        transport.run(statement)
                transport.run("COMMIT")
            except RefusedError as error:
                raise RefusedError(_with_details(transport, error)) from error
            finally:
                with contextlib.suppress(StorageError):  # the next load sweeps, too
                    self.depot.sweep()
            # The rows are in: statistics that fail are Redshift's to make up for, which it does by itself.
            with contextlib.suppress(RefusedError):
                for table in sorted(session.filled):
                    transport.run(analyze(REDSHIFT.identifier(schema, table)))

    @contextlib.contextmanager
    def saying(self, what: str) -> Iterator[None]:
        with _saying(what):
            yield


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


@contextlib.contextmanager
def _saying(what: str) -> Iterator[None]:
    """Errors of Redshift, AWS and DuckDB as ours."""
    try:
        yield
    except RefusedError as error:
        raise WarehouseError(f"{what}: {error}") from error
    except duckdb.Error as error:
        raise WarehouseError(f"{what}: {one_line(error)}") from error


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
                "\n  Give the text room: MaxLen(…) in its source's declaration, then `aisle run --full`."
                if "length" in str(reason) and "longer" in str(reason)
                else ""
            )
            return f"{place}: {reason}{longer}"
    return str(error)


__all__ = ["RedshiftWarehouse"]
