"""The star as a picture: one SVG, drawn from the declaration alone.

It has no script and refers to nothing outside itself. Its colours are those that its page sets as `--aisle-paper`,
`--aisle-ink` and so on (`svg.py` names them); else they follow the reader's light or dark.
"""

from __future__ import annotations

from xml.etree import ElementTree as ET

from aisle.declare.star import Star
from aisle.derive.diagram.card import BOLD, HEAD, LINE, NAME_SIZE, PAD, PERSONAL, ROW, SMALL, TITLE_SIZE, Box, Row
from aisle.derive.diagram.placing import MARGIN, STUB, Placed, Wire, placed
from aisle.derive.diagram.svg import cut, element, style, width

_ROOT = "aisle-diagram"
_STAR_SIZE, _CORNER = 21.0, 7.0


def diagram(star: Star) -> str:
    """The star as a standalone SVG: facts among their dimensions, a line for each lookup.

    A card shows a table's columns with their roles; what has no room ends with … and stands in full in a title, which
    browsers show beside the pointer. Every text of the declaration is text in it, never markup.
    """
    at = placed(star)
    root = ET.Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "class": _ROOT,
            "role": "img",
            "viewBox": f"0 0 {at.width:.6g} {at.height:.6g}",
            "width": f"{at.width:.6g}",
            "height": f"{at.height:.6g}",
        },
    )
    element(root, "title", f"The star {star.name}")
    element(root, "desc", _described(star))
    element(root, "style", style(_ROOT))
    element(root, "rect", class_="paper", width=at.width, height=at.height, rx=10)
    _heading(root, star, at)
    for box in at.boxes:
        _box(root, box)
    for wire in at.wires:  # over the cards, so that their ends are seen
        _wire(root, wire)
    return ET.tostring(root, encoding="unicode")


def _described(star: Star) -> str:
    """What the picture shows, for those who do not see it."""
    said = [
        f"{f.table}, one row for each ({', '.join(f.grain)}), looks up "
        + (", ".join(f"{x.dimension.table} as {x.name}" for x in f.lookups) or "nothing")
        for f in star.facts
    ]
    return ". ".join(said or [", ".join(t.table for t in star.tables)]) + "."


def _heading(root: ET.Element, star: Star, at: Placed) -> None:
    counts = ((star.facts, "fact"), (star.dimensions, "dimension"), (star.calendars, "calendar"))
    said = [f"{len(those)} {noun}{'s' if len(those) > 1 else ''}" for those, noun in counts if those]
    room = at.width - 2 * MARGIN
    element(
        root,
        "text",
        cut(star.name, room / BOLD, _STAR_SIZE),
        class_="star",
        x=MARGIN,
        y=37.0,
        font_size=_STAR_SIZE,
        font_weight=650,
    )
    days = [f"days of {star.time_zone}"] if star.calendars else []
    element(root, "text", cut(" · ".join(said + days), room, SMALL), class_="said", x=MARGIN, y=56.0, font_size=SMALL)


def _wire(root: ET.Element, wire: Wire) -> None:
    (x, y), (to, at) = wire.start, wire.end
    leaves, arrives = x + STUB * wire.side, to - wire.lead * wire.side
    middle = (leaves + arrives) / 2
    path = f"M{x:.6g} {y:.6g}H{leaves:.6g}C{middle:.6g} {y:.6g} {middle:.6g} {at:.6g} {arrives:.6g} {at:.6g}H{to:.6g}"
    group = element(root, "g", class_="lookup", data_lookup=f"{wire.fact}.{wire.lookup.name}")
    element(group, "title", f"{wire.fact}.{wire.lookup.column} → {wire.lookup.dimension.table}")
    element(group, "path", class_="wire", d=path, fill="none", stroke_width=1.4)
    element(group, "circle", class_="end", cx=x, cy=y, r=3)
    element(group, "circle", class_="end", cx=to, cy=at, r=3)
    if wire.label:
        anchor = "start" if wire.side < 0 else "end"
        place = {"x": to - STUB * wire.side, "y": at - 4, "text_anchor": anchor, "font_size": SMALL}
        element(group, "text", wire.label, class_="label", **place)


def _box(root: ET.Element, box: Box) -> None:
    card, x, y, wide = box.card, box.x, box.y, box.width
    group = element(root, "g", data_table=card.table)
    element(group, "title", card.says)
    element(group, "rect", class_="card", x=x, y=y, width=wide, height=box.height, rx=_CORNER)
    element(group, "path", class_=f"head-{card.kind}", d=_round_above(x, y, wide))
    kind_width = width(card.kind, SMALL)
    title = cut(card.table, (wide - 2 * PAD - kind_width - 10) / BOLD, TITLE_SIZE)
    middle = y + HEAD / 2
    element(group, "text", title, class_="table", x=x + PAD, y=middle + 4.8, font_size=TITLE_SIZE, font_weight=650)
    element(group, "text", card.kind, class_="kind", x=x + wide - PAD, y=middle + 4, font_size=SMALL, text_anchor="end")
    for i, line in enumerate(box.lines):
        element(group, "text", line, class_="doc", x=x + PAD, y=y + HEAD + 17 + LINE * i, font_size=SMALL)
    for at in box.breaks:
        element(group, "path", class_="rule", d=f"M{x:.6g} {y + at:.6g}h{wide:.6g}")
    for row, at in zip(card.rows, box.middles, strict=True):
        _row(group, row, x, y + at, wide)
    if card.hidden:
        more = element(group, "g")
        element(more, "title", ", ".join(card.hidden))
        at = y + box.middles[-1] + ROW
        element(more, "text", f"… {len(card.hidden)} more", class_="more", x=x + PAD, y=at + 4, font_size=SMALL)


def _round_above(x: float, y: float, wide: float) -> str:
    """The path of a card's head."""
    r, up, down = f"{_CORNER:g}", f"{y + _CORNER:.6g}", f"{y + HEAD:.6g}"
    return f"M{x:.6g} {down}V{up}a{r} {r} 0 0 1 {r} -{r}h{wide - 2 * _CORNER:.6g}a{r} {r} 0 0 1 {r} {r}V{down}Z"


def _row(group: ET.Element, row: Row, x: float, middle: float, wide: float) -> None:
    line = element(group, "g", data_column=row.name)
    element(line, "title", row.says)
    end = x + wide - PAD
    name = cut(row.name, wide - 2 * PAD - row.beside_name, NAME_SIZE, mono=True)
    weight = {"font_weight": 700} if row.names_the_row else {}
    element(line, "text", name, class_="name", x=x + PAD, y=middle + 4.3, font_size=NAME_SIZE, **weight)
    if row.mark:
        element(line, "text", row.mark, class_="mark", x=end, y=middle + 4, font_size=SMALL, text_anchor="end")
        end -= row.mark_width + 6
    if row.personal:
        pill = {"x": end - row.pill_width, "y": middle - 7, "width": row.pill_width, "height": 14.5, "rx": 4}
        element(line, "rect", class_="pill", fill="none", **pill)
        element(
            line,
            "text",
            PERSONAL,
            class_="personal",
            x=end - row.pill_width / 2,
            y=middle + 3.6,
            font_size=SMALL,
            text_anchor="middle",
        )


__all__ = ["diagram"]
