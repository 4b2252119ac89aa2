"""The two words of a peer's script."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path


def main(take: Callable[[Path, Path, str], None], answer: Callable[[Path, Path], None]) -> None:
    """Do what the command line says: `take LANDING WORK BATCH`, or `answer WORK OUT`."""
    match sys.argv[1:]:
        case ["take", landing, work, batch]:
            take(Path(landing), Path(work), batch)
        case ["answer", work, out]:
            answer(Path(work), Path(out))
        case _:
            raise SystemExit(f"{sys.argv[0]} take LANDING WORK BATCH | answer WORK OUT")
