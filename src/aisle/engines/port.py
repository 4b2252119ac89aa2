"""The port of what computes: the narrow set of things a run asks of an engine.

Stages speak in Ibis expressions over named relations; an engine gives names to stored tables
(`bind`), keeps intermediate results (`keep`), answers small questions (`rows`), and makes a
table's files (`rewrite`). Data never passes through Python.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import ibis
import ibis.expr.types as ir

from aisle.declare.source import SourceSpec
from aisle.engines.delivery import Delivery, Reading
from aisle.lake.tables import DataFile, Table


@dataclass(frozen=True)
class Change:
    """What a rewrite did to a table: rows taken out and put in."""

    removed: int
    added: int


class Engine(Protocol):
    """What computes."""

    dialect: str

    @property
    def requests(self) -> Mapping[str, int]:
        """How often the engine itself asked a store so far, by kind of request."""
        ...

    def bind(self, name: str, table: Table, files: Sequence[DataFile] | None = None) -> ir.Table:
        """Name a stored table, or some of its files, for use in expressions."""
        ...

    def alike(self, source: SourceSpec, deliveries: Sequence[Delivery]) -> list[list[Delivery]]:
        """Part deliveries so that those of one part have columns of the same types."""
        ...

    def read(self, into: str, source: SourceSpec, deliveries: Sequence[Delivery]) -> tuple[ir.Table, ir.Table, list[Reading]]:
        """Read drops as they are: the raw rows, the malformed records, and what became of each drop."""
        ...

    def keep(self, name: str, expression: ir.Table) -> ir.Table:
        """Compute an expression now and keep its rows under a name."""
        ...

    def extend(self, name: str, expression: ir.Table) -> ir.Table:
        """Add an expression's rows to those kept under a name."""
        ...

    def values(self, name: str, schema: ibis.Schema, rows: Sequence[Sequence[Any]]) -> ir.Table:
        """Keep rows given from Python, for small tables only."""
        ...

    def drop(self, *names: str) -> None:
        """Forget kept rows."""
        ...

    def rows(self, expression: ir.Table) -> list[dict[str, Any]]:
        """The rows of a small result; times as naive UTC datetimes."""
        ...

    def count(self, expression: ir.Table) -> int: ...

    def rewrite(
        self,
        table: Table,
        *,
        add: ir.Table | None = None,
        gone: ir.Table | None = None,
        whole: bool = False,
        metadata: Mapping[str, Any],
    ) -> Change:
        """Put rows into a table and take rows out, in one commit, rewriting only the files that hold the latter.

        Args:
            add: rows to put in, in the table's schema.
            gone: the columns that name rows to take out, each in the table's schema.
            whole: take out all that is there.
            metadata: of the commit.
        """
        ...

    def sql(self, expression: ir.Table) -> str:
        """The SQL that the engine runs for an expression."""
        ...
