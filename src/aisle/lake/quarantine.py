"""Quarantine: the rows that broke their contract, whole, as they were delivered."""

from __future__ import annotations

import json
from typing import Any

import ibis

QUARANTINE = ibis.schema({"source": "string", "drop": "string", "line": "int64", "reasons": "array<string>", "row": "string"})


def members(row: str) -> dict[str, Any] | None:
    """What a row in quarantine holds, by column; None of a record that could not be read, which is kept as it was."""
    try:
        found = json.loads(row)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
