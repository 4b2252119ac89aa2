"""What a Delta table's log asks of who reads and writes it (Delta protocol, "Table Features").

aisle makes tables of reader version 1 and writer version 2, and reads their files by itself. A feature that somebody
else's OPTIMIZE or ALTER TABLE has switched on may change what the files mean: with deletion vectors, some of their rows
are no rows.
"""

from __future__ import annotations

from deltalake.table import ProtocolVersions

_READER, _WRITER = 1, 2
_BY_FEATURES = 3, 7
"""The versions from which on features are named one by one."""

_READ = frozenset({"timestampNtz", "vacuumProtocolCheck"})
_WRITTEN = frozenset({"appendOnly", "invariants", "timestampNtz"})
"""Features that change nothing of what aisle's tables hold, and that deltalake keeps when it commits."""


def beyond_reading(protocol: ProtocolVersions) -> str | None:
    """What of it aisle does not know how to read; None if there is nothing."""
    return _beyond("reader", protocol.min_reader_version, protocol.reader_features, _READER, _BY_FEATURES[0], _READ)


def beyond_writing(protocol: ProtocolVersions) -> str | None:
    """What of it aisle does not know how to write, or read; None if there is nothing."""
    writing = _beyond("writer", protocol.min_writer_version, protocol.writer_features, _WRITER, _BY_FEATURES[1], _WRITTEN)
    return beyond_reading(protocol) or writing


def _beyond(
    who: str, version: int, features: list[str] | None, known: int, by_features: int, harmless: frozenset[str]
) -> str | None:
    if version <= known:
        return None
    if version != by_features:
        return f"{who} version {version}"
    unknown = sorted(set(features or ()) - harmless)
    return f"the {who} feature{'s' if len(unknown) > 1 else ''} {', '.join(unknown)}" if unknown else None
