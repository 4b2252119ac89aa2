"""The rule book: every file under tests/given states a rule of the design, and is run here."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from aisle.run import run
from aisle.run.replay import replace
from aisle.run.undo import undo
from given.looking import Names, differences
from given.reading import Expect, Given, Replace, Run, Undo, WrittenWrongly, read
from given.star import STAR
from lakes import content, rows

BOOK = Path(__file__).parent / "given"
TABLES = [*(f"silver/{s.name}" for s in STAR.sources), *(f"gold/{t.table}" for t in STAR.tables)]


def put(landing: Path, drop: Given) -> None:
    file = landing / f"{drop.drop}.jsonl"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(drop.text, encoding="utf-8")


@pytest.mark.parametrize("name", sorted(str(f.relative_to(BOOK).with_suffix("")) for f in BOOK.rglob("*.txt")))
def test_rule(name: str, tmp_path: Path) -> None:
    """What is expected is there; and the same drops make the same lake in another way: in one run, or backwards."""
    rule = read(BOOK / f"{name}.txt", STAR)
    lake, landing = tmp_path / "lake", tmp_path / "landing"
    delivered: list[Given] = []
    names, found, new, runs = Names(), [], False, 0
    for step in rule.steps:
        if isinstance(step, Given):
            put(landing, step)
            delivered.append(step)
            new = True
            continue
        if new or isinstance(step, Run):
            run(STAR, lake=lake, landing=landing)
            new, runs = False, runs + 1
        if isinstance(step, Undo):
            undo(STAR, lake=lake)
        if isinstance(step, Replace):
            replace(STAR, lake=lake, source=step.source, drop=f"{step.drop}.jsonl")
        if isinstance(step, Expect):
            found.append(differences(STAR, lake, step, names))
    if wrong := "\n\n".join(filter(None, found)):
        pytest.fail(f"{rule.sentence}\n\n{wrong}", pytrace=False)

    other = tmp_path / "other"
    if runs > 1:
        for drop in _one_of_each_name(delivered, lake):
            put(tmp_path / "all", drop)
        run(STAR, lake=other, landing=tmp_path / "all")
    elif len(delivered) > 1:
        for drop in reversed(delivered):
            put(tmp_path / "all", drop)
            run(STAR, lake=other, landing=tmp_path / "all")
    else:
        return
    how = "in one run" if runs > 1 else "one by one, the last one first"
    assert content(other, *TABLES) == content(lake, *TABLES), f"{rule.sentence} But taken {how}, the drops make something else."


def _one_of_each_name(delivered: list[Given], lake: Path) -> list[Given]:
    """Of two drops of one name only one can lie in a landing: the one that was taken."""
    ledger = rows(lake, "bronze/_ledger")
    taken = {(f"{r['source']}/{r['drop']}", r["digest"]) for r in ledger if r["status"] == "consumed"}
    return sorted(delivered, key=lambda d: (f"{d.drop}.jsonl", hashlib.sha256(d.text.encode()).hexdigest()) in taken)


WRONG = {
    "no sentence": ("given customers/01\n  customer\n", 1, "A rule begins with a sentence"),
    "no expectation": ("A rule.\n\ngiven customers/01\n  customer\n  ada\n", 1, "The rule expects nothing"),
    "unknown word": ("A rule.\n\nwhen customers/01\n", 3, "not 'when customers/01'"),
    "unknown source": ("A rule.\n\ngiven shops/01\n  shop\n", 3, "There is no source 'shops'. There are: customers"),
    "drop without a name": ("A rule.\n\ngiven customers\n  customer\n", 3, "A drop has a name"),
    "no table": ("A rule.\n\ngiven customers/01\nrun\n", 3, "A table has to follow"),
    "unknown column": ("A rule.\n\ngiven customers/01\n  # who\n  customer | town\n", 5, "customers has no column 'town'"),
    "column twice": ("A rule.\n\ngiven customers/01\n  customer | customer\n", 4, "'customer' stands here twice"),
    "ragged row": ("A rule.\n\ngiven customers/01\n  customer | at\n  ada\n", 5, "The row has 1 cells, but the table 2"),
    "open quote": ('A rule.\n\ngiven customers/01\n  customer\n  "ada\n', 5, '"ada begins like a quoted text'),
    "unknown table": ("A rule.\n\nexpect dim_shop\n  shop\n", 3, "There is no table 'dim_shop'. There are: dim_customer"),
    "unknown column expected": ("A rule.\n\nexpect dim_customer\n  town\n", 4, "dim_customer has no column 'town'"),
    "empty cell": ("A rule.\n\nexpect dim_customer\n  customer | city\n  ada |\n", 5, "An empty cell expects nothing"),
    "no time": ("A rule.\n\nexpect dim_customer\n  valid_from\n  1 May\n", 5, "'1 May' is not a time"),
    "no number": ("A rule.\n\nexpect dim_customer\n  version\n  one\n", 5, "'one' is not a number"),
    "no flag": ("A rule.\n\nexpect dim_customer\n  is_deleted\n  false\n", 5, "'false' is not yes or no"),
    "no key": ("A rule.\n\nexpect dim_customer\n  customer_key\n  first\n", 5, "'first' is not a key: -1, a day such as"),
    "after the end": ("A rule.\n\nexpect dim_customer\n  customer\n\nrun\n", 6, "never looked at"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_file_that_is_written_wrongly_is_told_where(case: str, tmp_path: Path) -> None:
    text, line, what = WRONG[case]
    file = tmp_path / "rule.txt"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(WrittenWrongly) as told:
        read(file, STAR)
    assert str(told.value).startswith(f"{file}:{line}: ")
    assert what in str(told.value)


def test_a_difference_is_shown_as_two_tables(tmp_path: Path) -> None:
    file = tmp_path / "rule.txt"
    file.write_text(
        "A rule.\n\ngiven customers/01\n  customer | city | at\n  ada | Paris | 2025-01-01\n  bob | null | 2025-01-01\n"
        "expect dim_customer\n  customer | city | version\n  ada | Lisbon | 1\n  bob | null | 1\n",
        encoding="utf-8",
    )
    given, expected = read(file, STAR).steps
    assert isinstance(given, Given)
    assert isinstance(expected, Expect)
    put(tmp_path / "landing", given)
    run(STAR, lake=tmp_path / "lake", landing=tmp_path / "landing")
    assert differences(STAR, tmp_path / "lake", expected, Names()).splitlines()[1:] == [
        "  expected:",
        "    customer | city   | version",
        "  > ada      | Lisbon | 1",
        "    bob      | null   | 1",
        "  got:",
        "    customer | city  | version",
        "  > ada      | Paris | 1",
        "    bob      | null  | 1",
    ]
