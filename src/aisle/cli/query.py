"""aisle query."""

from __future__ import annotations

from aisle.cli.command import Reply, command
@command(example="aisle query")
def query() -> Reply:
    raise NotImplementedError
