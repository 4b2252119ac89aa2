"""What is deployed on Databricks and EMR Serverless: as those services' own models take it, and what it starts does run."""

from __future__ import annotations

import json
import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
import tarfile
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest
import yaml
from botocore.validate import ParamValidator
from databricks.bundles.jobs import Job

import kiosk
from aisle.job import main as job
from aisle.project import open_project

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

DEPLOY = Path(__file__).parents[1] / "deploy"
START = DEPLOY / "emr" / "start.sh"
ASKED = {"BUCKET": "shop-bucket", "APPLICATION": "00abc", "ROLE": "arn:aws:iam::123456789012:role/shop-spark"}
ON_S3 = 'star = "star.py:STAR"\nlanding = "s3://shop-bucket/landing"\nlake = "s3://shop-bucket/lake"\n'

# Stands for AWS's command line: it notes what it is asked, keeps what is uploaded, and knows a stack's outputs.
AWS = """#!{python}
import json, os, pathlib, shutil, sys
here = pathlib.Path(__file__).parent
with open(here / "asked", "a") as asked:
    asked.write(json.dumps(sys.argv[1:]) + "\\n")
if sys.argv[1:3] == ["s3", "cp"]:
    (here / "bucket").mkdir(exist_ok=True)
    shutil.copy(sys.argv[3], here / "bucket" / sys.argv[4].rpartition("/")[2])
elif sys.argv[1] == "cloudformation":
    outputs = {{"Lake": "s3://shop-bucket/lake", "SparkApplication": "00abc", "SparkRole": "arn:aws:iam::123456789012:role/shop-spark"}}
    print(next((v for k, v in outputs.items() if f"'{{k}}'" in sys.argv[-1] and "without" not in sys.argv), ""))
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project as a user has it, with its star in a file, beside what a laptop leaves there."""
    folder = tmp_path / "it's a shop"
    (folder / "more").mkdir(parents=True)
    (folder / "star.py").write_text("from more.stars import STAR\n")
    (folder / "more" / "stars.py").write_text("from kiosk import STAR\n")
    (folder / "aisle.toml").write_text(ON_S3)
    for left in ("landing/members/1.csv", "lake/gold/x.parquet", ".venv/lib/a.py", "warehouse.duckdb"):
        (folder / left).parent.mkdir(parents=True, exist_ok=True)
        (folder / left).write_text("")
    return folder


@pytest.fixture
def aws(tmp_path: Path) -> Path:
    """A folder where what stands for AWS's command line lies, and keeps what it gets."""
    folder = tmp_path / "aws"
    folder.mkdir()
    command = folder / "aws"
    command.write_text(AWS.format(python=sys.executable))
    command.chmod(0o755)
    return folder


def start(aws: Path, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [START, *map(str, arguments)],
        cwd=aws,
        env={"PATH": f"{aws}:{os.environ['PATH']}", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def asked(aws: Path) -> list[list[str]]:
    return [json.loads(line) for line in (aws / "asked").read_text().splitlines()]


def request(command: list[str]) -> dict[str, Any]:
    """What AWS's command line would send, valid by EMR Serverless's own model."""
    assert command[:2] == ["emr-serverless", "start-job-run"]
    options = dict(zip(command[2::2], command[3::2], strict=True))
    sent = {
        re.sub(r"-(.)", lambda m: m[1].upper(), name.removeprefix("--")): json.loads(value) if value.startswith("{") else value
        for name, value in options.items()
    }
    model = botocore.session.get_session().get_service_model("emr-serverless").operation_model("StartJobRun").input_shape
    sent["clientToken"] = "the command line makes one"
    assert not (wrong := ParamValidator().validate(sent, model)).has_errors(), wrong.generate_report()
    assert sent.keys() <= model.members.keys()  # a validator passes over what it does not know
    return sent


def run_as(place: Path, lake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a service would have a bucket, have folders of this machine."""
    monkeypatch.setenv("AISLE_LANDING", str(place / "landing"))
    monkeypatch.setenv("AISLE_LAKE", str(place / lake))


def test_a_script_has_nothing_that_shellcheck_minds() -> None:
    scripts = sorted(map(str, DEPLOY.rglob("*.sh")))
    checked = subprocess.run(
        [Path(sys.executable).with_name("shellcheck"), *scripts], capture_output=True, text=True, check=False
    )
    assert len(scripts) == 2
    assert (checked.returncode, checked.stdout) == (0, "")


def test_a_job_that_is_done_comes_back_and_one_that_fails_says_so(project: Path, tmp_path: Path, capfd, monkeypatch) -> None:
    run_as(tmp_path, "lake", monkeypatch)
    assert job("-C", str(project), "status") is None
    for arguments, code, said in (
        (("-C", str(project), "run"), 3, "There is nothing in the landing"),
        (("-C", str(project), "run", "--nonsense"), 2, "No such option"),
        (("-C", str(tmp_path / "nowhere"), "run"), 2, "does not exist"),
    ):
        with pytest.raises(SystemExit) as told:
            job(*arguments)
        assert told.value.code == code
        assert said in capfd.readouterr().err


# Databricks


BUNDLE: dict[str, Any] = yaml.safe_load((DEPLOY / "databricks" / "databricks.yml").read_text())
GIVEN = {"workspace.file_path", "bundle.name", "bundle.target"}


def resolved(value: Any, known: dict[str, str]) -> Any:
    """A setting with its references put in."""
    if isinstance(value, dict):
        return {k: resolved(v, known) for k, v in value.items()}
    if isinstance(value, list):
        return [resolved(v, known) for v in value]
    return re.sub(r"\$\{([^}]*)\}", lambda m: known[m[1]], value) if isinstance(value, str) else value


def defaults(**known: str) -> dict[str, str]:
    variables = {f"var.{name}": str(of.get("default", f"<{name}>")) for name, of in BUNDLE["variables"].items()}
    return variables | dict.fromkeys(GIVEN, "here") | {name.replace("__", "."): value for name, value in known.items()}


def test_a_bundles_job_is_one_of_databricks() -> None:
    Job.from_dict(BUNDLE["resources"]["jobs"]["aisle"])  # it minds a setting that there is not
    resolved(BUNDLE, defaults())  # and no reference leads nowhere
    used = set(re.findall(r"\$\{var\.(\w+)\}", json.dumps(BUNDLE)))
    assert used == set(BUNDLE["variables"])
    assert {name for name, of in BUNDLE["variables"].items() if "default" not in of} == {"bucket", "instance_profile"}


@pytest.mark.spark
def test_the_bundles_task_runs_the_projects_star(
    spark: SparkSession, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wheel's entry point, with the task's parameters and the cluster's environment, in the session at hand."""
    kiosk.deliver(tmp_path, kiosk.FIRST)
    kiosk.run_it(tmp_path)
    settings = Job.from_dict(resolved(BUNDLE["resources"]["jobs"]["aisle"], defaults(workspace__file_path=str(project))))
    (task,), (cluster,) = settings.tasks, settings.job_clusters
    assert task.job_cluster_key == cluster.job_cluster_key
    for name, value in cluster.new_cluster.spark_env_vars.items():
        monkeypatch.setenv(name, value)
    found = open_project(project)
    assert (found.landing, found.lake, found.engine) == ("s3://<bucket>/landing", "s3://<bucket>/lake", "spark")
    run_as(tmp_path, "by the job", monkeypatch)
    assert task.python_wheel_task.package_name == "aisle"
    (entry,) = entry_points(group="console_scripts", name=task.python_wheel_task.entry_point)
    monkeypatch.setattr(sys, "argv", ["aisle", *task.python_wheel_task.parameters])
    assert entry.load()() is None
    shutil.move(tmp_path / "by the job", tmp_path / "job" / "lake")
    assert kiosk.in_lake(tmp_path / "job") == kiosk.in_lake(tmp_path)


# EMR Serverless


@pytest.mark.spark
def test_what_is_started_on_emr_runs_the_projects_star(
    spark: SparkSession, project: Path, aws: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kiosk.deliver(tmp_path, kiosk.FIRST)
    kiosk.run_it(tmp_path)
    (aws / "environment.tar.gz").write_bytes(b"")
    told = start(aws, "shop", project)
    assert (told.returncode, told.stderr) == (0, "")
    *before, last = asked(aws)
    assert {command[3] for command in before if command[0] == "s3"} == {
        f"s3://shop-bucket/spark/{name}" for name in ("shop.tar.gz", "job.py", "environment.tar.gz")
    }
    sent = request(last)
    assert (sent["applicationId"], sent["executionRoleArn"]) == (ASKED["APPLICATION"], ASKED["ROLE"])
    submit = sent["jobDriver"]["sparkSubmit"]
    settings = dict(option.split("=", 1) for option in shlex.split(submit["sparkSubmitParameters"]) if option != "--conf")
    archives = dict(reversed(archive.split("#")) for archive in settings["spark.archives"].split(","))
    assert settings["spark.emr-serverless.driverEnv.PYSPARK_DRIVER_PYTHON"].startswith("./environment/")
    # As on EMR: the archives beside the script, in the working folder.
    work = tmp_path / "work"
    with tarfile.open(aws / "bucket" / archives["project"].rpartition("/")[2]) as archive:
        assert sorted(archive.getnames()) == ["./aisle.toml", "./more/stars.py", "./star.py"]
        archive.extractall(work / "project", filter="data")
    run_as(tmp_path, "by the job", monkeypatch)
    monkeypatch.chdir(work)
    monkeypatch.setattr(sys, "argv", ["job.py", *submit["entryPointArguments"]])
    runpy.run_path(str(aws / "bucket" / submit["entryPoint"].rpartition("/")[2]), run_name="__main__")
    shutil.move(tmp_path / "by the job", tmp_path / "job" / "lake")
    assert kiosk.in_lake(tmp_path / "job") == kiosk.in_lake(tmp_path)


def test_a_dry_start_prints_what_it_would_do_and_asks_nothing(project: Path, aws: Path) -> None:
    told = start(aws, "--dry-run", "shop", project, "check", "--against-engine", "duckdb", **ASKED)
    assert (told.returncode, told.stderr) == (0, "")
    assert not (aws / "asked").exists()
    *uploads, last = [shlex.split(line) for line in told.stdout.splitlines()]
    assert [command[:3] for command in uploads] == [["aws", "s3", "cp"]] * 2
    arguments = request(last[1:])["jobDriver"]["sparkSubmit"]["entryPointArguments"]
    assert arguments == ["-C", "project", "check", "--against-engine", "duckdb", "--engine", "spark"]


def test_what_a_start_needs_is_said(project: Path, aws: Path, tmp_path: Path) -> None:
    assert "SparkRelease" in start(aws, "without", project).stderr
    assert "no aisle.toml" in start(aws, "shop", tmp_path).stderr
    assert "start.sh [--dry-run] STACK PROJECT" in start(aws).stderr
    (project / "aisle.toml").write_text(ON_S3.replace("s3://shop-bucket/lake", "lake"))
    refused = start(aws, "shop", project)
    assert refused.returncode == 2
    assert "lake is not on S3" in refused.stderr
    assert not [command for command in asked(aws) if command[0] != "cloudformation"]
