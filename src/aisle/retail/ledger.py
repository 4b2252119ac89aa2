"""What was delivered and what a correct pipeline accepts of it: all that the truth is computed from."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from aisle.retail.feeds import Feed
from aisle.retail.mess import Consignment
from aisle.retail.rows import Rows

_REFERENCES = {"orders": "customer_id", "order_items": "product_id"}


@dataclass(frozen=True)
class Delivery:
    """One drop in the landing.

    `accepted` are the good rows, exact copies included, with their physical line; those of facts rest in a file.
    `references` are the natural keys of a dimension that the good rows name.
    """

    source: str
    drop: str
    rows: int
    quarantined: tuple[tuple[int, str], ...]
    accepted_rows: int
    accepted: Rows | Path
    references: np.ndarray
    resent: bool = False

    def load(self) -> Rows:
        if isinstance(self.accepted, Rows):
            return self.accepted
        with np.load(self.accepted) as stored:
            return Rows(dict(stored))


class Ledger:
    """The deliveries so far. What would fill the memory is kept in `workshop`."""

    def __init__(self, workshop: Path) -> None:
        self._workshop = workshop
        self._deliveries: list[Delivery] = []

    def enter(self, feed: Feed, drop: str, load: Consignment) -> Delivery:
        """Record a drop."""
        first = 2 if feed.format == "csv" else 1
        lines = np.arange(len(load.rows)) + first
        accepted = load.accepted
        rows = load.rows.take(accepted)
        rows.columns["line"], rows.columns["copied"] = lines[accepted], load.copied[accepted]
        references = np.unique(rows[_REFERENCES[feed.name]]) if feed.name in _REFERENCES else np.zeros(0, dtype=np.int64)
        stored: Rows | Path = rows
        if feed.name in _REFERENCES:
            stored = self._workshop / f"{drop}.npz"
            np.savez(stored, allow_pickle=False, **rows.columns)
        broken = load.quarantined
        delivery = Delivery(
            source=feed.name,
            drop=drop,
            rows=len(load.rows),
            quarantined=tuple(zip(lines[broken].tolist(), load.kind[broken].tolist(), strict=True)),
            accepted_rows=len(rows),
            accepted=stored,
            references=references,
        )
        self._deliveries.append(delivery)
        return delivery

    def enter_again(self, delivery: Delivery, drop: str) -> None:
        """Record that a drop was delivered once more, under another name."""
        self._deliveries.append(replace(delivery, drop=drop, resent=True))

    def arrivals(self, source: str) -> list[Delivery]:
        """The deliveries of a source in the order of arrival, which is that of their names."""
        return sorted((d for d in self._deliveries if d.source == source), key=lambda delivery: delivery.drop)

    def rows(self) -> dict[str, int]:
        """Rows delivered, by source."""
        counted: Counter[str] = Counter()
        for delivery in self._deliveries:
            counted[delivery.source] += delivery.rows
        return dict(counted)
