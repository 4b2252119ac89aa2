"""A session over the database's own protocol, by redshift_connector, with temporary credentials from IAM."""

from __future__ import annotations

import contextlib
import datetime as dt
from typing import Any

import redshift_connector
from botocore.exceptions import BotoCoreError, ClientError
from redshift_connector.error import Error

from aisle.warehouses.redshift.address import Address
from aisle.warehouses.redshift.credentials import refused
from aisle.warehouses.redshift.transport import RefusedError, Result, one_line

_CONNECT_SECONDS = 60  # a workgroup that slept needs some to wake up

# Type names by the number that the protocol has for them (pg_type.oid).
_TYPES = {
    16: "boolean", 20: "bigint", 21: "smallint", 23: "integer", 25: "text", 700: "real", 701: "double precision",
    1042: "character", 1043: "character varying", 1082: "date", 1083: "time", 1114: "timestamp",
    1184: "timestamp with time zone", 1700: "numeric", 4000: "super",
}  # fmt: skip


class Driver:
    """One connection.

    Raises:
        RefusedError: there is no way in.
    """

    def __init__(self, address: Address) -> None:
        self.address = address
        try:
            self._connection = redshift_connector.connect(
                iam=True,
                is_serverless=True,
                serverless_work_group=address.workgroup,
                serverless_acct_id=address.account,
                host=address.host,
                port=address.port,
                region=address.region,
                database=address.database,
                timeout=_CONNECT_SECONDS,
                application_name="aisle",
            )
        except (BotoCoreError, ClientError) as error:
            raise refused(address, error) from error
        except (Error, OSError) as error:
            raise RefusedError(_why(address, error)) from error
        # Transactions begin where we say BEGIN: the driver's own would make CREATE DATABASE impossible.
        self._connection.autocommit = True
        # The time limit was for connecting; a COPY may take long, and the driver has no other way to say so.
        self._connection._usock.settimeout(None)  # noqa: SLF001

    def run(self, sql: str) -> Result:
        with contextlib.closing(self._connection.cursor()) as cursor:
            # The driver looks for placeholders in any statement; of all styles this one disturbs SQL least.
            cursor.paramstyle = "qmark"
            try:
                cursor.execute(sql)
                if not cursor.description:
                    return Result(changed=cursor.rowcount)
                columns = tuple(_text(c[0]) for c in cursor.description)
                types = tuple(_TYPES.get(c[1], f"type {c[1]}") for c in cursor.description)
                return Result(columns, types, tuple(tuple(map(_plain, row)) for row in cursor.fetchall()))
            except (Error, OSError) as error:
                raise RefusedError(_said(error)) from error

    def close(self) -> None:
        with contextlib.suppress(Error, OSError):
            self._connection.close()


def _text(name: Any) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)


def _plain(value: Any) -> Any:
    """Times with a zone as naive UTC."""
    if isinstance(value, dt.datetime) and value.tzinfo is not None:
        return value.astimezone(dt.UTC).replace(tzinfo=None)
    return value


def _said(error: Exception) -> str:
    """The database's own message, out of the fields that the protocol has for it."""
    fields = error.args[0] if error.args else ""
    if isinstance(fields, dict):
        return one_line(" ".join(str(fields[k]) for k in ("M", "D", "H") if fields.get(k)))
    return one_line(error)


def _why(address: Address, error: Exception) -> str:
    said = _said(error)
    if isinstance(error, OSError) or "communication error" in said or "timed out" in said:
        return (
            f"{address.host}:{address.port} cannot be reached ({said}). Is the workgroup's network open to this machine? "
            "If it is not to be, add ?transport=data-api to the address."
        )
    return said
