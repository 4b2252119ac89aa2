"""aisle generate: a simulated shop's drops."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import click

from aisle.cli import show
from aisle.cli.command import Reply, command
from aisle.cli.progress import shown
from aisle.errors import ConfigError
from aisle.project import open_project

DEFAULTS = MappingProxyType(
    {
        "start": date(2025, 1, 1),
        "seed": 7,
        "customers": 2_000,
        "products": 300,
        "orders_per_day": 150,
        "mess": 0.002,
        "locale": "en_US",
    }
)
"""Those of `aisle.retail.generate`, kept here so that --help need not import it; a test compares them."""


def _number(name: str, says: str) -> Callable[[Callable[..., Reply]], Callable[..., Reply]]:
    option = f"--{name.replace('_', '-')}"
    return click.option(option, type=click.IntRange(min=1), default=DEFAULTS[name], show_default=True, help=says)


@command(
    example="aisle generate --days 30\naisle generate --days 365 --orders-per-day 4000 --mess 0",
    exits={2: "the landing holds drops of other arguments, or of more days"},
)
@click.option("--days", type=click.IntRange(min=1), default=30, show_default=True, help="How many days of the shop's life.")
@click.option(
    "--start", type=click.DateTime(["%Y-%m-%d"]), default=str(DEFAULTS["start"]), show_default=True, help="The first day."
)
@click.option("--seed", type=int, default=DEFAULTS["seed"], show_default=True, help="The same seed gives the same bytes.")
@_number("customers", "Customers on the first day.")
@_number("products", "Products on the first day.")
@_number("orders_per_day", "Orders of a usual day.")
@click.option(
    "--mess",
    type=click.FloatRange(0, 0.2),
    default=DEFAULTS["mess"],
    show_default=True,
    help="Share of rows with which something is wrong; 0 gives clean drops.",
)
@click.option("--locale", default=DEFAULTS["locale"], show_default=True, help="Of names and addresses, such as de_DE.")
@click.pass_context
def generate(ctx: click.Context, /, days: int, start: datetime, **arguments: Any) -> Reply:
    """Let a simulated shop deliver drops into the landing.

    They fit the retail star that `aisle init` writes. What a correct pipeline must make of them is
    written beside, into the project's `truth` folder. More days, given later, add to what is there.
    """
    project = open_project(Path.cwd())
    from aisle.retail.generate import generate as simulate
    from aisle.retail.star import star as retail

    if missing := {s.name for s in retail.sources} - {s.name for s in project.star.sources}:
        raise ConfigError(
            f"The simulated shop delivers what the retail star expects, but this project's star has no source {', '.join(sorted(missing))}."
            "\n  For a project that fits: aisle init NAME"
        )

    with shown(ctx) as report:
        made = simulate(
            project.landing,
            project.truth,
            days=days,
            start=start.date(),
            progress=lambda done, total: report("days", done, total),
            **arguments,
        )
    return Reply({"landing": project.landing, "truth": project.truth, **vars(made)}, show.generated(made, project))
