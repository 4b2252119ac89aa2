"""The port to a Redshift database: one session in which statements are run, and what can go wrong there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from aisle.errors import ConfigError
from aisle.warehouses.redshift.address import Address


@dataclass(frozen=True)
class Result:
    """What a statement gave.

    Args:
        columns, types: of its answer, if it has one; types in Redshift's words, such as "numeric".
        rows: of its answer, in plain Python: int, Decimal, float, str, bool, date, datetime (naive, UTC), None.
        changed: rows that it inserted, deleted or updated; -1 if it is no such statement.
    """

    columns: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()
    changed: int = -1


class RefusedError(Exception):
    """The database refused a statement, or could not be reached: its own words in one line, no secret in them."""


class Transport(Protocol):
    """One session of a database. Each statement stands alone, but for those between BEGIN and COMMIT or ROLLBACK."""

    def run(self, sql: str) -> Result:
        """Run one statement.

        Raises:
            RefusedError: it failed.
        """
        ...

    def close(self) -> None:
        """End the session; what is not committed is undone."""
        ...


def connect(address: Address) -> Transport:
    """A session, by the transport that the address names.

    Raises:
        ConfigError: what the transport needs is not installed.
        RefusedError: there is no way in; the message says why.
    """
    try:
        if address.transport == "data-api":
            from aisle.warehouses.redshift.data_api import DataApi

            return DataApi(address)
        from aisle.warehouses.redshift.driver import Driver

        return Driver(address)
    except ModuleNotFoundError as missing:
        raise ConfigError(
            f"{address} needs the package {missing.name}, which is not installed.\n  Install it: pip install 'aisle[redshift]'"
        ) from None


def one_line(error: object) -> str:
    """A message in one line."""
    return " ".join(str(error).split())


__all__ = ["RefusedError", "Result", "Transport", "connect", "one_line"]
