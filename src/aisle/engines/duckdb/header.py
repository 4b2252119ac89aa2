"""Headers: which columns a CSV drop has, and where each column of the contract is found in it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from aisle.engines.delivery import Measured
from aisle.engines.duckdb.records import Dialect

_DELIMITERS = {",": "','", ";": "';'", "\t": "'\\t'", "|": "'|'"}


class Refusal(Exception):  # noqa: N818  (a verdict on a drop, not a fault of the program)
    """Why a whole drop cannot be read: a sentence about it, without values of its data."""


@dataclass(frozen=True)
class Header:
    """The columns of a drop, in its order.

    `found`: contract column → position. `unknown`: name, made distinct → position.
    """

    width: int
    found: Mapping[str, int]
    unknown: Mapping[str, int]
    absent: tuple[str, ...]


def names_in(head: bytes, delimiter: str) -> list[str]:
    """The trimmed names of a header.

    Raises:
        Refusal: it is not UTF-8, or its quotes are not in order.
    """
    dialect = Dialect(delimiter.encode(), 0)
    try:
        head.decode()
    except UnicodeDecodeError:
        raise Refusal("has a header that is not valid UTF-8: export it as UTF-8.") from None
    if not dialect.is_record(head):
        raise Refusal("has a header with a quote in the wrong place: its columns cannot be told.")
    names = []
    for field in dialect.fields(head):
        text = field.decode()
        names.append((text[1:-1].replace('""', '"') if text.startswith('"') else text).strip())
    return names


def header_of(content: Measured, columns: Mapping[str, bool], delimiter: str) -> Header:
    """Match a drop's header with the contract's columns.

    Raises:
        Refusal: a required column is absent, or a column of the contract is there twice.
    """
    if b"\r" in content.head and content.newlines == 0:
        raise Refusal("ends its lines with CR alone: export it with LF or CRLF.")
    names = names_in(content.head, delimiter)
    check(names, columns)
    missing = [c for c, required in columns.items() if required and c not in names]
    if missing:
        raise Refusal(_lacks(missing, names) + _other_delimiter(content.head, columns, delimiter))
    found = {c: names.index(c) for c in columns if c in names}
    unknown: dict[str, int] = {}
    for n, given in enumerate(names):
        if given not in columns:
            unknown[distinct(given or f"column_{n + 1}", [*columns, *unknown])] = n
    return Header(len(names), found, unknown, tuple(c for c in columns if c not in found))


def check(names: list[str], columns: Collection[str]) -> None:
    twice = sorted({n for n in names if n in columns and names.count(n) > 1})
    if twice:
        raise Refusal(f"has the column {', '.join(twice)} twice: which one counts cannot be told.")


def _lacks(missing: list[str], names: list[str]) -> str:
    spelt = {n.lower(): n for n in names}
    close = [f"{spelt[m.lower()]!r} instead of {m!r}" for m in missing if m.lower() in spelt]
    hint = f" (it has {', '.join(close)})" if close else ""
    return f"lacks the required column{'s' if len(missing) > 1 else ''} {', '.join(missing)}{hint}."


def _other_delimiter(head: bytes, columns: Mapping[str, bool], delimiter: str) -> str:
    for other, written in _DELIMITERS.items():
        if other == delimiter:
            continue
        try:
            names = names_in(head, other)
        except Refusal:
            continue
        if all(c in names for c, required in columns.items() if required):
            return (
                f" Its header splits into the contract's columns at {written}. Have it delivered with {delimiter!r}; "
                f"or, if all drops of this source are so, declare delimiter={written}."
            )
    return ""


def distinct(name: str, taken: Collection[str]) -> str:
    """The name, with a number behind it if it is taken."""
    out, n = name, 1
    while out in taken:
        n += 1
        out = f"{name}_{n}"
    return out
