"""The star as a picture: every table once, every lookup a line, nothing over anything else, and all text is text."""

from __future__ import annotations

import re
from datetime import datetime
from functools import cache
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import matplotlib as mpl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ImageFont

import shelf
from aisle import Calendar, Degenerate, Dimension, Fact, Lookup, Money, NaturalKey, Pii, Source, Star, Sum, Track, by
from aisle.derive.diagram import diagram
from aisle.retail.star import star as retail
from any_star import plans
from journey_star import JOURNEY
from stars import _made, declared
from two_stars import CLUB, LOANS

SVG = "{http://www.w3.org/2000/svg}"
FONTS = Path(mpl.get_data_path()) / "fonts" / "ttf"


STARS = {"retail": retail, "journey": JOURNEY, "shelf": shelf.SHOP, "club": declared(CLUB), "loans": declared(LOANS)}
each_star = pytest.mark.parametrize("star", STARS.values(), ids=STARS)


def wide(facts: int, dimensions: int, meets: Any, texts: Any = None) -> Star:
    """A star of so many facts and dimensions, each with a calendar. `meets(fact, dimension)`: in how many roles they meet."""
    said = texts or (lambda what: f"What a {what} is.")
    of = [
        _made(Source, "Rows", {"k": int, "name": Pii[str], "at": datetime}, key="k", changed_at="at", name=f"rows_{i}")
        for i in range(dimensions)
    ]
    dims = [
        _made(
            Dimension,
            "Dim",
            {"k": NaturalKey, "name": Track},
            {"__doc__": said("dimension")},
            source=source,
            name=f"dim_thing_{i}",
        )
        for i, source in enumerate(of)
    ]
    calendar = _made(Calendar, "DimDate", {}, {"__doc__": said("calendar")}, start=2024)
    made = []
    lookup: Any = Lookup
    for f in range(facts):
        lines = _made(
            Source,
            "Lines",
            {"line": int, "k": int, "at": datetime, "amount": Money},
            key="line",
            feed="events",
            name=f"lines_{f}",
        )
        roles = {f"role_{d}_{n}": dims[d] for d in range(dimensions) for n in range(meets(f, d))}
        body = {"line": Degenerate, **{r: lookup[d] for r, d in roles.items()}, "date": lookup[calendar], "amount": Sum[Money]}
        keys = {r: by(lines.k) for r in roles}
        made.append(_made(Fact, "Act", body, {**keys, "__doc__": said("fact")}, source=lines, at=lines.at, name=f"fact_act_{f}"))
    return Star("wide", dimensions=[*dims, calendar], facts=made)


# What is drawn, as a reader of SVG finds it

Rect = tuple[float, float, float, float]


def rect(element: ET.Element) -> Rect:
    x, y, wide, high = (float(element.get(n)) for n in ("x", "y", "width", "height"))
    return x, y, x + wide, y + high


def cards(root: ET.Element) -> list[tuple[str, Rect]]:
    return [(g.get("data-table"), rect(g.find(f"{SVG}rect"))) for g in root.iter(f"{SVG}g") if g.get("data-table")]


def lines(root: ET.Element) -> list[tuple[str, list[tuple[float, float]]]]:
    """Each lookup's line, as points along it."""
    found = []
    for g in root.iter(f"{SVG}g"):
        if g.get("data-lookup"):
            path = g.find(f"{SVG}path").get("d")
            assert re.sub(r"[-\d.]+", "", path).replace(" ", "") == "MHCH"
            x, y, leaves, ax, ay, bx, by_, cx, cy, to = map(float, re.findall(r"[-\d.]+", path))
            points = [(x, y)]
            for i in range(33):
                t = i / 32
                weights = (1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t**2, t**3
                points.append(
                    tuple(sum(w * p for w, p in zip(weights, ps, strict=True)) for ps in ((leaves, ax, bx, cx), (y, ay, by_, cy)))
                )
            found.append((g.get("data-lookup"), [*points, (to, cy)]))
    return found


def assert_tidy(star: Star) -> ET.Element:
    root = ET.fromstring(diagram(star))
    found = cards(root)
    assert sorted(n for n, _ in found) == sorted(t.table for t in star.tables)
    for (_, a), (_, b) in combinations(found, 2):
        assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
    _, _, right, bottom = map(float, root.get("viewBox").split())
    assert all(x >= 0 and y >= 0 and to_x <= right and to_y <= bottom for _, (x, y, to_x, to_y) in found)
    by_name, drawn = dict(found), lines(root)
    assert sorted(n for n, _ in drawn) == sorted(f"{f.table}.{x.name}" for f in star.facts for x in f.lookups)
    ends = {f"{f.table}.{x.name}": (f.table, x.dimension.table) for f in star.facts for x in f.lookups}
    for name, points in drawn:
        for table, (x, y) in zip(ends[name], (points[0], points[-1]), strict=True):
            left, top, right, bottom = by_name[table]
            assert min(abs(x - left), abs(x - right)) < 0.01  # it begins and ends at the edges of its cards
            assert top <= y <= bottom
        for _, (left, top, right, bottom) in found:  # and passes under none
            assert not any(left + 0.01 < x < right - 0.01 and top < y < bottom for x, y in points)
    assert len({points[-1] for _, points in drawn}) == len(drawn)
    return root


def crossings(root: ET.Element) -> int:
    def turn(a, b, c):
        return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])

    def cross(a, b, c, d):
        return turn(a, b, c) * turn(a, b, d) < 0 and turn(c, d, a) * turn(c, d, b) < 0

    return sum(
        cross(*p, *q) for (_, one), (_, other) in combinations(lines(root), 2) for p in pairwise(one) for q in pairwise(other)
    )


@cache
def font(*, mono: bool, bold: bool) -> ImageFont.FreeTypeFont:
    """The widest of the fonts that are asked for."""
    return ImageFont.truetype(FONTS / f"DejaVuSans{'Mono' if mono else ''}{'-Bold' if bold else ''}.ttf", 100)


def room(text: ET.Element) -> tuple[float, float]:
    """From where to where a text reaches, as its font measures it."""
    face = font(mono=text.get("class") in ("name", "label"), bold=text.get("font-weight") is not None)
    long = face.getlength(text.text) * float(text.get("font-size")) / 100
    x = float(text.get("x")) - long * {"end": 1, "middle": 0.5}.get(text.get("text-anchor"), 0)
    return x, x + long


@each_star
def test_each_table_stands_once_and_each_lookup_has_its_line(star: Star) -> None:
    assert_tidy(star)


@pytest.mark.parametrize("dimensions", [1, 4, 8])
@pytest.mark.parametrize("roles", [1, 3])
def test_the_lines_of_one_fact_do_not_cross(dimensions: int, roles: int) -> None:
    assert crossings(assert_tidy(wide(1, dimensions, lambda _, d: 1 + d % roles))) == 0


@given(plans())
@settings(max_examples=25)
def test_of_a_star_at_random_the_lines_do_not_cross_either(plan: Any) -> None:
    assert crossings(assert_tidy(declared(plan))) == 0


@given(st.integers(0, 4), st.integers(0, 8), st.data())
@settings(max_examples=25)
def test_up_to_four_facts_and_eight_dimensions_do_not_overlap(facts: int, dimensions: int, data: st.DataObject) -> None:
    roles = st.lists(st.integers(0, 2), min_size=facts * dimensions, max_size=facts * dimensions)
    meet = data.draw(roles)
    assert_tidy(wide(facts, dimensions, lambda f, d: meet[f * dimensions + d]))


# Text

HOSTILE = (
    "<script>alert(1)</script>",
    "]]></style><![CDATA[ & &amp; -->",
    "\" onload=\"alert(1)' x='",
    "\u202eright to left \u05d0\u05d1 \u0627\u0644\u0639",
    "👩‍👩‍👧‍👦🏳️‍🌈 " * 20,
    "\x00\x08\x1b[31m\uffff",
    "W" * 400,
)
ALLOWED = {"svg", "title", "desc", "style", "rect", "g", "path", "circle", "text"}


@given(st.lists(st.sampled_from(HOSTILE) | st.text(), min_size=3, max_size=3))
def test_docstrings_are_text(texts: list[str]) -> None:
    said = dict(zip(("dimension", "calendar", "fact"), texts, strict=True))
    root = assert_tidy(wide(1, 1, lambda *_: 1, said.__getitem__))
    assert {e.tag.removeprefix(SVG) for e in root.iter()} <= ALLOWED
    assert not [n for e in root.iter() for n in e.attrib if n.startswith("on") or "href" in n]


def test_a_docstring_stands_in_full_in_its_tables_title() -> None:
    root = ET.fromstring(diagram(wide(1, 1, lambda *_: 1, lambda _: HOSTILE[0] * 9)))
    titles = [g.find(f"{SVG}title").text for g in root.iter(f"{SVG}g") if g.get("data-table")]
    assert [t.partition("\n")[0] for t in titles] == [HOSTILE[0] * 9] * 3


def test_names_are_text() -> None:
    bad = '<i a="&">'
    s = _made(Source, "S", {bad: int, "at": datetime}, key=bad, changed_at="at", name=bad)
    d = _made(Dimension, "D", {bad: NaturalKey}, source=s, name=f"dim_{bad}")
    f = _made(Fact, "F", {bad: Degenerate, "who": Lookup[d]}, {"who": by(s.__dict__[bad])}, source=s, at=s.at, name=f"fact_{bad}")
    root = assert_tidy(Star("bad", dimensions=[d], facts=[f]))
    assert bad in [t.text for t in root.iter(f"{SVG}text")]


@pytest.mark.parametrize("star", [*STARS.values(), wide(2, 2, lambda *_: 2, lambda _: "MMMM " + "Ww" * 80)])
def test_no_text_overflows_its_card(star: Star) -> None:
    for g in ET.fromstring(diagram(star)).iter(f"{SVG}g"):
        if g.get("data-table"):
            left, top, right, bottom = rect(g.find(f"{SVG}rect"))
            spans = [(float(t.get("y")), *room(t)) for t in g.iter(f"{SVG}text")]
            assert all(left < a and b < right and top < y < bottom for y, a, b in spans)
            beside = [(one, other) for one, other in combinations(spans, 2) if abs(one[0] - other[0]) < 8]
            assert all(one[2] <= other[1] or other[2] <= one[1] for one, other in beside)


@pytest.mark.parametrize("star", [*STARS.values(), wide(3, 4, lambda *_: 2)])
def test_labels_stand_between_the_cards_and_apart(star: Star) -> None:
    root = ET.fromstring(diagram(star))
    labels = [(float(t.get("y")), *room(t)) for t in root.iter(f"{SVG}text") if t.get("class") == "label"]
    assert len(labels) == sum(x.name != x.dimension.name for f in star.facts for x in f.lookups)
    for _, (left, top, right, bottom) in cards(root):
        assert not any(a < right and left < b and top < y < bottom for y, a, b in labels)
    for one, other in combinations(labels, 2):
        assert one[2] <= other[1] or other[2] <= one[1] or abs(one[0] - other[0]) > 12


def test_cards_say_what_columns_are() -> None:
    root = ET.fromstring(diagram(retail))
    said = {
        g.get("data-table"): [[t.text for t in row.iter(f"{SVG}text")] for row in g.iter(f"{SVG}g") if row.get("data-column")]
        for g in root.iter(f"{SVG}g")
        if g.get("data-table")
    }
    assert said["fact_sales"] == [
        ["order_id", "grain"],
        ["line_number", "grain"],
        ["channel", "degenerate"],
        ["status", "degenerate"],
        ["ordered_at", "time"],
        ["customer_key"],
        ["product_key"],
        ["order_date_key"],
        ["quantity", "additive"],
        ["unit_price", "non-additive"],
        ["discount", "non-additive"],
        ["gross_amount", "additive"],
        ["net_amount", "additive"],
        ["cost_amount", "additive"],
        ["margin_amount", "additive"],
    ]
    assert said["dim_customer"][:7] == [
        ["customer_key", "surrogate key"],
        ["customer_id", "natural key"],
        ["name", "overwrite", "pii"],
        ["email", "overwrite", "pii"],
        ["phone", "overwrite", "pii"],
        ["company", "overwrite"],
        ["segment", "current"],
    ]
    assert len(said["dim_date"]) == 8
    texts = [t.text for t in root.iter(f"{SVG}text")]
    assert "… 14 more" in texts  # of the calendar's 22 columns
    assert [t.text for t in root.iter(f"{SVG}text") if t.get("class") == "label"] == [
        "order_date"
    ]  # customer is dim_customer's noun
