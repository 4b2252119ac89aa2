"""The oracle against tables computed by hand. Days stand for times: day 3 is 2024-01-03."""

import itertools
import random
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from oracle import (
    BEGINNING,
    OPEN_END,
    DimensionRule,
    FactRule,
    LookupRule,
    Row,
    SourceRule,
    accept,
    dimension,
    fact,
    gold,
    half_away_from_zero,
    named_times,
    referenced,
)

ALWAYS, NEVER = BEGINNING, OPEN_END


def day(n):
    return datetime(2024, 1, 1) + timedelta(days=n - 1)


def deletes(values):
    return values.get("op") == "delete"


CUSTOMERS = SourceRule("customers", ("id",), "changes", "at", "seq", deletes)
STOCK = SourceRule("stock", ("id",), "snapshot", "at")
STORES = SourceRule("stores", ("id",), "events")


def rows(names, *lines):
    """Rows from a small table, all of drop `a` unless a column is called `drop`."""
    out = []
    for number, line in enumerate(lines, 1):
        values = dict(zip(names.split(), line, strict=True))
        if "at" in values and isinstance(values["at"], int):
            values["at"] = day(values["at"])
        out.append(Row(str(values.pop("drop", "a")), number, values))
    return out


def table(found, *columns):
    return [tuple(r[c] for c in columns) for r in found]


def versions_of(events, source=CUSTOMERS, reaches_back=True, referenced=(), **attributes):
    attributes = attributes or {"city": "track"}
    rule = DimensionRule("dim", source, ("id",), attributes, reaches_back)
    accepted = accept(source, events)
    found = dimension(rule, accepted.events, set(referenced), accepted.broken)
    shown = [c for n, kind in attributes.items() for c in ([n, f"current_{n}"] if kind == "current" else [n])]
    return table(found, "id", *shown, "valid_from", "valid_to", "is_deleted")


# ---- §3: silver ---------------------------------------------------------------------------------------------------


def where(found):
    return [(r.drop, r.line) for r in found]


def test_an_exact_duplicate_is_dropped_and_the_first_in_arrival_order_stands():
    found = accept(CUSTOMERS, rows("drop id city at", ("b", 1, "X", 1), ("a", 1, "X", 1), ("c", 1, None, 1), ("d", 1, None, 1)))
    assert where(found.events) == [("a", 2), ("c", 3)]
    assert where(found.duplicates) == [("b", 1), ("d", 4)]
    assert found.conflicts == []


def test_an_unchanged_row_of_another_time_is_an_event_of_its_own():
    found = accept(STOCK, rows("id city at", (1, "X", 1), (1, "X", 2)))
    assert len(found.events) == 2


def test_conflicts_are_found_among_events_only():
    found = accept(STORES, rows("id city", (1, "X"), (1, "Y"), (1, "X"), (1, "Y"), (2, "Y")))
    assert where(found.events) == [("a", 1), ("a", 5)]
    assert where(found.duplicates) == [("a", 3)]
    assert where(found.conflicts) == [("a", 2), ("a", 4)]


def test_a_still_earlier_row_flips_the_verdict():
    late = rows("drop id city", ("b", 1, "X"))
    assert where(accept(STORES, late).events) == [("b", 1)]
    found = accept(STORES, late + rows("drop id city", ("a", 1, "Y")))
    assert where(found.events) == [("a", 1)]
    assert where(found.conflicts) == [("b", 1)]


# ---- §4: versions -------------------------------------------------------------------------------------------------


def test_a_b_a_makes_three_versions_and_equal_neighbours_make_one():
    events = rows("id city at", (1, "A", 1), (1, "A", 2), (1, "B", 3), (1, "A", 5), (1, "A", 6))
    assert versions_of(events) == [
        (1, "A", ALWAYS, day(3), False),
        (1, "B", day(3), day(5), False),
        (1, "A", day(5), NEVER, False),
    ]


def test_all_columns_of_a_dimension_in_their_order():
    rule = DimensionRule("dim", CUSTOMERS, ("id",), {"city": "current", "name": "overwrite"})
    assert dimension(rule, rows("id city name at", (1, "A", "x", 1), (1, "B", "y", 2)), {(9,)}) == [
        {
            "id": 1,
            "city": "A",
            "current_city": "B",
            "name": "y",
            "valid_from": ALWAYS,
            "valid_to": day(2),
            "is_current": False,
            "is_deleted": False,
            "is_inferred": False,
            "version": 1,
        },
        {
            "id": 1,
            "city": "B",
            "current_city": "B",
            "name": "y",
            "valid_from": day(2),
            "valid_to": NEVER,
            "is_current": True,
            "is_deleted": False,
            "is_inferred": False,
            "version": 2,
        },
        {
            "id": 9,
            "city": None,
            "current_city": None,
            "name": None,
            "valid_from": ALWAYS,
            "valid_to": NEVER,
            "is_current": True,
            "is_deleted": False,
            "is_inferred": True,
            "version": 1,
        },
    ]
    assert list(dimension(rule, [], {(9,)})[0]) == [
        "id", "city", "current_city", "name", "valid_from", "valid_to", "is_current", "is_deleted", "is_inferred", "version",
    ]  # fmt: skip


def test_the_four_kinds_of_attributes():
    events = rows("id t o w c at", (1, "t1", "o1", "w1", "c1", 1), (1, "t1", "o2", "w2", "c1", 2), (1, "t1", "o3", "w3", "c2", 3))
    assert versions_of(events, t="track", o="original", w="overwrite", c="current") == [
        (1, "t1", "o1", "w3", "c1", "c2", ALWAYS, day(3), False),
        (1, "t1", "o1", "w3", "c2", "c2", day(3), NEVER, False),
    ]


def test_nulls_are_values():
    events = rows("id city name at", (1, None, None, 1), (1, None, "x", 2), (1, "A", None, 3), (1, None, None, 4))
    assert versions_of(events, city="track") == [
        (1, None, ALWAYS, day(3), False),
        (1, "A", day(3), day(4), False),
        (1, None, day(4), NEVER, False),
    ]
    assert versions_of(events[:2], name="original") == [(1, None, ALWAYS, NEVER, False)]
    assert versions_of(events[:3], name="overwrite") == [(1, None, ALWAYS, NEVER, False)]


def test_the_first_version_need_not_reach_back():
    events = rows("id city at", (1, "A", 1), (1, "B", 3))
    assert versions_of(events, reaches_back=False) == [(1, "A", day(1), day(3), False), (1, "B", day(3), NEVER, False)]


def test_at_one_time_the_last_one_wins_by_sequence_then_arrival():
    by_sequence = rows("id city seq at", (1, "A", 2, 1), (1, "B", 1, 1), (1, "C", None, 1))
    assert versions_of(by_sequence) == [(1, "A", ALWAYS, NEVER, False)]
    by_arrival = rows("drop id city at", ("b", 1, "B", 1), ("a", 1, "A", 1))
    assert versions_of(by_arrival) == [(1, "B", ALWAYS, NEVER, False)]
    by_line = rows("drop id city at", ("10", 1, "A", 1), ("10", 1, "B", 1), ("9", 1, "C", 1))
    assert versions_of(by_line) == [(1, "C", ALWAYS, NEVER, False)]  # names are strings: "10" < "9"


def test_a_superseded_value_is_neither_the_original_nor_a_version():
    events = rows("id city at", (1, "A", 1), (1, "B", 1), (1, "C", 2))
    assert versions_of(events, city="original") == [(1, "B", ALWAYS, NEVER, False)]
    assert versions_of(events) == [(1, "B", ALWAYS, day(2), False), (1, "C", day(2), NEVER, False)]


def test_a_redelivered_row_does_not_win_again():
    events = rows("drop id city at", ("a", 1, "A", 1), ("b", 1, "B", 1), ("c", 1, "A", 1))
    assert versions_of(events) == [(1, "B", ALWAYS, NEVER, False)]


def test_a_deletion_holds_the_last_attributes_and_a_reappearance_ends_it():
    events = rows(
        "id city name op at",
        (1, "A", "x", None, 1),
        (1, None, None, "delete", 3),
        (1, None, None, "delete", 4),
        (1, "A", "y", None, 6),
    )
    assert versions_of(events, city="track", name="overwrite") == [
        (1, "A", "y", ALWAYS, day(3), False),
        (1, "A", "y", day(3), day(6), True),
        (1, "A", "y", day(6), NEVER, False),
    ]
    assert versions_of(events[:3], city="current", name="overwrite") == [
        (1, "A", "A", "x", ALWAYS, day(3), False),
        (1, "A", "A", "x", day(3), NEVER, True),
    ]


def test_a_deletion_of_the_same_instant_leaves_the_attributes():
    both = rows("id city seq op at", (1, "A", 0, None, 1), (1, "B", 1, None, 2), (1, None, 2, "delete", 2))
    assert versions_of(both) == [(1, "A", ALWAYS, day(2), False), (1, "B", day(2), NEVER, True)]
    assert versions_of(both[1:], city="original") == [(1, "B", ALWAYS, NEVER, True)]
    reborn = rows("id city seq op at", (1, "A", 2, None, 1), (1, None, 1, "delete", 1))
    assert versions_of(reborn) == [(1, "A", ALWAYS, NEVER, False)]


def test_a_deletion_first_of_all():
    events = rows("id city name op at", (1, "D", "d", "delete", 1), (1, "E", "e", "delete", 2), (1, "A", "x", None, 3))
    assert versions_of(events[:2], city="track", name="overwrite") == [(1, "D", "d", ALWAYS, NEVER, True)]
    tie = rows("id city op at", (1, "D", "delete", 1), (1, "E", "delete", 1))
    assert versions_of(tie) == [(1, "D", ALWAYS, NEVER, True)]
    assert versions_of(events, city="current", name="original") == [
        (1, "D", "A", "x", ALWAYS, day(3), True),
        (1, "A", "A", "x", day(3), NEVER, False),
    ]


def test_without_tracked_columns_only_deletion_makes_versions():
    events = rows("id name op at", (1, "x", None, 1), (1, "y", None, 2), (1, None, "delete", 3))
    assert versions_of(events, name="overwrite") == [(1, "y", ALWAYS, day(3), False), (1, "y", day(3), NEVER, True)]


def test_events_without_a_time_make_one_version_for_all_of_time():
    for reaches_back in (True, False):
        assert versions_of(rows("id city", (1, "A"), (1, "B")), STORES, reaches_back) == [(1, "A", ALWAYS, NEVER, False)]


def test_nothing_is_before_the_beginning_or_after_the_end():
    early = [datetime(1800, 1, 1), datetime(1850, 1, 1)]
    events = rows("id city at", (1, "A", early[0]), (1, "B", early[1]), (1, "C", 1))
    for reaches_back in (True, False):
        assert versions_of(events, reaches_back=reaches_back) == [
            (1, "B", ALWAYS, day(1), False),
            (1, "C", day(1), NEVER, False),
        ]
    for time in (OPEN_END, None):
        with pytest.raises(ValueError, match="no effective time"):
            versions_of(rows("id city at", (1, "A", time)))


def test_inferred_members_have_no_event_of_their_own():
    events = rows("id city op at", (1, None, "delete", 1))
    rule = DimensionRule("dim", CUSTOMERS, ("id",), {"city": "track"}, reaches_back=False)
    found = dimension(rule, events, {(1,), (2,), (None,)})
    assert table(found, "id", "valid_from", "valid_to", "is_deleted", "is_inferred") == [
        (1, day(1), NEVER, True, False),
        (2, ALWAYS, NEVER, False, True),
    ]


def test_composite_natural_keys():
    source = SourceRule("s", ("a", "b"), "changes", "at")
    rule = DimensionRule("dim", source, ("a", "b"), {"city": "track"})
    found = dimension(rule, rows("a b city at", ("a", "bc", "X", 1), ("ab", "c", "Y", 2)), {("a", "b"), ("a", None)})
    assert table(found, "a", "b", "city", "version") == [("a", "b", None, 1), ("a", "bc", "X", 1), ("ab", "c", "Y", 1)]


# ---- §2, §4: snapshots --------------------------------------------------------------------------------------------


def test_absence_from_a_snapshot_is_deletion():
    events = rows("id city at", (1, "A", 1), (2, "B", 1), (2, "B", 2), (2, "B", 3), (1, "A", 4), (3, "C", 4))
    assert versions_of(events, STOCK) == [
        (1, "A", ALWAYS, day(2), False),
        (1, "A", day(2), day(4), True),
        (1, "A", day(4), NEVER, False),
        (2, "B", ALWAYS, day(4), False),
        (2, "B", day(4), NEVER, True),
        (3, "C", ALWAYS, NEVER, False),
    ]


def test_a_late_snapshot_moves_the_boundaries_of_its_neighbours():
    before = rows("drop id city at", ("d1", 1, "A", 1), ("d1", 2, "B", 1), ("d5", 2, "B", 5))
    assert versions_of(before, STOCK)[:2] == [(1, "A", ALWAYS, day(5), False), (1, "A", day(5), NEVER, True)]
    late = rows("drop id city at", ("d3", 1, "Z", 3))
    assert versions_of(before + late, STOCK) == [
        (1, "A", ALWAYS, day(3), False),
        (1, "Z", day(3), day(5), False),
        (1, "Z", day(5), NEVER, True),
        (2, "B", ALWAYS, day(3), False),
        (2, "B", day(3), day(5), True),
        (2, "B", day(5), NEVER, False),
    ]


def test_two_snapshots_of_one_time_are_one():
    events = rows("drop id city at", ("a", 1, "A", 1), ("a", 2, "B", 1), ("b", 2, "C", 1))
    assert versions_of(events, STOCK) == [(1, "A", ALWAYS, NEVER, False), (2, "C", ALWAYS, NEVER, False)]


def broken(row):
    return Row(row.drop, row.line, {c: v for c, v in row.values.items() if v is not None}, broken=True)


def test_a_row_in_quarantine_is_not_absent():
    events = rows("id city at", (1, "A", 1), (2, "B", 1), (1, "?", 2), (2, "B", 2), (2, "B", 3))
    events[2] = broken(events[2])
    assert versions_of(events, STOCK) == [
        (1, "A", ALWAYS, day(3), False),  # not from day 2 on
        (1, "A", day(3), NEVER, True),
        (2, "B", ALWAYS, NEVER, False),
    ]


def test_a_row_in_quarantine_says_nothing_without_its_key_or_its_time():
    for unreadable in ((None, "?", 2), (1, "?", None)):
        events = rows("id city at", (1, "A", 1), (2, "B", 1), unreadable, (2, "B", 2))
        events[2] = broken(events[2])
        assert versions_of(events, STOCK) == [
            (1, "A", ALWAYS, day(2), False),
            (1, "A", day(2), NEVER, True),
            (2, "B", ALWAYS, NEVER, False),
        ]


def test_a_row_in_quarantine_does_not_bring_a_deleted_key_back_nor_a_new_one_to_be():
    events = rows(
        "id city at", (1, "A", 1), (2, "B", 1), (2, "B", 2), (2, "B", 3), (1, "?", 3), (3, "?", 3), (2, "B", 4), (3, "C", 5)
    )
    events[4], events[5] = broken(events[4]), broken(events[5])
    assert versions_of(events, STOCK, reaches_back=False) == [
        (1, "A", day(1), day(2), False),
        (1, "A", day(2), NEVER, True),
        (2, "B", day(1), day(5), False),
        (2, "B", day(5), NEVER, True),
        (3, "C", day(5), NEVER, False),  # on day 4 nothing was there to be deleted
    ]


def test_a_row_in_quarantine_beside_an_accepted_one_of_its_key_says_nothing():
    events = rows("id city at", (1, "A", 1), (1, "B", 2), (1, "?", 2))
    events[2] = broken(events[2])
    assert versions_of(events, STOCK) == [(1, "A", ALWAYS, day(2), False), (1, "B", day(2), NEVER, False)]


def test_a_snapshot_without_an_accepted_row_is_none():
    events = rows("id city at", (1, "A", 1), (2, "?", 2), (1, "A", 3))
    events[1] = broken(events[1])
    assert versions_of(events, STOCK) == [(1, "A", ALWAYS, NEVER, False)]


def test_of_rows_of_one_key_in_a_snapshot_the_last_wins_also_if_it_is_what_was_before():
    events = rows("id city at", (1, "A", 1), (1, "B", 2), (1, "A", 2))
    assert versions_of(events, STOCK) == [(1, "A", ALWAYS, NEVER, False)]


def test_a_first_snapshot_that_comes_late_deletes_what_was_the_first():
    events = rows("id city at", (1, "A", 2), (2, "B", 3))
    assert versions_of(events, STOCK) == [
        (1, "A", ALWAYS, day(3), False),
        (1, "A", day(3), NEVER, True),
        (2, "B", ALWAYS, NEVER, False),
    ]
    late = rows("drop id city at", ("z", 2, "B", 1))
    assert versions_of(events + late, STOCK)[2:] == [
        (2, "B", ALWAYS, day(2), False),
        (2, "B", day(2), day(3), True),
        (2, "B", day(3), NEVER, False),
    ]


SHELF = SourceRule("shelf", ("id",), "snapshot", time_zone="Asia/Kathmandu")


def test_the_time_of_a_snapshot_in_the_names_of_its_drops():
    assert named_times("stores-2025-03-01.csv") == named_times("dt=2025-03-01/part-0.parquet") == {datetime(2025, 3, 1)}
    assert named_times("2025-03-01T0630.csv") == {datetime(2025, 3, 1, 6, 30)}
    assert named_times("dt=2025-03-01/stores-2025-03-01.csv") == {datetime(2025, 3, 1)}
    assert named_times("stores.csv") == set()
    assert len(named_times("dt=2025-03-01/stores-2025-03-02.csv")) == 2


def test_snapshots_by_the_names_of_their_drops():
    delivered = [
        Row("b-2024-01-03", 1, {"id": 1, "city": "A"}),
        Row("a/2024-01-04T0545", 1, {"id": 1, "city": "A"}),
        Row("a/2024-01-04T0545", 2, {"id": 2, "city": "B"}),
        Row("c/2024-01-04T0545", 1, {"id": 2, "city": "B"}),
        Row("c/2024-01-04T0545", 2, {"id": 1}, broken=True),
        Row("2024-01-05", 1, {"id": 2, "city": "B"}),
    ]
    found = accept(SHELF, delivered)
    assert [len(x) for x in (found.events, found.duplicates, found.conflicts, found.broken)] == [4, 1, 0, 1]
    assert versions_of(delivered, SHELF, reaches_back=False) == [
        (1, "A", datetime(2024, 1, 2, 18, 15), datetime(2024, 1, 4, 18, 15), False),
        (1, "A", datetime(2024, 1, 4, 18, 15), NEVER, True),
        (2, "B", day(4), NEVER, False),
    ]


# ---- decision 011: partial changes --------------------------------------------------------------------------------

CARDS = SourceRule("cards", ("id",), "changes", "at", "seq", deletes, ("op",), partial=True)
ABSENT = ...


def partial(names, *lines):
    """Rows from a small table, in which ... stands for a column that the row does not carry."""
    return [Row(r.drop, r.line, {c: v for c, v in r.values.items() if v is not ABSENT}) for r in rows(names, *lines)]


def test_an_absent_column_holds_what_was_carried_before_and_null_is_a_value():
    events = partial("id city name at", (1, "A", ..., 1), (1, ..., "x", 2), (1, None, ..., 3), (1, ..., "y", 4))
    assert versions_of(events, CARDS, city="track", name="track") == [
        (1, "A", None, ALWAYS, day(2), False),
        (1, "A", "x", day(2), day(3), False),
        (1, None, "x", day(3), day(4), False),
        (1, None, "y", day(4), NEVER, False),
    ]
    assert versions_of(events, CARDS, city="overwrite", name="overwrite") == [(1, None, "y", ALWAYS, NEVER, False)]


def test_a_late_partial_row_is_felt_until_its_column_is_carried_again():
    events = partial("id city name at", (1, "A", "x", 1), (1, ..., "y", 3), (1, "B", ..., 4))
    late = partial("drop id city at", ("z", 1, "Z", 2))
    assert versions_of(events + late, CARDS, city="track", name="track") == [
        (1, "A", "x", ALWAYS, day(2), False),
        (1, "Z", "x", day(2), day(3), False),
        (1, "Z", "y", day(3), day(4), False),
        (1, "B", "y", day(4), NEVER, False),
    ]


def test_partial_rows_of_one_instant_add_up_in_the_order_of_the_history():
    events = partial("id city name seq at", (1, "A", ..., 3, 1), (1, "B", "b", 1, 1), (1, ..., "c", 2, 1))
    assert versions_of(events, CARDS, city="track", name="track") == [(1, "A", "c", ALWAYS, NEVER, False)]


def test_an_absent_sequence_is_a_missing_one():
    events = partial("drop id city seq at", ("a", 1, "A", 1, 1), ("b", 1, "B", ..., 1), ("c", 1, "C", None, 1))
    assert versions_of(events, CARDS) == [(1, "A", ALWAYS, NEVER, False)]


def test_a_deleting_row_carries_nothing_and_nothing_is_forgotten():
    events = partial(
        "id city name op at",
        (1, "A", "x", None, 1),
        (1, "Z", "z", "delete", 2),
        (1, ..., "y", ..., 3),
        (1, ..., ..., "delete", 4),
        (1, ..., ..., None, 5),
    )
    assert versions_of(events, CARDS, city="current", name="track") == [
        (1, "A", "A", "x", ALWAYS, day(2), False),
        (1, "A", "A", "x", day(2), day(3), True),
        (1, "A", "A", "y", day(3), day(4), False),
        (1, "A", "A", "y", day(4), day(5), True),
        (1, "A", "A", "y", day(5), NEVER, False),
    ]
    assert versions_of(events[1:2], CARDS, city="track", name="original") == [(1, None, None, ALWAYS, NEVER, True)]
    assert versions_of(events[1:3], CARDS, city="track", name="original") == [
        (1, None, "y", ALWAYS, day(3), True),
        (1, None, "y", day(3), NEVER, False),
    ]


def test_the_original_of_a_partial_source_is_the_first_value_carried():
    events = partial("id city name at", (1, "A", ..., 1), (1, ..., "x", 2), (1, "B", "y", 3))
    assert versions_of(events, CARDS, city="original", name="original") == [(1, "A", "x", ALWAYS, NEVER, False)]
    carried_null = partial("id name at", (1, None, 1), (1, "x", 2))
    assert versions_of(carried_null, CARDS, name="original") == [(1, None, ALWAYS, NEVER, False)]
    # of one instant what it came to counts, be it carried by its last row or by one before
    instant = partial("id city name at", (1, "A", "x", 1), (1, "B", ..., 1), (1, "C", "z", 2))
    assert versions_of(instant, CARDS, city="original", name="original") == [(1, "B", "x", ALWAYS, NEVER, False)]
    never = partial("id city at", (1, "A", 1))
    assert versions_of(never, CARDS, name="original") == [(1, None, ALWAYS, NEVER, False)]


def test_partial_rows_are_duplicates_only_if_they_carry_the_same_columns():
    events = partial("id city name at", (1, "A", None, 1), (1, "A", ..., 1), (1, "A", ..., 1), (1, "A", None, 1))
    found = accept(CARDS, events)
    assert (where(found.events), where(found.duplicates)) == ([("a", 1), ("a", 2)], [("a", 3), ("a", 4)])


def test_a_fact_over_partial_lines():
    lines = SourceRule("lines", ("id",), "changes", "at", None, deletes, ("op",), partial=True)
    place = DimensionRule("place", SourceRule("places", ("a", "b"), "changes", "at"), ("a", "b"), {})
    lookup = LookupRule("place", place, ("a", "b"), "at")
    rule = FactRule("f", lines, None, (), "at", ("id",), (lookup,), {"n": lambda row: row.get("n")})
    events = partial("id a b n at", (1, "x", "y", 5, 1), (1, ..., "z", ..., 2), (2, "u", ..., 7, 1))
    assert referenced(rule, lookup, events, []) == {("x", "y"), ("x", "z")}
    found = gold({"lines": events}, [place], [rule])
    assert found.facts["f"] == [
        {"id": 1, "at": day(2), "place": (("x", "z"), 1), "n": 5},
        {"id": 2, "at": day(1), "place": None, "n": 7},
    ]
    assert referenced(rule, lookup, partial("id a b op at", (1, "x", "y", "delete", 1)), []) == {("x", "y")}


def test_a_partial_line_waits_until_the_time_of_its_fact_is_carried():
    lines = SourceRule("lines", ("id",), "changes", "at", partial=True)
    rule = FactRule("f", lines, None, (), "seen", ("id",), (), {})
    events = partial("id seen at", (1, ..., 1), (1, day(5), 2))
    assert fact(rule, events[:1], [], {}) == ([], [(1,)])
    assert fact(rule, events, [], {}) == ([{"id": 1, "seen": day(5)}], [])


# ---- §5: facts ----------------------------------------------------------------------------------------------------

ITEMS = SourceRule("items", ("order_id", "line"), "changes", "at", None, deletes)
ORDERS = SourceRule("orders", ("order_id",), "changes", "at", None, deletes)
DIM_CUSTOMER = DimensionRule("dim_customer", CUSTOMERS, ("id",), {"city": "track"})
DIM_PRODUCT = DimensionRule("dim_product", SourceRule("products", ("id",), "changes", "at"), ("id",), {"p": "track"}, False)
SALES = FactRule(
    "sales", ITEMS, ORDERS, ("order_id",), "ordered_at", ("order_id", "line"),
    (
        LookupRule("customer", DIM_CUSTOMER, ("customer_id",), "ordered_at"),
        LookupRule("product", DIM_PRODUCT, ("product_id",), "ordered_at"),
    ),
    {"amount": lambda row: half_away_from_zero(row["quantity"] * row["price"], 2)},
)  # fmt: skip


def item(order, line, product="p1", quantity=1, price="1.005", at=1, op=None, drop="i"):
    values = {
        "order_id": order,
        "line": line,
        "product_id": product,
        "quantity": quantity,
        "price": Decimal(price),
        "at": day(at),
        "op": op,
    }
    return Row(drop, 1, values)


def order(number, customer=1, ordered=2, at=1, op=None, drop="o"):
    return Row(drop, 1, {"order_id": number, "customer_id": customer, "ordered_at": day(ordered), "at": day(at), "op": op})


def star(items, orders, customers=(), products=()):
    sources = {"items": list(items), "orders": list(orders), "customers": list(customers), "products": list(products)}
    return gold(sources, [DIM_CUSTOMER, DIM_PRODUCT], [SALES])


MOVED = rows("id city at", (1, "A", 1), (1, "B", 3))


def test_a_row_of_a_fact():
    found = star([item(7, 1, quantity=3)], [order(7)], MOVED)
    assert found.facts["sales"] == [
        {
            "order_id": 7,
            "line": 1,
            "ordered_at": day(2),
            "customer": ((1,), 1),
            "product": (("p1",), 1),
            "amount": Decimal("3.02"),
        }
    ]
    assert list(found.facts["sales"][0]) == ["order_id", "line", "ordered_at", "customer", "product", "amount"]
    assert found.waiting["sales"] == []


def test_a_fact_finds_the_version_of_its_time_from_the_first_microsecond_on():
    def version_on(ordered):
        return star([item(7, 1)], [order(7, ordered=ordered)], MOVED).facts["sales"][0]["customer"]

    moment = timedelta(microseconds=1) / timedelta(days=1)
    assert version_on(-400) == ((1,), 1)  # the first version reaches back
    assert version_on(3 - moment) == ((1,), 1)
    assert version_on(3) == ((1,), 2)
    assert version_on(30) == ((1,), 2)


def test_a_late_version_repoints_the_facts_of_its_period():
    late = rows("id city at", (1, "Z", 2))
    assert star([item(7, 1)], [order(7)], MOVED + late).facts["sales"][0]["customer"] == ((1,), 2)


def test_a_fact_points_to_a_deleted_version_too():
    gone = rows("id city op at", (1, "A", None, 1), (1, None, "delete", 2))
    assert star([item(7, 1)], [order(7)], gone).facts["sales"][0]["customer"] == ((1,), 2)


def test_the_unknown_member():
    found = star([item(7, 1, product=None)], [order(7, customer=None)])
    assert table(found.facts["sales"], "customer", "product") == [(None, None)]
    assert found.dimensions == {"dim_customer": [], "dim_product": []}


def test_a_fact_before_a_first_version_that_does_not_reach_back():
    products = rows("id p at", ("p1", "x", 3))
    found = star([item(7, 1), item(8, 1)], [order(7, ordered=2), order(8, ordered=3)], (), products)
    assert table(found.facts["sales"], "product") == [(None,), ((("p1",), 1),)]


def test_corrections_and_deletions_of_lines_and_headers():
    assert table(star([item(7, 1, price="1"), item(7, 1, price="2", at=2)], [order(7)]).facts["sales"], "amount") == [(2,)]
    # the newest event counts, not the one that arrived last
    assert table(star([item(7, 1, price="2", at=2), item(7, 1, price="1", drop="z")], [order(7)]).facts["sales"], "amount") == [
        (2,)
    ]
    assert table(star([item(7, 1)], [order(7), order(7, ordered=9, at=5)]).facts["sales"], "ordered_at") == [(day(9),)]

    gone_line = star([item(7, 1), item(7, 1, at=2, op="delete"), item(7, 2)], [order(7)])
    assert table(gone_line.facts["sales"], "line") == [(2,)]
    assert gone_line.waiting["sales"] == []

    gone_header = star([item(7, 1), item(8, 1)], [order(7), order(7, at=2, op="delete"), order(8)])
    assert table(gone_header.facts["sales"], "order_id") == [(8,)]
    assert gone_header.waiting["sales"] == [(7, 1)]

    absent_header = star([item(7, 2), item(7, 1), item(8, 1, op="delete")], [])
    assert absent_header.facts["sales"] == []
    assert absent_header.waiting["sales"] == [(7, 1), (7, 2)]


def test_inferred_members_are_all_keys_that_ever_appeared():
    # p1 superseded, p2 newest but waiting, p3 deleted; customer 5 of an order without lines, 4 corrected to 6
    items = [item(7, 1, "p1"), item(7, 1, "p2", at=2), item(9, 1, "p3", op="delete")]
    orders = [order(8, customer=5), order(8, customer=4, at=2), order(8, customer=6, at=3)]
    found = star(items, orders)
    assert table(found.dimensions["dim_product"], "id", "is_inferred") == [("p1", True), ("p2", True), ("p3", True)]
    assert table(found.dimensions["dim_customer"], "id", "is_inferred") == [(4, True), (5, True), (6, True)]


def test_a_key_spread_over_line_and_header_appears_in_pairs():
    lookup = LookupRule("x", DIM_CUSTOMER, ("customer_id", "product_id"), "ordered_at")
    items = [item(7, 1, "p1"), item(7, 1, "p2", at=2), item(8, 1, "p3")]
    orders = [order(7, customer=1), order(7, customer=2, at=2), order(9, customer=3)]
    assert referenced(SALES, lookup, items, orders) == {(1, "p1"), (1, "p2"), (2, "p1"), (2, "p2")}


def test_a_natural_key_with_a_null_in_it_is_none():
    place = DimensionRule("place", SourceRule("places", ("a", "b"), "changes", "at"), ("a", "b"), {})
    visits = SourceRule("visits", ("id",), "events")
    rule = FactRule("visits", visits, None, (), "seen", ("id",), (LookupRule("place", place, ("a", "b"), "seen"),), {})
    found = gold({"visits": rows("id a b seen", (1, "x", None, day(1)), (2, "x", "y", day(1)))}, [place], [rule])
    assert table(found.facts["visits"], "place") == [(None,), ((("x", "y"), 1),)]
    assert table(found.dimensions["place"], "a", "b") == [("x", "y")]


def test_a_line_deleted_at_the_instant_of_its_last_change():
    found = star([item(7, 1), item(7, 1, op="delete", drop="j")], [order(7)])
    assert (found.facts["sales"], found.waiting["sales"]) == ([], [])


def test_a_column_of_both_line_and_header_is_the_lines():
    rule = FactRule("f", ITEMS, ORDERS, ("order_id",), "at", ("line",), (), {})
    assert fact(rule, [item(7, 1, at=4)], [order(7, at=1)], {})[0] == [{"line": 1, "at": day(4)}]


def test_a_fact_without_header_and_the_key_of_a_conflict():
    visits = SourceRule("visits", ("id",), "events")
    rule = FactRule(
        "visits",
        visits,
        None,
        (),
        "seen",
        ("id",),
        (LookupRule("customer", DIM_CUSTOMER, ("customer_id",), "seen"),),
        {},
    )
    seen = rows("id customer_id seen", (1, 1, day(3)), (1, 2, day(3)), (2, 1, None))
    found = gold({"visits": seen, "customers": MOVED}, [DIM_CUSTOMER], [rule])
    assert found.facts["visits"] == [
        {"id": 1, "seen": day(3), "customer": ((1,), 2)},
        {"id": 2, "seen": None, "customer": None},
    ]
    assert table(found.dimensions["dim_customer"], "id", "version") == [(1, 1), (1, 2)]  # 2 is only in a conflict


def test_a_snapshot_of_lines_deletes_by_absence():
    lines = SourceRule("lines", ("id",), "snapshot", "at")
    rule = FactRule("f", lines, None, (), "at", ("id",), (), {"n": lambda row: row["n"]})
    events = rows("id n at", (1, 10, 1), (2, 20, 1), (2, 21, 2))
    assert fact(rule, events, [], {}) == ([{"id": 2, "at": day(2), "n": 21}], [])


def test_rounding_is_half_away_from_zero():
    values = ["0.005", "-0.005", "0.0049", "2.675", "-2.675", "123456789012345678901234567890.125"]
    assert [str(half_away_from_zero(Decimal(v), 2)) for v in values] == [
        "0.01", "-0.01", "0.00", "2.68", "-2.68", "123456789012345678901234567890.13",
    ]  # fmt: skip


# ---- §3: the laws, on small random stars --------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(60))
def test_the_laws(seed):
    dice = random.Random(seed)

    def op():
        return dice.choice([None, None, "delete"])

    def drop():
        return dice.choice("abc")

    def pick(*of):
        return dice.choice(of)

    number = iter(range(10_000))
    make = {
        "customers": lambda: {
            "id": pick(1, 2),
            "city": pick("A", "B", None),
            "seq": pick(1, 2, None),
            "at": day(pick(1, 2, 3, 4)),
            "op": op(),
        },
        "products": lambda: {"id": pick("p1", "p2"), "p": pick("x", "y"), "at": day(pick(1, 2, 3, 4))},
        "items": lambda: item(pick(1, 2), pick(1, 2), pick("p1", "p2", "p3", None), pick(1, 2), at=pick(1, 2, 3), op=op()).values,
        "orders": lambda: order(pick(1, 2), pick(1, 2, 3, None), pick(1, 2, 3, 5), pick(1, 2, 3), op()).values,
    }
    sources = {name: [Row(drop(), next(number), one()) for _ in range(dice.randrange(9))] for name, one in make.items()}
    dims = [
        DIM_CUSTOMER,
        DimensionRule("dim_product", SourceRule("products", ("id",), "snapshot", "at"), ("id",), {"p": "current"}),
    ]
    lookups = tuple(LookupRule(x.column, d, x.key, x.at) for x, d in zip(SALES.lookups, dims, strict=True))
    sales = FactRule("sales", ITEMS, ORDERS, SALES.header_key, SALES.at, SALES.degenerate, lookups, SALES.measures)
    found = gold(sources, dims, [sales])

    # 1. confluence: any order, and redelivery under a later name
    mixed = {name: dice.sample(of, len(of)) + [Row("z", r.line, r.values) for r in of] for name, of in sources.items()}
    again = gold(mixed, dims, [sales])
    assert (again.dimensions, again.facts, again.waiting) == (found.dimensions, found.facts, found.waiting)

    # 2. balance
    for name, of in sources.items():
        a = found.accepted[name]
        assert sorted(map(id, of)) == sorted(map(id, a.events + a.duplicates + a.conflicts))

    # 6. timeline
    for d in dims:
        of_d = found.dimensions[d.name]
        for key in {r["id"] for r in of_d}:
            line = [r for r in of_d if r["id"] == key]
            assert line[0]["valid_from"] == BEGINNING
            assert line[-1]["valid_to"] == OPEN_END
            assert [r["version"] for r in line] == list(range(1, len(line) + 1))
            assert [r["is_current"] for r in line] == [False] * (len(line) - 1) + [True]
            for one, two in itertools.pairwise(line):
                assert one["valid_from"] < one["valid_to"] == two["valid_from"]
                assert any(one[c] != two[c] for c in (*d.attributes, "is_deleted"))

    # 7. integrity
    for row in found.facts["sales"]:
        for lookup in lookups:
            if row[lookup.column] is not None:
                (key,), version = row[lookup.column]
                (to,) = [r for r in found.dimensions[lookup.dimension.name] if (r["id"], r["version"]) == (key, version)]
                assert to["valid_from"] <= row["ordered_at"] < to["valid_to"]
