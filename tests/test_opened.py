"""A lake opened in Python: its frames hold what its files hold, as of any release and time, and take no more than they should."""

from __future__ import annotations

import gc
import subprocess
import sys
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

import aisle
from aisle.errors import ConfigError, LakeError, NothingDelivered, WarehouseError
from aisle.opened import Opened
from aisle.retail.star import star
from eventful import Eventful


@pytest.fixture
def shop(eventful: Eventful):
    with aisle.open(eventful.lake, star) as opened:
        yield opened


def test_a_table_is_what_its_files_hold(shop: Opened, eventful: Eventful) -> None:
    facts = eventful.rows("fact_sales", 4)
    assert shop.release == 4
    assert sorted(shop.fact_sales, key=repr) == sorted(facts, key=repr)
    assert len(shop.fact_sales) == len(facts)
    net = sum(f["net_amount"] for f in facts)
    question = "select sum(net_amount) as net from fact_sales"
    assert shop.sql(question).rows() == [{"net": net}]
    assert shop.sql(question).polars()["net"].to_list() == [net]
    assert shop.sql(question).arrow().column("net").to_pylist() == [net]
    assert shop.sql(question).pandas()["net"].to_list() == [float(net)]
    assert pl.DataFrame(shop.fact_sales).height == pa.table(shop.fact_sales).num_rows == len(facts)
    assert shop.fact_sales.relation.aggregate("count(*)").fetchall() == [(len(facts),)]


def test_a_dimension_as_of_a_time_and_as_known_then(eventful: Eventful) -> None:
    who = eventful.late["customer_id"]
    with aisle.open(eventful.lake, star, release=3) as then:
        of = {c["customer_id"]: c["segment"] for c in then.dim_customer.as_of(eventful.moved_at.isoformat() + "Z")}
        was = {c["customer_id"]: c["segment"] for c in then.dim_customer.as_of("2025-01-01")}
        assert was[who] == eventful.late["segment"] != of[who]
        assert len(of) == len(then.dim_customer_current)
    with aisle.open(eventful.lake, star, release=2) as before:
        assert {c["segment"] for c in before.dim_customer_current if c["customer_id"] == who} == {eventful.late["segment"]}


def test_personal_columns_are_left_out_unless_asked_for(shop: Opened, eventful: Eventful) -> None:
    assert "email" not in shop.dim_customer.columns
    with aisle.open(eventful.lake, star, show_pii=True) as shown:
        assert {"name", "email", "phone", "street"} <= set(shown.dim_customer.columns)


def test_it_shows_itself(shop: Opened) -> None:
    assert repr(shop).startswith("<release 4 of shop: dim_customer, dim_product, dim_date, fact_sales, ")
    assert {"dim_customer", "fact_sales_as_was"} <= set(dir(shop))
    assert "customer_id" in repr(shop.dim_customer)
    page = shop.sql("select '<b>' as mark, null as nothing")._repr_html_()
    assert "<td>&lt;b&gt;</td><td></td>" in page
    assert "<p>1 row, 2 columns.</p>" in page
    assert "Who bought: one row for each version of a customer." in shop._repr_html_()
    assert star._repr_html_().startswith("<svg")


def test_the_lake_of_a_project_needs_no_star(eventful: Eventful, tmp_path: Path) -> None:
    (tmp_path / "aisle.toml").write_text(f'star = "aisle.retail.star:star"\nlake = "{eventful.lake}"\n')
    with aisle.open(tmp_path) as opened:
        assert opened.release == 4


def test_what_the_readme_shows(eventful: Eventful, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = (Path(__file__).parents[1] / "README.md").read_text().split("```python\n")[1].split("```")[0]
    assert "aisle.open" in shown
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "aisle.toml").write_text(f'star = "aisle.retail.star:star"\nlake = "{eventful.lake}"\n')
    monkeypatch.chdir(tmp_path)
    exec(shown, {})


def test_what_is_not_there_is_said(shop: Opened, eventful: Eventful, tmp_path: Path) -> None:
    with pytest.raises(AttributeError, match=r"no table or view 'dim_custmer': did you mean 'dim_customer'\?"):
        shop.dim_custmer  # noqa: B018  (asked for in vain)
    with pytest.raises(WarehouseError, match="Ask one question"):
        shop.sql("drop table dim_customer").rows()
    with pytest.raises(WarehouseError, match="cannot be asked here"):
        len(shop.sql("from '/etc/passwd'"))
    with pytest.raises(ConfigError, match="is no time"):
        shop.dim_customer.as_of("some day")
    with pytest.raises(LakeError, match="The lake has no release 9"):
        aisle.open(eventful.lake, star, release=9)
    with pytest.raises(NothingDelivered, match="has no release yet"):
        aisle.open(tmp_path, star)
    with pytest.raises(ConfigError, match="There is no folder"):
        aisle.open(tmp_path / "nowhere")


def test_a_script_that_leaves_it_open_ends_well(eventful: Eventful) -> None:
    script = f"import aisle; from aisle.retail.star import star; shop = aisle.open({str(eventful.lake)!r}, star); print(len(shop.fact_sales))"
    for _ in range(3):
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


def test_what_is_let_go_of_is_closed(eventful: Eventful) -> None:
    opened = aisle.open(eventful.lake, star)
    spill = opened.asked(None)._engine._spill
    assert spill.exists()
    del opened
    gc.collect()
    assert not spill.exists()
