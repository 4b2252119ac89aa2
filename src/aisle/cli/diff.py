"""aisle diff: what changed between two releases."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from aisle.cli.command import MEMORY_LIMIT, SHOW_PII, Reply, command
from aisle.project import open_project


@command(
    example="aisle diff\naisle diff 12 15\naisle diff 12 --totals --json",
    exits={3: "there is no release, or no two", 4: "there is no such release, or its files are gone"},
)
@click.argument("before", type=int, required=False)
@click.argument("after", type=int, required=False)
@click.option(
    "--totals", is_flag=True, help="Sum measures over whole tables, which are then read, not over the rows that differ."
)
@SHOW_PII
@MEMORY_LIMIT
def diff(before: int | None, after: int | None, totals: bool, show_pii: bool, memory_limit: str | None) -> Reply:
    """Show what changed from release BEFORE to release AFTER.

    AFTER is by default the newest, BEFORE the one before the newest.

    Of each gold table: the rows added, changed and removed, by key; the versions of a dimension that
    were open and have ended; the first five of each kind; and what an additive measure sums up to,
    over the rows that differ. Their difference is that of the whole table too.
    """
    project = open_project(Path.cwd())
    star = project.star
    from aisle.cli import show_diff
    from aisle.engines.compiled import remembering
    from aisle.steward.diff import diff as compare

    with remembering(star.fingerprint):
        found = compare(
            star,
            lake=project.lake,
            before=before,
            after=after,
            totals=totals,
            show_pii=show_pii,
            memory_limit=memory_limit or project.memory_limit,
        )
    return Reply(asdict(found), show_diff.difference(found, star))
