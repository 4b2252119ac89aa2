"""A key's value as text, and whether something delivered means it."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from aisle.declare.columns import Column, spelled


def says(delivered: Any, column: Column, value: Any) -> bool:
    """Whether a delivered value, as quarantine keeps it, is a key's value."""
    if delivered is None or isinstance(delivered, bool | list | dict):
        return False
    text = str(delivered).strip()
    if column.type == "int64":
        match = re.fullmatch(r"([+-]?[0-9]{1,19})(?:\.0*)?", text)
        return match is not None and int(match[1]) == int(value)
    if column.choices:
        return spelled(text) == spelled(value)
    return text == key_text(value)


def key_text(value: Any) -> str:
    """A key's value as its column's text, as every engine writes it."""
    return value.isoformat() if isinstance(value, date) else str(value)
