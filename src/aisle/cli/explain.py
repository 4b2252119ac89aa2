"""aisle explain: why a row of the star is as it is, or why it is not there."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from aisle.cli import show_explain
from aisle.cli.command import SHOW_PII, Reply, command
from aisle.project import open_project


@command(
    example="aisle explain dim_customer 42\naisle explain fact_sales order_id=17 line_number=2\naisle explain fact_sales 17 2 --release 12",
    exits={2: "there is no such table, or the key is not one of it", 3: "there is no release yet", 4: "there is no such release"},
)
@click.argument("table")
@click.argument("key", nargs=-1)
@click.option("--release", type=int, metavar="NUMBER", help="As this release has it; by default the newest.")
@click.option("--last", type=click.IntRange(min=1), help="Draw the last so many versions of a member.")
@SHOW_PII
def explain(table: str, key: tuple[str, ...], release: int | None, last: int | None, show_pii: bool) -> Reply:
    """Say why a row is as it is, or why it is not there.

    A row of TABLE. Of a fact: the line and the header behind it, what each lookup found and at which time. Of a dimension: the member's
    timeline, with what happened to each event of it. Of every row the drop, its line, and the release that first had it.

    KEY is the fact's grain or the member's natural key: values in order, or each as name=value.
    """
    project = open_project(Path.cwd())
    star = project.star
    from aisle.engines.compiled import remembering
    from aisle.steward.explain import explain as explained

    with remembering(star.fingerprint):
        found = explained(star, table, key, lake=project.lake, release=release, show_pii=show_pii)
    return Reply(asdict(found), show_explain.explained(found, last))
