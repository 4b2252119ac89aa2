"""What is forgotten: keys whose personal values are erased, now and whenever they come again (docs/decisions/021).

It lies beside the drops, outside of releases: an undo does not take it back. A forgetting is first an intention and, when all
is erased, has a receipt. A file of bronze that was rewritten has a note, which says what of it reading would not tell any more.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from aisle.lake.storage import Storage

FOLDER = "_forgotten"
_NOTES = f"{FOLDER}/erased"


@dataclass(frozen=True)
class Forgetting:
    """A key of a source, by column, each value as text."""

    number: int
    source: str
    key: Mapping[str, str]
    asked_at: str


@dataclass(frozen=True)
class Note:
    """Of a delivered file that was rewritten.

    Attributes:
        forms: the digests of what it was and is, the newest last.
        rows: of the rows whose personal values are erased, by line, the reasons for which they broke the contract as they were.
        malformed: of records that were emptied, by line, what was wrong with them.
        refused: of a file that was emptied, why nothing of it could be read.
    """

    forms: tuple[str, ...]
    rows: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    malformed: Mapping[int, str] = field(default_factory=dict)
    refused: str | None = None


class Forgotten:
    """The forgettings of a lake, and the notes of the files that they rewrote."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._known: list[Forgetting] | None = None
        self._finished: set[int] = set()
        self._noted: set[str] | None = None

    @property
    def every(self) -> list[Forgetting]:
        """All, in the order of asking."""
        if self._known is None:
            names = self._storage.names(FOLDER)
            self._finished = {int(n.partition(".")[0]) for n in names if n.endswith(".receipt.json") and not n.startswith(".")}
            asked = [n for n in names if n.removesuffix(".json").isdigit()]
            self._known = [Forgetting(**json.loads(self._storage.get(f"{FOLDER}/{n}") or b"")) for n in asked]
        return self._known

    @property
    def pending(self) -> list[Forgetting]:
        """Those that were not finished: what made them was killed."""
        return [f for f in self.every if f.number not in self._finished]

    def of(self, source: str) -> list[Forgetting]:
        """Those of a source."""
        return [f for f in self.every if f.source == source]

    def intend(self, source: str, key: Mapping[str, str]) -> Forgetting:
        """Write down that a key is to be forgotten. From now on what comes of it is erased."""
        number = max((f.number for f in self.every), default=0) + 1
        made = Forgetting(number, source, dict(key), datetime.now(UTC).isoformat(timespec="seconds"))
        self._storage.put_if_absent(_path(number), json.dumps(asdict(made), indent=1, ensure_ascii=False).encode())
        self._known = [*self.every, made]
        return made

    def finish(self, one: Forgetting, receipt: Mapping[str, Any]) -> None:
        """Write down what was done: nothing of it is left to do."""
        data = json.dumps({"number": one.number, "source": one.source, **receipt}, indent=1, ensure_ascii=False).encode()
        self._storage.put_if_absent(_path(one.number, ".receipt"), data)
        self._finished.add(one.number)

    def receipt(self, one: Forgetting) -> dict[str, Any]:
        """What was done; empty, if it is not finished."""
        return dict(json.loads(self._storage.get(_path(one.number, ".receipt")) or b"{}"))

    def since(self, release: int) -> set[str]:
        """The sources of which something was forgotten since a release was made: what its files hold is less than it was."""
        return {f.source for f in self.every if f.number not in self._finished or self.receipt(f)["release"] > release}

    def note(self, path: str) -> Note | None:
        """Of a file of bronze; None if it is as it was delivered."""
        if self._noted is None:
            self._noted = {e.path for e in self._storage.entries(_NOTES)} if self.every else set()
        if f"{_NOTES}/{path}.json" not in self._noted:
            return None
        said = json.loads(self._storage.get(f"{_NOTES}/{path}.json") or b"")
        rows = {int(line): tuple(reasons) for line, reasons in said["rows"].items()}
        return Note(tuple(said["forms"]), rows, {int(n): why for n, why in said["malformed"].items()}, said["refused"])

    def write(self, path: str, note: Note) -> None:
        """Keep a note of a file of bronze: before the file is rewritten, as either of both can be read by it."""
        self.note(path)
        self._storage.put(f"{_NOTES}/{path}.json", json.dumps(asdict(note), ensure_ascii=False).encode())
        assert self._noted is not None
        self._noted.add(f"{_NOTES}/{path}.json")


def _path(number: int, kind: str = "") -> str:
    return f"{FOLDER}/{number:08d}{kind}.json"
