"""What is forgotten is in no file any more, whatever the order of things and whatever kills it; all else stays (docs/decisions/021).

Each file under the lake is decoded here with pyarrow, csv, json and gzip: not with aisle's own reading.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import shutil
import signal
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import unquote

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result
from deltalake import DeltaTable

import club
from aisle import Degenerate, Dimension, Fact, Lookup, Money, NaturalKey, Overwrite, Pii, Source, Star, Sum, Was, by
from aisle.cli import main
from aisle.engines.duckdb.engine import DuckDBEngine
from aisle.engines.duckdb.erasing import Looking
from aisle.errors import LakeError
from aisle.lake.lake import Lake
from aisle.project import ENGINES
from aisle.run import run
from aisle.run.check import check
from aisle.run.erasable import Mentions, erasable
from aisle.run.erase_drops import delivered, erased, find
from aisle.run.undo import undo
from aisle.steward.forget import forget, prove
from aisle.warehouses import Loaded
from club import FIRST, FORGOTTEN, NAME, SECOND, STAR, THIRD, VALUES, deliver, forget_all, forget_it, run_it, saying
from forks import Forks, Task
from lakes import content, rows
from places import DuckDBFile, Place
from shelf import standing
from test_crash import points

DROPS = (FIRST, SECOND, THIRD)
TABLES = [f"gold/{t.table}" for t in STAR.tables] + [f"silver/{s.name}" for s in STAR.sources] + ["quarantine"]
PERSONAL = {
    "member": (1, {"name", "mail", "current_mail", "born", "pay"}),
    "visit": (11, {"note"}),
    "card": ("A-1", {"holder", "pin"}),
}


@pytest.fixture(scope="module")
def aged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A club's project of three releases."""
    place = tmp_path_factory.mktemp("aged")
    (place / "aisle.toml").write_text('star = "club:STAR"\n')
    for drops in DROPS:
        deliver(place, drops)
        run_it(place)
    assert {v for found in saying(place / "lake").values() for v in found} == VALUES
    return place


@pytest.fixture(scope="module")
def forgotten(aged: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, with a member, a visit and a card forgotten; only to be read."""
    place = tmp_path_factory.mktemp("forgotten") / "club"
    shutil.copytree(aged, place)
    forget_all(place)
    return place


@pytest.fixture
def place(aged: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(aged, tmp_path / "club"))


@pytest.fixture
def done(forgotten: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(forgotten, tmp_path / "club"))


def versions(place: Path) -> dict[int, dict[str, int]]:
    """The versions of the tables, by release, but for void ones."""
    found = {int(f.stem): json.loads(f.read_text()) for f in sorted((place / "lake/_releases").glob("[0-9]*.json"))}
    return {number: release["tables"] for number, release in found.items() if "void" not in release}


def forgotten_of(row: dict[str, Any]) -> dict[str, Any]:
    """A row as it is to be, of silver or gold: without what is personal, if it is one of those that are forgotten."""
    for key, (value, personal) in PERSONAL.items():
        if row.get(key) == value and personal & row.keys():
            return {c: None if c in personal else v for c, v in row.items()}
    return row


def counts(lake: Path) -> list[tuple[Any, ...]]:
    columns = "source, drop, digest, status, records, events, duplicates, quarantined, reason"
    return sorted(tuple(r.values()) for r in rows(lake, "bronze/_ledger", f"SELECT {columns} FROM t"))


def assert_gone(place: Path) -> None:
    assert saying(place / "lake") == {}
    assert [f for f in prove(STAR, lake=place / "lake") if not f.holds] == []
    assert [f for f in check(STAR, lake=place / "lake", anew="duckdb") if not f.holds] == []


def test_no_file_holds_a_value_and_every_release_reads_as_before_but_for_them(aged: Path, forgotten: Path) -> None:
    assert_gone(forgotten)
    was = versions(aged)
    assert list(versions(forgotten)) == [*was, 4, 5, 6]
    for tables in was.values():
        for table, version in tables.items():
            if table in ("quarantine", "bronze/_ledger"):
                continue
            before, after = (rows(lake / "lake", table, version=version) for lake in (aged, forgotten))
            assert after == list(map(forgotten_of, before)), (table, version)  # in their order too
            delta = DeltaTable(forgotten / "lake" / table, version=version)
            # As deltalake itself reads it; and the log's sizes, by which Spark finds the footer, are those of the files.
            assert delta.to_pyarrow_table().num_rows == len(before)
            actions = delta.get_add_actions(flatten=True)
            for path, size in zip(actions.column("path").to_pylist(), actions.column("size_bytes").to_pylist(), strict=True):
                assert (forgotten / "lake" / table / unquote(path)).stat().st_size == size
    total = "SELECT sum(amount) AS amount, count(*) AS rows, list(visit ORDER BY visit) AS visits FROM t"
    for version in (was[3]["gold/fact_visits"], None):
        assert rows(forgotten / "lake", "gold/fact_visits", total, version=version) == rows(
            aged / "lake", "gold/fact_visits", total
        )


def test_the_newest_release_is_what_it_would_be_without_the_values(aged: Path, forgotten: Path) -> None:
    lake = forgotten / "lake"
    told = {(r["drop"], r["line"]): (r["reasons"], r["row"]) for r in rows(lake, "quarantine")}
    was = {(r["drop"], r["line"]): (r["reasons"], r["row"]) for r in rows(aged / "lake", "quarantine")}
    # A row stays where it is for what it was, though its mail is gone; another's is not touched.
    assert {k: v[0] for k, v in told.items()} == {k: v[0] for k, v in was.items()}
    of = '{"member":"1","name":null,"mail":null,"born":null,"pay":null'
    assert told["01.csv", 4] == (["mail is not an e-mail address"], of + ',"city":"Oslo","at":"2025-01-05","shoe":"38"}')
    assert (told["01.csv", 6][1], told["01.jsonl", 4][1]) == ("", "")
    assert told["01.csv", 7] == was["01.csv", 7]
    members = "SELECT member, version, name, mail, city, valid_from FROM t WHERE member IN (1, 2) ORDER BY ALL"
    # The version that only another mail had made is none any more.
    assert [tuple(r.values()) for r in rows(lake, "gold/dim_member", members)] == [
        (1, 1, None, None, "Oslo", datetime(1900, 1, 1)),
        (1, 2, None, None, "Bergen", datetime(2025, 2, 1)),
        (1, 3, None, None, "Paris", datetime(2025, 3, 1)),
        (2, 1, 'Bo, "B"', "bo@b.example", "Rome", datetime(1900, 1, 1)),
    ]
    release = json.loads((lake / "_releases/00000004.json").read_text())
    assert release["run"]["forgets"] == {"number": 1, "source": "members"}


def test_of_a_delivered_file_nothing_else_is_changed(aged: Path, forgotten: Path) -> None:
    def kept(lake: Path, source: str, drop: str) -> bytes:
        [found] = rows(lake, "bronze/_ledger", f"SELECT path FROM t WHERE source = '{source}' AND drop = '{drop}'")
        return (lake / found["path"]).read_bytes()

    lake = forgotten / "lake"
    assert kept(aged / "lake", "members", "01.csv") == FIRST["members/01.csv"]
    assert kept(lake, "members", "01.csv") == (
        b"\xef\xbb\xbfmember,name,mail,born,pay,city,at,shoe\r\n"
        b"1,,,,,Oslo,2025-01-01,38\r\n"
        b'2,"Bo, ""B""",bo@b.example,1990-01-01,10.00,Rome,2025-01-01,44\r\n'
        b"1,,,,,Oslo,2025-01-05,38\r\n"
        b"1,,,,,,2025-01-06,38\r\n"
        b"\xff\r\n"
        b"2,Bo,bo-at-b,1990-01-01,,Rome,2025-01-08,44\r\n"
    )
    # A line keeps its number, though the name was written over two.
    assert gzip.decompress(kept(lake, "members", "02.csv.gz")).splitlines()[1:4] == [
        b'1,"',
        b'",,,,Bergen,2025-02-01,38',
        b"1,,,,,Bergen,2025-02-03,38",
    ]
    assert kept(lake, "visits", "01.jsonl") == (
        b'{"visit": 11, "member": 1, "note": null, "amount": 12.50, "at": "2025-02-01", "x": {"a": [1, 2]}}\n'
        b'{"visit":12,"member":2,"note":"plain","amount":7.25,"at":"2025-02-02"}\n'
        b'{"visit":11,"member":1,"note":null,"amount":99.00,"at":"2025-02-01"}\n'
        b"\xff\n"
    )
    assert kept(lake, "visits", "02.jsonl") == SECOND["visits/02.jsonl"]
    [found] = rows(lake, "bronze/_ledger", "SELECT path FROM t WHERE source = 'cards' AND drop = '01.parquet'")
    cards = pq.read_table(lake / found["path"])
    assert cards.schema.types == pq.read_table(pa.BufferReader(FIRST["cards/01.parquet"])).schema.types
    assert [tuple(r.values())[:4] for r in cards.to_pylist()] == [("A-1", None, None, "red"), ("B-2", "B. B.", None, "red")]


def late(place: Path) -> None:
    """Forgotten first, and delivered then, in one run."""
    deliver(place, {"visits/00.jsonl": b'{"visit":1,"member":2,"note":null,"amount":1.00,"at":"2025-01-02"}\n'})
    run_it(place)
    forget_all(place, unknown=True)
    for drops in reversed(DROPS):
        deliver(place, drops)
    run_it(place)


def between(place: Path) -> None:
    """Forgotten after the first drops; the others come one by one, the last before the second."""
    deliver(place, {**FIRST, "visits/00.jsonl": b'{"visit":1,"member":2,"note":null,"amount":1.00,"at":"2025-01-02"}\n'})
    run_it(place)
    forget_all(place)
    for drops in (THIRD, SECOND):
        deliver(place, drops)
        run_it(place)


def last(place: Path) -> None:
    """All in one run, and forgotten then, in another order; and made anew."""
    for drops in DROPS:
        deliver(place, drops)
    deliver(place, {"visits/00.jsonl": b'{"visit":1,"member":2,"note":null,"amount":1.00,"at":"2025-01-02"}\n'})
    run_it(place)
    for source, key in reversed(FORGOTTEN):
        forget(STAR, lake=place / "lake", source=source, key=[key])
    run_it(place, full=True)


def test_a_lake_is_a_function_of_the_drops_and_of_what_is_forgotten(tmp_path: Path) -> None:
    found = []
    for order in (late, between, last):
        order(tmp_path / order.__name__)
        assert_gone(tmp_path / order.__name__)
        lake = tmp_path / order.__name__ / "lake"
        found.append((content(lake, *TABLES), counts(lake)))
    assert found[0] == found[1] == found[2]


def test_what_is_delivered_again_does_not_bring_it_back(done: Path) -> None:
    before = content(done / "lake", *TABLES)
    for file in (done / "landing").rglob("*.*"):
        os.utime(file, (1, 1))
    run_it(done)
    assert content(done / "lake", *TABLES) == before
    deliver(done, {"members/04.csv": FIRST["members/01.csv"], "cards/2025-04.parquet": THIRD["cards/03.parquet"]})
    run_it(done)
    assert_gone(done)
    # Other content under a name that was consumed is held, and is erased all the same; and so is a file that cannot be read.
    other = FIRST["members/01.csv"].replace(b"Oslo", b"Turin")
    deliver(done, {"members/01.csv": other, "members/05.csv": b"member,name,city\n1," + NAME.encode() + b",Oslo\n"})
    run_it(done)
    assert {r["status"] for r in rows(done / "lake", "bronze/_ledger")} == {"consumed", "held", "refused"}
    assert_gone(done)
    run_it(done, full=True)
    assert_gone(done)
    [refused] = rows(done / "lake", "bronze/_ledger", "SELECT reason FROM t WHERE status = 'refused'")
    assert refused["reason"].startswith("lacks the required column at")


def test_an_undo_does_not_bring_it_back(done: Path) -> None:
    gold = content(done / "lake", *TABLES)
    assert undo(STAR, lake=done / "lake", to=2).restores == 2
    assert_gone(done)
    assert [
        r["city"] for r in rows(done / "lake", "gold/dim_member", "SELECT city FROM t WHERE member = 1 ORDER BY version")
    ] == [
        "Oslo",
        "Bergen",
    ]
    run_it(done)
    assert_gone(done)
    assert content(done / "lake", *TABLES) == gold


@pytest.fixture(params=["duckdb", "postgres"])
def warehouse(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return DuckDBFile(tmp_path / "club.duckdb") if request.param == "duckdb" else request.getfixturevalue("database")


def load(lake: Path | str, warehouse: Place, *, verify: bool = False) -> Loaded:
    there = Lake(lake, STAR)
    with warehouse.open(STAR.name) as session:
        return session.load(STAR, there.releases.standing(), there.gold, there.releases.get, verify=verify)


def test_the_warehouse_follows_with_the_next_load(place: Path, warehouse: Place) -> None:
    load(place / "lake", warehouse)
    assert "Marchbanks" in str(standing(STAR, warehouse))
    forget_all(place)
    assert load(place / "lake", warehouse).mode == "incremental"
    left = standing(STAR, warehouse)
    assert not [v for v in VALUES if v in str(left)]
    assert {t: len(of) for t, of in left.items()} == {t.table: len(rows(place / "lake", f"gold/{t.table}")) for t in STAR.tables}
    again = load(place / "lake", warehouse, verify=True)
    assert (again.mode, set(again.verified)) == ("up to date", {t.table for t in STAR.tables})


def test_killed_between_a_note_and_its_file_a_record_that_is_no_row_is_emptied(place: Path) -> None:
    lake = Lake(place / "lake", STAR)
    members = next(s for s in STAR.sources if s.name == "members")
    lake.forgotten.intend("members", {"member": "1"})
    with DuckDBEngine() as engine:
        deliveries = {d.drop: d for d in delivered(lake, members)}
        found = find(engine, STAR, members, lake.forgotten, list(deliveries.values()), Mentions(members, [{"member": "1"}]))
        [path] = [path for path, what in found.items() if what.malformed]
        with erased(engine, STAR, members, lake.forgotten, deliveries[path], found[path]) as done:
            lake.forgotten.write(path, done.note)
    assert path in saying(place / "lake", {club.HEAD})
    assert [f.holds for f in prove(STAR, lake=place / "lake")] == [False, False]
    run_it(place)
    assert saying(place / "lake", {club.HEAD}) == {}


def test_killed_at_any_point_it_is_finished_by_whoever_writes_next(
    forks: Forks, tmp_path: Path, subtests: pytest.Subtests
) -> None:
    place = tmp_path / "start"
    for name in ("members/01.csv", "members/03.csv"):
        deliver(place, {name: (FIRST | THIRD)[name]})
        run_it(place)

    def copied(name: str) -> Path:
        shutil.rmtree(tmp_path / name, ignore_errors=True)
        return Path(shutil.copytree(place, tmp_path / name))

    undisturbed = copied("undisturbed")
    tables = [t for t in TABLES if "visits" not in t and "card" not in t]
    task = Task("club:forget_it", undisturbed, "lake", watch=True)
    assert (forks.perform(task), task.outcome.error, task.outcome.unseen) == (0, "", [])
    acts = task.outcome.acts
    written = next(n for n, act in enumerate(acts) if (act.what, act.path) == ("link", "lake/_forgotten/00000001.json"[5:]))
    wanted = content(undisturbed / "lake", *tables)
    ends: list[Callable[[Path], None]] = [forget_it, run_it]
    # Each time a third of the points, as each takes seconds: which, is random.
    for n, fault in list(enumerate(points(acts)))[int(os.environ["AISLE_SEED"]) % 3 :: 3]:
        with subtests.test(f"{fault.kind} at {acts[fault.act] if fault.act < len(acts) else 'the end'}"):  # type: ignore[index, operator]
            left = copied("disturbed")
            assert forks.perform(Task("club:forget_it", left, "lake", fault)) == -signal.SIGKILL
            newest = versions(left)[max(versions(left))]
            assert content(left / "lake", *tables, versions=newest)  # a reader finds all that it needs
            begun = isinstance(fault.act, int) and fault.act > written
            finished = begun and (left / "lake/_forgotten/00000001.receipt.json").exists()
            if finished:
                with pytest.raises(LakeError, match="holds no personal value"):
                    forget_it(left)
            else:
                ends[n % 2 if begun else 0](left)
            assert content(left / "lake", *tables) == wanted
            assert len(versions(left)) == 3
            assert saying(left / "lake", {NAME, club.MAIL, club.FORMER, club.MAIDEN, club.TYPO, club.HEAD, "1983-07-19"}) == {}
            assert not (left / "lake/_lease.json").exists()


def aisle(place: Path, *args: str) -> Result:
    return CliRunner().invoke(main, ["-C", str(place), *args])


def tree(place: Path) -> dict[str, bytes]:
    return {f.as_posix(): f.read_bytes() for f in sorted((place / "lake").rglob("*")) if f.is_file()}


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (("member", "1", "--yes"), 2, "did you mean 'members'?"),
        (("members", "one", "--yes"), 2, "member is a whole number, not 'one'"),
        (("members", "1", "2", "--yes"), 2, "2 values are given, 1 too many"),
        (("members", "id=1", "--yes"), 2, "A row of members is known by member, not by 'id'"),
        (("members", "99", "--yes"), 4, "The lake holds no personal value of this key of members, and nothing was done"),
        (("members", "1"), 2, "cannot be brought back. Look first: --dry-run"),
        (("members", "1", "--json"), 2, "cannot be brought back"),
    ],
)
def test_what_is_not_meant_changes_nothing(args: tuple[str, ...], code: int, says: str, place: Path) -> None:
    before = tree(place)
    result = aisle(place, "forget", *args)
    assert (result.exit_code, says in result.stderr) == (code, True), result.output
    assert tree(place) == before


def test_the_command_says_what_would_go_and_what_went_and_no_value(place: Path) -> None:
    before = tree(place)
    dry = aisle(place, "forget", "members", "1", "--dry-run")
    assert dry.exit_code == 0
    assert tree(place) == before
    assert aisle(place, "check", "--forgotten").stdout.count("Nothing is forgotten.") == 1
    result = aisle(place, "forget", "members", "member=1", "--yes", "--json")
    told = json.loads(result.stdout)
    assert (told["number"], told["release"], told["columns"], told["kept"]) == (1, 4, ["name", "mail", "born", "pay"], {})
    assert sorted(f["rows"] for f in told["files"] if f["path"].startswith("bronze/")) == [1, 3, 4]
    assert {f["path"] for f in told["files"]} >= set(saying(place / "lake", {NAME}))
    assert ["bronze/members", "3", "8"] in [line.split() for line in dry.stdout.splitlines()]
    assert "forget: a key of members" in aisle(place, "releases").stdout
    shown = aisle(place, "forget", "visits", "11", "--yes")
    assert "Release 5 has nothing of it, nor has a former one. The warehouse follows: aisle load" in shown.stdout
    said = dry.output + result.output + shown.output
    assert not [v for v in VALUES if v in said]
    proof = aisle(place, "check", "--forgotten")
    assert (proof.exit_code, "1 key of members is forgotten: no file holds a value." in proof.stdout) == (0, True)


def test_the_proof_finds_what_somebody_put_back(done: Path, aged: Path) -> None:
    [found] = rows(aged / "lake", "bronze/_ledger", "SELECT path FROM t WHERE drop = '02.csv.gz'")
    silver = next(f for f in (aged / "lake/silver/members").glob("*.parquet") if (done / f.relative_to(aged)).exists())
    for path in (aged / "lake" / found["path"], silver):
        shutil.copy(path, done / path.relative_to(aged))
        proof = aisle(done, "check", "--forgotten", "--json")
        assert proof.exit_code == 6
        [broken] = [f for f in json.loads(proof.stdout)["findings"] if not f["holds"]]
        assert [row["file"] for row in broken["offenders"]][-1] == path.relative_to(aged / "lake").as_posix()
        shutil.copy(path, done / path.relative_to(aged))
    # What it finds it does not forget again: it was done, and somebody undid it. Said once more, it goes.
    forget_it(done)
    assert_gone(done)


# ── stars in which something personal is needed, or has another name ─────────────────────────────


class Guests(Source, key="mail", changed_at="at"):
    mail: Pii[str]
    nick: Annotated[Pii[str], Was("alias")] | None
    at: Pii[datetime]


class Bills(Source, key="bill", changed_at="at"):
    bill: int
    payer: Pii[str] | None
    table: Pii[str] | None
    tip: Pii[Money] | None
    at: datetime


class Items(Source, key=("bill", "item"), feed="events"):
    bill: int
    item: int
    price: Money


class DimGuest(Dimension, source=Guests):
    mail: NaturalKey
    nick: Overwrite


class FactItems(Fact, source=Items, header=Bills, at=Bills.at):
    bill: Degenerate
    item: Degenerate
    payer: Lookup[DimGuest] = by(Bills.payer)
    table: Degenerate
    tip: Sum[Money]
    price: Sum[Money]


CAFE = Star("cafe", dimensions=[DimGuest], facts=[FactItems])


def test_what_the_star_needs_stays_and_is_said(tmp_path: Path) -> None:
    deliver(
        tmp_path,
        {
            "guests/1.csv": b"mail,alias,at\nann@x.example,Annie,2025-01-01\n",
            "bills/1.csv": b"bill,payer,table,tip,at\n1,ann@x.example,by the window,3.00,2025-01-02\n2,,outside,1.00,2025-01-02\n",
            "items/1.csv": b"bill,item,price\n1,1,5.00\n1,2,6.00\n2,1,7.00\n",
        },
    )
    run(CAFE, lake=tmp_path / "lake", landing=tmp_path / "landing")
    guests = next(s for s in CAFE.sources if s.name == "guests")
    assert [c.name for c in erasable(CAFE, guests)[0]] == ["nick"]
    assert erasable(CAFE, guests)[1] == {"mail": "the key", "at": "the time"}
    did = forget(CAFE, lake=tmp_path / "lake", source="bills", key=["1"])
    assert (did.columns, dict(did.kept)) == (("table",), {"payer": "what fact_items finds payer by", "tip": "tip of fact_items"})
    assert saying(tmp_path / "lake", {"by the window"}) == {}
    sales = rows(
        tmp_path / "lake", "gold/fact_items", 'SELECT bill, item, "table", tip, payer_key > 0 AS known FROM t ORDER BY ALL'
    )
    assert [(r["bill"], r["item"], r["table"], float(r["tip"]), r["known"]) for r in sales] == [
        (1, 1, None, 3.0, True),
        (1, 2, None, 3.0, True),
        (2, 1, "outside", 1.0, False),
    ]
    forget(CAFE, lake=tmp_path / "lake", source="guests", key=["ann@x.example"])
    assert saying(tmp_path / "lake", {"Annie"}) == {}
    with pytest.raises(Exception, match="items has no personal column that can be erased"):
        forget(CAFE, lake=tmp_path / "lake", source="items", key=["1", "1"])


# ── files of tables, rewritten as large as they were ─────────────────────────────────────────────


def test_a_file_keeps_its_size_whatever_it_holds(tmp_path: Path) -> None:
    seed = int(os.environ["AISLE_SEED"])
    dice = random.Random(seed)
    for n in range(40):
        size = dice.choice((1, 2, 3, 10, 100, 3_000, 130_000 if n % 8 == 0 else 50))
        names = [f"{dice.choice(('Ann', 'Bo', 'Cy'))} {dice.getrandbits(dice.choice((1, 8, 40)))}" for _ in range(size)]
        table = {
            "k": [str(i) for i in range(size)],
            "name": [None if dice.random() < 0.1 else name for name in names],
            "pay": [dice.getrandbits(30) for _ in range(size)],
        }
        file, gone = tmp_path / f"{n}.parquet", {dice.randrange(size) for _ in range(3)}
        with duckdb.connect() as con:
            con.register("t", pa.table(table))
            con.execute(
                f"COPY (FROM t) TO '{file}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE 122880)"
            )
        with Looking() as looking:
            stored = looking.into(str(file))
            assert stored is not None
            held = stored.holding([{"k": str(i)} for i in gone], ["name", "pay", "nothing"])
            assert held.keys() == gone
            data = stored.without(held, ["name", "pay", "nothing"], {}, tmp_path / "new.parquet")
        assert len(data) == file.stat().st_size, seed
        file.write_bytes(data)
        expected = {c: [None if i in gone and c != "k" else v for i, v in enumerate(of)] for c, of in table.items()}
        assert pq.read_table(file).to_pydict() == expected
        with duckdb.connect() as con:
            assert con.execute(f"SELECT count(*), count(name), count(pay) FROM '{file}'").fetchone() == tuple(
                sum(v is not None for v in expected[c]) for c in ("k", "name", "pay")
            )


@pytest.mark.parametrize("engine", [e if e == "duckdb" else pytest.param(e, marks=pytest.mark.spark) for e in ENGINES])
def test_either_engine_makes_the_release_and_takes_what_comes_after(
    engine: str, place: Path, forgotten: Path, request: pytest.FixtureRequest
) -> None:
    spark = request.getfixturevalue("spark") if engine == "spark" else None
    for source, key in FORGOTTEN:
        forget(STAR, lake=place / "lake", source=source, key=[key], spark=spark)
    assert content(place / "lake", *TABLES) == content(forgotten / "lake", *TABLES)
    deliver(place, {"members/04.csv": FIRST["members/01.csv"]})
    run(STAR, lake=place / "lake", landing=place / "landing", spark=spark)
    assert saying(place / "lake") == {}


def test_in_a_bucket_and_in_redshift(bucket: str, s3: Any, redshift: Place, tmp_path: Path) -> None:
    lake = f"s3://{bucket}/lake"
    for drops in DROPS:
        deliver(tmp_path, drops)
        run(STAR, lake=lake, landing=tmp_path / "landing")
    load(lake, redshift)
    for source, key in FORGOTTEN:
        forget(STAR, lake=lake, source=source, key=[key])
    load(lake, redshift)
    assert not [v for v in VALUES if v in str(standing(STAR, redshift))]
    deliver(tmp_path, {"members/04.csv": FIRST["members/01.csv"]})
    run(STAR, lake=lake, landing=tmp_path / "landing")
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for entry in page["Contents"]:
            file = tmp_path / "copy" / entry["Key"]
            file.parent.mkdir(parents=True, exist_ok=True)
            s3.download_file(bucket, entry["Key"], str(file))
    assert saying(tmp_path / "copy/lake") == {}
    assert [f for f in [*prove(STAR, lake=lake), *check(STAR, lake=lake)] if not f.holds] == []
