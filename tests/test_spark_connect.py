"""Spark by Spark Connect: from the command, beside the session that is given, and where it does not do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import kiosk
from aisle.errors import ConfigError
from aisle.run import run
from servers import free_port
from spark_session import remote

pytestmark = pytest.mark.spark


def test_a_command_finds_the_server_that_the_environment_names(spark, tmp_path) -> None:
    for place in (tmp_path / "one", tmp_path / "other"):
        kiosk.deliver(place, kiosk.FIRST)
    kiosk.run_it(tmp_path / "one")
    star = f"{Path(kiosk.__file__)}:STAR"
    (tmp_path / "other" / "aisle.toml").write_text(f'star = "{star}"\nlanding = "landing"\nlake = "lake"\nengine = "spark"\n')
    # No Java is to be needed on this side.
    environment = {**os.environ, "SPARK_REMOTE": remote(spark), "JAVA_HOME": "/nowhere"}
    environment["PYTHONPATH"] = str(Path(__file__).parent)
    command = [str(Path(sys.executable).with_name("aisle")), "-C", str(tmp_path / "other"), "run"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    assert kiosk.in_lake(tmp_path / "other") == kiosk.in_lake(tmp_path / "one")


def test_a_server_that_does_not_answer_is_said_before_long(tmp_path) -> None:
    (tmp_path / "aisle.toml").write_text(f'star = "{Path(kiosk.__file__)}:STAR"\nlake = "lake"\nengine = "spark"\n')
    environment = {**os.environ, "SPARK_REMOTE": f"sc://127.0.0.1:{free_port()}", "PYTHONPATH": str(Path(__file__).parent)}
    command = [str(Path(sys.executable).with_name("aisle")), "-C", str(tmp_path), "run"]
    # PySpark itself would try for ten minutes.
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == ConfigError.exit_code
    assert "No Spark session can be had" in done.stderr
    assert "SPARK_REMOTE" in done.stderr


def test_the_session_that_is_given_stays_as_it_is(connect, tmp_path) -> None:
    connect.sql("CREATE OR REPLACE TEMPORARY VIEW members AS SELECT 1 AS mine")
    zone = connect.conf.get("spark.sql.session.timeZone")
    kiosk.deliver(tmp_path, kiosk.FIRST)
    run(kiosk.STAR, lake=tmp_path / "lake", landing=tmp_path / "landing", spark=connect)
    assert [row.mine for row in connect.table("members").collect()] == [1]
    assert [view.name for view in connect.catalog.listTables() if view.isTemporary] == ["members"]
    assert connect.conf.get("spark.sql.session.timeZone") == zone != "UTC"
    connect.catalog.dropTempView("members")


def test_a_folder_that_only_aisle_sees_is_said(connect, tmp_path, monkeypatch) -> None:
    """Each process has this path for its own, as each machine has its disk."""
    if not Path("/proc/self/cwd").exists():
        pytest.skip("no path is each process's own here")
    monkeypatch.chdir(tmp_path)
    kiosk.deliver(tmp_path, kiosk.FIRST)
    with pytest.raises(ConfigError, match=r"Spark cannot read /proc/self/cwd/lake: what aisle has just written there"):
        run(kiosk.STAR, lake="/proc/self/cwd/lake", landing=tmp_path / "landing", spark=connect)
    kiosk.run_it(tmp_path)
    assert kiosk.in_lake(tmp_path) is not None, "nothing of it is in the way"


def test_a_session_that_cannot_be_parted_is_refused(connect, tmp_path, monkeypatch) -> None:
    """As it is in PySpark 4.0, by Connect."""
    monkeypatch.delattr(type(connect), "cloneSession")
    kiosk.deliver(tmp_path, kiosk.FIRST)
    with pytest.raises(ConfigError, match=r"aisle needs PySpark 4.2 or newer"):
        run(kiosk.STAR, lake=tmp_path / "lake", landing=tmp_path / "landing", spark=connect)
