"""Files of tables, of whatever release, that hold values of a key, and these files without them."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import ibis

from aisle.declare.columns import Column
from aisle.declare.keys import says
from aisle.declare.source import SourceSpec
from aisle.engines.duckdb.erasing import Looking, Stored
from aisle.errors import LakeError
from aisle.lake.lake import Lake
from aisle.lake.quarantine import members
from aisle.lake.storage import Storage
from aisle.lake.tables import Table
from aisle.run.erasable import SHORTEST, Key, Mentions, Touched, erasable, names
from aisle.run.summary import Progress


@dataclass(frozen=True)
class Holding:
    """A file of a table that holds values of a key.

    Attributes:
        path: of it, in the lake.
        rows: by number, which values of which columns, as text.
        columns: whose values go in these rows.
        instead: of quarantine, by number of the row, what its text is to be.
        texts: that the file has of the person.
    """

    path: str
    rows: Mapping[int, Mapping[str, str]]
    columns: Sequence[str] = ()
    instead: Mapping[int, str] = field(default_factory=dict)
    texts: frozenset[str] = frozenset()

    def __len__(self) -> int:
        return len(self.rows) + len(self.instead)


@dataclass(frozen=True)
class _Table:
    """A table that may hold values of a key: the keys of its rows, by its own columns; and its columns of personal values."""

    name: str
    keys: Sequence[Key]
    columns: Sequence[str]


class Tables:
    """The tables that may hold values of a key of a source, quarantine among them: all files, whether a release has them or not.

    Use it as a context manager.
    """

    def __init__(self, place: Lake, source: SourceSpec, key: Key) -> None:
        self._place, self._source, self._key = place, source, key
        self._columns = erasable(place.star, source)[0]
        self._personal = frozenset(names(self._columns))
        self._looking = Looking()

    def __enter__(self) -> Self:
        self._looking.__enter__()
        self._tables = list(self._that_may_hold())
        return self

    def __exit__(self, *error: object) -> None:
        self._looking.__exit__(*error)

    def holding(self, progress: Progress, known: Collection[str] = ()) -> Iterator[Holding]:
        """The files that hold values of the key.

        Args:
            known: texts of the person that were found before. Those that are found on the way are known from then on.
        """
        strings = {c.name for c in self._source.columns if c.type == "string"} | {
            n for c in self._source.columns for n in c.formerly
        }
        gathered = set(known)
        for table, path in progress.over("looking", [(t, path) for t in self._tables for path in _files(self._place, t.name)]):
            with self._opened(path) as stored:
                found = stored.holding(table.keys, table.columns) if stored is not None else {}
            if found:
                said = {v for row in found.values() for c, v in row.items() if c.removeprefix("current_") in strings}
                gathered |= said
                yield Holding(path, found, table.columns, texts=frozenset(said))
        emptied = self._emptied_records()
        for path in progress.over("looking", _files(self._place, "quarantine")):
            with self._opened(path) as stored:
                rows = stored.rows(("drop", "line", "row"), self._source.name) if stored is not None else []
            mentions = Mentions(self._source, [self._key], gathered)
            instead = {n: "" for n, drop, line, was in rows if was and (drop, line) in emptied}
            instead |= {n: text for n, _, _, was in rows if was and (text := self._without(was, mentions)) is not None}
            if instead:
                said = {v for n, _, _, was in rows if n in instead for v in self._said(was)}
                gathered |= said
                yield Holding(path, {}, instead=instead, texts=frozenset(said))

    def remove_torn(self) -> None:
        """Remove the files that a killed process left half, into which nobody can look.

        Raises:
            LakeError: a release has one.
        """
        torn = []
        for path in [p for name in (*(t.name for t in self._tables), "quarantine") for p in _files(self._place, name)]:
            with self._opened(path) as stored:
                torn += [path] if stored is None else []
        named = _named(self._place) if torn else ()
        for path in torn:
            if path in named:
                raise LakeError(f"{path}, which a release has, cannot be read: nobody can tell whose values it holds.")
            self._place.remove(path)

    def emptied(self, one: Holding) -> Touched:
        """Rewrite a file of a table under its path and with its size, without the values: the logs of all versions stay true.

        Raises:
            LakeError: it cannot be made as small as it was.
        """
        with tempfile.TemporaryDirectory(prefix="aisle-") as folder, self._opened(one.path) as stored:
            assert stored is not None
            before = Path(stored.path).read_bytes()
            instead = {"row": one.instead} if one.instead else {}
            try:
                after = stored.without(one.rows, one.columns, instead, Path(folder) / "new.parquet")
            except LakeError as why:
                raise LakeError(
                    f"{one.path} cannot be rewritten: {why}.\n  Forget the releases that have it first: aisle vacuum --keep 1. "
                    "What is left to erase is done by the next run."
                ) from None
        self._place.put(one.path, after)
        return Touched(one.path, len(one), hashlib.sha256(before).hexdigest(), hashlib.sha256(after).hexdigest())

    def saying(self, known: Collection[str], progress: Progress) -> int:
        """How many rows hold one of these texts, be they whose they may."""
        texts = {t for t in known if len(t) >= SHORTEST}
        found = 0
        tables = [p for folder in ("silver", "gold", "quarantine") for p in _files(self._place, folder)] if texts else []
        for path in progress.over("proof", tables):
            with self._opened(path) as stored:
                found += stored.saying(texts) if stored is not None else 0
        return found

    @contextlib.contextmanager
    def _opened(self, path: str) -> Iterator[Stored | None]:
        """A file of a table to be looked at; None, if it is none: a killed process left it half, and it is taken away."""
        with _here(self._place.storage, path) as file:
            yield self._looking.into(file)

    def _that_may_hold(self) -> Iterator[_Table]:
        place, source = self._place, self._source
        personal = sorted(self._personal)
        keys = _spellings([(source[k], k, v) for k, v in self._key.items()])
        known = {f"silver/{source.name}", *place.tables}
        yield _Table(f"silver/{source.name}", keys, personal)
        for d in place.star.dimensions:
            if d.source.name == source.name:
                shown = names([a.column for a in d.attributes if a.column in self._columns])
                yield _Table(f"gold/{d.table}", keys, [*shown, *(f"current_{n}" for n in shown)])
        for f in place.star.facts:
            shown = [n for d in f.degenerates if d.column in self._columns for n in (d.name, *d.column.formerly)]
            if shown and source.name in {s.name for s in f.sources}:
                of_lines = f.lines.name == source.name
                grain = [tuple(self._key[k] for k in f.lines.key)] if of_lines else sorted(self._lines_of(f.lines))
                yield _Table(f"gold/{f.table}", [dict(zip(f.grain, g, strict=True)) for g in grain], shown)
        # A table that a former star had may hold them under the names that they have today.
        for folder in ("silver", "gold"):
            for name in place.storage.names(folder):
                if f"{folder}/{name}" not in known:
                    yield _Table(f"{folder}/{name}", keys, [*personal, *(f"current_{n}" for n in personal)])

    def _lines_of(self, lines: SourceSpec) -> set[tuple[str, ...]]:
        """The keys of a header's lines, wherever silver has them."""
        found: set[tuple[str, ...]] = set()
        for path in _files(self._place, f"silver/{lines.name}"):
            with self._opened(path) as stored:
                if stored is not None:
                    found |= stored.keys(self._key, lines.key)
        return found

    def _emptied_records(self) -> set[tuple[str, int]]:
        """The records that were no rows and are emptied in bronze, by drop and line."""
        found = set()
        for path in _files(self._place, self._place.ledger.name):
            with self._opened(path) as stored:
                drops = stored.rows(("drop", "path"), self._source.name) if stored is not None else []
            for _, drop, kept in drops:
                if (note := self._place.forgotten.note(kept)) is not None:
                    found |= {(drop, line) for line in note.malformed}
        return found

    def _without(self, row: str, mentions: Mentions) -> str | None:
        """A text of quarantine without values of the key; None if it has none."""
        given = members(row)
        if given is None:
            return "" if mentions(row) else None
        of_key = ((self._source[k], v, (k, *self._source[k].formerly)) for k, v in self._key.items())
        if not all(any(says(given.get(n), column, v) for n in spelled) for column, v, spelled in of_key):
            return None
        if all(value is None for name, value in given.items() if name in self._personal):
            return None
        left = {name: None if name in self._personal else value for name, value in given.items()}
        return json.dumps(left, ensure_ascii=False, separators=(",", ":"))

    def _said(self, row: str) -> set[str]:
        strings, given = names([c for c in self._columns if c.type == "string"]), members(row) or {}
        return {v for n in strings if isinstance(v := given.get(n), str)}


def _spellings(key: Sequence[tuple[Column, str, str]]) -> list[Key]:
    """A key by each set of names that its columns have, or had."""
    return [dict(some) for some in itertools.product(*([(n, v) for n in (k, *c.formerly)] for c, k, v in key))]


def _files(place: Lake, table: str) -> list[str]:
    return [e.path for e in place.storage.entries(table) if e.path.endswith(".parquet") and "/_delta_log/" not in e.path]


def _named(place: Lake) -> set[str]:
    """The files that releases have."""
    of = {name: Table(place.storage, name, ibis.schema({})) for r in place.releases.backwards() for name in r.tables}
    return {f"{n}/{f.path}" for r in place.releases.backwards() for n, v in r.tables.items() for f in of[n].open(v).files}


@contextlib.contextmanager
def _here(storage: Storage, path: str) -> Iterator[str]:
    """A file on this machine. A copy, of one in a bucket: what is kept of it as `local` may be what it was before."""
    if storage.transfers == 1:
        yield storage.local(path)
        return
    with tempfile.TemporaryDirectory(prefix="aisle-") as folder:
        to = Path(folder) / "file.parquet"
        with storage.open(path) as data, to.open("wb") as out:
            shutil.copyfileobj(data, out, 1 << 20)
        yield str(to)
