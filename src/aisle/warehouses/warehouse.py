"""A warehouse: asked and loaded in one way, whatever kind it is of. What is different stands behind its door."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Self

from aisle.declare.star import Star, reader_schema
from aisle.derive.ddl import RELEASE_TABLE
from aisle.errors import WarehouseError
from aisle.lake.releases import Release
from aisle.lake.tables import Table
from aisle.warehouses.loading import load
from aisle.warehouses.port import Answer, Loaded
from aisle.warehouses.session import Door, Session


class Warehouse:
    """A warehouse that holds stars, each in a schema of its name.

    Inside a `with` block questions share one session, and so one release; outside, each has its own.

    Args:
        door: the way into it. Nothing is opened or made until it is asked.
        schema: the star that `release` and `query` are about; by default the only one that it holds.
    """

    def __init__(self, door: Door, schema: str | None = None) -> None:
        self._door, self.schema = door, schema
        self._inside = False
        self._session: Session | None = None
        self._held = contextlib.ExitStack()

    def __repr__(self) -> str:
        return f"Warehouse({str(self._door)!r})"

    def __enter__(self) -> Self:
        self._inside = True
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._inside = False
        self._close()

    @property
    def reader_role(self) -> str | None:
        """The role that a load lets read the stars without their personal data, as the address names it."""
        return self._door.reader_role

    def release(self) -> int | None:
        """The number of the lake's release that it holds; None if none was loaded.

        Raises:
            WarehouseError: it cannot be opened.
        """
        with self._door.saying("The warehouse's release cannot be read"), self._asking() as session:
            if session is None or (schema := self._asked(session)) is None:
                return None
            rows = session.ask(f"SELECT max(release) FROM {session.dialect.identifier(schema, RELEASE_TABLE)}")
            return None if rows[0][0] is None else int(rows[0][0])

    def query(self, sql: str, *, personal: bool = False) -> Answer:
        """The answer to one question in SQL. Table names need no schema. Nothing can be changed.

        Args:
            personal: ask the star itself; by default what readers see of it is asked, which has no personal data.

        Raises:
            WarehouseError: nothing was loaded yet, the warehouse does not understand the question, or it names the star's
                own schema without `personal`.
        """
        with self._door.saying("The warehouse does not understand the question"), self._asking() as session:
            if session is None or (schema := self._asked(session)) is None:
                raise WarehouseError(f"There is nothing in the warehouse {self._door} yet. Run `aisle load` first.")
            if not personal and _names(sql, schema):
                raise WarehouseError(
                    f"What has {schema} before its name may hold personal data: leave {schema} out, or write {reader_schema(schema)}.\n"
                    "  --show-pii asks it as it is."
                )
            return session.answer(schema if personal else reader_schema(schema), sql)

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
        self._close()  # what was asked before saw the release before
        return load(self._door, star, release, tables, previous, repair=repair, verify=verify)

    @contextlib.contextmanager
    def _asking(self) -> Iterator[Session | None]:
        """A session that reads one state; None if there is no warehouse yet."""
        if not self._inside:
            with self._door.looking() as session:
                yield session
            return
        if self._session is None:
            self._session = self._held.enter_context(self._door.looking())
        try:
            yield self._session
        except BaseException:
            if self._session is not None and self._session.spoilt:
                self._close()
            raise

    def _close(self) -> None:
        self._session = None
        self._held.close()

    def _asked(self, session: Session) -> str | None:
        """The schema that questions go to; None if nothing was loaded."""
        found = session.stars()
        if self.schema is not None:
            return self.schema if session.dialect.folded(self.schema) in found else None
        if len(found) > 1:
            raise WarehouseError(f"{self._door} holds the stars {', '.join(found)}: say which one you ask.")
        return found[0] if found else None


_TOKEN = re.compile(r"""'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/|"(?:[^"]|"")*\"""", re.DOTALL)


def _names(sql: str, schema: str) -> bool:
    """Whether a question has a schema before a name. It keeps from slips; who may not see a schema must have no right to it."""
    plain = _TOKEN.sub(lambda token: token[0] if token[0].startswith('"') else " ", sql)
    return re.search(rf'(?<!\w)("?){re.escape(schema)}\1\s*\.', plain, re.IGNORECASE) is not None


__all__ = ["Warehouse"]
