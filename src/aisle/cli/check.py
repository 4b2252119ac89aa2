"""aisle check: are the laws kept?"""

from __future__ import annotations

from pathlib import Path

import click

from aisle.cli import show
from aisle.cli.command import ENGINE, MEMORY_LIMIT, Reply, command
from aisle.cli.computing import computing
from aisle.errors import LawBroken
from aisle.project import ENGINES, Engine, open_project


@command(
    example="aisle check\naisle check --rebuild\naisle check --against-engine spark\naisle check --forgotten",
    exits={3: "there is no release yet", LawBroken.exit_code: "a law does not hold"},
)
@click.option("--rebuild", is_flag=True, help="Also make gold anew from bronze, aside, and compare.")
@click.option("--against-engine", "against", type=click.Choice(ENGINES), help="The same, made anew by this engine.")
@click.option("--forgotten", is_flag=True, help="Also decode every file, and look for values that are forgotten.")
@ENGINE
@MEMORY_LIMIT
@click.pass_context
def check(
    ctx: click.Context,
    /,
    rebuild: bool,
    against: Engine | None,
    forgotten: bool,
    engine: Engine | None,
    memory_limit: str | None,
) -> Reply:
    """Prove the laws on the newest release.

    That every delivered row is accounted for, and that the star is true. Nothing is changed.

    Made anew, by whichever engine, each table must have the same rows: their number and fingerprint
    are shown, and the first rows that differ.
    """
    project = open_project(Path.cwd())
    star = project.star
    from aisle.run.check import check as prove

    with computing(ctx, project, engine, memory_limit) as how:
        findings = prove(
            star,
            lake=project.lake,
            anew=against or ((engine or project.engine) if rebuild else None),
            **how,
        )
        if forgotten:
            from aisle.steward.forget import prove as prove_forgotten

            findings += prove_forgotten(star, lake=project.lake, memory_limit=how["memory_limit"], progress=how["progress"])
    holds = all(finding.holds for finding in findings)
    return Reply(
        {"holds": holds, "findings": [vars(finding) for finding in findings]},
        show.findings(findings),
        0 if holds else LawBroken.exit_code,
    )
