"""aisle query: a question to the warehouse, or to a release of the lake."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, Protocol

import click

from aisle.cli import show
from aisle.cli.command import Reply, command, wants_json
from aisle.errors import AisleError, ConfigError, WarehouseError
from aisle.project import Project, open_project

_LIMIT = 100
"""Rows of a table for people, unless they say otherwise."""


class Answer(Protocol):
    """An answer, whoever gives it."""

    @property
    def columns(self) -> tuple[str, ...]: ...
    @property
    def types(self) -> tuple[str, ...]: ...
    @property
    def rows(self) -> tuple[tuple[Any, ...], ...]: ...


@command(
    example='aisle query "select category, count(*) as versions from dim_product group by category"\n'
    'aisle query --csv "select * from fact_sales" > sales.csv\n'
    "aisle query - < question.sql\n"
    'aisle query --as-known 12 "select sum(net_amount) from fact_sales"\n'
    'aisle query --as-of 2025-03-31 "select customer_segment, count(*) from fact_sales_as_is group by all"',
    exits={
        2: "--as-of is no time",
        4: "there is no such release, or its files are gone",
        7: "the warehouse is not there yet, or the question is not understood",
    },
)
@click.argument("sql")
@click.option("--csv", "as_csv", is_flag=True, help="Answer in CSV; a null is an empty field.")
@click.option(
    "--limit", type=click.IntRange(min=0), help=f"Show at most so many rows; 0 for all. A table shows {_LIMIT}, CSV and JSON all."
)
@click.option("--as-known", type=int, metavar="RELEASE", help="Ask the lake's release of this number: what was known then.")
@click.option("--as-of", metavar="TIME", help="Ask the lake, by default its newest release: what was true then.")
@click.option("--show-pii", is_flag=True, help="Show personal data, which is left out otherwise.")
@click.pass_context
def query(
    ctx: click.Context,
    /,
    sql: str,
    as_csv: bool,
    limit: int | None,
    as_known: int | None,
    as_of: str | None,
    show_pii: bool,
) -> Reply:
    """Ask the warehouse a question in SQL; - reads it from stdin.

    Columns of personal data are not there, unless --show-pii is given.

    With --as-known or --as-of a release of the lake is asked, by DuckDB, whatever the warehouse: its
    tables and the views over them. Both together say what was known then of that time.

    --as-of 2025-03-31 means the end of that day on the business's clock, which is also that of a time,
    2025-03-31T18:00, unless it has an offset, 2025-03-31T18:00Z. A dimension then has one row a
    member: the version valid at that time, shown as current; deleted members are among them. So joins
    by surrogate key belong to the plain tables, without --as-of: a fact's key may be another
    version's. Ask the fact's view _as_is, which shows each fact beside its members as they were at
    that time. Facts are not filtered by it, and _as_was is what it is without.

    A first version reaches back to 1900, unless the dimension is declared otherwise: a member is there
    before it was known. What is declared Overwrite has no history: it is the release's newest value.
    """
    if as_csv and wants_json(ctx):
        raise ConfigError("--csv and --json are two forms of one answer: choose one.")
    project = open_project(Path.cwd())
    question = sys.stdin.read() if sql == "-" else sql
    try:
        answer = _answer(project, question, as_known, as_of, show_pii=show_pii)
    except WarehouseError as error:
        raise WarehouseError(f"{error}{'' if show_pii else _left_out(project, question, str(error))}") from error
    as_table = not as_csv and not wants_json(ctx)
    most = limit if limit is not None else _LIMIT if as_table else 0
    rows = list(answer.rows[:most] if most else answer.rows)
    left_out = len(answer.rows) - len(rows)
    data = {"columns": list(answer.columns), "types": list(answer.types), "rows": rows, "left_out": left_out}
    return Reply(data, _csv(answer.columns, rows) if as_csv else show.answer(answer.columns, rows, left_out))


def _answer(project: Project, question: str, as_known: int | None, as_of: str | None, *, show_pii: bool) -> Answer:
    if as_known is None and as_of is None:
        from aisle.warehouses import open_warehouse

        with open_warehouse(project.warehouse) as warehouse:
            return warehouse.query(question, personal=show_pii)
    from aisle.steward.past import past

    star, memory = project.star, project.memory_limit
    with past(star, lake=project.lake, as_known=as_known, as_of=as_of, show_pii=show_pii, memory_limit=memory) as then:
        return then.query(question)


def _left_out(project: Project, question: str, said: str) -> str:
    """What is to be said of personal columns to one who asked in vain; nothing, if the star cannot be read."""
    from aisle.steward.personal import left_out

    try:
        return left_out(project.star, question, said)
    except AisleError:
        return ""


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
