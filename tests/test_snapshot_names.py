"""When a snapshot was taken, by its drop's name (docs/decisions/010)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from aisle.stages.snapshots import time_in

MIDNIGHT = datetime(2025, 3, 1, tzinfo=UTC)
HALF_PAST_SIX = datetime(2025, 3, 1, 6, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("stores-2025-03-01.csv", MIDNIGHT),
        ("stores_20250301.csv.gz", MIDNIGHT),
        ("2025/03/01/stores.jsonl", MIDNIGHT),
        ("dt=2025-03-01/part-00000.parquet", MIDNIGHT),
        ("2025-03-01/stores-2025-03-01.csv", MIDNIGHT),
        ("stores_20250301_0002.csv", MIDNIGHT),  # a number, not a time
        ("v12-stores-2025-03-01-17.csv", MIDNIGHT),
        ("stores-2025-03-01T0630.csv", HALF_PAST_SIX),
        ("stores-2025-03-01T0630-02.csv", HALF_PAST_SIX),  # a second part of it, not seconds
        ("stores-2025-03-01T06:30:00Z.csv", HALF_PAST_SIX),
        ("stores_20250301_063000.csv", HALF_PAST_SIX),
        ("2025-03-01/stores-2025-03-01T06-30.csv", HALF_PAST_SIX),
    ],
)
def test_a_name_tells_the_time(name: str, taken: datetime) -> None:
    assert time_in(name, "UTC") == taken


def test_the_time_is_of_the_sources_zone_unless_the_name_says_utc() -> None:
    assert time_in("stores-2025-03-01.csv", "Europe/Berlin") == datetime(2025, 2, 28, 23, tzinfo=UTC)
    assert time_in("stores-2025-03-01T0630Z.csv", "Europe/Berlin") == HALF_PAST_SIX


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("stores.csv", "does not say in its name when it was taken"),
        ("stores-2025-02-30.csv", "does not say"),
        ("stores-120250301.csv", "does not say"),
        ("stores-2025-03-01-to-2025-03-31.csv", "names more than one time"),
        ("stores-2025-03-01T0630-2025-03-01T0700.csv", "names more than one time"),
    ],
)
def test_a_name_that_does_not_tell_is_refused(name: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        time_in(name, "UTC")
