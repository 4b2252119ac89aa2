"""Open a warehouse by its address: the one place that knows what kinds there are."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from aisle.errors import ConfigError
from aisle.warehouses.warehouse import Warehouse

_POSTGRES = ("postgresql://", "postgres://")


def open_warehouse(address: str | Path, schema: str | None = None) -> Warehouse:
    """The warehouse at an address: the path of a DuckDB file, `postgresql://…` or `redshift://…`.

    Nothing is opened or made until it is asked.

    Args:
        address: such as `warehouse.duckdb`.
        schema: the star that questions are about, where a warehouse holds more than one.

    Raises:
        ConfigError: the address is of a kind that is not supported.
    """
    text = str(address)
    if text.startswith("redshift://"):
        from aisle.warehouses.redshift.address import parse
        from aisle.warehouses.redshift.door import RedshiftDatabase

        return Warehouse(RedshiftDatabase(parse(text)), schema)
    if text.startswith(_POSTGRES):
        with _psycopg():
            from aisle.warehouses.postgres import PostgresDatabase
            from aisle.warehouses.postgres.address import parse as parsed
        return Warehouse(PostgresDatabase(parsed(text)), schema)
    if "://" in text:
        scheme = text.partition("://")[0]
        raise ConfigError(
            f"{scheme}:// is no address that a warehouse can have: give the path of a DuckDB file, postgresql://… or redshift://…."
        )
    path = Path(text).expanduser()
    if path.is_dir():
        raise ConfigError(f"{path} is a folder: a warehouse is a file, such as {path / 'warehouse.duckdb'}.")
    if "?" in str(path):
        raise ConfigError(f"{path} holds a question mark: DuckDB cannot keep a file there. Take another path.")
    from aisle.warehouses.duckdb import DuckDBFile

    return Warehouse(DuckDBFile(path), schema)


def kind(address: str) -> str:
    """The name of the dialect that the warehouse at an address speaks. Whether there is one is not asked."""
    if address.startswith("redshift://"):
        return "redshift"
    return "postgres" if address.startswith(_POSTGRES) else "duckdb"


def shown(address: str) -> str:
    """An address as it may be shown: without a password.

    Raises:
        ConfigError: as `open_warehouse`.
    """
    if address.startswith("redshift://"):
        from aisle.warehouses.redshift.address import parse as read

        return str(read(address))
    if not address.startswith(_POSTGRES):
        return address
    with _psycopg():
        from aisle.warehouses.postgres.address import parse
    return parse(address).shown


@contextlib.contextmanager
def _psycopg() -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        if "psycopg" not in f"{error.name} {error}":
            raise
        raise ConfigError("A warehouse in PostgreSQL needs psycopg. Install it: pip install 'aisle[postgres]'") from None
