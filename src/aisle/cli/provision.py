"""aisle provision: what aisle needs on AWS, shown or made."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from aisle.cli.command import Reply, command
from aisle.cli.progress import shown

if TYPE_CHECKING:
    from aisle.provision.plan import Plan

_SETTINGS = {"Landing": "landing", "Lake": "lake", "Warehouse": "warehouse"}
"""The outputs that are settings in aisle.toml."""


def _settings(ctx: click.Context, parameter: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:  # noqa: ARG001
    pairs = [text.partition("=") for text in given]
    for name, equals, _ in pairs:
        if not equals or name == "Name":
            raise click.BadParameter(f"write PARAMETER=VALUE, not {name!r}." if not equals else "the name is said by --name.")
    return {name: value for name, _, value in pairs}


@command(
    example="aisle provision --dry-run\naisle provision --name shop --region eu-central-1 --set RpuHoursPerMonth=100",
    exits={2: "a wrong parameter, or no credentials or region; nothing was made", 8: "AWS refused; the message says what failed"},
)
@click.option("--name", default="shop", show_default=True, help="Of the stack, the warehouse and the roles.")
@click.option("--region", help="Of AWS; else the one that its own settings say.")
@click.option(
    "--set", "settings", multiple=True, metavar="PARAMETER=VALUE", callback=_settings, help="A parameter of the template."
)
@click.option("--dry-run", is_flag=True, help="Print what would be made, and the commands for it; ask nothing of AWS.")
@click.pass_context
def provision(ctx: click.Context, /, name: str, region: str | None, settings: dict[str, str], dry_run: bool) -> Reply:
    """Make what aisle needs on AWS.

    A bucket for landing and lake, Redshift Serverless, and the roles, all by one CloudFormation
    template; run again, it changes what differs. The answer is what goes into aisle.toml.
    """
    from aisle.provision.plan import plan as planned
    from aisle.provision.template import Template

    template, given = Template(), {**settings, "Name": name}
    if dry_run:
        plan = planned(template, region, given)
        data = {
            "stack": plan.name,
            "region": plan.region,
            "template": str(template.path),
            "parameters": plan.parameters,
            "resources": plan.resources,
            "commands": plan.commands(),
        }
        return Reply(data, _planned(plan))
    from aisle.provision import stack, warehouse
    from aisle.provision.aws import session

    planned(template, region, given)  # what is wrong in it is said before AWS is asked
    aws = session(region)
    stands = {k: v for k, v in stack.standing(aws, name).items() if k in template.document["Parameters"]}
    plan = planned(template, aws.region_name, {**stands, **given})
    with shown(ctx) as report:
        outputs = stack.deploy(aws, plan, partial(report, "resources"))
        warehouse.limit(aws, outputs["WorkgroupArn"], plan.rpu_hours)
        warehouse.admit(aws, plan)
    return Reply({"stack": plan.name, "region": plan.region, "outputs": outputs}, _provisioned(plan, outputs))


def _planned(plan: Plan) -> str:
    where = plan.region or "the region of your AWS settings"
    return "\n".join(
        [
            f"The stack {plan.name} in {where} would be:",
            "",
            *(f"  {resource.name}: {resource.says}" for resource in plan.resources),
            "",
            f"Then Redshift would be told to turn queries off after {plan.rpu_hours:,} RPU-hours a month, and to let the role",
            f"{plan.runner} make schemas in the database {plan.database}.",
            "",
            "Nothing was made. The same command without --dry-run makes it. Or by hand, in this order:",
            "",
            *(f"    {command}" for command in plan.commands()),
            "",
            f"The template: {plan.template.path}",
        ]
    )


def _provisioned(plan: Plan, outputs: dict[str, str]) -> str:
    return "\n".join(
        [
            f"The stack {plan.name} stands in {plan.region}. Queries are turned off after {plan.rpu_hours:,} RPU-hours a month.",
            "Into aisle.toml:",
            "",
            *(f'    {setting} = "{outputs[output]}"' for output, setting in _SETTINGS.items()),
            "",
            f"Run aisle with the role {outputs['Role']}; docs/aws.md says how.",
        ]
    )
