"""aisle status: what is where, and what was set aside and why."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from aisle.cli import show
from aisle.cli.command import Reply, command
from aisle.cli.state import read_state
from aisle.project import open_project


@command(example="aisle status\naisle status --json")
def status() -> Reply:
    """Show what is where, and what was set aside and why.

    The newest release, its drops and tables, what waits in the landing, and what the warehouse holds.

    It only reads, and may be asked while a run is at work.
    """
    project = open_project(Path.cwd())
    state = read_state(project)
    return Reply({**asdict(state), "behind": state.behind}, show.status(state, project))
