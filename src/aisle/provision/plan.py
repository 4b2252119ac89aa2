"""What provisioning would do: the resources, and the commands by which a person can do the same."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from aisle.provision.template import Resource, Template

CAPABILITY = "CAPABILITY_NAMED_IAM"
"""What CloudFormation wants to be told before it makes roles with names."""


@dataclass(frozen=True)
class Plan:
    """A stack that is to be made.

    Attributes:
        region: None leaves it to AWS's own settings.
        given: the parameters that were said; what is not said stays as it is, in a stack that stands.
        parameters: all of the template's, by name.
        resources: what would be made.
    """

    template: Template
    region: str | None
    given: Mapping[str, str]
    parameters: Mapping[str, str]
    resources: tuple[Resource, ...]

    @property
    def name(self) -> str:
        """Of the stack, the namespace and the workgroup."""
        return self.parameters["Name"]

    @property
    def rpu_hours(self) -> int:
        """RPU-hours a month after which Redshift turns queries off."""
        return int(self.parameters["RpuHoursPerMonth"])

    @property
    def database(self) -> str:
        return self.parameters["Database"]

    @property
    def runner(self) -> str:
        """The role that runs aisle, which the database knows as the user IAMR:<role>."""
        return f"{self.name}-aisle"

    @property
    def tags(self) -> dict[str, str]:
        return {"aisle": self.name}

    @property
    def statements(self) -> tuple[str, str]:
        """What the warehouse's administrator says once, so that the role may make the star's schema."""
        user = f'"IAMR:{self.runner}"'
        return f"create user {user} password disable", f"grant create on database {self.database} to {user}"

    def commands(self) -> list[str]:
        """The same by hand: one shell command for each step."""
        region = ["--region", self.region] if self.region else []
        settings = [f"{name}={value}" for name, value in self.given.items()]
        tags = [f"{key}={value}" for key, value in self.tags.items()]
        output = "Stacks[0].Outputs[?OutputKey==`WorkgroupArn`].OutputValue"
        arn = _aws("cloudformation", "describe-stacks", "--stack-name", self.name, *region, "--query", output, "--output", "text")
        secret = _aws(
            *("redshift-serverless", "get-namespace", "--namespace-name", self.name, *region),
            *("--query", "namespace.adminPasswordSecretArn", "--output", "text"),
        )
        return [
            _aws(
                *("cloudformation", "deploy", "--template-file", str(self.template.path), "--stack-name", self.name, *region),
                *("--capabilities", CAPABILITY, "--tags", *tags, "--parameter-overrides", *settings),
            ),
            _aws("redshift-serverless", "create-usage-limit", *region, "--usage-type", "serverless-compute")
            + f' --amount {self.rpu_hours} --period monthly --breach-action deactivate --resource-arn "$({arn})"',
            _aws(
                *("redshift-data", "batch-execute-statement", "--workgroup-name", self.name, "--database", self.database),
                *(*region, "--sqls", *self.statements),
            )
            + f' --secret-arn "$({secret})"',
        ]


def plan(template: Template, region: str | None, given: Mapping[str, str]) -> Plan:
    """The plan for a template's parameters.

    Raises:
        ConfigError: a parameter is unknown, or cannot have its value.
    """
    parameters = template.parameters(given)
    return Plan(template, region, given, parameters, tuple(template.resources(parameters)))


def _aws(*words: str) -> str:
    return shlex.join(("aws", *words))
