"""The command line: thin. It reads options, calls, and shows; `aisle --help` imports nothing heavy."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Any

import click

from aisle.cli import (
    check,
    compact,
    diff,
    explain,
    export,
    forget,
    generate,
    init,
    load,
    plan,
    provision,
    quarantine,
    query,
    releases,
    replace,
    replay,
    report,
    run,
    sql,
    status,
    undo,
    vacuum,
)
from aisle.cli.command import INTERRUPTED, complain
from aisle.cli.interrupt import interrupted, remembered
from aisle.errors import AisleError

EXIT_CODES = {
    0: "done; also if there was nothing to do",
    1: "aisle itself failed",
    2: "a wrong option, setting or declaration; no data was read",
    3: "nothing was delivered yet",
    4: "the lake cannot be read or written as asked",
    5: "another run is writing to the lake, or broke this run's lease",
    6: "a law does not hold: no release was made, or `aisle check` found it broken",
    7: "the warehouse cannot be loaded or asked",
    8: "AWS did not make what was asked for",
    INTERRUPTED: "interrupted; the last release stands",
}


_INTERRUPTED = "Interrupted. The last release stands; run again to go on."
_REMEDY = "The last release stands. To see where: aisle --traceback …"


class _Aisle(click.Group):
    """The group of all commands: here what goes wrong becomes a few plain lines and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with remembered(ctx):
                return super().invoke(ctx)
        except KeyboardInterrupt:
            complain(ctx, "Interrupted", _INTERRUPTED, INTERRUPTED)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except Exception as error:
            if interrupted(ctx):
                complain(ctx, "Interrupted", _INTERRUPTED, INTERRUPTED)
            if ctx.params["traceback"]:
                raise
            message = str(error)
            if not isinstance(error, AisleError):
                message = f"aisle itself failed: {type(error).__name__}: {message}\n  {_REMEDY}"
            complain(ctx, type(error).__name__, message, getattr(error, "exit_code", AisleError.exit_code))

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  (click's signature)
        with formatter.section("Example"):
            formatter.write("  aisle init shop && cd shop\n  aisle generate --days 30 && aisle run && aisle load\n")
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(code), meaning) for code, meaning in EXIT_CODES.items()])


@click.group(cls=_Aisle, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="aisle", message="%(prog)s %(version)s")
@click.option(
    "-C", "folder", type=click.Path(path_type=Path, exists=True, file_okay=False), help="Work as if started in this folder."
)
@click.option("--traceback", is_flag=True, envvar="AISLE_TRACEBACK", help="Show where in aisle an error arose, for developers.")
@click.pass_context
def main(ctx: click.Context, /, folder: Path | None, traceback: bool) -> None:  # noqa: ARG001  (read from the context)
    """From raw retail files to a star in the warehouse, from one declaration.

    The settings of a project are in its aisle.toml; each can be overridden by an environment
    variable, such as AISLE_LAKE.
    """
    if folder is not None:
        ctx.call_on_close(partial(os.chdir, Path.cwd()))
        os.chdir(folder)


for _command in (
    init.init,
    generate.generate,
    run.run,
    load.load,
    status.status,
    check.check,
    report.report,
    explain.explain,
    releases.releases,
    diff.diff,
    undo.undo,
    quarantine.quarantine,
    plan.plan,
    replay.replay,
    replace.replace,
    compact.compact,
    vacuum.vacuum,
    forget.forget,
    sql.sql,
    export.export,
    query.query,
    provision.provision,
):
    main.add_command(_command)
