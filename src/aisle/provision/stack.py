"""The stack: made, or brought to the template's present text, by CloudFormation."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from aisle.errors import ProvisionError
from aisle.provision.aws import said
from aisle.provision.plan import CAPABILITY, Plan

Progress = Callable[[int, int], None]
"""Called with how many resources stand, and how many are to."""

WAIT = 5.0
"""Seconds between two looks."""


def deploy(session: Any, plan: Plan, progress: Progress) -> dict[str, str]:
    """Make the stack, or change the one that stands; its outputs, once it is done.

    Raises:
        ConfigError: there are no credentials.
        ProvisionError: AWS refused, or a resource failed: the message says which, and why.
    """
    with said():
        client = session.client("cloudformation")
        before = _stack(client, plan.name)
        if before and {"Key": "aisle", "Value": plan.name} not in before.get("Tags", ()):
            raise ProvisionError(
                f"There is a stack {plan.name} already that is not aisle's: it has no tag aisle={plan.name}.\n  Take another --name."
            )
        if before and before["StackStatus"] in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED"):
            raise ProvisionError(
                f"The stack {plan.name} is left from a creation that failed ({before['StackStatus']}), and cannot be changed.\n"
                f"  Remove it, and run again: aws cloudformation delete-stack --stack-name {plan.name} --region {session.region_name}"
            )
        started = _begin(client, plan, anew=before is None)
        stack = _settled(client, plan, started, progress) if started else before
    assert stack is not None
    progress(len(plan.resources), len(plan.resources))
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", ())}


def standing(session: Any, name: str) -> dict[str, str]:
    """The parameters of the stack that stands; none if there is none.

    Raises:
        ConfigError: there are no credentials.
        ProvisionError: AWS refused.
    """
    with said():
        stack = _stack(session.client("cloudformation"), name) or {}
    return {given["ParameterKey"]: given["ParameterValue"] for given in stack.get("Parameters", ())}


def _stack(client: Any, name: str) -> dict[str, Any] | None:
    try:
        stack: dict[str, Any] = client.describe_stacks(StackName=name)["Stacks"][0]
    except client.exceptions.ClientError as error:
        # CloudFormation has no error of its own for this.
        if "does not exist" in str(error):
            return None
        raise
    return stack


def _begin(client: Any, plan: Plan, *, anew: bool) -> str | None:
    """Start; the stack's id, or None if it is as the template says already."""
    begin = client.create_stack if anew else client.update_stack
    try:
        stack_id: str = begin(
            StackName=plan.name,
            TemplateBody=plan.template.text,
            Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in plan.parameters.items()],
            Capabilities=[CAPABILITY],
            Tags=[{"Key": key, "Value": value} for key, value in plan.tags.items()],
        )["StackId"]
    except client.exceptions.ClientError as error:
        if not anew and "No updates are to be performed" in str(error):
            return None
        raise
    return stack_id


def _settled(client: Any, plan: Plan, stack_id: str, progress: Progress) -> dict[str, Any]:
    """The stack when AWS is done with it."""
    total = len(plan.resources)
    while True:
        stack: dict[str, Any] = client.describe_stacks(StackName=stack_id)["Stacks"][0]
        status = stack["StackStatus"]
        if status in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"):
            return stack
        if not status.endswith("IN_PROGRESS"):
            raise ProvisionError(_why(client, plan, stack_id, status))
        resources = client.describe_stack_resources(StackName=stack_id)["StackResources"]
        stands = sum(r["ResourceStatus"] in ("CREATE_COMPLETE", "UPDATE_COMPLETE") for r in resources)
        progress(min(stands, total - 1), total)
        time.sleep(WAIT)


def _why(client: Any, plan: Plan, stack_id: str, status: str) -> str:
    """Which resource failed first, and why; those that failed after it were only cancelled."""
    first = None
    pages = client.get_paginator("describe_stack_events").paginate(StackName=stack_id)
    for event in (event for page in pages for event in page["StackEvents"]):  # newest first
        if event["PhysicalResourceId"] == stack_id and event["ResourceStatus"] in ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"):
            break  # here this change began; what is before is of others
        if event["ResourceStatus"] in ("CREATE_FAILED", "UPDATE_FAILED"):
            first = event
    if first is None:
        return f"The stack {plan.name} ended as {status}, and AWS does not say why."
    reason = first.get("ResourceStatusReason", "no reason is given")
    return (
        f"The stack {plan.name} is not as asked ({status}): {first['LogicalResourceId']} ({first['ResourceType']}) failed: {reason}\n"
        "  AWS took the change back. Mend what it names, and run again."
    )
