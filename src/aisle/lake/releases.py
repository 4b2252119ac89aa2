"""Releases: the numbered, atomic states of all tables of a lake (design §6).

A release is a small JSON file under `_releases/`, written with put-if-absent as the last act of a
run. What it does not name does not exist: a reader that goes by releases never sees half a run.

The chain of numbers is the fence, too: whoever takes the lease of another writer uses up the number
that the other would publish, with a void release. Void ones are passed over by all readers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from aisle.declare.description import Description
from aisle.errors import LeaseLost, NewerFormat, NothingDelivered
from aisle.lake.storage import Storage
from aisle.words import count, n

FOLDER = "_releases"
FORMAT = 1
"""Of a release's file. It grows when a reader of the former one would misunderstand the new one."""


@dataclass(frozen=True)
class Release:
    """One release.

    `tables` maps a table's name to its Delta version; `made_at` is ISO 8601 in UTC; `star` and
    `declared` are the fingerprint and the description of the declaration that made it; `run` is what
    the run says of itself: drops consumed, counts, seconds, versions of the software. `restores` is
    the number of the former release whose content this one has, if it undoes others.
    """

    number: int
    tables: dict[str, int]
    made_at: str
    star: str
    declared: Description = field(default_factory=dict)
    run: dict[str, Any] = field(default_factory=dict)
    restores: int | None = None

    @property
    def changes(self) -> dict[str, tuple[int, int]]:
        """How many rows came into each table and went."""
        return {name: (c["added"], c["removed"]) for name, c in self.run.get("tables", {}).items()}

    @property
    def origin(self) -> str:
        """What it came from, in words."""
        if self.restores is not None:
            return f"undo: as release {self.restores}"
        if "replays" in self.run:
            return f"replay: {', '.join(self.run['replays'])}"
        if "compacts" in self.run:
            tables = self.run["compacts"]["tables"].values()
            return f"compact: {count(sum(t['files'] for t in tables), 'file')} became {n(sum(t['into'] for t in tables))}"
        if "forgets" in self.run:
            return f"forget: a key of {self.run['forgets']['source']}"
        if "replaces" in self.run:
            return f"replaced: {', '.join(self.run['replaces'])}"
        sources, declared = self.run.get("sources", {}).values(), self.run.get("declared", ())
        if declared and not sum(s["records"] for s in sources):
            return f"a declaration with {count(len(declared), 'change')}"
        if not sources:
            return "drops delivered again, or held"
        return f"{count(sum(s['drops'] for s in sources), 'drop')}, {count(sum(s['records'] for s in sources), 'row')}"


class Releases:
    """The releases of a lake."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage

    def newest(self) -> Release | None:
        return next(self.backwards(), None)

    def standing(self) -> Release:
        """The newest release.

        Raises:
            NothingDelivered: there is none yet.
        """
        if (newest := self.newest()) is None:
            raise NothingDelivered(f"The lake {self.storage} has no release yet. Make one with `aisle run`.")
        return newest

    def backwards(self) -> Iterator[Release]:
        """All releases, the newest first."""
        for number in sorted(self._numbers(), reverse=True):
            if (release := self.get(number)) is not None:
                yield release

    def get(self, number: int) -> Release | None:
        """A release; None if there is none of this number, or a void one.

        Raises:
            NewerFormat: another version of aisle made it, in a format that this one does not know.
        """
        if (data := self.storage.get(_path(number))) is None:
            return None
        content = json.loads(data)
        if (found := content.pop("format", None)) != FORMAT:
            by = content.get("run", {}).get("aisle", "another version")
            raise NewerFormat(
                f"Release {number} of the lake {self.storage} is of format {found}, and this version of aisle knows format {FORMAT} alone.\n"
                f"  It was made by aisle {by}: use that version, or a newer one."
            )
        return None if "void" in content else Release(**content)

    def next_number(self) -> int:
        return max(self._numbers(), default=0) + 1

    def publish(self, release: Release) -> None:
        """Make a release visible.

        Raises:
            LeaseLost: another writer has used this number meanwhile.
        """
        if not self._put(release.number, asdict(release)):
            raise LeaseLost(
                f"Another writer took over while this run worked, and release {release.number} is no longer free for it; "
                "nothing of this run is visible. Run again."
            )

    def forget(self, number: int) -> None:
        """Take a release away for good. Never the newest, from which the next takes its number; and never a void one, which is the fence."""
        self.storage.delete(_path(number))

    def void(self, why: str) -> None:
        """Use up the next number, so that a writer who had it in mind cannot publish. If it is taken, that writer was faster."""
        self._put(number := self.next_number(), {"number": number, "void": why})

    def _numbers(self) -> list[int]:
        return [int(n.removesuffix(".json")) for n in self.storage.names(FOLDER) if n.endswith(".json") and not n.startswith(".")]

    def _put(self, number: int, content: dict[str, Any]) -> bool:
        return self.storage.put_if_absent(_path(number), json.dumps({"format": FORMAT, **content}, indent=1).encode())


def _path(number: int) -> str:
    return f"{FOLDER}/{number:08d}.json"
