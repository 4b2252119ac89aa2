"""Personal data in what people are shown: masked, unless they ask for it (`Pii`)."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

MASK = "•••"


def masked(rows: Sequence[Mapping[str, Any]], personal: Collection[str]) -> list[dict[str, Any]]:
    """Rows with a mask in the place of each value of a personal column; that there is no value may be seen."""
    return [{name: MASK if name in personal and value is not None else value for name, value in row.items()} for row in rows]


def masked_text(row: str, personal: Collection[str]) -> str:
    """A delivered row, as quarantine keeps it, with its personal columns masked.

    What is no JSON object is a record that could not be read: nobody knows what in it is personal, so that all of it is masked.
    """
    try:
        members = json.loads(row)
    except ValueError:
        return MASK
    if not isinstance(members, dict):
        return MASK
    return json.dumps(masked([members], personal)[0], ensure_ascii=False)
