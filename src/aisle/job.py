"""The command line, as a cluster's job calls it: Databricks by the wheel's entry point `aisle-job`, EMR by `deploy/emr/job.py`.

A command that is done must come back rather than end the interpreter: to a job of Databricks even exit code 0 is a failure.
"""

from __future__ import annotations

import click

from aisle.cli import main as cli


def main(*arguments: str) -> None:
    """Do what the command line does with these arguments, by default the process's own.

    Raises:
        SystemExit: it failed, with its exit code; what was wrong is on stderr.
    """
    try:
        code = cli.main(list(arguments) or None, prog_name="aisle", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        raise SystemExit(error.exit_code) from None
    if code:
        raise SystemExit(code)
