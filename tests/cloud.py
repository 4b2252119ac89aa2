"""A cloud to provision in: MiniStack's CloudFormation, S3 and IAM, and stand-ins for what it has not.

It proves that CloudFormation can resolve the template (parameters, conditions, references, outputs), that bucket, roles
and policies come out of it, and that what aisle sends is what boto3 takes for valid. Redshift Serverless and EMR
Serverless are stand-ins: a type whose properties are only noted, and the few calls that aisle makes, over HTTP. So it
cannot prove that Redshift accepts the capacities, the subnets or the SQL.

As a script: `python cloud.py PORT PORT_OF_THE_STAND_INS`.
"""

# ruff: noqa: N802, N803  (calls and arguments have AWS's names)

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

ACCOUNT, REGION = "000000000000", "eu-central-1"
STANDS_IN = "AWS::RedshiftServerless::Namespace", "AWS::RedshiftServerless::Workgroup", "AWS::EMRServerless::Application"
REASONS = {
    "subnet-00000000": "There must be at least 3 subnets in 3 availability zones.",
    "subnet-11111111": "Insufficient free IP addresses found in subnets.",
}
"""Subnets that Redshift would refuse, and in which words."""


@contextmanager
def cloud() -> Iterator[dict[str, str]]:
    """A running cloud; the environment by which AWS's tools find it."""
    port, other = _free_port(), _free_port()
    process = subprocess.Popen(
        [sys.executable, __file__, str(port), str(other)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _await(f"http://127.0.0.1:{port}/_ministack/health", process)
        yield {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_ENDPOINT_URL_REDSHIFT_SERVERLESS": f"http://127.0.0.1:{other}",
            "AWS_ENDPOINT_URL_REDSHIFT_DATA": f"http://127.0.0.1:{other}",
            "AWS_ACCESS_KEY_ID": "nobody",
            "AWS_SECRET_ACCESS_KEY": "none",
            "AWS_REGION": REGION,
        }
    finally:
        process.terminate()
        process.wait()


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def _await(url: str, process: subprocess.Popen) -> None:
    for _ in range(300):
        assert process.poll() is None, "the cloud ended before it began"
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the cloud does not begin")


# What stands in


class StandIn(BaseHTTPRequestHandler):
    """Redshift Serverless: namespaces and limits, and its Data API: users of a database and what is granted to them."""

    # One cloud a process; a handler is made for each request.
    namespaces: ClassVar[dict[str, dict]] = {}
    workgroups: ClassVar[dict[str, str]] = {}
    limits: ClassVar[list[dict]] = []
    statements: ClassVar[list[dict]] = []

    def do_POST(self) -> None:
        action = self.headers["X-Amz-Target"].split(".")[1]
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"{}")
        try:
            answer, status = getattr(self, action)(**asked), 200
        except LookupError as error:
            answer, status = {"__type": "ResourceNotFoundException", "message": str(error)}, 400
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass

    def GetNamespace(self, namespaceName):
        return {"namespace": self.namespaces[namespaceName]}

    def ListUsageLimits(self, resourceArn, usageType):
        return {
            "usageLimits": [held for held in self.limits if (held["resourceArn"], held["usageType"]) == (resourceArn, usageType)]
        }

    def CreateUsageLimit(self, resourceArn, **limit):
        if resourceArn not in self.workgroups.values():
            raise LookupError(f"no workgroup {resourceArn}")
        self.limits.append({"usageLimitId": f"limit-{len(self.limits)}", "resourceArn": resourceArn, **limit})
        return {"usageLimit": self.limits[-1]}

    def UpdateUsageLimit(self, usageLimitId, amount):
        (held,) = (held for held in self.limits if held["usageLimitId"] == usageLimitId)
        held["amount"] = amount
        return {"usageLimit": held}

    def ExecuteStatement(self, WorkgroupName, Database, SecretArn, Sql, **_):
        assert SecretArn == self.namespaces[WorkgroupName]["adminPasswordSecretArn"]
        taken = Sql.startswith("create user") and any((WorkgroupName, Sql) == (s["workgroup"], s["sql"]) for s in self.statements)
        self.statements.append({"workgroup": WorkgroupName, "database": Database, "sql": Sql, "taken": taken, "looks": 0})
        return {"Id": f"00000000-0000-0000-0000-{len(self.statements) - 1:012}"}

    def DescribeStatement(self, Id):
        statement = self.statements[int(Id[-12:])]
        statement["looks"] += 1
        if statement["looks"] == 1:
            return {"Id": Id, "Status": "STARTED"}
        if statement["taken"]:
            return {"Id": Id, "Status": "FAILED", "Error": 'ERROR: user "IAMR:…" already exists'}
        return {"Id": Id, "Status": "FINISHED"}

    def ListStatements(self, **_):
        return {
            "Statements": [
                {"Id": str(n), "QueryString": s["sql"], "StatementName": s["workgroup"]} for n, s in enumerate(self.statements)
            ]
        }


def _create(logical_id: str, properties: dict, stack_name: str) -> tuple[str, dict]:
    if "BaseCapacity" in properties:
        for subnet, reason in REASONS.items():
            if subnet in properties.get("SubnetIds", ()):
                raise ValueError(reason)
        arn = f"arn:aws:redshift-serverless:{REGION}:{ACCOUNT}:workgroup/{stack_name}-id"
        StandIn.workgroups[properties["WorkgroupName"]] = arn
        return properties["WorkgroupName"], {"Workgroup.WorkgroupArn": arn}
    if "NamespaceName" in properties:
        assert str(properties["ManageAdminPassword"]).lower() == "true"
        secret = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:redshift!{stack_name}"
        StandIn.namespaces[properties["NamespaceName"]] = {"adminPasswordSecretArn": secret, "dbName": properties["DbName"]}
        return properties["NamespaceName"], {}
    return f"{stack_name}-application", {}


def main(port: str, other: str) -> None:
    os.environ["GATEWAY_PORT"] = port
    from ministack import app
    from ministack.services.cloudformation import provisioners

    for kind in STANDS_IN:
        provisioners._RESOURCE_HANDLERS[kind] = {"create": _create, "delete": lambda *_: None}
    threading.Thread(target=ThreadingHTTPServer(("127.0.0.1", int(other)), StandIn).serve_forever, daemon=True).start()
    app.main()


if __name__ == "__main__":
    ports = sys.argv[1:]
    del sys.argv[1:]  # MiniStack would read them
    main(*ports)
