"""The warehouse in a DuckDB file: opening, loading, asking."""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import duckdb
from duckdb import DuckDBPyConnection

from aisle.declare.star import Star
from aisle.derive.ddl import RELEASE_TABLE
from aisle.derive.dialect import DUCKDB
from aisle.errors import WarehouseError
from aisle.lake.releases import Release
from aisle.lake.tables import Table
from aisle.warehouses.duckdb.asking import answer, first_lines
from aisle.warehouses.duckdb.session import DuckDBSession
from aisle.warehouses.loading import load
from aisle.warehouses.port import Answer, Loaded

_CATALOG = DUCKDB.identifier("aisle warehouse")


class DuckDBWarehouse:
    """A star in a DuckDB file, in a schema of the star's name.

    Inside a `with` block questions share one connection, and so one release; outside, each opens the file anew.

    Args:
        path: of the file; made by the first load.
        schema: the star that `release` and `query` are about; by default the only one that the file holds.
    """

    dialect = DUCKDB

    def __init__(self, path: str | Path, schema: str | None = None) -> None:
        self.path = Path(path).expanduser()
        self.schema = schema
        self._inside = False
        self._reader: DuckDBPyConnection | None = None

    def __repr__(self) -> str:
        return f"DuckDBWarehouse({str(self.path)!r})"

    def __enter__(self) -> Self:
        self._inside = True
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._inside = False
        self._close()

    def release(self) -> int | None:
        if not self._exists:
            return None
        with self._reading() as con:
            schema = self._loaded_schema(con)
            if schema is None:
                return None
            with self.saying("The warehouse's release cannot be read"):
                row = con.execute(f"SELECT max(release) FROM {DUCKDB.identifier(schema, RELEASE_TABLE)}").fetchone()
            return None if row is None else row[0]

    def query(self, sql: str) -> Answer:
        nothing = WarehouseError(f"There is nothing in the warehouse {self.path} yet. Run `aisle load` first.")
        if not self._exists:
            raise nothing
        with self._reading() as con:
            schema = self._loaded_schema(con)
            if schema is None:
                raise nothing
            with self.saying("The warehouse does not understand the question"):
                con.execute(f"USE {DUCKDB.identifier(schema)}")
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
    def looking(self) -> Iterator[DuckDBSession | None]:
        if self._exists:
            with self._reading() as con:
                yield DuckDBSession(con)
        else:
            yield None

    @contextlib.contextmanager
    def loading(self, schema: str) -> Iterator[DuckDBSession]:  # noqa: ARG002  (DuckDB locks the whole file)
        self._close()  # DuckDB opens a file either for reading or for writing
        with self._writing() as con:
            con.begin()
            try:
                yield DuckDBSession(con)
                con.commit()
            except BaseException:
                with contextlib.suppress(duckdb.Error):  # after a fatal error there is no transaction any more
                    con.rollback()
                raise

    @contextlib.contextmanager
    def saying(self, what: str) -> Iterator[None]:
        try:
            yield
        except duckdb.Error as error:
            raise WarehouseError(f"{what}: {first_lines(error)}") from error

    @property
    def _exists(self) -> bool:
        # An empty file is what is left if the machine stopped while DuckDB made it.
        return self.path.is_file() and self.path.stat().st_size > 0

    def _loaded_schema(self, con: DuckDBPyConnection) -> str | None:
        """The schema that questions go to; None if nothing was loaded."""
        there = "SELECT schema_name FROM duckdb_tables() WHERE database_name = current_database() AND table_name = ? ORDER BY ALL"
        found = [name for (name,) in con.execute(there, [RELEASE_TABLE]).fetchall()]
        if self.schema is not None:
            return self.schema if self.schema in found else None
        if len(found) > 1:
            raise WarehouseError(f"{self.path} holds the stars {', '.join(found)}: say which one you ask.")
        return found[0] if found else None

    @contextlib.contextmanager
    def _reading(self) -> Iterator[DuckDBPyConnection]:
        if self._inside:
            self._reader = self._reader or self._connect(read_only=True)
            yield self._reader
        else:
            with self._connect(read_only=True) as con:
                yield con

    @contextlib.contextmanager
    def _writing(self) -> Iterator[DuckDBPyConnection]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if not self.path.exists():
                self._make()
        except OSError as error:
            raise WarehouseError(f"The warehouse {self.path} cannot be made: {error.strerror or error}") from error
        with self._connect(read_only=False) as con:
            yield con

    def _make(self) -> None:
        """Make an empty file that has its name only when it is whole: DuckDB does not open one that it made by half."""
        fresh = self.path.with_name(f".{self.path.name}.{uuid.uuid4().hex}")
        try:
            self._connect(read_only=False, file=fresh).close()
            with contextlib.suppress(FileExistsError):  # another load was faster
                os.link(fresh, self.path)
        finally:
            fresh.unlink(missing_ok=True)

    def _close(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _connect(self, *, read_only: bool, file: Path | None = None) -> DuckDBPyConnection:
        # Attached under a name that no star can have: DuckDB names a file's catalog after the file, and in
        # shop.duckdb the schema "shop" would be ambiguous. A file that does not fit in memory spills beside itself.
        con = duckdb.connect(config={"temp_directory": f"{self.path}.tmp", "python_enable_replacements": False})
        try:
            con.execute(f"ATTACH {DUCKDB.literal(str(file or self.path))} AS {_CATALOG}{' (READ_ONLY)' if read_only else ''}")
            con.execute(f"USE {_CATALOG}; DETACH memory; SET TimeZone = 'UTC'; SET enable_progress_bar = false")
            if read_only:  # a question sees the warehouse alone: no other file of the machine, no network
                con.execute("SET enable_external_access = false")
        except duckdb.Error as error:
            con.close()
            raise WarehouseError(self._why_closed(error)) from error
        return con

    def _why_closed(self, error: duckdb.Error) -> str:
        said = first_lines(error)
        if "Could not set lock" in said or "Unique file handle conflict" in said:
            holder = said.partition("held in ")[2].partition(". ")[0]
            return (
                f"The warehouse {self.path} is open elsewhere: {holder or 'in this process'}.\n"
                "  DuckDB lets one process write a file while no other has it open. Close it there, then run again."
            )
        return f"The warehouse {self.path} cannot be opened: {said}"
