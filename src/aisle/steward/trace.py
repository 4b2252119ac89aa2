"""Where a row comes from: rows of a release by their key, and the drops behind them.

Of each table only the files are read that can hold the key, as the Delta log tells; what is asked is written without
the key's values in it, so that its SQL is compiled once.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import ibis
import ibis.expr.types as ir

from aisle.declare.keys import says
from aisle.declare.source import SourceSpec
from aisle.engines.port import Engine
from aisle.errors import LakeError
from aisle.lake.drops import Drop
from aisle.lake.lake import Lake
from aisle.lake.quarantine import members
from aisle.lake.releases import Release, Releases
from aisle.lake.tables import DataFile, Table
from aisle.run.take import read_ledger
from aisle.steward.personal import masked, masked_text, personal_of


@dataclass(frozen=True)
class Origin:
    """Where a row was delivered: the line of a drop, the path of its bytes in the lake, and the release that first consumed it.

    Line 0 is a deletion that a snapshot, of which the drop is a part, makes by what it has not.
    """

    source: str
    drop: str
    line: int
    path: str | None
    release: int | None


@dataclass(frozen=True)
class SetAside:
    """A row in quarantine, as it was delivered, with every reason."""

    origin: Origin
    reasons: list[str]
    row: str


class Trace:
    """A release of a lake, asked by keys.

    Args:
        engine: what computes.
        lake: its tables are opened as they are asked for.
        release: the one to look at.
        show_pii: whether personal data is shown, or masked.
    """

    def __init__(self, engine: Engine, lake: Lake, release: Release, *, show_pii: bool) -> None:
        self.engine, self.lake, self.release, self.show_pii = engine, lake, release, show_pii

    def rows(self, name: str, table: Table, key: Mapping[str, Any], *, month: str | None = None) -> ir.Table:
        """The rows of a key, kept under a name.

        Args:
            key: columns of the table, with the value that each must have.
            month: the UTC month, as "2025-01", in which the rows are, if that is known.
        """
        files = [f for f in self.opened(table).files if month is None or f.month in (None, month)]
        files = _holding(table, files, key)
        self._assert_there(table, files)
        schema = ibis.schema({column: table.schema[column] for column in key})
        sought = self.engine.values(f"_sought_{name}", schema, [tuple(key.values())])
        stored = self.engine.bind(f"_in_{name}", table, files)
        return self.engine.keep(f"_found_{name}", stored.semi_join(sought, list(key)))

    def opened(self, table: Table) -> Table:
        """A table as the release has it."""
        version = self.release.tables.get(table.name)
        if version is None:
            table.files = ()
        elif table.version != version:
            table.open(version)
        return table

    def set_aside(self, source: SourceSpec, key: Mapping[str, Any]) -> list[SetAside]:
        """The rows in quarantine whose key can be read, and is this one."""
        table = self.opened(self.lake.quarantine)
        files = _holding(table, table.files, {"source": source.name})
        self._assert_there(table, files)
        stored = self.engine.bind("_in_quarantine", table, files)
        texts = {f"text_{i}": _text(source, column, value) for i, (column, value) in enumerate(key.items())}
        sought = self.engine.values("_sought_quarantine", ibis.schema(dict.fromkeys(texts, "string")), [tuple(texts.values())])
        alike = [stored["row"].contains(sought[text]) for text in texts]
        rows = stored.filter(stored["source"] == source.name).inner_join(sought, alike).select(*stored.columns)
        personal = personal_of(source)
        return [
            SetAside(
                self.origin(source.name, row["drop"], row["line"]),
                row["reasons"],
                row["row"] if self.show_pii else masked_text(row["row"], personal),
            )
            for row in self.engine.rows(rows.order_by("drop", "line"))
            if _is_of(row["row"], source, key)
        ]

    def origin(self, source: str, drop: str, line: int) -> Origin:
        """Where a row of silver or quarantine was delivered."""
        return Origin(source, drop, line, self._paths.get((source, drop)), self._learnt.get((source, drop)))

    def shown(self, values: Mapping[str, Any], personal: Collection[str]) -> dict[str, Any]:
        """Values as they may be shown."""
        return dict(values) if self.show_pii else masked([values], personal)[0]

    @cached_property
    def ledger(self) -> dict[str, list[Drop]]:
        """What became of every drop, by source."""
        self._assert_there(table := self.opened(self.lake.ledger), table.files)
        return read_ledger(self.engine, self.lake)

    @cached_property
    def _paths(self) -> dict[tuple[str, str], str]:
        return {(d.source, d.drop): d.path for drops in self.ledger.values() for d in drops if d.status == "consumed"}

    @cached_property
    def _learnt(self) -> dict[tuple[str, str], int]:
        return consumed_by(self.lake.releases, self.release)

    @cached_property
    def _is_newest(self) -> bool:
        newest = self.lake.releases.newest()
        return newest is not None and newest.number == self.release.number

    def _assert_there(self, table: Table, files: Sequence[DataFile]) -> None:
        """A former release may have lost files, as it is not kept for ever."""
        if self._is_newest:
            return
        if gone := [f for f in files if not table.storage.exists(f"{table.name}/{f.path}")]:
            raise LakeError(
                f"Release {self.release.number} cannot be explained: {table.name}/{gone[0].path} is gone from the lake."
            )


def consumed_by(releases: Releases, release: Release) -> dict[tuple[str, str], int]:
    """The release that first consumed each drop, by source and name, as a release has it: what was undone does not count.

    Of one that was replaced it is the release that took the other content.
    """
    first: dict[tuple[str, str], int] = {}
    replaced: dict[tuple[str, str], int] = {}
    wanted = release.number
    for r in releases.backwards():
        if r.number > wanted:
            continue
        if r.restores is not None:
            wanted = r.restores
            continue
        wanted = r.number - 1
        sources, found = r.run.get("sources", {}), replaced if "replaces" in r.run else first
        for source, drops in r.run.get("drops", {}).items():
            refused = sources.get(source, {}).get("refused", {})
            numbers = {(source, drop): r.number for drop in drops if drop not in refused}
            found |= numbers if found is first else {of: n for of, n in numbers.items() if of not in replaced}
    return first | replaced


def _holding(table: Table, files: Sequence[DataFile], key: Mapping[str, Any]) -> list[DataFile]:
    """The files, of these, that can hold a row of a key, as far as the Delta log tells."""
    held = list(files)
    for column, value in key.items():
        spans = table.spans(column) if held else {}
        held = [f for f in held if f.path not in spans or spans[f.path][0] <= value <= spans[f.path][1]]
    return held


def _text(source: SourceSpec, column: str, value: Any) -> str:
    """What a delivered row has in it, as JSON, if a column of it has this value."""
    if source[column].choices:
        return ""  # it may be spelled in other ways
    if isinstance(value, int):
        return str(abs(value))
    return json.dumps(value.isoformat() if isinstance(value, date) else value, ensure_ascii=False)[1:-1]


def _is_of(row: str, source: SourceSpec, key: Mapping[str, Any]) -> bool:
    given = members(row)
    return given is not None and all(says(given.get(column), source[column], v) for column, v in key.items())
