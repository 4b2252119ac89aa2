"""A session over the Redshift Data API: HTTPS to AWS, no way into the workgroup's network needed.

Statements share a session of the Data API, in which BEGIN and COMMIT mean what they mean elsewhere. Its
`BatchExecuteStatement`, one transaction as well, will not do: it takes 40 statements, and shows nothing of them before
it has committed, while a load looks at what it wrote before it does.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import random
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from aisle.warehouses.redshift.address import Address
from aisle.warehouses.redshift.credentials import refused
from aisle.warehouses.redshift.transport import RefusedError, Result, one_line

_KEEP_ALIVE_SECONDS = 600
"""Between two statements: while DuckDB works out a difference, the session must not end."""

_FIRST_WAIT, _LONGEST_WAIT = 0.05, 5.0
_BUSY = (
    "ThrottlingException",
    "TooManyRequestsException",
    "ActiveStatementsExceededException",
    "ActiveSessionsExceededException",
)
_BUSY_SECONDS = 300
"""So long a service that is busy is asked again, beyond what boto3 does itself."""


class DataApi:
    """One session of the Data API. It is opened by the first statement."""

    def __init__(self, address: Address) -> None:
        self.address = address
        try:
            self._client = boto3.Session().client(
                "redshift-data",
                region_name=address.region,
                config=Config(retries={"mode": "standard", "max_attempts": 2}, connect_timeout=15, user_agent_extra="aisle"),
            )
        except (BotoCoreError, ClientError) as error:
            raise refused(address, error) from error
        self._session: str | None = None

    def run(self, sql: str) -> Result:
        place = {"WorkgroupName": self.address.workgroup, "Database": self.address.database}
        session = place if self._session is None else {"SessionId": self._session}
        started = self._call("execute_statement", Sql=sql, SessionKeepAliveSeconds=_KEEP_ALIVE_SECONDS, **session)
        self._session = started.get("SessionId", self._session)
        done = self._finished(started["Id"])
        if done["Status"] != "FINISHED":
            raise RefusedError(
                one_line(done.get("Error") or f"the statement was {done['Status'].lower()}").removeprefix("ERROR: ")
            )
        return self._answer(started["Id"]) if done.get("HasResultSet") else Result(changed=done.get("ResultRows", -1))

    def close(self) -> None:
        # A session cannot be closed: it ends when it was kept alive long enough. Nothing is left open in it.
        if self._session is not None:
            with contextlib.suppress(RefusedError):
                self.run("ROLLBACK")

    def _finished(self, statement: str) -> dict[str, Any]:
        """What became of a statement, asked for at growing intervals."""
        wait = _FIRST_WAIT
        while True:
            done = self._call("describe_statement", Id=statement)
            if done["Status"] in ("FINISHED", "FAILED", "ABORTED"):
                return done
            time.sleep(wait)
            wait = min(wait * 1.5, _LONGEST_WAIT)

    def _answer(self, statement: str) -> Result:
        rows: list[tuple[Any, ...]] = []
        more: dict[str, str] = {}
        while True:
            page = self._call("get_statement_result", Id=statement, **more)
            about = page["ColumnMetadata"]
            types = tuple(_TYPES.get(c["typeName"], c["typeName"]) for c in about)
            rows += (tuple(_value(cell, type_) for cell, type_ in zip(row, types, strict=True)) for row in page["Records"])
            if not page.get("NextToken"):
                return Result(tuple(c["name"] for c in about), types, tuple(rows))
            more = {"NextToken": page["NextToken"]}

    def _call(self, operation: str, **given: Any) -> dict[str, Any]:
        """Call the service; again, at growing intervals with some chance in them, while it is too busy."""
        until, wait = time.monotonic() + _BUSY_SECONDS, _FIRST_WAIT
        while True:
            try:
                return getattr(self._client, operation)(**given)
            except ClientError as error:
                busy = error.response.get("Error", {}).get("Code") in _BUSY
                if not busy or time.monotonic() > until:
                    raise refused(self.address, error) from error
            except BotoCoreError as error:
                raise refused(self.address, error) from error
            time.sleep(wait * random.uniform(0.5, 1.5))  # noqa: S311  (no secret)
            wait = min(wait * 2, _LONGEST_WAIT)


_TYPES = {
    "int8": "bigint", "int4": "integer", "int2": "smallint", "float8": "double precision", "float4": "real", "bool": "boolean",
    "varchar": "character varying", "bpchar": "character", "timestamptz": "timestamp with time zone",
}  # fmt: skip


def _utc(text: str) -> dt.datetime:
    """A time with a zone, as naive UTC. Redshift writes +00, which Python reads from +00:00 alone."""
    moment = dt.datetime.fromisoformat(text if ":" in text[-3:] else f"{text}:00")
    return moment.astimezone(dt.UTC).replace(tzinfo=None)


_READ: dict[str, Callable[[str], Any]] = {
    "numeric": Decimal,
    "date": dt.date.fromisoformat,
    "timestamp": dt.datetime.fromisoformat,
    "timestamp with time zone": _utc,
}


def _value(cell: dict[str, Any], type_: str) -> Any:
    """A field, {"longValue": 1} and the like, in plain Python. Decimals, dates and times come as text."""
    if cell.get("isNull"):
        return None
    ((_, value),) = cell.items()
    return _READ[type_](value) if type_ in _READ and isinstance(value, str) else value
