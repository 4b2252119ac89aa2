"""SQL that is compiled once for a star, in whichever process: it is remembered in the user's cache, and what is remembered is right."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import ibis
import pytest

from aisle.engines import compiled as module
from aisle.engines.compiled import compiled, remembering


@pytest.fixture(autouse=True)
def _nothing_compiled_yet() -> None:
    compiled.cache_clear()


def aisle(folder: Path, *arguments: str, seed: str) -> None:
    surroundings = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache"), "PYTHONHASHSEED": seed}
    subprocess.run(
        [Path(sys.executable).with_name("aisle"), *arguments], check=True, cwd=folder, env=surroundings, capture_output=True
    )


def remembered(folder: Path) -> dict[str, str]:
    (file,) = (folder / "cache" / "aisle" / "sql").iterdir()
    found: dict[str, str] = json.loads(file.read_text())
    return found


def test_another_process_knows_an_expression_again(tmp_path: Path) -> None:
    known = []
    for shop in ("one", "two"):
        aisle(tmp_path, "init", shop, seed="1")
        aisle(tmp_path, "-C", shop, "generate", "--days", "3", "--orders-per-day", "8", seed="1")
        aisle(tmp_path, "-C", shop, "run", seed=str(len(known)))
        known.append(remembered(tmp_path))
    assert len(known[0]) > 30
    assert known[1] == known[0]


def sample() -> ibis.Table:
    table = ibis.table({"a": "string", "b": "int64", "c": "string"}, name="t")
    ranked = table.mutate(n=ibis.row_number().over(group_by="a", order_by=ibis.desc("b")))
    return ranked.drop("c", "b").filter(ranked["n"] == 0)


def test_what_is_remembered_is_what_is_compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    right = {d: compiled(sample().op(), d) for d in ("duckdb", "pyspark")}
    compiled.cache_clear()
    with remembering("star"):
        assert {d: compiled(sample().op(), d) for d in right} == right
    assert sorted(remembered(tmp_path).values()) == sorted(right.values())
    compiled.cache_clear()
    monkeypatch.setattr(module, "_compile", None)
    with remembering("star"):
        assert {d: compiled(sample().op(), d) for d in right} == right
        with pytest.raises(TypeError):  # an expression of which only a name differs is another
            compiled(sample().rename(z="a").op(), "duckdb")


@pytest.mark.parametrize("content", ["", "[1]", "{", "\xff"])
def test_a_broken_file_is_done_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with remembering("star"):
        compiled(sample().op(), "duckdb")
    (file,) = (tmp_path / "cache" / "aisle" / "sql").iterdir()
    file.write_bytes(content.encode("latin-1"))
    compiled.cache_clear()
    with remembering("star"):
        assert compiled(sample().op(), "duckdb").startswith("SELECT")
    assert list(remembered(tmp_path)) != []


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cache").write_text("no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    compiled.cache_clear()
    with remembering("star"):
        assert compiled(sample().op(), "duckdb").startswith("SELECT")
