"""Where the cards of a star stand, and the lines between them: facts in the middle, their dimensions left and right.

Lines run in the two gaps alone, so that none passes under a card. Those of one fact do not cross: its lookups, and the
dimensions on each side, stand in one order, and all curves of a gap have one shape. A dimension of several facts
stands once; between lines of different facts some crossings are then inevitable.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product
from statistics import fmean

from aisle.declare.calendar import CalendarSpec
from aisle.declare.dimension import DimensionSpec
from aisle.declare.fact import LookupSpec
from aisle.declare.star import Star
from aisle.derive.diagram.card import HEAD, PORTS, SMALL, Box, Card, box, card
from aisle.derive.diagram.svg import cut, width

MARGIN, TOP, BETWEEN, CURVE, STUB = 24.0, 78.0, 24.0, 88.0, 8.0
_LONGEST_LABEL, _FURTHER = 130.0, 40.0
_OF_A_CROSSING = 200.0
"""For one crossing less, a side may be so much higher than the other."""


@dataclass(frozen=True)
class Wire:
    """The line of a lookup: from the fact's row to the dimension's card.

    `side` is -1 to the left, 1 to the right; `lead` how long it runs straight before the card, under its label.
    """

    fact: str
    lookup: LookupSpec
    start: tuple[float, float]
    end: tuple[float, float]
    side: int
    lead: float
    label: str


@dataclass(frozen=True)
class Placed:
    """All cards and lines of a star, and how much room they take."""

    boxes: tuple[Box, ...]
    wires: tuple[Wire, ...]
    width: float
    height: float


def placed(star: Star) -> Placed:
    """Place the cards of a star."""
    order = _order(star)
    facts = _equally_wide([(card(f, order), 0) for f in star.facts])
    around = _equally_wide([(card(d), len(star.referencing(d))) for d in order])
    left, right = _sides(around, _crossings(star, order))
    sides = {b.card.table: side for side, those in ((-1, left), (1, right)) for b in those}
    leads = {
        s: max((_lead(x) for f in star.facts for x in f.lookups if sides[x.dimension.table] == s), default=0) for s in (-1, 1)
    }

    height = max(map(_stacked, (left, facts, right)))
    # Without facts, or without dimensions on a side, no room is taken for them.
    x, boxes = MARGIN, list[Box]()
    for those, gap in ((left, CURVE + leads[-1]), (facts, CURVE + leads[1]), (right, 0.0)):
        boxes += _column(those, x, height)
        x += max((b.width + gap for b in those), default=0)
    end = max((b.x + b.width for b in boxes), default=MARGIN)
    return Placed(tuple(boxes), _wires(star, boxes, sides, leads), end + MARGIN, TOP + height + MARGIN)


def _order(star: Star) -> list[DimensionSpec | CalendarSpec]:
    """The dimensions as the facts, from top to bottom, first look them up: at the mean of their places there."""

    def place(dimension: DimensionSpec | CalendarSpec) -> float:
        first: dict[int, float] = {}
        for fact, i in star.referencing(dimension):
            first.setdefault(star.facts.index(fact), i / len(fact.lookups))
        return fmean(fact + i for fact, i in first.items()) if first else math.inf

    return sorted((*star.dimensions, *star.calendars), key=place)


def _equally_wide(cards: Sequence[tuple[Card, int]]) -> list[Box]:
    wide = max((c.width for c, _ in cards), default=0)
    return [box(c, wide, ports) for c, ports in cards]


def _crossings(star: Star, order: Sequence[DimensionSpec | CalendarSpec]) -> Counter[tuple[str, str]]:
    """How many lines of two dimensions, the first above the second, cross if both stand on one side.

    They do where an upper fact looks up the lower dimension, and a lower fact the upper one.
    """
    found: Counter[tuple[str, str]] = Counter()
    for upper, lower in combinations(star.facts, 2):
        for x, y in product(lower.lookups, upper.lookups):
            if order.index(x.dimension) < order.index(y.dimension):
                found[x.dimension.table, y.dimension.table] += 1
    return found


def _sides(boxes: Sequence[Box], crossings: Counter[tuple[str, str]]) -> tuple[list[Box], list[Box]]:
    """Left and right, about equally high, and with few crossings."""
    left, right = list[Box](), list[Box]()

    def cost(side: Sequence[Box], added: Box) -> float:
        return _stacked(side) + _OF_A_CROSSING * sum(crossings[b.card.table, added.card.table] for b in side)

    for b in boxes:
        (left if cost(left, b) <= cost(right, b) else right).append(b)
    return left, right


def _stacked(boxes: Sequence[Box]) -> float:
    return sum(b.height for b in boxes) + BETWEEN * max(0, len(boxes) - 1)


def _column(boxes: Sequence[Box], x: float, height: float) -> list[Box]:
    """Cards below each other, in the middle of the height, and somewhat apart where there is room."""
    apart = BETWEEN + min((height - _stacked(boxes)) / (len(boxes) + 1), _FURTHER)
    y = TOP + (height - sum(b.height for b in boxes) - apart * (len(boxes) - 1)) / 2
    out = []
    for b in boxes:
        out.append(replace(b, x=x, y=y))
        y += b.height + apart
    return out


def _label(lookup: LookupSpec) -> str:
    """The role, where it is not the dimension's noun."""
    return "" if lookup.name == lookup.dimension.name else cut(lookup.name, _LONGEST_LABEL, SMALL, mono=True)


def _lead(lookup: LookupSpec) -> float:
    label = _label(lookup)
    return width(label, SMALL, mono=True) + 2 * STUB if label else STUB


def _wires(star: Star, boxes: Sequence[Box], sides: dict[str, int], leads: dict[int, float]) -> tuple[Wire, ...]:
    by_table = {b.card.table: b for b in boxes}
    rows = [
        (fact.table, row.lookup, here.y + middle)
        for fact in star.facts
        for here in (by_table[fact.table],)
        for row, middle in zip(here.card.rows, here.middles, strict=True)
        if row.lookup is not None
    ]
    ended = dict.fromkeys(by_table, 0)
    out = []
    # From top to bottom, so that the lines which end at one card do not cross either.
    for fact, lookup, y in rows:
        there, here = by_table[lookup.dimension.table], by_table[fact]
        side = sides[there.card.table]
        end = (there.x + (there.width if side < 0 else 0), there.y + HEAD / 2 + PORTS * ended[there.card.table])
        ended[there.card.table] += 1
        start = (here.x + (here.width if side > 0 else 0), y)
        out.append(Wire(fact, lookup, start, end, side, leads[side], _label(lookup)))
    return tuple(out)


__all__ = ["MARGIN", "STUB", "Placed", "Wire", "placed"]
