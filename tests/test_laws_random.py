"""The laws, over random stars, random rows, and whatever may be done to a lake in any order (design §3).

A part is the same each time; another part is new with each run. `AISLE_SEED`, which every run prints, repeats that
part, and `AISLE_EXAMPLES` says how many examples it has.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from any_star import plans
from deliveries import Action, Check, Compact, Deliver, Redeliver, Replace, Replay, Run, Shop, Undo, Vacuum
from landings import drops
from stars import Plan
from two_stars import CLUB, LOANS

SEED = int(os.environ["AISLE_SEED"])
EXAMPLES = int(os.environ.get("AISLE_EXAMPLES", "8"))


def days(plan: Plan) -> st.SearchStrategy[list[Action]]:
    """Some drops, then something that is done to the lake."""
    run, full = st.just(Run()), st.just(Run(full=True))
    back = st.builds(Undo, st.none() | st.integers(0, 9))
    again = st.builds(Redeliver, st.integers(0, 9))
    decided = st.builds(Replace, st.integers(0, 9))
    delivered: st.SearchStrategy[Action] = drops(plan.tables).map(Deliver)
    kept = st.one_of(st.just(Compact()), st.builds(Vacuum, st.integers(1, 4)))
    done: st.SearchStrategy[Action] = st.one_of(
        run, run, run, run, run, full, back, again, decided, kept, st.just(Replay()), st.just(Check())
    )
    return st.tuples(st.lists(delivered, max_size=6), done).map(lambda day: [*day[0], day[1]])


@st.composite
def cases(draw: st.DrawFn, stars: st.SearchStrategy[Plan]) -> tuple[Plan, list[Action]]:
    plan = draw(stars)
    return plan, [action for day in draw(st.lists(days(plan), max_size=8)) for action in day]


def proved(plan: Plan, actions: list[Action]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shop = Shop(Path(folder), plan)
        for action in [*actions, Run(), Check(rebuild=True)]:
            shop.act(action)


@pytest.mark.parametrize("plan", [CLUB, LOANS], ids=["club", "loans"])
@settings(max_examples=4, derandomize=True)
@given(data=st.data())
def test_two_stars_are_what_their_drops_say(plan: Plan, data: st.DataObject) -> None:
    proved(*data.draw(cases(st.just(plan))))


@settings(max_examples=8, derandomize=True)
@given(cases(plans()))
def test_any_star_is_what_its_drops_say(case: tuple[Plan, list[Action]]) -> None:
    proved(*case)


@seed(SEED)
@settings(max_examples=EXAMPLES)
@given(cases(plans()))
def test_any_star_anew_is_what_its_drops_say(case: tuple[Plan, list[Action]]) -> None:
    proved(*case)
