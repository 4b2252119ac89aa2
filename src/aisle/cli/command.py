"""A command: its help shows an example and its exit codes, and it answers a person or, with --json, a machine."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, is_dataclass
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any, NoReturn

import click

from aisle.project import ENGINES

INTERRUPTED = 130
"""128 + SIGINT, as shells have it."""

BREAK_LEASE = click.option("--break-lease", is_flag=True, help="Take the lake from another run that you know to be gone.")
MEMORY_LIMIT = click.option("--memory-limit", metavar="SIZE", help='Of the engine, such as "2GB".')
SHOW_PII = click.option("--show-pii", is_flag=True, help="Show personal data, which is masked otherwise.")
ENGINE = click.option("--engine", type=click.Choice(ENGINES), help="What computes; by default as aisle.toml says.")

_JSON = "aisle.json"


@dataclass(frozen=True)
class Reply:
    """What a command has to say: `data` to a machine, `text` to a person."""

    data: Mapping[str, Any]
    text: str
    exit_code: int = 0


class _Command(click.Command):
    """A command that returns a Reply."""

    def __init__(self, *args: Any, example: str, exits: Mapping[int, str], **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.example, self.exits = example, exits

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        # Known before the other options are read, so that their errors are said in JSON too.
        ctx.find_root().meta[_JSON] = "--json" in args
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> None:
        ctx.params.pop("as_json")
        reply: Reply = super().invoke(ctx)
        click.echo(to_json(reply.data) if wants_json(ctx) else reply.text)
        if reply.exit_code:
            ctx.exit(reply.exit_code)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  (click's signature)
        _epilog(self.example, self.exits, formatter)


def _epilog(example: str, exits: Mapping[int, str], formatter: click.HelpFormatter) -> None:
    with formatter.section("Example"):
        formatter.write("".join(f"  {line}\n" for line in example.splitlines()))
    if exits:
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(code), meaning) for code, meaning in exits.items()])


class Group(click.Group):
    """Commands on one thing. Without a word more it is the first of them."""

    def __init__(self, name: str, first: _Command, *others: _Command, about: str) -> None:
        super().__init__(name, help=about, commands=[first, *others])
        self.first = first
        self.example = "\n".join(c.example for c in (first, *others))
        self.exits = dict(sorted({code: said for c in (first, *others) for code, said in c.exits.items()}.items()))

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        asks_for_help = args and args[0] in ctx.help_option_names
        if not asks_for_help and (not args or args[0].startswith("-")):
            assert self.first.name is not None
            args = [self.first.name, *args]
        return super().parse_args(ctx, args)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  (click's signature)
        _epilog(self.example, self.exits, formatter)


def command(*, example: str, exits: Mapping[int, str] | None = None) -> Callable[[Callable[..., Reply]], _Command]:
    """Make a function that returns a Reply a command of its name, with --json."""

    def made(function: Callable[..., Reply]) -> _Command:
        with_json = click.option("--json", "as_json", is_flag=True, help="Answer with one JSON object.")(function)
        return click.command(function.__name__, cls=_Command, example=example, exits=exits or {})(with_json)

    return made


def wants_json(ctx: click.Context) -> bool:
    """Whether the command at hand answers in JSON."""
    return bool(ctx.find_root().meta.get(_JSON))


def complain(ctx: click.Context, kind: str, message: str, exit_code: int) -> NoReturn:
    """Say on stderr what is wrong, with --json as one object on stdout too, and exit."""
    click.echo(click.style("✗ ", fg="red") + message, err=True)
    if wants_json(ctx):
        click.echo(to_json({"error": {"kind": kind, "message": message, "exit_code": exit_code}}))
    ctx.exit(exit_code)


def to_json(data: object) -> str:
    """One JSON object. A decimal is a number where that is exact, else text; times are ISO 8601."""
    return json.dumps(data, default=_plain, ensure_ascii=False)


def _plain(value: object) -> Any:
    if isinstance(value, Decimal):
        number = float(value)
        return number if Decimal(repr(number)) == value else str(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, bytes | bytearray):
        return value.hex()
    if isinstance(value, Mapping):
        return dict(value)
    return str(value)
