"""Stars at random: small, with few values, and with every way that a source may speak."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from stars import Column, Dim, Happening, Measure, Plan, Role, Table

DAY = datetime(2024, 12, 20)
INSTANTS = tuple(DAY + timedelta(days=5 * d) for d in range(6))
CHANGES = (*INSTANTS, INSTANTS[2] + timedelta(microseconds=1))
HAPPENED = (*CHANGES, INSTANTS[1] - timedelta(microseconds=1), datetime(2023, 12, 31, 20))

TEXTS = ("a", "b", "a|b", "b|a", "|", "ä", "a\u0308", "1", "01", "A", "'\"", "null", "\\", "a,b")
NUMBERS = (0, 1, -1, 12, 2**53, 2**53 + 1, -(2**63))
DATES = (date(2025, 1, 1), date(2024, 2, 29), date(1, 1, 1), date(9999, 12, 31))
AMOUNTS = tuple(map(Decimal, ("1.10", "-2.25", "5.00", "0.01", "-0.05")))
POOLS: dict[str, tuple[Any, ...]] = {
    "int": NUMBERS,
    "text": TEXTS,
    "date": DATES,
    "time": CHANGES,
    "money": AMOUNTS,
    "flag": (True, False),
}
# Names that SQL, Ibis and Python use for themselves.
WORDS = (
    "order",
    "group",
    "count",
    "schema",
    "name",
    "select",
    "größe",
    "index",
    "columns",
    "type",
    "value",
    "t",
    "Level",
    "table",
)

FEEDS = ("changes", "changes", "snapshot", "events")


def few(pool: tuple[Any, ...]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(st.sampled_from(pool), min_size=2, max_size=3, unique=True).map(tuple)


@st.composite
def any_column(draw: st.DrawFn, name: str, types: tuple[str, ...], *, required: bool | None = None) -> Column:
    type_ = draw(st.sampled_from(types))
    must = draw(st.sampled_from([False, False, True])) if required is None else required
    return Column(name, type_, draw(few(POOLS[type_])), must)


@st.composite
def any_table(
    draw: st.DrawFn, name: str, key: tuple[Column, ...], others: tuple[Column, ...], *, may_be_partial: bool = True
) -> Table:
    """A source with these columns, speaking in some way; it gets the columns that its way of speaking needs."""
    feed = draw(st.sampled_from(FEEDS))
    time, sequence, deletes, partial = None, None, None, False
    columns = [*key, *others]
    if feed == "changes":
        time = "at"
        columns.append(Column("at", "time", CHANGES, True))
        sequence = draw(st.sampled_from([None, "seq"]))
        if sequence is not None:
            columns.append(Column("seq", "int", (1, 2, 10), draw(st.booleans())))
        deletes = draw(st.sampled_from(["gone", "op", None]))
        partial = may_be_partial and draw(st.booleans())
    elif feed == "snapshot":
        if draw(st.booleans()):
            time = "taken"
            columns.append(Column("taken", "time", INSTANTS[1:5], True))
        deletes = draw(st.sampled_from([None, None, None, "gone", "op"]))
    if deletes == "gone":
        columns.append(Column("gone", "flag", (False, False, False, True), draw(st.booleans())))
    elif deletes == "op":
        columns.append(Column("op", "text", ("U", "U", "I", "D"), draw(st.booleans())))
    return Table(
        name,
        tuple(c.name for c in key),
        tuple(draw(st.permutations(columns))),
        feed,
        time,
        sequence,
        deletes,
        partial,
        draw(st.sampled_from(["jsonl", "csv"])),
        draw(st.sampled_from(["UTC", "UTC", "Asia/Kathmandu"])),
    )


@st.composite
def any_key(draw: st.DrawFn, names: tuple[str, ...]) -> tuple[Column, ...]:
    wanted = names[: draw(st.integers(1, len(names)))]
    return tuple(draw(any_column(n, ("text", "int", "date"), required=True)) for n in wanted)


@st.composite
def any_dims(draw: st.DrawFn) -> tuple[Dim, ...]:
    """One dimension or two, of one source or two."""
    out: list[Dim] = []
    for i in range(draw(st.integers(1, 2))):
        words = draw(st.lists(st.sampled_from(WORDS), max_size=4, unique=True))
        if len(out) > 0 and draw(st.booleans()):
            table = out[0].table
        else:
            key = draw(any_key(("code", "part")))
            attributes = tuple(draw(any_column(w, tuple(POOLS))) for w in words)
            table = draw(any_table(("group", "order")[i], key, attributes))
        behaviours = st.sampled_from(["track", "overwrite", "original", "current"])
        chosen = [c.name for c in table.columns if c.name in WORDS and (not out or draw(st.booleans()))]
        out.append(Dim(("party", "good")[i], table, tuple((c, draw(behaviours)) for c in chosen), draw(st.booleans())))
    return tuple(out)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """A whole star: dimensions, and a fact that looks them up in up to three roles."""
    found = draw(any_dims())
    in_lines: list[Column] = [Column("amount", "money", AMOUNTS), Column("units", "int", (1, 3, -2))]
    in_header: list[Column] = []
    has_header = draw(st.booleans())
    place = st.sampled_from([in_lines, in_header] if has_header else [in_lines])
    draw(place).append(Column("happened", "time", HAPPENED, True))
    roles: list[Role] = [Role("day", None, (), "happened")]
    whole = set()  # which of line and header must not be partial: a key of several columns would come in parts
    for i in range(draw(st.integers(1, 3))):
        d = draw(st.sampled_from(found))
        home = draw(place)
        names = tuple(f"who{i}_{k}" for k in d.table.key)
        if len(names) > 1:
            whole.add(id(home))
        for k, name in zip(d.table.key, names, strict=True):
            own = d.table[k]
            other = draw(st.sampled_from(POOLS[own.type]))
            home.append(Column(name, own.type, tuple(dict.fromkeys((*own.values, other)))))
        at = "happened"
        if draw(st.booleans()):
            at = f"seen{i}"
            draw(place).append(Column(at, "time", HAPPENED))
            if draw(st.booleans()):
                roles.append(Role(f"day{i}", None, (), at))
        roles.append(Role(f"role{i}", d.name, names, at))
    measures = draw(
        st.lists(
            st.sampled_from(
                [
                    Measure("amount", 2, "amount"),
                    Measure("scaled", 2, "amount", "*", Decimal("0.335")),
                    Measure("gross", 2, "units", "*", "amount"),
                    Measure("whole", 0, "amount", "*", Decimal("0.5")),
                    Measure("fine", 3, "amount", "*", Decimal("-0.3335")),
                    Measure("units", 0, "units"),
                ]
            ),
            min_size=1,
            max_size=3,
            unique=True,
        )
    )
    if any(m.name == "scaled" for m in measures):
        measures.append(Measure("rest", 2, "scaled", "-", "units"))
    number = Column("number", "int", (1, 2, 3), True)
    entry = draw(any_column("entry", ("int", "text"), required=True))
    header = (
        draw(any_table("table", (number,), tuple(in_header), may_be_partial=id(in_header) not in whole)) if has_header else None
    )
    key = draw(st.sampled_from([(number, entry), (entry,)]))
    # The header's key stands in the line, in its key or beside it, where it may be null.
    beside = (Column("number", "int", (1, 2, 3), draw(st.booleans())),) if has_header and number not in key else ()
    lines = draw(any_table("select", key, (*in_lines, *beside), may_be_partial=id(in_lines) not in whole))
    fact = Happening("act", lines, header, "happened", tuple(roles), tuple(measures))
    return Plan(found, fact, draw(st.sampled_from(["UTC", "America/New_York", "Pacific/Auckland"])))
