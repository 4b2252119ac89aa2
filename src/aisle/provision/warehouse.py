"""What the warehouse needs beside the stack: the month's limit, and a user for the role that runs aisle.

CloudFormation has no resource for either.
"""

from __future__ import annotations

import time
from typing import Any

from aisle.errors import ProvisionError
from aisle.provision.aws import said
from aisle.provision.plan import Plan

WAIT = 1.0
"""Seconds between two looks at a statement."""


def limit(session: Any, workgroup_arn: str, rpu_hours: int) -> None:
    """Let Redshift turn queries off after so many RPU-hours a month.

    Raises:
        ProvisionError: AWS refused.
    """
    kind = {"resourceArn": workgroup_arn, "usageType": "serverless-compute"}
    with said():
        client = session.client("redshift-serverless")
        for held in client.list_usage_limits(**kind)["usageLimits"]:
            if held["period"] == "monthly" and held["breachAction"] == "deactivate":
                client.update_usage_limit(usageLimitId=held["usageLimitId"], amount=rpu_hours)
                return
        client.create_usage_limit(**kind, amount=rpu_hours, period="monthly", breachAction="deactivate")


def admit(session: Any, plan: Plan) -> None:
    """Make the database user of the role that runs aisle, and let it make schemas. Twice is a no-op.

    Raises:
        ProvisionError: AWS or the warehouse refused.
    """
    with said():
        namespace = session.client("redshift-serverless").get_namespace(namespaceName=plan.name)["namespace"]
        data = session.client("redshift-data")
        create, grant = plan.statements
        for sql in (create, grant):
            failed = _executed(data, plan, namespace["adminPasswordSecretArn"], sql)
            if failed and not (sql == create and "already exists" in failed):
                raise ProvisionError(
                    f"The warehouse refused: {failed}\n  It was asked to {sql}; run again, or say it there yourself."
                )


def _executed(data: Any, plan: Plan, secret_arn: str, sql: str) -> str | None:
    """Execute a statement as administrator; what went wrong, if something did."""
    sent = data.execute_statement(WorkgroupName=plan.name, Database=plan.database, SecretArn=secret_arn, Sql=sql)
    while True:
        statement = data.describe_statement(Id=sent["Id"])
        if statement["Status"] == "FINISHED":
            return None
        if statement["Status"] in ("FAILED", "ABORTED"):
            return str(statement.get("Error", statement["Status"]))
        time.sleep(WAIT)
