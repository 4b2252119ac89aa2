"""The port of where people ask: what aisle wants of a warehouse, and what it gets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

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


__all__ = ["Answer", "Loaded", "Mode", "Moved"]
