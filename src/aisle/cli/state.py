"""The state of a project: what was delivered, what became of it, what is released, what is loaded. Only read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aisle.lake.drops import Drop
    from aisle.project import Project


@dataclass(frozen=True)
class SourceState:
    """A source: its drops, and its rows by what became of them.

    `refused` and `held` map a drop to the reason; `waiting` are the files of the landing that no
    run has seen yet.
    """

    consumed: int
    rows: int
    silver: int
    duplicates: int
    quarantined: int
    refused: Mapping[str, str]
    held: Mapping[str, str]
    unknown_columns: Mapping[str, str]
    waiting: tuple[str, ...]

    @classmethod
    def of(cls, drops: list[Drop], waiting: tuple[str, ...]) -> SourceState:
        return cls(
            consumed=sum(d.status == "consumed" for d in drops),
            rows=sum(d.records for d in drops),
            silver=sum(d.events for d in drops),
            duplicates=sum(d.duplicates for d in drops),
            quarantined=sum(d.quarantined for d in drops),
            refused={d.drop: d.reason or "" for d in drops if d.status == "refused"},
            held={d.drop: d.reason or "" for d in drops if d.status == "held"},
            unknown_columns={d.drop: d.unknown_columns for d in drops if d.unknown_columns},
            waiting=waiting,
        )


@dataclass(frozen=True)
class State:
    """A project. `loaded` is the release that the warehouse holds; `writer` the run that is at work now."""

    release: int | None
    made_at: str | None
    declaration_changed: bool
    sources: Mapping[str, SourceState]
    tables: Mapping[str, int]
    loaded: int | None
    strays: Mapping[str, int] = field(default_factory=dict)
    warehouse_trouble: str | None = None
    writer: Mapping[str, Any] | None = field(default=None)

    @property
    def waiting(self) -> int:
        return sum(len(s.waiting) for s in self.sources.values())

    @property
    def behind(self) -> bool:
        """Whether the warehouse holds another release than the lake's newest."""
        return self.release is not None and self.loaded != self.release and self.warehouse_trouble is None


def read_state(project: Project) -> State:
    """Look at landing, lake and warehouse. No lease is needed, and nothing is made.

    Raises:
        LakeError: the lake's newest release cannot be read.
    """
    from aisle.engines.duckdb.engine import DuckDBEngine
    from aisle.errors import WarehouseError
    from aisle.lake.drops import delivered, strays, unseen
    from aisle.lake.lake import Lake
    from aisle.lake.lease import holder
    from aisle.lake.storage import open_storage
    from aisle.run.take import read_ledger
    from aisle.warehouses import open_warehouse

    star, landing = project.star, open_storage(project.landing)
    lake = Lake(project.lake, star)
    release = lake.releases.newest()
    lake.open(release)
    with DuckDBEngine(threads=1) as engine:
        ledger = read_ledger(engine, lake)
    sources = {
        s.name: SourceState.of(ledger[s.name], tuple(e.path for e in unseen(delivered(landing, s), ledger[s.name])))
        for s in star.sources
    }
    loaded, trouble = None, None
    try:
        with open_warehouse(project.warehouse, star.name) as warehouse:
            loaded = warehouse.release()
    except WarehouseError as error:
        trouble = str(error)
    return State(
        release=release.number if release else None,
        made_at=release.made_at if release else None,
        declaration_changed=release is not None and release.star != star.fingerprint,
        sources=sources,
        tables={name: table.rows for name, table in lake.gold.items()},
        loaded=loaded,
        strays=strays(landing, star.sources),
        warehouse_trouble=trouble,
        writer=holder(lake.storage),
    )
