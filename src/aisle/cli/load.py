"""aisle load: the newest release, into the warehouse."""

from __future__ import annotations

from pathlib import Path

from aisle.cli import show
from aisle.cli.command import Reply, command
from aisle.project import open_project


@command(
    example="aisle load\nAISLE_WAREHOUSE=other.duckdb aisle load",
    exits={3: "there is no release yet", 7: "the warehouse cannot be loaded; it holds what it held before"},
)
def load() -> Reply:
    """Bring the warehouse to the newest release.

    All tables in one transaction, by the files that changed since the release it holds. Twice is a no-op.
    """
    project = open_project(Path.cwd())
    star = project.star
    from aisle.lake.lake import Lake
    from aisle.warehouses import open_warehouse

    lake = Lake(project.lake, star)
    release = lake.releases.standing()
    with open_warehouse(project.warehouse, star.name) as warehouse:
        loaded = warehouse.load(star, release, lake.gold, lake.releases.get)
    return Reply({"warehouse": project.warehouse, **vars(loaded)}, show.loaded(loaded, project))
