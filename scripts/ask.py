"""Asks a project's warehouse the questions of a SQL file, and prints each with its answer.

    python scripts/ask.py PROJECT QUESTIONS.sql

Questions are statements that end with a semicolon; the comment above one says it in words.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from aisle.cli import main as aisle


def questions(text: str) -> Iterator[tuple[str, str]]:
    """Each question's words, and its statement."""
    for part in text.split(";\n"):
        # A comment that is set off by an empty line belongs to the file, not to the question.
        lines = part.strip().split("\n\n")[-1].splitlines()
        words = [re.sub(r"^-- ?", "", line) for line in lines if line.startswith("--")]
        statement = "\n".join(line for line in lines if not line.startswith("--"))
        if statement.strip():
            yield "\n".join(words), statement


def main() -> None:
    project, file = sys.argv[1:]
    for words, statement in questions(Path(file).read_text(encoding="utf-8") + "\n"):
        print(f"\n{words}\n", flush=True)
        if code := aisle(["-C", project, "query", statement], standalone_mode=False):
            sys.exit(code)


if __name__ == "__main__":
    main()
