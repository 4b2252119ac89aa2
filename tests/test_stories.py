"""The pages that tell a story by commands and their answers: they are what the commands really say."""

from __future__ import annotations

import difflib
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "scripts"))

from story import play, settled  # noqa: E402


@pytest.mark.parametrize("page", ["docs/steward.md"])
def test_a_page_tells_what_its_commands_say(page: str, tmp_path: Path) -> None:
    told = (ROOT / page).read_text(encoding="utf-8")
    said = play(told, tmp_path)
    differing = list(difflib.unified_diff(settled(told).splitlines(), settled(said).splitlines(), "told", "said", lineterm=""))
    assert not differing, "\n".join([*differing, f"If that is right: python scripts/story.py {page} --write"])
