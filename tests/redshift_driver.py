"""The stand-in behind the driver's interface: what `redshift_connector.connect` gives."""

from __future__ import annotations

import os
from collections.abc import Callable
from types import SimpleNamespace

import pytest
import redshift_connector
from redshift_connector.core import convert_paramstyle

from redshift_standin import RefusedError, Session, Workgroup


class Cursor:
    def __init__(self, session: Session) -> None:
        self._session, self.paramstyle = session, "format"
        self.description, self.rowcount = None, -1

    def execute(self, sql: str) -> None:
        # The driver's own scanner may not find a placeholder anywhere.
        statement, _ = convert_paramstyle(self.paramstyle, sql)
        assert statement == sql
        try:
            answer = self._session.run(statement)
        except RefusedError as error:
            raise redshift_connector.ProgrammingError({"S": "ERROR", "C": "XX000", "M": str(error)}) from error
        self.description = [
            (n.encode(), o, None, None, None, None, None) for n, o in zip(answer.columns, answer.oids, strict=True)
        ] or None
        self.rowcount, self._rows = answer.changed, answer.rows

    def fetchall(self) -> tuple:
        return self._rows

    def close(self) -> None: ...


class Connection:
    def __init__(self, session: Session) -> None:
        self._session = session
        self.autocommit = False
        self._usock = SimpleNamespace(settimeout=lambda seconds: None)

    def cursor(self) -> Cursor:
        assert self.autocommit, "the driver would begin a transaction by itself"
        return Cursor(self._session)

    def close(self) -> None:
        self._session.close()


SERVER = "AISLE_TEST_STANDIN"
"""By this variable a process finds the server of the stand-in that its parent serves."""


def serve(workgroup: Workgroup, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the driver find a workgroup, here and in processes that begin with `serve_from_environment`."""
    monkeypatch.setattr(redshift_connector, "connect", _connects(workgroup))
    monkeypatch.setenv(SERVER, workgroup.server)


def serve_from_environment() -> None:
    """Let the driver find the workgroup of the parent process, if that serves one."""
    if server := os.environ.get(SERVER):
        redshift_connector.connect = _connects(Workgroup(server))


def _connects(workgroup: Workgroup) -> Callable[..., Connection]:

    def connect(**given: object) -> Connection:
        assert given["iam"] is True
        assert given["is_serverless"] is True
        assert "password" not in given
        if given["serverless_work_group"] != workgroup.name:
            raise redshift_connector.InterfaceError("communication error", OSError("no such host"))
        try:
            return Connection(Session(workgroup, str(given["database"])))
        except RefusedError as error:
            raise redshift_connector.ProgrammingError({"S": "FATAL", "C": "3D000", "M": str(error)}) from error

    return connect
