"""Asking: one question in SQL, answered in plain Python values."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import psycopg
from psycopg.pq import ExecStatus

from aisle.errors import WarehouseError
from aisle.warehouses.port import Answer


def answer(con: psycopg.Connection, sql: str) -> Answer:
    """The answer to one question, in the transaction that is open.

    Raises:
        WarehouseError: it is not one question.
        psycopg.Error: PostgreSQL does not understand it.
    """
    # Prepared first, which only one statement can be, and looked at before it runs: COMMIT and SET have no answer.
    prepared = con.pgconn.prepare(b"", sql.encode())
    if prepared.status != ExecStatus.COMMAND_OK:
        raise psycopg.errors.error_from_result(prepared)
    if con.pgconn.describe_prepared(b"").nfields == 0:
        if not sql.strip(" \t\r\n;"):
            raise WarehouseError("Ask one question at a time: one SELECT.")
        raise WarehouseError("That is no question: it has no answer. Write a SELECT.")
    with con.cursor() as cursor:
        cursor.execute(sql.encode(), prepare=True)
        described = cursor.description or ()
        rows = tuple(tuple(_plain(value) for value in row) for row in cursor.fetchall())
    return Answer(tuple(c.name for c in described), tuple(c.type_display for c in described), rows)


def _plain(value: Any) -> Any:
    """A value of a kind that `Answer` has; of other kinds its text."""
    match value:
        case datetime(tzinfo=zone) if zone is not None:
            return value.astimezone(UTC).replace(tzinfo=None)
        case None | int() | Decimal() | float() | str() | date():
            return value
        case list():
            return [_plain(v) for v in value]
        case dict():
            return {k: _plain(v) for k, v in value.items()}
    return str(value)


__all__ = ["answer"]
