"""aisle load: the newest release, into the warehouse."""

from __future__ import annotations

from aisle.cli.command import Reply, command
@command(example="aisle load")
def load() -> Reply:
    raise NotImplementedError
