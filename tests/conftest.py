"""What all tests share: how hypothesis runs here, the seed of what is random anew in each run, where processes come from."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from forks import Forks

# Set before any worker starts, so that all have the same; and before any test reads it.
os.environ.setdefault("AISLE_SEED", str(secrets.randbelow(2**32)))
pytest.register_assert_rewrite("deliveries")

settings.register_profile(
    "bounded",
    deadline=None,  # machines are noisy; no test is about time
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    print_blob=True,
)
settings.load_profile("bounded")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Say the seed, in quiet runs too; a worker has nothing to say it with."""
    if reporter := session.config.pluginmanager.get_plugin("terminalreporter"):
        reporter.write_line(f"AISLE_SEED={os.environ['AISLE_SEED']} repeats what is random here")


@pytest.fixture(scope="session")
def forks() -> Iterator[Forks]:
    """Where processes come from that are to die."""
    from forks import Forks

    with Forks(warm="kiosk:compile_all") as forks:
        yield forks
