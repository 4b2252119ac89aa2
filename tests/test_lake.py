"""The lake: releases are atomic, one writer at a time, and what a dead run left is taken back."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from aisle.errors import LakeError, LeaseHeld, LeaseLost, NothingDelivered
from aisle.lake.folder import Folder
from aisle.lake.lease import FILE, leased
from aisle.lake.releases import Release, Releases
from aisle.retail.generate import generate
from aisle.retail.star import star
from aisle.run import run

GOLD = tuple(f"gold/{t.table}" for t in star.tables)


def small(folder: Path, days: int) -> None:
    generate(folder / "landing", folder / "truth", days=days, customers=60, products=20, orders_per_day=20)


def test_a_release_number_is_published_once(storage: Storage) -> None:
    releases = Releases(storage)
    releases.publish(Release(1, {"gold/x": 3}, "2025-01-01T00:00:00+00:00", "f"))
    with pytest.raises(LeaseLost):
        releases.publish(Release(1, {}, "2025-01-01T00:00:00+00:00", "f"))
    assert releases.newest() == Release(1, {"gold/x": 3}, "2025-01-01T00:00:00+00:00", "f")


def test_a_second_writer_is_refused_and_told_who_holds_the_lease(storage: Storage) -> None:
    with (
        leased(storage),
        pytest.raises(LeaseHeld, match=rf"process {os.getpid()} on {socket.gethostname()}.*") as error,
        leased(storage),
    ):
        pass
    assert "--break-lease" in str(error.value)
    assert not storage.get(FILE)


def test_a_lease_of_a_dead_process_is_taken_over_but_not_one_of_another_host(storage: Storage) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    lease = {"token": "t", "host": socket.gethostname(), "pid": dead.pid, "since": "2025-01-01T00:00:00+00:00"}
    storage.put(FILE, json.dumps(lease).encode())
    with leased(storage) as held:
        assert held.taken_over
    storage.put(FILE, json.dumps(lease | {"host": "elsewhere"}).encode())
    with pytest.raises(LeaseHeld), leased(storage):
        pass
    with leased(storage, break_lease=True) as held:
        held.assert_held()
        assert held.taken_over
    with leased(storage) as held:
        assert not held.taken_over


def test_a_writer_whose_lease_was_broken_may_not_publish(storage: Storage) -> None:
    with leased(storage) as first, leased(storage, break_lease=True) as second:
        second.assert_held()
        with pytest.raises(LeaseLost):
            first.assert_held()


def test_an_empty_landing_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NothingDelivered, match=r"order_items/\*\.csv"):
        run(star, lake=tmp_path / "lake", landing=tmp_path / "landing")


def test_nothing_new_makes_no_release(tmp_path: Path) -> None:
    small(tmp_path, 2)
    first = run(star, lake=tmp_path / "lake", landing=tmp_path / "landing")
    again = run(star, lake=tmp_path / "lake", landing=tmp_path / "landing")
    assert (first.release, again.release) == (1, 1)
    assert [r.number for r in Releases(Folder(tmp_path / "lake")).backwards()] == [1]


def test_a_declaration_that_alters_what_is_there_is_refused_until_it_is_accepted(tmp_path: Path) -> None:
    from aisle import Star
    from aisle.retail.star import DimCustomer, DimDate, DimProduct, FactSales

    small(tmp_path, 2)
    run(star, lake=tmp_path / "lake", landing=tmp_path / "landing")
    moved = Star("shop", dimensions=[DimCustomer, DimProduct, DimDate], facts=[FactSales], time_zone="Asia/Tokyo")
    with pytest.raises(LakeError, match=r"time zone: America/New_York → Asia/Tokyo(?s:.*)--accept-changes"):
        run(moved, lake=tmp_path / "lake", landing=tmp_path / "landing")
    assert run(moved, lake=tmp_path / "lake", landing=tmp_path / "landing", accept_changes=True).release == 2
