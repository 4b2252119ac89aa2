"""What goes wrong on the way from the shop to the landing, decided without touching a file."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from aisle.retail.feeds import FEEDS, Feed
from aisle.retail.rows import Rows

FINE, CONFLICT, SPELLING = "", "conflict", "spelling"
BROKEN = {
    "customers": (
        *("wrong_type", "impossible_date", "missing_required", "unknown_value", "bad_email"),
        *("broken_utf8", "surplus_field", "missing_field"),
    ),
    "products": ("wrong_type", "impossible_date", "missing_required", "negative_price", "broken_json"),
    "orders": ("missing_required", "unknown_value", "time_out_of_range"),
    "order_items": (
        *("wrong_type", "missing_required", "negative_quantity", "too_many_digits"),
        *("broken_utf8", "surplus_field", "missing_field"),
    ),
}
"""Kinds of rows that no contract accepts: each is a corrupted copy beside its good row, or in its place."""
HARMLESS = {
    "customers": ("duplicate", "later_duplicate", "out_of_order", "late_row", SPELLING),
    "products": ("duplicate", "later_duplicate", "out_of_order", "late_row", SPELLING),
    "orders": ("duplicate", "later_duplicate", "out_of_order", "late_row", SPELLING),
    "order_items": (
        *("duplicate", "later_duplicate", "out_of_order", "late_row", "unknown_product"),
        *(CONFLICT, "later_conflict"),
    ),
}
EFFECTS = {
    "late_drop": ("customers", "products", "orders", "order_items"),
    "resent_drop": ("customers", "products", "orders", "order_items"),
    "surplus_column": ("customers", "products", "orders", "order_items"),
    "missing_column": ("customers",),
    "reordered_columns": ("customers", "orders", "order_items"),
    "byte_order_mark": ("customers", "order_items"),
    "crlf": ("customers", "products", "order_items"),
    "empty_file": ("customers", "products", "order_items"),
    "header_only": ("customers", "orders", "order_items"),
}
"""What can befall a whole drop, and of which sources."""
ABSENT = ("phone", "company", "street")  # columns that a drop of customers may lack: they then read as null
SMALL_PRINT = 200  # rows added to every drop's count, so that small sources see a mess within weeks too
DROPS_PER_ROW = 40  # an effect befalls a drop as often as a row among forty is messed up
FIRST_UNHEARD = 900_001
"""Product numbers from here on were never a product's."""


@dataclass(frozen=True)
class Effects:
    """What befalls one drop. `late` and `resent` are days."""

    late: int = 0
    resent: int | None = None
    surplus_column: bool = False
    missing_column: str | None = None
    reordered_columns: bool = False
    byte_order_mark: bool = False
    crlf: bool = False
    empty_file: bool = False
    header_only: bool = False


@dataclass(frozen=True)
class Consignment:
    """The rows of a drop in their order, and what is the matter with each.

    `kind` is FINE or the name of a mess; `copied` marks rows that are delivered more than once.
    """

    rows: Rows
    kind: np.ndarray
    copied: np.ndarray

    @property
    def accepted(self) -> np.ndarray:
        return np.asarray((self.kind == FINE) | (self.kind == SPELLING))

    @property
    def quarantined(self) -> np.ndarray:
        return np.flatnonzero(~self.accepted)


class Dose:
    """Turns an expectation per day into whole numbers that add up to it: rare, but never never."""

    def __init__(self, phase: float) -> None:
        self._level = phase

    def take(self, expected: float) -> int:
        self._level += expected
        whole = int(self._level)
        self._level -= whole
        return whole


class Mess:
    """All that goes wrong, in step with the shop: `strangers`, `befall` and `consign` once a day and source."""

    def __init__(self, seed: int, share: float) -> None:
        self.counts: Counter[str] = Counter()
        self._seed, self._share = seed, share
        phases = np.random.default_rng([seed, 1_000])
        self._strangers = Dose(phases.random())
        self._rows = {feed.name: Dose(phases.random()) for feed in FEEDS}
        self._drops = {effect: Dose(phases.random()) for effect in EFFECTS}
        self._rounds = {feed.name: np.random.default_rng([seed, 1_001 + n]) for n, feed in enumerate(FEEDS)}
        self._due: dict[str, deque[str]] = {feed.name: deque() for feed in FEEDS}
        self._carried: defaultdict[tuple[str, int], list[Consignment]] = defaultdict(list)

    def strangers(self, orders: float) -> int:
        """How many of the day's orders come from somebody whom the CRM never heard of."""
        count = self._strangers.take(self._share * (orders + SMALL_PRINT) / 8) if self._share else 0
        self.counts["unknown_customer"] += count
        return count

    def befall(self, day: int, rows: dict[str, int]) -> dict[str, Effects]:
        """What befalls the day's drops, given their numbers of rows. The first day, the initial load, is spared."""
        rng = np.random.default_rng([self._seed, day, 10])
        fates = {source: Effects() for source in rows}
        if not self._share or not day:
            return fates
        for effect, dose in self._drops.items():
            able = [source for source in EFFECTS[effect] if rows[source] and self._may(source, day, effect, fates[source])]
            if not able or not dose.take(min(0.5, self._share * DROPS_PER_ROW)):
                continue
            source, days = able[int(rng.integers(len(able)))], int(rng.integers(1, 5))
            befallen: dict[str, dict[str, Any]] = {
                "late_drop": {"late": days},
                "resent_drop": {"resent": days - 1},
                "missing_column": {"missing_column": ABSENT[int(rng.integers(len(ABSENT)))]},
            }
            fates[source] = replace(fates[source], **befallen.get(effect, {effect: True}))
            self.counts[effect] += 1
        return fates

    def _may(self, source: str, day: int, effect: str, fate: Effects) -> bool:
        # An exact copy of a conflicting row: is it a duplicate or a conflict? Nobody needs that question.
        conflicts = any((part.kind == CONFLICT).any() for part in self._carried[source, day])
        return effect != "resent_drop" or not (fate.late or conflicts)

    def consign(self, feed: Feed, day: int, rows: Rows, fate: Effects) -> Consignment:
        """The drop of a source on a day: its rows, and those that earlier days left for today."""
        rng = np.random.default_rng([self._seed, day, 11, *feed.name.encode()])
        count = len(rows)
        place, kind = np.arange(count, dtype=float), np.full(count, FINE, dtype=object)
        copied, kept = np.zeros(count, dtype=bool), np.ones(count, dtype=bool)
        extras: list[tuple[int, float, str, bool]] = []  # position of the good row, place, kind, copied
        for mess, row in self._hits(feed, rows, rng):
            if mess.endswith(CONFLICT) and (fate.late or fate.resent is not None):
                mess = CONFLICT if fate.late else "later_conflict"  # see _may; and the first one must be there
            self.counts[mess] += 1
            anywhere, later = rng.uniform(-1, count), day + int(rng.integers(1, 6))
            if mess == "duplicate":
                copied[row] = True
                extras.append((row, anywhere, FINE, True))
            elif mess == "later_duplicate":
                copied[row] = True
                self._carry(feed, later, rows.take(np.array([row])), FINE, copied=True)
            elif mess == "out_of_order":
                place[row] = anywhere
            elif mess == "late_row":
                kept[row] = False
                self._carry(feed, later, rows.take(np.array([row])), FINE, copied=False)
            elif mess == "unknown_product":
                rows["product_id"][row] = FIRST_UNHEARD + int(rng.integers(40))
            elif mess == CONFLICT:
                extras.append((row, rng.uniform(row, count), CONFLICT, False))
            elif mess == "later_conflict":
                self._carry(feed, later, _contradict(rows.take(np.array([row]))), CONFLICT, copied=False)
            elif mess == SPELLING or rng.random() < 0.5:
                kind[row] = mess  # broken in place of the good row, or only spelt otherwise
            else:
                extras.append((row, row + rng.choice((-0.5, 0.5)), mess, False))
        parts = [Consignment(rows.take(kept), kind[kept], copied[kept]), *self._carried.pop((feed.name, day), [])]
        places = [place[kept], *(rng.uniform(-1, count, len(part.rows)) for part in parts[1:])]
        for row, where, mess, twice in extras:
            extra = rows.take(np.array([row]))
            extra = _contradict(extra) if mess == CONFLICT else extra
            parts.append(Consignment(extra, np.array([mess], dtype=object), np.array([twice])))
            places.append(np.array([where]))
        order = np.argsort(np.concatenate(places), kind="stable")
        every = Rows.join(part.rows for part in parts).take(order)
        if fate.missing_column:
            every.columns[fate.missing_column][:] = None
        kind, copied = (np.concatenate([getattr(part, name) for part in parts])[order] for name in ("kind", "copied"))
        return Consignment(every, kind, copied)

    def _hits(self, feed: Feed, rows: Rows, rng: np.random.Generator) -> list[tuple[str, int]]:
        """Which mess befalls which row, no row twice. Kinds take turns, so that none is missing for long."""
        wanted = self._rows[feed.name].take(self._share * (len(rows) + SMALL_PRINT)) if len(rows) and self._share else 0
        pool = rng.permutation(len(rows))[: 2 * wanted + 20].tolist()
        # A deletion says so little that hardly anything can be wrong with it.
        fragile = {row for row in pool if "op" not in rows.columns or rows["op"][row] != "D"}
        due, hits = self._due[feed.name], []
        for _ in range(wanted):
            if not due:
                kinds = (*BROKEN[feed.name], *HARMLESS[feed.name])
                due.extend(kinds[n] for n in self._rounds[feed.name].permutation(len(kinds)))
            tough = due[0] in ("duplicate", "later_duplicate", "out_of_order", "late_row")
            row = next((row for row in pool if tough or row in fragile), None)
            if row is None:
                break
            pool.remove(row)
            hits.append((due.popleft(), row))
        return hits

    def _carry(self, feed: Feed, day: int, rows: Rows, kind: str, *, copied: bool) -> None:
        part = Consignment(rows, np.array([kind], dtype=object), np.array([copied]))
        self._carried[feed.name, day].append(part)


def _contradict(line: Rows) -> Rows:
    """The same order line with another quantity."""
    line.columns["quantity"] = line["quantity"] + 1
    return line
