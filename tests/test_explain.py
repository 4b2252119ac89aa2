"""Explain, told of small stories: which drop, line and release made what stands is what the story itself says."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from aisle.cli import main
from aisle.declare.keys import says
from aisle.engines.duckdb.engine import DuckDBEngine
from aisle.errors import ConfigError, LakeError
from aisle.lake.lake import Lake
from aisle.run import run
from aisle.run.undo import undo
from aisle.steward.explain import Event, FactRow, Member, SetAside, explain
from aisle.steward.keys import key_of
from given.star import STAR

Row = dict[str, Any]


FIRST: dict[str, Sequence[Row]] = {}
SECOND: dict[str, Sequence[Row]] = {}


def given(drop: str, *rows: Row) -> None:
    """Let a drop of the laboratory star be delivered before the first run. Its first row is line 1."""
    FIRST[drop] = rows


def then(drop: str, *rows: Row) -> None:
    """Let a drop be delivered between the first run and the second."""
    SECOND[drop] = rows


@pytest.fixture(scope="module")
def lake(tmp_path_factory) -> Path:
    """A lake of all that is given here, at release 2; the landing is beside it."""
    place = tmp_path_factory.mktemp("explain")
    for drops in (FIRST, SECOND):
        for drop, rows in drops.items():
            file = place / "landing" / f"{drop}.jsonl"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        run(STAR, lake=place / "lake", landing=place / "landing")
    return place / "lake"


def member(lake: Path, table: str, *key: str, release: int | None = None) -> Member:
    found = explain(STAR, table, key, lake=lake, release=release)
    assert isinstance(found, Member)
    return found


def fact(lake: Path, table: str, *key: str, release: int | None = None) -> FactRow:
    found = explain(STAR, table, key, lake=lake, release=release)
    assert isinstance(found, FactRow)
    return found


def customer(name: str, city: str | None, at: str, seq: int | None = None, op: str = "U") -> Row:
    return {"customer": name, "op": op, "at": at, "seq": seq, "city": city}


def fates(events: Sequence[Event]) -> list[tuple[str, int, str, int | None]]:
    """Drop, line, what became of it, and the version that it made or lies in."""
    return [(e.origin.drop.removesuffix(".jsonl"), e.origin.line, e.fate, e.version) for e in events]


def places(rows: Sequence[SetAside]) -> list[tuple[str, str, int]]:
    return [(row.origin.source, row.origin.drop.removesuffix(".jsonl"), row.origin.line) for row in rows]


# Members


given("customers/late-1", customer("ada", "Paris", "2025-01-01"), customer("ada", "Lisbon", "2025-03-01"))
then("customers/late-2", customer("ada", "Rome", "2025-02-01"))


def test_a_late_change_is_said_to_be_late_and_which_release_learnt_it(lake):
    found = member(lake, "dim_customer", "ada")
    assert (found.standing, found.release) == ("in the star", 2)
    assert [(v.number, v.valid_from, v.changed) for v in found.versions] == [
        (1, datetime(1900, 1, 1), {}),
        (2, datetime(2025, 2, 1), {"city": ("Paris", "Rome")}),
        (3, datetime(2025, 3, 1), {"city": ("Rome", "Lisbon")}),
    ]
    assert fates(found.events) == [
        ("late-1", 1, "makes a version", 1),
        ("late-2", 1, "makes a version", 2),
        ("late-1", 2, "makes a version", 3),
    ]
    assert [(e.origin.release, e.late) for e in found.events] == [(1, False), (2, True), (1, False)]
    bytes_of = lake / (found.events[1].origin.path or "")
    assert bytes_of.read_bytes() == (lake.parent / "landing/customers/late-2.jsonl").read_bytes()

    before = member(lake, "dim_customer", "customer=ada", release=1)
    assert [v.changed for v in before.versions] == [{}, {"city": ("Paris", "Lisbon")}]
    assert fates(before.events) == [("late-1", 1, "makes a version", 1), ("late-1", 2, "makes a version", 2)]


given("customers/tie-1", customer("ben", "Paris", "2025-01-01", 2), customer("ben", "Rome", "2025-01-01", 1))
given("customers/tie-2", customer("ben", "Paris", "2025-01-05"), customer("ben", "Oslo", "2025-02-01"))
given("customers/tie-3", customer("ben", "Bergen", "2025-02-01"))


def test_at_one_instant_the_last_by_sequence_then_arrival_wins_and_equal_values_change_nothing(lake):
    found = member(lake, "dim_customer", "ben")
    assert [v.tracked["city"] for v in found.versions] == ["Paris", "Bergen"]
    assert fates(found.events) == [
        ("tie-1", 2, "superseded", 1),
        ("tie-1", 1, "makes a version", 1),
        ("tie-2", 1, "changes nothing tracked", 1),
        ("tie-2", 2, "superseded", 2),
        ("tie-3", 1, "makes a version", 2),
    ]
    assert [(e.by.drop, e.by.line) for e in found.events if e.by] == [("tie-1.jsonl", 1), ("tie-3.jsonl", 1)]


given(
    "customers/gone",
    customer("cid", "Paris", "2025-01-01"),
    customer("cid", None, "2025-02-01", op="D"),
    customer("cid", None, "2025-02-02", op="D"),
    customer("cid", "Paris", "2025-03-01"),
)


def test_a_deletion_once_is_enough_and_a_member_may_return(lake):
    found = member(lake, "dim_customer", "cid")
    assert [(v.is_deleted, v.tracked["city"], v.changed) for v in found.versions] == [
        (False, "Paris", {}),
        (True, "Paris", {}),
        (False, "Paris", {}),
    ]
    assert fates(found.events) == [
        ("gone", 1, "makes a version", 1),
        ("gone", 2, "makes a version", 2),
        ("gone", 3, "says nothing new", 2),
        ("gone", 4, "makes a version", 3),
    ]


NORTH, SOUTH, EAST = ({"store": name, "region": name[0], "manager": "Kim"} for name in ("north", "south", "east"))
given("stores/2025-01-01", NORTH, SOUTH)
given("stores/2025-03-01", NORTH)
then("stores/2025-02-01", NORTH, EAST)


def test_what_a_snapshot_has_not_is_an_event_too(lake):
    assert fates(member(lake, "dim_store", "south", release=1).events) == [
        ("2025-01-01", 2, "makes a version", 1),
        ("2025-03-01", 0, "makes a version", 2),
    ]
    # One between the two came late: the deletion moved to it. What it alone has is missed by the one after it only since then.
    gone = member(lake, "dim_store", "south").events[-1]
    assert (gone.origin.drop, gone.absent, gone.deleted, gone.origin.release) == ("2025-02-01.jsonl", True, True, 2)
    east = member(lake, "dim_store", "east").events
    assert [(e.origin.drop, e.absent, e.origin.release) for e in east] == [
        ("2025-02-01.jsonl", False, 2),
        ("2025-03-01.jsonl", True, 2),
    ]


given(
    "cards/1",
    {"card": "c", "at": "2025-01-01", "status": "new"},
    {"card": "c", "at": "2025-01-01", "color": "red"},
    {"card": "c", "at": "2025-02-01", "status": "lost"},
)


def test_partial_changes_of_one_instant_complete_each_other(lake):
    found = member(lake, "dim_card", "c")
    assert fates(found.events) == [("1", 1, "completed", 1), ("1", 2, "makes a version", 1), ("1", 3, "makes a version", 2)]
    assert found.versions[1].changed == {"status": ("new", "lost")}
    assert found.newest["color"] == "red"
    assert ("status" in found.events[1].values, found.events[1].values["color"]) == (False, "red")


def order(number: int, on: str, **more: Any) -> Row:
    return {"order": number, "at": on, "ordered_at": on, "op": "I", **more}


def line(of: int, number: int, **more: Any) -> Row:
    return {"order": of, "line": number, "at": "2025-01-01", "quantity": 2, "price": "3.00", "op": "I", **more}


given("orders/eve-1", order(101, "2025-01-01", customer="eve"))
given("orders/eve-2", order(102, "2025-01-02", customer="eve"))
given("customers/eve", {"customer": "eve", "city": "Rome", "at": None}, {"customer": "bob", "at": "tomorrow"})


def test_a_member_that_facts_alone_name_and_why_its_source_has_it_not(lake):
    eve = member(lake, "dim_customer", "eve")
    assert (eve.standing, eve.events, len(eve.versions)) == ("inferred", [], 1)
    assert [(n.source, n.columns, n.rows, n.first.drop, n.first.line) for n in eve.named_by] == [
        ("orders", ("customer",), 2, "eve-1.jsonl", 1)
    ]
    assert places(eve.quarantined) == [("customers", "eve", 1)]
    assert eve.quarantined[0].reasons == ["at is missing"]
    bob = member(lake, "dim_customer", "bob")
    assert (bob.standing, bob.versions, places(bob.quarantined)) == ("in quarantine", [], [("customers", "eve", 2)])
    nobody = member(lake, "dim_customer", "nobody")
    assert (nobody.standing, nobody.events, nobody.quarantined) == ("never delivered", [], [])


def test_after_an_undo_and_a_new_run_a_drop_is_of_that_run(lake, tmp_path):
    place = shutil.copytree(lake.parent, tmp_path / "copy")
    undo(STAR, lake=place / "lake")
    assert [e.origin.release for e in member(place / "lake", "dim_customer", "ada").events] == [1, 1]
    run(STAR, lake=place / "lake", landing=place / "landing")
    assert [e.origin.release for e in member(place / "lake", "dim_customer", "ada").events] == [1, 4, 1]
    assert [e.origin.release for e in member(place / "lake", "dim_customer", "ada", release=2).events] == [1, 2, 1]


# Facts


given("products/1", {"brand": "acme", "code": "77", "at": "2025-06-01", "price": 1})
given("orders/1", order(1, "2025-02-10", customer="ada"))
given("orders/2", {**order(1, "2025-02-10"), "at": "2025-02-12", "customer": "ada", "store": "west"})
given("lines/1", line(1, 1, brand="acme", code="77"), line(1, 1, at="2025-01-03", quantity=5, brand="acme", code="77"))


def test_a_fact_row_its_lookups_and_where_it_was_delivered(lake):
    found = fact(lake, "fact_sales", "1", "1")
    assert (found.standing, found.why) == ("in the star", "")
    assert found.row is not None
    assert (found.row["quantity"], found.row["amount"]) == (5, 15)
    assert fates(found.lines) == [("1", 1, "superseded", None), ("1", 2, "counts", None)]
    assert fates(found.header) == [("1", 1, "superseded", None), ("2", 1, "counts", None)]
    by_name = {f.name: f for f in found.lookups}
    ada = by_name["customer"]
    assert ada.version is not None
    assert (ada.key, ada.version.number, ada.version.tracked["city"]) == ({"customer": "ada"}, 2, "Rome")
    assert (ada.at, ada.time, ada.version.valid_from) == ("ordered_at", datetime(2025, 2, 10), datetime(2025, 2, 1))
    # Known since June only, and it does not reach back; a store that no snapshot has is inferred.
    assert (by_name["product"].points_to, by_name["product"].version) == (-1, None)
    assert "since 2025-06-01" in by_name["product"].why
    assert by_name["store"].is_inferred
    assert by_name["day"].points_to == 20250210
    was = {f.name: f for f in fact(lake, "fact_sales", "line=1", "order=1", release=1).lookups}["customer"]
    assert was.version is not None
    assert (was.version.number, was.version.tracked["city"]) == (1, "Paris")


given("lines/2", line(11, 1), line(12, 1), line(12, 2), {**line(13, 1), "quantity": "many"}, line(14, 1))
given("lines/3", line(12, 2, op="D", at="2025-01-07"))
given("orders/3", order(12, "2025-01-05"), order(14, "2025-01-05"), {**order(11, "2025-01-05"), "ordered_at": None})
given("orders/4", {**order(14, "2025-01-06"), "op": "D"})


def test_why_a_line_is_no_fact(lake):
    waits = fact(lake, "fact_sales", "11", "1")
    assert (waits.standing, waits.row, waits.header) == ("waits", None, [])
    assert places(waits.quarantined) == [("orders", "3", 3)]
    assert "orders has no row of order 11 that keeps the contract" in waits.why
    assert fact(lake, "fact_sales", "12", "1").standing == "in the star"
    gone = fact(lake, "fact_sales", "12", "2")
    assert (gone.standing, gone.why) == ("deleted", "It is deleted: by lines/3.jsonl, line 1.")
    bad = fact(lake, "fact_sales", "13", "1")
    assert (bad.standing, places(bad.quarantined)) == ("in quarantine", [("lines", "2", 4)])
    assert bad.quarantined[0].reasons == ["quantity is not a whole number"]
    headless = fact(lake, "fact_sales", "14", "1")
    assert (headless.standing, headless.why) == ("waits", "It waits for its header, which is deleted: by orders/4.jsonl, line 1.")
    assert fact(lake, "fact_sales", "9", "9").standing == "never delivered"


def tap(number: int, paid: str) -> Row:
    return {"tap": number, "at": "2025-01-01", "paid": paid}


given("taps/2", tap(1, "1.00"), tap(11, "1.00"))
given("taps/3", tap(1, "2.00"), {**tap(11, "x"), "card": "1"})
then("taps/1", tap(1, "3.00"))


def test_of_events_the_first_counts_and_the_others_are_in_quarantine(lake):
    found = fact(lake, "fact_tap", "1", release=1)
    assert fates(found.lines) == [("2", 1, "counts", None)]
    assert places(found.quarantined) == [("taps", "3", 1)]
    # An earlier one came late: it counts since then, and is of the release that brought it.
    found = fact(lake, "fact_tap", "1")
    assert [(e.origin.drop, e.origin.release) for e in found.lines] == [("1.jsonl", 2)]
    assert places(found.quarantined) == [("taps", "2", 1), ("taps", "3", 1)]
    assert "card is empty" in found.lookups[0].why


then("orders/late", order(500, "2025-09-10"))
then("lines/late", line(500, 1))


def test_only_the_files_that_can_hold_the_row_are_read(lake, monkeypatch):
    there = Lake(lake, STAR)
    there.open(there.releases.newest())
    read: dict[str, int] = {}
    bind = DuckDBEngine.bind

    def counted(engine, name, table, files=None):
        read[table.name] = len(table.files if files is None else files)
        return bind(engine, name, table, files)

    monkeypatch.setattr(DuckDBEngine, "bind", counted)
    assert fact(lake, "fact_sales", "500", "1").standing == "in the star"
    for table in (there.gold["fact_sales"], there.silver["lines"], there.silver["orders"]):
        assert (len(table.files) > 1, read[table.name]) == (True, 1)


# Keys


given("products/2", {"brand": "acme", "code": "a=b", "at": "2025-01-01", "price": 1})


def test_a_composite_key_is_given_by_name_or_in_order(lake):
    for key in (["acme", "code=a=b"], ["code=a=b", "brand=acme"], ["code=a=b", "acme"]):
        found = member(lake, "dim_product", *key)
        assert (found.key, found.standing) == ({"brand": "acme", "code": "a=b"}, "in the star")


def test_a_delivered_value_is_read_as_the_contract_reads_it():
    number, text = STAR.facts[0].lines["order"], STAR.dimensions[0].source["customer"]
    assert all(says(said, number, 17) for said in (17, "17", " 017", "+17", "17.0"))
    assert not any(says(said, number, 17) for said in (170, "1 7", None, True, "17.5", "x"))
    assert says(" ada ", text, "ada")
    assert key_of("t", {"order": number}, ["-5"]) == {"order": -5}


# The command


PEOPLE = """
from datetime import date, datetime

from aisle import Calendar, Degenerate, Dimension, Fact, Lookup, NaturalKey, Overwrite, Pii, Source, Star, Sum, Track, by


class People(Source, key="mail", changed_at="at"):
    mail: Pii[str]
    name: Pii[str]
    born: Pii[date]
    city: str
    at: datetime


class Visits(Source, key=("day", "number"), feed="events"):
    day: date
    number: int
    mail: Pii[str] | None
    at: datetime
    minutes: int


class DimPerson(Dimension, source=People):
    mail: NaturalKey
    name: Track
    born: Overwrite
    city: Track


class FactVisit(Fact, source=Visits, at=Visits.at):
    day: Degenerate
    number: Degenerate
    person: Lookup[DimPerson] = by(Visits.mail)
    minutes: Sum[int]


star = Star("club", dimensions=[DimPerson], facts=[FactVisit])
"""
SECRETS = ("kim@home", "Kim", "1980-02-03", "Kimberly", "lee@home")


@pytest.fixture(scope="module")
def club(tmp_path_factory) -> Path:
    """A project with personal data: one who moved sixty times, one who is in quarantine, and one whom visits alone name."""
    folder = tmp_path_factory.mktemp("club")
    (folder / "star.py").write_text(PEOPLE)
    (folder / "aisle.toml").write_text("")
    moves = [
        f"kim@home,{'Kimberly' if n == 59 else 'Kim'},1980-02-03,City {n},2025-01-01T{n // 60:02}:{n % 60:02}:00"
        for n in range(60)
    ]
    drops = {
        "people/1.csv": "mail,name,born,city,at\n" + "\n".join(moves) + "\nlee@home,Lee,1980-02-03,,2025-01-01\n",
        "visits/1.csv": "day,number,mail,at,minutes\n2025-02-01,1,kim@home,2025-02-01T10:00:00,30\n2025-02-01,2,lee@home,2025-02-01T10:00:00,x\n",
    }
    for name, content in drops.items():
        (folder / "landing" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "landing" / name).write_text(content)
    assert aisle(folder, "run").exit_code == 0
    return folder


def aisle(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["-C", str(folder), *arguments], prog_name="aisle")


@pytest.mark.parametrize(
    "asked",
    [
        ["dim_person", "kim@home"],
        ["dim_person", "mail=lee@home"],
        ["fact_visit", "2025-02-01", "1"],
        ["fact_visit", "2025-02-01", "2"],
        ["dim_person", "kim@home", "lee@home"],
        ["dim_person", "Kim=kim@home"],
    ],
)
def test_personal_data_is_masked_everywhere_unless_asked_for(club, asked):
    for form in ([], ["--json"]):
        result = aisle(club, "explain", *asked, *form)
        assert result.exit_code == (2 if asked[1:] in (["kim@home", "lee@home"], ["Kim=kim@home"]) else 0), result.output
        assert [secret for secret in SECRETS if secret in result.output + result.stderr] == []
    if asked[1] in ("kim@home", "2025-02-01") and result.exit_code == 0:
        shown = aisle(club, "explain", *asked, "--show-pii").stdout
        assert "•••" not in shown
        assert ("kim@home" if "2" not in asked else "lee@home") in shown


def test_a_long_timeline_is_drawn_with_its_middle_left_out(club):
    drawn = aisle(club, "explain", "dim_person", "kim@home").stdout
    heads = [said for said in drawn.splitlines() if said.startswith("● ")]
    numbers = [int(head.split("version ")[1].split()[0]) for head in heads]
    assert numbers == [*range(1, 11), *range(51, 61)]
    assert "┊  versions not drawn: 40. To see all: --last 60" in drawn
    assert "City 58 → City 59" in drawn
    assert "people/1.csv line 61 (release 1): made this version" in drawn  # the head of the file is its line 1
    assert max(map(len, drawn.splitlines())) <= 100
    whole = aisle(club, "explain", "dim_person", "kim@home", "--last", "60").stdout
    assert whole.count("● ") == 60
    assert "┊" not in whole
    assert aisle(club, "explain", "dim_person", "kim@home", "--last", "2").stdout.count("● ") == 2


def test_all_of_it_is_data_too(club):
    data = json.loads(aisle(club, "explain", "dim_person", "kim@home", "--show-pii", "--json").stdout)
    assert (data["standing"], len(data["versions"]), len(data["events"])) == ("in the star", 60, 60)
    assert data["events"][59]["values"]["name"] == "Kimberly"
    assert data["newest"] == {"born": str(date(1980, 2, 3))}
    assert data["events"][59]["origin"]["path"].startswith("bronze/people/")


@pytest.mark.parametrize(
    ("asked", "code", "said"),
    [
        (["dim_persn", "x"], 2, "did you mean 'dim_person'?"),
        (["fact_visit", "2025-02-30", "1"], 2, "day is a date (YYYY-MM-DD), not '2025-02-30'"),
        (["fact_visit", "2025-02-01", "one"], 2, "number is a whole number, not 'one'"),
        (["fact_visit", "2025-02-01"], 2, "number is missing"),
        (["fact_visit", "2025-02-01", "numbr=1"], 2, "did you mean 'number'?"),
        (["fact_visit", "2025-02-01", "1", "2"], 2, "1 too many"),
        (["fact_visit", "number=1", "number=2"], 2, "number is given twice"),
        (["fact_visit", "2025-02-01", "99999999999999999999"], 2, "number is a whole number"),
        (["dim_person", ""], 2, "mail is a text that is not empty"),
        (["dim_person", "x", "--release", "9"], 4, "no release 9: the newest are 1"),
    ],
)
def test_what_is_asked_wrongly_is_said_in_one_line(club, asked, code, said):
    result = aisle(club, "explain", *asked)
    assert (result.exit_code, result.stdout) == (code, "")
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_calendar_has_nothing_to_explain_and_another_declaration_cannot_explain(lake, tmp_path):
    with pytest.raises(ConfigError, match="dim_date is a calendar"):
        explain(STAR, "dim_date", ["2025-01-01"], lake=lake)
    other = shutil.copytree(lake, tmp_path / "lake")
    release = other / "_releases" / "00000002.json"
    release.write_text(release.read_text().replace(STAR.fingerprint, "another"))
    with pytest.raises(LakeError, match="another declaration"):
        explain(STAR, "dim_customer", ["ada"], lake=other)


def test_a_former_release_whose_files_are_gone_is_said(lake, tmp_path):
    other = shutil.copytree(lake, tmp_path / "lake")
    for file in (other / "silver/customers").glob("*.parquet"):
        file.unlink()
    with pytest.raises(LakeError, match=r"Release 1 cannot be explained: silver/customers/.* is gone"):
        explain(STAR, "dim_customer", ["ada"], lake=other, release=1)
