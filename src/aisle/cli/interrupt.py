"""Ctrl-C: remembered, not only raised.

Python raises KeyboardInterrupt wherever it happens to be: inside a library's callback it is
swallowed, inside a query DuckDB turns it into an error of its own. So it is remembered too, and
asked for between the steps of a run and whenever something fails.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import NoReturn

import click

_KEY = "aisle.interrupted"


@contextlib.contextmanager
def remembered(ctx: click.Context) -> Iterator[None]:
    """Remember an interrupt while the block runs."""
    if threading.current_thread() is not threading.main_thread():  # only there signals arrive
        yield
        return

    def remember(signal_number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001  (signal's signature)
        ctx.find_root().meta[_KEY] = True
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, remember)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def interrupted(ctx: click.Context) -> bool:
    """Whether the user asked to stop."""
    return bool(ctx.find_root().meta.get(_KEY))
