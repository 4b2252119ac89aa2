"""Two stars that are always tried: a club's sales, with header, and loans between parties, in many roles."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from any_star import AMOUNTS, HAPPENED, POOLS
from stars import Column, Dim, Happening, Measure, Plan, Role, Table


def _column(name: str, type_: str, *values: Any, required: bool = False) -> Column:
    return Column(name, type_, values or POOLS[type_], required)


_GONE = _column("gone", "flag", False, False, False, True, required=True)
_OP = _column("op", "text", "U", "U", "U", "D", required=True)
_AT = _column("at", "time", required=True)
_MEMBER = (_column("club", "text", "a", "a|b", "ä", required=True), _column("number", "int", 1, 2, required=True))
_MEMBERS = Table(
    "members",
    ("club", "number"),
    (
        *_MEMBER,
        _column("level", "text", "x", "y", "z"),
        _column("points", "int", 1, 2),
        _column("mail", "text", "x", "y", "z"),
        _column("origin", "text", "x", "y", "z"),
        _GONE,
        _column("seq", "int", 1, 2),
        _AT,
    ),
    time="at",
    sequence="seq",
    deletes="gone",
)
_GOODS = Table(
    "goods",
    ("code",),
    (_column("code", "text", "p", "q", required=True), _column("kind", "text", "x", "y", required=True), _AT),
    time="at",
)
_TICKET = _column("ticket", "int", 1, 2, 3, required=True)
_TICKETS = Table(
    "tickets",
    ("ticket",),
    (
        _TICKET,
        *(replace(c, required=False) for c in _MEMBER),
        _column("happened", "time", *HAPPENED, required=True),
        _GONE,
        _AT,
    ),
    time="at",
    deletes="gone",
)
_ENTRIES = Table(
    "entries",
    ("ticket", "entry"),
    (
        _TICKET,
        _column("entry", "int", 1, 2, required=True),
        _column("code", "text", "p", "q", "r"),
        _column("amount", "money", *AMOUNTS, required=True),
    ),
    feed="events",
)
CLUB = Plan(
    (
        Dim(
            "member",
            _MEMBERS,
            (("level", "track"), ("points", "current"), ("mail", "overwrite"), ("origin", "original")),
        ),
        Dim("good", _GOODS, (("kind", "track"),), reaches_back=False),
    ),
    Happening(
        "sales",
        _ENTRIES,
        _TICKETS,
        "happened",
        (
            Role("member", "member", ("club", "number"), "happened"),
            Role("good", "good", ("code",), "happened"),
            Role("day", None, (), "happened"),
        ),
        (Measure("amount", 2, "amount"), Measure("double", 2, "amount", "*", Decimal(2))),
    ),
)
_PARTIES = Table(
    "parties",
    ("count",),
    (
        _column("count", "text", "a", "b", "'\"ü", required=True),
        _OP,
        _column("order", "text", "x", "y"),
        _column("schema", "text", "x", "y"),
        _AT,
    ),
    time="at",
    deletes="op",
)
_LOANS = Table(
    "loans",
    ("name", "group"),
    (
        _column("name", "int", -1, 0, 1, required=True),
        _column("group", "text", "g", "h", required=True),
        _OP,
        _column("lender", "text", "a", "b", "'\"ü"),
        _column("borrower", "text", "a", "b", "'\"ü"),
        _column("lent_at", "time", *HAPPENED, required=True),
        _column("returned_at", "time", *HAPPENED),
        _column("amount", "money"),
        _AT,
    ),
    time="at",
    deletes="op",
)
LOANS = Plan(
    (
        Dim("party", _PARTIES, (("order", "track"), ("schema", "overwrite"))),
        Dim("holder", _PARTIES, (("schema", "track"),), reaches_back=False),
    ),
    Happening(
        "loan",
        _LOANS,
        None,
        "lent_at",
        (
            Role("giver", "party", ("lender",), "lent_at"),
            Role("taker", "party", ("borrower",), "lent_at"),
            Role("returner", "holder", ("borrower",), "returned_at"),
            Role("lent", None, (), "lent_at"),
            Role("returned", None, (), "returned_at"),
        ),
        (Measure("amount", 2, "amount"), Measure("third", 2, "amount", "*", Decimal("0.335"))),
    ),
)
