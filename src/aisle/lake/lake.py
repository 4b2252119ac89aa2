"""A lake: where a star's bronze, silver, quarantine and gold rest, and its releases."""

from __future__ import annotations

from pathlib import Path

import ibis

from aisle.declare.fact import FactSpec
from aisle.declare.star import Star
from aisle.lake.drops import LEDGER
from aisle.lake.releases import Release, Releases
from aisle.lake.storage import Storage
from aisle.lake.tables import Table

QUARANTINE = ibis.schema({"source": "string", "drop": "string", "line": "int64", "reasons": "array<string>", "row": "string"})


class Lake:
    """The tables of a star at an address (a folder).

    `silver` and `gold` are by source name and table name.
    """

    def __init__(self, address: str | Path, star: Star) -> None:
        self.storage = Storage(address)
        self.star = star
        self.releases = Releases(self.storage)
        self.ledger = Table(self.storage, "bronze/_ledger", LEDGER)
        self.quarantine = Table(self.storage, "quarantine", QUARANTINE)
        self.silver = {
            s.name: Table(self.storage, f"silver/{s.name}", s.silver, personal=[c.name for c in s.columns if c.personal])
            for s in star.sources
        }
        self.gold = {
            spec.table: Table(
                self.storage,
                f"gold/{spec.table}",
                spec.schema,
                time=spec.time if isinstance(spec, FactSpec) else None,
                personal=[c.name for c in spec.columns if c.personal],
            )
            for spec in star.tables
        }

    @property
    def tables(self) -> dict[str, Table]:
        """All tables, by their path in the lake."""
        return {t.name: t for t in (self.ledger, self.quarantine, *self.silver.values(), *self.gold.values())}

    def open(self, release: Release | None) -> None:
        """Show every table as a release has it."""
        for name, table in self.tables.items():
            if release is not None and name in release.tables:
                table.open(release.tables[name])
            else:
                table.files = ()

    def restore(self, release: Release | None) -> None:
        """Bring every table back to a release: what a run that did not publish left behind is taken out."""
        for name, table in self.tables.items():
            table.restore(release.tables.get(name) if release is not None else None)

    def versions(self) -> dict[str, int]:
        return {name: table.version for name, table in self.tables.items() if table.version is not None}
