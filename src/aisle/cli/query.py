"""aisle query: a question to the warehouse."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click

from aisle.cli import show
from aisle.cli.command import Reply, command, wants_json
from aisle.errors import ConfigError
from aisle.project import open_project

_LIMIT = 100
"""Rows of a table for people, unless they say otherwise."""


@command(
    example='aisle query "select category, count(*) as versions from dim_product group by category"\n'
    'aisle query --csv "select * from fact_sales" > sales.csv\n'
    "aisle query - < question.sql",
    exits={7: "the warehouse is not there yet, or does not understand the question"},
)
@click.argument("sql")
@click.option("--csv", "as_csv", is_flag=True, help="Answer in CSV; a null is an empty field.")
@click.option(
    "--limit", type=click.IntRange(min=0), help=f"Show at most so many rows; 0 for all. A table shows {_LIMIT}, CSV and JSON all."
)
@click.pass_context
def query(ctx: click.Context, /, sql: str, as_csv: bool, limit: int | None) -> Reply:
    """Ask the warehouse a question in SQL; - reads it from stdin."""
    if as_csv and wants_json(ctx):
        raise ConfigError("--csv and --json are two forms of one answer: choose one.")
    project = open_project(Path.cwd())
    from aisle.warehouses import open_warehouse

    with open_warehouse(project.warehouse) as warehouse:
        answer = warehouse.query(sys.stdin.read() if sql == "-" else sql)
    as_table = not as_csv and not wants_json(ctx)
    most = limit if limit is not None else _LIMIT if as_table else 0
    rows = list(answer.rows[:most] if most else answer.rows)
    left_out = len(answer.rows) - len(rows)
    data = {"columns": list(answer.columns), "types": list(answer.types), "rows": rows, "left_out": left_out}
    return Reply(data, _csv(answer.columns, rows) if as_csv else show.answer(answer.columns, rows, left_out))


def _csv(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_field(value) for value in row] for row in rows)
    return out.getvalue().removesuffix("\n")


def _field(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, datetime | date) else value
