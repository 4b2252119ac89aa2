"""aisle plan: what the next run would do."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from aisle.cli import show_plan
from aisle.cli.command import Reply, command
from aisle.project import open_project


@command(example="aisle plan\naisle plan --json", exits={3: "there is no release yet"})
def plan() -> Reply:
    """Say what the next run would do, and what it costs.

    Above all after the declaration was changed.

    Nothing is done.
    """
    project = open_project(Path.cwd())
    star = project.star
    from aisle.steward.plan import plan as look_ahead

    found = look_ahead(star, lake=project.lake, landing=project.landing)
    return Reply({**asdict(found), "needs_acceptance": found.needs_acceptance}, show_plan.planned(found))
