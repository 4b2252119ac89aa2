"""A table's card: what stands on it, and how much room that takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from aisle.declare.calendar import CalendarSpec
from aisle.declare.dimension import DimensionSpec, StarColumn
from aisle.declare.fact import FactSpec, LookupSpec
from aisle.derive.diagram.svg import cut, width, wrapped
from aisle.derive.dialect import Spec
from aisle.derive.says import Kind, column_says, kind, roles, says

HEAD, ROW, LINE, PAD, BREAK, FOOT = 32.0, 20.0, 15.0, 12.0, 9.0, 7.0
TITLE_SIZE, NAME_SIZE, SMALL = 13.5, 12.5, 11.0
PORTS = 18.0
"""Between the ends of two lines at a card: room for a label."""
_MOST = {"dimension": 14, "calendar": 8}
_MOST_OF_FACT = 8
"""Of its degenerate columns, and of its measures."""
_NARROWEST, _WIDEST, _LONGEST_MARK = 190.0, 280.0, 110.0
BOLD = 1.12
"""How much wider a bold text is."""
PERSONAL = "pii"


@dataclass(frozen=True)
class Row:
    """A column on a card: its name, its mark, and what is said of it in full; of a fact's lookup, the lookup."""

    name: str
    mark: str
    says: str
    personal: bool = False
    lookup: LookupSpec | None = None
    opens: bool = False

    @property
    def names_the_row(self) -> bool:
        return self.mark in ("grain", "natural key")

    @property
    def mark_width(self) -> float:
        return width(self.mark, SMALL)

    @property
    def pill_width(self) -> float:
        return width(PERSONAL, SMALL) + 8 if self.personal else 0

    @property
    def beside_name(self) -> float:
        """The room that is taken beside the name."""
        return self.mark_width + self.pill_width + (8 if self.mark else 0) + (6 if self.personal else 0)


@dataclass(frozen=True)
class Card:
    """What stands on a table's card. `hidden` are the columns for which there is no row."""

    table: str
    kind: Kind
    doc: str
    says: str
    rows: tuple[Row, ...]
    hidden: tuple[str, ...]

    @property
    def width(self) -> float:
        """How wide it is, if nothing is to be cut; within limits."""
        head = width(self.table, TITLE_SIZE) * BOLD + width(self.kind, SMALL) + 14
        wanted = max([head, *(width(r.name, NAME_SIZE, mono=True) + r.beside_name for r in self.rows)])
        return min(max(wanted + 2 * PAD, _NARROWEST), _WIDEST)


@dataclass(frozen=True)
class Box:
    """A card of a given width, and where its parts stand, from its top; then where it stands itself.

    `middles` are the middles of its rows, `breaks` the lines between their sections.
    """

    card: Card
    width: float
    lines: tuple[str, ...]
    middles: tuple[float, ...]
    breaks: tuple[float, ...]
    height: float
    x: float = 0
    y: float = 0


def box(card: Card, width: float, ports: int = 0) -> Box:
    """A card, so wide, and high enough for the lines that end at it."""
    lines = wrapped(card.doc, width - 2 * PAD, SMALL, 2)
    top = HEAD + (LINE * len(lines) + 9 if lines else 3)
    middles, breaks = [], []
    for row in card.rows:
        if row.opens:
            breaks.append(top + BREAK / 2)
            top += BREAK
        middles.append(top + ROW / 2)
        top += ROW
    height = top + (ROW if card.hidden else 0) + FOOT
    return Box(card, width, lines, tuple(middles), tuple(breaks), max(height, HEAD + PORTS * ports))


def card(spec: Spec, order: Sequence[DimensionSpec | CalendarSpec] = ()) -> Card:
    """A table's card.

    Args:
        order: of the dimensions; a fact's lookups stand in it, so that the lines from them do not cross.
    """
    match spec:
        case FactSpec():
            rows, hidden = _of_fact(spec, order)
        case _:
            every = [_row(spec, c) for c in spec.columns]
            shown = [r for r in every if r.mark != "housekeeping"]
            rows = _most(shown, _MOST[kind(spec)])
            hidden = [r.name for r in every if r not in rows]
    doc = spec.doc.split("\n\n", maxsplit=1)[0]
    return Card(spec.table, kind(spec), doc, says(spec), tuple(rows), tuple(hidden))


def _of_fact(fact: FactSpec, order: Sequence[DimensionSpec | CalendarSpec]) -> tuple[list[Row], list[str]]:
    """Its grain, its other degenerate columns, its lookups (all: each has a line), its measures; and what is hidden."""
    columns = {c.name: c for c in fact.columns}
    degenerates = sorted((d.name for d in fact.degenerates), key=lambda n: n not in fact.grain)
    looked_up = sorted(fact.lookups, key=lambda x: order.index(x.dimension))
    sections = [
        _most([_row(fact, columns[n]) for n in degenerates], _MOST_OF_FACT),
        [_row(fact, columns[x.column], x) for x in looked_up],
        _most([_row(fact, columns[m.name]) for m in fact.measures], _MOST_OF_FACT),
    ]
    rows: list[Row] = []
    for section in sections:
        for i, row in enumerate(section):
            rows.append(row if i or not rows else replace(row, opens=True))
    return rows, [n for n in columns if n not in {r.name for r in rows}]


def _row(spec: Spec, column: StarColumn, lookup: LookupSpec | None = None) -> Row:
    mark = roles(spec)[column.name]
    if isinstance(spec, CalendarSpec) and mark == "attribute":
        mark = ""
    if lookup is not None and isinstance(spec, FactSpec):
        mark = "" if lookup.at == spec.at else f"at {lookup.at}"
    personal = " Personal data." if column.personal else ""
    mark = cut(mark, _LONGEST_MARK, SMALL)
    return Row(column.name, mark, f"{column.name}: {column.type}. {column_says(spec, column)}{personal}", column.personal, lookup)


def _most(rows: list[Row], most: int) -> list[Row]:
    """The first of them. One more is shown: "1 more" would take its place."""
    return rows if len(rows) <= most + 1 else rows[:most]


__all__ = [
    "BOLD",
    "HEAD",
    "LINE",
    "NAME_SIZE",
    "PAD",
    "PERSONAL",
    "PORTS",
    "ROW",
    "SMALL",
    "TITLE_SIZE",
    "Box",
    "Card",
    "Row",
    "box",
    "card",
]
