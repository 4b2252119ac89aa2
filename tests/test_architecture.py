"""The folders are the way of the data: imports go one way."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SRC = Path(__file__).parents[1] / "src" / "aisle"

# What each room may know, besides itself, `errors` and `words`.
KNOWS = {
    "errors": set(),
    "words": set(),
    "declare": set(),
    "stages": {"declare"},
    "lake": {"declare"},
    "engines": {"declare", "stages", "lake"},
    "derive": {"declare"},
    "warehouses": {"declare", "derive", "lake"},
    "retail": {"aisle", "lake"},
    "provision": set(),
    "run": {"declare", "stages", "lake", "engines"},
    "steward": {"declare", "derive", "stages", "lake", "engines", "run"},
    "project": {"declare", "lake", "run"},
    "report": {"declare", "derive", "stages", "lake", "engines", "run", "steward"},
    "opened": {"declare", "steward", "project"},
}
# What is looked at where it is declared: a star shows its picture in a notebook.
SHOWS = {"declare/star.py": {"derive"}}
MODULES = sorted(p for p in SRC.rglob("*.py") if p.relative_to(SRC).parts[0].removesuffix(".py") in KNOWS)


@pytest.mark.parametrize("module", MODULES, ids=lambda p: str(p.relative_to(SRC)))
def test_a_room_knows_only_the_rooms_before_it(module: Path) -> None:
    room = module.relative_to(SRC).parts[0].removesuffix(".py")
    known = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "aisle":
            known |= {node.module.split(".")[1]} if "." in node.module else {"aisle"}
        elif isinstance(node, ast.Import):
            known |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("aisle.")}
    assert known <= KNOWS[room] | {room, "errors", "words"} | SHOWS.get(module.relative_to(SRC).as_posix(), set())


@pytest.mark.parametrize("room", ["declare", "stages"])
def test_the_middle_is_pure(room: str) -> None:
    """No clock, no path, no connection, no engine in declarations and stages."""
    forbidden = {"duckdb", "deltalake", "pyspark", "pathlib", "os", "time", "random", "socket", "subprocess"}
    for module in (SRC / room).glob("*.py"):
        for node in ast.walk(ast.parse(module.read_text())):
            names = (
                [a.name for a in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            assert not forbidden & {n.split(".")[0] for n in names}, module
