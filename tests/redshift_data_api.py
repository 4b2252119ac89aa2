"""The stand-in behind the Data API: an HTTP server that real boto3 speaks with."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from redshift_standin import Answer, RefusedError, Session, Workgroup

PAGE = 3
"""Rows in a page of an answer: few, so that tests turn pages."""

_NAMES = {16: "bool", 20: "int8", 21: "int2", 23: "int4", 25: "text", 701: "float8", 1043: "varchar", 1082: "date", 1114: "timestamp", 1184: "timestamptz", 1700: "numeric"}  # fmt: skip


class Service:
    """What the service knows: sessions, and statements with what became of them.

    `throttled` calls are refused for being too many before one gets through; `denied` is the message of a right that is lacking.
    """

    def __init__(self, workgroup: Workgroup) -> None:
        self.workgroup = workgroup
        self.sessions: dict[str, Session | None] = {}
        self.databases: dict[str, str] = {}
        self.statements: dict[str, dict[str, Any]] = {}
        self.answers: dict[str, Answer] = {}
        self.calls: list[str] = []
        self.throttled = 0
        self.denied = ""

    def answer(self, operation: str, given: dict[str, Any]) -> dict[str, Any]:
        self.calls.append(operation)
        if self.denied:
            raise ServiceError("AccessDeniedException", self.denied)
        if self.throttled:
            self.throttled -= 1
            raise ServiceError("ThrottlingException", "Rate exceeded")
        return {"ExecuteStatement": self.execute, "DescribeStatement": self.describe, "GetStatementResult": self.result}[
            operation
        ](given)

    def execute(self, given: dict[str, Any]) -> dict[str, Any]:
        if "SessionId" in given:
            if "WorkgroupName" in given or "Database" in given:
                raise ServiceError("ValidationException", "SessionId goes without WorkgroupName and Database")
            session = given["SessionId"]
            if session not in self.sessions:
                raise ServiceError("ValidationException", "Session is not available")
        else:
            if given["WorkgroupName"] != self.workgroup.name:
                raise ServiceError("ValidationException", "Redshift endpoint doesn't exist in this region.")
            session = str(uuid.uuid4())
            self.sessions[session], self.databases[session] = None, given["Database"]
        statement = str(uuid.uuid4())
        self.statements[statement] = {"Id": statement, "Status": "SUBMITTED", "SessionId": session}
        threading.Thread(target=self._run, args=(statement, session, given)).start()
        return {"Id": statement, "SessionId": session}

    def _run(self, statement: str, session: str, given: dict[str, Any]) -> None:
        try:
            if self.sessions[session] is None:
                self.sessions[session] = Session(self.workgroup, self.databases[session])
            answer = self.sessions[session].run(given["Sql"])
        except RefusedError as error:
            self.statements[statement] |= {"Status": "FAILED", "Error": f"ERROR: {error}"}
            return
        self.answers[statement] = answer
        count = len(answer.rows) if answer.columns else answer.changed
        self.statements[statement] |= {"HasResultSet": bool(answer.columns), "ResultRows": count, "Status": "FINISHED"}

    def describe(self, given: dict[str, Any]) -> dict[str, Any]:
        return dict(self.statements[given["Id"]])

    def result(self, given: dict[str, Any]) -> dict[str, Any]:
        answer, start = self.answers[given["Id"]], int(given.get("NextToken", "0"))
        about = [{"name": n, "typeName": _NAMES.get(o, "varchar")} for n, o in zip(answer.columns, answer.oids, strict=True)]
        page = {"ColumnMetadata": about, "Records": [[_field(v) for v in row] for row in answer.rows[start : start + PAGE]]}
        return page | ({"NextToken": str(start + PAGE)} if start + PAGE < len(answer.rows) else {})

    def close(self) -> None:
        for session in self.sessions.values():
            if session is not None:
                session.close()


class ServiceError(Exception):
    def __init__(self, code: str, message: str) -> None:
        self.code, self.message = code, message


def _field(value: Any) -> dict[str, Any]:
    match value:
        case None:
            return {"isNull": True}
        case bool():
            return {"booleanValue": value}
        case int():
            return {"longValue": value}
        case float():
            return {"doubleValue": value}
        case datetime():
            text = value.isoformat(" ")
            return {"stringValue": text.removesuffix(":00") if value.tzinfo else text}
        case date() | Decimal():
            return {"stringValue": str(value)}
        case _:
            return {"stringValue": str(value)}


@contextmanager
def serving(workgroup: Workgroup) -> Iterator[tuple[Service, str]]:
    """A service on a free port, and its address."""
    service = Service(workgroup)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            try:
                status, body = 200, service.answer(self.headers["X-Amz-Target"].partition(".")[2], given)
            except ServiceError as error:
                status, body = 400, {"__type": error.code, "message": error.message}
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield service, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        service.close()
