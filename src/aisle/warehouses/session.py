"""The port that a kind of warehouse implements for the load that all share: a door, and a session behind it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from duckdb import DuckDBPyConnection

from aisle.declare.star import Star
from aisle.derive.ddl import Spec
from aisle.derive.dialect import Dialect
from aisle.lake.storage import Storage
from aisle.warehouses.difference import Rows
from aisle.warehouses.port import Answer

Columns = tuple[tuple[str, str, bool], ...]
"""Name, type in the dialect's own words (as `Dialect.type` writes it), and whether it may be null."""


@dataclass(frozen=True)
class Standing:
    """What stands in a schema: its tables with their columns in order, and the names of its views."""

    tables: Mapping[str, Columns]
    views: frozenset[str]


class Session(Protocol):
    """A connection to a warehouse, inside one transaction."""

    dialect: Dialect

    @property
    def source(self) -> DuckDBPyConnection:
        """A DuckDB connection by which the lake's files are read, in a session that loads. It may be the warehouse itself."""
        ...

    @property
    def spoilt(self) -> bool:
        """Whether nothing more can be asked in it, after what went wrong."""
        ...

    def stars(self) -> list[str]:
        """The schemas that hold a star: those with a table `aisle_release`, sorted."""
        ...

    def answer(self, schema: str, sql: str) -> Answer:
        """The answer to a person's question, whose bare names are those of a schema.

        Raises:
            WarehouseError: it is not one question.
        """
        ...

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows that a question gives."""
        ...

    def execute(self, sql: str) -> None:
        """Run a statement."""
        ...

    def standing(self, schema: str) -> Standing:
        """What stands in a schema; nothing, if there is none."""
        ...

    def grants(self, schema: str) -> list[tuple[str, str]]:
        """What others may do with tables and views of a schema: a name, and the statement that allows it again, each."""
        ...

    def append(self, table: str, spec: Spec, rows: Rows) -> None:
        """Put rows of the lake into a table.

        Args:
            table: its name, qualified and quoted. It has the columns of `spec`, in their order.
        """
        ...

    def settle(self, table: str) -> None:
        """Called when many rows were put into a table: the time for statistics."""
        ...


class Door(Protocol):
    """A way into a warehouse; `str` is its address, without secrets.

    Driver's errors come out of it as they are; `saying` makes ours of them.
    """

    dialect: Dialect

    @property
    def reader_role(self) -> str | None:
        """The role that a load lets read the star without its personal data; None for none."""
        ...

    def looking(self) -> AbstractContextManager[Session | None]:
        """A session that reads one state; None if there is no warehouse yet, and nothing is made."""
        ...

    def loading(self, star: Star, lake: Storage) -> AbstractContextManager[Session]:
        """A session that writes: one transaction, committed when the block ends well, else rolled back.

        Of two loads of a star at once the second waits here for the first, or is refused.
        """
        ...

    def saying(self, what: str) -> AbstractContextManager[None]:
        """Errors of driver and DuckDB as a WarehouseError that begins with `what`."""
        ...


__all__ = ["Columns", "Door", "Session", "Standing"]
