"""The stand-in behind the driver's interface: what `redshift_connector.connect` gives."""

from __future__ import annotations

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


def serve(workgroup: Workgroup, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the driver find a workgroup."""

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

    monkeypatch.setattr(redshift_connector, "connect", connect)
