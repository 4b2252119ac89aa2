"""A lake on S3, run by Spark through Hadoop's S3A, by DuckDB before or after it; and what is said where Spark cannot read it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.exceptions import ClientError

from aisle.errors import ConfigError
from aisle.run import run
from aisle.run.check import check
from kiosk import FIRST, SECOND, STAR, deliver, in_lake, run_it
from servers import CREDENTIALS, strict_s3_server
from spark_session import SETTINGS, hadoop, jars_for_s3, java_for_spark
from test_s3 import fetched, upload

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = [pytest.mark.spark, pytest.mark.usefixtures("s3_jars")]


@pytest.mark.parametrize(("session", "spark_first"), [("spark", True), ("connect", False)], ids=["classic", "connect"])
def test_either_engine_goes_on_where_the_other_left_off(request, s3, bucket, tmp_path, session, spark_first) -> None:
    engine = request.getfixturevalue(session)
    reference, lake = tmp_path / "reference", f"s3://{bucket}/the/lake"
    for drops, by_spark in ((FIRST, spark_first), (SECOND, not spark_first)):
        deliver(reference, drops)
        run_it(reference)
        upload(s3, bucket, drops, "the/")
        run(STAR, lake=lake, landing=f"s3://{bucket}/the/landing", spark=engine if by_spark else None)
        assert in_lake(fetched(s3, bucket, tmp_path / f"{by_spark}", "the/")) == in_lake(reference)
    assert [f.law for f in check(STAR, lake=lake, spark=engine) if not f.holds] == []
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket, Prefix="the/lake/bronze/_incoming/"), "kept for a run, and gone"


def by_command(place: Path, *, jars: bool) -> subprocess.CompletedProcess[str]:
    """`aisle run` by a Spark of its own, as somebody has it who installed PySpark, set up in Spark's own way."""
    (place / "aisle.toml").write_text(
        f'star = "{Path(__file__).with_name("kiosk.py")}:STAR"\nlanding = "s3://shop/landing"\nlake = "s3://shop/lake"\nengine = "spark"\n'
    )
    settings = {name: value for name, value in SETTINGS.items() if not name.startswith(("spark.hadoop", "spark.plugins"))}
    settings |= {"spark.master": "local[2]", "spark.local.dir": str(place)}
    if jars:
        settings["spark.driver.extraClassPath"] = f"{jars_for_s3()}/*"
    (place / "spark-defaults.conf").write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
    with java_for_spark(place / "java"):
        environment = {**os.environ, "SPARK_CONF_DIR": str(place), "PYTHONPATH": str(Path(__file__).parent)}
        command = [str(Path(sys.executable).with_name("aisle")), "-C", str(place), "run"]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)


def test_a_command_takes_credentials_and_endpoint_from_the_environment(s3, tmp_path) -> None:
    s3.create_bucket(Bucket="shop")
    upload(s3, "shop", FIRST)
    done = by_command(tmp_path, jars=True)
    assert done.returncode == 0, done.stderr
    deliver(tmp_path / "reference", FIRST)
    run_it(tmp_path / "reference")
    assert in_lake(fetched(s3, "shop", tmp_path / "seen")) == in_lake(tmp_path / "reference")
    for said in (done.stdout, done.stderr):
        assert CREDENTIALS["AWS_SECRET_ACCESS_KEY"] not in said


def test_without_jars_it_is_said_which(s3, tmp_path) -> None:
    s3.create_bucket(Bucket="shop")
    upload(s3, "shop", FIRST)
    done = by_command(tmp_path, jars=False)
    assert done.returncode == ConfigError.exit_code
    assert "Spark cannot read s3://shop/lake: it has nothing to read S3 with." in done.stderr
    assert f"spark.jars.packages=org.apache.hadoop:hadoop-aws:{hadoop()}" in done.stderr


def test_credentials_that_only_aisle_has_are_said(spark: SparkSession, s3, bucket, monkeypatch) -> None:
    with strict_s3_server(unchecked=10) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        iam = boto3.Session().client("iam")
        iam.create_user(UserName="analyst")
        everything = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'
        iam.put_user_policy(UserName="analyst", PolicyName="all", PolicyDocument=everything)
        keys = iam.create_access_key(UserName="analyst")["AccessKey"]
        with pytest.raises(ClientError):  # from now on it asks for good credentials
            for _attempt in range(20):
                iam.list_users()
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", keys["AccessKeyId"])
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", keys["SecretAccessKey"])
        client = boto3.Session().client("s3")
        client.create_bucket(Bucket="of-analysts")
        upload(client, "of-analysts", FIRST)
        with pytest.raises(ConfigError, match="Spark cannot read s3://of-analysts/lake: ") as told:
            run(STAR, lake="s3://of-analysts/lake", landing="s3://of-analysts/landing", spark=spark)
    assert "Spark has credentials of its own" in str(told.value)
    for secret in (keys["SecretAccessKey"], CREDENTIALS["AWS_SECRET_ACCESS_KEY"]):
        assert secret not in str(told.value)
