"""What is said where the declaration is another than the one that a release was made by."""

from __future__ import annotations

from collections.abc import Sequence

from aisle.declare.evolution import Difference
from aisle.errors import LakeError
from aisle.lake.releases import Release

_MOST = 8


def assert_only_added(former: Release | None, found: Sequence[Difference]) -> None:
    """A declaration that alters what is there needs somebody's word for it.

    Raises:
        LakeError: it does.
    """
    if alters := [d for d in found if d.kind == "alters"]:
        assert former is not None
        more = f"\n    … and {len(alters) - _MOST} more" if len(alters) > _MOST else ""
        raise LakeError(
            f"The star's declaration is not the one that release {former.number} was made by, and would alter what is there:\n"
            f"{_listed(alters[:_MOST])}{more}\n  `aisle plan` says what that costs. If it is meant: aisle run --accept-changes"
        )


def to_be_taken_in(former: Release, found: Sequence[Difference] = ()) -> LakeError:
    """That a run has to take the declaration in before anything else is done; with the differences, if they are given."""
    listed = f":\n{_listed(found)}" if found else "."
    return LakeError(
        f"The star's declaration is not the one that release {former.number} was made by{listed}\n"
        "  Take that in first: `aisle plan` says what it costs, `aisle run` does it."
    )


def _listed(found: Sequence[Difference]) -> str:
    return "\n".join(f"    {d}" for d in found)
