"""The laws over random stars and histories, as tests/test_laws_random.py has them, run by Spark and by DuckDB as it comes.

What is expected is of the oracle, which knows of no engine.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import Phase, given, seed, settings
from hypothesis import strategies as st

from any_star import plans
from deliveries import Action, Check, Deliver, Run, Shop, Undo
from landings import drops
from stars import Plan

pytestmark = pytest.mark.spark

SEED = int(os.environ["AISLE_SEED"])
EXAMPLES = int(os.environ.get("AISLE_EXAMPLES", "2"))  # a run takes seconds, however little there is to do


@st.composite
def cases(draw: st.DrawFn) -> tuple[Plan, list[Action]]:
    """Two deliveries or three, each with a run after it, one of them by Spark; and now and then an undo between."""
    plan = draw(plans())
    actions: list[Action] = []
    by_spark = draw(st.lists(st.booleans(), min_size=2, max_size=3).filter(any))
    for spark in by_spark:
        actions += map(Deliver, draw(st.lists(drops(plan.tables), min_size=1, max_size=6)))
        actions.append(Run(spark=spark))
        actions += draw(st.sampled_from([[], [], [Undo()]]))
    return plan, actions


# Not shrunk: that would take an hour. `make fuzz` on DuckDB shrinks.
@seed(SEED)
@settings(max_examples=EXAMPLES, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(case=cases())
def test_any_star_anew_by_spark_is_what_its_drops_say(spark, case: tuple[Plan, list[Action]]) -> None:
    plan, actions = case
    with tempfile.TemporaryDirectory() as folder:
        shop = Shop(Path(folder), plan, spark)
        for action in [*actions, Run(), Check(rebuild=True)]:
            shop.act(action)
