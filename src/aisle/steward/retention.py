"""Retention: old releases are forgotten, and what no other needs is removed; small files are merged into larger ones."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal, get_args
from urllib.parse import unquote

import ibis

from aisle.declare.classes import did_you_mean
from aisle.declare.star import Star
from aisle.engines.duckdb.engine import DuckDBEngine
from aisle.errors import ConfigError, LakeError
from aisle.lake.drops import BRONZE, in_batches
from aisle.lake.folder import INCOMING
from aisle.lake.lake import CHECKS, Lake
from aisle.lake.releases import Release, Releases
from aisle.lake.storage import Entry
from aisle.lake.tables import MONTH, DataFile, Table
from aisle.run.declared import to_be_taken_in
from aisle.run.summary import Progress, quiet

KEEP = 10
"""How many releases are kept, if nobody says otherwise."""

SMALL = 32 << 20
"""Bytes: what is smaller is merged."""

_LARGE = 4 * SMALL
"""Bytes: what is merged into one is no larger, so that a correction has not to rewrite more than that."""

Kind = Literal["data", "bronze", "litter"]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""What is removed: files of tables; delivered files; and what killed processes left beside them."""


@dataclass(frozen=True)
class Removed:
    """So many files, and their bytes."""

    files: int = 0
    bytes: int = 0


@dataclass(frozen=True)
class Vacuumed:
    """What a vacuum did, or would do: the numbers of the releases kept and forgotten, the newest first, and what was removed, by kind."""

    kept: tuple[int, ...]
    forgotten: tuple[int, ...]
    removed: Mapping[Kind, Removed]
    dry_run: bool


def vacuum(
    star: Star,
    *,
    lake: str | Path,
    keep: int = KEEP,
    older_than: int | None = None,
    dry_run: bool = False,
    break_lease: bool = False,
    progress: Progress = quiet,
) -> Vacuumed:
    """Forget old releases, and remove the files that no kept release needs.

    What a kept release was made from is kept too: each file that its ledger names, and the release that it restores. Kept as well
    are void releases, which fence off writers that lost the lake; the Delta logs, which are small and hold no personal values; and the
    newest version of a table that neither a kept release nor the star has. A reader of a forgotten release, and a check on Spark, are
    not waited for: they fail.

    Args:
        star: the declaration.
        lake: its address.
        keep: how many releases, the newest.
        older_than: forget only what is older than so many days.
        dry_run: only tell what would go. No lease is taken.
        break_lease: take the lake from another writer that is known to be gone.
        progress: called with a step's name, how much of it is done, and of how much.

    Raises:
        ConfigError: no release would be kept.
        NothingDelivered: the lake has no release.
        LakeError: a release that is to be kept cannot be read.
        LeaseHeld: another run is at work on the lake.
    """
    if keep < 1:
        raise ConfigError(f"{keep} releases cannot be kept: the newest is what the lake holds. Keep 1 or more.")
    place = Lake(lake, star)
    place.releases.standing()  # nothing is made of a lake that is not there
    with ExitStack() as held:
        if not dry_run:
            held.enter_context(place.writing(break_lease=break_lease))
        kept, forgotten = _parted(place.releases, keep, older_than)
        going = _not_needed(place, kept)
        if not dry_run:
            # First the releases, then their files: a release that is listed can be read, whatever kills this. And a writer to whom
            # this one lost its lease in between can come upon no release any more that needs a file on the list. An undo goes before
            # what it restores.
            for release in progress.over("releases", forgotten):
                place.forget(release)
            for kind in KINDS:
                _remove(place, going[kind], progress, kind)
            for folder in (*_TABLES, "bronze", CHECKS):
                place.storage.prune(folder)
    removed = {kind: Removed(len(going[kind]), sum(e.size for e in going[kind])) for kind in KINDS}
    return Vacuumed(tuple(r.number for r in kept), tuple(r.number for r in forgotten), removed, dry_run)


_TABLES = ("bronze/_ledger", "quarantine", "silver", "gold")


def _parted(releases: Releases, keep: int, older_than: int | None) -> tuple[list[Release], list[Release]]:
    """The releases to keep, and those to forget, the newest first."""
    every = {r.number: r for r in releases.backwards()}
    since = None if older_than is None else datetime.now(UTC) - timedelta(days=older_than)
    kept: set[int] = set()
    for place, release in enumerate(every.values()):
        if place < keep or (since is not None and datetime.fromisoformat(release.made_at) >= since):
            kept.update(_line(release, every))
    return [r for n, r in every.items() if n in kept], [r for n, r in every.items() if n not in kept]


def _line(release: Release, every: Mapping[int, Release]) -> Iterator[int]:
    """A release, and those whose content it restores, one after the other."""
    found: Release | None = release
    while found is not None:
        yield found.number
        found = every.get(found.restores) if found.restores is not None else None


def _not_needed(place: Lake, kept: Sequence[Release]) -> dict[Kind, list[Entry]]:
    """The files that no kept release needs."""
    going: dict[Kind, list[Entry]] = {kind: [] for kind in KINDS}
    tables = _by_table(place)
    needed, ledger = _needed(place, kept, tables)
    for name, entries in tables.items():
        for entry in entries:
            inside = entry.path.removeprefix(f"{name}/")
            if inside not in needed.get(name, ()) and (kind := _kind(inside)) is not None:
                going[kind].append(entry)
    named = _named(place, ledger)
    for entry in place.storage.entries("bronze"):
        if entry.path.startswith(f"{INCOMING}/"):
            going["litter"].append(entry)
        elif BRONZE.fullmatch(entry.path) and entry.path not in named:
            going["bronze"].append(entry)
    going["litter"] += place.storage.entries(CHECKS)
    return going


def _by_table(place: Lake) -> dict[str, list[Entry]]:
    """The files of all tables, by the table's path in the lake: also of tables that only a former star has."""
    found: defaultdict[str, list[Entry]] = defaultdict(list)
    for folder in _TABLES:
        depth = 1 if folder in ("silver", "gold") else 0
        for entry in place.storage.entries(folder):
            inside = entry.path.removeprefix(f"{folder}/").split("/")
            if len(inside) > depth:
                found["/".join([folder, *inside[:depth]])].append(entry)
    return found


def _kind(inside: str) -> Kind | None:
    """What a file of a table is that nothing refers to, by its path in it; None if it is not for us to judge."""
    *folders, name = inside.split("/")
    if folders and folders[0] == "_delta_log":
        return None
    if "_temporary" in folders:
        return "litter"
    hidden = any(part.startswith(("_", ".")) and not part.startswith(f"{MONTH}=") for part in (*folders, name))
    if name.endswith(".parquet") and not hidden:
        return "data"
    # Spark's jobs write into a folder each, with marks of their own beside the data.
    return "litter" if folders and folders[0].startswith("part-") else None


def _needed(place: Lake, kept: Sequence[Release], tables: Collection[str]) -> tuple[Mapping[str, set[str]], list[DataFile]]:
    """The files of each table that kept releases refer to, by their path in it; and the ledger's."""
    needed: defaultdict[str, set[str]] = defaultdict(set)
    ledger: dict[str, DataFile] = {}
    read: set[tuple[str, int]] = set()
    for n, release in enumerate(kept):
        for name, version in release.tables.items():
            if (name, version) in read:
                continue
            read.add((name, version))
            try:
                files = Table(place.storage, name, ibis.schema({})).open(version).files
            except LakeError as error:
                fewer = f" Keep fewer releases, so that it is forgotten: --keep {n}" if n else ""
                raise LakeError(f"Release {release.number} cannot be kept, as it cannot be read. {error}{fewer}") from None
            needed[name] |= _paths(files)
            if name == place.ledger.name:
                ledger |= {f.path: f for f in files}
    # What stands of a table otherwise is what its newest version says. Of those that the star or the newest release has, that is as the
    # release says, once the lake is leased (`Lake.writing`).
    for name in set(tables) - place.tables.keys() - kept[0].tables.keys():
        needed[name] |= _paths(Table(place.storage, name, ibis.schema({})).open().files)
    return needed, list(ledger.values())


def _paths(files: Iterable[DataFile]) -> set[str]:
    return {path for f in files for path in (f.path, unquote(f.path))}


def _named(place: Lake, ledger: Sequence[DataFile]) -> set[str]:
    """The files of bronze that files of the ledger name, whatever became of them."""
    if not ledger:
        return set()
    table = Table(place.storage, place.ledger.name, ibis.schema({"path": "string"}))
    with DuckDBEngine(threads=1) as engine:
        return {row["path"] for row in engine.rows(engine.bind("ledger", table, ledger))}


def _remove(place: Lake, entries: Sequence[Entry], progress: Progress, kind: str) -> None:
    paths = [e.path for e in entries]
    if place.storage.transfers == 1:
        for path in progress.over(kind, paths):
            place.remove(path)
        return
    pool = ThreadPoolExecutor(place.storage.transfers)
    try:
        for _ in progress.over(kind, pool.map(place.remove, paths), len(paths)):
            pass
    finally:
        pool.shutdown(cancel_futures=True)


@dataclass(frozen=True)
class Merged:
    """So many files became so many others, and their bytes before and after."""

    files: int
    into: int
    bytes_before: int
    bytes_after: int


@dataclass(frozen=True)
class Compacted:
    """What a compaction did, by table. `release` is the newest after it: the one before, if there was nothing to merge."""

    release: int
    tables: Mapping[str, Merged] = field(default_factory=dict)
    seconds: float = 0.0


def compact(
    star: Star,
    *,
    lake: str | Path,
    tables: Collection[str] = (),
    small: int = SMALL,
    break_lease: bool = False,
    memory_limit: str | None = None,
    progress: Progress = quiet,
) -> Compacted:
    """Merge the small files of tables, and make a release of the same content. If there are none, there is no release.

    The embedded engine does it, whatever engine wrote them. The former files stay until no kept release needs them (`vacuum`).

    Args:
        star: the declaration.
        lake: its address.
        tables: by their path in the lake, or its last part: `gold/fact_sales`, or `fact_sales`. By default all.
        small: merge files of fewer bytes than this, where a month, or a table that has no months, has two or more of them.
        break_lease: take the lake from another writer that is known to be gone.
        memory_limit: of the engine, such as "1GB".
        progress: called with a step's name, how much of it is done, and of how much.

    Raises:
        ConfigError: the lake has no such table.
        NothingDelivered: the lake has no release.
        LakeError: the newest release was made by another declaration; or files do not hold the rows that the log says.
        LeaseHeld: another run is at work on the lake.
    """
    started = time.monotonic()
    place = Lake(lake, star)
    chosen = _chosen(place, tables)
    place.releases.standing()
    with ExitStack() as held:
        former = held.enter_context(place.writing(break_lease=break_lease))
        assert former is not None
        if former.star != star.fingerprint:
            raise to_be_taken_in(former)
        merged = {}
        engine = held.enter_context(DuckDBEngine(memory_limit=memory_limit))
        for table in progress.over("compact", chosen):
            if groups := list(_groups(table.files, small)):
                before = [f for group in groups for f in group]
                after = engine.merge(table, groups, {"step": "compact"})
                sizes = (sum(f.size for f in files) for files in (before, after))
                merged[table.name] = Merged(len(before), len(after), *sizes)
        seconds = round(time.monotonic() - started, 2)
        if not merged:
            return Compacted(former.number, {}, seconds)
        did = {"release": former.number, "tables": {name: asdict(m) for name, m in merged.items()}}
        return Compacted(place.publish({"compacts": did, "seconds": seconds}).number, merged, seconds)


def _chosen(place: Lake, names: Collection[str]) -> list[Table]:
    short = {path.rpartition("/")[2].lstrip("_"): path for path in place.tables}
    chosen = set()
    for name in names:
        if (path := short.get(name, name)) not in place.tables:
            raise ConfigError(f"The lake has no table {name!r}{did_you_mean(name, [*place.tables, *short])}")
        chosen.add(path)
    return [table for path, table in place.tables.items() if not names or path in chosen]


def _groups(files: Sequence[DataFile], small: int) -> Iterator[list[DataFile]]:
    """The small files to be merged into one each: of one month, the oldest first, as rows that came together are asked for together."""
    months: defaultdict[str | None, list[DataFile]] = defaultdict(list)
    for file in reversed(files):  # a log lists the newest first
        if file.size < small:
            months[file.month].append(file)
    for found in months.values():
        for batch in in_batches([f.size for f in found], _LARGE):
            if len(found[batch]) > 1:
                yield found[batch]
