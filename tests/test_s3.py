"""The whole way on S3, on good days and on bad ones. The server is real; what disturbs it stands before it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import traceback
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import boto3
import pytest
from click.testing import CliRunner

from aisle.cli import main
from aisle.errors import AisleError, ConfigError, StorageError
from aisle.lake.storage import open_storage
from aisle.run import run
from aisle.run.check import check
from aisle.run.undo import undo
from forks import Forks, Task
from kiosk import FIRST, SECOND, STAR, Content, deliver, in_lake, releases, run_it, undo_it
from servers import CREDENTIALS, Asked, Proxy, Verdict, strict_s3_server


def upload(s3, bucket: str, drops: Mapping[str, str], prefix: str = "") -> None:
    for name, text in drops.items():
        s3.put_object(Bucket=bucket, Key=f"{prefix}landing/{name}", Body=text.encode())


def fetched(s3, bucket: str, folder: Path, prefix: str = "") -> Path:
    """What lies in a bucket, as files: looked at with boto3 alone."""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for found in page.get("Contents", ()):
            file = folder / found["Key"].removeprefix(prefix)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(s3.get_object(Bucket=bucket, Key=found["Key"])["Body"].read())
    return folder


def run_there(bucket: str, prefix: str = "") -> None:
    run(STAR, lake=f"s3://{bucket}/{prefix}lake", landing=f"s3://{bucket}/{prefix}landing")


@pytest.fixture(scope="session")
def expected(tmp_path_factory: pytest.TempPathFactory) -> list[Content | None]:
    """What a lake in a folder holds after the first run, after the second, and after the undo of that."""
    place, seen = tmp_path_factory.mktemp("expected"), []
    for step in (lambda: deliver(place, FIRST), lambda: deliver(place, SECOND)):
        step()
        run_it(place)
        seen.append(in_lake(place))
    undo_it(place)
    return [*seen, in_lake(place)]


def test_a_lake_on_s3_holds_what_one_in_a_folder_does(s3, bucket, expected, tmp_path) -> None:
    lake = f"s3://{bucket}/lake"
    upload(s3, bucket, FIRST)
    run_there(bucket)
    assert in_lake(fetched(s3, bucket, tmp_path / "1")) == expected[0]
    upload(s3, bucket, SECOND)
    run_there(bucket)
    assert in_lake(fetched(s3, bucket, tmp_path / "2")) == expected[1]
    assert [f.law for f in check(STAR, lake=lake, anew="duckdb") if not f.holds] == []
    run(STAR, lake=lake, landing=f"s3://{bucket}/landing", full=True)
    assert in_lake(fetched(s3, bucket, tmp_path / "3")) == expected[1]
    undo(STAR, lake=lake, to=1)
    assert in_lake(fetched(s3, bucket, tmp_path / "4")) == expected[2]


def test_one_may_be_on_s3_and_the_other_a_folder(s3, bucket, expected, tmp_path) -> None:
    upload(s3, bucket, FIRST)
    run(STAR, lake=tmp_path / "lake", landing=f"s3://{bucket}/landing")
    assert in_lake(tmp_path) == expected[0]
    deliver(tmp_path, FIRST)
    run(STAR, lake=f"s3://{bucket}/lake", landing=tmp_path / "landing")
    assert in_lake(fetched(s3, bucket, tmp_path / "there")) == expected[0]


def test_every_command_works_on_s3(s3, bucket, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)

    def aisle(*words: str) -> str:
        result = CliRunner().invoke(main, words, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.stdout

    aisle("init", "shop")
    monkeypatch.chdir("shop")
    settings = Path("aisle.toml")
    settings.write_text(f'star = "star.py:star"\nlanding = "s3://{bucket}/in"\nlake = "s3://{bucket}/lake"\n')
    aisle("generate", "--days", "3", "--customers", "60", "--products", "20", "--orders-per-day", "20")
    ran = json.loads(aisle("run", "--json"))
    assert ran["release"] == 1
    assert ran["requests"]["PutObject"] > 12
    assert ran["requests"]["DuckDB PUT"] > 5
    aisle("generate", "--days", "4", "--customers", "60", "--products", "20", "--orders-per-day", "20")
    assert "drops" in aisle("status")
    assert json.loads(aisle("run", "--json"))["release"] == 2
    assert json.loads(aisle("check", "--rebuild", "--json"))["holds"]
    assert json.loads(aisle("load", "--json"))["release"] == 2
    [[facts]] = json.loads(aisle("query", "--json", "select count(*) from fact_sales"))["rows"]
    assert facts == json.loads(aisle("status", "--json"))["tables"]["fact_sales"] > 0
    assert len(json.loads(aisle("releases", "--json"))["releases"]) == 2
    assert json.loads(aisle("undo", "--json"))["restores"] == 1
    assert json.loads(aisle("load", "--json"))["tables"]["fact_sales"]["deleted"] > 0
    assert not (tmp_path / "shop" / "lake").exists()


@contextlib.contextmanager
def disturbed(address: str, monkeypatch: pytest.MonkeyPatch, judge) -> Iterator[Proxy]:
    with Proxy(address, judge) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.address)
        yield proxy


def test_a_busy_store_is_asked_again(s3_address, s3, bucket, expected, tmp_path, monkeypatch) -> None:
    """Every third request is refused, or cut short, when it is made first, by turns: throttled, broken, cut in its midst."""
    seen: Counter[tuple[str, str]] = Counter()

    def judge(asked: Asked) -> Verdict:
        seen[asked.method, asked.path] += 1
        kinds: list[Verdict] = ["slow down", "internal error"] if asked.writes or asked.method == "HEAD" else ["slow down", "cut"]
        return kinds[asked.number % 2] if seen[asked.method, asked.path] == 1 and asked.number % 3 == 0 else "pass"

    with disturbed(s3_address, monkeypatch, judge) as proxy:
        for drops, content in zip((FIRST, SECOND), expected, strict=False):
            upload(s3, bucket, drops)
            run_there(bucket)
            assert in_lake(fetched(s3, bucket, tmp_path / str(len(drops)))) == content
    assert {asked.method for asked in proxy.disturbed} == {"GET", "PUT", "HEAD", "DELETE"}
    assert len(proxy.disturbed) > 50


def test_a_large_file_survives_cut_connections(s3_address, s3, bucket, monkeypatch) -> None:
    data = os.urandom(30 << 20)
    s3.put_object(Bucket=bucket, Key="big", Body=data)
    cut: set[str] = set()

    def judge(asked: Asked) -> Verdict:
        part = asked.headers.get("Range", "")
        fresh = asked.method == "GET" and "big" in asked.path and part not in cut
        cut.add(part)
        return "cut" if fresh else "pass"

    with disturbed(s3_address, monkeypatch, judge) as proxy:
        storage = open_storage(f"s3://{bucket}")
        with storage.open("big") as opened:
            assert opened.read() == data
    assert len(proxy.disturbed) > 2


def test_a_store_that_is_down_is_said_and_the_release_stands(s3_address, s3, bucket, expected, tmp_path, monkeypatch) -> None:
    upload(s3, bucket, FIRST)
    run_there(bucket)
    upload(s3, bucket, SECOND)
    monkeypatch.setattr("aisle.lake.s3._TRIES", 2)

    def judge(asked: Asked) -> Verdict:
        return "internal error" if asked.method == "PUT" and "/gold/" in asked.path else "pass"

    with disturbed(s3_address, monkeypatch, judge), pytest.raises(StorageError, match="cannot be written"):
        run_there(bucket)
    assert in_lake(fetched(s3, bucket, tmp_path / "1")) == expected[0]
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_address)
    run_there(bucket)
    assert in_lake(fetched(s3, bucket, tmp_path / "2")) == expected[1]


def test_a_store_without_conditional_writes_is_refused(s3_address, s3, bucket, monkeypatch) -> None:
    def judge(asked: Asked) -> Verdict:
        for name in ("If-None-Match", "If-Match"):
            asked.headers.pop(name, None)
        return "pass"

    upload(s3, bucket, FIRST)
    with disturbed(s3_address, monkeypatch, judge), pytest.raises(ConfigError, match="conditional writes"):
        run_there(bucket)
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket, Prefix="lake"), "and nothing is left of looking"


def said(action) -> str:
    """What an error says, its traceback included; no secret may be in it."""
    with pytest.raises(AisleError) as error:
        action()
    everything = "".join(traceback.format_exception(error.value))
    for secret in (os.environ.get("AWS_SECRET_ACCESS_KEY", CREDENTIALS["AWS_SECRET_ACCESS_KEY"]), "not/the+secret"):
        assert secret not in everything
    return str(error.value)


def test_no_credentials_are_said(s3, bucket, monkeypatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert "there are no AWS credentials" in said(lambda: run_there(bucket))


def test_a_bucket_that_is_not_there_is_said(s3) -> None:
    assert "There is no such bucket" in said(lambda: run_there("nowhere-at-all"))


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("AWS_SECRET_ACCESS_KEY", "not/the+secret", "The secret key does not belong to the access key"),
        ("AWS_ACCESS_KEY_ID", "AKIAUNKNOWN", "The access key is not known there"),
    ],
)
def test_wrong_credentials_are_said(s3, monkeypatch, name, value, hint) -> None:
    user, bucket = "analyst", "shop"
    with strict_s3_server(unchecked=4) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        iam = boto3.client("iam")
        iam.create_user(UserName=user)
        everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
        iam.put_user_policy(UserName=user, PolicyName="all", PolicyDocument=json.dumps(everything))
        keys = iam.create_access_key(UserName=user)["AccessKey"]
        boto3.client("s3").create_bucket(Bucket=bucket)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", keys["AccessKeyId"])
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", keys["SecretAccessKey"])
        client = boto3.Session().client("s3")  # the default session would keep the former credentials
        upload(client, bucket, FIRST)
        storage = open_storage(f"s3://{bucket}/landing")
        assert storage.get("members/02.csv"), "good credentials are taken"
        assert keys["SecretAccessKey"] not in f"{storage!r} {storage}"
        monkeypatch.setenv(name, value)
        assert hint in said(lambda: run_there(bucket))


def test_a_bucket_in_another_region_is_found(s3_address, s3, monkeypatch) -> None:
    bucket = "shop-in-ireland"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    upload(s3, bucket, FIRST)
    with disturbed(s3_address, monkeypatch, lambda _: "pass") as proxy:
        run_there(bucket)
    regions = Counter(asked.headers["Authorization"].split("/")[2] for asked in proxy.asked if asked.writes)
    assert set(regions) == {"eu-west-1"}, "who signs for another region is refused by AWS"


def test_the_landing_is_listed_once_a_page_and_nothing_old_is_read(s3, bucket) -> None:
    """Cost is bounded by what is new: of 1,100 old drops nothing is asked but their names, a thousand at a time."""
    upload(s3, bucket, FIRST)
    old = {f"members/old {n:04}.csv": f"member,city,at\n{n + 100},Oslo,2025-01-01\n" for n in range(1_100)}
    upload(s3, bucket, old)
    address = {"lake": f"s3://{bucket}/lake", "landing": f"s3://{bucket}/landing"}
    run(STAR, **address)
    few = run(STAR, **address).requests
    upload(s3, bucket, {"members/new.csv": "member,city,at\n1,Bergen,2025-06-01\n"})
    more = run(STAR, **address)
    assert more.sources["members"].drops == 1
    # Members 2 pages, two sources a page each, the landing's folders and files, the releases.
    assert few["ListObjectsV2"] <= 10
    assert more.requests["ListObjectsV2"] <= 10
    assert sum(few.values()) < 40
    assert more.requests["GetObject"] < 30


def run_and_die(place: Path) -> None:
    """What a process does that the proxy kills; the place says where."""
    (place / "pid").write_text(str(os.getpid()))
    there = json.loads((place / "there.json").read_text())
    os.environ.update(there["environment"])
    run_there(there["bucket"], there["prefix"])


def test_a_full_disk_of_this_machine_is_said(s3_address, s3, bucket, forks: Forks, tmp_path) -> None:
    upload(s3, bucket, FIRST)
    there = {"environment": CREDENTIALS | {"AWS_ENDPOINT_URL": s3_address}, "bucket": bucket, "prefix": ""}
    (tmp_path / "there.json").write_text(json.dumps(there))
    task = Task("test_s3:run_and_die", tmp_path, "nothing", file_limit=100)  # the largest drop has 139 bytes
    assert forks.perform(task) == 0
    assert task.outcome.error == "StorageError", task.outcome.says
    assert "cannot be written: File too large" in task.outcome.says
    run_there(bucket)


def test_a_run_on_s3_may_die_at_every_request_that_writes(s3_address, s3, bucket, expected, forks: Forks, tmp_path) -> None:
    """Killed before each single write of a further run: readers see the former release, or the new one; the next run mends it."""
    upload(s3, bucket, FIRST, "start/")
    run_there(bucket, "start/")
    upload(s3, bucket, SECOND, "start/")
    start = [found["Key"] for found in s3.list_objects_v2(Bucket=bucket, Prefix="start/")["Contents"]]
    environment = {**CREDENTIALS, "AWS_ENDPOINT_URL": ""}

    def disturb(name: str, fatal: int | None) -> tuple[int, list[Asked]]:
        for key in start:
            s3.copy_object(Bucket=bucket, Key=key.replace("start/", f"{name}/", 1), CopySource={"Bucket": bucket, "Key": key})
        place = tmp_path / name
        place.mkdir()
        writes: list[Asked] = []

        def judge(asked: Asked) -> Verdict:
            if asked.writes:
                writes.append(asked)
                if len(writes) - 1 == fatal:
                    os.kill(int((place / "pid").read_text()), signal.SIGKILL)
            return "pass" if fatal is None or len(writes) <= fatal else "internal error"

        with Proxy(s3_address, judge) as proxy:
            there = {"environment": environment | {"AWS_ENDPOINT_URL": proxy.address}, "bucket": bucket, "prefix": f"{name}/"}
            (place / "there.json").write_text(json.dumps(there))
            return forks.perform(Task("test_s3:run_and_die", place, "nothing")), writes

    exit_code, writes = disturb("undisturbed", None)
    assert exit_code == 0
    published = next(n for n, asked in enumerate(writes) if asked.path.endswith("_releases/00000002.json"))
    assert len(writes) > 20
    for fatal in range(len(writes)):
        name = f"{fatal:03}"
        exit_code, _ = disturb(name, fatal)
        assert exit_code == -signal.SIGKILL, name
        before = fetched(s3, bucket, tmp_path / name / "before", f"{name}/")
        assert in_lake(before) == expected[1 if fatal > published else 0], f"{name} {writes[fatal]}"
        run_there(bucket, f"{name}/")
        after = fetched(s3, bucket, tmp_path / name / "after", f"{name}/")
        assert in_lake(after) == expected[1], f"{name} {writes[fatal]}"
        assert len(releases(after)) == 2, name


def test_of_two_writers_at_once_one_is_refused(s3, bucket, expected, tmp_path) -> None:
    command = (
        "import sys; sys.path.insert(0, sys.argv[1]); from test_s3 import run_there; from aisle.errors import LeaseHeld\n"
        "try: run_there(sys.argv[2])\nexcept LeaseHeld as held: sys.exit(5 if 'Another run is writing' in str(held) else 1)"
    )
    upload(s3, bucket, FIRST)
    arguments = [sys.executable, "-c", command, str(Path(__file__).parent), bucket]
    racers = [subprocess.Popen(arguments) for _ in range(3)]
    ends = [racer.wait() for racer in racers]
    assert set(ends) <= {0, 5}
    assert 0 in ends
    assert in_lake(fetched(s3, bucket, tmp_path)) == expected[0]
