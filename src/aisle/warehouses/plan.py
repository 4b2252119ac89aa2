"""A plan: what a load must do to bring a warehouse from its release to the lake's. The same for every warehouse."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from deltalake.exceptions import DeltaError

from aisle.declare.star import Star
from aisle.derive import ddl
from aisle.derive.ddl import Spec
from aisle.derive.dialect import Dialect
from aisle.errors import LakeError, WarehouseError
from aisle.lake.forgotten import Forgotten
from aisle.lake.releases import Release
from aisle.lake.storage import Storage
from aisle.lake.tables import DataFile, Table
from aisle.warehouses.port import Mode
from aisle.warehouses.tally import Tally


@dataclass(frozen=True)
class Held:
    """What a warehouse says it holds of a star: its table `aisle_release`.

    Args:
        release, made_at, star: of the release loaded.
        structure: digest of the statements that its tables and views were made by, and of whose checksums they have.
        definition: digest of those, of the comments, and of the grants.
        versions: by table, the Delta version loaded.
        tallies: by table, the rows loaded and their checksum.
        consistent: whether its rows agree with one another.
    """

    release: int
    made_at: str
    star: str
    structure: str
    definition: str
    versions: Mapping[str, int]
    tallies: Mapping[str, Tally]
    consistent: bool


@dataclass(frozen=True)
class Found:
    """What is found in a warehouse.

    Args:
        held: what it says it holds; None if nothing.
        tampered: what is not as it was loaded, a sentence each.
        undressed: whether views of it are gone, or of those for readers.
    """

    held: Held | None
    tampered: tuple[str, ...]
    undressed: bool


@dataclass(frozen=True)
class File:
    """A data file of the lake: where an engine reads it, its bytes and rows."""

    url: str
    size: int
    rows: int


@dataclass(frozen=True)
class Step:
    """What to do with one table: the files whose rows go and come, where they rest, and how many rows it must have then.

    `erased`: since the release that the warehouse holds personal values were erased, also in that release's files: what they hold
    names the rows that go, but does not tell any more what these are in the warehouse.
    """

    spec: Spec
    storage: Storage
    removed: tuple[File, ...]
    added: tuple[File, ...]
    version: int
    rows: int
    erased: bool = False

    @property
    def touched(self) -> bool:
        return bool(self.removed or self.added)


@dataclass(frozen=True)
class Plan:
    """A load: its mode, why it is full, whether views and comments are made anew, and a step for each table of the star."""

    mode: Mode
    why: str
    dress: bool
    steps: tuple[Step, ...]


class _GoneError(Exception):
    """What an incremental load needs is no longer in the lake."""


def plan(
    star: Star,
    dialect: Dialect,
    release: Release,
    tables: Mapping[str, Table],
    previous: Callable[[int], Release | None],
    found: Found,
    reader_role: str | None = None,
) -> Plan:
    """What to do. Files are compared by path: a data file, once written, never changes (Delta protocol), unless values of it are erased.

    Args:
        reader_role: the role that may read the star without its personal data; None for none.

    Raises:
        WarehouseError: the release was made by another declaration of the star.
        LakeError: the lake lacks what the release names.
    """
    if release.star != star.fingerprint:
        raise WarehouseError(
            f"Release {release.number} was made by another declaration of the star {star.name!r} than the one at hand: "
            "its files have other columns.\n  Run `aisle run` (`aisle plan` says what it does), then load."
        )
    held, definition = found.held, ddl.fingerprint(star, dialect, reader_role)
    why = _why_full(star, dialect, release, previous, found)
    if held is None or why:
        return full(star, release, tables, why)
    try:
        steps = tuple(_step(spec, tables[spec.table], held, release) for spec in star.tables)
    except _GoneError as gone:
        return full(star, release, tables, str(gone))
    dress = held.definition != definition or found.undressed
    if held.release == release.number and not dress and not any(s.touched for s in steps):
        return Plan("up to date", "", False, steps)
    return Plan("incremental", "", dress, steps)


def full(star: Star, release: Release, tables: Mapping[str, Table], why: str) -> Plan:
    """All tables anew, with the reason."""
    steps = []
    for spec in star.tables:
        table, version = tables[spec.table], release.tables.get(tables[spec.table].name)
        files = _opened(table, version)
        steps.append(Step(spec, table.storage, (), _files(table, files), _number(version), sum(f.rows for f in files)))
    return Plan("full", why, True, tuple(steps))


def _why_full(star: Star, dialect: Dialect, release: Release, previous: Callable[[int], Release | None], found: Found) -> str:
    if found.tampered:
        return " ".join(found.tampered)
    if (held := found.held) is None:
        return "The warehouse held no release of this star."
    if held.release > release.number:
        return f"The warehouse holds release {held.release}, the lake is at {release.number}: it was rolled back or made anew."
    if held.star != release.star:
        return f"The star's declaration changed since release {held.release}, which the warehouse holds."
    if held.structure != ddl.structure(star, dialect):
        return f"This version of aisle, or of DuckDB, makes tables, views or checksums otherwise than the one that loaded release {held.release}."
    before = release if held.release == release.number else previous(held.release)
    if before is None:
        return f"Release {held.release}, which the warehouse holds, is no longer in the lake."
    if before.made_at != held.made_at or before.star != held.star:
        return f"The warehouse holds release {held.release} of another lake, or of this one before it was made anew."
    return ""


def _step(spec: Spec, table: Table, held: Held, release: Release) -> Step:
    version = release.tables.get(table.name)
    if _number(version) == held.versions[spec.table]:
        return Step(spec, table.storage, (), (), _number(version), held.tallies[spec.table].rows)
    files = _opened(table, version)
    try:
        former = _opened(table, None if held.versions[spec.table] < 0 else held.versions[spec.table])
    except LakeError:
        raise _GoneError(f"{spec.table} as of release {held.release} can no longer be read from the lake.") from None
    removed, added = sorted(set(former) - set(files), key=_order), sorted(set(files) - set(former), key=_order)
    if not all(table.storage.exists(f"{table.name}/{f.path}") for f in removed):
        raise _GoneError(f"Files of {spec.table} from release {held.release} were vacuumed from the lake.")
    gone, came = _files(table, removed), _files(table, added)
    erased = any(c.personal for c in spec.columns) and bool(Forgotten(table.storage).since(held.release))
    return Step(spec, table.storage, gone, came, _number(version), sum(f.rows for f in files), erased)


def _opened(table: Table, version: int | None) -> list[DataFile]:
    """A table's files at a version, in the order of time; none, if the release has no such table."""
    if version is None:
        return []
    at = Table(table.storage, table.name, table.schema, time=table.time)
    try:
        at.open(version)
    except DeltaError as error:
        raise LakeError(f"{table.name} cannot be read at version {version}: {error}") from error
    if at.version != version:
        raise LakeError(f"{table.name} is gone from the lake at version {version}, which a release names.")
    return sorted(at.files, key=_order)


def _order(file: DataFile) -> tuple[str, str]:
    # Oldest month first: rows of one time lie together in the warehouse, so that its min/max statistics prune.
    return (file.month or "", file.path)


def _files(table: Table, files: Sequence[DataFile]) -> tuple[File, ...]:
    return tuple(File(url, f.size, f.rows) for url, f in zip(table.urls(files), files, strict=True))


def _number(version: int | None) -> int:
    """A table that a release does not name has no version: -1, in a column that holds numbers."""
    return -1 if version is None else version


__all__ = ["File", "Found", "Held", "Plan", "Step", "full", "plan"]
