"""A delivered row as quarantine keeps it."""

from __future__ import annotations

import json
from typing import Any


def members(row: str) -> dict[str, Any] | None:
    """What it holds, by column; None of a record that could not be read, which is kept as it was."""
    try:
        found = json.loads(row)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
