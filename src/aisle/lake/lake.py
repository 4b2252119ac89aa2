"""A lake: where a star's bronze, silver, quarantine and gold rest, and its releases."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import ibis

from aisle.declare.description import Description, described
from aisle.declare.fact import FactSpec
from aisle.declare.star import Star
from aisle.lake.drops import LEDGER
from aisle.lake.forgotten import Forgotten
from aisle.lake.lease import Lease, leased
from aisle.lake.quarantine import QUARANTINE
from aisle.lake.releases import Release, Releases
from aisle.lake.storage import open_storage
from aisle.lake.tables import Table

CHECKS = "_check"
"""Where a lake holds scratch lakes. They are gone at the end of a check; what a killed one leaves is litter."""


class Lake:
    """The tables of a star at an address: a folder, or `s3://bucket/prefix`.

    `silver` and `gold` are by source name and table name.
    """

    def __init__(self, address: str | Path, star: Star) -> None:
        self.storage = open_storage(address)
        self.star = star
        self.releases = Releases(self.storage)
        self.forgotten = Forgotten(self.storage)
        self._lease: Lease | None = None
        self._number = 0
        table = partial(Table, self.storage, guard=self._assert_leased)
        self.ledger = table("bronze/_ledger", LEDGER)
        self.quarantine = table("quarantine", QUARANTINE)
        self.silver = {
            s.name: table(f"silver/{s.name}", s.silver, personal=[c.name for c in s.columns if c.personal]) for s in star.sources
        }
        self.gold = {
            spec.table: table(
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

    @contextlib.contextmanager
    def writing(self, *, break_lease: bool = False) -> Iterator[Release | None]:
        """Hold the lease, the tables as the newest release has them, which is yielded.

        What a writer that did not publish left behind is taken out; and a writer whose lease is
        taken over cannot publish any more (`Releases.void`).

        Raises:
            LeaseHeld: another writer is at work.
        """
        self.storage.assert_exclusive()
        with leased(self.storage, break_lease=break_lease) as self._lease:
            if self._lease.taken_over:
                self.releases.void(f"the lease of {self._lease.taken_over} was taken over")
            # Settled now: a writer that is fenced off later must not find another number.
            self._number = self.releases.next_number()
            newest = self.releases.newest()
            try:
                self.restore(newest)
                yield newest
            except Exception:
                # A writer whose lease was taken stumbles over what its successor did: that is the reason to tell.
                self._assert_leased()
                raise
            finally:
                self._lease = None

    def restore(self, release: Release | None) -> dict[str, int]:
        """Bring every table back to a release. Returns the version that each of the release's tables has now."""
        wanted = release.tables if release is not None else {}
        # A release of another declaration may have tables that this one has not.
        others = {
            name: Table(self.storage, name, ibis.schema({}), guard=self._assert_leased)
            for name in wanted.keys() - self.tables.keys()
        }
        tables = self.tables | others
        for name, table in tables.items():
            table.restore(wanted.get(name))
        return {name: version for name in wanted if (version := tables[name].version) is not None}

    def publish(self, run: Mapping[str, Any], *, restores: int | None = None) -> Release:
        """Make the tables as they are now the next release. `restores`: a former one whose content it has.

        Raises:
            LeaseLost: another writer took over meanwhile.
        """
        versions = {name: table.version for name, table in self.tables.items() if table.version is not None}
        return self._publish(versions, self.star.fingerprint, described(self.star), run, restores=restores)

    def publish_again(self, former: Release, run: Mapping[str, Any]) -> Release:
        """Make a former release's content the next release."""
        return self._publish(self.restore(former), former.star, former.declared, run, restores=former.number)

    def _publish(
        self, versions: dict[str, int], star: str, declared: Description, run: Mapping[str, Any], *, restores: int | None
    ) -> Release:
        software = {"aisle": version("aisle"), "duckdb": version("duckdb")}
        made_at = datetime.now(UTC).isoformat(timespec="seconds")
        release = Release(self._number, versions, made_at, star, declared, {**run, **software}, restores)
        self._assert_leased()
        self.releases.publish(release)
        self._number += 1
        return release

    def forget(self, release: Release) -> None:
        """Take a release off the list. Its content stays, as far as another release has it or until its files are removed."""
        self._assert_leased()
        self.releases.forget(release.number)

    def put(self, path: str, data: bytes) -> None:
        """Write a file in the place of the one that is there."""
        self._assert_leased()
        self.storage.put(path, data)

    def remove(self, path: str) -> None:
        """Take away a file that no release needs."""
        self._assert_leased()
        self.storage.delete(path)

    def _assert_leased(self) -> None:
        # A scratch lake, which nobody else knows of, is written without a lease.
        if self._lease is not None:
            self._lease.assert_held()
