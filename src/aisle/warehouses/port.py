"""The port of where people ask: what aisle wants of a warehouse, and what it gets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal, Protocol, Self

from aisle.declare.star import Star
from aisle.lake.releases import Release
from aisle.lake.tables import Table

Mode = Literal["up to date", "incremental", "full"]


@dataclass(frozen=True)
class Moved:
    """Rows of one table that a load took out and put in. A row that changed is counted in both."""

    deleted: int
    inserted: int


@dataclass(frozen=True)
class Loaded:
    """What a load did.

    Args:
        release: the lake's release that the warehouse holds now.
        former: the release that it held before; None if none.
        mode: "up to date" (nothing was written), "incremental" (what changed between the two
            releases), or "full" (all tables made anew).
        why: the reason of a full load, as a sentence; else empty.
        tables: rows moved, by table of the star; a table that was not touched is not named.
        verified: rows by table, if all values were compared with what had been loaded, and were the same.
    """

    release: int
    former: int | None
    mode: Mode
    why: str
    tables: Mapping[str, Moved]
    verified: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """The answer to a question: its columns, their types in the warehouse's own words, its rows.

    Values are plain Python: int, Decimal, float, str, bool, date, datetime (naive, UTC), None;
    lists and dicts of them for nested types.
    """

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


class Warehouse(Protocol):
    """A warehouse. Use it as a context manager: it holds a connection, and all questions see one state."""

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...

    def release(self) -> int | None:
        """The number of the lake's release that it holds; None if none was loaded.

        Raises:
            WarehouseError: it cannot be opened.
        """
        ...

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
        """Bring the star's tables to a release of the lake, in one transaction. Twice is a no-op.

        What is looked at each time: that all tables are there, with their columns and as many rows as
        were loaded; and that rows that move have the values they were loaded with.

        Args:
            star: the declaration that the release was made by.
            release: to load; normally the lake's newest.
            tables: the lake's gold tables, by table of the star; the versions they show do not matter.
            previous: gives an earlier release of the lake by number; None if it is gone.
            repair: make all tables anew if they are not as they were loaded.
            verify: compare the values of all rows, too, with what was loaded, before anything is moved.

        Raises:
            WarehouseError: it cannot be opened or written, the release is another star's, or its tables
                are not as they were loaded and `repair` is not asked for. What it held before, it holds still.
            DeclarationError: the star's names clash in a warehouse.
            LakeError: the lake lacks what the release names.
        """
        ...

    def query(self, sql: str) -> Answer:
        """The answer to one question in SQL. Table names need no schema. Nothing can be changed.

        Raises:
            WarehouseError: nothing was loaded yet, or the warehouse does not understand the question.
        """
        ...


__all__ = ["Answer", "Loaded", "Mode", "Moved", "Warehouse"]
