"""How a source writes its rows: CSV and JSON lines as text, spoilt where the consignment says so."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np

from aisle.retail.feeds import Feed, Form, product_code
from aisle.retail.mess import CONFLICT, FINE, Consignment, Effects

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER = {"customers": "customer_id", "products": "list_price", "order_items": "unit_price"}
_REQUIRED = {
    "customers": ("city", "name", "updated_at"),
    "products": ("name", "category", "list_price"),
    "order_items": ("quantity", "product_id", "unit_price"),
}
_IMPOSSIBLE = {"customers": ("registered_at", "2025-02-30 10:15:00"), "products": ("launched_on", "2025-02-30")}
_UNDECODABLE = "\udcff"  # surrogateescape: becomes the byte FF, which no UTF-8 text holds


def _rate(value: int) -> str:
    return f"{value / 10_000:.4f}" if value % 100 else f"{value / 10_000:.2f}"


_TEXT: dict[Form, Callable[..., str]] = {
    "integer": str,
    "text": str,
    "money": lambda cents: f"{cents // 100}.{cents % 100:02d}",
    "rate": _rate,
    "time": lambda second: (_EPOCH + timedelta(seconds=second)).strftime("%Y-%m-%d %H:%M:%S"),
    "date": lambda day: (_EPOCH + timedelta(days=day)).date().isoformat(),
    "product": product_code,
}


def header(feed: Feed, fate: Effects, rng: np.random.Generator) -> list[str]:
    """The columns of a drop in its order, which effects may have changed."""
    columns = [column for column in feed.columns if column != fate.missing_column]
    if fate.surplus_column:
        columns.insert(int(rng.integers(1, len(columns))), feed.surplus[0])
    if fate.reordered_columns:
        columns = [columns[n] for n in rng.permutation(len(columns))]
    return columns


def text(feed: Feed, load: Consignment, columns: list[str], fate: Effects, rng: np.random.Generator) -> bytes:
    """The whole drop as bytes: one line for each row, and for CSV a header before them."""
    csv = feed.format == "csv"
    values = [_texts(feed, load, column) for column in columns]
    written = [
        list(map(_quoted if csv else _json(feed, column), column_values))
        if not csv or feed.columns.get(column, "text") == "text"
        else column_values
        for column, column_values in zip(columns, values, strict=True)
    ]
    line = ",".join if csv else _object(columns)
    lines = [line(fields) for fields in zip(*written, strict=True)]
    for row in np.flatnonzero((load.kind != FINE) & (load.kind != CONFLICT)).tolist():
        fields = dict(zip(columns, (column[row] for column in values), strict=True))
        _spoil(feed, load.kind[row], fields, rng)
        quote = [_quoted(field) if csv else _json(feed, column)(field) for column, field in fields.items()]
        lines[row] = line(quote)
        if load.kind[row] == "broken_json":
            lines[row] = lines[row][: int(rng.integers(5, len(lines[row]) - 1))]
    if csv:
        lines.insert(0, ",".join(columns))
    end = "\r\n" if fate.crlf else "\n"
    whole = end.join([*lines, ""]) if lines else ""
    return (b"\xef\xbb\xbf" if fate.byte_order_mark else b"") + whole.encode("utf-8", "surrogateescape")


def _texts(feed: Feed, load: Consignment, column: str) -> list[str]:
    """A column as text; empty where null, which is what both formats make of it."""
    if column not in feed.columns:
        return [feed.surplus[1]] * len(load.rows)
    values, form = load.rows[column], feed.columns[column]
    write = _TEXT[form]
    if values.dtype == object:
        return ["" if value is None else write(value) for value in values]
    if form == "integer":
        return list(map(str, values.tolist()))
    plain = values.tolist()
    written = {value: write(value) for value in set(plain)}  # many values, few texts
    return list(map(written.__getitem__, plain))


def _quoted(field: str) -> str:
    return '"' + field.replace('"', '""') + '"' if any(sign in field for sign in ',"\r\n') else field


def _json(feed: Feed, column: str) -> Callable[[str], str]:
    numeric = feed.columns.get(column) == "money"

    def value(field: str) -> str:
        if not field:
            return "null"
        bare = numeric and field.lstrip("-").replace(".", "", 1).isdigit()
        return field if bare else json.dumps(field, ensure_ascii=False)

    return value


def _object(columns: list[str]) -> Callable[..., str]:
    names = [f'"{column}": ' for column in columns]
    return lambda fields: "{" + ", ".join(map(str.__add__, names, fields)) + "}"


def _spoil(feed: Feed, kind: str, fields: dict[str, str], rng: np.random.Generator) -> None:
    """Change one field of a row so that it is what `kind` says."""
    match kind:
        case "wrong_type":
            fields[_NUMBER[feed.name]] = "abc"
        case "impossible_date":
            column, fields[column] = _IMPOSSIBLE[feed.name]
        case "missing_required":
            fields[_REQUIRED[feed.name][int(rng.integers(3))]] = ""
        case "unknown_value":
            fields["segment"] = "VIP"
        case "bad_email":
            fields["email"] = f"{fields['customer_id']}.example.com"
        case "negative_quantity":
            fields["quantity"] = f"-{fields['quantity']}"
        case "negative_price":
            fields["list_price"] = f"-{fields['list_price']}"
        case "too_many_digits":
            fields["unit_price"] += "5"
        case "broken_utf8":
            fields["name" if feed.name == "customers" else "product_id"] += _UNDECODABLE
        case "spelling":
            column = "segment" if feed.name == "customers" else "op"
            fields[column] = respelt(fields[column], rng)
        case "surplus_field":
            fields["nobody knows"] = "surplus"
        case "missing_field":
            fields.popitem()


def respelt(word: str, rng: np.random.Generator) -> str:
    """Another spelling of a word of a closed list, which everybody still understands."""
    joined = (word.replace(" ", "-").upper(), word.replace(" ", "_").lower())
    spellings = (word.upper(), f" {word.lower()}", f"{word} ", *joined)
    others = [spelling for spelling in spellings if spelling != word]
    return others[int(rng.integers(len(others)))]
