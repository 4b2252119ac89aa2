"""aisle load: the newest release, into the warehouse."""

from __future__ import annotations

from pathlib import Path

import click

from aisle.cli import show
from aisle.cli.command import Reply, command
from aisle.project import open_project


@command(
    example="aisle load\naisle load --verify\nAISLE_WAREHOUSE=postgresql://me@host/shop aisle load",
    exits={
        3: "there is no release yet",
        7: "the warehouse cannot be loaded, or was changed by hand; it holds what it held before",
    },
)
@click.option("--verify", is_flag=True, help="First compare all values, not only those that move, with what was loaded.")
@click.option("--repair", is_flag=True, help="Make all tables anew if they are not as they were loaded.")
def load(verify: bool, repair: bool) -> Reply:
    """Bring the warehouse to the newest release.

    All tables in one transaction, by the files that changed since the release it holds. Twice is a no-op.

    Each load looks whether all tables stand with their columns and as many rows as were loaded, and
    whether the rows that it takes out have the values they were loaded with. Values changed by hand in
    other rows are found by --verify, which reads all rows. What differs is said, and left as it is without --repair.
    """
    project = open_project(Path.cwd())
    star = project.star
    from aisle.lake.lake import Lake
    from aisle.warehouses import open_warehouse, shown

    lake = Lake(project.lake, star)
    release = lake.releases.standing()
    with open_warehouse(project.warehouse, star.name) as warehouse:
        loaded = warehouse.load(star, release, lake.gold, lake.releases.get, repair=repair, verify=verify)
    address = shown(project.warehouse)
    return Reply({"warehouse": address, **vars(loaded)}, show.loaded(loaded, address))
