"""What all tests share: how hypothesis runs here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from forks import Forks

settings.register_profile(
    "bounded",
    deadline=None,  # machines are noisy; no test is about time
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    print_blob=True,
)
settings.load_profile("bounded")


@pytest.fixture(scope="session")
def forks() -> Iterator[Forks]:
    """Where processes come from that are to die."""
    from forks import Forks

    with Forks(warm="kiosk:compile_all") as forks:
        yield forks
