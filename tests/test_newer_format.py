"""A lake of a newer format than this aisle knows: refused with the table's name, the reason, and a remedy that works."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable

import kiosk
from aisle.errors import NewerFormat
from aisle.run import run

SALES = "gold/fact_sales"
DELETED = {"storageType": "u", "pathOrInlineDv": "vBn[lx{q8@P<9BNH/isA", "offset": 1, "sizeInBytes": 36, "cardinality": 2}


def features(*names: str) -> dict[str, Any]:
    written = ["appendOnly", "invariants", *names]
    return {"protocol": {"minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": [*names], "writerFeatures": written}}


NEWER = {
    "deletion vectors": (features("deletionVectors"), "the reader feature deletionVectors"),
    "columns by another name": (features("columnMapping", "typeWidening"), "the reader features columnMapping, typeWidening"),
    "what deltalake does not know": (features("fromTheFuture"), "fromTheFuture"),
    "a later reader": ({"protocol": {"minReaderVersion": 4, "minWriterVersion": 8}}, "reader version 4"),
    "a writer's feature": (
        {"protocol": {"minReaderVersion": 1, "minWriterVersion": 7, "writerFeatures": ["rowTracking", "domainMetadata"]}},
        "the writer features domainMetadata, rowTracking",
    ),
    "what deltalake does not write": (features("vacuumProtocolCheck"), "the writer feature vacuumProtocolCheck"),
    "a later writer": ({"protocol": {"minReaderVersion": 1, "minWriterVersion": 4}}, "writer version 4"),
}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A kiosk with one release, and drops for the next."""
    kiosk.deliver(tmp_path, kiosk.FIRST)
    kiosk.run_it(tmp_path)
    kiosk.deliver(tmp_path, kiosk.SECOND)
    return tmp_path


def by_another(table: Path, *actions: dict[str, Any]) -> None:
    """A commit of somebody else's software."""
    version = DeltaTable(str(table)).version() + 1
    lines = [{"commitInfo": {"timestamp": 1_760_000_000_000, "operation": "OPTIMIZE", "engineInfo": "another"}}, *actions]
    (table / "_delta_log" / f"{version:020}.json").write_text("\n".join(map(json.dumps, lines)) + "\n")


@pytest.mark.parametrize(
    ("what", "engine"),
    [*((what, "duckdb") for what in NEWER), pytest.param("deletion vectors", "spark", marks=pytest.mark.spark)],
)
def test_a_run_refuses_a_table_that_asks_for_more(what: str, engine: str, place: Path, request: pytest.FixtureRequest) -> None:
    session = request.getfixturevalue("spark") if engine == "spark" else None
    before = kiosk.in_lake(place)
    protocol, said = NEWER[what]
    by_another(place / "lake" / SALES, protocol)
    with pytest.raises(NewerFormat) as told:
        run(kiosk.STAR, lake=place / "lake", landing=place / "landing", spark=session)
    assert SALES in str(told.value)
    assert said in str(told.value)
    assert kiosk.in_lake(place) == before


def test_files_whose_rows_are_partly_deleted_are_not_taken_for_whole(place: Path) -> None:
    """A release that names such a version is refused to readers as well; what the message says to do is what helps."""
    table = place / "lake" / SALES
    log = table / "_delta_log"
    released = kiosk.releases(place)[1][SALES]
    file = next(json.loads(line)["add"] for line in (log / f"{released:020}.json").read_text().splitlines() if '"add"' in line)
    gone = {
        "remove": {"path": file["path"], "dataChange": True, "deletionTimestamp": 1, "partitionValues": file["partitionValues"]}
    }
    by_another(table, features("deletionVectors"), gone, {"add": file | {"deletionVector": DELETED}})
    kiosk.check_it(place)  # the release's own version is as it was
    with pytest.raises(NewerFormat) as told:
        kiosk.run_it(place)
    assert f"remove every file whose number is above {released}, " in str(told.value)
    assert str(log) in str(told.value)
    aside = shutil.copytree(place, place / "aside")
    release = aside / "lake" / "_releases" / "00000001.json"
    text = json.loads(release.read_text())
    text["tables"][SALES] += 1
    release.write_text(json.dumps(text))
    with pytest.raises(NewerFormat, match=r"gold/fact_sales .* the reader feature deletionVectors"):
        kiosk.check_it(aside)
    for entry in log.iterdir():
        if entry.name == "_last_checkpoint" or int(entry.name[:20]) > released:
            entry.unlink()
    kiosk.run_it(place)
    kiosk.check_it(place)


def test_a_feature_that_changes_nothing_is_no_hindrance(place: Path) -> None:
    by_another(place / "lake" / SALES, features("timestampNtz"))
    kiosk.run_it(place)
    kiosk.check_it(place)


@pytest.mark.parametrize("act", [kiosk.run_it, kiosk.check_it, kiosk.undo_it, kiosk.load_it])
def test_a_release_of_a_newer_format_is_refused(act: Any, place: Path) -> None:
    release = place / "lake" / "_releases" / "00000001.json"
    content = json.loads(release.read_text())
    content |= {"format": 2, "branches": {}, "run": content["run"] | {"aisle": "9.1"}}
    release.write_text(json.dumps(content))
    with pytest.raises(NewerFormat, match=r"Release 1 of the lake .*is of format 2(.|\n)*made by aisle 9\.1: use that version"):
        act(place)
