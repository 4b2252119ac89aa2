"""A story: a page of documentation whose commands are run, and whose answers are what they really say.

    python scripts/story.py docs/steward.md           # run it, compare
    python scripts/story.py docs/steward.md --write   # run it, write what is said into the page

What is run are the lines that begin with `$ ` in blocks of `console`, one after the other in a new folder, by bash (in its folder `shop`, once it is there); what stands
below one, up to the next, is what it says on stdout, and on stderr if it fails. How long something took, and when it was
made, may differ.
"""

from __future__ import annotations

import argparse
import difflib
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)
VARYING = [
    (re.compile(r"\d+\.\d s\b"), "0.0 s"),
    (re.compile(r"\b20\d\d-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\+00:00)? (?= )"), "made at some time "),
    (re.compile(r"\d+\.\d ([kM]B)"), r"0.0 \1"),
]


def play(page: str, folder: Path) -> str:
    """The page, with what its commands say now."""
    surroundings = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(folder),
        "NO_COLOR": "1",
        "COLUMNS": "120",
    }

    def said(block: re.Match[str]) -> str:
        return "```console\n" + "".join(_played(block[1], folder, surroundings)) + "```"

    return BLOCK.sub(said, page)


def _played(block: str, folder: Path, surroundings: dict[str, str]) -> Iterator[str]:
    commands = [line.removeprefix("$ ") for line in block.splitlines() if line.startswith("$ ")]
    project = folder / "shop"
    for n, command in enumerate(commands):
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=project if project.exists() else folder,
            env=surroundings,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        out = done.stdout + (
            "".join(f"{line}\n" for line in done.stderr.splitlines() if "✗" in line or line.startswith("  "))
            if done.returncode
            else ""
        )
        yield "\n" * bool(n) + f"$ {command}\n" + "".join(f"{line.rstrip()}\n" for line in out.splitlines())


def settled(page: str) -> str:
    """A page without what may differ each time."""
    for pattern, instead in VARYING:
        page = pattern.sub(instead, page)
    return page


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("page", type=Path)
    options.add_argument("--write", action="store_true", help="write what is said into the page")
    given = options.parse_args()
    page = given.page.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory(prefix="aisle-story-") as folder:
        now = play(page, Path(folder))
    if given.write:
        given.page.write_text(now, encoding="utf-8")
    elif differing := list(
        difflib.unified_diff(settled(page).splitlines(), settled(now).splitlines(), "told", "said", lineterm="")
    ):
        raise SystemExit("\n".join(differing))


if __name__ == "__main__":
    main()
