"""Loads in processes of their own, which can be killed or stopped before each thing that they do to a warehouse."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from typing import Any

import psycopg

import redshift_driver
from aisle.errors import WarehouseError
from aisle.warehouses import loading, open_warehouse
from aisle.warehouses.duckdb.session import DuckDBSession
from aisle.warehouses.postgres.session import PostgresSession
from aisle.warehouses.redshift.session import RedshiftSession
from shelf import SHOP, Shelf

REFUSED = 7

# Forked off a process that has imported everything and touched nothing: deltalake's runtime does not survive a fork.
_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["loads"])


SIGNED = "signed"
"""The point at which all rows are in place and signed for, and nothing is committed."""


def start(lake: str, address: str, *, at: int | str | None = None, by: int = signal.SIGKILL) -> BaseProcess:
    """A process that loads the newest release of a lake. What the environment says of AWS, it is told.

    Args:
        at: the point at which it sends itself the signal `by`: its number, from 0, or SIGNED; the last one is past the commit.
    """
    process = _PROCESSES.Process(target=_load, args=(lake, address, at, by, dict(os.environ)))
    process.start()
    return process


def ended(process: BaseProcess) -> int:
    """The exit code of a process that ends by itself: 0, REFUSED, or the negative number of a signal."""
    process.join(60)
    assert process.exitcode is not None, "it hangs"
    return process.exitcode


def _load(lake: str, address: str, at: int | str | None, by: int, environment: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    redshift_driver.serve_from_environment()
    passed = 0

    def point(name: str = "") -> None:
        nonlocal passed
        if at is not None and at in (passed, name):
            os.kill(os.getpid(), by)
        passed += 1

    def before(owner: type, *names: str) -> None:
        for name in names:
            setattr(owner, name, _led(getattr(owner, name), point))

    before(PostgresSession, "ask", "execute", "append")
    before(DuckDBSession, "ask", "execute", "append")
    before(RedshiftSession, "execute", "append")  # what it asks changes nothing, and takes long on S3
    before(psycopg.Copy, "write", "__exit__")
    sign = loading.sign
    loading.sign = lambda *a: (sign(*a), point(SIGNED))
    try:
        shelf = Shelf(lake)
        with open_warehouse(address, SHOP.name) as warehouse:
            warehouse.load(SHOP, shelf.lake.releases.newest(), shelf.lake.gold, shelf.lake.releases.get)
    except WarehouseError:
        os._exit(REFUSED)
    if isinstance(at, int):
        os.kill(os.getpid(), by)


_ALIKE = ("COMMENT", 'CREATE OR REPLACE VIEW "shop_reader"')
"""There are hundreds of these, and one is like the other."""


def _led(whole: Callable[..., Any], point: Callable[[], None]) -> Callable[..., Any]:
    def led(*args: Any, **how: Any) -> Any:
        if not str(args[-1]).startswith(_ALIKE):
            point()
        return whole(*args, **how)

    return led
