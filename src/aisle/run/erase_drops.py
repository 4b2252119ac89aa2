"""Delivered files that hold values of a key, and these files without them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import ibis

from aisle.declare.source import DROP, LINE, SourceSpec
from aisle.declare.star import Star
from aisle.engines.delivery import Delivery
from aisle.engines.duckdb.engine import DuckDBEngine
from aisle.engines.duckdb.erasing import What, header_in, lines_in, rewritten
from aisle.engines.port import Engine
from aisle.errors import LakeError
from aisle.lake.drops import BRONZE, in_batches
from aisle.lake.forgotten import Forgotten, Note
from aisle.lake.lake import Lake
from aisle.run.erasable import Mentions, Touched, erasable, names
from aisle.run.read import BATCH_BYTES, with_verdicts
from aisle.run.summary import Progress
from aisle.run.take import measured
from aisle.stages.cleanse import REASONS, of_keys, rejected

_CHUNK = 1 << 20


@dataclass(frozen=True)
class Found:
    """What a delivered file holds of some keys: rows with personal values, by line, with the reasons for which they broke the contract;
    records that could not be read, with theirs; and of a file that cannot be read, why.
    """

    rows: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    malformed: Mapping[int, str] = field(default_factory=dict)
    refused: str | None = None

    @property
    def size(self) -> int:
        """How many rows and records, or one if it is the whole file."""
        return len(self.rows) + len(self.malformed) + (self.refused is not None)


def find(
    engine: Engine, star: Star, source: SourceSpec, forgotten: Forgotten, deliveries: Sequence[Delivery], mentions: Mentions
) -> dict[str, Found]:
    """What delivered files hold of keys, by the name of the delivery, which is the file's path in the lake. Nothing is said of the others."""
    columns = [c.name for c in erasable(star, source)[0]]
    keys = engine.values(
        "_keys", ibis.schema(dict.fromkeys(source.key, "string")), [[k[c] for c in source.key] for k in mentions.keys]
    )
    by_name = {d.drop: d for d in deliveries}
    out: dict[str, Found] = {}
    for batch in in_batches([d.content.size for d in deliveries], BATCH_BYTES):
        for together in engine.alike(source, deliveries[batch]):
            notes = {d.drop: note for d in together if (note := forgotten.note(d.drop)) is not None}
            raw, malformed, readings = engine.read("_sought", source, together)
            if notes:
                raw = with_verdicts(engine, source, raw, notes)
            theirs = engine.keep("_theirs", of_keys(raw, source, keys, columns))
            rows: dict[str, dict[int, tuple[str, ...]]] = {}
            for row in engine.rows(theirs):
                rows.setdefault(row[DROP], {})[row[LINE]] = ()
            if rows:
                for row in engine.rows(rejected(raw.semi_join(theirs, [DROP, LINE]), source).select(DROP, LINE, REASONS)):
                    rows[row[DROP]][row[LINE]] = tuple(row[REASONS])
            aside: dict[str, dict[int, str]] = {}
            for row in engine.rows(malformed):
                header = header_in(by_name[row[DROP]], source.delimiter) if source.format == "csv" else ()
                if row["text"] and mentions(row["text"], header):
                    aside.setdefault(row[DROP], {})[row[LINE]] = row["reason"]
            engine.drop("_sought", "_theirs")
            for reading in readings:
                name = reading.drop
                if reading.refused:
                    if by_name[name].content.size and _may_hold(by_name[name], source, mentions):
                        out[name] = Found(refused=reading.refused)
                elif name in rows or name in aside:
                    out[name] = Found(rows.get(name, {}), aside.get(name, {}))
    return out


def _may_hold(delivery: Delivery, source: SourceSpec, mentions: Mentions) -> bool:
    """Whether a file of which nothing is used may hold something of a person. What nobody can look into may."""
    content = delivery.content
    if content.broken or content.parquet or content.binary or source.format == "parquet":
        return True
    header = header_in(delivery, source.delimiter) if source.format == "csv" else ()
    return any("�" in line or mentions(line, header) for line in lines_in(delivery))


@dataclass(frozen=True)
class Erased:
    """A delivered file without some values: where it lies for now, and the note that is to be kept of it."""

    path: Path
    note: Note
    before: str
    after: str


@contextmanager
def erased(
    engine: Engine,
    star: Star,
    source: SourceSpec,
    forgotten: Forgotten,
    delivery: Delivery,
    found: Found,
) -> Iterator[Erased]:
    """A delivered file, written anew without what was found in it, in a folder that is gone at the end of the block.

    Raises:
        LakeError: it would not be read as it was.
    """
    former = forgotten.note(delivery.drop) or Note((delivery.content.digest,))
    columns = erasable(star, source)[0]
    with tempfile.TemporaryDirectory(prefix="aisle-") as folder:
        out = Path(folder) / Path(delivery.drop).name
        if found.refused is None:
            what = What(frozenset(names(columns)), frozenset(found.rows), frozenset(found.malformed))
            rewritten(delivery, source.format, source.delimiter, what, out)
        else:
            out.write_bytes(b"")
        content = measured(out, delivery.drop)
        forms = [*(f for f in former.forms if f != content.digest), delivery.content.digest, content.digest]
        note = Note(
            tuple(dict.fromkeys(forms)),
            {**former.rows, **{n: tuple(dict.fromkeys([*former.rows.get(n, ()), *why])) for n, why in found.rows.items()}},
            {**former.malformed, **found.malformed},
            found.refused or former.refused,
        )
        if found.refused is None:
            _assert_alike(engine, source, delivery, Delivery.of(delivery.drop, str(out), content))
        yield Erased(out, note, delivery.content.digest, content.digest)


def _assert_alike(engine: Engine, source: SourceSpec, was: Delivery, now: Delivery) -> None:
    """What was rewritten has the same rows on the same lines."""
    lines = []
    for delivery in (was, now):
        raw, malformed, [reading] = engine.read("_compared", source, [delivery])
        found = engine.rows(raw.select(LINE).union(malformed.select(LINE)).order_by(LINE))
        lines.append((reading.records, reading.malformed, reading.refused, [row[LINE] for row in found]))
        engine.drop("_compared")
    if lines[0] != lines[1]:
        raise LakeError(
            f"{was.drop} cannot be written anew so that its other rows are read as they were. Nothing of it was changed."
        )


def delivered(lake: Lake, source: SourceSpec) -> list[Delivery]:
    """All files that were delivered of a source, by their path in the lake: also those that are held or refused, or that no release has."""
    out = []
    for entry in lake.storage.entries(f"bronze/{source.name}"):
        if BRONZE.fullmatch(entry.path):
            path = lake.storage.local(entry.path)
            out.append(Delivery.of(entry.path, path, measured(path, entry.path)))
    return out


def erase(lake: Lake, engine: Engine, source: SourceSpec, mentions: Mentions, progress: Progress) -> Iterator[Touched]:
    """Rewrite the delivered files that hold values of a key. First comes the note, by which either form of the file is read alike."""
    by_path = {d.drop: d for d in delivered(lake, source)}
    found = find(engine, lake.star, source, lake.forgotten, list(by_path.values()), mentions)
    for path, what in progress.over("bronze", found.items(), len(found)):
        with erased(engine, lake.star, source, lake.forgotten, by_path[path], what) as done:
            lake.forgotten.write(path, done.note)
            with done.path.open("rb") as data, lake.storage.receive() as arriving:
                shutil.copyfileobj(data, arriving, _CHUNK)
                arriving.keep(path)
        yield Touched(path, what.size, done.before, done.after)


@contextmanager
def arrived(lake: Lake, source: SourceSpec, delivery: Delivery) -> Iterator[Path]:
    """What is to be kept of a file that comes: the file, or a copy without the values that are forgotten, of which there is a note then.

    Args:
        delivery: by the path that it is to have in the lake.
    """
    mentions = Mentions(source, [f.key for f in lake.forgotten.of(source.name)])
    with DuckDBEngine(threads=1) as engine:
        found = find(engine, lake.star, source, lake.forgotten, [delivery], mentions).get(delivery.drop)
        if found is None:
            yield Path(delivery.path)
            return
        with erased(engine, lake.star, source, lake.forgotten, delivery, found) as done:
            lake.forgotten.write(delivery.drop, done.note)
            yield done.path
