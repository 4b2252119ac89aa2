"""What a run says of itself: while it works, and in one glance at its end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

from aisle.engines.port import Change
from aisle.lake.drops import Drop

T = TypeVar("T")


class Progress:
    """Reports how far a step has come to a callable (step, done, total)."""

    def __init__(self, report: Callable[[str, int, int], None] | None = None) -> None:
        self.report = report or (lambda *_: None)

    def over(self, step: str, items: Iterable[T], total: int | None = None) -> Iterator[T]:
        """The items, reported one by one as they are done. `total` is how many there are, if they come one by one."""
        if total is None:
            items = list(items)
            total = len(items)
        done = 0
        if total:
            self.report(step, done, total)
        for done, item in enumerate(items, 1):
            yield item
            self.report(step, done, total)


quiet = Progress()


@dataclass(frozen=True)
class SourceSummary:
    """What a run took of a source, in rows.

    `displaced` are rows of earlier drops that stand no longer, since one that comes before them in
    the order of arrival was delivered late. `refused` and `held` are whole drops with the reason.
    """

    drops: int
    records: int
    events: int
    duplicates: int
    quarantined: int
    reasons: dict[str, int]
    refused: dict[str, str]
    held: dict[str, str]
    unknown_columns: dict[str, str]
    displaced: int = 0

    @classmethod
    def of(cls, drops: Sequence[Drop], reasons: Counter[str], displaced: int = 0) -> SourceSummary:
        return cls(
            drops=sum(d.status == "consumed" for d in drops),
            records=sum(d.records for d in drops),
            events=sum(d.events for d in drops),
            duplicates=sum(d.duplicates for d in drops),
            quarantined=sum(d.quarantined for d in drops),
            reasons=dict(reasons.most_common()),
            refused={d.drop: d.reason or "" for d in drops if d.status == "refused"},
            held={d.drop: d.reason or "" for d in drops if d.status == "held"},
            unknown_columns={d.drop: d.unknown_columns for d in drops if d.unknown_columns},
            displaced=displaced,
        )


@dataclass(frozen=True)
class Summary:
    """A run in numbers. `release` is the newest release after it; `tables` what changed in each, in rows;
    `waiting` the lines, by fact, that this run looked at and whose header is not here; `inferred` the
    members, by dimension, that are known only because a fact names them; `strays` the files of the
    landing, by folder, that belong to no source; `declared` what the declaration says otherwise than
    that of the release before; `requests` how often stores were asked, by operation (those that
    deltalake makes are not counted).
    """

    release: int | None
    sources: Mapping[str, SourceSummary] = field(default_factory=dict)
    tables: Mapping[str, Change] = field(default_factory=dict)
    waiting: Mapping[str, int] = field(default_factory=dict)
    inferred: Mapping[str, int] = field(default_factory=dict)
    strays: Mapping[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    requests: Mapping[str, int] = field(default_factory=dict)
    declared: tuple[str, ...] = ()

    def total(self, what: str) -> int:
        return sum(getattr(s, what) for s in self.sources.values())

    def record(self) -> dict[str, Any]:
        """As the release keeps it."""
        return {
            "seconds": round(self.seconds, 2),
            "sources": {name: asdict(s) for name, s in self.sources.items()},
            "tables": {name: asdict(c) for name, c in self.tables.items()},
            "waiting": dict(self.waiting),
            "inferred": dict(self.inferred),
            "strays": dict(self.strays),
            "declared": list(self.declared),
        }
