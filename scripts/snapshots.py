"""Write the reference star's warehouse on paper anew, into tests/snapshots: for review, before they are committed."""

from __future__ import annotations

from pathlib import Path

from aisle.derive.redshift import REDSHIFT
from aisle.retail.star import star
from aisle.warehouses.paper import Place, paper

FOLDER = Path(__file__).parents[1] / "tests" / "snapshots" / "redshift"

files = paper(star, REDSHIFT, Place("shop", reader_role="shop_reader"))
for old in FOLDER.glob("*.sql"):
    old.unlink()
for name, text in files.items():
    (FOLDER / name).write_text(text, encoding="utf-8")
print(f"{len(files)} files in {FOLDER}: look at `git diff` before you commit them.")
