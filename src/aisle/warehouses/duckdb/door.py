"""The door of a warehouse in a DuckDB file."""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import duckdb
from duckdb import DuckDBPyConnection

from aisle.declare.star import Star
from aisle.derive.dialect import DUCKDB
from aisle.errors import WarehouseError
from aisle.lake.storage import Storage
from aisle.warehouses.duckdb.asking import first_lines
from aisle.warehouses.duckdb.session import DuckDBSession

_CATALOG = DUCKDB.identifier("aisle warehouse")


class DuckDBFile:
    """A DuckDB file.

    Args:
        path: of the file; made by the first load.
    """

    dialect = DUCKDB
    reader_role = None  # who may read the file, may read all of it

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).expanduser()

    def __str__(self) -> str:
        return str(self.path)

    @contextlib.contextmanager
    def looking(self) -> Iterator[DuckDBSession | None]:
        # An empty file is what is left if the machine stopped while DuckDB made it.
        if self.path.is_file() and self.path.stat().st_size > 0:
            with self._connect(read_only=True) as con:
                yield DuckDBSession(con)
        else:
            yield None

    @contextlib.contextmanager
    def loading(self, star: Star, lake: Storage) -> Iterator[DuckDBSession]:  # noqa: ARG002  (DuckDB locks the whole file)
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
