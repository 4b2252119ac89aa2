"""A declaration is right, or says where it is wrong and what to write instead."""

from __future__ import annotations

import textwrap
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import pytest
from annotated_types import Ge, Interval, Len
from mypy import api

from aisle.declare.columns import Column
from aisle.errors import DeclarationError
from aisle.retail.star import Customers, DimCustomer, FactSales, star

PRELUDE = """
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated
from annotated_types import Ge, MinLen
from aisle import *
from aisle import _

class Customers(Source, key="customer_id", changed_at="updated_at"):
    customer_id: int
    name: str
    weight: float
    updated_at: datetime

class Orders(Source, key="order_id", changed_at="updated_at"):
    order_id: int
    customer_id: int | None
    code: str
    ordered_at: datetime
    paid_at: datetime | None
    updated_at: datetime

class Lines(Source, key=("order_id", "line"), feed="events"):
    order_id: int
    line: int
    quantity: int
    price: Money
    note: str

class DimCustomer(Dimension, source=Customers):
    customer_id: NaturalKey
    name: Track

class DimDate(Calendar, start=2024):
    pass

"""

WRONG = {
    "a column of no known type": (
        "class S(Source, key='a', feed='events'):\n    a: int\n    b: list[int]",
        "S.b",
        "no type that a source column can have",
    ),
    "two types": ("class S(Source, key='a', feed='events'):\n    a: int\n    b: int | str", "S.b", "one type"),
    "key missing": ("class S(Source, feed='events'):\n    a: int", "S", "has no key"),
    "no columns": ("class S(Source, key='a', feed='events'):\n    pass", "S", "has no columns"),
    "key misspelt": ("class S(Source, key='custmer', feed='events'):\n    customer: int", "S", "did you mean 'customer'"),
    "key optional": ("class S(Source, key='a', feed='events'):\n    a: int | None", "S.a", "never missing"),
    "key a float": ("class S(Source, key='a', feed='events'):\n    a: float", "S.a", "a key is int, str or date"),
    "changes without a time": ("class S(Source, key='a'):\n    a: int", "S", "changed_at="),
    "changed_at no time": ("class S(Source, key='a', changed_at='a'):\n    a: int", "S.a", "changed_at is a datetime"),
    "events with changed_at": (
        "class S(Source, key='a', changed_at='t', feed='events'):\n    a: int\n    t: datetime",
        "S",
        "never change",
    ),
    "deletes of an unknown column": (
        "class S(Source, key='a', changed_at='t', deletes=_.opp == 'D'):\n    a: int\n    op: str\n    t: datetime",
        "S",
        "did you mean 'op'",
    ),
    "deletes that is no condition": (
        "class S(Source, key='a', changed_at='t', deletes=_.a + 1):\n    a: int\n    t: datetime",
        "S",
        "not true or false",
    ),
    "a bound that does not fit": (
        "class S(Source, key='a', feed='events'):\n    a: int\n    b: Annotated[str, Ge(1)]",
        "S.b",
        "does not fit",
    ),
    "an unknown bound": ("class S(Source, key='a', feed='events'):\n    a: Annotated[int, 'positive']", "S.a", "no contract"),
    "an unknown zone": ("class S(Source, key='a', feed='events', time_zone='Mars/North'):\n    a: int", "S", "no time zone"),
    "choices that read alike": (
        "class S(Source, key='a', feed='events'):\n    a: int\n    b: OneOf['x y', 'X-Y']",
        "S.b",
        "read alike",
    ),
    "a feed that is none": (
        "class S(Source, key='a', feed='event'):\n    a: int",
        "S",
        "feed='event' is none of changes, snapshot, events: did you mean 'events'?",
    ),
    "a snapshot with a time of change": (
        "class S(Source, key='a', feed='snapshot', changed_at='b'):\n    a: int\n    b: datetime",
        "S",
        'changed_at does not go with feed "snapshot"',
    ),
    "a time of a snapshot without one": (
        "class S(Source, key='a', changed_at='b', as_of='b'):\n    a: int\n    b: datetime",
        "S",
        'as_of does not go with feed "changes"',
    ),
    "a time of a snapshot that may be missing": (
        "class S(Source, key='a', feed='snapshot', as_of='b'):\n    a: int\n    b: datetime | None",
        "S.b",
        "as_of is a datetime, and never missing",
    ),
    "snapshots that are partial": (
        "class S(Source, key='a', feed='snapshot', partial=True):\n    a: int",
        "S",
        'rows of feed "snapshot" are whole',
    ),
    "a key that partial changes may bring in parts": (
        "class S(Source, key=('a', 'b'), changed_at='at'):\n    a: int\n    b: int\n    at: datetime\n"
        "class L(Source, key='l', changed_at='at', partial=True):\n    l: int\n    a: int\n    b: int\n    at: datetime\n"
        "class DimS(Dimension, source=S):\n    a: NaturalKey\n    b: NaturalKey\n"
        "class FactL(Fact, source=L, at=L.at):\n    l: Degenerate\n    s: Lookup[DimS]",
        "FactL.s",
        "which may bring (a, b) one by one",
    ),
    "a format that is none": (
        "class S(Source, key='a', feed='events', format='josnl'):\n    a: int",
        "S",
        "did you mean 'jsonl'",
    ),
    "a measure of nothing": (
        "class F(Fact, source=Lines, header=Orders, at=Orders.ordered_at):\n    order_id: Degenerate\n    line: Degenerate\n    price: Sum",
        "F.price",
        "Write Sum[Money]",
    ),
    "a name that an engine keeps for itself": (
        "class S(Source, key='a', feed='events'):\n    a: int\n    filename: str",
        "S.filename",
        "Rename the column",
    ),
    "names that differ by case alone": (
        "class S(Source, key='a', feed='events'):\n    a: int\n    A: int\n    t: datetime\n"
        "class F(Fact, source=S, at=S.t):\n    a: Degenerate\nStar('s', dimensions=[], facts=[F])",
        "s.A",
        "by case alone",
    ),
    "a line and its header of other types": (
        "class L(Source, key='line', feed='events'):\n    line: int\n    order_id: str\n"
        "class F(Fact, source=L, header=Orders, at=Orders.ordered_at):\n    line: Degenerate",
        "F.order_id",
        "Declare both with one type",
    ),
    "a reserved name": ("class S(Source, key='a', feed='events'):\n    a: int\n    _b: int\n", None, None),
    "an attribute that is no column": (
        "class D(Dimension, source=Customers):\n    customer_id: NaturalKey\n    nam: Track",
        "D.nam",
        "did you mean 'name'",
    ),
    "track on a key": ("class D(Dimension, source=Customers):\n    customer_id: Track", "D.customer_id", "Declare it NaturalKey"),
    "natural key missing": ("class D(Dimension, source=Customers):\n    name: Track", "D", "customer_id: NaturalKey"),
    "no behaviour": (
        "class D(Dimension, source=Customers):\n    customer_id: NaturalKey\n    name: str",
        "D.name",
        "Track, Overwrite",
    ),
    "a source that is none": ("class D(Dimension, source=int):\n    customer_id: NaturalKey", "D", "not a Source"),
    "a calendar with columns": ("class C(Calendar, start=2024):\n    week: int", "C", "columns are given"),
    "an unknown country": ("class C(Calendar, start=2024, holidays='XX'):\n    pass", "C", "no country"),
    "no such month": ("class C(Calendar, start=2024, fiscal_year_starts=13):\n    pass", "C", "no month"),
    "a measure that is no number": (
        "class F(Fact, source=Lines, header=Orders, at=Orders.ordered_at):\n    order_id: Degenerate\n    line: Degenerate\n    note: Sum[str]",
        "F.note",
        "whole number or a decimal",
    ),
    "a measure of floats": (
        "class F(Fact, source=Lines, header=Orders, at=Orders.ordered_at):\n    order_id: Degenerate\n    line: Degenerate\n    price: Sum[float]",
        "F.price",
        "floats do not add up",
    ),
    "a measure of text": (
        "class F(Fact, source=Lines, header=Orders, at=Orders.ordered_at):\n    order_id: Degenerate\n    line: Degenerate\n    x: Sum[int] = _.note",
        "F.x",
        "not a number",
    ),
    "a measure of an unknown column": (
        "class F(Fact, source=Lines, header=Orders, at=Orders.ordered_at):\n    order_id: Degenerate\n    line: Degenerate\n    x: Sum[int] = _.quantiti * 2",
        "F.x",
        "did you mean 'quantity'",
    ),
    "a grain not carried": (
        "class F(Fact, source=Lines, header=Orders, at=Orders.ordered_at):\n    order_id: Degenerate\n    quantity: Sum[int]",
        "F",
        "line: Degenerate",
    ),
    "a time that may be missing": (
        "class F(Fact, source=Lines, header=Orders, at=Orders.paid_at):\n    order_id: Degenerate\n    line: Degenerate",
        "F",
        "always there",
    ),
    "a header whose key the lines lack": (
        "class F(Fact, source=Customers, header=Orders, at=Orders.ordered_at):\n    customer_id: Degenerate",
        "F",
        "'order_id'",
    ),
    "a lookup of what is no dimension": (
        "class F(Fact, source=Lines, header=Orders, at=Orders.ordered_at):\n    order_id: Degenerate\n    line: Degenerate\n    c: Lookup[Customers]",
        "F.c",
        "neither a Dimension nor a Calendar",
    ),
    "a lookup without its key": (
        "class F(Fact, source=Lines, at=Orders.ordered_at):\n    order_id: Degenerate\n    line: Degenerate\n    c: Lookup[DimCustomer]",
        "F(at=…)",
        "neither the lines nor their header",
    ),
    "a lookup by another type": (
        "class F(Fact, source=Lines, header=Orders, at=Orders.ordered_at):\n    order_id: Degenerate\n    line: Degenerate\n"
        "    c: Lookup[DimCustomer] = by(Orders.code)",
        "F.c",
        "Declare both with one type",
    ),
    "a dimension that is not in the star": (
        "class F(Fact, source=Lines, header=Orders, at=Orders.ordered_at):\n    order_id: Degenerate\n    line: Degenerate\n    c: Lookup[DimCustomer]\n"
        "Star('s', dimensions=[DimDate], facts=[F])",
        "f.c",
        "not in the star",
    ),
    "two facts with one name": (
        "class F(Fact, source=Lines, header=Orders, at=Orders.ordered_at):\n    order_id: Degenerate\n    line: Degenerate\n"
        "Star('s', dimensions=[DimDate], facts=[F, F])",
        "Star('s')",
        "two of its tables are named 'f'",
    ),
    "a star in no zone": ("Star('s', dimensions=[DimDate], facts=[], time_zone='Nowhere')", "Star('s')", "no time zone"),
}


@pytest.mark.parametrize("case", [name for name, (_code, where, _says) in WRONG.items() if where])
def test_a_wrong_declaration_says_where_and_what_to_do(case: str) -> None:
    code, where, says = WRONG[case]
    with pytest.raises(DeclarationError) as error:
        exec(compile(PRELUDE + code, "star.py", "exec", dont_inherit=True), {"__name__": "aisle_test_star"})
    assert error.value.where == where
    assert says in str(error.value)


def test_columns_are_read_from_annotations() -> None:
    email = Customers.email
    assert isinstance(email, Column)
    assert (email.type, email.required, email.personal) == ("string", False, True)
    assert Customers.segment.choices == ("Consumer", "Corporate", "Home Office")
    assert Customers.updated_at.is_time


def test_a_star_may_be_declared_in_a_function_under_postponed_annotations() -> None:
    from aisle import Source

    Short = Annotated[str, Len(1, 3)]

    class Shops(Source, key="shop", feed="events"):
        """Shops."""

        shop: int
        opened: date | None
        rating: Annotated[Decimal, Interval(ge=0, le=5)] | None
        code: Short
        since: datetime

    assert [c.type for c in Shops.__aisle__.columns] == ["int64", "date", "decimal(18,4)", "string", "timestamp('UTC', 6)"]
    assert Shops.rating.bounds == (Ge(0), *Shops.rating.bounds[1:])
    assert Shops.__aisle__.doc == "Shops."


def test_the_reference_star_has_the_columns_of_the_design() -> None:
    dimension = [c.name for c in DimCustomer.__aisle__.columns]
    assert dimension[:2] == ["customer_key", "customer_id"]
    assert dimension[dimension.index("segment") + 1] == "current_segment"
    assert dimension[-6:] == ["valid_from", "valid_to", "is_current", "is_deleted", "is_inferred", "version"]
    fact = FactSales.__aisle__
    assert fact.grain == ("order_id", "line_number")
    assert fact.time == "ordered_at"
    assert [lookup.column for lookup in fact.lookups] == ["customer_key", "product_key", "order_date_key"]
    assert [s.name for s in star.sources] == ["customers", "products", "order_items", "orders"]


def test_a_docstring_does_not_change_the_declaration_but_a_behaviour_does() -> None:
    def made(doc: str, behaviour: str) -> str:
        scope: dict[str, object] = {"__name__": "aisle_test_star"}
        code = f"class D(Dimension, source=Customers):\n    '''{doc}'''\n    customer_id: NaturalKey\n    name: {behaviour}\n"
        exec(compile(PRELUDE + code + "s = Star('s', dimensions=[D], facts=[])", "star.py", "exec", dont_inherit=True), scope)
        return scope["s"].fingerprint  # type: ignore[attr-defined]

    assert made("One.", "Track") == made("Two.", "Track") != made("One.", "Overwrite")


def test_a_star_type_checks(tmp_path: Path) -> None:
    """The reference star, and a use of its columns, under mypy --strict; a wrong use is found."""
    good = tmp_path / "good_star.py"
    good.write_text((Path(__file__).parents[1] / "src/aisle/retail/star.py").read_text() + "\ncity: str = Customers.city\n")
    out, _err, status = api.run(["--strict", "--no-error-summary", "--ignore-missing-imports", str(good)])
    assert (status, out) == (0, "")
    bad = tmp_path / "bad_star.py"
    bad.write_text(
        textwrap.dedent("""
        from aisle import Source
        class Shops(Source, key=3, fed="events"):
            shop: int
        x: str = Shops.shop
        y = Shops.shp
        """)
    )
    out, _err, status = api.run(["--strict", "--ignore-missing-imports", str(bad)])
    assert 'Unexpected keyword argument "fed"' in out
    assert 'Argument "key"' in out
    assert "Incompatible types in assignment" in out
    assert '"type[Shops]" has no attribute "shp"' in out
