"""Old releases go, and the files that no other needs, no more and no less; small files become large ones of the same rows.

What is left is looked at with deltalake and DuckDB alone, at every version that a kept release names.
"""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from deltalake import DeltaTable, write_deltalake

from aisle.cli import main
from aisle.errors import ConfigError, LakeError, LeaseHeld, NothingDelivered
from aisle.lake.lake import Lake
from aisle.lake.releases import Releases
from aisle.lake.storage import open_storage
from aisle.run.check import check
from aisle.run.undo import undo
from aisle.steward.diff import diff
from aisle.steward.past import past
from aisle.steward.retention import KINDS, Removed, compact, vacuum
from faults import Fault
from forks import Forks, Task
from kiosk import FIRST, SECOND, STAR, break_in, check_it, compact_it, deliver, run_it, vacuum_it
from lakes import content, rows
from places import DuckDBFile, Place
from shelf import FEBRUARY, JANUARY, SHOP, assert_loaded, stocked
from test_crash import points

WRONG = {"members/04.csv": "member,city,at\n9,Nowhere,2025-01-01\n"}
FIFTH = {"entries/05.csv": "ticket,entry,amount,at\n2,3,7.70,2025-03-10\n"}
SIXTH = {"entries/06.csv": "ticket,entry,amount,at\n2,4,8.80,2025-03-10\n"}
LAST = {
    "members/07.csv": "member,city,at\n2,Paris,2025-03-01\n",
    "entries/07.csv": "ticket,entry,amount,at\n3,2,1.00,2025-03-11\n",
}

COMPACTED, NEWEST = 8, 9
KEEP, KEPT, FORGOTTEN = 5, [9, 8, 7, 6, 4, 2], [3, 1]
"""5 is void, and release 4 restores the second."""


@pytest.fixture(scope="module")
def aged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A kiosk of nine releases: a wrong drop was taken (3) and undone (4), a lease was lost (5), files were merged (8)."""
    place = tmp_path_factory.mktemp("aged")
    for drops in (FIRST, SECOND, WRONG):
        deliver(place, drops)
        run_it(place)
    undo(STAR, lake=place / "lake")
    (place / "landing/members/04.csv").unlink()
    Releases(open_storage(place / "lake")).void("a test")
    for drops in (FIFTH, SIXTH):
        deliver(place, drops)
        run_it(place)
    compact(STAR, lake=place / "lake")
    deliver(place, LAST)
    run_it(place)
    return place


@pytest.fixture
def place(aged: Path, tmp_path: Path) -> Path:
    """A copy of it, to be changed."""
    shutil.copytree(aged, tmp_path / "kiosk")
    return tmp_path / "kiosk"


def versions(place: Path) -> dict[int, dict[str, int]]:
    """The versions of the tables, by release, but for void ones."""
    found = {int(f.stem): json.loads(f.read_text()) for f in sorted((place / "lake/_releases").glob("[0-9]*.json"))}
    return {number: release["tables"] for number, release in found.items() if "void" not in release}


def contents(place: Path, *releases: int) -> dict[int, Any]:
    named = versions(place)
    return {n: content(place / "lake", *named[n], versions=named[n]) for n in releases}


def files(place: Path) -> dict[str, int]:
    """Every file of a lake, but for Delta's logs, with its bytes."""
    lake = place / "lake"
    found = (f for f in lake.rglob("*") if f.is_file() and "_delta_log" not in f.parts)
    return {f.relative_to(lake).as_posix(): f.stat().st_size for f in found}


def named_by(place: Path, releases: list[int]) -> set[str]:
    """The files that releases need: those of their tables' versions, those that their ledgers name, and their own."""
    lake, found = place / "lake", {f"_releases/{n:08}.json" for n in releases}
    for n in releases:
        for table, version in versions(place)[n].items():
            uris = DeltaTable(str(lake / table), version=version).file_uris()
            found |= {Path(unquote(uri)).relative_to(lake).as_posix() for uri in uris}
        found |= {row["path"] for row in rows(lake, "bronze/_ledger", version=versions(place)[n]["bronze/_ledger"])}
    return found


def test_what_kept_releases_need_stays_and_all_else_goes(place: Path) -> None:
    before, was, needed = contents(place, *KEPT), files(place), named_by(place, KEPT)
    expected = was.keys() - needed - {"_releases/00000005.json"}
    told = vacuum(STAR, lake=place / "lake", keep=KEEP, dry_run=True)
    assert files(place) == was, "a dry run does nothing"
    done = vacuum(STAR, lake=place / "lake", keep=KEEP)
    assert (list(done.kept), list(done.forgotten)) == (KEPT, FORGOTTEN)
    assert was.keys() - files(place).keys() == expected
    assert {p for p in expected if p.startswith("_releases")} == {f"_releases/{n:08}.json" for n in FORGOTTEN}
    by_kind = {
        "data": {p for p in expected if p.startswith(("gold", "silver", "quarantine", "bronze/_ledger"))},
        "bronze": {p for p in expected if p.startswith("bronze/members")},  # the wrong drop
        "litter": set(),
    }
    assert len(by_kind["bronze"]) == 1
    assert len(by_kind["data"]) > 3
    assert done.removed == {kind: Removed(len(p), sum(was[f] for f in p)) for kind, p in by_kind.items()}
    assert (told.removed, told.kept, told.forgotten) == (done.removed, done.kept, done.forgotten)
    assert contents(place, *KEPT) == before
    assert [p for p in (place / "lake").rglob("*") if p.is_dir() and not list(p.iterdir())] == []
    again = vacuum(STAR, lake=place / "lake", keep=KEEP)
    assert (again.forgotten, set(again.removed.values())) == ((), {Removed()})
    assert_forgotten(place / "lake", 3)
    assert undo(STAR, lake=place / "lake", to=4).restores == 4  # which is the content of the second
    assert contents(place, 10)[10] == before[2]
    run_it(place)
    assert content(place / "lake", "gold/fact_sales") == {"gold/fact_sales": before[NEWEST]["gold/fact_sales"]}
    assert [f.law for f in check(STAR, lake=place / "lake", anew="duckdb") if not f.holds] == []


def assert_forgotten(lake: Path, release: int) -> None:
    for ask in (
        lambda: undo(STAR, lake=lake, to=release),
        lambda: diff(STAR, lake=lake, before=release),
        lambda: past(STAR, lake=lake, as_known=release).__enter__(),
    ):
        with pytest.raises(LakeError, match=f"The lake has no release {release}: the newest are 9, 8, 7, 6, 4"):
            ask()


def test_the_newest_alone_may_be_kept_and_the_age_keeps_more(place: Path) -> None:
    lake = place / "lake"
    assert vacuum(STAR, lake=lake, keep=1, older_than=1).forgotten == ()
    before = contents(place, NEWEST)
    assert vacuum(STAR, lake=lake, keep=1).kept == (NEWEST,)
    assert files(place).keys() - {"_releases/00000005.json"} == named_by(place, [NEWEST])
    assert contents(place, NEWEST) == before
    with pytest.raises(NothingDelivered, match="the first that the lake knows"):
        undo(STAR, lake=lake)
    deliver(place, WRONG)
    run_it(place)
    assert max(versions(place)) == NEWEST + 1
    assert undo(STAR, lake=lake).restores == NEWEST


def test_litter_goes_and_what_is_not_ours_stays(place: Path) -> None:
    lake = place / "lake"
    dead = "gold/fact_sales/part-0f0f"
    litter = [
        f"{dead}/_temporary/0/task_1/part-0.parquet",
        f"{dead}/_SUCCESS",
        f"{dead}/.part-0.parquet.crc",
        "_check/0f0f/gold/dim_date/part-1.parquet",
        "_check/0f0f/bronze/x.csv",
        "bronze/_incoming/.abc.tmp",
        "bronze/_incoming/spark-1/part-0.parquet",
    ]
    unnamed = [f"{dead}/_month=2025-01/part-0.parquet", "silver/members/tmp_part-1.parquet", "gold/dim_dead/part-1.parquet"]
    foreign = ["gold/fact_sales/README.txt", "gold/note.parquet", "bronze/members/ab/note.csv", "gold/fact_sales/_mine/x.parquet"]
    for path in (*litter, *unnamed, *foreign):
        (lake / path).parent.mkdir(parents=True, exist_ok=True)
        (lake / path).write_bytes(b"12345")
    # A table of a former star, which no kept release names: its newest version is what it is.
    for n, mode in enumerate(("error", "overwrite")):
        write_deltalake(lake / "gold/dim_former", pa.table({"a": [n]}), mode=mode)
    kept = {Path(unquote(uri)).relative_to(lake).as_posix() for uri in DeltaTable(lake / "gold/dim_former").file_uris()}
    was = files(place)
    done = vacuum(STAR, lake=lake, keep=100)
    gone = was.keys() - files(place).keys()
    assert gone & {*litter, *unnamed, *foreign} == {*litter, *unnamed}
    assert done.removed["litter"] == Removed(len(litter), 5 * len(litter))
    assert {p for p in files(place) if p.startswith("gold/dim_former")} == kept
    assert done.forgotten == ()
    assert named_by(place, list(versions(place))) <= files(place).keys()  # the drop that was undone among them
    assert not (lake / "_check").exists()
    assert not (lake / dead).exists()
    check_it(place)


def test_a_release_that_cannot_be_read_is_not_taken_for_one_that_needs_nothing(place: Path) -> None:
    sales = DeltaTable(place / "lake/gold/fact_sales")
    sales.create_checkpoint()
    for commit in range(sales.version()):  # as Delta cleans them away in time
        (place / f"lake/gold/fact_sales/_delta_log/{commit:020}.json").unlink()
    was = files(place)
    with pytest.raises(LakeError, match=r"Release 8 cannot be kept.*no readable Delta log.*--keep 1"):
        vacuum(STAR, lake=place / "lake", keep=100)
    assert files(place) == was
    before = contents(place, NEWEST)
    assert vacuum(STAR, lake=place / "lake", keep=1).kept == (NEWEST,)
    assert contents(place, NEWEST) == before


def test_bad_input(place: Path, tmp_path: Path) -> None:
    lake = place / "lake"
    with pytest.raises(ConfigError, match="0 releases cannot be kept"):
        vacuum(STAR, lake=lake, keep=0)
    with pytest.raises(ConfigError, match="no table 'fact_sale': did you mean 'fact_sales'"):
        compact(STAR, lake=lake, tables=["fact_sale"])
    for act in (vacuum, compact):
        with pytest.raises(NothingDelivered):
            act(STAR, lake=tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()
    with pytest.raises(LakeError, match="not the one that release 9 was made by"):
        compact(SHOP, lake=lake)
    with Lake(lake, STAR).writing(), pytest.raises(LeaseHeld):
        vacuum(STAR, lake=lake)


def test_small_files_become_one_of_the_same_rows(aged: Path) -> None:
    lake, named = aged / "lake", versions(aged)
    found = contents(aged, COMPACTED - 1, COMPACTED)
    assert found[COMPACTED] == found[COMPACTED - 1]
    merged = json.loads((lake / f"_releases/{COMPACTED:08}.json").read_text())["run"]["compacts"]["tables"]
    assert {"bronze/_ledger", "silver/entries", "gold/fact_sales"} <= merged.keys()
    for table, version in named[COMPACTED].items():
        folders = [Path(unquote(uri)).parent for uri in DeltaTable(str(lake / table), version=version).file_uris()]
        assert len(folders) == len(set(folders)), table  # one for each month
        assert (named[COMPACTED - 1][table] != version) == (table in merged)
        if table in merged:
            log = [json.loads(line) for line in (lake / table / f"_delta_log/{version:020}.json").read_text().splitlines()]
            changes = [action["dataChange"] for line in log for action in (line.get("add"), line.get("remove")) if action]
            assert len(changes) == merged[table]["files"] + merged[table]["into"]
            assert not any(changes)
    assert diff(STAR, lake=lake, before=COMPACTED - 1, after=COMPACTED).tables == ()


def test_a_run_after_it_is_right(aged: Path, tmp_path: Path) -> None:
    for drops in (FIRST, SECOND, FIFTH, SIXTH, LAST):
        deliver(tmp_path, drops)
    run_it(tmp_path)  # all at once, and no file was merged
    tables = [t for t in versions(aged)[NEWEST] if t.startswith(("gold", "silver"))]
    assert content(aged / "lake", *tables) == content(tmp_path / "lake", *tables)
    assert [f.law for f in check(STAR, lake=aged / "lake", anew="duckdb") if not f.holds] == []


def test_nothing_to_merge_makes_no_release_and_an_undo_goes_past_a_compaction(place: Path) -> None:
    lake, before = place / "lake", contents(place, COMPACTED, NEWEST)
    assert compact(STAR, lake=lake, small=1).release == NEWEST
    assert list(compact(STAR, lake=lake, tables=["ledger", "silver/entries"]).tables) == ["bronze/_ledger", "silver/entries"]
    assert compact(STAR, lake=lake, tables=["ledger"]).release == NEWEST + 1
    assert contents(place, NEWEST + 1)[NEWEST + 1] == before[NEWEST]
    with pytest.raises(LakeError, match="has the content of release 9 already"):
        undo(STAR, lake=lake, to=NEWEST)
    undone = undo(STAR, lake=lake)
    assert undone.drops == {"members": ["07.csv"], "entries": ["07.csv"]}
    assert contents(place, undone.release)[undone.release] == before[COMPACTED]


def test_files_are_merged_no_larger_than_a_correction_can_bear(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shelf = stocked(tmp_path)
    size = max(shelf.put("fact_sales", [(n, *JANUARY[0][1:])], month="2024-01").size for n in range(10, 16))
    shelf.publish()
    monkeypatch.setattr("aisle.steward.retention._LARGE", 3 * size + size // 2)
    merged = compact(SHOP, lake=tmp_path).tables["gold/fact_sales"]
    assert (merged.files, merged.into) in {(6, 2), (7, 3)}
    assert len(shelf.rows("fact_sales")) == len(JANUARY) + len(FEBRUARY) + 6


@pytest.fixture(params=["duckdb", "postgres"])
def warehouse(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return DuckDBFile(tmp_path / "shop.duckdb") if request.param == "duckdb" else request.getfixturevalue("database")


def test_a_load_after_it_moves_no_row(warehouse: Place, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    shelf = stocked(lake)
    shelf.put("fact_sales", [(9, 1, 12, 20240115, None, "2024-01-02 10:00:00+00", "3.00")], month="2024-01")
    shelf.publish()
    shelf.load(warehouse)
    done = compact(SHOP, lake=lake)
    assert list(done.tables) == ["gold/fact_sales"]
    [january] = (lake / "gold/fact_sales/_month=2024-01").glob("part-*.parquet")
    at = pq.read_table(january).column("at").to_pylist()
    assert at == sorted(at)
    assert len(at) == len(JANUARY) + 1
    loaded = shelf.load(warehouse)
    assert (loaded.release, loaded.mode) == (done.release, "incremental")
    assert [(m.inserted, m.deleted) for m in loaded.tables.values()] == [(0, 0)]
    assert_loaded(shelf, warehouse)
    vacuum(SHOP, lake=lake, keep=1)
    assert shelf.load(warehouse).mode == "up to date"


def test_a_warehouse_that_was_left_behind_is_loaded_anew(tmp_path: Path) -> None:
    shelf, place = stocked(tmp_path / "lake"), DuckDBFile(tmp_path / "shop.duckdb")
    shelf.load(place)
    shelf.put("fact_sales", [], remove=[shelf.january])
    shelf.publish()
    vacuum(SHOP, lake=tmp_path / "lake", keep=1)
    loaded = shelf.load(place)
    assert (loaded.mode, loaded.why) == ("full", "Release 1, which the warehouse holds, is no longer in the lake.")
    assert_loaded(shelf, place)


def test_a_lake_on_s3(s3: Any, bucket: str) -> None:
    shelf = stocked(f"s3://{bucket}/lake")
    shelf.put("fact_sales", [(9, 1, 12, 20240115, None, "2024-01-02 10:00:00+00", "3.00")], month="2024-01")
    shelf.publish()
    before = shelf.rows("fact_sales")
    s3.put_object(Bucket=bucket, Key="lake/_check/dead/x.parquet", Body=b"x")
    s3.put_object(Bucket=bucket, Key="lake/bronze/_incoming/spark-dead/x.parquet", Body=b"x")
    address = f"s3://{bucket}/lake"
    assert compact(SHOP, lake=address).release == 3
    done = vacuum(SHOP, lake=address, keep=1)
    assert done.forgotten == (2, 1)
    assert (done.removed["data"].files, done.removed["litter"]) == (2, Removed(2, 2))
    keys = {found["Key"].removeprefix("lake/") for found in s3.list_objects_v2(Bucket=bucket)["Contents"]}
    left = {key for key in keys if "_delta_log" not in key and key != "_lease.json"}
    options = shelf.lake.storage.delta_options
    uris = {uri for table in shelf.lake.gold.values() for uri in DeltaTable(table.url, storage_options=options).file_uris()}
    assert left == {unquote(uri).removeprefix(f"{address}/") for uri in uris} | {"_releases/00000003.json"}
    assert shelf.rows("fact_sales") == before


def held(place: Path) -> dict[int, dict[str, dict[str, bytes]]]:
    """What a reader of each release finds: its tables' files at their versions, with their bytes."""
    lake = place / "lake"

    @cache
    def at(table: str, version: int) -> dict[str, bytes]:
        uris = [Path(unquote(uri)) for uri in DeltaTable(str(lake / table), version=version).file_uris()]
        return {uri.relative_to(lake).as_posix(): uri.read_bytes() for uri in uris}

    return {n: {table: at(table, v) for table, v in tables.items()} for n, tables in versions(place).items()}


def killed_at_each_point(
    forks: Forks,
    tmp_path: Path,
    start: Path,
    action: Callable[[Path], None],
    subtests: pytest.Subtests,
    judge: Callable[[Path], None],
) -> None:
    def fresh(name: str) -> Path:
        place = tmp_path / name
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(start / "lake", place / "lake")
        return place

    def task(place: Path, fault: Fault | None = None, *, watch: bool = False) -> Task:
        return Task(f"{action.__module__}:{action.__name__}", place, "lake", fault, watch)

    undisturbed = task(fresh("undisturbed"), watch=True)
    assert (forks.perform(undisturbed), undisturbed.outcome.error, undisturbed.outcome.unseen) == (0, "", [])
    acts = undisturbed.outcome.acts
    for fault in points(acts):
        assert isinstance(fault.act, int)
        with subtests.test(f"{fault.kind} at {acts[fault.act] if fault.act < len(acts) else 'the end'}"):
            place = fresh("disturbed")
            assert forks.perform(task(place, fault)) == -signal.SIGKILL
            judge(place)


def test_a_vacuum_killed_at_any_point_harms_no_release_and_is_finished_by_another(
    aged: Path, forks: Forks, tmp_path: Path, subtests: pytest.Subtests
) -> None:
    before, needed = held(aged), named_by(aged, KEPT)

    def judge(place: Path) -> None:
        found = held(place)
        assert found.keys() >= set(KEPT)
        assert found == {n: before[n] for n in found}, "what is listed can be read"
        vacuum_it(place)
        assert {f for f in files(place) if "/" in f} - voids(place) == needed, (
            "but for what taking a lease left in the lake itself"
        )
        assert held(place) == {n: before[n] for n in KEPT}

    killed_at_each_point(forks, tmp_path, aged, vacuum_it, subtests, judge)


def voids(place: Path) -> set[str]:
    found = (place / "lake/_releases").glob("[0-9]*.json")
    return {f"_releases/{f.name}" for f in found if "void" in json.loads(f.read_text())}


def test_a_compaction_killed_at_any_point_harms_no_release_and_is_finished_by_another(
    aged: Path, forks: Forks, tmp_path: Path, subtests: pytest.Subtests
) -> None:
    before, merged = held(aged), ["bronze/_ledger", "gold/fact_sales"]
    rows_before = content(aged / "lake", *merged)

    def judge(place: Path) -> None:
        assert {n: found for n, found in held(place).items() if n in before} == before
        compact_it(place)
        named = versions(place)
        assert len(named) == len(before) + 1
        assert content(place / "lake", *merged, versions=named[max(named)]) == rows_before
        assert {n: found for n, found in held(place).items() if n in before} == before

    killed_at_each_point(forks, tmp_path, aged, compact_it, subtests, judge)


def test_a_vacuum_that_lost_its_lease_does_no_more(place: Path, forks: Forks) -> None:
    before, going = held(place), files(place).keys() - named_by(place, KEPT)
    first = min(path for path in going if path.startswith("bronze/_ledger"))
    task = Task("kiosk:vacuum_it", place, "lake", Fault("stop", ("remove", first)))
    pid = forks.start(task)
    assert forks.wait(pid) == -signal.SIGSTOP
    deliver(place, WRONG)  # once more: its bytes are in bronze still, and on the list of what goes
    break_in(place)
    assert forks.go_on(pid) == 0
    assert task.outcome.error == "LeaseLost"
    assert {n: found for n, found in held(place).items() if n in KEPT} == {n: before[n] for n in KEPT}
    assert named_by(place, [max(versions(place))]) <= files(place).keys()
    check_it(place)


def test_the_commands(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "star.py").write_text("from kiosk import STAR as star\n")
    (place / "aisle.toml").write_text('star = "star.py:star"\nlanding = "landing"\nlake = "lake"\nwarehouse = "w.duckdb"\n')
    monkeypatch.chdir(place)

    def aisle(*words: str, exits: int = 0) -> str:
        result = CliRunner().invoke(main, words)
        assert result.exit_code == exits, result.output
        return result.output if exits else result.stdout

    told = aisle("vacuum", "--keep", str(KEEP), "--dry-run")
    assert "2 releases would be forgotten (1, 3); 6 releases are kept: 2, 4, 6-9." in told
    assert "delivered files that no kept release took      1" in told
    assert "Nothing was done." in told
    did = json.loads(aisle("vacuum", "--keep", str(KEEP), "--json"))
    assert (did["forgotten"], did["kept"]) == (FORGOTTEN, KEPT)
    assert did["removed"].keys() == set(KINDS)
    assert "There is no file that none of them needs." in aisle("vacuum", "--keep", str(KEEP))
    assert "bronze/_ledger" in aisle("compact")
    assert json.loads(aisle("compact", "--json")) | {"seconds": 0} == {"release": 10, "tables": {}, "seconds": 0}
    assert "There are no small files to merge: release 10 stands." in aisle("compact")
    assert "compact: " in aisle("releases").splitlines()[2]
    assert "0 is not in the range" in aisle("vacuum", "--keep", "0", exits=2)
    assert "did you mean 'entries'" in aisle("compact", "entrys", exits=2)
    assert "The lake has no release 3" in aisle("undo", "--to", "3", exits=4)
