"""Releases: the numbered, atomic states of all tables of a lake (design §6).

A release is a small JSON file under `_releases/`, written with put-if-absent as the last act of a
run. What it does not name does not exist: a reader that goes by releases never sees half a run.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from aisle.errors import LeaseLost
from aisle.lake.storage import Storage

FOLDER = "_releases"


@dataclass(frozen=True)
class Release:
    """One release.

    `tables` maps a table's name to its Delta version; `made_at` is ISO 8601 in UTC; `run` is what
    the run says of itself: drops consumed, counts, seconds, versions of the software.
    """

    number: int
    tables: dict[str, int]
    made_at: str
    star: str
    run: dict[str, Any] = field(default_factory=dict)


class Releases:
    """The releases of a lake."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage

    def numbers(self) -> list[int]:
        return [int(n.removesuffix(".json")) for n in self.storage.names(FOLDER) if n.endswith(".json") and not n.startswith(".")]

    def newest(self) -> Release | None:
        numbers = self.numbers()
        return self.get(max(numbers)) if numbers else None

    def get(self, number: int) -> Release | None:
        data = self.storage.get(_path(number))
        return None if data is None else Release(**json.loads(data))

    def publish(self, release: Release) -> None:
        """Make a release visible.

        Raises:
            LeaseLost: another writer has published this number meanwhile.
        """
        if not self.storage.put_if_absent(_path(release.number), json.dumps(asdict(release), indent=1).encode()):
            raise LeaseLost(
                f"Release {release.number} was published by another writer while this run worked; "
                "nothing of this run is visible. Run again."
            )


def _path(number: int) -> str:
    return f"{FOLDER}/{number:08d}.json"
