"""The past, asked: what a former release said, and what was true at a time.

Two times are apart: when something was known, by the release; and when it was true, by the versions of the
dimensions. Either can be asked alone, or one within the other.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from aisle.declare.dimension import DimensionSpec
from aisle.declare.star import Star, reader_schema
from aisle.derive.dialect import DUCKDB
from aisle.derive.views import views
from aisle.engines.duckdb.asking import Answer, AskedDuckDB, Shown, over, rows_of, seen_at, stored
from aisle.errors import ConfigError
from aisle.lake.lake import Lake
from aisle.lake.releases import Release
from aisle.lake.tables import Table
from aisle.run.undo import named
from aisle.stages.time import BEGINNING, OPEN_END
from aisle.steward.former import former

if TYPE_CHECKING:
    from duckdb import DuckDBPyRelation


@dataclass(frozen=True)
class Past:
    """A release to be asked, and the time at which its members are seen; None is the release's own present."""

    release: Release
    at: datetime | None
    _engine: AskedDuckDB

    def query(self, sql: str) -> Answer:
        """The answer to one question in SQL. Table names need no schema. Nothing can be changed, and no other file be read.

        Raises:
            WarehouseError: it is not one SELECT, or is not understood.
            LakeError: a file of the release is gone.
        """
        return self._engine.answer(sql)

    def relation(self, sql: str) -> DuckDBPyRelation:
        """One question as a relation of DuckDB, which is computed when it is looked at, and ends with this.

        Raises:
            WarehouseError: it is not one SELECT, or is not understood.
        """
        return self._engine.relation(sql)

    @property
    def names(self) -> list[str]:
        """The names of the tables and views that can be asked."""
        return self._engine.names


@contextlib.contextmanager
def past(
    star: Star,
    *,
    lake: str | Path,
    as_known: int | None = None,
    as_of: str | None = None,
    show_pii: bool = False,
    memory_limit: str | None = None,
) -> Iterator[Past]:
    """Ask a release of the lake: its gold tables, and the views over them that a warehouse has, or those for its readers.

    They have the columns that the star declares now: one that the release has not is null, others are not shown.

    Args:
        as_known: the release's number; by default the newest.
        as_of: a date or time (`instant`). A dimension then shows each member once, in the version that was valid; a fact's
            `_as_is` shows it beside these. Facts, calendars and `_as_was` are as without it.
        show_pii: show personal columns too.

    Raises:
        ConfigError: `as_of` is no time.
        NothingDelivered: the lake has no release.
        LakeError: there is no such release, or a file of it is gone.
    """
    at = None if as_of is None else instant(as_of, star.time_zone)
    place = Lake(lake, star)
    release = place.releases.standing() if as_known is None else named(place.releases, as_known)
    tables = {spec.table: former(place, release, f"gold/{spec.table}") for spec in star.tables}
    files = [url for table in tables.values() for url in table.urls()]
    with AskedDuckDB(memory_limit=memory_limit) as engine:
        schema = star.name if show_pii else reader_schema(star.name)
        engine.show_all(schema, place.storage, files, _shown(star, tables, at, personal=show_pii))
        yield Past(release, at, engine)


def _shown(star: Star, tables: Mapping[str, Table], at: datetime | None, *, personal: bool) -> Iterator[Shown]:
    """The tables and views of the star, with their personal columns or without."""
    now = {spec.table: stored(tables[spec.table], spec.columns) for spec in star.tables}
    then = now if at is None else now | {d.table: seen_at(now[d.table], d, at) for d in star.dimensions}
    for spec in star.tables:
        rows = rows_of(spec.table, current=at is not None and isinstance(spec, DimensionSpec))
        yield Shown(spec.table, over(rows, then), [c.name for c in spec.columns if personal or not c.personal])
    for view in views(star, DUCKDB):
        seen = now if view.name.endswith("_as_was") else then
        yield Shown(view.name, over(view.query, seen), [c.name for c in view.columns if personal or not c.shows.personal])


def instant(text: str, zone: str) -> datetime:
    """The time that a text names: of a date the end of that day; what has no offset is on the clock of `zone`.

    Raises:
        ConfigError: it is none, or one before or after all versions.
    """
    local = ZoneInfo(zone)
    try:
        if len(text.strip()) == len("2025-03-31"):
            day = date.fromisoformat(text.strip()) + timedelta(days=1)
            found = datetime.combine(day, clock.min, local).astimezone(UTC) - timedelta(microseconds=1)
        else:
            found = datetime.fromisoformat(text.strip())
            found = found.replace(tzinfo=local) if found.tzinfo is None else found
        if BEGINNING <= found < OPEN_END:
            return found
    except (ValueError, OverflowError):
        pass
    raise ConfigError(
        f"{text!r} is no time between {BEGINNING:%Y} and {OPEN_END:%Y}. Write a date, which means the end of that day, as 2025-03-31; or "
        f"a time, as 2025-03-31T18:00 (on the clock of {zone}) or 2025-03-31T18:00Z."
    )
